// peak.h: the best that the processor can do: loops of independent accumulators with nothing but
// multiply-accumulates.
#ifndef QAT_RUNTIME_KERNELS_SIMD_PEAK_H_
#define QAT_RUNTIME_KERNELS_SIMD_PEAK_H_

#include <cstdint>

#include "base/dtype.h"
#include "runtime/kernels/isa.h"

namespace qat::simd {

struct Peak {
  int64_t macs_a_step;  ///< multiply-accumulates of one step of the loop
  void (*run)(int64_t steps);
};

extern const Peak kAvx2Int16;        // vpmaddwd and vpaddd: 16 products per vector
extern const Peak kAvx2Float;        // vfmadd: 8 products per vector
extern const Peak kAvxVnniInt8;      // vpdpbusd on 256 bits: 32 products per vector
extern const Peak kAvx512VlInt8;     // the same in the other encoding
extern const Peak kAvx512VnniInt8;   // vpdpbusd: 64 products per vector
extern const Peak kAvx512VnniFloat;  // vfmadd: 16 products per vector
extern const Peak kNeonInt16;        // smlal: 4 products per vector
extern const Peak kNeonFloat;        // fmla: 4 products per vector
extern const Peak kNeonDotInt8;      // sdot: 16 products per vector

/// The loop for products of float32, or of 8-bit integers for any other type. Null: the set has no vectors.
const Peak* PeakOf(Isa isa, DType type);

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_PEAK_H_
