#include "report/printable_report.h"

#include <utility>

#include "base/printable.h"

namespace qat {
namespace {

template <class... Texts>
void Clean(Texts&... texts) {
  ((texts = Printable(texts)), ...);
}

void CleanAll(std::vector<std::string>& texts) {
  for (std::string& text : texts) text = Printable(text);
}

template <class T>
void CleanKeys(std::map<std::string, T>& items) {
  std::map<std::string, T> clean;
  for (auto& [key, value] : items) clean.emplace(Printable(key), std::move(value));
  items = std::move(clean);
}

void CleanTexts(std::map<std::string, std::string>& items) {
  CleanKeys(items);
  for (auto& [key, value] : items) value = Printable(value);
}

void CleanModels(Report& report) {
  for (ModelResult& model : report.models) {
    Clean(model.name, model.kind, model.path, model.type, model.sha256);
    CleanTexts(model.provenance);
  }
  for (BenchmarkResult& result : report.benchmarks) {
    Clean(result.model);
    for (OperatorTime& op : result.operators) Clean(op.name, op.shape, op.kernel, op.reason);
  }
}

void CleanComparisons(Report& report) {
  for (PairResult& pair : report.pairs) {
    Clean(pair.a, pair.b);
    if (auto& first = pair.first_difference) Clean(first->layer, first->op, first->grids);
  }
  for (GateResult& gate : report.gates) Clean(gate.name, gate.model, gate.reference, gate.subject, gate.note);
  for (LayerError& layer : report.layers) Clean(layer.model, layer.reference, layer.layer, layer.op);
  for (LayerRange& range : report.ranges) Clean(range.layer);
  for (FlippedImage& image : report.flipped) Clean(image.a, image.b, image.picture, image.values);
}

void CleanAnswers(Report& report) {
  for (PictureResult& picture : report.pictures) {
    Clean(picture.file);
    for (Guess& guess : picture.best) Clean(guess.name);
    for (NamedNumber& number : picture.numbers) Clean(number.name);
  }
  for (TraceLink& link : report.trace) {
    Clean(link.what, link.expected, link.file, link.found, link.state, link.note);
  }
}

}  // namespace

Report PrintableReport(Report report) {
  Clean(report.tool, report.version, report.command, report.status, report.data_name, report.data_sha256);
  report.error = PrintableMessage(report.error);
  for (std::string& warning : report.warnings) warning = PrintableMessage(warning);
  CleanAll(report.class_names);
  CleanModels(report);
  CleanComparisons(report);
  CleanAnswers(report);
  if (report.timing) Clean(report.timing->governor);
  for (TrainingCurve& curve : report.curves) Clean(curve.name);
  CleanTexts(report.environment);
  CleanTexts(report.outputs);
  CleanKeys(report.metrics);
  Clean(report.output);
  for (Report& each : report.other_outputs) each = PrintableReport(std::move(each));
  return report;
}

}  // namespace qat
