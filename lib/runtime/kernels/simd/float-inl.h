// float-inl.h: FloatProduct for one register type F. Included by the source of its instruction set only:
// everything here has internal linkage and includes nothing.
//
// F: Vector (kLanes floats), kRows x kBlocks accumulators, and what is called below; F::Half the same of half
// the lanes, or F.

namespace qat::simd {
namespace {

template <class F>
struct FloatClamp {
  typename F::Vector low, high;
  FloatClamp(float min, float max) : low(F::Fill(min)), high(F::Fill(max)) {}
  typename F::Vector operator()(typename F::Vector x) const { return F::Min(high, F::Max(low, x)); }
};

// kBlocks vectors of units and, where half a vector holds the last of them, kHalves = 1 of those: in narrow
// registers it costs machines half as much that take wide ones in two steps.
template <class F, int kRows, int kBlocks, int kHalves>
inline void MultiplyFloatTile(const FloatProduct& p, const float* const* rows, int64_t unit, float* output) {
  using Half = typename F::Half;
  if (p.fetches_output) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (int b = 0; b < kBlocks + kHalves; ++b)
        __builtin_prefetch(output + r * p.output_step + unit + b * F::kLanes, 1);
    }
  }
  typename F::Vector acc[kRows][kBlocks + 1];  // one more: none would be no array
  typename Half::Vector half[kRows];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int b = 0; b < kBlocks; ++b) acc[r][b] = F::Fill(0);
    half[r] = Half::Fill(0);
  }
  const float* filter = p.filter + unit * p.segments * p.segment_size;
  for (int64_t s = 0; s < p.segments; ++s) {
    const int64_t begin = p.segment_offsets[s], end = begin + p.segment_size;
    for (int64_t k = begin; k < end; ++k, filter += (kBlocks + kHalves) * F::kLanes) {
      typename F::Vector w[kBlocks + 1];
#pragma GCC unroll 16
      for (int b = 0; b < kBlocks; ++b) w[b] = F::Load(filter + b * F::kLanes);
      typename Half::Vector half_w;
      if constexpr (kHalves > 0) half_w = Half::Load(filter + kBlocks * F::kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const auto x = F::Fill(rows[r][k]);
#pragma GCC unroll 16
        for (int b = 0; b < kBlocks; ++b) acc[r][b] = F::MultiplyAdd(x, w[b], acc[r][b]);
        if constexpr (kHalves > 0) half[r] = Half::MultiplyAdd(F::Lower(x), half_w, half[r]);
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
  if constexpr (kHalves > 0) {
    const int64_t first = unit + kBlocks * F::kLanes;
    const FloatClamp<Half> clamp_half(p.activation_min, p.activation_max);
    const auto bias = Half::Load(p.bias + first);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
      Half::Store(output + r * p.output_step + first, clamp_half(Half::Add(half[r], bias)), p.units - first);
  }
}

// The last units: at most kBlocks vectors.
template <class F, int kRows, int kBlocks>
inline void MultiplyFloatRest(const FloatProduct& p, const float* const* rows, int64_t unit, float* output) {
  if (unit + (kBlocks - 1) * F::kLanes < p.units) {
    if constexpr (F::Half::kLanes < F::kLanes) {
      if (unit + (kBlocks - 1) * F::kLanes + F::Half::kLanes >= p.units)
        return MultiplyFloatTile<F, kRows, kBlocks - 1, 1>(p, rows, unit, output);
    }
    MultiplyFloatTile<F, kRows, kBlocks, 0>(p, rows, unit, output);
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
    MultiplyFloatTile<F, kRows, kBlocks, 0>(p, rows, unit, output);
  if (unit < p.units) MultiplyFloatRest<F, kRows, kBlocks>(p, rows, unit, output);
}

// Rows in tiles of kRows. Fewer rows than a tile, or left by the last one, go in tiles of 4 or of 1: reading
// the filter once more for each of them would take longer. What is left by tiles of 4 is one that overlaps
// the one before it.
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

}  // namespace
}  // namespace qat::simd
