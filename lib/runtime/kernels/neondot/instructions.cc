// NEON with the dot products of Armv8.2 (and the rounded product that adds, which those processors have,
// too): sdot adds four products of int8 to an int32 lane. Rows of uint8 become int8 where they are read.
#include "runtime/kernels/simd/instructions.h"

#include <arm_neon.h>

#include "runtime/kernels/simd/vectors_neon-inl.h"

namespace qat::simd {
namespace {

struct NeonDot : VectorsNeon {
  static constexpr int kTapsOf3x3 = 3;  // of a depthwise filter
  // Four bytes of a row; an instruction multiplies all lanes by them.
  struct Step {
    int8x8_t bytes;
  };

  // What turns bytes of a row into int8.
  static Vector RowFlip(const OutputStage& stage) { return FillBytes(stage.flip ^ 0x80); }
  static Step Broadcast(const uint8_t* from, Vector flip) {
    float word;  // loaded into a vector register
    __builtin_memcpy(&word, from, sizeof(word));
    const int32x2_t bytes = vreinterpret_s32_f32(vset_lane_f32(word, vdup_n_f32(0), 0));
    return {vreinterpret_s8_s32(veor_s32(bytes, vget_low_s32(flip)))};
  }
  static Vector Dot(Vector acc, Step x, Vector w) {
    return vdotq_lane_s32(acc, vreinterpretq_s8_s32(w), x.bytes, 0);
  }
  static Vector Dot(Vector acc, Vector x, Vector w) {
    return vdotq_s32(acc, vreinterpretq_s8_s32(x), vreinterpretq_s8_s32(w));
  }
  static Vector AddHighProduct(Vector c, Vector a, Vector b) { return vqrdmlahq_s32(c, a, b); }

  // Sum of the bytes of a row as int8.
  static int32_t SumRow(const Product& p, const uint8_t* row) {
    const Vector ones = FillBytes(1), flip = RowFlip(p.stage);
    Vector sum = Fill(0);
    for (int64_t s = 0; s < p.segments; ++s) {
      const uint8_t* run = row + p.segment_offsets[s];
      int64_t left = p.segment_size;
      for (; left >= 16; left -= 16, run += 16) sum = Dot(sum, Xor(Load(run), flip), ones);
      if (left > 0) sum = Dot(sum, Xor(FromBytes(LoadBytes(run, left)), flip), FirstBytes(left));
    }
    return vaddvq_s32(sum);
  }
  // 1 in the first `count` bytes, else 0.
  static Vector FirstBytes(int64_t count) {
    uint8_t bytes[16] = {};
    for (int64_t i = 0; i < count; ++i) bytes[i] = 1;
    return Load(bytes);
  }

  static void InterleaveRows(const Interleave& i) {
    const uint8x16_t flip = vdupq_n_u8(i.flip ^ 0x80);
    for (int64_t at = 0; at < i.size; at += 16) {
      uint8x16x4_t rows;
#pragma GCC unroll 4
      for (int row = 0; row < 4; ++row)
        rows.val[row] = veorq_u8(LoadBytes(i.rows[row] + at, i.size - at), flip);
      vst4q_u8(i.output + at * 4, rows);
    }
  }
};

// Rows that are int8 already: nothing is left to flip.
struct NeonDotOfSigned : NeonDot {
  static Step Broadcast(const uint8_t* from, Vector) { return NeonDot::Broadcast(from, Fill(0)); }
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
namespace {

void MultiplyBytes(const Product& p) {
  return p.stage.flip == 0 ? Multiply<NeonDot>(p) : Multiply<NeonDotOfSigned>(p);
}

}  // namespace

const Instructions kNeonDotInstructions = {
    .lanes = NeonDot::kLanes,
    .widens = false,
    .signed_rows = true,
    .multiply = MultiplyBytes,
    .narrow_lanes = NeonDot::kLanes,
    .narrow_multiply = MultiplyBytes,
    .widen = nullptr,
    .interleave = NeonDot::InterleaveRows,
    .depthwise = Depthwise<NeonDot>,
    .add = AddPairs<NeonDot>,
    .subtract = SubtractPairs<NeonDot>,
    .multiply_pairs = MultiplyPairs<NeonDot>,
    .sum_rows = SumRows<NeonDot>,
    .max_pool = MaxPool<NeonDot>,
    .lookup = Lookup<NeonDot>,
    .wide = {Float4::kLanes, Float4::kBlocks, MultiplyFloats<Float4>, DepthwiseFloatRow<Float4>,
             DepthwiseFloats<Float4>},
    .narrow = {Float4::kLanes, Float4::kBlocks, MultiplyFloats<Float4>, DepthwiseFloatRow<Float4>,
               DepthwiseFloats<Float4>},
};

}  // namespace qat::simd
