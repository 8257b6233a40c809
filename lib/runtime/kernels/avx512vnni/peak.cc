#include "runtime/kernels/simd/peak.h"

#include <immintrin.h>

#include "runtime/kernels/simd/peak-inl.h"

namespace qat::simd {
namespace {

struct Int8Step {
  using Vector = __m512i;
  static constexpr int kAccumulators = 16, kMacs = 64;
  static Vector One() { return _mm512_set1_epi8(1); }
  static void Accumulate(Vector& acc, Vector x, Vector w) {
    asm volatile("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
  }
};

struct FloatStep {
  using Vector = __m512;
  static constexpr int kAccumulators = 16, kMacs = 16;
  static Vector One() { return _mm512_set1_ps(1); }
  static void Accumulate(Vector& acc, Vector x, Vector w) {
    asm volatile("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
  }
};

}  // namespace

const Peak kAvx512VnniInt8 = PeakOfStep<Int8Step>();
const Peak kAvx512VnniFloat = PeakOfStep<FloatStep>();

}  // namespace qat::simd
