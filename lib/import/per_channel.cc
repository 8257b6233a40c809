#include "import/per_channel.h"

#include <algorithm>
#include <cmath>

namespace qat {

Status ExpectNotNormalized(const InputContract& input) {
  const auto all_are = [](const std::vector<float>& values, float one) {
    return std::all_of(values.begin(), values.end(), [one](float value) { return value == one; });
  };
  // Values as they are may still be pictures of bytes.
  if (!input.inside || (all_are(input.mean, 0) && all_are(input.std, 1))) return {};
  return InvalidArgument(StrCat("`mean` and `std`: the model normalizes its input by itself (",
                                Describe(input), "), expected neither"));
}

Status TakeNormalizations(const std::vector<float>& mean, const std::vector<float>& std,
                          const std::map<std::string, std::vector<float>>& mean_of,
                          const std::map<std::string, std::vector<float>>& std_of, Contract& contract) {
  std::vector<std::string> known;
  for (InputContract& input : contract.inputs) {
    known.push_back(input.name);
    const auto take = [&](const char* what, const auto& all, const auto& by_name,
                          std::vector<float>& into) -> Status {
      const auto own = by_name.find(input.name);
      const std::vector<float>& values = own == by_name.end() ? all : own->second;
      if (values.empty()) return {};
      QAT_ASSIGN_OR_RETURN_IN(StrCat("input '", input.name, "'"), into,
                              PerChannel(what, values, input.channels));
      return {};
    };
    QAT_RETURN_IF_ERROR(take("mean", mean, mean_of, input.mean));
    QAT_RETURN_IF_ERROR(take("std", std, std_of, input.std));
  }
  for (const auto* by_name : {&mean_of, &std_of}) {
    for (const auto& [name, values] : *by_name) {
      if (std::find(known.begin(), known.end(), name) == known.end())
        return InvalidArgument(
            StrCat("`mean` and `std`: name the input '", name, "', expected one of ", Join(known)));
    }
  }
  return {};
}

void TakeMeaningOfBytes(Range range, InputContract& input) {
  const float scale = (range.max - range.min) / 255;
  std::fill(input.mean.begin(), input.mean.end(), std::round(-range.min / scale));
  std::fill(input.std.begin(), input.std.end(), 1 / scale);
}

std::string DescribeInputs(const Contract& contract) { return StrCat("its inputs: ", Describe(contract)); }

}  // namespace qat
