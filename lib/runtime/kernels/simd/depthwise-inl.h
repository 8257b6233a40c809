// depthwise-inl.h: DepthwiseRow for one instruction set. Behind requantize-inl.h, under the same rules.

namespace qat::simd {
namespace {

template <class Isa, class Requantize>
struct DepthwiseBlocks {
  using Vector = typename Isa::Vector;

  static void Run(const DepthwiseRow& d) {
    for (int64_t block = 0; block < d.blocks; ++block) {
      if (d.next_filter == nullptr) {
        RunBlock<1>(d, block);
      } else {
        RunBlock<2>(d, block);
      }
    }
  }

  // kCount vectors of a block, input_step elements apart, of one row or of two.
  template <int kRows, int kCount>
  static inline void Sum(const DepthwiseRow& d, const uint8_t* input, int64_t filter, Vector bias,
                         Vector (&acc)[kRows][kCount]) {
#pragma GCC unroll 2
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (int i = 0; i < kCount; ++i) acc[r][i] = bias;
    }
    for (int64_t tap = 0; tap < d.taps; ++tap, filter += Isa::kLanes * 4) {
      Vector w[kRows];
      w[0] = Isa::Load(d.filter + filter);
      if constexpr (kRows > 1) w[1] = Isa::Load(d.next_filter + filter);
      const uint8_t* x = input + d.tap_offsets[tap];
#pragma GCC unroll 4
      for (int i = 0; i < kCount; ++i) {
        const Vector values = Isa::Load(x + i * d.input_step * 4);
#pragma GCC unroll 2
        for (int r = 0; r < kRows; ++r) acc[r][i] = Isa::Dot(acc[r][i], values, w[r]);
      }
    }
  }

  template <int kRows>
  static inline void RunBlock(const DepthwiseRow& d, int64_t block) {
    const int64_t first = block * Isa::kLanes;
    const int64_t used = d.period - first < Isa::kLanes ? d.period - first : Isa::kLanes;
    const int64_t filter = block * d.taps * Isa::kLanes * 4;
    const uint8_t* input = d.input + first * 4;
    uint8_t* const outputs[2] = {d.output, d.next_output};
    const Requantize requantize(d.stage, first);
    const ByteClamp<Isa> clamp(d.stage);
    const Vector bias = Isa::Load(d.bias + first);
    int64_t element = first;
    for (; element + 3 * d.output_step + used <= d.size; element += 4 * d.output_step) {
      Vector acc[kRows][4];
      Sum<kRows, 4>(d, input, filter, bias, acc);
#pragma GCC unroll 2
      for (int r = 0; r < kRows; ++r) {
        const Vector bytes =
            clamp(requantize(acc[r][0]), requantize(acc[r][1]), requantize(acc[r][2]), requantize(acc[r][3]));
        Isa::StoreRows(outputs[r] + element, d.output_step, bytes, used);
      }
      input += 16 * d.input_step;
    }
    for (; element < d.size; element += d.output_step) {
      Vector acc[kRows][1];
      Sum<kRows, 1>(d, input, filter, bias, acc);
#pragma GCC unroll 2
      for (int r = 0; r < kRows; ++r) {
        const Vector q = requantize(acc[r][0]);
        Isa::StoreBytes(outputs[r] + element, clamp(q, q, q, q),
                        d.size - element < used ? d.size - element : used);
      }
      input += 4 * d.input_step;
    }
  }
};

template <class Isa>
void Depthwise(const DepthwiseRow& d) {
  WithRequantizer<Isa, DepthwiseBlocks>(d.stage, d);
}

}  // namespace
}  // namespace qat::simd
