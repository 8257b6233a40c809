#include <nlohmann/json.hpp>

#include "debug/print.h"

namespace qat {
namespace {

using Json = nlohmann::ordered_json;

Json Number(const std::optional<double>& value) { return value ? Json(*value) : Json(); }
Json RangeJson(const std::optional<Range>& range) {
  return range ? Json::array({range->min, range->max}) : Json();
}

Json ToJson(const LayerDiagnosis& layer, size_t rank) {
  Json json = {{"layer", layer.layer.name},
               {"operator", layer.layer.op},
               {"tensor", layer.tensor},
               {"rank", rank},
               {"output_sqnr_db", Number(layer.output_sqnr_db)},
               {"own_sqnr_db", Number(layer.own_sqnr_db)},
               {"sqnr_db", Number(layer.sqnr_db)},
               {"only_this_loss", Number(layer.only_loss)},
               {"without_this_loss", Number(layer.float_loss)},
               {"range", RangeJson(layer.range)},
               {"observed", RangeJson(layer.observed)},
               {"clipped", layer.clipped},
               {"range_used", layer.range_used},
               {"channels", layer.channels},
               {"coarse_channels", layer.coarse_channels}};
  json["filter"] = layer.filter ? Json{{"channels", layer.filter->channels},
                                       {"coarse_channels", layer.filter->coarse_channels},
                                       {"least_steps", layer.filter->least_steps}}
                                : Json();
  json["histogram"] = layer.histogram ? Json{{"low", layer.histogram->low},
                                             {"high", layer.histogram->high},
                                             {"counts", layer.histogram->counts}}
                                      : Json();
  return json;
}

Json ToJson(const DebugSummary& summary, const Suggestion& suggestion) {
  Json json = {{"met", suggestion.met},
               {"limit", summary.max_loss},
               {"loss_before", suggestion.loss_before},
               {"loss_after", suggestion.loss_after},
               {"bytes_before", suggestion.bytes_before},
               {"bytes_after", suggestion.bytes_after},
               {"time_us_before", suggestion.time_us_before},
               {"time_us_after", suggestion.time_us_after},
               {"tried", suggestion.tried},
               {"edits", Json::array()}};
  for (const PlanEdit& edit : suggestion.edits)
    json["edits"].push_back({{"kind", edit.kind}, {"layer", edit.layer}, {"text", edit.text}});
  json["test"] = suggestion.met ? Json{{"examples", summary.test_examples},
                                       {"float", summary.test_reference},
                                       {"edited", summary.test_edited},
                                       {"loss", summary.test_loss}}
                                : Json();
  json["plan"] = summary.plan_path.empty() ? Json() : Json(summary.plan_path);
  return json;
}

}  // namespace

std::string DebugJson(const DebugSummary& summary) {
  const Diagnosis& diagnosis = *summary.diagnosis;
  Json json = {{"schema", "qat-debug/1"},
               {"network", diagnosis.network},
               {"type", diagnosis.type},
               {"task", diagnosis.task},
               {"data", summary.data},
               {"calibration_examples", summary.calibration},
               {"examples", summary.selection},
               {"measure", diagnosis.reference.of_numbers ? "rmse" : "accuracy"},
               {"float", diagnosis.reference.value},
               {"quantized", diagnosis.quantized.value},
               {"loss", diagnosis.loss},
               {"output_sqnr_db", Number(diagnosis.output_sqnr_db)},
               {"layers", Json::array()}};
  for (size_t rank = 0; rank < diagnosis.ranking.size(); ++rank)
    json["layers"].push_back(ToJson(diagnosis.layers[diagnosis.ranking[rank]], rank + 1));
  json["suggestion"] = summary.suggestion != nullptr ? ToJson(summary, *summary.suggestion) : Json();
  json["reproducer"] = summary.reproducer.empty() ? Json() : Json(summary.reproducer);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace qat
