#include "runtime/kernels/portable/elementwise.h"

namespace qat::portable {
namespace {

template <class F>
void ForEachPair(const FloatArithmetic& clamp, int64_t size, const float* a, const float* b, float* output,
                 F f) {
#pragma GCC ivdep
  for (int64_t i = 0; i < size; ++i) output[i] = clamp.Output(f(a[i], b[i]));
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
  for (int64_t row = 0; row < count; ++row, rows += step) {
    for (int64_t i = 0; i < size; ++i) sums[i] += rows[i];
  }
}

}  // namespace qat::portable
