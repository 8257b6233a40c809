#include "contract/contract.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/packed.h"
#include "base/strings.h"
#include "contract_generated.h"

namespace qat {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

template <class T>
Offset<flatbuffers::Vector<T>> WriteList(FlatBufferBuilder& builder, const std::vector<T>& values) {
  return values.empty() ? 0 : builder.CreateVector(values);
}

Offset<flatbuffers::String> WriteText(FlatBufferBuilder& builder, const std::string& text) {
  return text.empty() ? 0 : builder.CreateString(text);
}

Offset<fb::Input> WriteInput(FlatBufferBuilder& builder, const InputContract& input) {
  const auto name = WriteText(builder, input.name);
  const auto shape = WriteList(builder, input.shape);
  const auto mean = WriteList(builder, input.mean), std_values = WriteList(builder, input.std);
  const auto unit = WriteText(builder, input.unit);
  const auto features = WriteText(builder, Join(input.features, "\n"));
  return fb::CreateInput(builder, name, shape, input.height, input.width, input.channels,
                         static_cast<fb::ValueType>(input.values), mean, std_values, input.low, input.high,
                         unit, static_cast<fb::Fit>(input.fit), input.inside, input.channels_first,
                         input.white, features);
}

Offset<fb::Output> WriteOutput(FlatBufferBuilder& builder, const OutputContract& output) {
  const auto name = WriteText(builder, output.name);
  const auto labels = output.labels.empty() ? 0 : builder.CreateVectorOfStrings(output.labels);
  const auto mean = WriteList(builder, output.mean), std_values = WriteList(builder, output.std);
  const auto columns = WriteText(builder, output.columns), normal = WriteText(builder, output.normal);
  return fb::CreateOutput(builder, name, static_cast<fb::OutputTask>(output.task), labels, mean, std_values,
                          output.ignored, columns, output.channels_first, normal);
}

// Whether version 1 says all of it.
bool IsOnePicture(const Contract& contract) {
  const InputContract& input = contract.input();
  return contract ==
         Contract(input.height, input.width, input.channels, input.mean, input.std, contract.labels());
}

template <class T>
std::vector<T> ListOf(const flatbuffers::Vector<T>* values) {
  return values == nullptr ? std::vector<T>() : std::vector<T>(values->begin(), values->end());
}

std::string TextOf(const flatbuffers::String* text) { return text == nullptr ? std::string() : text->str(); }

std::vector<std::string> TextsOf(const flatbuffers::Vector<Offset<flatbuffers::String>>* texts) {
  std::vector<std::string> list;
  if (texts == nullptr) return list;
  for (const auto* text : *texts) list.push_back(text->str());
  return list;
}

// The number of a value that this version knows.
template <class Enum, class Stored>
Expected<Enum> KnownValue(Stored stored, Stored last, const char* what) {
  if (stored >= 0 && stored <= last) return static_cast<Enum>(stored);
  return Corrupt(StrCat("input contract: ", what, " is number ", static_cast<int>(stored), ", expected 0 to ",
                        static_cast<int>(last), ": written by a newer version?"));
}

Expected<InputContract> ReadInput(const fb::Input& table) {
  InputContract input;
  input.height = table.height();
  input.width = table.width();
  input.channels = table.channels();
  input.mean = ListOf(table.mean());
  input.std = ListOf(table.std());
  QAT_ASSIGN_OR_RETURN(input.values,
                       KnownValue<ValueType>(table.values(), fb::ValueType_MAX, "the type of its values"));
  input.shape = ListOf(table.shape());
  input.low = table.low();
  input.high = table.high();
  input.name = TextOf(table.name());
  input.unit = TextOf(table.unit());
  QAT_ASSIGN_OR_RETURN(input.fit, KnownValue<Fit>(table.fit(), fb::Fit_MAX, "how pictures come to fit"));
  input.inside = table.inside();
  input.channels_first = table.channels_first();
  input.white = table.white();
  if (table.features() != nullptr) input.features = SplitText(table.features()->str(), '\n');
  return input;
}

Expected<OutputContract> ReadOutput(const fb::Output& table) {
  OutputContract output;
  QAT_ASSIGN_OR_RETURN(output.task,
                       KnownValue<Task>(table.task(), fb::OutputTask_MAX, "the task of an output"));
  output.labels = TextsOf(table.labels());
  output.mean = ListOf(table.mean());
  output.std = ListOf(table.std());
  output.name = TextOf(table.name());
  output.ignored = table.ignored();
  output.columns = TextOf(table.columns());
  output.channels_first = table.channels_first();
  output.normal = TextOf(table.normal());
  return output;
}

Status CheckOutput(const OutputContract& output) {
  if (output.mean.size() != output.std.size()) {
    return Corrupt(StrCat("input contract: ", output.mean.size(), " means and ", output.std.size(),
                          " stds of an output, expected as many"));
  }
  for (size_t i = 0; i < output.mean.size(); ++i) {
    if (std::isfinite(output.mean[i]) && std::isfinite(output.std[i]) && output.std[i] > 0) continue;
    return Corrupt(StrCat("input contract: mean[", i, "] and std[", i, "] of an output are ", output.mean[i],
                          " and ", output.std[i], ", expected finite numbers, the std above 0"));
  }
  return {};
}

// "300", "[300, 0.5]"; long lists shortened.
std::string SomeOf(const std::vector<float>& numbers) {
  constexpr size_t kShown = 4;
  if (numbers.size() == 1) return StrCat(numbers[0]);
  std::vector<std::string> texts;
  for (const float number : std::span(numbers).first(std::min(numbers.size(), kShown)))
    texts.push_back(StrCat(number));
  return StrCat("[", Join(texts), numbers.size() > kShown ? ", …]" : "]");
}

// ", 10 labels, task yes-no", ", target = 300 + 2 * output".
std::string Describe(const OutputContract& output, bool with_task) {
  std::string text;
  const bool numbers = IsOfNumbers(output.task);
  if (!output.labels.empty()) text += StrCat(", ", output.labels.size(), numbers ? " numbers" : " labels");
  if (with_task && output.task != Task::kUnknown && output.task != Task::kClasses)
    text += StrCat(", task ", NameOf(output.task));
  if (!output.mean.empty())
    text += StrCat(", target = ", SomeOf(output.mean), " + ", SomeOf(output.std), " * output");
  if (output.channels_first) text += ", given with the channels first";
  if (!output.normal.empty()) text += StrCat(", class '", output.normal, "' is normal");
  if (output.ignored != kIgnoredLabel) text += StrCat(", label ", output.ignored, " is ignored");
  return text;
}

// Without how the model gives it, and how it is judged.
std::vector<OutputContract> OutputMeaningOf(Contract contract) {
  for (OutputContract& output : contract.outputs) {
    output.channels_first = false;
    output.normal.clear();
  }
  contract.set_labels(std::vector<std::string>(contract.labels()));
  return contract.outputs;
}

}  // namespace

Contract::Contract(int32_t height, int32_t width, int32_t channels, std::vector<float> mean,
                   std::vector<float> std, std::vector<std::string> labels)
    : Contract(InputContract{height, width, channels, std::move(mean), std::move(std)}, std::move(labels)) {}

Contract::Contract(InputContract input, std::vector<std::string> labels) : inputs{std::move(input)} {
  set_labels(std::move(labels));
}

const std::vector<std::string>& Contract::labels() const {
  static const std::vector<std::string> kNone;
  return outputs.empty() ? kNone : outputs.front().labels;
}

int64_t Contract::ExampleSize() const {
  int64_t size = 0;
  for (const InputContract& input : inputs) size += input.ImageSize();
  return size;
}

void Contract::set_labels(std::vector<std::string> labels) {
  if (outputs.empty()) outputs.emplace_back();
  outputs.front().labels = std::move(labels);
  if (outputs.size() == 1 && outputs.front() == OutputContract()) outputs.clear();
}

Status Validate(const Contract& contract) {
  if (contract.inputs.empty()) return Corrupt("input contract: has no input, expected at least one");
  for (const InputContract& input : contract.inputs) QAT_RETURN_IF_ERROR(Validate(input));
  for (const OutputContract& output : contract.outputs) QAT_RETURN_IF_ERROR(CheckOutput(output));
  return {};
}

void RestoreTargets(const OutputContract& contract, std::span<float> outputs) {
  const size_t n = contract.mean.size();
  for (size_t i = 0; n > 0 && i < outputs.size(); ++i)
    outputs[i] = static_cast<float>(contract.mean[i % n] + double{contract.std[i % n]} * outputs[i]);
}

void NormalizeTargets(const OutputContract& contract, std::span<float> targets) {
  const size_t n = contract.mean.size();
  for (size_t i = 0; n > 0 && i < targets.size(); ++i)
    targets[i] = static_cast<float>((double{targets[i]} - contract.mean[i % n]) / contract.std[i % n]);
}

bool SameMeaning(const Contract& a, const Contract& b) {
  const auto same = [](const InputContract& one, const InputContract& other) {
    return SameMeaning(one, other);
  };
  return std::equal(a.inputs.begin(), a.inputs.end(), b.inputs.begin(), b.inputs.end(), same) &&
         OutputMeaningOf(a) == OutputMeaningOf(b);
}

std::span<const uint8_t> InputOf(const Contract& contract, size_t index, std::span<const uint8_t> examples,
                                 std::vector<uint8_t>& copy) {
  std::vector<int64_t> sizes;
  for (const InputContract& input : contract.inputs) sizes.push_back(input.ImageSize());
  return PartOf(examples, sizes, index, copy);
}

std::string Describe(const Contract& contract) {
  std::string text;
  for (const InputContract& input : contract.inputs) {
    if (!text.empty()) text += "; ";
    if (contract.inputs.size() > 1) text += StrCat("'", input.name, "' ");
    text += Describe(input);
  }
  const bool several = contract.outputs.size() > 1;
  for (const OutputContract& output : contract.outputs) {
    if (several) text += StrCat("; output '", output.name, "', task ", NameOf(output.task));
    text += Describe(output, !several);
  }
  return text;
}

std::vector<uint8_t> Serialize(const Contract& contract) {
  FlatBufferBuilder builder;
  if (IsOnePicture(contract)) {
    const InputContract& input = contract.input();
    const auto mean = builder.CreateVector(input.mean);
    const auto std_values = builder.CreateVector(input.std);
    const auto labels = builder.CreateVectorOfStrings(contract.labels());
    builder.Finish(fb::CreateInputContract(builder, input.height, input.width, input.channels, mean,
                                           std_values, labels));
  } else {
    std::vector<Offset<fb::Input>> inputs;
    for (const InputContract& input : contract.inputs) inputs.push_back(WriteInput(builder, input));
    std::vector<Offset<fb::Output>> outputs;
    for (const OutputContract& output : contract.outputs) outputs.push_back(WriteOutput(builder, output));
    const auto in = builder.CreateVector(inputs);
    const auto out = builder.CreateVector(outputs);
    builder.Finish(fb::CreateInputContract(builder, 0, 0, 0, 0, 0, 0, in, out));
  }
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

Expected<Contract> ParseContract(std::span<const uint8_t> bytes) {
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  if (!verifier.VerifyBuffer<fb::InputContract>(nullptr)) return Corrupt("input contract: damaged table");
  const auto* table = flatbuffers::GetRoot<fb::InputContract>(bytes.data());
  Contract contract(table->height(), table->width(), table->channels(), ListOf(table->mean()),
                    ListOf(table->std()), TextsOf(table->labels()));
  if (table->inputs() != nullptr) {
    contract = Contract();
    contract.inputs.clear();
    for (const fb::Input* input : *table->inputs()) {
      QAT_ASSIGN_OR_RETURN(InputContract read, ReadInput(*input));
      contract.inputs.push_back(std::move(read));
    }
    if (table->outputs() != nullptr) {
      for (const fb::Output* output : *table->outputs()) {
        QAT_ASSIGN_OR_RETURN(OutputContract read, ReadOutput(*output));
        contract.outputs.push_back(std::move(read));
      }
    }
  }
  QAT_RETURN_IF_ERROR(Validate(contract));
  return contract;
}

}  // namespace qat
