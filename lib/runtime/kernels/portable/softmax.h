// softmax.h: the fixed-point softmax out of tables: a difference of bytes has 256 values.
#ifndef QAT_RUNTIME_KERNELS_PORTABLE_SOFTMAX_H_
#define QAT_RUNTIME_KERNELS_PORTABLE_SOFTMAX_H_

#include <array>
#include <cstdint>

#include "runtime/kernels/reference/softmax.h"

namespace qat::portable {

class QuantizedSoftmax {
 public:
  explicit QuantizedSoftmax(const SoftmaxScaling& scaling);
  /// Equal byte for byte to reference::Softmax.
  template <class T>
  void Run(int64_t rows, int64_t depth, const T* input, T* output) const;

 private:
  // By largest - input.
  std::array<int32_t, 256> exps_;
  std::array<int32_t, 256> terms_;
};

}  // namespace qat::portable

#endif  // QAT_RUNTIME_KERNELS_PORTABLE_SOFTMAX_H_
