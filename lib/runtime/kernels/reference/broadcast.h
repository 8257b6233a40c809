// broadcast.h: loops over two inputs whose shapes broadcast.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_BROADCAST_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_BROADCAST_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/shape.h"

namespace qat::reference {

/// Sizes of the output and, for each axis, how far to move in either input: 0 along an axis that is repeated.
struct BroadcastLoops {
  static constexpr size_t kRank = 6;
  std::array<int64_t, kRank> sizes;
  std::array<int64_t, kRank> steps_a;
  std::array<int64_t, kRank> steps_b;
};

/// How far to move in a tensor of `shape`, in elements, from one index of each axis of `output` to the next.
/// Requires shapes of at most six dimensions that broadcast.
inline std::array<int64_t, BroadcastLoops::kRank> StepsOver(const Shape& shape, const Shape& output) {
  std::array<int64_t, BroadcastLoops::kRank> steps{};
  int64_t step = 1;
  for (size_t i = 0; i < output.size(); ++i) {
    const int64_t size = i < shape.size() ? shape[shape.size() - 1 - i] : 1;
    steps[BroadcastLoops::kRank - 1 - i] = size == 1 ? 0 : step;
    step *= size;
  }
  return steps;
}

/// Sizes of the axes, the missing ones 1 and in front.
inline std::array<int64_t, BroadcastLoops::kRank> SizesOf(const Shape& output) {
  std::array<int64_t, BroadcastLoops::kRank> sizes;
  sizes.fill(1);
  std::copy(output.begin(), output.end(), sizes.end() - static_cast<int64_t>(output.size()));
  return sizes;
}

/// The same requirement. Equal shapes become one axis.
inline BroadcastLoops MakeBroadcastLoops(const Shape& a, const Shape& b, const Shape& output) {
  if (a != b) return {SizesOf(output), StepsOver(a, output), StepsOver(b, output)};
  BroadcastLoops loops{SizesOf({}), {}, {}};
  loops.sizes.back() = FlatSize(output);
  loops.steps_a.back() = loops.steps_b.back() = 1;
  return loops;
}

/// Two inputs of which one has all values of the output, and the other one repeats each of its rows.
struct RepeatedRows {
  bool second_repeats = true;
  int64_t rows = 1;     ///< of the input that repeats them
  int64_t repeats = 1;  ///< of each, one after the other
  int64_t size = 1;     ///< values of a row
};

/// Nothing for shapes that broadcast otherwise. The same requirement.
inline std::optional<RepeatedRows> RepeatedRowsOf(const Shape& a, const Shape& b, const Shape& output) {
  RepeatedRows all;
  all.second_repeats = FlatSize(a) == FlatSize(output);
  if (!all.second_repeats && FlatSize(b) != FlatSize(output)) return std::nullopt;
  const Shape& row = all.second_repeats ? b : a;
  // From the last axis on: sizes that the row has, then those it lacks, then again those it has.
  int64_t* const phases[] = {&all.size, &all.repeats, &all.rows};
  size_t phase = 0;
  for (size_t i = 0; i < output.size(); ++i) {
    const int32_t size = output[output.size() - 1 - i];
    if (size == 1) continue;
    const bool has = i < row.size() && row[row.size() - 1 - i] == size;
    if (has != (phase != 1)) ++phase;
    if (phase == 3) return std::nullopt;
    *phases[phase] *= size;
  }
  return all;
}

/// *output++ = f(a, b) for every pair, the last axis fastest.
template <class T, class Out, class F>
Out* ForEachPair(const BroadcastLoops& loops, size_t axis, const T* a, const T* b, Out* output, const F& f) {
  const int64_t step_a = loops.steps_a[axis], step_b = loops.steps_b[axis];
  for (int64_t i = 0; i < loops.sizes[axis]; ++i) {
    if (axis + 1 == BroadcastLoops::kRank) {
      *output++ = f(a[i * step_a], b[i * step_b]);
    } else {
      output = ForEachPair(loops, axis + 1, a + i * step_a, b + i * step_b, output, f);
    }
  }
  return output;
}

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_BROADCAST_H_
