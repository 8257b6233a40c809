// json_values.h: how values of the report become JSON and come back. For .cc files of this layer.
#ifndef QAT_REPORT_JSON_VALUES_H_
#define QAT_REPORT_JSON_VALUES_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "report/report.h"

namespace qat {

using Json = nlohmann::ordered_json;

inline Json Text(const std::string& text) { return text.empty() ? Json() : Json(text); }

inline Json Count(int64_t count) { return count <= 0 ? Json() : Json(count); }

template <class T>
Json Number(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

inline Json ToJson(const std::optional<Interval>& interval) {
  return interval ? Json::array({interval->low, interval->high}) : Json();
}

// Reading. A null or absent field leaves its default; one of another type, or a number that T does not hold,
// throws, which ParseReport catches.

template <class T>
void Take(const Json& value, T& out) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    const auto fits = [](auto number) { return std::in_range<T>(number); };
    const bool whole = value.is_number_unsigned()  ? fits(value.get<uint64_t>())
                       : value.is_number_integer() ? fits(value.get<int64_t>())
                                                   : !value.is_number();
    if (!whole) throw std::domain_error(value.dump() + " is out of place, expected a whole number");
  }
  out = value.get<T>();
}

template <class T>
void Take(const Json& value, std::vector<T>& out) {
  out.clear();
  for (const Json& each : value.get_ref<const Json::array_t&>()) Take(each, out.emplace_back());
}

template <class T>
T Taken(const Json& value) {
  T taken;
  Take(value, taken);
  return taken;
}

template <class T>
void ReadField(const Json& object, const char* key, T& out) {
  if (const auto found = object.find(key); found != object.end() && !found->is_null()) Take(*found, out);
}

template <class T>
void ReadField(const Json& object, const char* key, std::optional<T>& out) {
  if (const auto found = object.find(key); found != object.end() && !found->is_null()) out = Taken<T>(*found);
}

inline void ReadInterval(const Json& json, const char* key, std::optional<Interval>& out) {
  if (const auto found = json.find(key); found != json.end() && !found->is_null())
    out = Interval{found->at(0).get<double>(), found->at(1).get<double>()};
}

// report/layer_json.cc.
Json ToJson(const std::optional<Histogram>& histogram);
void ReadHistogram(const Json& json, const char* key, std::optional<Histogram>& out);
Json ToJson(const LayerDifference& difference);
void Read(const Json& json, LayerDifference& out);
Json ToJson(const FlippedImage& flipped);
void Read(const Json& json, FlippedImage& out);
Json ToJson(const LayerError& error);
void Read(const Json& json, LayerError& out);

// report/regression_json.cc.
Json ToJson(const RegressionResult& result);
void Read(const Json& json, RegressionResult& out);
Json ToJson(const ErrorComparison& errors);
void Read(const Json& json, ErrorComparison& out);

// report/labels_json.cc.
Json ToJson(const LabelsResult& result);
void Read(const Json& json, LabelsResult& out);
Json ToJson(const AnomalyResult& result);
void Read(const Json& json, AnomalyResult& out);

// report/benchmark_json.cc.
Json ToJson(const LatencyResult& latency);
void Read(const Json& json, LatencyResult& out);
Json ToJson(const TimingConditions& timing);
void Read(const Json& json, TimingConditions& out);
Json ToJson(const BenchmarkResult& result);
void Read(const Json& json, BenchmarkResult& out);

}  // namespace qat

#endif  // QAT_REPORT_JSON_VALUES_H_
