// L2Normalization: the last of TFLite's axes as a vector of length 1.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/where.h>

#include <algorithm>

#include "train/modules/fixed_point_functions.h"
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class L2NormalizationModule final : public Module {
 public:
  using Module::Module;

  // No vector counts as shorter than 1e-6. Those that are have no slope: theirs would be a million, and among
  // rounded and clipped values many are 0.
  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    constexpr double kLeastSquare = 1e-12;
    const at::Tensor rows = functional::ToNhwc(inputs[0]);
    const at::Tensor squares = at::square(rows).sum(-1, /*keepdim=*/true);
    const at::Tensor defined = squares.gt(kLeastSquare);
    const at::Tensor lengths = at::sqrt(at::where(defined, squares, at::full_like(squares, kLeastSquare)));
    return Finish(functional::FromNhwc(at::where(defined, rows, rows.detach()) / lengths), context);
  }

  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    const at::Tensor rows =
        functional::ToNhwc(inputs[0].values.sub(inputs[0].params.zero_point)).contiguous();
    at::Tensor output = at::empty_like(rows);
    const int64_t depth = rows.size(-1);
    for (int64_t begin = 0; begin < rows.numel(); begin += depth)
      Normalize(rows.data_ptr<double>() + begin, output.data_ptr<double>() + begin, depth);
    return {functional::FromNhwc(output), OutputParams()};
  }

 private:
  // In 128ths: for int8 the shift holds the factor, for uint8 the value does, which rounds otherwise.
  // Source    tflite/kernels/internal/reference/{l2normalization.h, integer_ops/l2normalization.h}.
  void Normalize(const double* from, double* to, int64_t depth) const {
    const QuantizedLimits limits = LimitsOf(activations());
    const bool is_int8 = limits.quant_min < 0;
    int64_t sum = 0;
    for (int64_t i = 0; i < depth; ++i) sum += static_cast<int64_t>(from[i] * from[i]);
    FixedPointMultiplier inverse = functional::InverseRoot(static_cast<int32_t>(sum));
    if (is_int8) inverse.shift += 7;
    for (int64_t i = 0; i < depth; ++i) {
      const auto value = static_cast<int32_t>(from[i]) * (is_int8 ? 1 : 128);
      const int32_t steps = MultiplyByQuantizedMultiplier(value, inverse);
      to[i] = std::clamp(steps + OutputParams().zero_point, limits.quant_min, limits.quant_max);
    }
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeL2Normalization(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<L2NormalizationModule>(layer, options));
}

}  // namespace qat
