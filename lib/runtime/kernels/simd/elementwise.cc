#include "runtime/kernels/simd/elementwise.h"

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
  return op;
}

std::optional<PairOperator> PairOperator::Product(const Instructions& instructions, bool is_signed,
                                                  const reference::QuantizedProduct& product) {
  return PairOperator(instructions, instructions.multiply_pairs, is_signed, product, {}, {},
                      product.multiplier, 255 * 255);
}

void PairOperator::Run(const uint8_t* a, const uint8_t* b, int64_t size, uint8_t* output) const {
  function_(
      {a, b, size, zero_point_a_, zero_point_b_, stage_a_.View(), stage_b_.View(), stage_.View(), output});
}

}  // namespace qat::simd
