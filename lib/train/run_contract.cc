#include "train/run_contract.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include "base/join_some.h"
#include "base/strings.h"
#include "contract/fit.h"
#include "data/degenerate.h"
#include "ir/output_source.h"
#include "quant/few_steps.h"
#include "quant/params.h"

namespace qat {
namespace {

// One number for each channel.
Expected<std::vector<float>> PerChannel(std::string_view key, const std::vector<double>& numbers,
                                        int32_t channels) {
  if (numbers.size() == 1)
    return std::vector<float>(static_cast<size_t>(channels), static_cast<float>(numbers[0]));
  if (numbers.size() == static_cast<size_t>(channels))
    return std::vector<float>(numbers.begin(), numbers.end());
  return InvalidArgument(StrCat(key, " has ", numbers.size(), " numbers, expected 1, or one for each of the ",
                                channels, " channels"));
}

// A channel of one value, as alpha often is, has a deviation of 0.
Status CheckNoneIsConstant(const ChannelStatistics& measured, const std::string& data) {
  const auto constant = std::find(measured.std.begin(), measured.std.end(), 0.0);
  if (constant == measured.std.end()) return {};
  const auto channel = static_cast<size_t>(constant - measured.std.begin());
  return InvalidArgument(
      StrCat("channel ", channel, " of the images of ", data, " is ", measured.mean[channel],
             " everywhere, so std \"dataset\" is 0 for it; leave the channel out, or give std as "
             "numbers"));
}

// The union over channels of what training sees, normalized, with 0 in it; some range where all is 0.
Range NormalizedRange(const InputContract& input, const ChannelStatistics& measured) {
  Range range = {0, 0};
  for (size_t c = 0; c < measured.low.size(); ++c) {
    const auto normalized = [&](double value) {
      return (static_cast<float>(value) - input.mean[c]) * (1 / input.std[c]);
    };
    range.min = std::min(range.min, normalized(measured.low[c]));
    range.max = std::max(range.max, normalized(measured.high[c]));
  }
  return range.min == range.max ? Range{-1, 1} : range;
}

// How many means and deviations serve targets that are the places of a map or a series: one of each channel,
// since layers with shared weights give no place its own; 0: each target has its own.
size_t ChannelsOf(const Graph& network, size_t index, int32_t targets) {
  constexpr int32_t kMostTargets = 1024;  // more are the places of a map, whatever shape they have
  const Shape& shape = network.tensor(network.outputs[index]).shape;
  const bool has_places =
      shape.size() > 2 && shape.back() > 0 && targets > shape.back() && targets % shape.back() == 0;
  if (has_places) return static_cast<size_t>(shape.back());
  return targets > kMostTargets ? 1 : 0;
}

OutputContract OutputOf(const TrainConfig& config, const OutputLabels& train, int64_t examples,
                        const Graph& network, size_t index) {
  OutputContract output;
  output.task = train.task;
  output.labels = train.class_names;
  output.name = train.output.empty() ? train.label_column : train.output;
  if (!train.output.empty()) output.columns = train.label_column;
  if (train.ignored) output.ignored = static_cast<int32_t>(*train.ignored);
  if (train.task == Task::kReconstruction) {
    output.normal = NormalClassOf(train);
    return output;
  }
  if (train.task != Task::kNumbers || !config.scale_to_targets || !GivesAnyNumber(network, index))
    return output;
  std::vector<int32_t> all(static_cast<size_t>(examples));
  std::iota(all.begin(), all.end(), 0);
  const TargetStatistics measured = MeasureTargets(train, all, ChannelsOf(network, index, train.targets));
  output.mean.assign(measured.mean.begin(), measured.mean.end());
  output.std.assign(measured.std.begin(), measured.std.end());
  return output;
}

// A reconstruction has the units of the input.
void SayReconstruction(Contract& contract) {
  if (contract.outputs.empty() || contract.outputs.front().task != Task::kReconstruction) return;
  contract.outputs.front().labels.clear();
  contract.outputs.front().mean = contract.input().mean;
  contract.outputs.front().std = contract.input().std;
}

// What Validate takes of a contract, said of the data: which numbers, and what can be done. Numbers that the
// user gives are left to it.
Status CheckUnits(const ExampleInput& data, const ChannelStatistics& chosen, bool own_mean, bool own_std) {
  constexpr float kMost = kLargestOfContract, kLeast = 1 / kMost;
  for (size_t c = 0; c < chosen.std.size() && own_std; ++c) {
    if (chosen.std[c] >= kLeast && chosen.std[c] <= kMost) continue;
    return Corrupt(StrCat(NameOfChannel(data, c), " has the deviation ", static_cast<float>(chosen.std[c]),
                          ", expected one from ", kLeast, " to ", kMost, "; ",
                          chosen.std[c] < kLeast ? "multiply" : "divide",
                          " the numbers by a constant before they become float32"));
  }
  for (size_t c = 0; c < chosen.mean.size() && own_mean; ++c) {
    if (std::abs(chosen.mean[c]) <= kMost) continue;
    return Corrupt(StrCat(NameOfChannel(data, c), " has the mean ", static_cast<float>(chosen.mean[c]),
                          ", expected one from ", -kMost, " to ", kMost,
                          "; subtract a constant from the numbers before they become float32"));
  }
  return {};
}

Expected<InputContract> MakeRealInput(const TrainConfig& config, const Dataset& train, size_t index) {
  const ExampleInput& data = train.inputs[index];
  ChannelStatistics chosen = {config.mean.Of(data.name), config.std.Of(data.name)};
  // As an imported network may have it.
  const bool per_value =
      chosen.mean.size() == static_cast<size_t>(data.ValueCount()) && chosen.std.size() == chosen.mean.size();
  QAT_ASSIGN_OR_RETURN(const ChannelStatistics measured,
                       per_value ? MeasureValues(train, index) : MeasureChannels(train, index));
  const bool own_mean = chosen.mean.empty(), own_std = chosen.std.empty();
  if (own_mean) chosen.mean = measured.mean;
  if (own_std) {
    chosen.std = measured.std;
    // A channel of one value becomes 0 by its mean.
    std::replace(chosen.std.begin(), chosen.std.end(), 0.0, 1.0);
  }
  QAT_RETURN_IF_ERROR_IN(train.name, CheckUnits(data, chosen, own_mean, own_std));
  InputContract input{data.height, data.width, data.channels, {}, {}, ValueType::kReal, data.shape};
  const auto numbers = static_cast<int32_t>(measured.mean.size());
  QAT_ASSIGN_OR_RETURN(input.mean, PerChannel("mean", chosen.mean, numbers));
  QAT_ASSIGN_OR_RETURN(input.std, PerChannel("std", chosen.std, numbers));
  const Range range = NormalizedRange(input, measured);
  input.low = range.min;
  input.high = range.max;
  input.white = train.white;
  return input;
}

Expected<InputContract> MakeByteInput(const TrainConfig& config, const Dataset& train, size_t index) {
  const ExampleInput& data = train.inputs[index];
  ChannelStatistics statistics = {config.mean.Of(data.name), config.std.Of(data.name)};
  if (statistics.mean.empty() || statistics.std.empty()) {
    QAT_ASSIGN_OR_RETURN(const ChannelStatistics measured, MeasureChannels(train, index));
    if (statistics.mean.empty()) statistics.mean = measured.mean;
    if (statistics.std.empty()) {
      QAT_RETURN_IF_ERROR(CheckNoneIsConstant(measured, train.name));
      statistics.std = measured.std;
    }
  }
  InputContract input{data.height, data.width, data.channels, {}, {}, ValueType::kByte, data.shape};
  QAT_ASSIGN_OR_RETURN(input.mean, PerChannel("mean", statistics.mean, data.channels));
  QAT_ASSIGN_OR_RETURN(input.std, PerChannel("std", statistics.std, data.channels));
  return input;
}

// Numbers for an input that is not there are a slip.
Status CheckNames(const char* key, const ChannelNumbers& numbers, const Dataset& train) {
  for (const auto& [name, values] : numbers.of) {
    std::vector<std::string> known;
    for (const ExampleInput& input : train.inputs) known.push_back(input.name);
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return InvalidArgument(
        StrCat("`", key, "`: names the input '", name, "', expected ",
               train.inputs.size() == 1 ? std::string("no name: the network has one input") : Join(known)));
  }
  return {};
}

}  // namespace

Expected<Contract> MakeContract(const TrainConfig& config, const Dataset& train, const Graph& network) {
  QAT_RETURN_IF_ERROR(CheckNames("mean", config.mean, train));
  QAT_RETURN_IF_ERROR(CheckNames("std", config.std, train));
  Contract contract;
  contract.inputs.clear();
  for (size_t i = 0; i < train.inputs.size(); ++i) {
    const bool reals = train.inputs[i].values == ValueType::kReal;
    QAT_ASSIGN_OR_RETURN(InputContract input,
                         reals ? MakeRealInput(config, train, i) : MakeByteInput(config, train, i));
    if (train.inputs.size() > 1) input.name = train.inputs[i].name;
    input.features = train.inputs[i].features;
    if (train.of_pictures) input.fit = FitFromName(config.fit).value_or(Fit::kCrop);
    QAT_RETURN_IF_ERROR_IN(train.name, Validate(input));
    contract.inputs.push_back(std::move(input));
  }
  // Of one picture of bytes and its class nothing else is said.
  const bool plain = train.output_count() == 1 && train.task == Task::kClasses && !train.ignored;
  if (plain && train.inputs.size() == 1 && train.input().values == ValueType::kByte)
    return Contract(std::move(contract.inputs[0]), train.class_names);
  for (size_t i = 0; i < train.output_count(); ++i)
    contract.outputs.push_back(OutputOf(config, train.output_labels(i), train.size(), network, i));
  SayReconstruction(contract);
  return contract;
}

namespace {

constexpr double kSteps = 255;

// Of all channels together, normalized.
double StepOf(const InputContract& input) {
  return (std::max(double{input.high}, 0.0) - std::min(double{input.low}, 0.0)) / kSteps;
}

bool IsCoarse(const InputContract& input, const ChannelStatistics& measured, size_t channel) {
  const double extent = (measured.high[channel] - measured.low[channel]) / input.std[channel];
  return extent > 0 && extent < kFewSteps * StepOf(input);
}

}  // namespace

std::string CoarseChannels(const InputContract& input, const ChannelStatistics& measured,
                           const ExampleInput& data) {
  if (input.mean.size() != measured.low.size()) return "";
  std::vector<std::string> coarse;
  for (size_t c = 0; c < measured.low.size(); ++c) {
    if (IsCoarse(input, measured, c)) coarse.push_back(NameOfChannel(data, c));
  }
  if (coarse.empty()) return "";
  return StrCat(JoinSome(coarse, 4), coarse.size() == 1 ? " spans" : " span", " fewer than ", kFewSteps,
                " steps of ", kSteps, ", since all channels share one scale, which reaches from ",
                NumberText(input.low), " to ", NumberText(input.high),
                "; `mean` dataset and `std` dataset give each its own unit");
}

std::string CrowdedChannels(const InputContract& input, const ChannelStatistics& measured,
                            const ChannelSample& sample, const ExampleInput& data) {
  const double step = StepOf(input);
  if (input.mean.size() != sample.channels() || !(step > 0)) return "";
  std::vector<std::string> crowded;
  for (size_t c = 0; c < sample.channels(); ++c) {
    const bool few = StepsOfMost(sample.Of(c), step * input.std[c], input.mean[c]) < kFewSteps;
    if (few && !IsCoarse(input, measured, c)) crowded.push_back(NameOfChannel(data, c));
  }
  if (crowded.empty()) return "";
  return StrCat(
      JoinSome(crowded, 4), ": nine of ten values lie within fewer than ", kFewSteps, " steps of ", kSteps,
      ", since single ones reach from ", NumberText(input.low), " to ", NumberText(input.high),
      " deviations; leave out what is no measurement, give the network the logarithms of a long tail, or "
      "train with `scheme` float32 and give the first layers 16-bit activations when it is converted");
}

}  // namespace qat
