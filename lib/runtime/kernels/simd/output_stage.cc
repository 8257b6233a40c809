#include "runtime/kernels/simd/output_stage.h"

#include <algorithm>
#include <cmath>

namespace qat::simd {
namespace {

// One entry per lane: field(what its unit has), 0 where it has no unit. One entry of `from` serves all units.
template <class To, class From, class Field>
std::vector<To> Spread(std::span<const int64_t> units, const std::vector<From>& from, Field field) {
  std::vector<To> to(units.size());
  for (size_t lane = 0; lane < units.size(); ++lane) {
    if (units[lane] >= 0) to[lane] = field(from[from.size() == 1 ? 0 : static_cast<size_t>(units[lane])]);
  }
  return to;
}

int64_t RightShift(FixedPointMultiplier m) { return std::max(-m.shift, 0); }

int64_t Rounding(FixedPointMultiplier m, int64_t offset) {
  const int64_t right = RightShift(m);
  return (int64_t{1} << right) / 2 + (offset << right);
}

constexpr double kGuessUnit = 65536;

// Output steps that one step of the accumulator makes.
double ScaleOf(FixedPointMultiplier m) {
  return std::ldexp(static_cast<double>(m.multiplier), -31 - static_cast<int>(RightShift(m)));
}

// Of an output of 0 for non-negative sums, or for negative ones.
double CenterOf(FixedPointMultiplier m, bool below) {
  const int64_t right = RightShift(m);
  const double step = std::ldexp(1.0, -static_cast<int>(right));  // of the first rounding
  return right == 0 ? 0.5 : 0.5 + step / 2 - (below ? step : 0);
}

}  // namespace

int64_t Operands::InputReach() const {
  const int64_t zero_point = unsigned_input_zero_point();
  return std::max(zero_point, 255 - zero_point);
}

OutputStage OfUnitsFrom(OutputStage stage, int64_t unit) {
  const auto move = [unit](auto*&... arrays) {
    ((arrays = arrays == nullptr ? nullptr : arrays + unit), ...);
  };
  move(stage.folded_multiplier, stage.rounding, stage.sign_shift, stage.right_shift, stage.guess_scale,
       stage.guess_center, stage.guess_center_below, stage.multiplier, stage.left_shift,
       stage.real_multiplier);
  return stage;
}

OutputStageTable::OutputStageTable(const Requantization& requantization, bool is_signed,
                                   std::span<const int64_t> units, std::span<const int64_t> bounds)
    : offset_(requantization.output_offset),
      activation_min_(requantization.activation_min),
      activation_max_(requantization.activation_max),
      flip_(is_signed ? 0x80 : 0) {
  using Fixed = FixedPointMultiplier;
  if (!requantization.real.empty()) {
    real_multiplier_ = Spread<double>(units, requantization.real, [](double real) { return real; });
    return;
  }
  const auto& fixed = requantization.fixed;
  right_shift_ = Spread<int32_t>(units, fixed, [](Fixed m) { return static_cast<int32_t>(RightShift(m)); });
  if (CanFold(requantization, bounds)) {
    folded_multiplier_ = Spread<int32_t>(units, fixed, [](Fixed m) {
      return static_cast<int32_t>(2 * int64_t{m.multiplier} - (int64_t{1} << 32));
    });
    rounding_ = Spread<int32_t>(units, fixed,
                                [&](Fixed m) { return static_cast<int32_t>(Rounding(m, offset_ + flip_)); });
    sign_shift_ = Spread<int32_t>(units, fixed, [](Fixed m) { return RightShift(m) > 0 ? 31 : 32; });
    MakeGuesses(requantization, units, bounds);
    return;
  }
  multiplier_ = Spread<int32_t>(units, fixed, [](Fixed m) { return m.multiplier; });
  left_shift_ = Spread<int32_t>(units, fixed, [](Fixed m) { return std::max(m.shift, 0); });
}

// A multiplier of 0 has no folded form.
bool OutputStageTable::CanFold(const Requantization& requantization, std::span<const int64_t> bounds) const {
  for (size_t unit = 0; unit < bounds.size(); ++unit) {
    const FixedPointMultiplier m = requantization.fixed[requantization.fixed.size() == 1 ? 0 : unit];
    if (m.shift > 0 || m.multiplier == 0) return false;
    if (bounds[unit] + Rounding(m, 255) >= int64_t{1} << 31) return false;
  }
  return true;
}

// None where y could leave int32. Lanes without a unit get a center that leaves no doubt.
void OutputStageTable::MakeGuesses(const Requantization& requantization, std::span<const int64_t> units,
                                   std::span<const int64_t> bounds) {
  using Fixed = FixedPointMultiplier;
  const auto& fixed = requantization.fixed;
  for (size_t unit = 0; unit < bounds.size(); ++unit) {
    const double scale = ScaleOf(fixed[fixed.size() == 1 ? 0 : unit]);
    if (static_cast<double>(bounds[unit]) * scale * kGuessUnit >= std::ldexp(1.0, 30)) return;
  }
  const double offset = offset_ + flip_;
  const auto centers = [&](bool below) {
    std::vector<float> spread = Spread<float>(units, fixed, [&](Fixed m) {
      return static_cast<float>((offset + CenterOf(m, below)) * kGuessUnit + OutputStage::kGuessError);
    });
    for (size_t lane = 0; lane < units.size(); ++lane) {
      if (units[lane] < 0) spread[lane] = static_cast<float>(kGuessUnit / 2);
    }
    return spread;
  };
  guess_scale_ =
      Spread<float>(units, fixed, [](Fixed m) { return static_cast<float>(ScaleOf(m) * kGuessUnit); });
  guess_center_ = centers(false);
  guess_center_below_ = centers(true);
}

void OutputStageTable::NarrowClamp(QuantizedLimits limits) {
  activation_min_ = std::clamp(activation_min_, limits.quant_min, limits.quant_max);
  activation_max_ = std::clamp(activation_max_, limits.quant_min, limits.quant_max);
}

OutputStage OutputStageTable::View() const {
  const auto data = [](const auto& values) { return values.empty() ? nullptr : values.data(); };
  OutputStage stage = {};
  stage.folded_multiplier = data(folded_multiplier_);
  stage.rounding = data(rounding_);
  stage.sign_shift = data(sign_shift_);
  stage.right_shift = data(right_shift_);
  stage.guess_scale = data(guess_scale_);
  stage.guess_center = data(guess_center_);
  stage.guess_center_below = data(guess_center_below_);
  stage.real_multiplier = data(real_multiplier_);
  stage.multiplier = data(multiplier_);
  stage.left_shift = data(left_shift_);
  stage.offset = offset_;
  stage.activation_min = activation_min_;
  stage.activation_max = activation_max_;
  stage.flip = flip_;
  stage.clamps_negative = activation_min_ >= offset_;
  return stage;
}

}  // namespace qat::simd
