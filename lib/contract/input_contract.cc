#include "contract/input_contract.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "base/check.h"
#include "base/join_some.h"
#include "base/shape.h"
#include "base/strings.h"

namespace qat {
namespace {

std::string ListText(const std::vector<float>& values) {
  constexpr size_t kShown = 8;
  const bool same = std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
  if (same && !values.empty()) return NumberText(values[0]);
  std::vector<std::string> texts;
  for (float value : values) {
    if (texts.size() == kShown) {
      texts.push_back(StrCat("… ", values.size() - kShown, " more"));
      break;
    }
    texts.push_back(NumberText(value));
  }
  return StrCat("[", Join(texts), "]");
}

std::string SizeText(const InputContract& contract) {
  return StrCat(contract.height, "x", contract.width, "x", contract.channels);
}

Status CheckSizes(const InputContract& contract) {
  if (contract.height <= 0 || contract.width <= 0 || contract.channels <= 0)
    return Corrupt(StrCat("input contract: image size is ", SizeText(contract), ", expected positive sizes"));
  if (CheckedFlatSize({contract.height, contract.width, contract.channels}) < 0) {
    return Corrupt(
        StrCat("input contract: image size is ", SizeText(contract), ", expected fewer than 2^31 values"));
  }
  const Shape& shape = contract.shape;
  if (shape.empty() || (shape.size() <= 3 && CheckedFlatSize(shape) == contract.ValueCount())) return {};
  return Corrupt(StrCat("input contract: the data's shape is ", ToString(shape),
                        ", expected up to 3 axes of together ", contract.ValueCount(), " values, as ",
                        SizeText(contract), " has"));
}

Status CheckNormalization(const InputContract& contract) {
  const auto channels = static_cast<size_t>(contract.channels);
  const size_t count = contract.mean.size();
  const bool per_value =
      contract.values == ValueType::kReal && count == static_cast<size_t>(contract.ValueCount());
  if (contract.std.size() != count || (count != channels && !per_value)) {
    return Corrupt(StrCat("input contract: ", contract.mean.size(), " means and ", contract.std.size(),
                          " stds, expected one per channel (", channels, ")"));
  }
  for (size_t c = 0; c < count; ++c) {
    if (!(std::abs(contract.mean[c]) <= kLargestOfContract)) {
      return Corrupt(StrCat("input contract: mean[", c, "] is ", contract.mean[c],
                            ", expected a finite number of at most ", kLargestOfContract));
    }
    if (!(contract.std[c] >= 1 / kLargestOfContract && contract.std[c] <= kLargestOfContract)) {
      return Corrupt(StrCat("input contract: std[", c, "] is ", contract.std[c],
                            ", expected a positive number from ", 1 / kLargestOfContract, " to ",
                            kLargestOfContract));
    }
  }
  return {};
}

// Between scales that float32 holds, with room for 1 / scale.
Status CheckRange(const InputContract& contract) {
  if (contract.values == ValueType::kByte) return {};
  const float low = contract.low, high = contract.high;
  if (low == 0 && high == 0) return {};  // nobody measured it
  const bool holds_zero =
      low <= 0 && high >= 0 && high - low <= kLargestOfContract && high - low >= 1 / kLargestOfContract;
  if (holds_zero) return {};
  return Corrupt(StrCat("input contract: the range of the input is ", low, " to ", high,
                        ", expected one that holds 0 and is from ", 1 / kLargestOfContract, " to ",
                        kLargestOfContract, " wide"));
}

Status CheckFeatures(const InputContract& contract) {
  if (contract.features.empty()) return {};
  const auto count = static_cast<int64_t>(contract.features.size());
  if (count != contract.ValueCount())
    return Corrupt(StrCat("input contract: names ", count, " features, expected ", contract.ValueCount(),
                          ", one per value"));
  std::set<std::string_view> seen;
  for (const std::string& name : contract.features) {
    if (!seen.insert(name).second)
      return Corrupt(StrCat("input contract: names the feature '", name, "' twice"));
  }
  return {};
}

}  // namespace

size_t SizeOf(ValueType values) { return values == ValueType::kByte ? 1 : sizeof(float); }

Shape InputContract::NetworkShape() const {
  if (channels_first) return {1, channels, height, width};
  return {1, height, width, channels};
}

Shape InputContract::DataShape() const {
  if (shape.empty()) return NetworkShape();
  Shape with_batch = {1};
  with_batch.insert(with_batch.end(), shape.begin(), shape.end());
  if (channels_first) std::rotate(with_batch.begin() + 1, with_batch.end() - 1, with_batch.end());
  return with_batch;
}

Status Validate(const InputContract& contract) {
  QAT_RETURN_IF_ERROR(CheckSizes(contract));
  QAT_RETURN_IF_ERROR(CheckNormalization(contract));
  if (contract.white != 0 && contract.white != kWhiteOfBytes && contract.white != kWhiteOfDeep)
    return Corrupt(StrCat("input contract: white is ", contract.white, ", expected 0, ", kWhiteOfBytes,
                          " or ", kWhiteOfDeep));
  QAT_RETURN_IF_ERROR(CheckFeatures(contract));
  return CheckRange(contract);
}

std::string Describe(const InputContract& contract) {
  const std::string_view value = contract.values == ValueType::kByte ? "byte" : "value";
  std::string text = StrCat(SizeText(contract), ", real = (", value, " - ", ListText(contract.mean), ") / ",
                            ListText(contract.std));
  if (contract.inside) text += " inside the model";
  if (contract.channels_first) text += ", taken with the channels first";
  if (contract.fit != Fit::kCrop)
    text += StrCat(", pictures ", contract.fit == Fit::kPad ? "padded" : "stretched", " to fit");
  if (contract.values == ValueType::kReal && contract.low < contract.high)
    text += StrCat(", ", NumberText(contract.low), " to ", NumberText(contract.high));
  if (contract.white != 0) text += StrCat(", white is ", contract.white);
  if (!contract.unit.empty()) text += StrCat(" (values in ", contract.unit, ")");
  constexpr size_t kShownFeatures = 6;
  if (!contract.features.empty())
    text += StrCat(", of the columns ", JoinSome(contract.features, kShownFeatures));
  return text;
}

bool SameMeaning(const InputContract& a, const InputContract& b) {
  InputContract other = b;
  other.inside = a.inside;
  other.channels_first = a.channels_first;
  other.low = a.low;
  other.high = a.high;
  if (a.features.empty() || other.features.empty()) other.features = a.features;
  return a == other;
}

RealTable MakeRealTable(const InputContract& contract) {
  if (contract.values == ValueType::kReal) return {};
  RealTable table(contract.mean.size());
  for (size_t c = 0; c < table.size(); ++c) {
    for (int byte = 0; byte < 256; ++byte) {
      table[c][static_cast<size_t>(byte)] = (static_cast<float>(byte) - contract.mean[c]) / contract.std[c];
    }
  }
  return table;
}

std::vector<float> ReciprocalStd(const InputContract& contract) {
  std::vector<float> reciprocals;
  for (const float each : contract.std) reciprocals.push_back(1.0f / each);
  return reciprocals;
}

void ToReal(const InputContract& contract, const RealTable& table, std::span<const uint8_t> examples,
            std::span<float> real) {
  QAT_CHECK(examples.size() == real.size() * SizeOf(contract.values));
  if (contract.values == ValueType::kReal && contract.inside) {
    std::memcpy(real.data(), examples.data(), examples.size());
    return;
  }
  if (contract.values == ValueType::kReal) {
    const std::vector<float> reciprocals = ReciprocalStd(contract);
    const size_t period = reciprocals.size();
    for (size_t i = 0, c = 0; i < real.size(); ++i, c = c + 1 == period ? 0 : c + 1) {
      float value;
      std::memcpy(&value, &examples[i * sizeof(float)], sizeof(float));
      real[i] = (value - contract.mean[c]) * reciprocals[c];
    }
    return;
  }
  const size_t channels = table.size();
  QAT_CHECK(channels > 0 && examples.size() % channels == 0);
  for (size_t i = 0; i < examples.size(); i += channels) {
    for (size_t c = 0; c < channels; ++c) real[i + c] = table[c][examples[i + c]];
  }
}

}  // namespace qat
