// The section of the page on classes: top-k, each class, which are confused.
#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "base/strings.h"
#include "report/html_parts.h"
#include "report/main_rows.h"
#include "report/svg_chart.h"
#include "report/text_format.h"

namespace qat {
namespace {

// "9 (nine)", or the number alone.
std::string ClassLabel(const Report& report, size_t label) {
  const std::string number = std::to_string(label);
  const bool named = label < report.class_names.size() && report.class_names[label] != number;
  return named ? StrCat(number, " (", EscapeHtml(report.class_names[label]), ")") : number;
}

std::string Share(int64_t correct, int64_t total) {
  if (total == 0) return "–";
  return StrCat(Fixed(100.0 * static_cast<double>(correct) / static_cast<double>(total), 2), " %");
}

// Rows are models: the percentages of top-k, then the calibration error.
std::string TopKTable(const Report& report) {
  std::map<int32_t, bool> ks;
  for (const ModelResult& model : report.models) {
    if (!model.classification) continue;
    for (const auto& [k, correct] : model.classification->topk_correct) ks[k] = true;
  }
  std::vector<Column> columns = {{"model", "name"}};
  for (const auto& [k, used] : ks) columns.push_back({StrCat("top-", k), "number"});
  columns.push_back({"calibration error", "number"});
  const bool mean_iou = std::any_of(report.models.begin(), report.models.end(), [](const ModelResult& model) {
    return model.classification && model.classification->mean_iou;
  });
  if (mean_iou) columns.push_back({"mean IoU", "number"});
  std::vector<Cells> rows;
  for (const ModelResult& model : report.models) {
    if (!model.classification || !model.classification->calibration_error || !model.accuracy) continue;
    Cells cells = {EscapeHtml(ShownName(report, model))};
    for (const auto& [k, used] : ks) {
      const auto found = model.classification->topk_correct.find(k);
      const bool known = found != model.classification->topk_correct.end();
      cells.push_back(known ? Share(found->second, model.accuracy->total) : "–");
    }
    cells.push_back(StrCat(Fixed(*model.classification->calibration_error, 2), " pt"));
    const std::optional<double> iou = model.classification->mean_iou;
    if (mean_iou) cells.push_back(iou ? StrCat(Fixed(*iou, 2), " %") : "–");
    rows.push_back(std::move(cells));
  }
  return rows.empty() ? "" : Table(columns, rows);
}

// The first .tflite row, else the last one.
const ModelResult* RowOfConfusion(const Report& report) {
  const ModelResult* chosen = nullptr;
  for (const ModelResult& model : report.models) {
    if (!model.classification || model.classification->confusion.empty()) continue;
    if (model.kind == "tflite") return &model;
    chosen = &model;
  }
  return chosen;
}

// One row per class, one column per model.
std::string ClassTable(const Report& report, size_t classes) {
  constexpr size_t kMostClasses = 30;
  if (classes > kMostClasses) return "";
  std::vector<Column> columns = {{"class", "name"}};
  std::vector<Cells> rows(classes);
  for (size_t label = 0; label < classes; ++label) rows[label] = {ClassLabel(report, label)};
  for (const ModelResult& model : report.models) {
    if (!model.classification || model.classification->confusion.size() != classes) continue;
    columns.push_back({EscapeHtml(ShownName(report, model)), "number"});
    for (size_t label = 0; label < classes; ++label) {
      const auto& counts = model.classification->confusion[label];
      rows[label].push_back(Share(counts[label], std::accumulate(counts.begin(), counts.end(), int64_t{0})));
    }
  }
  return Table(columns, rows);
}

// The pairs of classes that are confused most often.
std::string MostConfused(const Report& report, const std::vector<std::vector<int64_t>>& confusion) {
  constexpr size_t kMostShown = 10;
  std::vector<std::tuple<int64_t, size_t, size_t>>
      pairs;  // minus the count, so that the order is that of the classes
  for (size_t label = 0; label < confusion.size(); ++label) {
    for (size_t answer = 0; answer < confusion.size(); ++answer) {
      if (label != answer && confusion[label][answer] > 0)
        pairs.emplace_back(-confusion[label][answer], label, answer);
    }
  }
  std::sort(pairs.begin(), pairs.end());
  std::vector<Cells> rows;
  for (const auto& [count, label, answer] : pairs) {
    if (rows.size() == kMostShown) break;
    rows.push_back({ClassLabel(report, label), ClassLabel(report, answer), Grouped(-count)});
  }
  if (rows.empty()) return "";
  return StrCat("<h3>Most common confusions</h3>\n",
                Table({{"class", "name"}, {"answered", ""}, {"times", "number"}}, rows));
}

}  // namespace

std::string ClassesSection(const Report& report) {
  const std::string topk = TopKTable(report);
  const ModelResult* model = RowOfConfusion(report);
  if (model == nullptr) return topk;
  const auto& confusion = model->classification->confusion;
  const std::string each = ClassTable(report, confusion.size());
  return StrCat(
      topk, each.empty() ? "" : "<h3>Accuracy of each class</h3>\n", each,
      "<div class=\"charts\"><figure><h3>Confusion of ", EscapeHtml(model->name), "</h3>",
      ConfusionChart(confusion, report.class_names), "</figure></div>\n",
      Quiet("Rows are true classes, columns the answers. The calibration error is how far the model's "
            "confidence is from its accuracy, on average over 15 bins of confidence."),
      MostConfused(report, confusion));
}

}  // namespace qat
