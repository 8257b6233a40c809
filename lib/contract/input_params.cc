#include "contract/input_params.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace qat {
namespace {

bool AllEqual(const std::vector<float>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

/// What the values of all channels reach, with 0.
struct Ends {
  double min = 0;
  double max = 0;
};

Ends EndsOf(const InputContract& contract) {
  if (contract.values == ValueType::kReal) {
    const Range range = RealRangeOf(contract);
    return {range.min, range.max};
  }
  Ends ends;
  for (size_t c = 0; c < contract.mean.size(); ++c) {
    ends.min = std::min(ends.min, (0.0 - contract.mean[c]) / contract.std[c]);
    ends.max = std::max(ends.max, (255.0 - contract.mean[c]) / contract.std[c]);
  }
  return ends;
}

}  // namespace

bool BytesPassThrough(const InputContract& contract) {
  if (contract.values == ValueType::kReal) return false;
  const float mean = contract.mean.at(0);
  return AllEqual(contract.mean) && AllEqual(contract.std) && mean >= 0 && mean <= 255 &&
         mean == std::floor(mean);
}

Range RealRangeOf(const InputContract& contract) {
  return contract.low < contract.high ? Range{contract.low, contract.high} : Range{-1, 1};
}

QuantizationParams InputParams(const InputContract& contract, const Precision& activations) {
  const Ends ends = EndsOf(contract);
  // A range that was measured is nudged as that of any activation is.
  if (activations.symmetric || contract.values == ValueType::kReal) {
    const Range range = {static_cast<float>(ends.min), static_cast<float>(ends.max)};
    return NudgedParams(RangeFor(activations, range), LimitsOf(activations));
  }
  if (BytesPassThrough(contract))
    return FixedParamsOf({1.0f / contract.std[0], static_cast<int32_t>(contract.mean[0])}, activations.type);
  return FixedParamsOf(ChooseQuantizationParams(ends.min, ends.max, kUInt8Limits), activations.type);
}

QuantizationParams InputParams(const InputContract& contract, Scheme scheme) {
  return InputParams(contract, PrecisionsOf(scheme).activations);
}

}  // namespace qat
