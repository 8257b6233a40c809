// Answers to yes or no, and anomalies, as JSON.
#include "report/json_values.h"
#include "report/label_figures.h"

namespace qat {

Json ToJson(const LabelsResult& result) {
  Json labels = Json::array();
  for (size_t label = 0; label < result.labels.size(); ++label) {
    const LabelCount& count = result.labels[label];
    labels.push_back({{"label", label},
                      {"total", count.total},
                      {"positives", count.positives},
                      {"answers", count.answers},
                      {"found", count.found},
                      {"accuracy", count.total > 0 ? Json(AccuracyOf(count)) : Json()},
                      {"precision", Number(PrecisionOf(count))},
                      {"recall", Number(RecallOf(count))},
                      {"f1", Number(F1Of(count))},
                      {"auc", Number(count.auc)},
                      {"average_precision", Number(count.average_precision)}});
  }
  return {{"exact", result.exact},
          {"examples", result.examples},
          {"exact_match", result.examples > 0 ? Json(ExactMatch(result)) : Json()},
          {"mean_f1", Number(MeanF1(result))},
          {"pooled_f1", Number(PooledF1(result))},
          {"mean_auc", Number(MeanAuc(result))},
          {"mean_average_precision", Number(MeanAveragePrecision(result))},
          {"labels", std::move(labels)}};
}

// What follows from the counts is not read.
void Read(const Json& json, LabelsResult& out) {
  ReadField(json, "exact", out.exact);
  ReadField(json, "examples", out.examples);
  const auto labels = json.find("labels");
  if (labels == json.end()) return;
  for (const Json& label : *labels) {
    LabelCount& count = out.labels.emplace_back();
    ReadField(label, "total", count.total);
    ReadField(label, "positives", count.positives);
    ReadField(label, "answers", count.answers);
    ReadField(label, "found", count.found);
    ReadField(label, "auc", count.auc);
    ReadField(label, "average_precision", count.average_precision);
  }
}

Json ToJson(const AnomalyResult& result) {
  return {{"auc", result.auc},
          {"interval95", ToJson(result.interval)},
          {"normal", result.normal},
          {"anomalous", result.anomalous}};
}

void Read(const Json& json, AnomalyResult& out) {
  ReadField(json, "auc", out.auc);
  ReadInterval(json, "interval95", out.interval);
  ReadField(json, "normal", out.normal);
  ReadField(json, "anomalous", out.anomalous);
}

}  // namespace qat
