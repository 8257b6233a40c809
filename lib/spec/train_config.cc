#include "spec/train_config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>

#include "base/file.h"
#include "base/strings.h"
#include "ops/keys.h"
#include "spec/embedded.h"
#include "spec/toml_text.h"

namespace qat {
namespace {

// One key: how it is read, checked and written. The table below is the only list of keys.
struct Field {
  std::string name;
  std::string expected;
  std::function<bool(TrainConfig&, const AttributeValue&)> set;  // false: not what is expected
  std::function<std::string(const TrainConfig&)> text;
  bool takes_list = false;  // of numbers, which `set` gets as the text that a flag has
};

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// TOML tells integers from reals by the point.
std::string RealText(double value) {
  std::string text = NumberText(value);
  if (text.find_first_of(".eni") == std::string::npos) text += ".0";
  return text;
}

Field TextField(std::string name, std::string TrainConfig::*member, std::vector<std::string> allowed = {}) {
  std::vector<std::string> quoted;
  for (const std::string& value : allowed) quoted.push_back(Quoted(value));
  return {name, allowed.empty() ? "a text" : Join(quoted, " or "),
          [=](TrainConfig& config, const AttributeValue& value) {
            const auto* text = std::get_if<std::string>(&value);
            if (text == nullptr) return false;
            if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), *text) == allowed.end())
              return false;
            config.*member = *text;
            return true;
          },
          [=](const TrainConfig& config) { return Quoted(config.*member); }};
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
    double number = 0;
    const char* end = piece.data() + piece.size();
    const auto read = std::from_chars(piece.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end) return {};
    numbers.push_back(number);
  }
  return numbers;
}

Field ChannelField(std::string name, ChannelNumbers TrainConfig::*member, double low, double high) {
  return {
      name,
      StrCat("a number in [", low, ", ", high, "], a list of them, one a channel, or \"", kOfDataset, "\""),
      [=](TrainConfig& config, const AttributeValue& value) {
        std::vector<double> numbers;
        if (const auto* integer = std::get_if<int64_t>(&value)) numbers = {static_cast<double>(*integer)};
        if (const auto* real = std::get_if<double>(&value)) numbers = {*real};
        const auto* text = std::get_if<std::string>(&value);
        if (text != nullptr) numbers = NumbersOf(*text);
        const bool in_range =
            std::all_of(numbers.begin(), numbers.end(), [=](double x) { return x >= low && x <= high; });
        if (!in_range || (numbers.empty() && (text == nullptr || *text != kOfDataset))) return false;
        (config.*member).values = std::move(numbers);
        return true;
      },
      [=](const TrainConfig& config) {
        const std::vector<double>& values = (config.*member).values;
        if (values.empty()) return Quoted(std::string(kOfDataset));
        if (values.size() == 1) return RealText(values[0]);
        std::vector<std::string> texts;
        for (const double x : values) texts.push_back(RealText(x));
        return StrCat("[", Join(texts), "]");
      },
      /*takes_list=*/true};
}

Field HoldoutField(int64_t high) {
  constexpr std::string_view kAuto = "auto";
  Field field = IntegerField("holdout", &TrainConfig::holdout, 0, high);
  field.expected += StrCat(" or \"", kAuto, "\"");
  field.set = [number = field.set, kAuto](TrainConfig& config, const AttributeValue& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || *text != kAuto) return number(config, value);
    config.holdout = kAutomaticHoldout;
    return true;
  };
  field.text = [number = field.text, kAuto](const TrainConfig& config) {
    return config.holdout == kAutomaticHoldout ? Quoted(std::string(kAuto)) : number(config);
  };
  return field;
}

const std::vector<Field>& Fields() {
  using C = TrainConfig;
  constexpr int64_t kMany = int64_t{1} << 62;
  static const std::vector<Field> kFields = {
      TextField("preset", &C::preset),
      TextField("network", &C::network),
      RealField("width", &C::width, 0, 16),
      IntegerField("resolution", &C::resolution, 0, 65536),
      IntegerField("classes", &C::classes, 0, 1 << 20),
      TextField("data", &C::data),
      IntegerField("data_cache", &C::data_cache, 0, int64_t{1} << 30),
      ChannelField("mean", &C::mean, -1000, 1000),
      ChannelField("std", &C::std, 0.001, 1000),
      TextField("scheme", &C::scheme, {"uint8", "int8", "float32"}),
      IntegerField("steps", &C::steps, 0, kMany),
      RealField("epochs", &C::epochs, 0, 1e6),
      IntegerField("batch_size", &C::batch_size, 1, 65536),
      TextField("optimizer", &C::optimizer, {"adam", "sgd"}),
      RealField("learning_rate", &C::learning_rate, 0, 100),
      TextField("schedule", &C::schedule, {"constant", "cosine"}),
      IntegerField("warmup_steps", &C::warmup_steps, 0, kMany),
      RealField("weight_decay", &C::weight_decay, 0, 10),
      RealField("label_smoothing", &C::label_smoothing, 0, 0.9),
      IntegerField("shift_pixels", &C::shift_pixels, 0, 1024),
      FlagField("flip", &C::flip),
      IntegerField("cutout", &C::cutout, 0, 1024),
      RealField("rotate_degrees", &C::rotate_degrees, 0, 180),
      RealField("scale_percent", &C::scale_percent, 0, 90),
      IntegerField("quant_delay", &C::quant_delay, 0, kMany),
      RealField("quant_delay_fraction", &C::quant_delay_fraction, 0, 1),
      IntegerField("bn_freeze", &C::bn_freeze, 0, kMany),
      RealField("bn_freeze_fraction", &C::bn_freeze_fraction, 0, 1),
      RealField("ema_decay", &C::ema_decay, 0, 0.9999999),
      RealField("freeze_ranges_fraction", &C::freeze_ranges_fraction, 0, 1),
      RealField("weight_average_decay", &C::weight_average_decay, 0, 0.9999999),
      HoldoutField(kMany),
      IntegerField("log_every", &C::log_every, 1, kMany),
      IntegerField("eval_every", &C::eval_every, 0, kMany),
      IntegerField("checkpoint_every", &C::checkpoint_every, 0, kMany),
      IntegerField("seed", &C::seed, 0, kMany),
      IntegerField("threads", &C::threads, 0, 4096),
  };
  return kFields;
}

const Field* FindField(std::string_view name) {
  for (const Field& field : Fields()) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

// What a flag's text can mean. A text key takes it as it is, even where it looks like a number.
std::vector<AttributeValue> Readings(const std::string& text) {
  std::vector<AttributeValue> readings = {text};
  if (text == "true" || text == "false") readings.emplace_back(text == "true");
  const char* end = text.data() + text.size();
  int64_t integer = 0;
  if (const auto read = std::from_chars(text.data(), end, integer);
      read.ec == std::errc() && read.ptr == end) {
    readings.emplace_back(integer);
  }
  double real = 0;
  if (const auto read = std::from_chars(text.data(), end, real); read.ec == std::errc() && read.ptr == end) {
    readings.emplace_back(real);
  }
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

void ClearAlternative(TrainConfig& config, std::string_view key) {
  if (key == "steps") config.epochs = 0;
  if (key == "epochs") config.steps = 0;
  if (key == "quant_delay") config.quant_delay_fraction = 0;
  if (key == "quant_delay_fraction") config.quant_delay = 0;
  if (key == "bn_freeze") config.bn_freeze_fraction = 0;
  if (key == "bn_freeze_fraction") config.bn_freeze = 0;
}

}  // namespace

Status SetKey(TrainConfig& config, std::string_view key, const std::string& text) {
  std::string name(key);
  std::replace(name.begin(), name.end(), '-', '_');
  const Field* field = FindField(name);
  QAT_CHECK(field != nullptr);
  for (const AttributeValue& reading : Readings(text)) {
    if (!field->set(config, reading)) continue;
    ClearAlternative(config, name);
    return {};
  }
  return InvalidArgument(StrCat("value '", text, "', expected ", field->expected));
}

std::vector<std::string> TrainConfigKeys() {
  std::vector<std::string> keys;
  for (const Field& field : Fields()) keys.push_back(field.name);
  return keys;
}

Expected<TrainConfig> ParseTrainConfig(std::string_view text, const std::string& source, TrainConfig base) {
  QAT_ASSIGN_OR_RETURN(const TomlText parsed, TomlText::Parse(text, source));
  for (const auto& [key, node] : parsed.root()) {
    const Field* field = FindField(key.str());
    if (field == nullptr) {
      std::vector<std::string> known;
      for (const Field& each : Fields()) known.push_back(each.name);
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
  }
  return base;
}

std::string ToToml(const TrainConfig& config) {
  std::string text;
  for (const Field& field : Fields()) text += StrCat(field.name, " = ", field.text(config), "\n");
  return text;
}

std::string PortableToml(const TrainConfig& config) {
  constexpr std::string_view kLocal[] = {"data", "data_cache", "network", "threads"};
  std::string text;
  for (const Field& field : Fields()) {
    const bool local = std::find(std::begin(kLocal), std::end(kLocal), field.name) != std::end(kLocal);
    if (!local) text += StrCat(field.name, " = ", field.text(config), "\n");
  }
  return text;
}

Status Validate(const TrainConfig& config) {
  if (config.steps == 0 && config.epochs == 0) {
    return InvalidArgument("steps and epochs are both 0, expected one of them to say how long to train");
  }
  if (config.steps > 0 && config.quant_delay >= config.steps && config.scheme != "float32") {
    return InvalidArgument(
        StrCat("quant-delay is ", config.quant_delay, ", expected less than the ", config.steps,
               " steps: fake quantization would never start (--scheme float32 trains without it)"));
  }
  if (config.quant_delay_fraction >= 1 && config.scheme != "float32") {
    return InvalidArgument("quant-delay-fraction is 1, expected less: fake quantization would never start");
  }
  if (config.steps > 0 && config.warmup_steps > config.steps) {
    return InvalidArgument(
        StrCat("warmup-steps is ", config.warmup_steps, ", expected at most the ", config.steps, " steps"));
  }
  return {};
}

std::vector<std::string> PresetNames() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : EmbeddedFiles()) {
    if (file.folder == "presets") names.emplace_back(file.name);
  }
  return names;
}

Expected<TrainConfig> LoadPreset(std::string_view name) {
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
