// vectors256-inl.h: registers of 256 bits, for every instruction set that has AVX2. Included by a source of
// such a set, behind <immintrin.h>: everything here has internal linkage and includes nothing.

namespace qat::simd {
namespace {

// Eight int32 or 32 bytes in a register; what does not depend on how bytes are multiplied.
struct Vectors256 {
  using Vector = __m256i;
  static constexpr int64_t kLanes = 8;
  static constexpr int kRows = 6;
  static constexpr int kBlocks = 2;

  static Vector Load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
  static Vector Fill(int32_t value) { return _mm256_set1_epi32(value); }
  static Vector FillBytes(int32_t value) { return _mm256_set1_epi8(static_cast<char>(value)); }
  static Vector RowFlip(const OutputStage& stage) { return FillBytes(stage.flip); }
  static Vector Add(Vector a, Vector b) { return _mm256_add_epi32(a, b); }
  static Vector Subtract(Vector a, Vector b) { return _mm256_sub_epi32(a, b); }
  static Vector And(Vector a, Vector b) { return _mm256_and_si256(a, b); }
  static Vector Xor(Vector a, Vector b) { return _mm256_xor_si256(a, b); }
  static Vector ShiftLeft(Vector a, Vector count) { return _mm256_sllv_epi32(a, count); }
  static Vector ShiftRight(Vector a, Vector count) { return _mm256_srav_epi32(a, count); }
  static Vector ShiftRightLogical(Vector a, Vector count) { return _mm256_srlv_epi32(a, count); }
  static Vector Clamp(Vector a, Vector low, Vector high) {
    return _mm256_min_epi32(_mm256_max_epi32(a, low), high);
  }
  static Vector Max(Vector a, Vector b) { return _mm256_max_epi32(a, b); }
  static Vector ClampBytes(Vector a, Vector low, Vector high) {
    return _mm256_min_epu8(_mm256_max_epu8(a, low), high);
  }
  static Vector AddIfGreater(Vector a, Vector x, Vector limit) {
    return _mm256_sub_epi32(a, _mm256_cmpgt_epi32(x, limit));
  }

  static Vector Multiply(Vector a, Vector b) { return _mm256_mullo_epi32(a, b); }
  // kLanes unsigned bytes, one per lane.
  static Vector Widen(const uint8_t* from, Vector flip) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
    return _mm256_cvtepu8_epi32(_mm_xor_si128(bytes, _mm256_castsi256_si128(flip)));
  }
  [[gnu::always_inline]] static void Store(void* to, Vector a) {
    _mm256_storeu_si256(static_cast<__m256i*>(to), a);
  }
  // Byte i of the result is byte x[i] of `table` where x[i] < 16, else 0.
  static Vector LookUp16(const uint8_t* table, Vector x) {
    const __m128i row = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(row), _mm256_adds_epu8(x, FillBytes(0x70)));
  }
  static Vector MaxBytes(Vector a, Vector b) { return _mm256_max_epu8(a, b); }
  static Vector SubtractBytes(Vector a, Vector b) { return _mm256_sub_epi8(a, b); }
  static Vector Or(Vector a, Vector b) { return _mm256_or_si256(a, b); }
  static Vector FillFromLane(Vector a, Vector lane) { return _mm256_permutevar8x32_epi32(a, lane); }
  static int32_t SumOfLanes(Vector a) {
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    sum = _mm_add_epi32(sum, _mm_unpackhi_epi64(sum, sum));
    return _mm_cvtsi128_si32(sum) + _mm_extract_epi32(sum, 1);
  }
  // Each odd lane in the place of the even one before it.
  static Vector OddLanes(Vector a) { return _mm256_castps_si256(_mm256_movehdup_ps(_mm256_castsi256_ps(a))); }

  // floor((a * b + 2^31) / 2^32).
  static Vector RoundedHigh(Vector a, Vector b, Vector odd_b) {
    const Vector half = _mm256_set1_epi64x(int64_t{1} << 31);
    const Vector even = _mm256_add_epi64(_mm256_mul_epi32(a, b), half);
    const Vector odd = _mm256_add_epi64(_mm256_mul_epi32(OddLanes(a), odd_b), half);
    return _mm256_blend_epi32(OddLanes(even), odd, 0xAA);
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
  [[gnu::always_inline]] static __m128i RoundProduct(__m128i acc, const double* multiplier) {
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
  [[gnu::always_inline]] static Vector MultiplyRounded(Vector acc, const double* multiplier) {
    const __m128i low = RoundProduct(_mm256_castsi256_si128(acc), multiplier);
    const __m128i high = RoundProduct(_mm256_extracti128_si256(acc, 1), multiplier + 4);
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
  }

  // 32 bytes out of four vectors, saturated to [0, 255].
  static Vector PackBytes(Vector a, Vector b, Vector c, Vector d) {
    const Vector apart = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
    return _mm256_permutevar8x32_epi32(apart, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }

  // a * scale + plus in float, to the nearest integer.
  static Vector MultiplyAddReal(Vector a, Vector scale, Vector plus) {
    return _mm256_cvtps_epi32(
        _mm256_fmadd_ps(_mm256_cvtepi32_ps(a), _mm256_castsi256_ps(scale), _mm256_castsi256_ps(plus)));
  }
  static Vector SelectBySign(Vector a, Vector if_negative, Vector otherwise) {
    return _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(otherwise),
                                                _mm256_castsi256_ps(if_negative), _mm256_castsi256_ps(a)));
  }
  // The upper halves of the lanes of a and b, side by side; and the lower ones.
  static Vector HighWords(Vector a, Vector b) {
    return _mm256_blend_epi16(_mm256_srli_epi32(a, 16), b, 0xAA);
  }
  static Vector LowWords(Vector a, Vector b) { return _mm256_blend_epi16(a, _mm256_slli_epi32(b, 16), 0xAA); }
  static Vector MinWords(Vector a, Vector b) { return _mm256_min_epu16(a, b); }
  static bool AnyWordUpTo(Vector a, int32_t limit) {
    const Vector capped = _mm256_min_epu16(a, _mm256_set1_epi16(static_cast<int16_t>(limit)));
    return _mm256_movemask_epi8(_mm256_cmpeq_epi16(capped, a)) != 0;
  }
  // 32 bytes out of what HighWords makes of two vectors each, saturated to [0, 255].
  [[gnu::always_inline]] static Vector PackWords(Vector ab, Vector cd) {
    const Vector mixed = _mm256_packus_epi16(ab, cd);
    const Vector order =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15));
    return _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(mixed, order),
                                       _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }

  // False where a lane is in doubt.
  [[gnu::always_inline]] static bool RoundSum(const RealSum& real, Vector a, Vector b, Vector& rounded) {
    const __m256 with_b =
        _mm256_fmadd_ps(_mm256_cvtepi32_ps(b), _mm256_set1_ps(real.scale_b), _mm256_set1_ps(real.constant));
    const __m256 sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(a), _mm256_set1_ps(real.scale_a), with_b);
    const __m256 nearest = _mm256_round_ps(sum, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    rounded = _mm256_cvtps_epi32(nearest);
    const __m256 apart = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_sub_ps(sum, nearest));
    return _mm256_movemask_ps(_mm256_cmp_ps(apart, _mm256_set1_ps(real.sure), _CMP_GT_OQ)) == 0;
  }

  static Vector UpperHalf(Vector a) { return _mm256_permute2x128_si256(a, a, 0x11); }

  [[gnu::always_inline]] static void StorePart(uint8_t* to, __m128i bytes, int64_t count) {
    auto all = static_cast<uint64_t>(_mm_cvtsi128_si64(bytes));
    if (count == kLanes) {
      __builtin_memcpy(to, &all, 8);
      return;
    }
    if ((count & 4) != 0) {
      __builtin_memcpy(to, &all, 4);
      to += 4;
      all >>= 32;
    }
    if ((count & 2) != 0) {
      __builtin_memcpy(to, &all, 2);
      to += 2;
      all >>= 16;
    }
    if ((count & 1) != 0) *to = static_cast<uint8_t>(all);
  }
  [[gnu::always_inline]] static void StoreBytes(uint8_t* to, Vector bytes, int64_t count) {
    if (count == 32) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bytes);
    __m128i low = _mm256_castsi256_si128(bytes);
    if (count >= 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), low);
      if (count == 16) return;
      low = _mm256_extracti128_si256(bytes, 1);
      to += 16;
      count -= 16;
    }
    if (count >= 8) {
      StorePart(to, low, 8);
      low = _mm_unpackhi_epi64(low, low);
      to += 8;
      count -= 8;
    }
    StorePart(to, low, count);
  }
  // `count` of each 8 bytes, `step` apart.
  [[gnu::always_inline]] static void StoreRows(uint8_t* to, int64_t step, Vector bytes, int64_t count) {
    if (step == kLanes) return StoreBytes(to, bytes, 3 * kLanes + count);
    StoreAt({to, to + step, to + 2 * step, to + 3 * step}, bytes, count);
  }
  [[gnu::always_inline]] static void StoreAt(uint8_t* const (&to)[4], Vector bytes, int64_t count) {
    const __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
    StorePart(to[0], low, count);
    StorePart(to[1], _mm_unpackhi_epi64(low, low), count);
    StorePart(to[2], high, count);
    StorePart(to[3], _mm_unpackhi_epi64(high, high), count);
  }
};

// The number of bytes in the narrowest register, which max pools use at the ends of rows.
struct SixteenBytes {
  using Vector = __m128i;
  static constexpr int64_t kBytes = 16;
  static Vector Load(const uint8_t* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }
  static Vector Fill(uint8_t value) { return _mm_set1_epi8(static_cast<char>(value)); }
  static Vector Max(Vector a, Vector b) { return _mm_max_epu8(a, b); }
  static Vector Min(Vector a, Vector b) { return _mm_min_epu8(a, b); }
  static Vector Flip(Vector a, uint8_t flip) { return _mm_xor_si128(a, Fill(flip)); }
  [[gnu::always_inline]] static void Store(uint8_t* to, Vector a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), a);
  }
};

// Eight floats in a register of 256 bits.
template <int kRowsOfTile>
struct Float8 {
  using Vector = __m256;
  using Half = Float8;
  static constexpr int64_t kLanes = 8;
  static constexpr int kRows = kRowsOfTile;
  static constexpr int kBlocks = 2;

  static Vector Load(const float* from) { return _mm256_loadu_ps(from); }
  static Vector Fill(float value) { return _mm256_set1_ps(value); }
  // Kept in a register: the compiler would otherwise reload it for each use.
  static void Keep(Vector& a) { asm("" : "+v"(a)); }
  static Vector Add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static Vector Min(Vector a, Vector b) { return _mm256_min_ps(a, b); }
  static Vector Max(Vector a, Vector b) { return _mm256_max_ps(a, b); }
  [[gnu::always_inline]] static Vector LoadPart(const float* from, int64_t count) {
    float part[kLanes] = {};
    __builtin_memcpy(part, from, static_cast<uint64_t>(count) * 4);
    return Load(part);
  }
  [[gnu::always_inline]] static void Store(float* to, Vector a, int64_t count) {
    if (count == kLanes) return _mm256_storeu_ps(to, a);
    __m128 low = _mm256_castps256_ps128(a);
    if (count >= 4) {
      _mm_storeu_ps(to, low);
      low = _mm256_extractf128_ps(a, 1);
      to += 4;
      count -= 4;
    }
    if (count >= 2) {
      _mm_storel_pi(reinterpret_cast<__m64*>(to), low);
      low = _mm_movehl_ps(low, low);
      to += 2;
      count -= 2;
    }
    if (count > 0) _mm_store_ss(to, low);
  }
};

}  // namespace
}  // namespace qat::simd
