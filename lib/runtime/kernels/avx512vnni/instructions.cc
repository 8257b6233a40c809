// AVX-512 with VNNI: vpdpbusd adds four products of uint8 by int8 to an int32 lane, without saturation.
#include "runtime/kernels/simd/instructions.h"

#include <immintrin.h>

#include "runtime/kernels/simd/vectors256-inl.h"
#include "runtime/kernels/simd/vnni256-inl.h"

namespace qat::simd {
namespace {

struct Avx512Vnni {
  using Vector = __m512i;
  static constexpr int64_t kLanes = 16;
  static constexpr int kRows = 6;
  static constexpr int kBlocks = 4;
  static constexpr int kTapsOf3x3 = 3;          // of a depthwise filter
  static constexpr bool kSharesColumns = true;  // there are registers for what multiply-inl.h does then

  static Vector Load(const void* from) { return _mm512_loadu_si512(from); }
  static Vector Fill(int32_t value) { return _mm512_set1_epi32(value); }
  static Vector FillBytes(int32_t value) { return _mm512_set1_epi8(static_cast<char>(value)); }
  static Vector RowFlip(const OutputStage& stage) { return FillBytes(stage.flip); }
  // The bytes as unsigned ones.
  static Vector Broadcast(const uint8_t* from, Vector flip) {
    int32_t value;
    __builtin_memcpy(&value, from, sizeof(value));
    return _mm512_xor_si512(_mm512_set1_epi32(value), flip);
  }
  static Vector Add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
  static Vector Subtract(Vector a, Vector b) { return _mm512_sub_epi32(a, b); }
  static Vector And(Vector a, Vector b) { return _mm512_and_si512(a, b); }
  static Vector Xor(Vector a, Vector b) { return _mm512_xor_si512(a, b); }
  static Vector ShiftLeft(Vector a, Vector count) { return _mm512_sllv_epi32(a, count); }
  static Vector ShiftRight(Vector a, Vector count) { return _mm512_srav_epi32(a, count); }
  static Vector ShiftRightLogical(Vector a, Vector count) { return _mm512_srlv_epi32(a, count); }
  static Vector Dot(Vector acc, Vector x, Vector w) { return _mm512_dpbusd_epi32(acc, x, w); }
  static Vector Clamp(Vector a, Vector low, Vector high) {
    return _mm512_min_epi32(_mm512_max_epi32(a, low), high);
  }
  static Vector Max(Vector a, Vector b) { return _mm512_max_epi32(a, b); }
  static Vector ClampBytes(Vector a, Vector low, Vector high) {
    return _mm512_min_epu8(_mm512_max_epu8(a, low), high);
  }
  static Vector AddIfGreater(Vector a, Vector x, Vector limit) {
    return _mm512_mask_add_epi32(a, _mm512_cmpgt_epi32_mask(x, limit), a, _mm512_set1_epi32(1));
  }
  static Vector Multiply(Vector a, Vector b) { return _mm512_mullo_epi32(a, b); }
  // False where a lane is in doubt.
  [[gnu::always_inline]] static bool RoundSum(const RealSum& real, Vector a, Vector b, Vector& rounded) {
    const __m512 with_b =
        _mm512_fmadd_ps(_mm512_cvtepi32_ps(b), _mm512_set1_ps(real.scale_b), _mm512_set1_ps(real.constant));
    const __m512 sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(a), _mm512_set1_ps(real.scale_a), with_b);
    const __m512 nearest = _mm512_roundscale_ps(sum, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    rounded = _mm512_cvtps_epi32(nearest);
    const __m512 apart = _mm512_abs_ps(_mm512_sub_ps(sum, nearest));
    return _mm512_cmp_ps_mask(apart, _mm512_set1_ps(real.sure), _CMP_GT_OQ) == 0;
  }
  // kLanes unsigned bytes, one per lane.
  static Vector Widen(const uint8_t* from, Vector flip) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return _mm512_cvtepu8_epi32(_mm_xor_si128(bytes, _mm512_castsi512_si128(flip)));
  }
  [[gnu::always_inline]] static void Store(void* to, Vector a) { _mm512_storeu_si512(to, a); }
  // Byte i of the result is byte x[i] of `table` where x[i] < 16, else 0.
  static Vector LookUp16(const uint8_t* table, Vector x) {
    const __m128i row = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(row), _mm512_adds_epu8(x, FillBytes(0x70)));
  }
  static Vector MaxBytes(Vector a, Vector b) { return _mm512_max_epu8(a, b); }
  static Vector SubtractBytes(Vector a, Vector b) { return _mm512_sub_epi8(a, b); }
  static Vector Or(Vector a, Vector b) { return _mm512_or_si512(a, b); }
  static Vector FillFromLane(Vector a, Vector lane) { return _mm512_permutexvar_epi32(lane, a); }
  // Each odd lane in the place of the even one before it.
  static Vector OddLanes(Vector a) { return _mm512_castps_si512(_mm512_movehdup_ps(_mm512_castsi512_ps(a))); }

  // floor((a * b + 2^31) / 2^32).
  static Vector RoundedHigh(Vector a, Vector b, Vector odd_b) {
    const Vector half = _mm512_set1_epi64(int64_t{1} << 31);
    const Vector even = _mm512_add_epi64(_mm512_mul_epi32(a, b), half);
    const Vector odd = _mm512_add_epi64(_mm512_mul_epi32(OddLanes(a), odd_b), half);
    return _mm512_castps_si512(
        _mm512_mask_movehdup_ps(_mm512_castsi512_ps(odd), 0x5555, _mm512_castsi512_ps(even)));
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
  [[gnu::always_inline]] static __m256i RoundProduct(__m256i acc, const double* multiplier) {
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
  [[gnu::always_inline]] static Vector MultiplyRounded(Vector acc, const double* multiplier) {
    const __m256i low = RoundProduct(_mm512_castsi512_si256(acc), multiplier);
    const __m256i high = RoundProduct(_mm512_extracti64x4_epi64(acc, 1), multiplier + 8);
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  }

  // Dword 4 * i + j of a vector to place i + 4 * j: what packing leaves apart within 128 bits.
  static Vector TransposeDwords(Vector a) {
    const Vector order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, a);
  }
  // 64 bytes out of four vectors, saturated to [0, 255].
  static Vector PackBytes(Vector a, Vector b, Vector c, Vector d) {
    return TransposeDwords(_mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)));
  }

  // a * scale + plus in float, to the nearest integer.
  static Vector MultiplyAddReal(Vector a, Vector scale, Vector plus) {
    return _mm512_cvtps_epi32(
        _mm512_fmadd_ps(_mm512_cvtepi32_ps(a), _mm512_castsi512_ps(scale), _mm512_castsi512_ps(plus)));
  }
  static Vector SelectBySign(Vector a, Vector if_negative, Vector otherwise) {
    return _mm512_mask_mov_epi32(otherwise, _mm512_movepi32_mask(a), if_negative);
  }
  // The upper halves of the lanes of a and b, side by side; and the lower ones.
  static Vector HighWords(Vector a, Vector b) {
    return _mm512_mask_mov_epi16(_mm512_srli_epi32(a, 16), 0xAAAAAAAA, b);
  }
  static Vector LowWords(Vector a, Vector b) {
    return _mm512_mask_mov_epi16(_mm512_slli_epi32(b, 16), 0x55555555, a);
  }
  static Vector MinWords(Vector a, Vector b) { return _mm512_min_epu16(a, b); }
  static bool AnyWordUpTo(Vector a, int32_t limit) {
    return _mm512_cmple_epu16_mask(a, _mm512_set1_epi16(static_cast<int16_t>(limit))) != 0;
  }
  // 64 bytes out of what HighWords makes of two vectors each, saturated to [0, 255].
  [[gnu::always_inline]] static Vector PackWords(Vector ab, Vector cd) {
    const __m128i order = _mm_setr_epi8(0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15);
    return TransposeDwords(_mm512_shuffle_epi8(_mm512_packus_epi16(ab, cd), _mm512_broadcast_i32x4(order)));
  }

  static Vector UpperHalf(Vector a) { return _mm512_shuffle_i64x2(a, a, 0xEE); }

  [[gnu::always_inline]] static void StorePart(uint8_t* to, __m128i bytes, int64_t count) {
    if (count == 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    } else {
      _mm_mask_storeu_epi8(to, static_cast<__mmask16>((1u << count) - 1), bytes);
    }
  }
  [[gnu::always_inline]] static void StoreBytes(uint8_t* to, Vector bytes, int64_t count) {
    if (count == 64) return _mm512_storeu_si512(to, bytes);
    if (count >= 32) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(bytes));
      if (count == 32) return;
      bytes = _mm512_shuffle_i64x2(bytes, bytes, 0xEE);
      to += 32;
      count -= 32;
    }
    if (count >= 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_castsi512_si128(bytes));
      bytes = _mm512_shuffle_i64x2(bytes, bytes, 0xFD);
      to += 16;
      count -= 16;
    }
    if (count > 0) StorePart(to, _mm512_castsi512_si128(bytes), count);
  }
  // `count` of each 16 bytes, `step` apart.
  [[gnu::always_inline]] static void StoreRows(uint8_t* to, int64_t step, Vector bytes, int64_t count) {
    if (step == kLanes) return StoreBytes(to, bytes, 3 * kLanes + count);
    StoreAt({to, to + step, to + 2 * step, to + 3 * step}, bytes, count);
  }
  [[gnu::always_inline]] static void StoreAt(uint8_t* const (&to)[4], Vector bytes, int64_t count) {
    StorePart(to[0], _mm512_castsi512_si128(bytes), count);
    StorePart(to[1], _mm512_extracti32x4_epi32(bytes, 1), count);
    StorePart(to[2], _mm512_extracti32x4_epi32(bytes, 2), count);
    StorePart(to[3], _mm512_extracti32x4_epi32(bytes, 3), count);
  }

  // Sum of the unsigned bytes of a row.
  static int32_t SumRow(const Product& p, const uint8_t* row) {
    const Vector ones = FillBytes(1), flip = FillBytes(p.stage.flip);
    Vector sum = _mm512_setzero_si512();
    for (int64_t s = 0; s < p.segments; ++s) {
      const uint8_t* run = row + p.segment_offsets[s];
      int64_t left = p.segment_size;
      for (; left >= 64; left -= 64, run += 64) sum = Dot(sum, Xor(Load(run), flip), ones);
      if (left == 0) continue;
      const __mmask64 mask = (uint64_t{1} << left) - 1;
      sum = Dot(sum, Xor(_mm512_maskz_loadu_epi8(mask, run), flip), _mm512_maskz_mov_epi8(mask, ones));
    }
    const __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1));
    return Vectors256::SumOfLanes(half);
  }

  // Dword j of each 128 bits holds the j-th quarter of the run, so that what the unpacking puts side by side
  // is in order.
  [[gnu::always_inline]] static Vector LoadRow(const uint8_t* from, int64_t count, Vector flip) {
    const Vector bytes = count >= 64 ? Load(from) : _mm512_maskz_loadu_epi8((uint64_t{1} << count) - 1, from);
    return TransposeDwords(Xor(bytes, flip));
  }
  static void InterleaveRows(const Interleave& i) {
    const Vector flip = FillBytes(i.flip);
    for (int64_t at = 0; at < i.size; at += 64) {
      const int64_t left = i.size - at;
      const Vector a = LoadRow(i.rows[0] + at, left, flip), b = LoadRow(i.rows[1] + at, left, flip);
      const Vector c = LoadRow(i.rows[2] + at, left, flip), d = LoadRow(i.rows[3] + at, left, flip);
      const Vector ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
      const Vector cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
      uint8_t* const to = i.output + at * 4;
      _mm512_storeu_si512(to, _mm512_unpacklo_epi16(ab_low, cd_low));
      _mm512_storeu_si512(to + 64, _mm512_unpackhi_epi16(ab_low, cd_low));
      _mm512_storeu_si512(to + 128, _mm512_unpacklo_epi16(ab_high, cd_high));
      _mm512_storeu_si512(to + 192, _mm512_unpackhi_epi16(ab_high, cd_high));
    }
  }
};

// Sixteen floats in a register of 512 bits.
struct Float16 {
  using Vector = __m512;
  using Half = Float8<6>;
  static constexpr int64_t kLanes = 16;
  static constexpr int kRows = 6;
  static constexpr int kBlocks = 4;

  static Vector Load(const float* from) { return _mm512_loadu_ps(from); }
  static Vector Fill(float value) { return _mm512_set1_ps(value); }
  // Kept in a register: the compiler would otherwise reload it for each use.
  static void Keep(Vector& a) { asm("" : "+v"(a)); }
  static Half::Vector Lower(Vector a) { return _mm512_castps512_ps256(a); }
  static Vector Add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static Vector Min(Vector a, Vector b) { return _mm512_min_ps(a, b); }
  static Vector Max(Vector a, Vector b) { return _mm512_max_ps(a, b); }
  [[gnu::always_inline]] static Vector LoadPart(const float* from, int64_t count) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
  }
  [[gnu::always_inline]] static void Store(float* to, Vector a, int64_t count) {
    if (count == kLanes) return _mm512_storeu_ps(to, a);
    if (count >= 8) {
      _mm256_storeu_ps(to, _mm512_castps512_ps256(a));
      a = _mm512_shuffle_f32x4(a, a, 0xEE);
      to += 8;
      count -= 8;
    }
    Float8<6>::Store(to, _mm512_castps512_ps256(a), count);
  }
};

}  // namespace
}  // namespace qat::simd

#include "runtime/kernels/simd/requantize-inl.h"

#include "runtime/kernels/simd/depthwise-inl.h"
#include "runtime/kernels/simd/elementwise-inl.h"
#include "runtime/kernels/simd/float-inl.h"
#include "runtime/kernels/simd/float_depthwise-inl.h"
#include "runtime/kernels/simd/max_pool-inl.h"
#include "runtime/kernels/simd/multiply-inl.h"

namespace qat::simd {

const Instructions kAvx512VnniInstructions = {
    .lanes = Avx512Vnni::kLanes,
    .widens = false,
    .signed_rows = false,
    .multiply = Multiply<Avx512Vnni>,
    .narrow_lanes = Vnni256::kLanes,
    .narrow_multiply = Multiply<Vnni256>,
    .widen = nullptr,
    .interleave = Avx512Vnni::InterleaveRows,
    .depthwise = Depthwise<Avx512Vnni>,
    .add = AddPairs<Avx512Vnni>,
    .subtract = SubtractPairs<Avx512Vnni>,
    .multiply_pairs = MultiplyPairs<Avx512Vnni>,
    .sum_rows = SumRows<Avx512Vnni>,
    .max_pool = MaxPool<Avx512Vnni>,
    .lookup = Lookup<Avx512Vnni>,
    .wide = {Float16::kLanes, Float16::kBlocks, MultiplyFloats<Float16>, DepthwiseFloatRow<Float16>,
             DepthwiseFloats<Float16>},
    .narrow = {Float8<6>::kLanes, Float8<6>::kBlocks, MultiplyFloats<Float8<6>>, DepthwiseFloatRow<Float8<6>>,
               DepthwiseFloats<Float8<6>>},
};

}  // namespace qat::simd
