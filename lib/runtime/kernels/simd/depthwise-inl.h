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
      if (d.taps == Isa::kTapsOf3x3) return RunBlockOf<KnownTaps<kRows, Isa::kTapsOf3x3>>(d, block);
    }
    RunBlockOf<AnyTaps<kRows>>(d, block);
  }

  // The filter of a block and where its taps are. Add adds up kCount vectors, input_step elements apart, of kRows rows.
  template <int kRowCount>
  struct AnyTaps {
    static constexpr int kRows = kRowCount;
    const DepthwiseRow& d;
    const uint8_t* filters[2];

    AnyTaps(const DepthwiseRow& row, int64_t filter)
        : d(row), filters{row.filter + filter, kRows > 1 ? row.next_filter + filter : nullptr} {}

    template <int kCount>
    void Add(const uint8_t* input, Vector (&acc)[kRows][kCount]) const {
      for (int64_t tap = 0; tap < d.taps; ++tap) {
        Vector w[kRows];
#pragma GCC unroll 2
        for (int r = 0; r < kRows; ++r) w[r] = Isa::Load(filters[r] + tap * Isa::kLanes * 4);
        const uint8_t* x = input + d.tap_offsets[tap];
#pragma GCC unroll 4
        for (int i = 0; i < kCount; ++i) {
          const Vector values = Isa::Load(x + i * d.input_step * 4);
#pragma GCC unroll 2
          for (int r = 0; r < kRows; ++r) acc[r][i] = Isa::Dot(acc[r][i], values, w[r]);
        }
      }
    }
  };

  // The same for a number of taps that is known.
  template <int kRowCount, int kTaps>
  struct KnownTaps {
    static constexpr int kRows = kRowCount;
    const uint8_t* filters[2];
    const int64_t* offsets;
    int64_t step;  // bytes

    KnownTaps(const DepthwiseRow& d, int64_t filter)
        : filters{d.filter + filter, kRows > 1 ? d.next_filter + filter : nullptr},
          offsets(d.tap_offsets),
          step(d.input_step * 4) {}

    template <int kCount>
    [[gnu::always_inline]] void Add(const uint8_t* input, Vector (&acc)[kRows][kCount]) const {
#pragma GCC unroll 16
      for (int tap = 0; tap < kTaps; ++tap) {
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
    }
  };

  template <class Taps, int kCount>
  static inline void Sum(const Taps& taps, const uint8_t* input, Vector bias,
                         Vector (&acc)[Taps::kRows][kCount]) {
#pragma GCC unroll 2
    for (int r = 0; r < Taps::kRows; ++r) {
#pragma GCC unroll 4
      for (int i = 0; i < kCount; ++i) acc[r][i] = bias;
    }
    taps.template Add<kCount>(input, acc);
  }

  template <class Taps>
  [[gnu::noinline]] static void RunBlockOf(const DepthwiseRow& d, int64_t block) {
    const int64_t first = block * Isa::kLanes;
    const Common common{d.period - first < Isa::kLanes ? d.period - first : Isa::kLanes,
                        d.input_step,
                        d.output_step,
                        d.size - first,
                        Requantize(d.stage, first),
                        ByteClamp<Isa>(d.stage),
                        Isa::Load(d.bias + first)};
    const Taps taps(d, block * d.taps * Isa::kLanes * 4);
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

  template <class Taps>
  [[gnu::always_inline]] static void RunRows(const Common& c, const Taps& taps, const uint8_t* input,
                                             uint8_t* const (&outputs)[2]) {
    constexpr int kRows = Taps::kRows;
    int64_t element = 0;
    for (; element + 3 * c.output_step + c.used <= c.size; element += 4 * c.output_step) {
      Vector acc[kRows][4];
      Sum<Taps, 4>(taps, input, c.bias, acc);
#pragma GCC unroll 2
      for (int r = 0; r < kRows; ++r) {
        const Vector bytes =
            RequantizeBytes<Isa>(c.clamp, c.requantize, acc[r][0], acc[r][1], acc[r][2], acc[r][3]);
        Isa::StoreRows(outputs[r] + element, c.output_step, bytes, c.used);
      }
      input += 16 * c.input_step;
    }
    const int64_t left = c.size - element < c.used ? 0 : (c.size - element - c.used) / c.output_step + 1;
    if (left == 3) RunRest<Taps, 3>(c, taps, input, outputs, element);
    if (left == 2) RunRest<Taps, 2>(c, taps, input, outputs, element);
    if (left == 1) RunRest<Taps, 1>(c, taps, input, outputs, element);
    input += 4 * left * c.input_step;
    element += left * c.output_step;
    // What the row has left of a vector.
    if (element >= c.size) return;
    Vector acc[kRows][1];
    Sum<Taps, 1>(taps, input, c.bias, acc);
#pragma GCC unroll 2
    for (int r = 0; r < kRows; ++r) {
      const Vector sum = acc[r][0];
      const Vector bytes = RequantizeBytes<Isa>(c.clamp, c.requantize, sum, sum, sum, sum);
      Isa::StoreBytes(outputs[r] + element, bytes, c.size - element);
    }
  }

  // The last kCount whole vectors of a row, or of two, which are requantized together.
  template <class Taps, int kCount>
  [[gnu::always_inline]] static void RunRest(const Common& c, const Taps& taps, const uint8_t* input,
                                             uint8_t* const (&outputs)[2], int64_t element) {
    constexpr int kAll = Taps::kRows * kCount;
    Vector acc[Taps::kRows][kCount];
    Sum<Taps, kCount>(taps, input, c.bias, acc);
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
