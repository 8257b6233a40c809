#include "runtime/kernels/portable/elementwise.h"

#include <algorithm>

namespace qat::portable {
namespace {

template <class F>
void ForEachPair(const FloatArithmetic& clamp, int64_t size, const float* a, const float* b, float* output,
                 F f) {
#pragma GCC ivdep
  for (int64_t i = 0; i < size; ++i) output[i] = clamp.Output(f(a[i], b[i]));
}

// As many columns as registers hold, from the first row to the last.
constexpr int64_t kColumns = 32;
void SumColumns(const float* rows, int64_t count, int64_t step, float* sums) {
  float kept[kColumns];
  std::copy_n(sums, kColumns, kept);
  for (int64_t row = 0; row < count; ++row, rows += step) {
    for (int64_t k = 0; k < kColumns; ++k) kept[k] += rows[k];
  }
  std::copy_n(kept, kColumns, sums);
}

}  // namespace

void Add(const FloatArithmetic& clamp, int64_t size, const float* a, const float* b, float* output) {
  ForEachPair(clamp, size, a, b, output, [](float x, float y) { return x + y; });
}

void Subtract(const FloatArithmetic& clamp, int64_t size, const float* a, const float* b, float* output) {
  ForEachPair(clamp, size, a, b, output, [](float x, float y) { return x - y; });
}

void Multiply(const FloatArithmetic& clamp, int64_t size, const float* a, const float* b, float* output) {
  ForEachPair(clamp, size, a, b, output, [](float x, float y) { return x * y; });
}

void SumRows(const float* rows, int64_t count, int64_t step, int64_t size, float* sums) {
  int64_t i = 0;
  for (; i + kColumns <= size; i += kColumns) SumColumns(rows + i, count, step, sums + i);
  for (int64_t row = 0; row < count; ++row, rows += step) {
    for (int64_t k = i; k < size; ++k) sums[k] += rows[k];
  }
}

}  // namespace qat::portable
