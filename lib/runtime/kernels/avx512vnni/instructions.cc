// AVX-512 with VNNI: vpdpbusd adds four products of uint8 by int8 to an int32 lane, without saturation.
#include "runtime/kernels/simd/instructions.h"

#include <immintrin.h>

namespace qat::simd {
namespace {

struct Avx512Vnni {
  using Vector = __m512i;
  static constexpr int64_t kLanes = 16;
  static constexpr int kRows = 6;
  static constexpr int kBlocks = 4;

  static Vector Load(const void* from) { return _mm512_loadu_si512(from); }
  static Vector Fill(int32_t value) { return _mm512_set1_epi32(value); }
  static Vector Broadcast(const uint8_t* from) {
    int32_t value;
    __builtin_memcpy(&value, from, sizeof(value));
    return _mm512_set1_epi32(value);
  }
  static Vector Add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
  static Vector Subtract(Vector a, Vector b) { return _mm512_sub_epi32(a, b); }
  static Vector And(Vector a, Vector b) { return _mm512_and_si512(a, b); }
  static Vector ShiftLeft(Vector a, Vector count) { return _mm512_sllv_epi32(a, count); }
  static Vector ShiftRight(Vector a, Vector count) { return _mm512_srav_epi32(a, count); }
  static Vector Dot(Vector acc, Vector x, Vector w) { return _mm512_dpbusd_epi32(acc, x, w); }
  static Vector Clamp(Vector a, Vector low, Vector high) {
    return _mm512_min_epi32(_mm512_max_epi32(a, low), high);
  }
  static Vector FillFromLane(Vector a, int32_t lane) {
    return _mm512_permutexvar_epi32(_mm512_set1_epi32(lane), a);
  }
  static int32_t FirstLane(Vector a) { return _mm512_cvtsi512_si32(a); }
  static Vector AddIfGreater(Vector a, Vector x, Vector limit) {
    return _mm512_mask_add_epi32(a, _mm512_cmpgt_epi32_mask(x, limit), a, _mm512_set1_epi32(1));
  }

  // Requires b >= 0, so that no product saturates.
  static Vector RoundingDoublingHighMultiply(Vector a, Vector b) {
    const Vector half = _mm512_set1_epi64(int64_t{1} << 30);
    const Vector even = _mm512_add_epi64(_mm512_mul_epi32(a, b), half);
    const Vector odd =
        _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32)), half);
    return _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
  }

  // Half away from zero: the fraction that trunc leaves is exact. |q| is held to 2^30.
  static __m256i RoundProduct(__m256i acc, const double* multiplier) {
    const __m512d product = _mm512_mul_pd(_mm512_cvtepi32_pd(acc), _mm512_loadu_pd(multiplier));
    const __m512d whole = _mm512_roundscale_pd(product, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    const __m512d fraction = _mm512_sub_pd(product, whole);
    const __mmask8 up = _mm512_cmp_pd_mask(fraction, _mm512_set1_pd(0.5), _CMP_GE_OQ);
    const __mmask8 down = _mm512_cmp_pd_mask(fraction, _mm512_set1_pd(-0.5), _CMP_LE_OQ);
    const __m512d one = _mm512_set1_pd(1);
    const __m512d limit = _mm512_set1_pd(1 << 30);
    __m512d rounded = _mm512_mask_add_pd(whole, up, whole, one);
    rounded = _mm512_mask_sub_pd(rounded, down, rounded, one);
    rounded = _mm512_max_pd(_mm512_min_pd(rounded, limit), _mm512_sub_pd(_mm512_setzero_pd(), limit));
    return _mm512_cvtpd_epi32(rounded);
  }
  static Vector MultiplyRounded(Vector acc, const double* multiplier) {
    const __m256i low = RoundProduct(_mm512_castsi512_si256(acc), multiplier);
    const __m256i high = RoundProduct(_mm512_extracti64x4_epi64(acc, 1), multiplier + 8);
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  }

  static void StoreBytes(uint8_t* to, Vector value, int64_t count) {
    const __m128i bytes = _mm512_cvtepi32_epi8(value);
    if (count == kLanes) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    } else {
      _mm_mask_storeu_epi8(to, static_cast<__mmask16>((1u << count) - 1), bytes);
    }
  }

  static int32_t RowTerm(const Product& p, const uint8_t* row) {
    const Vector ones = _mm512_set1_epi8(1);
    Vector sum = _mm512_setzero_si512();
    for (int64_t s = 0; s < p.segments; ++s) {
      const uint8_t* run = row + p.segment_offsets[s];
      int64_t left = p.segment_size;
      for (; left >= 64; left -= 64, run += 64) sum = _mm512_dpbusd_epi32(sum, Load(run), ones);
      if (left == 0) continue;
      sum = _mm512_dpbusd_epi32(sum, _mm512_maskz_loadu_epi8((uint64_t{1} << left) - 1, run), ones);
    }
    const auto total = static_cast<uint32_t>(_mm512_reduce_add_epi32(sum));
    return static_cast<int32_t>(static_cast<uint32_t>(p.row_sum_factor) * total);
  }
};

}  // namespace
}  // namespace qat::simd

#include "runtime/kernels/simd/multiply-inl.h"

namespace qat::simd {

const Instructions kAvx512VnniInstructions = {Avx512Vnni::kLanes, false, Multiply<Avx512Vnni>};

}  // namespace qat::simd
