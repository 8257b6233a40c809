#include "runtime/kernels/simd/peak.h"

#include <arm_neon.h>

#include "runtime/kernels/simd/peak-inl.h"

namespace qat::simd {
namespace {

struct Int16Step {
  using Vector = int16x8_t;
  static constexpr int kAccumulators = 16, kMacs = 4;
  static Vector One() { return vdupq_n_s16(1); }
  static void Accumulate(Vector& acc, Vector x, Vector w) {
    asm volatile("smlal %0.4s, %1.4h, %2.4h" : "+w"(acc) : "w"(x), "w"(w));
  }
};

struct FloatStep {
  using Vector = float32x4_t;
  static constexpr int kAccumulators = 16, kMacs = 4;
  static Vector One() { return vdupq_n_f32(1); }
  static void Accumulate(Vector& acc, Vector x, Vector w) {
    asm volatile("fmla %0.4s, %1.4s, %2.4s" : "+w"(acc) : "w"(x), "w"(w));
  }
};

}  // namespace

const Peak kNeonInt16 = PeakOfStep<Int16Step>();
const Peak kNeonFloat = PeakOfStep<FloatStep>();

}  // namespace qat::simd
