// Softmax over the last of TFLite's axes, inside a network. Its exact form is the fixed-point algorithm of TFLite's
// reference kernels; Qm.n below has m integer and n fractional bits.
// Source    tflite/kernels/internal/reference/softmax.h; gemmlowp fixedpoint.h.
#include <ATen/ops/empty_like.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "quant/fixed_point.h"
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

constexpr int32_t kLargest = std::numeric_limits<int32_t>::max();

int32_t HighMul(int32_t a, int32_t b) { return SaturatingRoundingDoublingHighMul(a, b); }

int32_t SaturatingShiftLeft(int32_t x, int bits) {
  return static_cast<int32_t>(std::clamp<int64_t>(int64_t{x} << bits, -int64_t{kLargest} - 1, kLargest));
}

// exp(x) - 1 + 1 by a polynomial of degree 4 around -1/8. x in [-1/4, 0), Q0.31.
int32_t ExpOnLastQuarter(int32_t x) {
  constexpr int32_t kExpOfMinusEighth = 1895147668, kThird = 715827883;
  const int32_t y = x + (1 << 28);
  const int32_t y2 = HighMul(y, y);
  const int32_t y3 = HighMul(y2, y);
  const int32_t y4 = HighMul(y2, y2);
  const int32_t tail = RoundingDivideByPOT(HighMul(RoundingDivideByPOT(y4, 2) + y3, kThird) + y2, 1);
  return kExpOfMinusEighth + HighMul(kExpOfMinusEighth, y + tail);
}

// exp(z) as Q0.31 for z <= 0 as Q5.26: the part below 1/4 by the polynomial, each binary digit above it by a factor
// exp(-2^k), k = -2 … 4.
int32_t ExpOfNegative(int32_t z) {
  if (z == 0) return kLargest;
  constexpr int32_t kQuarter = 1 << 24;
  constexpr std::array<int32_t, 7> kFactors = {1672461947, 1302514674, 790015084, 290630308,
                                               39332535,   720401,     242};
  const int32_t last_quarter = (z & (kQuarter - 1)) - kQuarter;
  int32_t result = ExpOnLastQuarter(SaturatingShiftLeft(last_quarter, 5));
  const int32_t digits = last_quarter - z;
  for (size_t k = 0; k < kFactors.size(); ++k) {
    if ((digits >> (24 + k) & 1) != 0) result = HighMul(result, kFactors[k]);
  }
  return result;
}

// 1 / (1 + x) as Q0.31 for x in [0, 1), Q0.31: Newton's steps for the reciprocal of (1 + x) / 2.
int32_t ReciprocalOfOnePlus(int32_t x) {
  constexpr int32_t k48Over17 = 1515870810, kMinus32Over17 = -1010580540, kOne = 1 << 29;  // Q2.29
  const auto half = static_cast<int32_t>((int64_t{x} + kLargest + 1) / 2);
  int32_t y = k48Over17 + HighMul(half, kMinus32Over17);
  for (int step = 0; step < 3; ++step) {
    y += SaturatingShiftLeft(HighMul(y, kOne - HighMul(half, y)), 2);
  }
  return SaturatingShiftLeft(y, 1);
}

// exp(-beta * scale * distance) as Q0.31 for every distance from the row's largest byte; 0 beyond what Q5.26 holds.
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
  SoftmaxModule(const LayerSpec& layer, const ModuleOptions& options)
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
                 ActivationLimitsOf(scheme()));
    }
    return {functional::FromNhwc(output), OutputParams()};
  }

 private:
  float beta_;
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeSoftmax(const LayerSpec& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<SoftmaxModule>(layer, options));
}

}  // namespace qat
