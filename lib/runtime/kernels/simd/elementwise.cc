#include "runtime/kernels/simd/elementwise.h"

#include <cmath>

#include "base/check.h"

namespace qat::simd {
namespace {

// All lanes of one vector alike.
OutputStageTable OneForAll(const Instructions& instructions, const Requantization& requantization,
                           bool is_signed, int64_t bound) {
  const std::vector<int64_t> units(static_cast<size_t>(instructions.lanes), 0);
  return OutputStageTable(requantization, is_signed, units, {&bound, 1});
}

// Of the larger scale: both are divided by twice that.
bool IsHalf(FixedPointMultiplier m) { return m.multiplier == int32_t{1} << 30 && m.shift == 0; }

double RealOf(FixedPointMultiplier m) { return std::ldexp(m.multiplier, m.shift - 31); }

// Whether the rounding of few enough pairs is in doubt; scales in a simple ratio make half of them ties.
bool IsMostlySure(const RealSum& real) {
  constexpr int kStepA = 17, kStepB = 13;  // every so many of 256 values: 320 pairs
  constexpr int kMostDoubts = 5;           // of these; an estimate of where fixed point alone is faster
  int doubts = 0;
  for (int a = 0; a < 256; a += kStepA) {
    for (int b = 0; b < 256; b += kStepB) {
      const float sum =
          real.scale_a * static_cast<float>(a) + (real.scale_b * static_cast<float>(b) + real.constant);
      doubts += std::abs(sum - std::nearbyint(sum)) > real.sure;
    }
  }
  return doubts <= kMostDoubts;
}

// Roundings, in units of the output: either input to a whole of 2^-20, the product of their sum twice, and in
// float three of at most 2^-24 of `reach`, beside those of the constants.
RealSum RealSumOf(const reference::QuantizedSum& sum, int32_t flip) {
  const double unit = RealOf(sum.multiplier_output);
  const double one = unit * (1 << reference::QuantizedSum::kLeftShift);
  const double scale_a = RealOf(sum.multiplier_a) * one, scale_b = sum.sign * RealOf(sum.multiplier_b) * one;
  const double constant = sum.zero_point_output + flip - scale_a * (sum.zero_point_a + flip) -
                          scale_b * (sum.zero_point_b + flip);
  const double reach = std::abs(constant) + 255 * (std::abs(scale_a) + std::abs(scale_b));
  const double doubt = 1.5 * (4 * unit + std::ldexp(8 * reach, -24));
  if (!(doubt < 1.0 / 64)) return {};
  const RealSum real = {static_cast<float>(scale_a), static_cast<float>(scale_b),
                        static_cast<float>(constant), static_cast<float>(0.5 - doubt)};
  return IsMostlySure(real) ? real : RealSum{};
}

constexpr int64_t kLargestInput = int64_t{255} << reference::QuantizedSum::kLeftShift;

}  // namespace

PairOperator::PairOperator(const Instructions& instructions, Function function, bool is_signed,
                           const reference::QuantizedPair& pair, FixedPointMultiplier multiplier_a,
                           FixedPointMultiplier multiplier_b, FixedPointMultiplier multiplier, int64_t bound)
    : function_(function),
      zero_point_a_(pair.zero_point_a + (is_signed ? 0x80 : 0)),
      zero_point_b_(pair.zero_point_b + (is_signed ? 0x80 : 0)),
      stage_a_(OneForAll(instructions, {{multiplier_a}, {}, 0, 0, 0}, false, kLargestInput)),
      stage_b_(OneForAll(instructions, {{multiplier_b}, {}, 0, 0, 0}, false, kLargestInput)),
      stage_(OneForAll(instructions,
                       {{multiplier}, {}, pair.zero_point_output, pair.clamp.quant_min, pair.clamp.quant_max},
                       is_signed, bound)) {}

std::optional<PairOperator> PairOperator::Sum(const Instructions& instructions, bool is_signed,
                                              const reference::QuantizedSum& sum) {
  const Function function = sum.sign > 0 ? instructions.add : instructions.subtract;
  PairOperator op(instructions, function, is_signed, sum, sum.multiplier_a, sum.multiplier_b,
                  sum.multiplier_output, 2 * kLargestInput);
  if (op.stage_a_.View().folded_multiplier == nullptr || op.stage_b_.View().folded_multiplier == nullptr)
    return std::nullopt;
  QAT_CHECK(IsHalf(sum.multiplier_a) || IsHalf(sum.multiplier_b));
  op.real_ = RealSumOf(sum, is_signed ? 0x80 : 0);
  return op;
}

std::optional<PairOperator> PairOperator::Product(const Instructions& instructions, bool is_signed,
                                                  const reference::QuantizedProduct& product) {
  return PairOperator(instructions, instructions.multiply_pairs, is_signed, product, {}, {},
                      product.multiplier, 255 * 255);
}

void PairOperator::Run(const uint8_t* a, const uint8_t* b, int64_t size, uint8_t* output) const {
  function_({a, b, size, zero_point_a_, zero_point_b_, stage_a_.View(), stage_b_.View(), stage_.View(),
             output, real_});
}

}  // namespace qat::simd
