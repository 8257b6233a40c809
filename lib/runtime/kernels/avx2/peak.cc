#include <immintrin.h>

#include "runtime/kernels/simd/peak.h"

namespace qat::simd {
namespace {

constexpr int kAccumulators = 12;

void RunInt16(int64_t steps) {
  __m256i acc[kAccumulators] = {};
  __m256i x = _mm256_set1_epi16(1), w = _mm256_set1_epi16(1);
  for (auto& a : acc) asm volatile("" : "+x"(a));  // else the compiler finds them equal
  asm volatile("" : "+x"(x), "+x"(w));
  for (int64_t i = 0; i < steps; ++i) {
#pragma GCC unroll 16
    for (auto& a : acc) {
      asm volatile("" : "+x"(x));  // else one product serves all
      a = _mm256_add_epi32(a, _mm256_madd_epi16(x, w));
    }
  }
  for (auto& a : acc) asm volatile("" ::"x"(a));
}

void RunFloat(int64_t steps) {
  __m256 acc[kAccumulators] = {};
  __m256 x = _mm256_set1_ps(1), w = _mm256_set1_ps(1);
  for (auto& a : acc) asm volatile("" : "+x"(a));  // else the compiler finds them equal
  asm volatile("" : "+x"(x), "+x"(w));
  for (int64_t i = 0; i < steps; ++i) {
#pragma GCC unroll 16
    for (auto& a : acc) {
      asm volatile("" : "+x"(x));  // else one product serves all
      a = _mm256_fmadd_ps(x, w, a);
    }
  }
  for (auto& a : acc) asm volatile("" ::"x"(a));
}

}  // namespace

const Peak kAvx2Int16 = {kAccumulators * 16, RunInt16};
const Peak kAvx2Float = {kAccumulators * 8, RunFloat};

}  // namespace qat::simd
