// What the data and a person say about the recipe, and what it then says itself.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "contract/unlikely_units.h"
#include "data/degenerate.h"
#include "data/holdout.h"
#include "data/statistics.h"
#include "ir/input_normalization.h"
#include "spec/schedule.h"
#include "train/budget.h"
#include "train/preparation.h"
#include "train/run_contract.h"
#include "train/trainer.h"

namespace qat {
namespace {

// Two significant digits below 100 ms.
std::string MillisecondsText(double seconds) {
  char text[32];
  std::snprintf(text, sizeof(text), seconds < 0.1 ? "%.2g ms" : "%.0f ms", seconds * 1e3);
  return text;
}

// "0.4 s", "58 s", "12 min".
std::string SecondsText(double seconds) {
  char text[32];
  const bool minutes = seconds >= 180;
  std::snprintf(text, sizeof(text),
                seconds < 10 ? "%.1f s"
                : minutes    ? "%.0f min"
                             : "%.0f s",
                minutes ? seconds / 60 : seconds);
  return text;
}

// "[0.12, 3.4] …": up to a few numbers.
std::string NumbersText(const std::vector<float>& numbers) {
  constexpr size_t kShown = 6;
  std::vector<std::string> texts;
  for (const float number : std::span(numbers).first(std::min(numbers.size(), kShown))) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.4g", static_cast<double>(number));
    texts.push_back(text);
  }
  if (numbers.size() == 1) return texts[0];
  return StrCat("[", Join(texts), numbers.size() > kShown ? ", …]" : "]");
}

/// What the network of a contract gets: normalized, or what is normalized in the network itself.
struct ChannelNumbersAsTaken {
  std::vector<float> mean, std;
};

ChannelNumbersAsTaken AsTaken(const InputContract& input) {
  if (input.inside) return {{0}, {1}};
  return {input.mean, input.std};
}

}  // namespace

bool Preparation::TakesOneImage() const {
  return job_.train.inputs.size() == 1 && job_.train.input().values == ValueType::kByte;
}

// By a person, for every input: those of several that were not named are as without numbers.
bool Preparation::IsDecided(const char* key, const ChannelNumbers& asked) const {
  return request_.given.contains(key) && (job_.train.inputs.size() == 1 || asked.of.empty());
}

// The text of a recipe holds either numbers for all inputs or those of each.
void Preparation::NameAllInputs(ChannelNumbers& numbers) const {
  if (job_.train.inputs.size() == 1 || numbers.of.empty()) return;
  for (const ExampleInput& input : job_.train.inputs) numbers.of.try_emplace(input.name, numbers.values);
  numbers.values.clear();
}

DataFacts Preparation::Shapes() const {
  const Dataset& data = job_.train;
  DataFacts facts;
  facts.inputs = static_cast<int32_t>(data.inputs.size());
  facts.height = data.input().height;
  facts.width = data.input().width;
  facts.channels = data.input().channels;
  facts.reals = data.input().values == ValueType::kReal;
  facts.targets = data.targets;
  facts.task = data.task;
  facts.classes = IsOfNumbers(data.task) ? 0 : data.task == Task::kYesNo ? 2 : classes_;
  if (data.task != Task::kMultiLabel) {
    facts.label_height = data.label_height;
    facts.label_width = data.label_width;
  }
  return facts;
}

Expected<DataFacts> Preparation::Facts() const {
  QAT_ASSIGN_OR_RETURN(const HoldoutSplit split,
                       SplitHoldout(job_.train, job_.config.holdout, job_.config.seed));
  DataFacts facts = Shapes();
  facts.examples = static_cast<int64_t>(split.train.size());
  facts.held_out = static_cast<int64_t>(split.holdout.size());
  QAT_ASSIGN_OR_RETURN(const ChannelStatistics measured, MeasureChannels(job_.train, 0));
  const PooledStatistics of_all = Pool(measured.mean, measured.std);
  facts.mean = of_all.mean;
  facts.std = of_all.std;
  return facts;
}

// Parameters that are taken over want to see bytes as they did. Returns what is decided then.
bool Preparation::TakesRealsOfModel() const {
  const auto is_real = [](const ExampleInput& input) { return input.values == ValueType::kReal; };
  return request_.network != nullptr && request_.init != nullptr &&
         std::any_of(job_.train.inputs.begin(), job_.train.inputs.end(), is_real);
}

std::set<std::string> Preparation::TakeContractOfInit() {
  std::set<std::string> given = request_.given;
  if (request_.init == nullptr) return given;
  const std::vector<InputContract>& inputs = request_.init->contract.inputs;
  // To a model of real numbers a byte is the number that it is.
  const auto same = [&](const InputContract& a, const ExampleInput& b) {
    return a.channels == b.channels &&
           (a.values == b.values || (request_.network != nullptr && a.values == ValueType::kReal));
  };
  if (!std::equal(inputs.begin(), inputs.end(), job_.train.inputs.begin(), job_.train.inputs.end(), same))
    return given;
  const auto take = [&](const char* key, std::vector<float> ChannelNumbersAsTaken::*numbers,
                        const ChannelNumbers& asked, ChannelNumbers& to) {
    if (IsDecided(key, asked)) return;
    to = {{}, given.insert(key).second ? std::map<std::string, std::vector<double>>() : asked.of};
    for (size_t i = 0; i < inputs.size(); ++i) {
      const std::vector<float> values = AsTaken(inputs[i]).*numbers;
      const std::vector<double> own(values.begin(), values.end());
      if (inputs.size() > 1) {
        to.of.try_emplace(job_.train.inputs[i].name, own);
        continue;
      }
      to.values = own;
      if (std::equal(own.begin() + 1, own.end(), own.begin())) to.values.resize(1);
    }
  };
  take("mean", &ChannelNumbersAsTaken::mean, request_.config.mean, job_.config.mean);
  take("std", &ChannelNumbersAsTaken::std, request_.config.std, job_.config.std);
  return given;
}

// What is only for pictures of bytes: a recipe's changes are left out with a word, a person's are refused.
Status Preparation::AdaptToReals() {
  if (TakesOneImage()) return {};
  TrainConfig& config = job_.config;
  const TrainConfig none;
  const std::string why = job_.train.inputs.size() > 1
                              ? StrCat("the network takes ", job_.train.inputs.size(), " inputs")
                              : StrCat(job_.train.name, " holds real numbers");
  const bool changes = config.shift_pixels > 0 || config.flip || config.cutout > 0 ||
                       config.rotate_degrees > 0 || config.scale_percent > 0;
  for (const char* key : {"shift_pixels", "flip", "cutout", "rotate_degrees", "scale_percent"}) {
    if (changes && request_.given.contains(key)) {
      return InvalidArgument(
          StrCat("`", key, "`: random changes are those of pictures of bytes, and ", why, ": leave it out"));
    }
  }
  if (changes) {
    job_.lines.push_back(
        StrCat("the recipe's random changes are left out: they are those of ",
               job_.train.inputs.size() > 1 ? "networks with one input" : "pictures of bytes"));
  }
  config.shift_pixels = none.shift_pixels;
  config.flip = none.flip;
  config.cutout = none.cutout;
  config.rotate_degrees = none.rotate_degrees;
  config.scale_percent = none.scale_percent;
  // A run that goes on has its own.
  if (!request_.resumed.empty()) return {};
  if (TakesRealsOfModel()) {
    // It has learned with these numbers, or with what its user made of them; some models say so.
    if (!IsDecided("mean", config.mean)) config.mean.values = {0};
    if (!IsDecided("std", config.std)) config.std.values = {1};
    TakeContractOfInit();
    const auto holds_only = [](const std::vector<double>& numbers, double number) {
      return !numbers.empty() &&
             std::all_of(numbers.begin(), numbers.end(), [=](double each) { return each == number; });
    };
    const auto is_as_measured = [&](const ExampleInput& input) {
      return holds_only(config.mean.Of(input.name), 0) && holds_only(config.std.Of(input.name), 1);
    };
    if (std::all_of(job_.train.inputs.begin(), job_.train.inputs.end(), is_as_measured))
      job_.lines.push_back("values go in as measured, as the model takes them; `mean` and `std` change that");
    for (size_t i = 0; i < job_.train.inputs.size(); ++i) TakeNormalizationOfModel(i);
    NameAllInputs(config.mean);
    NameAllInputs(config.std);
    return {};
  }
  if (job_.train.inputs.size() > 1) {
    return DecideByInput();
  }
  if (!request_.given.contains("mean")) config.mean.values.clear();
  if (!request_.given.contains("std")) config.std.values.clear();
  return {};
}

// Fake quantization in front of it would leave channels that are small beside others no steps.
void Preparation::TakeNormalizationOfModel(size_t index) {
  const ExampleInput& data = job_.train.inputs[index];
  if (data.values != ValueType::kReal) return;
  Graph graph = job_.network;
  graph.contract.inputs.resize(job_.train.inputs.size());
  InputContract& input = graph.contract.inputs[index];
  input = {data.height, data.width, data.channels, {}, {}, ValueType::kReal, data.shape};
  const auto count = static_cast<size_t>(data.channels);
  const auto spread = [&](const std::vector<double>& numbers) {
    return numbers.size() == 1 ? std::vector<float>(count, static_cast<float>(numbers[0]))
                               : std::vector<float>(numbers.begin(), numbers.end());
  };
  input.mean = spread(job_.config.mean.Of(data.name));
  input.std = spread(job_.config.std.Of(data.name));
  // MakeContract refuses other numbers of them.
  if (input.mean.size() != count || input.std.size() != count) return;
  const std::vector<std::string> names = TakeInputNormalization(index, graph);
  if (names.empty()) return;
  const auto take = [&](const std::vector<float>& numbers, ChannelNumbers& to) {
    std::vector<double>& own = job_.train.inputs.size() == 1 ? to.values : to.of[data.name];
    own.assign(numbers.begin(), numbers.end());
  };
  take(input.mean, job_.config.mean);
  take(input.std, job_.config.std);
  graph.contract = job_.network.contract;
  job_.network = std::move(graph);
  job_.lines.push_back(DescribeTaken(names));
}

// Of several inputs each has its own numbers: bytes those of the recipe, or whole ones as for a single
// picture; real numbers those of the data.
Status Preparation::DecideByInput() {
  TrainConfig& config = job_.config;
  const auto decide = [&](const char* key, ChannelNumbers& numbers, const auto& measured) -> Status {
    if (IsDecided(key, numbers)) return {};
    const std::vector<double> of_bytes = std::exchange(numbers.values, {});
    if (!request_.given.contains(key)) numbers.of.clear();
    for (size_t i = 0; i < job_.train.inputs.size(); ++i) {
      const ExampleInput& input = job_.train.inputs[i];
      if (!numbers.of.try_emplace(input.name).second || input.values != ValueType::kByte) continue;
      numbers.of[input.name] = of_bytes;
      if (!request_.automatic) continue;
      QAT_ASSIGN_OR_RETURN(const ChannelStatistics channels, MeasureChannels(job_.train, i));
      const PooledStatistics of_all = Pool(channels.mean, channels.std);
      numbers.of[input.name] = {measured(of_all)};
    }
    return {};
  };
  QAT_RETURN_IF_ERROR(
      decide("mean", config.mean, [](const auto& of_all) { return std::round(of_all.mean); }));
  return decide("std", config.std, [](const auto& of_all) { return std::max(std::round(of_all.std), 1.0); });
}

// How the real numbers come into the network and out of it.
Status Preparation::DescribeNormalization() {
  bool numbers = false;
  for (size_t i = 0; i < job_.train.output_count(); ++i)
    numbers |= job_.train.output_labels(i).task == Task::kNumbers;
  const bool bytes = job_.train.input().values == ValueType::kByte;
  if (bytes && request_.given.contains("std") && !NamesModel(job_.config)) {
    const std::vector<double>&means = job_.config.mean.values, &stds = job_.config.std.values;
    const std::string unlikely = UnlikelyUnits(std::vector<float>(means.begin(), means.end()),
                                               std::vector<float>(stds.begin(), stds.end()));
    if (!unlikely.empty()) job_.lines.push_back(unlikely);
  }
  if (TakesOneImage() && !numbers) return {};
  QAT_ASSIGN_OR_RETURN(const Contract contract, MakeContract(job_.config, job_.train, job_.network));
  for (size_t i = 0; i < job_.train.output_count(); ++i) {
    if (job_.train.output_labels(i).task != Task::kNumbers || request_.init != nullptr ||
        !request_.resumed.empty())
      continue;
    const OutputContract& output = contract.outputs[i];
    const std::string what =
        job_.train.output_count() == 1 ? std::string("targets") : StrCat("targets of '", output.name, "'");
    job_.lines.push_back(output.mean.empty()
                             ? StrCat(what, ": learned as they are")
                             : StrCat(what, ": learned as (target - mean) / std with mean ",
                                      NumbersText(output.mean), ", std ", NumbersText(output.std),
                                      ", those of the training data, and restored after the model"));
  }
  if (TakesOneImage()) return {};
  for (size_t i = 0; i < contract.inputs.size(); ++i)
    QAT_RETURN_IF_ERROR(DescribeInput(contract.inputs[i], i));
  return {};
}

Status Preparation::DescribeInput(const InputContract& input, size_t index) {
  const std::string what = input.name.empty() ? std::string("input: ") : StrCat("input '", input.name, "': ");
  const bool measured = job_.config.mean.Of(input.name).empty() && job_.config.std.Of(input.name).empty();
  if (input.values == ValueType::kByte) {
    job_.lines.push_back(StrCat(what, "bytes, (byte - mean) / std with mean ", NumbersText(input.mean),
                                ", std ", NumbersText(input.std),
                                measured ? ", those of the training data" : ""));
    return {};
  }
  const bool per_value = std::ssize(input.mean) != input.channels;
  std::string line = StrCat(what, "real numbers, per ", per_value ? "value" : "channel",
                            " (value - mean) / std with mean ", NumbersText(input.mean), ", std ",
                            NumbersText(input.std), measured ? ", those of the training data" : "",
                            "; then from ", NumbersText({input.low}), " to ", NumbersText({input.high}));
  QAT_ASSIGN_OR_RETURN(const ChannelStatistics statistics, MeasureChannels(job_.train, index));
  const auto constant = std::find(statistics.std.begin(), statistics.std.end(), 0.0);
  if (constant != statistics.std.end()) {
    const auto channel = static_cast<size_t>(constant - statistics.std.begin());
    line += StrCat("; ", NameOfChannel(job_.train.inputs[index], channel), " has the same value everywhere",
                   std::count(statistics.std.begin(), statistics.std.end(), 0.0) > 1
                       ? ", and it is not the only one"
                       : "");
  }
  job_.lines.push_back(line);
  if (job_.config.scheme == "float32") return {};
  const ExampleInput& data = job_.train.inputs[index];
  QAT_ASSIGN_OR_RETURN(const ChannelSample sample, SampleChannels(job_.train, index));
  for (const std::string& text :
       {CoarseChannels(input, statistics, data), CrowdedChannels(input, statistics, sample, data)}) {
    if (!text.empty()) job_.warnings.push_back(StrCat(what, text));
  }
  return {};
}

// Changes that the data cannot have, and those that targets do not follow.
Status Preparation::CheckChanges() {
  TrainConfig& config = job_.config;
  const ExampleInput& input = job_.train.input();
  const bool reals = input.values == ValueType::kReal, series = reals && input.shape.size() == 2;
  const auto refuse = [&](const char* key, std::string_view what) {
    return InvalidArgument(
        StrCat("`", key, "`: is a random change of ", what, ", and ", job_.train.name, " holds ",
               reals ? (series ? "series" : "rows of features or pictures") : "pictures of bytes",
               ": leave it out"));
  };
  if (job_.train.inputs.size() > 1 &&
      (config.shift_steps > 0 || config.gain_percent > 0 || config.noise > 0)) {
    return InvalidArgument(
        StrCat("`shift_steps`, `gain_percent` and `noise`: are random changes of one input, and ",
               job_.train.name, " has ", job_.train.inputs.size(), ": leave them out"));
  }
  if (config.shift_steps > 0 && !series)
    return refuse("shift_steps", "series [steps, channels] of real numbers");
  if (config.gain_percent > 0 && !reals) return refuse("gain_percent", "real numbers");
  if (config.noise > 0 && !reals) return refuse("noise", "real numbers");
  for (size_t i = 0; config.mixup > 0 && i < job_.train.output_count(); ++i) {
    const OutputLabels& own = job_.train.output_labels(i);
    const bool pixels = own.task != Task::kMultiLabel && own.LabelsPerImage() > 1;
    if (!IsOfNumbers(own.task) && !pixels) continue;
    return InvalidArgument(
        StrCat("`mixup`: mixes examples of classes, of yes or no, or of several labels, and ",
               own.output.empty() ? job_.train.name : StrCat("'", own.output, "'"), " has ",
               pixels ? "one label per pixel" : StrCat("the task ", NameOf(own.task)), ": leave it out"));
  }
  const bool moves =
      config.shift_pixels > 0 || config.flip || config.rotate_degrees > 0 || config.scale_percent > 0;
  for (size_t i = 0; moves && i < job_.train.output_count(); ++i) {
    const OutputLabels& own = job_.train.output_labels(i);
    if (own.task != Task::kNumbers) continue;
    const std::string of = own.output.empty() ? job_.train.name : StrCat("'", own.output, "'");
    if (own.targets > 1) {
      return InvalidArgument(
          StrCat("`shift_pixels`, `flip`, `rotate_degrees` and `scale_percent` move the picture, and the ",
                 own.targets, " numbers of ", of,
                 ", which may be places in it, would stay: leave them out, or change the data themselves"));
    }
    job_.lines.push_back(StrCat("random changes move the pictures and leave their number ",
                                own.output.empty() ? "" : StrCat("for ", of, " "), "as it is"));
  }
  return {};
}

Status Preparation::CompleteRecipe() {
  QAT_RETURN_IF_ERROR(AdaptToReals());
  QAT_RETURN_IF_ERROR(CheckChanges());
  if (request_.automatic) {
    QAT_ASSIGN_OR_RETURN(const DataFacts facts, Facts());
    const auto cores = static_cast<int32_t>(std::max(std::thread::hardware_concurrency(), 1u));
    std::set<std::string> given = TakesRealsOfModel() ? request_.given : TakeContractOfInit();
    if (TakesRealsOfModel() || facts.inputs > 1) given.insert({"mean", "std"});  // decided already
    NetworkFacts network = FactsOf(job_.network);
    network.trained = request_.init != nullptr || request_.trained;
    AutoRecipe recipe = DeriveRecipe(job_.config, given, facts, network, cores);
    job_.config = std::move(recipe.config);
    if (FitsBudget()) {
      // The number of steps is known now: what depends on it is derived anew.
      QAT_RETURN_IF_ERROR(FitBudget());
      given.insert("steps");
      recipe = DeriveRecipe(job_.config, given, facts, network, cores);
      job_.config = std::move(recipe.config);
    }
    if (!NetworkIsOpen()) job_.lines.push_back(StrCat("network: ", job_.network.name, ", as asked for"));
    job_.lines.insert(job_.lines.end(), recipe.lines.begin(), recipe.lines.end());
  } else if (FitsBudget()) {
    QAT_RETURN_IF_ERROR(FitBudget());
  }
  QAT_RETURN_IF_ERROR(DescribeNormalization());
  return Validate(job_.config);
}

Status Preparation::FitBudget() {
  TrainConfig& config = job_.config;
  QAT_RETURN_IF_ERROR(CheckFits(job_.network, job_.train, job_.test));
  QAT_ASSIGN_OR_RETURN(const HoldoutSplit split, SplitHoldout(job_.train, config.holdout, config.seed));
  QAT_ASSIGN_OR_RETURN(const Contract contract, MakeContract(config, job_.train, job_.network));
  QAT_ASSIGN_OR_RETURN(const RunCost cost, MeasureCost(job_.network, config, contract, job_.train, job_.test,
                                                       split, request_.teacher, request_.hooks.Quiet()));
  const int64_t examples = std::ssize(split.train), wanted = MakeSchedule(config, examples).steps;
  config.steps = StepsWithin(cost, config, examples, static_cast<double>(config.budget));
  config.epochs = 0;
  const double seconds = SecondsOf(cost, config, config.steps, examples);
  std::string line =
      StrCat("budget ", BudgetText(config.budget), ": ",
             config.steps == wanted
                 ? StrCat(wanted == 1 ? "the only step fits" : StrCat("all ", wanted, " steps fit"))
                 : StrCat(config.steps, " of ", wanted, " steps"),
             ", about ", SecondsText(seconds));
  if (seconds > static_cast<double>(config.budget))
    line += ", since one step with its evaluation takes longer than the budget";
  job_.lines.push_back(
      StrCat(line, "; a step was measured at ", MillisecondsText(cost.plain),
             config.scheme == "float32"
                 ? ""
                 : StrCat(" before and ", MillisecondsText(cost.quantized), " with fake quantization")));
  return {};
}

}  // namespace qat
