// AVX-VNNI: the dot products of VNNI in 256 bits, without AVX-512.
#include "runtime/kernels/simd/instructions.h"

#include <immintrin.h>

#include "runtime/kernels/simd/vnni256_table-inl.h"

namespace qat::simd {

const Instructions kAvxVnniInstructions = kVnni256Instructions;

}  // namespace qat::simd
