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

  [[gnu::always_inline]] static __m128i LoadRow(const uint8_t* from, int64_t count, Vector flip) {
    __m128i bytes;
    if (count >= 16) {
      bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    } else {
      uint8_t part[16] = {};
      __builtin_memcpy(part, from, static_cast<size_t>(count));
      bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(part));
    }
    return _mm_xor_si128(bytes, _mm256_castsi256_si128(flip));
  }
  static void InterleaveRows(const Interleave& i) {
    const Vector flip = FillBytes(i.flip);
    const Vector zero_point = _mm256_set1_epi16(static_cast<int16_t>(i.zero_point));
    for (int64_t at = 0; at < i.size; at += 16) {
      const __m128i a = LoadRow(i.rows[0] + at, i.size - at, flip);
      const __m128i b = LoadRow(i.rows[1] + at, i.size - at, flip);
      const Vector low = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b));
      const Vector high = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b));
      Store(i.output + at * 4, _mm256_sub_epi16(low, zero_point));
      Store(i.output + at * 4 + 32, _mm256_sub_epi16(high, zero_point));
    }
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
