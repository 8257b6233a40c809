#include "runtime/kernels/simd/peak.h"

#include "runtime/kernels/simd/instructions.h"
#include "runtime/kernels/simd/matrix.h"

namespace qat::simd {

const Peak* PeakOf(Isa isa, DType type) {
#ifdef QAT_X86_KERNELS
  if (isa == Isa::kAvx2) return type == DType::kFloat32 ? &kAvx2Float : &kAvx2Int16;
  if (isa == Isa::kAvxVnni) {
    if (type == DType::kFloat32) return &kAvx2Float;
    return InstructionsOf(isa) == &kAvx512VlInstructions ? &kAvx512VlInt8 : &kAvxVnniInt8;
  }
  if (isa == Isa::kAvx512Vnni) return type == DType::kFloat32 ? &kAvx512VnniFloat : &kAvx512VnniInt8;
#endif
#ifdef QAT_ARM_KERNELS
  if (isa == Isa::kNeon) return type == DType::kFloat32 ? &kNeonFloat : &kNeonInt16;
  if (isa == Isa::kNeonDot) return type == DType::kFloat32 ? &kNeonFloat : &kNeonDotInt8;
#endif
  (void)isa;
  (void)type;
  return nullptr;
}

}  // namespace qat::simd
