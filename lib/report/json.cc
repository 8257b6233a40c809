// The document "qat-report/1", written and read. Field names are binding: docs/report.md,
// schemas/report.schema.json.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "base/printable.h"
#include "base/strings.h"
#include "report/class_figures.h"
#include "report/json_values.h"

namespace qat {
namespace {

constexpr char kSchema[] = "qat-report/1";

Json ToJson(const AccuracyResult& accuracy) {
  return {{"top1", accuracy.top1},
          {"correct", accuracy.correct},
          {"total", accuracy.total},
          {"interval95", ToJson(accuracy.interval)}};
}

Json Percentage(int64_t correct, int64_t total) {
  return total == 0 ? Json() : Json(100.0 * static_cast<double>(correct) / static_cast<double>(total));
}

// top1 of a class without images is null.
Json ClassesOf(const std::vector<ClassCount>& counts) {
  Json classes = Json::array();
  for (size_t label = 0; label < counts.size(); ++label) {
    const ClassCount& count = counts[label];
    classes.push_back({{"label", label},
                       {"top1", Number(RecallOf(count))},
                       {"correct", count.correct},
                       {"total", count.total},
                       {"answers", Number(count.answers)}});
  }
  return classes;
}

Json ToJson(const ClassificationResult& result, int64_t images) {
  Json topk = Json::array();
  for (const auto& [k, correct] : result.topk_correct) {
    topk.push_back({{"k", k}, {"accuracy", Percentage(correct, images)}, {"correct", correct}});
  }
  const std::vector<ClassCount> counts = ClassCountsOf(result);
  return {{"topk", std::move(topk)},
          {"balanced_accuracy", Number(BalancedAccuracyOf(counts))},
          {"classes", ClassesOf(counts)},
          {"confusion", result.confusion.empty() ? Json() : Json(result.confusion)},
          {"calibration_error_pt", Number(result.calibration_error)},
          {"mean_iou", Number(result.mean_iou)}};
}

template <class T>
Json ObjectOf(const std::map<std::string, T>& items) {
  Json object = Json::object();
  for (const auto& [key, value] : items) object[key] = value;
  return object;
}

Json ToJson(const ModelResult& model) {
  return {{"name", model.name},
          {"kind", model.kind},
          {"path", Text(model.path)},
          {"type", model.type},
          {"bytes", Count(model.bytes)},
          {"sha256", Text(model.sha256)},
          {"model_bytes", Count(model.model_bytes)},
          {"arena_bytes", Count(model.arena_bytes)},
          {"accuracy", model.accuracy ? ToJson(*model.accuracy) : Json()},
          {"latency_us", model.latency_us ? ToJson(*model.latency_us) : Json()},
          {"classification", model.classification && model.accuracy
                                 ? ToJson(*model.classification, model.accuracy->total)
                                 : Json()},
          {"regression", model.regression ? ToJson(*model.regression) : Json()},
          {"labels", model.labels ? ToJson(*model.labels) : Json()},
          {"anomaly", model.anomaly ? ToJson(*model.anomaly) : Json()},
          {"provenance", ObjectOf(model.provenance)}};
}

Json ToJson(const TraceLink& link) {
  return {{"what", link.what},       {"expected", Text(link.expected)},
          {"file", Text(link.file)}, {"found", Text(link.found)},
          {"state", link.state},     {"note", Text(link.note)}};
}

// There are none between real numbers.
Json FlipsOf(const PairResult& pair) {
  if (pair.errors) return {};
  return {{"right_to_wrong", pair.right_to_wrong},
          {"wrong_to_right", pair.wrong_to_right},
          {"total", pair.total_flips}};
}

Json ToJson(const PairResult& pair) {
  return {{"a", pair.a},
          {"b", pair.b},
          {"drop_pt", pair.errors ? Json() : Json(pair.drop_pt)},
          {"flips", FlipsOf(pair)},
          {"errors", pair.errors ? ToJson(*pair.errors) : Json()},
          {"max_abs_lsb", Number(pair.max_abs_lsb)},
          {"max_abs_error", Number(pair.max_abs_error)},
          {"max_abs_error_number", pair.max_abs_error_number ? Json(*pair.max_abs_error_number) : Json()},
          {"equal_outputs", Number(pair.equal_outputs)},
          {"drop_interval95", ToJson(pair.drop_interval)},
          {"mcnemar_p", Number(pair.mcnemar_p)},
          {"resolved", pair.mcnemar_p ? Json(pair.resolved()) : Json()},
          {"first_difference", pair.first_difference ? ToJson(*pair.first_difference) : Json()},
          {"speedup", Number(pair.speedup)},
          {"speedup_interval95", ToJson(pair.speedup_interval)}};
}

Json ToJson(const GateResult& gate) {
  return {{"name", gate.name},   {"model", Text(gate.model)}, {"reference", Text(gate.reference)},
          {"limit", gate.limit}, {"value", gate.value},       {"pass", gate.pass},
          {"p", Number(gate.p)}, {"note", Text(gate.note)},   {"subject", Text(gate.subject)},
          {"asked", gate.asked}};
}

Json ToJson(const PictureResult& picture) {
  Json best = Json::array();
  for (const Guess& guess : picture.best) {
    best.push_back(
        {{"label", guess.label}, {"name", Text(guess.name)}, {"probability", Number(guess.probability)}});
  }
  Json json = {{"file", picture.file}, {"best", std::move(best)}};
  for (const NamedNumber& number : picture.numbers)
    json["numbers"].push_back({{"name", Text(number.name)}, {"value", Number(std::optional(number.value))}});
  return json;
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
          {"zero_point", range.zero_point},
          {"histogram", ToJson(range.histogram)}};
}

template <class T>
Json ListOf(const std::vector<T>& items) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(ToJson(item));
  return list;
}

void Read(const Json& json, AccuracyResult& out) {
  ReadField(json, "top1", out.top1);
  ReadField(json, "correct", out.correct);
  ReadField(json, "total", out.total);
  ReadInterval(json, "interval95", out.interval);
}

// What follows from the counts is not read.
void Read(const Json& json, ClassificationResult& out) {
  if (const auto topk = json.find("topk"); topk != json.end()) {
    for (const Json& entry : *topk)
      out.topk_correct[Taken<int32_t>(entry.at("k"))] = Taken<int64_t>(entry.at("correct"));
  }
  ReadField(json, "confusion", out.confusion);
  if (const auto classes = json.find("classes"); classes != json.end()) {
    for (const Json& entry : *classes) {
      ClassCount& count = out.classes.emplace_back();
      ReadField(entry, "correct", count.correct);
      ReadField(entry, "total", count.total);
      ReadField(entry, "answers", count.answers);
    }
  }
  ReadField(json, "calibration_error_pt", out.calibration_error);
  ReadField(json, "mean_iou", out.mean_iou);
  for (const auto& row : out.confusion) {
    if (row.size() != out.confusion.size()) throw std::domain_error("confusion is not square");
  }
  // The matrix knows more than the counts of an earlier version.
  const bool complete = std::all_of(out.classes.begin(), out.classes.end(),
                                    [](const ClassCount& count) { return count.answers.has_value(); });
  if (!complete && !out.confusion.empty()) out.classes.clear();
}

template <class T>
void ReadObject(const Json& json, const char* key, std::optional<T>& out) {
  if (const auto found = json.find(key); found != json.end() && found->is_object())
    Read(*found, out.emplace());
}

void Read(const Json& json, ModelResult& out) {
  ReadField(json, "name", out.name);
  ReadField(json, "kind", out.kind);
  ReadField(json, "path", out.path);
  ReadField(json, "type", out.type);
  ReadField(json, "bytes", out.bytes);
  ReadField(json, "sha256", out.sha256);
  ReadField(json, "model_bytes", out.model_bytes);
  ReadField(json, "arena_bytes", out.arena_bytes);
  ReadObject(json, "accuracy", out.accuracy);
  ReadObject(json, "latency_us", out.latency_us);
  ReadObject(json, "classification", out.classification);
  ReadObject(json, "regression", out.regression);
  ReadObject(json, "labels", out.labels);
  ReadObject(json, "anomaly", out.anomaly);
  ReadField(json, "provenance", out.provenance);
}

void Read(const Json& json, PairResult& out) {
  ReadField(json, "a", out.a);
  ReadField(json, "b", out.b);
  ReadField(json, "drop_pt", out.drop_pt);
  if (const auto flips = json.find("flips"); flips != json.end() && flips->is_object()) {
    ReadField(*flips, "right_to_wrong", out.right_to_wrong);
    ReadField(*flips, "wrong_to_right", out.wrong_to_right);
    ReadField(*flips, "total", out.total_flips);
  }
  ReadField(json, "max_abs_lsb", out.max_abs_lsb);
  ReadField(json, "max_abs_error", out.max_abs_error);
  ReadField(json, "max_abs_error_number", out.max_abs_error_number);
  ReadField(json, "equal_outputs", out.equal_outputs);
  ReadInterval(json, "drop_interval95", out.drop_interval);
  ReadField(json, "mcnemar_p", out.mcnemar_p);
  ReadObject(json, "first_difference", out.first_difference);
  ReadObject(json, "errors", out.errors);
  ReadField(json, "speedup", out.speedup);
  ReadInterval(json, "speedup_interval95", out.speedup_interval);
}

void Read(const Json& json, GateResult& out) {
  ReadField(json, "name", out.name);
  ReadField(json, "model", out.model);
  ReadField(json, "reference", out.reference);
  ReadField(json, "limit", out.limit);
  ReadField(json, "value", out.value);
  ReadField(json, "pass", out.pass);
  ReadField(json, "p", out.p);
  ReadField(json, "note", out.note);
  ReadField(json, "subject", out.subject);
  ReadField(json, "asked", out.asked);
}

void Read(const Json& json, TraceLink& out) {
  ReadField(json, "what", out.what);
  ReadField(json, "expected", out.expected);
  ReadField(json, "file", out.file);
  ReadField(json, "found", out.found);
  ReadField(json, "state", out.state);
  ReadField(json, "note", out.note);
}

void Read(const Json& json, PictureResult& out) {
  ReadField(json, "file", out.file);
  for (const Json& guess : json.at("best")) {
    Guess& read = out.best.emplace_back();
    ReadField(guess, "label", read.label);
    ReadField(guess, "name", read.name);
    ReadField(guess, "probability", read.probability);
  }
  if (!json.contains("numbers")) return;
  for (const Json& number : json.at("numbers")) {
    NamedNumber& read = out.numbers.emplace_back();
    ReadField(number, "name", read.name);
    ReadField(number, "value", read.value);
  }
}

void Read(const Json& json, TrainingCurve& out) {
  ReadField(json, "name", out.name);
  for (const Json& point : json.at("points")) {
    const Json& value = point.at(1);
    out.points.emplace_back(Taken<int64_t>(point.at(0)),
                            value.is_null() ? std::nan("") : value.get<double>());
  }
}

void Read(const Json& json, LayerRange& out) {
  ReadField(json, "layer", out.layer);
  ReadField(json, "min", out.min);
  ReadField(json, "max", out.max);
  ReadField(json, "scale", out.scale);
  ReadField(json, "zero_point", out.zero_point);
  ReadHistogram(json, "histogram", out.histogram);
}

template <class T>
void ReadList(const Json& json, const char* key, std::vector<T>& out) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return;
  for (const Json& item : *found) Read(item, out.emplace_back());
}

Report FromJson(const Json& json) {
  Report report;
  ReadField(json, "tool", report.tool);
  ReadField(json, "version", report.version);
  ReadField(json, "command", report.command);
  ReadField(json, "status", report.status);
  ReadField(json, "exit_code", report.exit_code);
  ReadField(json, "error", report.error);
  if (const auto data = json.find("data"); data != json.end() && data->is_object()) {
    ReadField(*data, "name", report.data_name);
    ReadField(*data, "examples", report.data_examples);
    ReadField(*data, "total", report.data_total);
    report.data_are_images = data->value("images", true);
    ReadField(*data, "notes", report.data_notes);
    ReadField(*data, "sha256", report.data_sha256);
  }
  ReadField(json, "task", report.task);
  ReadField(json, "class_names", report.class_names);
  ReadList(json, "models", report.models);
  ReadList(json, "pairs", report.pairs);
  ReadField(json, "output", report.output);
  if (const auto others = json.find("other_outputs"); others != json.end()) {
    for (const Json& each : *others) {
      Report& own = report.other_outputs.emplace_back();
      ReadField(each, "output", own.output);
      own.data_examples = report.data_examples;
      ReadField(each, "task", own.task);
      ReadField(each, "class_names", own.class_names);
      ReadList(each, "models", own.models);
      ReadList(each, "pairs", own.pairs);
    }
  }
  ReadList(json, "gates", report.gates);
  ReadObject(json, "timing", report.timing);
  ReadList(json, "pictures", report.pictures);
  ReadList(json, "benchmarks", report.benchmarks);
  ReadList(json, "trace", report.trace);
  ReadField(json, "warnings", report.warnings);
  ReadList(json, "curves", report.curves);
  ReadField(json, "quant_delay", report.quant_delay);
  ReadList(json, "ranges", report.ranges);
  ReadList(json, "layers", report.layers);
  ReadList(json, "flipped", report.flipped);
  ReadField(json, "environment", report.environment);
  ReadField(json, "outputs", report.outputs);
  ReadField(json, "metrics", report.metrics);
  return report;
}

// What was found of the outputs after the first; files, times and gates are told once.
Json OtherOutputs(const Report& report) {
  Json list = Json::array();
  for (const Report& each : report.other_outputs) {
    Json models = Json::array();
    for (const ModelResult& model : each.models) {
      Json own = ToJson(model);
      for (const char* key :
           {"path", "bytes", "sha256", "arena_bytes", "latency_us", "provenance", "model_bytes"})
        own.erase(key);
      models.push_back(std::move(own));
    }
    list.push_back({{"output", each.output},
                    {"task", Text(each.task)},
                    {"class_names", each.class_names},
                    {"models", std::move(models)},
                    {"pairs", ListOf(each.pairs)}});
  }
  return list;
}

}  // namespace

std::string ToJson(const Report& report) {
  Json data;
  if (!report.data_name.empty()) {
    data = {{"name", report.data_name},          {"examples", report.data_examples},
            {"total", Count(report.data_total)}, {"images", report.data_are_images},
            {"notes", report.data_notes},        {"sha256", Text(report.data_sha256)}};
  }
  Json json = {{"schema", kSchema},
               {"tool", report.tool},
               {"version", report.version},
               {"command", Text(report.command)},
               {"status", report.status},
               {"exit_code", report.exit_code},
               {"error", Text(report.error)},
               {"data", std::move(data)},
               {"task", Text(report.task)},
               {"class_names", report.class_names},
               {"models", ListOf(report.models)},
               {"pairs", ListOf(report.pairs)},
               {"gates", ListOf(report.gates)},
               {"timing", report.timing ? ToJson(*report.timing) : Json()},
               {"pictures", ListOf(report.pictures)},
               {"benchmarks", ListOf(report.benchmarks)},
               {"trace", ListOf(report.trace)},
               {"warnings", report.warnings},
               {"curves", ListOf(report.curves)},
               {"quant_delay", report.quant_delay < 0 ? Json() : Json(report.quant_delay)},
               {"ranges", ListOf(report.ranges)},
               {"layers", ListOf(report.layers)},
               {"flipped", ListOf(report.flipped)},
               {"environment", ObjectOf(report.environment)},
               {"outputs", ObjectOf(report.outputs)},
               {"metrics", ObjectOf(report.metrics)}};
  if (!report.other_outputs.empty()) {
    json["output"] = report.output;
    json["other_outputs"] = OtherOutputs(report);
  }
  return PrintableJson(json.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
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
