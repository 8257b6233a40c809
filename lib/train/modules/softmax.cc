// Softmax over the last of TFLite's axes, inside a network. Its exact form is the fixed-point algorithm of
// TFLite's reference kernels; Qm.n below has m integer and n fractional bits.
// Source    tflite/kernels/internal/reference/softmax.h; gemmlowp fixedpoint.h.
#include <ATen/ops/empty_like.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "train/modules/fixed_point_functions.h"
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

using functional::ExpOfNegative;
using functional::HighMul;
using functional::kLargest;
using functional::ReciprocalOfOnePlus;

// exp(-beta * scale * distance) as Q0.31 for every distance from the row's largest byte; 0 beyond what Q5.26
// holds.
std::array<int32_t, 256> ExpTable(double beta, double input_scale) {
  const double real = std::min(beta * input_scale * (1 << 26), double{kLargest});
  const FixedPointMultiplier multiplier = QuantizeMultiplier(real);
  const int shift = std::max(multiplier.shift, 0);
  const auto farthest = static_cast<int32_t>((int64_t{31} << 26) >> shift);
  std::array<int32_t, 256> table = {};
  for (int32_t distance = 0; distance < 256 && distance <= farthest; ++distance) {
    const int32_t z = MultiplyByQuantizedMultiplier(-distance, multiplier);
    table[static_cast<size_t>(distance)] = ExpOfNegative(z);
  }
  return table;
}

// One row of `depth` bytes. The sum has 19 fractional bits.
void SoftmaxRow(const double* from, double* to, int64_t depth, const std::array<int32_t, 256>& exps,
                QuantizedLimits limits) {
  const double largest = *std::max_element(from, from + depth);
  const auto exp_of = [&](int64_t i) { return exps[static_cast<size_t>(largest - from[i])]; };
  uint32_t sum = 0;
  for (int64_t i = 0; i < depth; ++i) sum += static_cast<uint32_t>(RoundingDivideByPOT(exp_of(i), 12));
  const int headroom = std::countl_zero(sum);
  const auto fraction = static_cast<int32_t>((sum << headroom) - (uint32_t{1} << 31));
  const int32_t reciprocal = ReciprocalOfOnePlus(fraction);
  const int shift = std::min(12 - headroom + 31 - 8, 31);
  for (int64_t i = 0; i < depth; ++i) {
    const int32_t steps = RoundingDivideByPOT(HighMul(reciprocal, exp_of(i)), shift);
    to[i] = std::min(steps + limits.quant_min, limits.quant_max);
  }
}

class SoftmaxModule final : public Module {
 public:
  SoftmaxModule(const LayerNode& layer, const ModuleOptions& options)
      : Module(layer, options), beta_(std::get<SoftmaxAttributes>(layer.attributes).beta) {}

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    const int64_t axis = functional::AxisInNchw(-1, inputs[0].dim());
    return Finish(at::softmax(inputs[0].mul(beta_), axis), context);
  }

  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    const at::Tensor rows = functional::ToNhwc(inputs[0].values).contiguous();
    at::Tensor output = at::empty_like(rows);
    const auto exps = ExpTable(beta_, inputs[0].params.scale);
    const int64_t depth = rows.size(-1);
    for (int64_t begin = 0; begin < rows.numel(); begin += depth) {
      SoftmaxRow(rows.data_ptr<double>() + begin, output.data_ptr<double>() + begin, depth, exps,
                 LimitsOf(activations()));
    }
    return {functional::FromNhwc(output), OutputParams()};
  }

 private:
  float beta_;
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeSoftmax(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<SoftmaxModule>(layer, options));
}

}  // namespace qat
