// elementwise.h: sums and products of two tensors of one shape, on bytes.
#ifndef QAT_RUNTIME_KERNELS_SIMD_ELEMENTWISE_H_
#define QAT_RUNTIME_KERNELS_SIMD_ELEMENTWISE_H_

#include <optional>

#include "runtime/kernels/isa.h"
#include "runtime/kernels/reference/binary.h"
#include "runtime/kernels/simd/output_stage.h"

namespace qat::simd {

/// What Prepare keeps of one sum, difference or product of pairs.
class PairOperator {
 public:
  /// Nothing if the scales are so far apart that only the reference can run it.
  static std::optional<PairOperator> Sum(const Instructions& instructions, bool is_signed,
                                         const reference::QuantizedSum& sum);
  static std::optional<PairOperator> Product(const Instructions& instructions, bool is_signed,
                                             const reference::QuantizedProduct& product);
  /// Equal byte for byte to the reference on each pair. a and b may be the output.
  void Run(const uint8_t* a, const uint8_t* b, int64_t size, uint8_t* output) const;

 private:
  using Function = void (*)(const Pairs&);
  PairOperator(const Instructions& instructions, Function function, bool is_signed,
               const reference::QuantizedPair& pair, FixedPointMultiplier multiplier_a,
               FixedPointMultiplier multiplier_b, FixedPointMultiplier multiplier, int64_t bound);

  Function function_;
  int32_t zero_point_a_, zero_point_b_;
  OutputStageTable stage_a_, stage_b_, stage_;
  RealSum real_ = {};
};

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_ELEMENTWISE_H_
