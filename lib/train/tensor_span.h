// tensor_span.h: the values of a tensor of LibTorch's, without it.
#ifndef QAT_TRAIN_TENSOR_SPAN_H_
#define QAT_TRAIN_TENSOR_SPAN_H_

#include <ATen/core/Tensor.h>

#include <span>

namespace qat {

/// Requires  float32 without gaps; the values live as long as the tensor.
inline std::span<float> SpanOf(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

}  // namespace qat

#endif  // QAT_TRAIN_TENSOR_SPAN_H_
