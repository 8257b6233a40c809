#include "contract/input_contract.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/shape.h"
#include "base/strings.h"
#include "contract_generated.h"

namespace qat {
namespace {

// Bounds of mean, std and 1 / std: far from any that means something, and with them every byte's real value, and the scale of
// a network's input, stay within float32.
constexpr float kLargestNumber = 1e15f;

std::string ListText(const std::vector<float>& values) {
  const bool same = std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
  if (same && !values.empty()) return NumberText(values[0]);
  std::vector<std::string> texts;
  for (float value : values) texts.push_back(NumberText(value));
  return StrCat("[", Join(texts), "]");
}

std::vector<float> CopyOf(const flatbuffers::Vector<float>* values) {
  return values == nullptr ? std::vector<float>() : std::vector<float>(values->begin(), values->end());
}

}  // namespace

Status Validate(const InputContract& contract) {
  if (contract.height <= 0 || contract.width <= 0 || contract.channels <= 0) {
    return Corrupt(StrCat("input contract: image size is ", contract.height, "x", contract.width, "x",
                          contract.channels, ", expected positive sizes"));
  }
  if (CheckedFlatSize({contract.height, contract.width, contract.channels}) < 0) {
    return Corrupt(StrCat("input contract: image size is ", contract.height, "x", contract.width, "x",
                          contract.channels, ", expected fewer than 2^31 values"));
  }
  const auto channels = static_cast<size_t>(contract.channels);
  if (contract.mean.size() != channels || contract.std.size() != channels) {
    return Corrupt(StrCat("input contract: ", contract.mean.size(), " means and ", contract.std.size(),
                          " stds, expected one a channel (", channels, ")"));
  }
  for (size_t c = 0; c < channels; ++c) {
    if (!(std::abs(contract.mean[c]) <= kLargestNumber)) {
      return Corrupt(StrCat("input contract: mean[", c, "] is ", contract.mean[c],
                            ", expected a finite number of at most ", kLargestNumber));
    }
    if (!(contract.std[c] >= 1 / kLargestNumber && contract.std[c] <= kLargestNumber)) {
      return Corrupt(StrCat("input contract: std[", c, "] is ", contract.std[c],
                            ", expected a positive number from ", 1 / kLargestNumber, " to ", kLargestNumber));
    }
  }
  return {};
}

std::string Describe(const InputContract& contract) {
  std::string text = StrCat(contract.height, "x", contract.width, "x", contract.channels, ", real = (byte - ",
                            ListText(contract.mean), ") / ", ListText(contract.std));
  if (!contract.labels.empty()) text += StrCat(", ", contract.labels.size(), " labels");
  return text;
}

RealTable MakeRealTable(const InputContract& contract) {
  RealTable table(contract.mean.size());
  for (size_t c = 0; c < table.size(); ++c) {
    for (int byte = 0; byte < 256; ++byte) {
      table[c][static_cast<size_t>(byte)] = (static_cast<float>(byte) - contract.mean[c]) / contract.std[c];
    }
  }
  return table;
}

void BytesToReal(const RealTable& table, std::span<const uint8_t> bytes, std::span<float> real) {
  QAT_CHECK(bytes.size() == real.size());
  const size_t channels = table.size();
  QAT_CHECK(channels > 0 && bytes.size() % channels == 0);
  for (size_t i = 0; i < bytes.size(); i += channels) {
    for (size_t c = 0; c < channels; ++c) real[i + c] = table[c][bytes[i + c]];
  }
}

std::vector<uint8_t> Serialize(const InputContract& contract) {
  flatbuffers::FlatBufferBuilder builder;
  const auto mean = builder.CreateVector(contract.mean);
  const auto std_values = builder.CreateVector(contract.std);
  const auto labels = builder.CreateVectorOfStrings(contract.labels);
  builder.Finish(fb::CreateInputContract(builder, contract.height, contract.width, contract.channels, mean,
                                         std_values, labels));
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

Expected<InputContract> ParseInputContract(std::span<const uint8_t> bytes) {
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  if (!verifier.VerifyBuffer<fb::InputContract>(nullptr)) return Corrupt("input contract: damaged table");
  const auto* table = flatbuffers::GetRoot<fb::InputContract>(bytes.data());
  InputContract contract;
  contract.height = table->height();
  contract.width = table->width();
  contract.channels = table->channels();
  contract.mean = CopyOf(table->mean());
  contract.std = CopyOf(table->std());
  if (table->labels() != nullptr) {
    for (const auto* label : *table->labels()) contract.labels.push_back(label->str());
  }
  QAT_RETURN_IF_ERROR(Validate(contract));
  return contract;
}

}  // namespace qat
