#include <immintrin.h>

#include "runtime/kernels/simd/peak.h"

namespace qat::simd {
namespace {

constexpr int kAccumulators = 12;

void RunInt8(int64_t steps) {
  __m256i acc[kAccumulators] = {};
  __m256i x = _mm256_set1_epi8(1), w = _mm256_set1_epi8(1);
  for (auto& a : acc) asm volatile("" : "+x"(a));  // else the compiler finds them equal
  asm volatile("" : "+x"(x), "+x"(w));
  for (int64_t i = 0; i < steps; ++i) {
#pragma GCC unroll 16
    for (auto& a : acc) a = _mm256_dpbusd_avx_epi32(a, x, w);
  }
  for (auto& a : acc) asm volatile("" ::"x"(a));
}

}  // namespace

const Peak kAvxVnniInt8 = {kAccumulators * 32, RunInt8};

}  // namespace qat::simd
