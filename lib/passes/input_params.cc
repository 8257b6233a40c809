#include <algorithm>
#include <cmath>
#include <set>

#include "base/strings.h"
#include "passes/passes.h"

namespace qat {
namespace {

bool AllEqual(const std::vector<float>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

bool SameParams(QuantizationParams a, QuantizationParams b) {
  return a.zero_point == b.zero_point && std::abs(a.scale - b.scale) <= 1e-5f * b.scale;
}

std::string ParamsText(QuantizationParams params) {
  return StrCat("scale ", params.scale, ", zero point ", params.zero_point);
}

}  // namespace

QuantizationParams InputParams(const InputContract& contract) {
  const float mean = contract.mean.at(0);
  const bool whole = mean >= 0 && mean <= 255 && mean == std::floor(mean);
  if (whole && AllEqual(contract.mean) && AllEqual(contract.std)) {
    return {1.0f / contract.std[0], static_cast<int32_t>(mean)};
  }
  double min = 0;
  double max = 0;
  for (size_t c = 0; c < contract.mean.size(); ++c) {
    min = std::min(min, (0.0 - contract.mean[c]) / contract.std[c]);
    max = std::max(max, (255.0 - contract.mean[c]) / contract.std[c]);
  }
  return ChooseQuantizationParams(min, max, kUInt8Limits);
}

std::string DescribeInputContradiction(const InputContract& contract, QuantizationParams given) {
  const QuantizationParams own = InputParams(contract);
  if (SameParams(given, own)) return "";
  const Range held = RepresentableRange(given, kUInt8Limits);
  std::set<int32_t> distinct;
  int clipped = 0;
  float min = 0;
  float max = 0;
  for (const auto& channel : MakeRealTable(contract)) {
    for (float real : channel) {
      distinct.insert(QuantizeActivation(real, given, kUInt8Limits));
      clipped += real < held.min - given.scale / 2 || real > held.max + given.scale / 2;
      min = std::min(min, real);
      max = std::max(max, real);
    }
  }
  const size_t values = 256 * contract.mean.size();
  return StrCat("the given input stats (", ParamsText(given), ") contradict the input contract (",
                Describe(contract), ": ", ParamsText(own), "): of ", values, " input values, real ", min,
                " to ", max, ", only ", distinct.size(), " remain distinct after quantization and ", clipped,
                " are cut off; a pixel of real ", max, " becomes ",
                QuantizeActivation(max, given, kUInt8Limits), " of 255");
}

}  // namespace qat
