// NEON of any AArch64: products of int16. Vectors of units are split into even and odd values once, for all
// rows of a tile.
#include "runtime/kernels/simd/instructions.h"

#include <arm_neon.h>

#include "runtime/kernels/simd/vectors_neon-inl.h"

namespace qat::simd {
namespace {

struct Neon : VectorsNeon {
  // Two int16 of a row; an instruction multiplies all lanes by one of them.
  struct Step {
    int16x4_t values;
  };

  static Vector RowFlip(const OutputStage&) { return Fill(0); }
  static Step Broadcast(const uint8_t* from, Vector) {
    float word;  // loaded into a vector register
    __builtin_memcpy(&word, from, sizeof(word));
    return {vreinterpret_s16_f32(vset_lane_f32(word, vdup_n_f32(0), 0))};
  }
  static Vector Dot(Vector acc, Step x, Vector w) {
    const int16x8_t pairs = vreinterpretq_s16_s32(w);
    acc = vmlal_lane_s16(acc, vget_low_s16(vuzp1q_s16(pairs, pairs)), x.values, 0);
    return vmlal_lane_s16(acc, vget_low_s16(vuzp2q_s16(pairs, pairs)), x.values, 1);
  }
  static Vector Dot(Vector acc, Vector x, Vector w) {
    const int16x8_t a = vreinterpretq_s16_s32(x), b = vreinterpretq_s16_s32(w);
    const int32x4_t low = vmull_s16(vget_low_s16(a), vget_low_s16(b)), high = vmull_high_s16(a, b);
    return vaddq_s32(acc, vpaddq_s32(low, high));
  }
  static Vector AddHighProduct(Vector c, Vector a, Vector b) { return vaddq_s32(c, vqrdmulhq_s32(a, b)); }

  // Zero points are off: no row has a term.
  static int32_t SumRow(const Product&, const uint8_t*) { return 0; }

  static int16x8_t LoadRow(const uint8_t* from, int64_t count, uint8x8_t flip, int16x8_t zero_point) {
    const uint8x8_t bytes = count >= 8 ? vld1_u8(from) : vget_low_u8(LoadBytes(from, count));
    return vsubq_s16(vreinterpretq_s16_u16(vmovl_u8(veor_u8(bytes, flip))), zero_point);
  }
  static void InterleaveRows(const Interleave& i) {
    const uint8x8_t flip = vdup_n_u8(i.flip);
    const int16x8_t zero_point = vdupq_n_s16(static_cast<int16_t>(i.zero_point));
    for (int64_t at = 0; at < i.size; at += 8) {
      const int16x8_t a = LoadRow(i.rows[0] + at, i.size - at, flip, zero_point);
      const int16x8_t b = LoadRow(i.rows[1] + at, i.size - at, flip, zero_point);
      vst2q_s16(reinterpret_cast<int16_t*>(i.output + at * 4), {a, b});
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

const Instructions kNeonInstructions = {
    .lanes = Neon::kLanes,
    .widens = true,
    .signed_rows = false,
    .multiply = Multiply<Neon>,
    .narrow_lanes = Neon::kLanes,
    .narrow_multiply = Multiply<Neon>,
    .widen = nullptr,
    .interleave = Neon::InterleaveRows,
    .depthwise = Depthwise<Neon>,
    .add = AddPairs<Neon>,
    .subtract = SubtractPairs<Neon>,
    .multiply_pairs = MultiplyPairs<Neon>,
    .sum_rows = SumRows<Neon>,
    .max_pool = MaxPool<Neon>,
    .lookup = Lookup<Neon>,
    .wide = {Float4::kLanes, Float4::kBlocks, MultiplyFloats<Float4>, DepthwiseFloatRow<Float4>,
             DepthwiseFloats<Float4>},
    .narrow = {Float4::kLanes, Float4::kBlocks, MultiplyFloats<Float4>, DepthwiseFloatRow<Float4>,
               DepthwiseFloats<Float4>},
};

}  // namespace qat::simd
