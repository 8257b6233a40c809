#include "spec/auto_recipe.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/check.h"
#include "base/strings.h"
#include "spec/schedule.h"

namespace qat {
namespace {

// Time is estimated as kSecondsPerStep plus 3 multiply-accumulates per one of the forward pass, backward
// being two, at kMacsPerSecond. Measured on one AVX2 core of 2.6 GHz: 5.5e10 a second for resnet8 with
// batches of 128, 1.3e10 for lenet with 64, 0.4 ms for a step of a few thousand parameters.
constexpr double kMacsPerSecond = 3e10;
constexpr double kSecondsPerStep = 4e-4;

constexpr double kEpochs = 15;         // of a set that is large enough
constexpr double kShortSeconds = 20;   // a small set is repeated until this is over …
constexpr double kFewestSteps = 1200;  // … but at least so often, and at most so often
constexpr double kManySteps = 10'000;
// Classes of a few dozen examples are known by heart long before, and answers on others get worse from then
// on. 32 series of BasicMotions, mean of four seeds: 81 % of 40 test examples after 1200 steps (600 epochs),
// 74 % after 4500. Not so for real numbers: 155 spectra of Tecator, R2 0.9863 after 4300 steps (450 epochs),
// 0.9883 after 9300.
constexpr double kMostEpochs = 500;
constexpr double kLongSeconds = 1800;  // where even kEpochs would take longer than this, there are fewer
constexpr double kFewestAtAll = 200;
constexpr double kEvaluations = 20;

// of a run that decays more than usual: learning rate times decay, over its steps
constexpr double kMostDecay = 4;
// learning rate times weight decay: a step forgets no more than a twentieth
constexpr double kMostDecayPerStep = 0.05;
constexpr double kEpochsToRepeat = 2;  // from here on, examples can be learned by heart
// of the learning rate, where parameters have been trained already
constexpr double kFineTuning = 1 / 3.0;

// Of one row of the recipe: which keys a person has decided.
class Decided {
 public:
  explicit Decided(const std::set<std::string>& given) : given_(given) {}
  bool operator()(const std::string& key) const {
    const std::string other(AlternativeOf(key));
    return given_.contains(key) || (!other.empty() && given_.contains(other));
  }

 private:
  const std::set<std::string>& given_;
};

template <class Value>
void Fill(Value& value, const Value& chosen, bool decided) {
  if (!decided) value = chosen;
}

// Two significant digits: recipes are read by people.
double Rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2g", value);
  return std::strtod(text, nullptr);
}

int32_t BatchFor(int64_t examples) {
  int32_t batch = examples < 500 ? 16 : examples < 2'000 ? 32 : examples < 200'000 ? 64 : 128;
  while (batch > examples) batch /= 2;
  return std::max(batch, 1);
}

double SecondsPerStep(const NetworkFacts& network, int32_t batch) {
  return kSecondsPerStep + 3.0 * static_cast<double>(network.multiply_accumulates) * batch / kMacsPerSecond;
}

// A multiple of kEvaluations, so that the last evaluation is that of the last step.
int64_t StepsFor(const DataFacts& data, const NetworkFacts& network, int32_t batch, bool bounded) {
  const auto examples = static_cast<double>(data.examples);
  const double cost = SecondsPerStep(network, batch);
  const double epochs = kEpochs * examples / batch;
  const double most = data.targets > 0 ? kManySteps : std::max(kMostEpochs * examples / batch, kFewestSteps);
  const double repeated = std::clamp(kShortSeconds / cost, kFewestSteps, std::min(kManySteps, most));
  double steps = std::max(epochs, repeated);
  if (bounded) steps = std::min(steps, std::max(kLongSeconds / cost, kFewestAtAll));
  return static_cast<int64_t>(std::ceil(Rounded(steps) / kEvaluations) * kEvaluations);
}

// The wider a network, the smaller the steps that it stands; batch norm lets it take larger ones, and small
// ones learn the training set by heart there: textures in four folders, 97 % held out at 0.012, 95 % at
// 0.006, 75 % at 0.0015.
double LearningRateFor(const TrainConfig& config, const NetworkFacts& network) {
  const auto parameters = static_cast<double>(std::max<int64_t>(network.parameters, 1));
  double rate = network.batch_norm ? std::clamp(1e-2 * std::pow(1.5e5 / parameters, 0.5), 2e-3, 2e-2)
                                   : std::clamp(2.5e-3 * std::pow(6e4 / parameters, 0.8), 1e-3, 3e-2);
  if (config.optimizer == "sgd") rate = network.batch_norm ? 0.1 : 0.02;
  if (config.schedule == "constant") rate /= 4;
  if (network.trained) rate *= kFineTuning;
  return Rounded(rate);
}

// What filters forget in a run is the sum of learning rate times decay over its steps, whatever its length
// (Wang and Aitchison 2024, arXiv:2405.13698). A run that a person has cut short therefore decays more per
// step. Two classes of 8x8 pictures, 3 epochs: 93.7 % on 40,000 test examples with 0.02, 94.0 % with 1.2; the
// best possible is 94.4 %. Not so where nothing can be learned by heart yet, since few examples were seen
// twice (MNIST, 300 steps: 95.2 % with 0.05, 95.0 % with 1), nor for real numbers (the sine of a byte, 500
// steps: RMSE 0.015 with 0.05, 0.041 with 0.4), nor where trained filters would forget what they know (a
// table, 100 further steps: 92.7, 96.1 and 97.4 % with 5, 98.0, 97.7 and 97.7 % with 0.05).
double WeightDecayFor(const TrainConfig& config, const DataFacts& data, const NetworkFacts& network) {
  const double usual = config.optimizer == "sgd" ? 5e-4 : network.batch_norm ? 0.02 : 0.05;
  const auto steps = static_cast<double>(MakeSchedule(config, data.examples).steps);
  const auto full = static_cast<double>(StepsFor(data, network, config.batch_size, config.budget == 0));
  // a part of a step counts
  const double epochs = (steps + 1) * config.batch_size / static_cast<double>(data.examples);
  if (network.trained || data.targets > 0 || epochs < kEpochsToRepeat || steps >= full) return usual;
  const double most =
      std::min(kMostDecay / (config.learning_rate * steps), kMostDecayPerStep / config.learning_rate);
  return std::max(usual, Rounded(std::min({usual * full / steps, most, 10.0})));
}

// Moving averages that reach back over so many steps: a fixed decay would reach back over all of a short run.
double DecayOver(double steps) { return std::round((1 - 1 / std::max(steps, 1.0)) * 1e4) / 1e4; }

// Of real numbers as answers, ranges cover what was seen lately: an example comes once per epoch, and what it
// reaches has to last until it comes again. After 20 epochs without it, a third is left.
double RangeDecay(double steps, const TrainConfig& config, const DataFacts& data) {
  if (data.targets == 0) return std::min(DecayOver(steps / 40), 0.999);
  const double epoch = static_cast<double>(data.examples) / static_cast<double>(config.batch_size);
  return std::min(DecayOver(std::max(steps / 40, 20 * epoch)), 0.9999);
}

// One whole mean and one deviation for all channels: the bytes of the data then pass into the integer model
// as they are.
// Reals: those of each channel.
void FillContract(TrainConfig& config, const Decided& decided, const DataFacts& data) {
  if (data.reals) {
    Fill(config.mean, {}, decided("mean"));
    Fill(config.std, {}, decided("std"));
    return;
  }
  Fill(config.mean, {{std::round(data.mean)}}, decided("mean"));
  // Images of one single value have none.
  Fill(config.std, {{Rounded(std::max(data.std, 1.0))}}, decided("std"));
}

void FillLength(TrainConfig& config, const Decided& decided, const DataFacts& data,
                const NetworkFacts& network) {
  Fill(config.batch_size, BatchFor(data.examples), decided("batch_size"));
  if (decided("steps")) return;
  config.epochs = 0;
  config.steps = StepsFor(data, network, config.batch_size, config.budget == 0);
}

void FillOptimizer(TrainConfig& config, const Decided& decided, const DataFacts& data,
                   const NetworkFacts& network) {
  Fill(config.optimizer, std::string("adam"), decided("optimizer"));
  Fill(config.momentum, TrainConfig().momentum, decided("momentum"));
  Fill(config.nesterov, TrainConfig().nesterov, decided("nesterov"));
  Fill(config.schedule, std::string("cosine"), decided("schedule"));
  Fill(config.milestones, TrainConfig().milestones, decided("milestones"));
  Fill(config.milestone_factor, TrainConfig().milestone_factor, decided("milestone_factor"));
  Fill(config.learning_rate, LearningRateFor(config, network), decided("learning_rate"));
  Fill(config.weight_decay, WeightDecayFor(config, data, network), decided("weight_decay"));
}

// Where in the run things happen: parts of its length, whatever decided that.
void FillPhases(TrainConfig& config, const Decided& decided, const DataFacts& data) {
  const auto steps = static_cast<double>(MakeSchedule(config, data.examples).steps);
  Fill(config.warmup_fraction, config.schedule == "one-cycle" ? kOneCycleWarmup : 0.05,
       decided("warmup_fraction"));
  Fill(config.quant_delay_fraction, 0.6, decided("quant_delay_fraction"));
  // Filters of 4 bits change their sums so much, step by step, that statistics which stand still do not fit
  // them (docs/precisions.md).
  Fill(config.bn_freeze_fraction, config.scheme == "w4a8" ? 1.0 : 0.8, decided("bn_freeze_fraction"));
  Fill(config.freeze_ranges_fraction, 1.0, decided("freeze_ranges_fraction"));
  Fill(config.ema_decay, RangeDecay(steps, config, data), decided("ema_decay"));
  Fill(config.weight_average_decay, std::min(DecayOver(steps / 60), 0.999), decided("weight_average_decay"));
  Fill(config.eval_every_fraction, 1 / kEvaluations, decided("eval_every"));
  Fill(config.log_every, std::clamp<int64_t>(static_cast<int64_t>(steps / 100), 1, 100),
       decided("log_every"));
}

void FillRest(TrainConfig& config, const Decided& decided, int32_t cores) {
  const TrainConfig none;
  Fill(config.clip_norm, none.clip_norm, decided("clip_norm"));
  Fill(config.label_smoothing, 0.0, decided("label_smoothing"));
  Fill(config.scale_to_targets, true, decided("scale_to_targets"));
  Fill(config.shift_pixels, none.shift_pixels, decided("shift_pixels"));
  Fill(config.flip, none.flip, decided("flip"));
  Fill(config.cutout, none.cutout, decided("cutout"));
  Fill(config.rotate_degrees, none.rotate_degrees, decided("rotate_degrees"));
  Fill(config.scale_percent, none.scale_percent, decided("scale_percent"));
  Fill(config.class_weights, none.class_weights, decided("class_weights"));
  Fill(config.shift_steps, none.shift_steps, decided("shift_steps"));
  Fill(config.gain_percent, none.gain_percent, decided("gain_percent"));
  Fill(config.noise, none.noise, decided("noise"));
  Fill(config.teacher_weight, none.teacher_weight, decided("teacher_weight"));
  Fill(config.teacher_temperature, none.teacher_temperature, decided("teacher_temperature"));
  Fill(config.mixup, none.mixup, decided("mixup"));
  if (config.threads == 0) config.threads = cores;
}

std::string DataLine(const DataFacts& data) {
  const std::string labels = data.task == Task::kReconstruction ? std::string("to be reconstructed")
                             : data.task == Task::kYesNo        ? std::string("yes or no each")
                             : data.task == Task::kMultiLabel
                                 ? StrCat(data.classes, data.classes == 1 ? " label" : " labels at once")
                             : data.targets == 1   ? std::string("one real number each")
                             : data.targets > 1    ? StrCat(data.targets, " real numbers each")
                             : data.LabelsPixels() ? StrCat(data.classes, " classes, ", data.label_height,
                                                            "x", data.label_width, " labels each")
                                                   : StrCat(data.classes, " classes");
  return StrCat(data.examples, data.examples == 1 ? " example" : " examples", " to train on, ", data.held_out,
                " held out; ", labels,
                data.inputs > 1 ? StrCat("; ", data.inputs, " inputs, the first ") : std::string("; input "),
                data.height, "x", data.width, "x", data.channels);
}

std::string EpochsText(double epochs) {
  const double shown = epochs < 10 ? std::round(epochs * 10) / 10 : std::round(epochs);
  return StrCat(NumberText(shown), shown == 1 ? " epoch" : " epochs");
}

std::string StepsText(int64_t steps) { return StrCat(steps, steps == 1 ? " step" : " steps"); }

std::string ScheduleText(const TrainConfig& config) {
  if (config.schedule == "constant") return ", constant";
  if (config.schedule == "one-cycle") return " in one cycle";
  if (config.schedule == "cosine") return " falling along a cosine";
  std::vector<std::string> parts;
  for (const double part : config.milestones) parts.push_back(NumberText(part));
  return StrCat(" times ", NumberText(config.milestone_factor), " at ", Join(parts, ", "), " of the run");
}

std::string LengthLine(const TrainConfig& config, const DataFacts& data, int64_t steps, bool third) {
  const double epochs = static_cast<double>(steps) * config.batch_size / static_cast<double>(data.examples);
  std::string text = StrCat(StepsText(steps), " of ", config.batch_size,
                            config.batch_size == 1 ? " example (" : " examples (", EpochsText(epochs), ")");
  text += StrCat("; ", config.optimizer, ", learning rate ", config.learning_rate,
                 third ? " (a third, as layers are trained already)" : "");
  text += ScheduleText(config);
  const int64_t warmup = WarmupSteps(config, steps);
  return warmup > 0 ? StrCat(text, " after ", StepsText(warmup), " of warm-up") : text;
}

bool ChangesImages(const TrainConfig& config) {
  return config.shift_pixels > 0 || config.flip || config.cutout > 0 || config.rotate_degrees > 0 ||
         config.scale_percent > 0 || config.shift_steps > 0 || config.gain_percent > 0 || config.noise > 0 ||
         config.mixup > 0;
}

std::string QuantizationLine(const TrainConfig& config, const Schedule& schedule) {
  const std::string quantized = config.scheme == "float32"
                                    ? "float32: never quantized"
                                    : StrCat(config.scheme, " from step ", schedule.quant_delay);
  return StrCat(quantized, "; evaluated every ",
                schedule.eval_every == 1 ? "step" : StepsText(schedule.eval_every), "; ",
                ChangesImages(config) ? "random changes as given" : "no random changes", "; ", config.threads,
                config.threads == 1 ? " thread" : " threads");
}

}  // namespace

NetworkFacts FactsOf(const Graph& network) {
  NetworkFacts facts;
  for (const GraphTensor& tensor : network.tensors) {
    if (tensor.trained) facts.parameters += FlatSize(tensor.shape);
  }
  for (const GraphNode& node : network.nodes) {
    facts.multiply_accumulates += MultiplyAccumulates(network, node);
    facts.batch_norm = facts.batch_norm || node.batch_norm.has_value();
  }
  return facts;
}

AutoRecipe DeriveRecipe(const TrainConfig& config, const std::set<std::string>& given, const DataFacts& data,
                        const NetworkFacts& network, int32_t cores) {
  QAT_CHECK(data.examples > 0 && cores > 0);
  const Decided decided(given);
  AutoRecipe recipe = {config, {}};
  recipe.config.preset = kAutoPreset;
  FillContract(recipe.config, decided, data);
  FillLength(recipe.config, decided, data, network);
  FillOptimizer(recipe.config, decided, data, network);
  FillPhases(recipe.config, decided, data);
  FillRest(recipe.config, decided, cores);
  const Schedule schedule = MakeSchedule(recipe.config, data.examples);
  recipe.lines = {
      DataLine(data),
      LengthLine(recipe.config, data, schedule.steps, network.trained && !decided("learning_rate")),
      QuantizationLine(recipe.config, schedule)};
  return recipe;
}

}  // namespace qat
