// AVX2: vpmaddwd adds two products of int16. (vpmaddubsw, on bytes, saturates.)
#include "runtime/kernels/simd/instructions.h"

#include <immintrin.h>

namespace qat::simd {
namespace {

struct Avx2 {
  using Vector = __m256i;
  static constexpr int64_t kLanes = 8;
  static constexpr int kRows = 6;
  static constexpr int kBlocks = 2;

  static Vector Load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
  static Vector Fill(int32_t value) { return _mm256_set1_epi32(value); }
  static Vector Broadcast(const uint8_t* from) {
    int32_t value;
    __builtin_memcpy(&value, from, sizeof(value));
    return _mm256_set1_epi32(value);
  }
  static Vector Add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
  static Vector Subtract(Vector a, Vector b) { return _mm256_sub_epi32(a, b); }
  static Vector And(Vector a, Vector b) { return _mm256_and_si256(a, b); }
  static Vector ShiftLeft(Vector a, Vector count) { return _mm256_sllv_epi32(a, count); }
  static Vector ShiftRight(Vector a, Vector count) { return _mm256_srav_epi32(a, count); }
  static Vector Dot(Vector acc, Vector x, Vector w) { return _mm256_add_epi32(acc, _mm256_madd_epi16(x, w)); }
  static Vector Clamp(Vector a, Vector low, Vector high) {
    return _mm256_min_epi32(_mm256_max_epi32(a, low), high);
  }
  static Vector FillFromLane(Vector a, int32_t lane) {
    return _mm256_permutevar8x32_epi32(a, _mm256_set1_epi32(lane));
  }
  static int32_t FirstLane(Vector a) { return _mm256_cvtsi256_si32(a); }
  static Vector AddIfGreater(Vector a, Vector x, Vector limit) {
    return _mm256_sub_epi32(a, _mm256_cmpgt_epi32(x, limit));
  }

  // Requires b >= 0, so that no product saturates.
  static Vector RoundingDoublingHighMultiply(Vector a, Vector b) {
    const Vector half = _mm256_set1_epi64x(int64_t{1} << 30);
    const Vector even = _mm256_add_epi64(_mm256_mul_epi32(a, b), half);
    const Vector odd =
        _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32)), half);
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xAA);
  }

  // Half away from zero: the fraction that trunc leaves is exact. |q| is held to 2^30.
  static __m128i RoundProduct(__m128i acc, const double* multiplier) {
    const __m256d product = _mm256_mul_pd(_mm256_cvtepi32_pd(acc), _mm256_loadu_pd(multiplier));
    const __m256d whole = _mm256_round_pd(product, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
    const __m256d fraction = _mm256_sub_pd(product, whole);
    const __m256d one = _mm256_set1_pd(1);
    const __m256d limit = _mm256_set1_pd(1 << 30);
    const __m256d up = _mm256_cmp_pd(fraction, _mm256_set1_pd(0.5), _CMP_GE_OQ);
    const __m256d down = _mm256_cmp_pd(fraction, _mm256_set1_pd(-0.5), _CMP_LE_OQ);
    __m256d rounded = _mm256_add_pd(whole, _mm256_and_pd(up, one));
    rounded = _mm256_sub_pd(rounded, _mm256_and_pd(down, one));
    rounded = _mm256_max_pd(_mm256_min_pd(rounded, limit), _mm256_sub_pd(_mm256_setzero_pd(), limit));
    return _mm256_cvtpd_epi32(rounded);
  }
  static Vector MultiplyRounded(Vector acc, const double* multiplier) {
    const __m128i low = RoundProduct(_mm256_castsi256_si128(acc), multiplier);
    const __m128i high = RoundProduct(_mm256_extracti128_si256(acc, 1), multiplier + 4);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
  }

  static void StoreBytes(uint8_t* to, Vector value, int64_t count) {
    const __m256i low_bytes = _mm256_set1_epi32(0x0C080400);
    const __m256i quads = _mm256_shuffle_epi8(value, low_bytes);
    const __m128i bytes =
        _mm_unpacklo_epi32(_mm256_castsi256_si128(quads), _mm256_extracti128_si256(quads, 1));
    auto all = static_cast<uint64_t>(_mm_cvtsi128_si64(bytes));
    if (count == kLanes) {
      __builtin_memcpy(to, &all, 8);
      return;
    }
    for (int64_t i = 0; i < count; ++i, all >>= 8) to[i] = static_cast<uint8_t>(all);
  }

  // Zero points are off already.
  static int32_t RowTerm(const Product&, const uint8_t*) { return 0; }
};

}  // namespace
}  // namespace qat::simd

#include "runtime/kernels/simd/multiply-inl.h"

namespace qat::simd {

const Instructions kAvx2Instructions = {Avx2::kLanes, true, Multiply<Avx2>};

}  // namespace qat::simd
