#include "train/constant_input.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>

#include "train/fake_quantize.h"
#include "train/modules/nhwc.h"

namespace qat {

ConstantInput::ConstantInput(const GraphTensor& tensor, size_t rank, const Precision& activations) {
  QAT_CHECK(tensor.type == DType::kFloat32 && tensor.is_constant() && tensor.shape.size() <= rank);
  std::vector<int64_t> sizes(rank - tensor.shape.size(), 1);
  sizes.insert(sizes.end(), tensor.shape.begin(), tensor.shape.end());
  const at::Tensor rows = at::empty(sizes, at::kFloat);
  std::memcpy(rows.data_ptr<float>(), tensor.data.data(), tensor.data.size());
  real_ = functional::FromNhwc(rows).contiguous();
  RangeObserver seen;
  seen.Fix(IncludingZero(MeasureRange(real_).range));
  quantizer_ = std::make_unique<RangeQuantizer>(tensor.name, activations, Observed::kNothing, seen);
}

at::Tensor ConstantInput::Repeated(const at::Tensor& values, int64_t count) const {
  if (values.dim() == 0 || values.size(0) != 1) return values;
  std::vector<int64_t> sizes = values.sizes().vec();
  sizes[0] = count;
  return values.expand(sizes);
}

at::Tensor ConstantInput::Real(int64_t count, const ForwardContext& context) const {
  return Repeated(quantizer_->Forward(real_, context), count);
}

SimulatedTensor ConstantInput::Simulated(int64_t count) const {
  const QuantizationParams params = quantizer_->ParamsOf(real_)[0];
  const QuantizedLimits limits = LimitsOf(quantizer_->precision());
  at::Tensor quantized = at::empty(real_.sizes(), at::kDouble);
  const float* from = real_.data_ptr<float>();
  double* to = quantized.data_ptr<double>();
  for (int64_t i = 0; i < real_.numel(); ++i) to[i] = QuantizeFakeQuant(from[i], params, limits);
  return {Repeated(quantized, count), params};
}

}  // namespace qat
