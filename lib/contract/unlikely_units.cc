#include "contract/unlikely_units.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/strings.h"

namespace qat {
namespace {

constexpr double kLargestByte = 255;

std::string Times255(std::span<const float> numbers) {
  std::vector<std::string> texts;
  for (const float number : numbers)
    texts.push_back(NumberText(std::round(double{number} * kLargestByte * 1000) / 1000));
  return Join(texts, ",");
}

}  // namespace

std::string UnlikelyUnits(std::span<const float> mean, std::span<const float> std) {
  const auto below_1 = [](float each) { return each < 1; };
  if (std.empty() || !std::all_of(std.begin(), std.end(), below_1)) return "";
  return StrCat(
      "`std` is below 1, but real = (byte - mean) / std of bytes from 0 to 255: numbers for values from 0 to "
      "1 become mean ",
      Times255(mean), " and std ", Times255(std));
}

std::string UnlikelyUnits(const Contract& contract) {
  for (const InputContract& input : contract.inputs) {
    if (input.values != ValueType::kByte || input.inside) continue;
    const std::string text = UnlikelyUnits(input.mean, input.std);
    if (!text.empty()) return text;
  }
  return "";
}

}  // namespace qat
