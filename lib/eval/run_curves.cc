#include "eval/run_curves.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/strings.h"

namespace qat {
namespace {

using nlohmann::json;

void AddPoint(const std::string& name, int64_t step, const json& event, const char* key, RunCurves& run) {
  const auto value = event.find(key);
  if (value == event.end()) return;
  for (TrainingCurve& curve : run.curves) {
    if (curve.name != name) continue;
    curve.points.emplace_back(step, value->is_null() ? std::nan("") : value->get<double>());
    return;
  }
  run.curves.push_back({name, {}});
  AddPoint(name, step, event, key, run);
}

void AddEvent(const json& event, RunCurves& run) {
  const auto kind = event.at("event").get<std::string>();
  const auto step = event.at("step").get<int64_t>();
  if (kind == "quantize") run.quant_delay = step;
  if (kind == "train") {
    AddPoint("loss", step, event, "loss", run);
    AddPoint("training_accuracy", step, event, "training_accuracy", run);
  }
  if (kind == "eval") {
    const auto split = event.at("split").get<std::string>();
    AddPoint(split + "_loss", step, event, "loss", run);
    AddPoint(split + "_accuracy", step, event, "accuracy", run);
  }
}

}  // namespace

Expected<RunCurves> ParseRunCurves(std::string_view text, const std::string& source) {
  RunCurves run;
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

Expected<RunCurves> ReadRunCurves(const std::string& run) {
  const std::string path = JoinPath(run, "metrics.ndjson");
  if (!IsDirectory(run) || !FileExists(path)) return RunCurves();
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kLargestLog));
  return ParseRunCurves(text, path);
}

}  // namespace qat
