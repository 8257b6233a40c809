#include "contract/input_params.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace qat {
namespace {

bool AllEqual(const std::vector<float>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

}  // namespace

bool BytesPassThrough(const InputContract& contract) {
  if (contract.values == ValueType::kReal) return false;
  const float mean = contract.mean.at(0);
  return AllEqual(contract.mean) && AllEqual(contract.std) && mean >= 0 && mean <= 255 &&
         mean == std::floor(mean);
}

QuantizationParams InputParams(const InputContract& contract, Scheme scheme) {
  if (BytesPassThrough(contract)) {
    return FixedParamsOf({1.0f / contract.std[0], static_cast<int32_t>(contract.mean[0])}, scheme);
  }
  if (contract.values == ValueType::kReal)
    return FixedParamsOf(ChooseQuantizationParams(contract.low, contract.high, kUInt8Limits), scheme);
  double min = 0;
  double max = 0;
  for (size_t c = 0; c < contract.mean.size(); ++c) {
    min = std::min(min, (0.0 - contract.mean[c]) / contract.std[c]);
    max = std::max(max, (255.0 - contract.mean[c]) / contract.std[c]);
  }
  return FixedParamsOf(ChooseQuantizationParams(min, max, kUInt8Limits), scheme);
}

}  // namespace qat
