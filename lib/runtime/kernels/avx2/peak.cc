#include "runtime/kernels/simd/peak.h"

#include <immintrin.h>

#include "runtime/kernels/simd/peak-inl.h"

namespace qat::simd {
namespace {

struct Int16Step {
  using Vector = __m256i;
  static constexpr int kAccumulators = 12, kMacs = 16;
  static Vector One() { return _mm256_set1_epi16(1); }
  static void Accumulate(Vector& acc, Vector x, Vector w) {
    Vector products;
    asm volatile("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(acc), "=&x"(products) : "x"(x), "x"(w));
  }
};

struct FloatStep {
  using Vector = __m256;
  static constexpr int kAccumulators = 12, kMacs = 8;
  static Vector One() { return _mm256_set1_ps(1); }
  static void Accumulate(Vector& acc, Vector x, Vector w) {
    asm volatile("vfmadd231ps %2, %1, %0" : "+x"(acc) : "x"(x), "x"(w));
  }
};

}  // namespace

const Peak kAvx2Int16 = PeakOfStep<Int16Step>();
const Peak kAvx2Float = PeakOfStep<FloatStep>();

}  // namespace qat::simd
