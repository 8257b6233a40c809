#include "spec/train_config_fields.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>

#include "base/named_lists.h"
#include "base/strings.h"
#include "contract/task.h"
#include "spec/quoted.h"

namespace qat {
namespace {

using Field = TrainConfigField;

// TOML tells integers from reals by the point.
std::string RealText(double value) {
  std::string text = NumberText(value);
  if (text.find_first_of(".eni") == std::string::npos) text += ".0";
  return text;
}

Field TextField(std::string name, std::string TrainConfig::*member, std::vector<std::string> allowed = {}) {
  std::vector<std::string> quoted;
  for (const std::string& value : allowed) quoted.push_back(Quoted(value));
  return {name,
          allowed.empty() ? "a text" : Join(quoted, " or "),
          [=](TrainConfig& config, const AttributeValue& value) {
            const auto* text = std::get_if<std::string>(&value);
            if (text == nullptr) return false;
            if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), *text) == allowed.end())
              return false;
            config.*member = *text;
            return true;
          },
          [=](const TrainConfig& config) { return Quoted(config.*member); },
          /*takes_list=*/false,
          allowed};
}

template <class Integer>
Field IntegerField(std::string name, Integer TrainConfig::*member, int64_t low, int64_t high) {
  const bool open = high > (int64_t{1} << 40);
  return {name,
          open ? StrCat("a whole number from ", low) : StrCat("a whole number in [", low, ", ", high, "]"),
          [=](TrainConfig& config, const AttributeValue& value) {
            const auto* integer = std::get_if<int64_t>(&value);
            if (integer == nullptr || *integer < low || *integer > high) return false;
            config.*member = static_cast<Integer>(*integer);
            return true;
          },
          [=](const TrainConfig& config) { return StrCat(config.*member); }};
}

Field RealField(std::string name, double TrainConfig::*member, double low, double high) {
  return {name, StrCat("a number in [", low, ", ", high, "]"),
          [=](TrainConfig& config, const AttributeValue& value) {
            double real = NAN;
            if (const auto* integer = std::get_if<int64_t>(&value)) real = static_cast<double>(*integer);
            if (const auto* number = std::get_if<double>(&value)) real = *number;
            if (!(real >= low && real <= high)) return false;
            config.*member = real;
            return true;
          },
          [=](const TrainConfig& config) { return RealText(config.*member); }};
}

Field FlagField(std::string name, bool TrainConfig::*member) {
  return {name, "true or false",
          [=](TrainConfig& config, const AttributeValue& value) {
            const auto* flag = std::get_if<bool>(&value);
            if (flag != nullptr) config.*member = *flag;
            return flag != nullptr;
          },
          [=](const TrainConfig& config) { return std::string(config.*member ? "true" : "false"); }};
}

constexpr std::string_view kOfDataset = "dataset";

// The numbers of "125.3, 123, 113.9"; none where one of them is no number.
std::vector<double> NumbersOf(const std::string& text) {
  std::vector<double> numbers;
  for (std::string piece : SplitText(text, ',')) {
    piece.erase(0, piece.find_first_not_of(' '));
    const std::optional<double> number = ParseNumber<double>(piece);
    if (!number) return {};
    numbers.push_back(*number);
  }
  return numbers;
}

// What a text says of one input. Nothing: it is neither numbers in the range nor a word that is known.
std::optional<std::vector<double>> ChannelsOf(const std::string& text, double low, double high, double none) {
  if (text == kOfDataset) return std::vector<double>();
  if (text == "none") return std::vector<double>{none};
  std::vector<double> numbers = NumbersOf(text);
  const bool good = !numbers.empty() && std::all_of(numbers.begin(), numbers.end(),
                                                    [=](double x) { return x >= low && x <= high; });
  return good ? std::optional(std::move(numbers)) : std::nullopt;
}

// "left=125.3,123,113.9,right=dataset". For other inputs stays what was said before.
bool ReadByName(const std::string& text, double low, double high, double none, ChannelNumbers& numbers) {
  const auto lists = ParseNamedLists(text);
  if (!lists) return false;
  ChannelNumbers read = {numbers.values};
  for (const auto& [input, own] : *lists) {
    auto channels = ChannelsOf(own, low, high, none);
    if (!channels) return false;
    read.of[input] = *std::move(channels);
  }
  numbers = std::move(read);
  return true;
}

std::string ChannelsText(const std::vector<double>& values) {
  if (values.empty()) return std::string(kOfDataset);
  std::vector<std::string> texts;
  for (const double x : values) texts.push_back(RealText(x));
  return Join(texts, ",");
}

// `none` is the number that leaves values as they are.
Field ChannelField(std::string name, ChannelNumbers TrainConfig::*member, double low, double high,
                   double none) {
  return {name,
          StrCat("a number in [", low, ", ", high, "], a list of them, one per channel, \"none\", \"",
                 kOfDataset, "\", or these by input, as \"left=0,right=", kOfDataset, "\""),
          [=](TrainConfig& config, const AttributeValue& value) {
            std::vector<double> numbers;
            if (const auto* integer = std::get_if<int64_t>(&value)) numbers = {static_cast<double>(*integer)};
            if (const auto* real = std::get_if<double>(&value)) numbers = {*real};
            if (const auto* text = std::get_if<std::string>(&value)) {
              if (HasNames(*text)) return ReadByName(*text, low, high, none, config.*member);
              auto channels = ChannelsOf(*text, low, high, none);
              if (channels) config.*member = {*std::move(channels)};
              return channels.has_value();
            }
            const bool in_range =
                std::all_of(numbers.begin(), numbers.end(), [=](double x) { return x >= low && x <= high; });
            if (!in_range || numbers.empty()) return false;
            config.*member = {std::move(numbers)};
            return true;
          },
          [=](const TrainConfig& config) {
            const ChannelNumbers& all = config.*member;
            std::vector<std::string> texts;
            for (const auto& [input, own] : all.of) texts.push_back(StrCat(input, "=", ChannelsText(own)));
            if (!texts.empty()) return Quoted(Join(texts, ","));
            const std::vector<double>& values = all.values;
            if (values.empty()) return Quoted(std::string(kOfDataset));
            if (values.size() == 1) return RealText(values[0]);
            for (const double x : values) texts.push_back(RealText(x));
            return StrCat("[", Join(texts), "]");
          },
          /*takes_list=*/true};
}

// A whole number from 0, or "auto", which is kept as `automatic`.
Field AutomaticField(std::string name, int64_t TrainConfig::*member, int64_t high, int64_t automatic) {
  constexpr std::string_view kAuto = "auto";
  Field field = IntegerField(std::move(name), member, 0, high);
  field.expected += StrCat(" or \"", kAuto, "\"");
  field.set = [=, number = field.set](TrainConfig& config, const AttributeValue& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || *text != kAuto) return number(config, value);
    config.*member = automatic;
    return true;
  };
  field.text = [=, number = field.text](const TrainConfig& config) {
    return config.*member == automatic ? Quoted(std::string(kAuto)) : number(config);
  };
  return field;
}

Field WeightsField(std::string name) {
  constexpr std::string_view kNone = "none", kBalanced = "balanced";
  return {name, "\"none\", \"balanced\", or a list of numbers above 0, one a class",
          [=](TrainConfig& config, const AttributeValue& value) {
            const auto* text = std::get_if<std::string>(&value);
            ClassWeights weights;
            if (const auto* integer = std::get_if<int64_t>(&value))
              weights.values = {static_cast<double>(*integer)};
            if (const auto* real = std::get_if<double>(&value)) weights.values = {*real};
            if (text != nullptr) {
              weights.balanced = *text == kBalanced;
              if (*text != kBalanced && *text != kNone) weights.values = NumbersOf(*text);
            }
            const bool plain = text != nullptr && (*text == kBalanced || *text == kNone);
            const bool in_range = std::all_of(weights.values.begin(), weights.values.end(),
                                              [](double weight) { return weight > 0 && weight <= 1e6; });
            if (!in_range || (weights.values.empty() && !plain)) return false;
            config.class_weights = std::move(weights);
            return true;
          },
          [=](const TrainConfig& config) {
            const ClassWeights& weights = config.class_weights;
            if (weights.balanced) return Quoted(std::string(kBalanced));
            if (weights.values.empty()) return Quoted(std::string(kNone));
            std::vector<std::string> texts;
            for (const double weight : weights.values) texts.push_back(RealText(weight));
            return StrCat("[", Join(texts), "]");
          },
          /*takes_list=*/true};
}

// Parts of a run, in their order.
Field MilestonesField(std::string name) {
  return {std::move(name), "a number between 0 and 1, or a list of them in rising order",
          [](TrainConfig& config, const AttributeValue& value) {
            std::vector<double> parts;
            if (const auto* real = std::get_if<double>(&value)) parts = {*real};
            if (const auto* text = std::get_if<std::string>(&value)) parts = NumbersOf(*text);
            const bool rising =
                std::adjacent_find(parts.begin(), parts.end(), std::greater_equal<>()) == parts.end();
            const auto is_inside = [](double part) { return part > 0 && part < 1; };
            if (parts.empty() || !rising || !std::all_of(parts.begin(), parts.end(), is_inside)) return false;
            config.milestones = std::move(parts);
            return true;
          },
          [](const TrainConfig& config) {
            std::vector<std::string> texts;
            for (const double part : config.milestones) texts.push_back(RealText(part));
            return StrCat("[", Join(texts), "]");
          },
          /*takes_list=*/true};
}

// A name of a task, or of several outputs one each: "class=classes,box=numbers".
Field TaskField(std::string name) {
  Field field = TextField(std::move(name), &TrainConfig::task, TaskNames());
  field.expected += ", or by output, as \"class=classes,box=numbers\"";
  field.set = [plain = field.set](TrainConfig& config, const AttributeValue& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || !HasNames(*text)) return plain(config, value);
    const auto tasks = ParseNamedLists(*text);
    const bool known = tasks && std::all_of(tasks->begin(), tasks->end(), [](const auto& each) {
                         return TaskFromName(each.second).has_value();
                       });
    if (known) config.task = *text;
    return known;
  };
  return field;
}

// "class=1,box=0.5": what the loss of each output weighs.
Field OutputWeightsField(std::string name) {
  constexpr std::string_view kNone = "none";
  constexpr double kMost = 1e6;
  return {name, "\"none\", or numbers from 0 by output, as \"class=1,box=0.5\"",
          [=](TrainConfig& config, const AttributeValue& value) {
            const auto* text = std::get_if<std::string>(&value);
            if (text == nullptr) return false;
            std::map<std::string, double> weights;
            const auto lists = *text == kNone ? std::map<std::string, std::string>() : ParseNamedLists(*text);
            if (!lists) return false;
            for (const auto& [output, number] : *lists) {
              const std::optional<double> weight = ParseNumber<double>(number);
              if (!weight || !(*weight >= 0 && *weight <= kMost)) return false;
              weights[output] = *weight;
            }
            config.output_weights = std::move(weights);
            return true;
          },
          [=](const TrainConfig& config) {
            std::vector<std::string> texts;
            for (const auto& [output, weight] : config.output_weights)
              texts.push_back(StrCat(output, "=", RealText(weight)));
            return Quoted(texts.empty() ? std::string(kNone) : Join(texts, ","));
          }};
}

// Seconds, or "90s", "10m", "1.5h"; none where the text is neither.
std::optional<int64_t> SecondsOf(std::string_view text) {
  if (text == "none") return 0;
  double unit = 1;
  if (text.ends_with('m')) unit = 60;
  if (text.ends_with('h')) unit = 3600;
  if (text.ends_with('s') || unit > 1) text.remove_suffix(1);
  const std::optional<double> number = ParseNumber<double>(text);
  // A budget of no second is no limit to somebody and no step to somebody else.
  if (!number || !(*number >= 0 && *number * unit <= 1e9) || std::llround(*number * unit) == 0)
    return std::nullopt;
  return std::llround(*number * unit);
}

Field BudgetField(std::string name) {
  return {name, R"(a time of at least a second, as "90s", "10m" or "2h", or "none")",
          [](TrainConfig& config, const AttributeValue& value) {
            std::optional<int64_t> seconds;
            if (const auto* text = std::get_if<std::string>(&value)) seconds = SecondsOf(*text);
            if (const auto* integer = std::get_if<int64_t>(&value)) seconds = SecondsOf(StrCat(*integer));
            if (seconds) config.budget = *seconds;
            return seconds.has_value();
          },
          [](const TrainConfig& config) { return Quoted(BudgetText(config.budget)); }};
}

}  // namespace

const std::vector<TrainConfigField>& TrainConfigFields() {
  using C = TrainConfig;
  constexpr int64_t kMany = int64_t{1} << 62;
  static const std::vector<TrainConfigField> kFields = {
      TextField("preset", &C::preset),
      TextField("network", &C::network),
      RealField("width", &C::width, 0, 16),
      IntegerField("resolution", &C::resolution, 0, 65536),
      IntegerField("classes", &C::classes, 0, 1 << 20),
      TextField("data", &C::data),
      TaskField("task"),
      AutomaticField("ignore_label", &C::ignore_label, 1 << 20, kAutomaticIgnoreLabel),
      TextField("layout", &C::layout, {"auto", "pictures", "series", "features"}),
      TextField("fit", &C::fit, {"crop", "pad", "stretch"}),
      TextField("label", &C::label),
      TextField("leave_out", &C::leave_out),
      IntegerField("data_cache", &C::data_cache, 0, int64_t{1} << 30),
      ChannelField("mean", &C::mean, -1e9, 1e9, 0),
      ChannelField("std", &C::std, 1e-9, 1e9, 1),
      TextField("scheme", &C::scheme, {"uint8", "int8", "int8-per-tensor", "w4a8", "float32"}),
      IntegerField("steps", &C::steps, 0, kMany),
      RealField("epochs", &C::epochs, 0, 1e6),
      BudgetField("budget"),
      IntegerField("patience", &C::patience, 0, kMany),
      IntegerField("batch_size", &C::batch_size, 1, 65536),
      TextField("optimizer", &C::optimizer, {"adam", "sgd"}),
      RealField("momentum", &C::momentum, 0, 0.9999),
      FlagField("nesterov", &C::nesterov),
      RealField("learning_rate", &C::learning_rate, 0, 100),
      TextField("schedule", &C::schedule, {"constant", "cosine", "step", "one-cycle"}),
      MilestonesField("milestones"),
      RealField("milestone_factor", &C::milestone_factor, 0, 1),
      IntegerField("warmup_steps", &C::warmup_steps, 0, kMany),
      RealField("warmup_fraction", &C::warmup_fraction, 0, 1),
      RealField("weight_decay", &C::weight_decay, 0, 10),
      RealField("clip_norm", &C::clip_norm, 0, 1e6),
      RealField("label_smoothing", &C::label_smoothing, 0, 0.9),
      TextField("teacher", &C::teacher),
      RealField("teacher_weight", &C::teacher_weight, 0, 1),
      RealField("teacher_temperature", &C::teacher_temperature, 0.1, 100),
      TextField("freeze_layers", &C::freeze_layers),
      WeightsField("class_weights"),
      OutputWeightsField("output_weights"),
      FlagField("scale_to_targets", &C::scale_to_targets),
      IntegerField("shift_pixels", &C::shift_pixels, 0, 1024),
      FlagField("flip", &C::flip),
      IntegerField("cutout", &C::cutout, 0, 1024),
      RealField("rotate_degrees", &C::rotate_degrees, 0, 180),
      RealField("scale_percent", &C::scale_percent, 0, 90),
      IntegerField("shift_steps", &C::shift_steps, 0, 65536),
      RealField("gain_percent", &C::gain_percent, 0, 90),
      RealField("noise", &C::noise, 0, 10),
      RealField("mixup", &C::mixup, 0, 100),
      IntegerField("quant_delay", &C::quant_delay, 0, kMany),
      RealField("quant_delay_fraction", &C::quant_delay_fraction, 0, 1),
      IntegerField("bn_freeze", &C::bn_freeze, 0, kMany),
      RealField("bn_freeze_fraction", &C::bn_freeze_fraction, 0, 1),
      IntegerField("bn_convolutions", &C::bn_convolutions, 0, 2),
      TextField("filter_ranges", &C::filter_ranges, {"observed", "learned"}),
      TextField("activation_ranges", &C::activation_ranges, {"observed", "learned"}),
      RealField("ema_decay", &C::ema_decay, 0, 0.9999999),
      RealField("freeze_ranges_fraction", &C::freeze_ranges_fraction, 0, 1),
      RealField("weight_average_decay", &C::weight_average_decay, 0, 0.9999999),
      AutomaticField("holdout", &C::holdout, kMany, kAutomaticHoldout),
      IntegerField("log_every", &C::log_every, 1, kMany),
      IntegerField("eval_every", &C::eval_every, 0, kMany),
      RealField("eval_every_fraction", &C::eval_every_fraction, 0, 1),
      IntegerField("checkpoint_every", &C::checkpoint_every, 0, kMany),
      RealField("checkpoint_every_fraction", &C::checkpoint_every_fraction, 0, 1),
      IntegerField("seed", &C::seed, 0, kMany),
      IntegerField("threads", &C::threads, 0, 4096),
  };
  return kFields;
}

}  // namespace qat
