#include "eval/run_curves.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/strings.h"

namespace qat {
namespace {

using nlohmann::json;

/// Errors: an exception of the JSON library's, as for a text.
int64_t WholeNumber(const json& value) {
  if (!value.is_number_unsigned()) return value.get_ref<const json::number_integer_t&>();
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(std::min(value.get<uint64_t>(), kMost));
}

int64_t WholeNumberOr(const json& event, const char* key, int64_t otherwise) {
  const auto value = event.find(key);
  return value == event.end() ? otherwise : WholeNumber(*value);
}

double NumberOr(const json& event, const char* key, double otherwise) {
  const auto value = event.find(key);
  return value == event.end() || value->is_null() ? otherwise : value->get<double>();
}

void AddPoint(const std::string& name, int64_t step, const json& event, const char* key,
              std::vector<TrainingCurve>& curves) {
  if (!event.contains(key)) return;
  const auto known = std::find_if(curves.begin(), curves.end(),
                                  [&](const TrainingCurve& curve) { return curve.name == name; });
  TrainingCurve& curve = known == curves.end() ? curves.emplace_back(TrainingCurve{name, {}}) : *known;
  curve.points.emplace_back(step, NumberOr(event, key, std::nan("")));
}

void AddRange(int64_t step, const json& event, std::vector<RangeCurve>& curves) {
  const auto tensor = event.at("layer").get<std::string>();
  const auto known = std::find_if(curves.begin(), curves.end(),
                                  [&](const RangeCurve& curve) { return curve.tensor == tensor; });
  RangeCurve& curve = known == curves.end() ? curves.emplace_back(RangeCurve{tensor, {}}) : *known;
  curve.points.push_back({step, event.at("min").get<double>(), event.at("max").get<double>(),
                          NumberOr(event, "clipped", std::nan(""))});
}

void AddStart(const json& event, RunRecord& run) {
  run.steps = WholeNumberOr(event, "steps", 0);
  run.batch_size = WholeNumberOr(event, "batch_size", 0);
  run.scheme = event.value("scheme", std::string());
}

void AddEnd(const json& event, RunRecord& run) {
  run.ended = true;
  run.best_step = WholeNumberOr(event, "best_step", -1);
  run.best_accuracy = NumberOr(event, "best_accuracy", std::nan(""));
}

void AddEvent(const json& event, RunRecord& run) {
  const auto kind = event.at("event").get<std::string>();
  const auto step = WholeNumber(event.at("step"));
  run.last_step = std::max(run.last_step, step);
  if (kind == "start") AddStart(event, run);
  if (kind == "end") AddEnd(event, run);
  if (kind == "quantize") run.quant_delay = step;
  if (kind == "freeze_batch_norm") run.batch_norm_freeze = step;
  if (kind == "range") AddRange(step, event, run.ranges);
  if (kind == "warning") run.warnings.emplace_back(step, event.at("text").get<std::string>());
  if (kind == "train") {
    AddPoint("loss", step, event, "loss", run.curves);
    AddPoint("training_accuracy", step, event, "training_accuracy", run.curves);
    AddPoint("learning_rate", step, event, "learning_rate", run.pace);
    AddPoint("gradient_norm", step, event, "gradient_norm", run.pace);
  }
  if (kind == "eval") {
    const auto split = event.at("split").get<std::string>();
    AddPoint(split + "_loss", step, event, "loss", run.curves);
    AddPoint(split + "_accuracy", step, event, "accuracy", run.curves);
  }
}

}  // namespace

Expected<RunRecord> ParseRunCurves(std::string_view text, const std::string& source) {
  RunRecord run;
  int64_t line_number = 0;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    if (end == std::string_view::npos) break;
    ++line_number;
    try {
      AddEvent(json::parse(text.substr(start, end - start)), run);
    } catch (const json::exception& error) {
      return Corrupt(StrCat(source, ":", line_number,
                            ": is no event, expected a JSON object with \"event\" and \"step\" (",
                            error.what(), ")"));
    }
    start = end + 1;
  }
  return run;
}

Expected<RunRecord> ReadRunCurves(const std::string& run) {
  const std::string path = JoinPath(run, "metrics.ndjson");
  if (!IsDirectory(run) || !FileExists(path)) return RunRecord();
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kLargestLog));
  return ParseRunCurves(text, path);
}

Expected<RunRecord> ReadRunRecord(const std::string& run) {
  const std::string path = JoinPath(run, "metrics.ndjson");
  if (!FileExists(path)) {
    return NotFound(StrCat(
        path, ": does not exist, expected the directory of a training run, which qat-train writes with -o"));
  }
  return ReadRunCurves(run);
}

}  // namespace qat
