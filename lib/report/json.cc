// The document "qat-report/1", written and read. Field names are binding: docs/report.md,
// schemas/report.schema.json.
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>

#include "base/strings.h"
#include "report/report.h"

namespace qat {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kSchema[] = "qat-report/1";

Json Text(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json Count(int64_t count) { return count <= 0 ? Json() : Json(count); }

template <class T>
Json Number(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json ToJson(const std::optional<Interval>& interval) {
  return interval ? Json::array({interval->low, interval->high}) : Json();
}

Json ToJson(const AccuracyResult& accuracy) {
  return {{"top1", accuracy.top1},
          {"correct", accuracy.correct},
          {"total", accuracy.total},
          {"interval95", ToJson(accuracy.interval)}};
}

// top1 of a class without images is null.
Json Percentage(int64_t correct, int64_t total) {
  return total == 0 ? Json() : Json(100.0 * static_cast<double>(correct) / static_cast<double>(total));
}

Json ToJson(const ClassificationResult& result, int64_t images) {
  Json topk = Json::array(), classes = Json::array();
  for (const auto& [k, correct] : result.topk_correct) {
    topk.push_back({{"k", k}, {"accuracy", Percentage(correct, images)}, {"correct", correct}});
  }
  for (size_t i = 0; i < result.confusion.size(); ++i) {
    const auto& row = result.confusion[i];
    const int64_t total = std::accumulate(row.begin(), row.end(), int64_t{0});
    classes.push_back(
        {{"label", i}, {"top1", Percentage(row[i], total)}, {"correct", row[i]}, {"total", total}});
  }
  return {{"topk", std::move(topk)},
          {"classes", std::move(classes)},
          {"confusion", result.confusion.empty() ? Json() : Json(result.confusion)},
          {"calibration_error_pt", Number(result.calibration_error)}};
}

Json ToJson(const LatencyResult& latency) {
  return {{"min", latency.min},       {"mean", latency.mean},
          {"p50", latency.p50},       {"p90", latency.p90},
          {"p99", latency.p99},       {"runs", latency.runs},
          {"rounds", latency.rounds}, {"total_seconds", latency.total_seconds}};
}

Json ToJson(const ModelResult& model) {
  return {{"name", model.name},
          {"kind", model.kind},
          {"path", Text(model.path)},
          {"type", model.type},
          {"bytes", Count(model.bytes)},
          {"sha256", Text(model.sha256)},
          {"arena_bytes", Count(model.arena_bytes)},
          {"accuracy", model.accuracy ? ToJson(*model.accuracy) : Json()},
          {"latency_us", model.latency_us ? ToJson(*model.latency_us) : Json()},
          {"classification", model.classification && model.accuracy
                                 ? ToJson(*model.classification, model.accuracy->total)
                                 : Json()}};
}

Json ToJson(const PairResult& pair) {
  return {{"a", pair.a},
          {"b", pair.b},
          {"drop_pt", pair.drop_pt},
          {"flips",
           {{"right_to_wrong", pair.right_to_wrong},
            {"wrong_to_right", pair.wrong_to_right},
            {"total", pair.total_flips}}},
          {"max_abs_lsb", Number(pair.max_abs_lsb)},
          {"max_abs_error", Number(pair.max_abs_error)},
          {"drop_interval95", ToJson(pair.drop_interval)},
          {"mcnemar_p", Number(pair.mcnemar_p)},
          {"resolved", pair.mcnemar_p ? Json(pair.resolved()) : Json()},
          {"speedup", Number(pair.speedup)},
          {"speedup_interval95", ToJson(pair.speedup_interval)}};
}

Json ToJson(const GateResult& gate) {
  return {{"name", gate.name},   {"model", Text(gate.model)}, {"reference", Text(gate.reference)},
          {"limit", gate.limit}, {"value", gate.value},       {"pass", gate.pass},
          {"p", Number(gate.p)}, {"note", Text(gate.note)}};
}

Json ToJson(const PictureResult& picture) {
  Json best = Json::array();
  for (const Guess& guess : picture.best) {
    best.push_back(
        {{"label", guess.label}, {"name", Text(guess.name)}, {"probability", Number(guess.probability)}});
  }
  return {{"file", picture.file}, {"best", std::move(best)}};
}

Json ToJson(const TrainingCurve& curve) {
  Json points = Json::array();
  for (const auto& [step, value] : curve.points) points.push_back(Json::array({step, value}));
  return {{"name", curve.name}, {"points", std::move(points)}};
}

Json ToJson(const LayerRange& range) {
  return {{"layer", range.layer},
          {"min", range.min},
          {"max", range.max},
          {"scale", range.scale},
          {"zero_point", range.zero_point}};
}

template <class T>
Json ListOf(const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(ToJson(item));
  return list;
}

template <class T>
Json ObjectOf(const std::map<std::string, T>& items) {
  Json object = Json::object();
  for (const auto& [key, value] : items) object[key] = value;
  return object;
}

// Reading. A null or absent field leaves its default; one of another type throws, which ParseReport catches.

template <class T>
void Read(const Json& object, const char* key, T& out) {
  if (const auto found = object.find(key); found != object.end() && !found->is_null()) out = found->get<T>();
}

template <class T>
void Read(const Json& object, const char* key, std::optional<T>& out) {
  if (const auto found = object.find(key); found != object.end() && !found->is_null()) out = found->get<T>();
}

void ReadInterval(const Json& json, const char* key, std::optional<Interval>& out) {
  if (const auto found = json.find(key); found != json.end() && !found->is_null())
    out = Interval{found->at(0).get<double>(), found->at(1).get<double>()};
}

void Read(const Json& json, AccuracyResult& out) {
  Read(json, "top1", out.top1);
  Read(json, "correct", out.correct);
  Read(json, "total", out.total);
  ReadInterval(json, "interval95", out.interval);
}

// What follows from the confusion matrix and the counts is not read.
void Read(const Json& json, ClassificationResult& out) {
  if (const auto topk = json.find("topk"); topk != json.end()) {
    for (const Json& entry : *topk)
      out.topk_correct[entry.at("k").get<int32_t>()] = entry.at("correct").get<int64_t>();
  }
  Read(json, "confusion", out.confusion);
  Read(json, "calibration_error_pt", out.calibration_error);
  for (const auto& row : out.confusion) {
    if (row.size() != out.confusion.size()) throw std::domain_error("confusion is not square");
  }
}

void Read(const Json& json, LatencyResult& out) {
  Read(json, "min", out.min);
  Read(json, "mean", out.mean);
  Read(json, "p50", out.p50);
  Read(json, "p90", out.p90);
  Read(json, "p99", out.p99);
  Read(json, "runs", out.runs);
  Read(json, "rounds", out.rounds);
  Read(json, "total_seconds", out.total_seconds);
}

template <class T>
void ReadObject(const Json& json, const char* key, std::optional<T>& out) {
  if (const auto found = json.find(key); found != json.end() && found->is_object())
    Read(*found, out.emplace());
}

void Read(const Json& json, ModelResult& out) {
  Read(json, "name", out.name);
  Read(json, "kind", out.kind);
  Read(json, "path", out.path);
  Read(json, "type", out.type);
  Read(json, "bytes", out.bytes);
  Read(json, "sha256", out.sha256);
  Read(json, "arena_bytes", out.arena_bytes);
  ReadObject(json, "accuracy", out.accuracy);
  ReadObject(json, "latency_us", out.latency_us);
  ReadObject(json, "classification", out.classification);
}

void Read(const Json& json, PairResult& out) {
  Read(json, "a", out.a);
  Read(json, "b", out.b);
  Read(json, "drop_pt", out.drop_pt);
  if (const auto flips = json.find("flips"); flips != json.end()) {
    Read(*flips, "right_to_wrong", out.right_to_wrong);
    Read(*flips, "wrong_to_right", out.wrong_to_right);
    Read(*flips, "total", out.total_flips);
  }
  Read(json, "max_abs_lsb", out.max_abs_lsb);
  Read(json, "max_abs_error", out.max_abs_error);
  ReadInterval(json, "drop_interval95", out.drop_interval);
  Read(json, "mcnemar_p", out.mcnemar_p);
  Read(json, "speedup", out.speedup);
  ReadInterval(json, "speedup_interval95", out.speedup_interval);
}

void Read(const Json& json, GateResult& out) {
  Read(json, "name", out.name);
  Read(json, "model", out.model);
  Read(json, "reference", out.reference);
  Read(json, "limit", out.limit);
  Read(json, "value", out.value);
  Read(json, "pass", out.pass);
  Read(json, "p", out.p);
  Read(json, "note", out.note);
}

void Read(const Json& json, PictureResult& out) {
  Read(json, "file", out.file);
  for (const Json& guess : json.at("best")) {
    Guess& read = out.best.emplace_back();
    Read(guess, "label", read.label);
    Read(guess, "name", read.name);
    Read(guess, "probability", read.probability);
  }
}

void Read(const Json& json, TrainingCurve& out) {
  Read(json, "name", out.name);
  for (const Json& point : json.at("points")) {
    const Json& value = point.at(1);
    out.points.emplace_back(point.at(0).get<int64_t>(), value.is_null() ? std::nan("") : value.get<double>());
  }
}

void Read(const Json& json, LayerRange& out) {
  Read(json, "layer", out.layer);
  Read(json, "min", out.min);
  Read(json, "max", out.max);
  Read(json, "scale", out.scale);
  Read(json, "zero_point", out.zero_point);
}

template <class T>
void ReadList(const Json& json, const char* key, std::vector<T>& out) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return;
  for (const Json& item : *found) Read(item, out.emplace_back());
}

Report FromJson(const Json& json) {
  Report report;
  Read(json, "tool", report.tool);
  Read(json, "version", report.version);
  Read(json, "status", report.status);
  Read(json, "exit_code", report.exit_code);
  Read(json, "error", report.error);
  if (const auto data = json.find("data"); data != json.end() && data->is_object()) {
    Read(*data, "name", report.data_name);
    Read(*data, "examples", report.data_examples);
    Read(*data, "sha256", report.data_sha256);
  }
  Read(json, "class_names", report.class_names);
  ReadList(json, "models", report.models);
  ReadList(json, "pairs", report.pairs);
  ReadList(json, "gates", report.gates);
  ReadList(json, "pictures", report.pictures);
  Read(json, "warnings", report.warnings);
  ReadList(json, "curves", report.curves);
  Read(json, "quant_delay", report.quant_delay);
  ReadList(json, "ranges", report.ranges);
  Read(json, "environment", report.environment);
  Read(json, "outputs", report.outputs);
  Read(json, "metrics", report.metrics);
  return report;
}

}  // namespace

std::string ToJson(const Report& report) {
  Json data;
  if (!report.data_name.empty()) {
    data = {
        {"name", report.data_name}, {"examples", report.data_examples}, {"sha256", Text(report.data_sha256)}};
  }
  const Json json = {{"schema", kSchema},
                     {"tool", report.tool},
                     {"version", report.version},
                     {"status", report.status},
                     {"exit_code", report.exit_code},
                     {"error", Text(report.error)},
                     {"data", std::move(data)},
                     {"class_names", report.class_names},
                     {"models", ListOf(report.models)},
                     {"pairs", ListOf(report.pairs)},
                     {"gates", ListOf(report.gates)},
                     {"pictures", ListOf(report.pictures)},
                     {"warnings", report.warnings},
                     {"curves", ListOf(report.curves)},
                     {"quant_delay", report.quant_delay < 0 ? Json() : Json(report.quant_delay)},
                     {"ranges", ListOf(report.ranges)},
                     {"environment", ObjectOf(report.environment)},
                     {"outputs", ObjectOf(report.outputs)},
                     {"metrics", ObjectOf(report.metrics)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Expected<Report> ParseReport(std::string_view text, const std::string& source) {
  try {
    const Json json = Json::parse(text);
    const std::string schema = json.is_object() ? json.value("schema", "") : "";
    if (schema.empty())
      return Corrupt(StrCat(source, ": has no field \"schema\", expected a report (", kSchema, ")"));
    if (schema != kSchema)
      return Unsupported(StrCat(source, ": schema is '", schema, "', expected '", kSchema, "'"));
    return FromJson(json);
  } catch (const nlohmann::json::parse_error& error) {
    return Corrupt(
        StrCat(source, ": is no JSON at byte ", error.byte, ", expected a report (", kSchema, ")"));
  } catch (const nlohmann::json::exception& error) {
    return Corrupt(StrCat(source, ": a field has another type than in ", kSchema, " (", error.what(), ")"));
  } catch (const std::domain_error& error) {
    return Corrupt(StrCat(source, ": ", error.what()));
  }
}

}  // namespace qat
