// broadcast.h: loops over two inputs whose shapes broadcast.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_BROADCAST_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_BROADCAST_H_

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

/// Requires shapes of at most six dimensions that broadcast to `output`. Equal shapes become one axis.
inline BroadcastLoops MakeBroadcastLoops(const Shape& a, const Shape& b, const Shape& output) {
  BroadcastLoops loops;
  loops.sizes.fill(1);
  loops.steps_a.fill(0);
  loops.steps_b.fill(0);
  if (a == b) {
    loops.sizes.back() = FlatSize(output);
    loops.steps_a.back() = loops.steps_b.back() = 1;
    return loops;
  }
  int64_t step_a = 1, step_b = 1;
  for (size_t i = 0; i < output.size(); ++i) {
    const size_t axis = BroadcastLoops::kRank - 1 - i;
    const int64_t size_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t size_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    loops.sizes[axis] = output[output.size() - 1 - i];
    loops.steps_a[axis] = size_a == 1 ? 0 : step_a;
    loops.steps_b[axis] = size_b == 1 ? 0 : step_b;
    step_a *= size_a;
    step_b *= size_b;
  }
  return loops;
}

/// Two inputs of which one has all values of the output, and the other one repeats each of its rows.
struct RepeatedRows {
  bool second_repeats = true;
  int64_t rows = 1;     ///< of the input that repeats them
  int64_t repeats = 1;  ///< of each, one behind the other
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
template <class T, class F>
T* ForEachPair(const BroadcastLoops& loops, size_t axis, const T* a, const T* b, T* output, const F& f) {
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
