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

  template <int kRows>
  static void RunBlock(const DepthwiseRow& d, int64_t block) {
    if constexpr (requires { Isa::kTapsOf3x3; }) {
      if (d.taps == Isa::kTapsOf3x3) return RunBlockOf<Taps<kRows, Isa::kTapsOf3x3>>(d, block);
    }
    RunBlockOf<Taps<kRows, 0>>(d, block);
  }

  // The filter of a block and where its taps are; kKnown > 0: as many, unrolled.
  template <int kRowCount, int kKnown>
  struct Taps {
    static constexpr int kRows = kRowCount;
    const uint8_t* filters[2];
    const int64_t* offsets;
    int64_t count;
    int64_t step;  // bytes

    Taps(const DepthwiseRow& d, int64_t filter)
        : filters{d.filter + filter, kRows > 1 ? d.next_filter + filter : nullptr},
          offsets(d.tap_offsets),
          count(d.taps),
          step(d.input_step * 4) {}

    // Adds up kCount vectors, a step apart, of kRows rows.
    template <int kCount>
    [[gnu::always_inline]] void Add(const uint8_t* input, Vector (&acc)[kRows][kCount]) const {
      if constexpr (kKnown > 0) {
#pragma GCC unroll 16
        for (int64_t tap = 0; tap < kKnown; ++tap) AddTap<kCount>(tap, input, acc);
      } else {
        for (int64_t tap = 0; tap < count; ++tap) AddTap<kCount>(tap, input, acc);
      }
    }
    template <int kCount>
    [[gnu::always_inline]] void AddTap(int64_t tap, const uint8_t* input,
                                       Vector (&acc)[kRows][kCount]) const {
      const uint8_t* x = input + offsets[tap];
      Vector w[kRows];
#pragma GCC unroll 2
      for (int r = 0; r < kRows; ++r) w[r] = Isa::Load(filters[r] + tap * Isa::kLanes * 4);
#pragma GCC unroll 4
      for (int i = 0; i < kCount; ++i, x += step) {
        const Vector values = Isa::Load(x);
#pragma GCC unroll 2
        for (int r = 0; r < kRows; ++r) acc[r][i] = Isa::Dot(acc[r][i], values, w[r]);
      }
    }
  };

  template <class OfBlock, int kCount>
  static inline void Sum(const OfBlock& taps, const uint8_t* input, Vector bias,
                         Vector (&acc)[OfBlock::kRows][kCount]) {
#pragma GCC unroll 2
    for (int r = 0; r < OfBlock::kRows; ++r) {
#pragma GCC unroll 4
      for (int i = 0; i < kCount; ++i) acc[r][i] = bias;
    }
    taps.template Add<kCount>(input, acc);
  }

  template <class OfBlock>
  [[gnu::noinline]] static void RunBlockOf(const DepthwiseRow& d, int64_t block) {
    const int64_t first = block * Isa::kLanes;
    const Common common{d.period - first < Isa::kLanes ? d.period - first : Isa::kLanes,
                        d.input_step,
                        d.output_step,
                        d.size - first,
                        Requantize(d.stage, first),
                        ByteClamp<Isa>(d.stage),
                        Isa::Load(d.bias + first)};
    const OfBlock taps(d, block * d.taps * Isa::kLanes * 4);
    const uint8_t* input = d.input + first * 4;
    uint8_t* outputs[2] = {d.output + first, d.next_output + first};
    for (int64_t i = 0; i < d.count; ++i) {
      RunRows(common, taps, input, outputs);
      input += d.next_input;
      outputs[0] += d.next_outputs;
      outputs[1] += d.next_outputs;
    }
  }

  // What all rows of a block have in common.
  struct Common {
    int64_t used;  // lanes
    int64_t input_step, output_step, size;
    Requantize requantize;
    ByteClamp<Isa> clamp;
    Vector bias;
  };

  template <class OfBlock>
  [[gnu::always_inline]] static void RunRows(const Common& c, const OfBlock& taps, const uint8_t* input,
                                             uint8_t* const (&outputs)[2]) {
    constexpr int kRows = OfBlock::kRows;
    int64_t element = 0;
    for (; element + 3 * c.output_step + c.used <= c.size; element += 4 * c.output_step) {
      Vector acc[kRows][4];
      Sum<OfBlock, 4>(taps, input, c.bias, acc);
#pragma GCC unroll 2
      for (int r = 0; r < kRows; ++r) {
        const Vector bytes =
            RequantizeBytes<Isa>(c.clamp, c.requantize, acc[r][0], acc[r][1], acc[r][2], acc[r][3]);
        Isa::StoreRows(outputs[r] + element, c.output_step, bytes, c.used);
      }
      input += 16 * c.input_step;
    }
    const int64_t left = c.size - element < c.used ? 0 : (c.size - element - c.used) / c.output_step + 1;
    if (left == 3) RunRest<OfBlock, 3>(c, taps, input, outputs, element);
    if (left == 2) RunRest<OfBlock, 2>(c, taps, input, outputs, element);
    if (left == 1) RunRest<OfBlock, 1>(c, taps, input, outputs, element);
    input += 4 * left * c.input_step;
    element += left * c.output_step;
    // What the row has left of a vector.
    if (element >= c.size) return;
    Vector acc[kRows][1];
    Sum<OfBlock, 1>(taps, input, c.bias, acc);
#pragma GCC unroll 2
    for (int r = 0; r < kRows; ++r) {
      const Vector sum = acc[r][0];
      const Vector bytes = RequantizeBytes<Isa>(c.clamp, c.requantize, sum, sum, sum, sum);
      Isa::StoreBytes(outputs[r] + element, bytes, c.size - element);
    }
  }

  // The last kCount whole vectors of a row, or of two, which are requantized together.
  template <class OfBlock, int kCount>
  [[gnu::always_inline]] static void RunRest(const Common& c, const OfBlock& taps, const uint8_t* input,
                                             uint8_t* const (&outputs)[2], int64_t element) {
    constexpr int kAll = OfBlock::kRows * kCount;
    Vector acc[OfBlock::kRows][kCount];
    Sum<OfBlock, kCount>(taps, input, c.bias, acc);
    const auto sum = [&](int i) __attribute__((always_inline)) { return acc[i % kAll / kCount][i % kCount]; };
    const auto place = [&](int i) __attribute__((always_inline)) {
      return outputs[i % kAll / kCount] + element + i % kCount * c.output_step;
    };
#pragma GCC unroll 2
    for (int i = 0; i < kAll; i += 4) {
      const Vector bytes =
          RequantizeBytes<Isa>(c.clamp, c.requantize, sum(i), sum(i + 1), sum(i + 2), sum(i + 3));
      Isa::StoreAt({place(i), place(i + 1), place(i + 2), place(i + 3)}, bytes, c.used);
    }
  }
};

template <class Isa>
void Depthwise(const DepthwiseRow& d) {
  WithRequantizer<Isa, DepthwiseBlocks>(d.stage, d);
}

}  // namespace
}  // namespace qat::simd
