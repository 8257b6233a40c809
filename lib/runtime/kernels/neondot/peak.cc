#include "runtime/kernels/simd/peak.h"

#include <arm_neon.h>

#include "runtime/kernels/simd/peak-inl.h"

namespace qat::simd {
namespace {

struct Int8Step {
  using Vector = int8x16_t;
  static constexpr int kAccumulators = 16, kMacs = 16;
  static Vector One() { return vdupq_n_s8(1); }
  static void Accumulate(Vector& acc, Vector x, Vector w) {
    asm volatile("sdot %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(x), "w"(w));
  }
};

}  // namespace

const Peak kNeonDotInt8 = PeakOfStep<Int8Step>();

}  // namespace qat::simd
