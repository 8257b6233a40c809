// The code of AVX-VNNI in the encoding of AVX-512 VL: for processors that have VNNI in this form only.
#include "runtime/kernels/simd/instructions.h"

#include <immintrin.h>

#include "runtime/kernels/simd/vnni256_table-inl.h"

namespace qat::simd {

const Instructions kAvx512VlInstructions = kVnni256Instructions;

}  // namespace qat::simd
