// depthwise-inl.h: DepthwiseRow for one instruction set. Behind requantize-inl.h, under the same rules.

namespace qat::simd {
namespace {

template <class Isa, class Requantize>
struct DepthwiseBlocks {
  using Vector = typename Isa::Vector;

  static void Run(const DepthwiseRow& d) {
    for (int64_t block = 0; block < d.blocks; ++block) RunBlock(d, block);
  }

  // kCount vectors of a block, input_step elements apart.
  template <int kCount>
  static inline void Sum(const DepthwiseRow& d, const uint8_t* input, const uint8_t* filter, Vector bias,
                         Vector (&acc)[kCount]) {
#pragma GCC unroll 4
    for (int i = 0; i < kCount; ++i) acc[i] = bias;
    for (int64_t tap = 0; tap < d.taps; ++tap, filter += Isa::kLanes * 4) {
      const Vector w = Isa::Load(filter);
      const uint8_t* x = input + d.tap_offsets[tap];
#pragma GCC unroll 4
      for (int i = 0; i < kCount; ++i) acc[i] = Isa::Dot(acc[i], Isa::Load(x + i * d.input_step * 4), w);
    }
  }

  static inline void RunBlock(const DepthwiseRow& d, int64_t block) {
    const int64_t first = block * Isa::kLanes;
    const int64_t used = d.period - first < Isa::kLanes ? d.period - first : Isa::kLanes;
    const uint8_t* const filter = d.filter + block * d.taps * Isa::kLanes * 4;
    const uint8_t* input = d.input + first * 4;
    const Requantize requantize(d.stage, first);
    const ByteClamp<Isa> clamp(d.stage);
    const Vector bias = Isa::Load(d.bias + first);
    int64_t element = first;
    for (; element + 3 * d.output_step + used <= d.size; element += 4 * d.output_step) {
      Vector acc[4];
      Sum<4>(d, input, filter, bias, acc);
      const Vector bytes =
          clamp(requantize(acc[0]), requantize(acc[1]), requantize(acc[2]), requantize(acc[3]));
      Isa::StoreRows(d.output + element, d.output_step, bytes, used);
      input += 16 * d.input_step;
    }
    for (; element < d.size; element += d.output_step) {
      Vector acc[1];
      Sum<1>(d, input, filter, bias, acc);
      const Vector q = requantize(acc[0]);
      Isa::StoreBytes(d.output + element, clamp(q, q, q, q),
                      d.size - element < used ? d.size - element : used);
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
