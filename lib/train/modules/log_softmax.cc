// LogSoftmax over the last of TFLite's axes. Its exact form is the fixed-point algorithm of TFLite's
// reference kernels.
// Source    tflite/kernels/internal/reference/log_softmax.h and integer_ops/log_softmax.h.
#include <ATen/ops/empty_like.h>
#include <ATen/ops/log_softmax.h>

#include <algorithm>
#include <cmath>

#include "train/modules/fixed_point_functions.h"
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

// What a difference of two inputs is worth: as Q5.26, and how far from 0 that goes.
struct Differences {
  explicit Differences(double input_scale) {
    const double real = std::min(input_scale * (1 << 26), double{functional::kLargest});
    multiplier = QuantizeMultiplier(real);
    farthest = -static_cast<int32_t>(std::floor(std::ldexp(31, 26 - multiplier.shift)));
    const double back = std::ldexp(1, 31 - multiplier.shift) / multiplier.multiplier;
    to_steps = QuantizeMultiplier(back);
  }
  int32_t InQ5(int32_t difference) const { return MultiplyByQuantizedMultiplier(difference, multiplier); }

  FixedPointMultiplier multiplier;
  FixedPointMultiplier to_steps;
  int32_t farthest = 0;  // exp of less counts as nothing
};

// A row of `depth` bytes; the sum is Q12.19, its logarithm Q5.26, the output in 16ths with 0 at the largest
// byte.
void LogSoftmaxRow(const double* from, double* to, int64_t depth, const Differences& differences,
                   QuantizedLimits limits) {
  const double largest = *std::max_element(from, from + depth);
  const auto difference = [&](int64_t i) { return static_cast<int32_t>(from[i] - largest); };
  uint32_t sum = 0;
  for (int64_t i = 0; i < depth; ++i) {
    if (difference(i) < differences.farthest) continue;
    const int32_t exp = functional::ExpOfNegative(differences.InQ5(difference(i)));
    sum += static_cast<uint32_t>(RoundingDivideByPOT(exp, 12));
  }
  const int32_t log_sum = functional::LogOfAtLeastOne(static_cast<int32_t>(sum));
  // What lies farther away than int32 can tell is the smallest byte.
  const int32_t least =
      std::max(differences.farthest - 1,
               MultiplyByQuantizedMultiplier(log_sum - functional::kLargest - 1, differences.to_steps));
  for (int64_t i = 0; i < depth; ++i) {
    to[i] = limits.quant_min;
    if (difference(i) <= least) continue;
    const int32_t steps = RoundingDivideByPOT(differences.InQ5(difference(i)) - log_sum, 22);
    to[i] = std::clamp(steps + limits.quant_max, limits.quant_min, limits.quant_max);
  }
}

class LogSoftmaxModule final : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    return Finish(at::log_softmax(inputs[0], functional::AxisInNchw(-1, inputs[0].dim())), context);
  }

  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    const at::Tensor rows = functional::ToNhwc(inputs[0].values).contiguous();
    at::Tensor output = at::empty_like(rows);
    const Differences differences(inputs[0].params.scale);
    const int64_t depth = rows.size(-1);
    for (int64_t begin = 0; begin < rows.numel(); begin += depth) {
      LogSoftmaxRow(rows.data_ptr<double>() + begin, output.data_ptr<double>() + begin, depth, differences,
                    LimitsOf(activations()));
    }
    return {functional::FromNhwc(output), OutputParams()};
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeLogSoftmax(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<LogSoftmaxModule>(layer, options));
}

}  // namespace qat
