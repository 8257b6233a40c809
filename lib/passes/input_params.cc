#include <algorithm>
#include <cmath>
#include <set>

#include "base/strings.h"
#include "passes/passes.h"

namespace qat {
namespace {

bool SameParams(QuantizationParams a, QuantizationParams b) {
  return a.zero_point == b.zero_point && std::abs(a.scale - b.scale) <= 1e-5f * b.scale;
}

std::string ParamsText(QuantizationParams params) {
  return StrCat("scale ", params.scale, ", zero point ", params.zero_point);
}

}  // namespace

std::string DescribeInputContradiction(const InputContract& contract, QuantizationParams given) {
  const QuantizationParams own = InputParams(contract, Scheme::kUInt8);
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
