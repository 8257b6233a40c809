// The section of the page on real numbers: how far the answers are from them.
#include "base/strings.h"
#include "report/html_parts.h"
#include "report/main_rows.h"
#include "report/svg_chart.h"
#include "report/text_format.h"

namespace qat {
namespace {

Cells RowOf(const std::string& name, const std::string& number, const ErrorStatistics& errors) {
  return {EscapeHtml(name),
          number,
          Significant(errors.rmse),
          Significant(errors.mae),
          Significant(errors.largest),
          errors.r2 ? Fixed(*errors.r2, 4) : "–"};
}

}  // namespace

std::string RegressionSection(const Report& report) {
  std::vector<Cells> rows;
  for (const ModelResult& model : report.models) {
    if (!model.regression) continue;
    const RegressionResult& result = *model.regression;
    if (result.relative_rmse) {
      rows.push_back({EscapeHtml(ShownName(report, model)), "all, in deviations",
                      Significant(*result.relative_rmse), "–", "–",
                      result.all.r2 ? Fixed(*result.all.r2, 4) : "–"});
    } else {
      rows.push_back(RowOf(ShownName(report, model), "all", result.all));
    }
    const auto& targets = model.regression->targets;
    for (size_t i = 0; i < targets.size(); ++i)
      rows.push_back(RowOf(ShownName(report, model), EscapeHtml(NumberName(report, i)), targets[i]));
  }
  if (rows.empty()) return "";
  return Table({{"model", "name"},
                {"number", "word"},
                {"RMSE", "number"},
                {"mean error", "number"},
                {"largest error", "number"},
                {"R²", "number"}},
               rows) +
         Quiet(
             "RMSE is the root of the mean squared error, in the unit of the labels; the mean and the "
             "largest "
             "error are of its size. R² is the share of the labels' variance that the answers explain.");
}

}  // namespace qat
