// float-inl.h: FloatProduct and FloatDepthwiseRun for one register type F. Included by the source of its instruction set
// only: everything here has internal linkage and includes nothing.
//
// F: Vector (kLanes floats), kRows x kBlocks accumulators, and what is called below.

namespace qat::simd {
namespace {

template <class F>
struct FloatClamp {
  typename F::Vector low, high;
  FloatClamp(float min, float max) : low(F::Fill(min)), high(F::Fill(max)) {}
  typename F::Vector operator()(typename F::Vector x) const { return F::Min(high, F::Max(low, x)); }
};

template <class F, int kRows, int kBlocks>
inline void MultiplyFloatTile(const FloatProduct& p, const float* const* rows, int64_t unit, float* output) {
  typename F::Vector acc[kRows][kBlocks];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int b = 0; b < kBlocks; ++b) acc[r][b] = F::Fill(0);
  }
  const int64_t block_size = p.segments * p.segment_size * F::kLanes;
  const float* filter = p.filter + unit / F::kLanes * block_size;
  for (int64_t s = 0; s < p.segments; ++s) {
    const int64_t begin = p.segment_offsets[s], end = begin + p.segment_size;
    for (int64_t k = begin; k < end; ++k, filter += F::kLanes) {
      typename F::Vector w[kBlocks];
#pragma GCC unroll 16
      for (int b = 0; b < kBlocks; ++b) w[b] = F::Load(filter + b * block_size);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const auto x = F::Fill(rows[r][k]);
#pragma GCC unroll 16
        for (int b = 0; b < kBlocks; ++b) acc[r][b] = F::MultiplyAdd(x, w[b], acc[r][b]);
      }
    }
  }
  const FloatClamp<F> clamp(p.activation_min, p.activation_max);
#pragma GCC unroll 16
  for (int b = 0; b < kBlocks; ++b) {
    const int64_t first = unit + b * F::kLanes, left = p.units - first;
    const auto bias = F::Load(p.bias + first);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      F::Store(output + r * p.output_step + first, clamp(F::Add(acc[r][b], bias)),
               left < F::kLanes ? left : F::kLanes);
    }
  }
}

// The last units: at most kBlocks vectors.
template <class F, int kRows, int kBlocks>
inline void MultiplyFloatRest(const FloatProduct& p, const float* const* rows, int64_t unit, float* output) {
  if (unit + (kBlocks - 1) * F::kLanes < p.units) {
    MultiplyFloatTile<F, kRows, kBlocks>(p, rows, unit, output);
  } else if constexpr (kBlocks > 1) {
    MultiplyFloatRest<F, kRows, kBlocks - 1>(p, rows, unit, output);
  }
}

// Apart from its callers: within them its loop would lack registers.
template <class F, int kRows, int kBlocks>
[[gnu::noinline]] void MultiplyFloatRows(const FloatProduct& p, int64_t first) {
  const float* rows[kRows];
  int64_t y = first / p.width, x = first % p.width;
  for (int r = 0; r < kRows; ++r) {
    rows[r] = p.input + y * p.step_y + x * p.step_x;
    if (++x == p.width) {
      ++y;
      x = 0;
    }
  }
  float* const output = p.output + first * p.output_step;
  int64_t unit = 0;
  for (; unit + kBlocks * F::kLanes <= p.units; unit += kBlocks * F::kLanes)
    MultiplyFloatTile<F, kRows, kBlocks>(p, rows, unit, output);
  if (unit < p.units) MultiplyFloatRest<F, kRows, kBlocks>(p, rows, unit, output);
}

// Rows in tiles of kRows. Fewer rows than a tile, or left by the last one, go in tiles of 4 or of 1: reading the filter once
// more for each of them would take longer. What is left by tiles of 4 is one that overlaps the one before it.
template <class F, int kRows, int kBlocks>
void MultiplyFloatTiles(const FloatProduct& p) {
  int64_t row = p.begin;
  for (; row + kRows <= p.end; row += kRows) MultiplyFloatRows<F, kRows, kBlocks>(p, row);
  const int64_t left = p.end - row;
  if (left == 0) return;
  if constexpr (kRows > 4) {
    FloatProduct rest = p;
    rest.begin = left > 1 && left < 4 && p.end - p.begin >= 4 ? p.end - 4 : row;
    MultiplyFloatTiles<F, 4, F::kBlocks>(rest);
  } else if (left > 1 && p.end - p.begin >= kRows) {
    MultiplyFloatRows<F, kRows, kBlocks>(p, p.end - kRows);
  } else {
    for (; row < p.end; ++row) MultiplyFloatRows<F, 1, F::kBlocks>(p, row);
  }
}

// Few units leave registers for more rows, which share the loads of the filter.
template <class F>
void MultiplyFloats(const FloatProduct& p) {
  if (2 * p.units <= F::kBlocks * F::kLanes && p.end - p.begin >= 2 * F::kRows) {
    MultiplyFloatTiles<F, 2 * F::kRows, F::kBlocks / 2>(p);
  } else {
    MultiplyFloatTiles<F, F::kRows, F::kBlocks>(p);
  }
}

template <class F, int kCount>
inline void SumFloatTaps(const FloatDepthwiseRun& d, const float* input, const float* filter,
                         typename F::Vector (&acc)[kCount]) {
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) acc[i] = F::Fill(0);
  for (int64_t tap = 0; tap < d.taps; ++tap) {
    const auto w = F::Load(filter + d.filter_offsets[tap]);
    const float* const x = input + d.input_offsets[tap];
#pragma GCC unroll 4
    for (int i = 0; i < kCount; ++i) acc[i] = F::MultiplyAdd(F::Load(x + i * d.input_step), w, acc[i]);
  }
}

// Vectors that are not whole read their last values only: the input may end there.
template <class F>
inline void SumFloatPart(const FloatDepthwiseRun& d, const float* input, const float* filter, int64_t count,
                         typename F::Vector& acc) {
  acc = F::Fill(0);
  for (int64_t tap = 0; tap < d.taps; ++tap) {
    const auto x = F::LoadPart(input + d.input_offsets[tap], count);
    acc = F::MultiplyAdd(x, F::Load(filter + d.filter_offsets[tap]), acc);
  }
}

// kCount vectors of one block, an output_step apart.
template <class F, int kCount>
inline void DepthwiseFloatVectors(const FloatDepthwiseRun& d, const float* input, int64_t first,
                                  int64_t element, const FloatClamp<F>& clamp) {
  typename F::Vector acc[kCount];
  SumFloatTaps<F, kCount>(d, input, d.filter + first, acc);
  const auto bias = F::Load(d.bias + first);
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) {
    F::Store(d.output + element + i * d.output_step, clamp(F::Add(acc[i], bias)), F::kLanes);
  }
}

template <class F>
inline void DepthwiseFloatBlock(const FloatDepthwiseRun& d, int64_t block) {
  const int64_t first = block * F::kLanes;
  const int64_t used = d.period - first < F::kLanes ? d.period - first : F::kLanes;
  const float* const filter = d.filter + first;
  const float* input = d.input + first;
  const auto bias = F::Load(d.bias + first);
  const FloatClamp<F> clamp(d.activation_min, d.activation_max);
  int64_t element = first;
  if (used == F::kLanes) {
    for (; element + 3 * d.output_step + F::kLanes <= d.size; element += 4 * d.output_step) {
      DepthwiseFloatVectors<F, 4>(d, input, first, element, clamp);
      input += 4 * d.input_step;
    }
    const int64_t left = (d.size - F::kLanes - element + d.output_step) / d.output_step;
    if (left == 3) DepthwiseFloatVectors<F, 3>(d, input, first, element, clamp);
    if (left == 2) DepthwiseFloatVectors<F, 2>(d, input, first, element, clamp);
    if (left == 1) DepthwiseFloatVectors<F, 1>(d, input, first, element, clamp);
    element += left * d.output_step;
    input += left * d.input_step;
  }
  for (; element < d.size; element += d.output_step, input += d.input_step) {
    const int64_t count = d.size - element < used ? d.size - element : used;
    typename F::Vector acc;
    SumFloatPart<F>(d, input, filter, count, acc);
    F::Store(d.output + element, clamp(F::Add(acc, bias)), count);
  }
}

// kCount blocks of one pixel.
template <class F, int kCount>
inline void DepthwiseFloatPixel(const FloatDepthwiseRun& d, int64_t first, const FloatClamp<F>& clamp) {
  typename F::Vector acc[kCount];
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) acc[i] = F::Fill(0);
  for (int64_t tap = 0; tap < d.taps; ++tap) {
    const float* const w = d.filter + first + d.filter_offsets[tap];
    const float* const x = d.input + first + d.input_offsets[tap];
#pragma GCC unroll 4
    for (int i = 0; i < kCount; ++i)
      acc[i] = F::MultiplyAdd(F::Load(x + i * F::kLanes), F::Load(w + i * F::kLanes), acc[i]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < kCount; ++i) {
    const int64_t channel = first + i * F::kLanes;
    F::Store(d.output + channel, clamp(F::Add(acc[i], F::Load(d.bias + channel))), F::kLanes);
  }
}

// Blocks share the taps' places where there is but one pixel, as at the edges of an image.
template <class F>
void DepthwiseFloats(const FloatDepthwiseRun& d) {
  int64_t block = 0;
  if (d.size == d.period) {
    const FloatClamp<F> clamp(d.activation_min, d.activation_max);
    for (; (block + 4) * F::kLanes <= d.size; block += 4)
      DepthwiseFloatPixel<F, 4>(d, block * F::kLanes, clamp);
  }
  for (; block < d.blocks; ++block) DepthwiseFloatBlock<F>(d, block);
}

}  // namespace
}  // namespace qat::simd
