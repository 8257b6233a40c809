#include "runtime/kernels/simd/peak.h"

#include <immintrin.h>

#include "runtime/kernels/simd/peak-inl.h"

namespace qat::simd {
namespace {

struct Int8Step {
  using Vector = __m256i;
  static constexpr int kAccumulators = 12, kMacs = 32;
  static Vector One() { return _mm256_set1_epi8(1); }
  static void Accumulate(Vector& acc, Vector x, Vector w) {
    asm volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(x), "x"(w));
  }
};

}  // namespace

const Peak kAvxVnniInt8 = PeakOfStep<Int8Step>();

}  // namespace qat::simd
