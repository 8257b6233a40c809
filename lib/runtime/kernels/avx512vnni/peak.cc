#include <immintrin.h>

#include "runtime/kernels/simd/peak.h"

namespace qat::simd {
namespace {

constexpr int kAccumulators = 16;

void RunInt8(int64_t steps) {
  __m512i acc[kAccumulators] = {};
  __m512i x = _mm512_set1_epi8(1), w = _mm512_set1_epi8(1);
  for (auto& a : acc) asm volatile("" : "+v"(a));  // else the compiler finds them equal
  asm volatile("" : "+v"(x), "+v"(w));
  for (int64_t i = 0; i < steps; ++i) {
#pragma GCC unroll 16
    for (auto& a : acc) a = _mm512_dpbusd_epi32(a, x, w);
  }
  for (auto& a : acc) asm volatile("" ::"v"(a));
}

void RunFloat(int64_t steps) {
  __m512 acc[kAccumulators] = {};
  __m512 x = _mm512_set1_ps(1), w = _mm512_set1_ps(1);
  for (auto& a : acc) asm volatile("" : "+v"(a));  // else the compiler finds them equal
  asm volatile("" : "+v"(x), "+v"(w));
  for (int64_t i = 0; i < steps; ++i) {
#pragma GCC unroll 16
    for (auto& a : acc) {
      asm volatile("" : "+v"(x));  // else one product serves all
      a = _mm512_fmadd_ps(x, w, a);
    }
  }
  for (auto& a : acc) asm volatile("" ::"v"(a));
}

}  // namespace

const Peak kAvx512VnniInt8 = {kAccumulators * 64, RunInt8};
const Peak kAvx512VnniFloat = {kAccumulators * 16, RunFloat};

}  // namespace qat::simd
