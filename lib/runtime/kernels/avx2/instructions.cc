// AVX2: vpmaddwd adds two products of int16. (vpmaddubsw, on bytes, saturates.)
#include "runtime/kernels/simd/instructions.h"

#include <immintrin.h>

#include "runtime/kernels/simd/vectors256-inl.h"

namespace qat::simd {
namespace {

struct Avx2 : Vectors256 {
  // Two int16, which are what they stand for.
  static Vector Broadcast(const uint8_t* from, Vector) {
    int32_t value;
    __builtin_memcpy(&value, from, sizeof(value));
    return _mm256_set1_epi32(value);
  }
  static Vector Dot(Vector acc, Vector x, Vector w) { return _mm256_add_epi32(acc, _mm256_madd_epi16(x, w)); }

  // Zero points are off: no row has a term.
  static int32_t SumRow(const Product&, const uint8_t*) { return 0; }

  // Sixteen bytes as int16, unsigned or signed.
  template <bool kSigned>
  static Vector Widened(__m128i bytes) {
    return kSigned ? _mm256_cvtepi8_epi16(bytes) : _mm256_cvtepu8_epi16(bytes);
  }
  [[gnu::always_inline]] static __m128i LoadRow(const uint8_t* from, int64_t count) {
    if (count >= 16) return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    uint8_t part[16] = {};
    __builtin_memcpy(part, from, static_cast<size_t>(count));
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(part));
  }
  template <bool kSigned>
  [[gnu::always_inline]] static void InterleavePart(const Interleave& i, int64_t at, int64_t count,
                                                    Vector zero_point) {
    const __m128i a = LoadRow(i.rows[0] + at, count), b = LoadRow(i.rows[1] + at, count);
    const Vector low = Widened<kSigned>(_mm_unpacklo_epi8(a, b));
    const Vector high = Widened<kSigned>(_mm_unpackhi_epi8(a, b));
    Store(i.output + at * 4, _mm256_sub_epi16(low, zero_point));
    Store(i.output + at * 4 + 32, _mm256_sub_epi16(high, zero_point));
  }
  template <bool kSigned>
  static void InterleaveAs(const Interleave& interleave) {
    const Interleave i = interleave;  // which no store can reach
    // Of the bytes as they are.
    const Vector zero_point = _mm256_set1_epi16(static_cast<int16_t>(i.zero_point - i.flip));
    int64_t at = 0;
    for (; at + 16 <= i.size; at += 16) InterleavePart<kSigned>(i, at, 16, zero_point);
    if (at < i.size) InterleavePart<kSigned>(i, at, i.size - at, zero_point);
  }
  static void InterleaveRows(const Interleave& i) {
    return i.flip == 0 ? InterleaveAs<false>(i) : InterleaveAs<true>(i);
  }

  template <bool kSigned>
  static void WidenAs(const uint8_t* from, int64_t size, int32_t zero_point, int16_t* to) {
    const Vector zero = _mm256_set1_epi16(static_cast<int16_t>(zero_point));
    int64_t i = 0;
    for (; i + 16 <= size; i += 16)
      Store(to + i, _mm256_sub_epi16(Widened<kSigned>(LoadRow(from + i, 16)), zero));
    for (; i < size; ++i) {
      const int32_t value = kSigned ? static_cast<int8_t>(from[i]) : from[i];
      to[i] = static_cast<int16_t>(value - zero_point);
    }
  }
  static void Widen16(const uint8_t* from, int64_t size, bool is_signed, int32_t zero_point, int16_t* to) {
    return is_signed ? WidenAs<true>(from, size, zero_point, to) : WidenAs<false>(from, size, zero_point, to);
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

const Instructions kAvx2Instructions = {
    .lanes = Avx2::kLanes,
    .widens = true,
    .signed_rows = false,
    .multiply = Multiply<Avx2>,
    .narrow_lanes = Avx2::kLanes,
    .narrow_multiply = Multiply<Avx2>,
    .widen = Avx2::Widen16,
    .interleave = Avx2::InterleaveRows,
    .depthwise = Depthwise<Avx2>,
    .add = AddPairs<Avx2>,
    .subtract = SubtractPairs<Avx2>,
    .multiply_pairs = MultiplyPairs<Avx2>,
    .sum_rows = SumRows<Avx2>,
    .max_pool = MaxPool<Avx2>,
    .lookup = Lookup<Avx2>,
    .wide = {Float8<5>::kLanes, Float8<5>::kBlocks, MultiplyFloats<Float8<5>>, DepthwiseFloatRow<Float8<5>>,
             DepthwiseFloats<Float8<5>>},
    .narrow = {Float8<5>::kLanes, Float8<5>::kBlocks, MultiplyFloats<Float8<5>>, DepthwiseFloatRow<Float8<5>>,
               DepthwiseFloats<Float8<5>>},
};

}  // namespace qat::simd
