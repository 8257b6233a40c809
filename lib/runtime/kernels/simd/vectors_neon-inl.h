// vectors_neon-inl.h: registers of 128 bits, for every instruction set that has NEON. Included by a source of
// such a set, behind <arm_neon.h>: everything here has internal linkage and includes nothing.

namespace qat::simd {
namespace {

// Four int32 or 16 bytes in a register; what does not depend on how bytes are multiplied.
struct VectorsNeon {
  using Vector = int32x4_t;
  static constexpr int64_t kLanes = 4;
  static constexpr int kRows = 5;
  static constexpr int kBlocks = 4;

  static uint8x16_t Bytes(Vector a) { return vreinterpretq_u8_s32(a); }
  static Vector FromBytes(uint8x16_t a) { return vreinterpretq_s32_u8(a); }

  static Vector Load(const void* from) { return FromBytes(vld1q_u8(static_cast<const uint8_t*>(from))); }
  [[gnu::always_inline]] static void Store(void* to, Vector a) {
    vst1q_u8(static_cast<uint8_t*>(to), Bytes(a));
  }
  static Vector Fill(int32_t value) { return vdupq_n_s32(value); }
  static Vector FillBytes(int32_t value) { return FromBytes(vdupq_n_u8(static_cast<uint8_t>(value))); }
  static Vector Add(Vector a, Vector b) { return vaddq_s32(a, b); }
  static Vector Subtract(Vector a, Vector b) { return vsubq_s32(a, b); }
  static Vector Multiply(Vector a, Vector b) { return vmulq_s32(a, b); }
  static Vector And(Vector a, Vector b) { return vandq_s32(a, b); }
  static Vector Xor(Vector a, Vector b) { return veorq_s32(a, b); }
  static Vector ShiftLeft(Vector a, Vector count) { return vshlq_s32(a, count); }
  static Vector ShiftRight(Vector a, Vector count) { return vshlq_s32(a, vnegq_s32(count)); }
  static Vector ShiftRightLogical(Vector a, Vector count) {
    return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a), vnegq_s32(count)));
  }
  static Vector Clamp(Vector a, Vector low, Vector high) { return vminq_s32(vmaxq_s32(a, low), high); }
  static Vector Max(Vector a, Vector b) { return vmaxq_s32(a, b); }
  static Vector MaxBytes(Vector a, Vector b) { return FromBytes(vmaxq_u8(Bytes(a), Bytes(b))); }
  static Vector ClampBytes(Vector a, Vector low, Vector high) {
    return FromBytes(vminq_u8(vmaxq_u8(Bytes(a), Bytes(low)), Bytes(high)));
  }
  static Vector AddIfGreater(Vector a, Vector x, Vector limit) {
    return vsubq_s32(a, vreinterpretq_s32_u32(vcgtq_s32(x, limit)));
  }
  // kLanes unsigned bytes, one per lane.
  static Vector Widen(const uint8_t* from, Vector flip) {
    uint32_t word;
    __builtin_memcpy(&word, from, sizeof(word));
    const uint8x8_t bytes = veor_u8(vreinterpret_u8_u32(vdup_n_u32(word)), vget_low_u8(Bytes(flip)));
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(bytes))));
  }
  static Vector FillFromLane(Vector a, Vector lane) {
    const uint32x4_t bytes = vdupq_n_u32(0x03020100);  // of lane 0
    const uint32x4_t chosen = vmlaq_n_u32(bytes, vreinterpretq_u32_s32(lane), 0x04040404);
    return FromBytes(vqtbl1q_u8(Bytes(a), vreinterpretq_u8_u32(chosen)));
  }

  // Byte x[i] of a table of 256: four tables of 64, each of which leaves the values of the others alone.
  static Vector LookUp256(const uint8_t* table, Vector x) {
    uint8x16_t rest = Bytes(x), found = vqtbl4q_u8(vld1q_u8_x4(table), rest);
#pragma GCC unroll 3
    for (int i = 1; i < 4; ++i) {
      rest = vsubq_u8(rest, vdupq_n_u8(64));
      found = vqtbx4q_u8(found, vld1q_u8_x4(table + 64 * i), rest);
    }
    return FromBytes(found);
  }

  // floor((a * b + 2^30) / 2^31). Requires b >= 0, so that no product saturates.
  static Vector RoundingDoublingHighMultiply(Vector a, Vector b) { return vqrdmulhq_s32(a, b); }

  // Half away from zero. |q| is held to 2^30.
  [[gnu::always_inline]] static Vector MultiplyRounded(Vector acc, const double* multiplier) {
    const float64x2_t low = vcvtq_f64_s64(vmovl_s32(vget_low_s32(acc)));
    const float64x2_t high = vcvtq_f64_s64(vmovl_high_s32(acc));
    const int64x2_t q_low = vcvtaq_s64_f64(vmulq_f64(low, vld1q_f64(multiplier)));
    const int64x2_t q_high = vcvtaq_s64_f64(vmulq_f64(high, vld1q_f64(multiplier + 2)));
    const Vector q = vqmovn_high_s64(vqmovn_s64(q_low), q_high);
    return Clamp(q, Fill(-(1 << 30)), Fill(1 << 30));
  }

  // 16 bytes out of four vectors, saturated to [0, 255].
  static Vector PackBytes(Vector a, Vector b, Vector c, Vector d) {
    const uint16x8_t ab = vqmovun_high_s32(vqmovun_s32(a), b);
    const uint16x8_t cd = vqmovun_high_s32(vqmovun_s32(c), d);
    return FromBytes(vqmovn_high_u16(vqmovn_u16(ab), cd));
  }

  // The first `count` bytes, of at most 8.
  [[gnu::always_inline]] static void StorePart(uint8_t* to, uint64_t bytes, int64_t count) {
    if (count == 8) {
      __builtin_memcpy(to, &bytes, 8);
      return;
    }
    if ((count & 4) != 0) {
      __builtin_memcpy(to, &bytes, 4);
      to += 4;
      bytes >>= 32;
    }
    if ((count & 2) != 0) {
      __builtin_memcpy(to, &bytes, 2);
      to += 2;
      bytes >>= 16;
    }
    if ((count & 1) != 0) *to = static_cast<uint8_t>(bytes);
  }
  [[gnu::always_inline]] static void StoreBytes(uint8_t* to, Vector bytes, int64_t count) {
    if (count == 16) return Store(to, bytes);
    const uint64x2_t halves = vreinterpretq_u64_s32(bytes);
    if (count < 8) return StorePart(to, vgetq_lane_u64(halves, 0), count);
    StorePart(to, vgetq_lane_u64(halves, 0), 8);
    StorePart(to + 8, vgetq_lane_u64(halves, 1), count - 8);
  }
  // `count` of each 4 bytes, `step` apart.
  [[gnu::always_inline]] static void StoreRows(uint8_t* to, int64_t step, Vector bytes, int64_t count) {
    if (step == kLanes) return StoreBytes(to, bytes, 3 * kLanes + count);
    StoreAt({to, to + step, to + 2 * step, to + 3 * step}, bytes, count);
  }
  [[gnu::always_inline]] static void StoreAt(uint8_t* const (&to)[4], Vector bytes, int64_t count) {
    const uint64x2_t halves = vreinterpretq_u64_s32(bytes);
    const uint64_t low = vgetq_lane_u64(halves, 0), high = vgetq_lane_u64(halves, 1);
    StorePart(to[0], low, count);
    StorePart(to[1], low >> 32, count);
    StorePart(to[2], high, count);
    StorePart(to[3], high >> 32, count);
  }

  // Up to a vector of bytes, followed by zeros.
  [[gnu::always_inline]] static uint8x16_t LoadBytes(const uint8_t* from, int64_t count) {
    if (count >= 16) return vld1q_u8(from);
    uint8_t part[16] = {};
    __builtin_memcpy(part, from, static_cast<uint64_t>(count));
    return vld1q_u8(part);
  }
};

// The number of bytes in the narrowest register, which max pools use at the ends of rows.
struct SixteenBytes {
  using Vector = uint8x16_t;
  static constexpr int64_t kBytes = 16;
  static Vector Load(const uint8_t* from) { return vld1q_u8(from); }
  static Vector Fill(uint8_t value) { return vdupq_n_u8(value); }
  static Vector Max(Vector a, Vector b) { return vmaxq_u8(a, b); }
  static Vector Min(Vector a, Vector b) { return vminq_u8(a, b); }
  static Vector Flip(Vector a, uint8_t flip) { return veorq_u8(a, vdupq_n_u8(flip)); }
  [[gnu::always_inline]] static void Store(uint8_t* to, Vector a) { vst1q_u8(to, a); }
};

// Four floats in a register.
struct Float4 {
  using Vector = float32x4_t;
  using Half = Float4;
  static constexpr int64_t kLanes = 4;
  static constexpr int kRows = 5;
  static constexpr int kBlocks = 4;

  static Vector Load(const float* from) { return vld1q_f32(from); }
  static Vector Fill(float value) { return vdupq_n_f32(value); }
  // Kept in a register: the compiler would otherwise reload it for each use.
  static void Keep(Vector& a) { asm("" : "+w"(a)); }
  static Vector Add(Vector a, Vector b) { return vaddq_f32(a, b); }
  static Vector MultiplyAdd(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
  static Vector Min(Vector a, Vector b) { return vminq_f32(a, b); }
  static Vector Max(Vector a, Vector b) { return vmaxq_f32(a, b); }
  [[gnu::always_inline]] static Vector LoadPart(const float* from, int64_t count) {
    float part[kLanes] = {};
    __builtin_memcpy(part, from, static_cast<uint64_t>(count) * 4);
    return Load(part);
  }
  [[gnu::always_inline]] static void Store(float* to, Vector a, int64_t count) {
    if (count == kLanes) return vst1q_f32(to, a);
    if ((count & 2) != 0) {
      vst1_f32(to, vget_low_f32(a));
      a = vcombine_f32(vget_high_f32(a), vget_high_f32(a));
      to += 2;
    }
    if ((count & 1) != 0) vst1q_lane_f32(to, a, 0);
  }
};

}  // namespace
}  // namespace qat::simd
