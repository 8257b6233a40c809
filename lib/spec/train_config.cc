#include "spec/train_config.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/file.h"
#include "base/strings.h"
#include "ops/keys.h"
#include "quant/precision.h"
#include "spec/auto_network.h"
#include "spec/auto_recipe.h"
#include "spec/embedded.h"
#include "spec/toml_text.h"
#include "spec/train_config_fields.h"

namespace qat {
namespace {

using Field = TrainConfigField;

const Field* FindField(std::string_view name) {
  for (const Field& field : TrainConfigFields()) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

// What a flag's text can mean. A text key takes it as it is, even where it looks like a number.
std::vector<AttributeValue> Readings(const std::string& text) {
  std::vector<AttributeValue> readings = {text};
  if (text == "true" || text == "false") readings.emplace_back(text == "true");
  if (const auto integer = ParseNumber<int64_t>(text)) readings.emplace_back(*integer);
  if (const auto real = ParseNumber<double>(text)) readings.emplace_back(*real);
  return readings;
}

// A list of numbers as a flag has it: "125.3, 123, 113.9".
std::optional<std::string> ListText(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr || list->empty()) return std::nullopt;
  std::vector<std::string> numbers;
  for (const toml::node& element : *list) {
    const std::optional<double> number = element.value<double>();
    if (!number) return std::nullopt;
    numbers.push_back(NumberText(*number));
  }
  return Join(numbers);
}

// Two ways to say the same.
constexpr std::pair<std::string_view, std::string_view> kAlternatives[] = {
    {"steps", "epochs"},
    {"warmup_steps", "warmup_fraction"},
    {"quant_delay", "quant_delay_fraction"},
    {"bn_freeze", "bn_freeze_fraction"},
    {"eval_every", "eval_every_fraction"},
    {"checkpoint_every", "checkpoint_every_fraction"}};

// Zero means that the other one speaks.
void Clear(TrainConfig& config, std::string_view key) {
  if (const Field* field = FindField(key)) {
    if (!field->set(config, int64_t{0})) QAT_CHECK(false);
  }
}

}  // namespace

std::string_view AlternativeOf(std::string_view key) {
  for (const auto& [one, other] : kAlternatives) {
    if (key == one) return other;
    if (key == other) return one;
  }
  return {};
}

Status SetKey(TrainConfig& config, std::string_view key, const std::string& text) {
  std::string name(key);
  std::replace(name.begin(), name.end(), '-', '_');
  const Field* field = FindField(name);
  QAT_CHECK(field != nullptr);
  for (const AttributeValue& reading : Readings(text)) {
    if (!field->set(config, reading)) continue;
    Clear(config, AlternativeOf(name));
    return {};
  }
  return InvalidArgument(StrCat("value '", text, "', expected ", field->expected));
}

std::vector<std::string> TrainConfigKeys() {
  std::vector<std::string> keys;
  for (const Field& field : TrainConfigFields()) keys.push_back(field.name);
  return keys;
}

Expected<TrainConfig> ParseTrainConfig(std::string_view text, const std::string& source, TrainConfig base,
                                       std::set<std::string>* given) {
  QAT_ASSIGN_OR_RETURN(const TomlText parsed, TomlText::Parse(text, source));
  for (const auto& [key, node] : parsed.root()) {
    const Field* field = FindField(key.str());
    if (field == nullptr) {
      std::vector<std::string> known;
      for (const Field& each : TrainConfigFields()) known.push_back(each.name);
      return InvalidArgument(StrCat(parsed.Place(key), ": ", UnknownName("key", key.str(), known)));
    }
    const auto list = field->takes_list ? ListText(node) : std::nullopt;
    const auto value = list ? Expected<AttributeValue>(*list) : ToAttributeValue(node);
    if (!value.ok()) {
      return InvalidArgument(StrCat(parsed.Place(node), ": '", field->name, "' ", value.error().message));
    }
    if (!field->set(base, *value)) {
      return InvalidArgument(StrCat(parsed.Place(node), ": '", field->name, "' ",
                                    keys::Mismatch(*value, field->expected).message));
    }
    const std::string_view other = AlternativeOf(field->name);
    if (!other.empty() && !parsed.root().contains(other)) Clear(base, other);
    if (given != nullptr) given->insert(field->name);
  }
  return base;
}

std::string ToToml(const TrainConfig& config) {
  std::string text;
  for (const Field& field : TrainConfigFields()) text += StrCat(field.name, " = ", field.text(config), "\n");
  return text;
}

std::string PortableToml(const TrainConfig& config) {
  constexpr std::string_view kLocal[] = {"data", "data_cache", "network", "teacher", "threads"};
  std::string text;
  for (const Field& field : TrainConfigFields()) {
    const bool local = std::find(std::begin(kLocal), std::end(kLocal), field.name) != std::end(kLocal);
    if (!local) text += StrCat(field.name, " = ", field.text(config), "\n");
  }
  return text;
}

Status Validate(const TrainConfig& config) {
  if (config.learning_rate == 0) {
    return InvalidArgument("learning-rate is 0, expected more: no parameter would ever change");
  }
  if (config.steps == 0 && config.epochs == 0) {
    return InvalidArgument("steps and epochs are both 0, expected one of them to say how long to train");
  }
  if (config.steps > 0 && config.quant_delay >= config.steps && config.scheme != "float32") {
    return InvalidArgument(
        StrCat("quant-delay is ", config.quant_delay, ", expected less than the ", config.steps,
               " steps: fake quantization would never start (the scheme float32 trains without it)"));
  }
  if (config.quant_delay_fraction >= 1 && config.scheme != "float32") {
    return InvalidArgument("quant-delay-fraction is 1, expected less: fake quantization would never start");
  }
  if (config.filter_ranges == kLearnedRanges) {
    const auto precisions = PrecisionsFromName(config.scheme);
    if (!precisions || !precisions->filters.symmetric) {
      return InvalidArgument(
          StrCat("filter-ranges is learned and scheme is ", config.scheme,
                 ", expected a scheme whose filters are symmetric around 0: int8, int8-per-tensor or w4a8"));
    }
  }
  if (config.activation_ranges == kLearnedRanges && config.scheme == "float32") {
    return InvalidArgument(
        "activation-ranges is learned and scheme is float32, expected a scheme of integers: float32 has no "
        "ranges");
  }
  if (config.steps > 0 && config.warmup_steps > config.steps) {
    return InvalidArgument(
        StrCat("warmup-steps is ", config.warmup_steps, ", expected at most the ", config.steps, " steps"));
  }
  const bool only_rises =
      config.warmup_fraction >= 1 || (config.steps > 0 && config.warmup_steps >= config.steps);
  if (config.schedule == "one-cycle" && only_rises) {
    return InvalidArgument(
        "warmup-steps or warmup-fraction is the whole run, expected less: the learning rate of one-cycle "
        "would never fall");
  }
  if (!config.teacher.empty() && config.teacher_weight == 0) {
    return InvalidArgument("teacher-weight is 0, expected more: nothing would be learned from the teacher");
  }
  if (config.optimizer == "sgd" && config.nesterov && config.momentum == 0) {
    return InvalidArgument("nesterov is true and momentum is 0, expected a momentum above 0, as 0.9");
  }
  return {};
}

std::string BudgetText(int64_t seconds) {
  if (seconds == 0) return "none";
  if (seconds % 3600 == 0) return StrCat(seconds / 3600, "h");
  return seconds % 60 == 0 ? StrCat(seconds / 60, "m") : StrCat(seconds, "s");
}

std::vector<std::string> PresetNames() {
  std::vector<std::string> names = {kAutoPreset};
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (file.folder == "presets") names.emplace_back(file.name);
  }
  return names;
}

Expected<TrainConfig> LoadPreset(std::string_view name) {
  if (name == kAutoPreset) {
    TrainConfig open;
    open.preset = kAutoPreset;
    open.network = kAutoNetwork;
    return open;
  }
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (file.folder != "presets" || file.name != name) continue;
    TrainConfig base;
    base.preset = std::string(name);
    return ParseTrainConfig(file.text, StrCat(name, ".toml"), base);
  }
  return InvalidArgument(
      StrCat(UnknownName("preset", name, PresetNames()), " (expected one of ", Join(PresetNames()), ")"));
}

}  // namespace qat
