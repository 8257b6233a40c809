#include "eval/gate_limits.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/strings.h"

namespace qat {
namespace {

// "7", "cat=7": the number after the last "=", and the name before it.
struct NamedNumber {
  std::string name, number;
};

NamedNumber SplitNamed(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

// Of 0 to `most`.
template <class T>
std::optional<T> NumberIn(const std::string& text, T most) {
  const std::optional<T> number = ParseNumber<T>(text);
  return number && *number >= 0 && *number <= most ? number : std::nullopt;
}

}  // namespace

bool GateLimits::Has(std::optional<double> GateLimits::*limit) const {
  if ((this->*limit).has_value()) return true;
  return std::any_of(of_outputs.begin(), of_outputs.end(),
                     [=](const OutputLimit& each) { return each.limit == limit; });
}

Status ParseAnswerLimit(std::string_view field, const std::string& text, GateLimits& limits) {
  constexpr std::pair<std::string_view, std::optional<double> GateLimits::*> kFields[] = {
      {"min_accuracy", &GateLimits::min_accuracy},
      {"max_drop", &GateLimits::max_drop},
      {"min_balanced_accuracy", &GateLimits::min_balanced_accuracy},
      {"max_error_rise", &GateLimits::max_error_rise},
      {"min_auc", &GateLimits::min_auc},
      {"min_f1", &GateLimits::min_f1},
      {"min_iou", &GateLimits::min_iou}};
  const auto* found = std::find_if(std::begin(kFields), std::end(kFields),
                                   [=](const auto& each) { return each.first == field; });
  QAT_CHECK(found != std::end(kFields));
  const auto [output, number] = SplitNamed(text);
  const std::optional<double> limit = ParseNumber<double>(number);
  if (!limit || !std::isfinite(*limit)) {
    return InvalidArgument(
        StrCat("`", field, "`: value '", text,
               "', expected a number, or of a model with several outputs OUTPUT=NUMBER as in kind=90"));
  }
  if (output.empty()) {
    limits.*found->second = *limit;
  } else {
    limits.of_outputs.push_back({output, found->second, *limit});
  }
  return {};
}

Status ParseMaxFlips(const std::string& text, GateLimits& limits) {
  const auto [name, number] = SplitNamed(text);
  const auto limit = NumberIn(number, std::numeric_limits<int64_t>::max());
  if (!limit) {
    return InvalidArgument(
        StrCat("`max_flips`: value '", text, "', expected a number, or ROW=NUMBER as in simulated=0"));
  }
  limits.max_flips = limit;
  limits.flips_against = name;
  return {};
}

namespace {

Status ParseRatio(const char* flag, const std::string& text, std::optional<double>& limit,
                  std::string& against) {
  const auto [name, number] = SplitNamed(text);
  limit = NumberIn(number, std::numeric_limits<double>::max());
  against = name;
  if (limit && *limit > 0) return {};
  return InvalidArgument(
      StrCat(flag, ": value '", text, "', expected a ratio above 0, or ROW=RATIO as in old.tflite=1.02"));
}

}  // namespace

Status ParseMinSpeedup(const std::string& text, GateLimits& limits) {
  return ParseRatio("`min_speedup`", text, limits.min_speedup, limits.speedup_against);
}

Status ParseMaxLatencyRatio(const std::string& text, GateLimits& limits) {
  return ParseRatio("`max_latency_ratio`", text, limits.max_latency_ratio, limits.ratio_against);
}

Status ParseMinRecall(const std::string& text, GateLimits& limits) {
  const auto [name, number] = SplitNamed(text);
  const auto limit = NumberIn(number, 100.0);
  if (!limit) {
    return InvalidArgument(StrCat("`min_recall`: value '", text,
                                  "', expected a percentage of 0 to 100, or CLASS=PERCENTAGE as in cat=90"));
  }
  limits.min_recall.push_back({name, *limit});
  return {};
}

Status ParseMaxRmse(const std::string& text, GateLimits& limits) {
  const auto [name, number] = SplitNamed(text);
  const auto limit = NumberIn(number, std::numeric_limits<double>::max());
  constexpr int32_t kNoIndex = std::numeric_limits<int32_t>::max();  // a name
  const int32_t index = name.empty() ? 0 : NumberIn(name, 1000000).value_or(kNoIndex);
  if (!limit) {
    return InvalidArgument(
        StrCat("`max_rmse`: value '", text, "', expected a number of 0 or more, or NAME=NUMBER as in 1=0.5"));
  }
  if (name.empty()) {
    limits.max_rmse = *limit;
  } else {
    limits.max_target_rmse.push_back({index, *limit, name});
  }
  return {};
}

}  // namespace qat
