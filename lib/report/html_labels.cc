// The section of the page on answers to yes or no: how well each label is told.
#include "base/strings.h"
#include "report/html_parts.h"
#include "report/label_figures.h"
#include "report/main_rows.h"
#include "report/svg_chart.h"
#include "report/text_format.h"

namespace qat {
namespace {

std::string Percent(const std::optional<double>& share) {
  return share ? StrCat(Fixed(*share, 2), " %") : "–";
}
std::string Part(const std::optional<double>& part) { return part ? Fixed(*part, 4) : "–"; }

}  // namespace

std::string LabelsSection(const Report& report) {
  std::vector<Cells> rows;
  for (const ModelResult& model : report.models) {
    if (!model.labels) continue;
    const LabelsResult& result = *model.labels;
    const size_t labels = result.labels.size();
    if (labels > 1) {
      rows.push_back({EscapeHtml(ShownName(report, model)), "all", Percent(ExactMatch(result)), "", "",
                      Percent(MeanF1(result)), Part(MeanAuc(result)), Part(MeanAveragePrecision(result))});
    }
    for (size_t i = 0; i < labels; ++i) {
      const LabelCount& count = result.labels[i];
      rows.push_back({EscapeHtml(ShownName(report, model)), EscapeHtml(LabelName(report, i)),
                      Percent(AccuracyOf(count)), Percent(PrecisionOf(count)), Percent(RecallOf(count)),
                      Percent(F1Of(count)), Part(count.auc), Part(count.average_precision)});
    }
  }
  if (rows.empty()) return "";
  return Table({{"model", "name"},
                {"label", "word"},
                {"accuracy", "number"},
                {"precision", "number"},
                {"recall", "number"},
                {"F1", "number"},
                {"AUC", "number"},
                {"average precision", "number"}},
               rows) +
         Quiet(
             "Precision is the share of those said to have the label that do, recall the share of those that "
             "have it that are found, "
             "F1 their harmonic mean. AUC is the share of pairs, one with the label and one without, whose "
             "scores are in the right "
             "order; average precision is the mean precision at the score of each that has it. Of all labels "
             "together: examples of "
             "which every label is right, and means.");
}

}  // namespace qat
