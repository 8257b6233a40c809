#include "runtime/kernels/simd/peak.h"

namespace qat::simd {

const Peak* PeakOf(Isa isa, DType type) {
#ifdef QAT_X86_KERNELS
  if (isa == Isa::kAvx2) return type == DType::kFloat32 ? &kAvx2Float : &kAvx2Int16;
  if (isa == Isa::kAvx512Vnni) return type == DType::kFloat32 ? &kAvx512VnniFloat : &kAvx512VnniInt8;
#endif
  (void)isa;
  (void)type;
  return nullptr;
}

}  // namespace qat::simd
