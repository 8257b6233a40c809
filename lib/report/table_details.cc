// What --details adds to the table: every row, pairs, images that flipped, classes and layers.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/strings.h"
#include "report/class_figures.h"
#include "report/label_figures.h"
#include "report/main_rows.h"
#include "report/table_parts.h"
#include "report/text_format.h"

namespace qat {
namespace {

std::string Pairs(const Report& report) {
  std::vector<TableRow> rows = {{"pair", "", PairHeads(report).flips, "largest difference"}};
  for (const PairResult& pair : report.pairs) {
    rows.push_back(
        {pair.a, StrCat("-> ", pair.b), PairCells(report, pair).flips, DifferenceText(report, pair)});
  }
  return Aligned(rows, 4);
}

std::string Significance(const Report& report) {
  const PairColumns heads = PairHeads(report);
  std::vector<TableRow> rows = {{"pair", "", heads.drop, heads.resolved, "speed-up at 95 %"}};
  for (const PairResult& pair : report.pairs) {
    const PairColumns cells = PairCells(report, pair);
    rows.push_back({pair.a, StrCat("-> ", pair.b), cells.drop, cells.resolved, SpeedupText(pair)});
  }
  return Aligned(rows, 5);
}

std::string FirstDifferences(const Report& report) {
  std::string text;
  for (const PairResult& pair : report.pairs) {
    if (!pair.first_difference) continue;
    text += StrCat(pair.a, " -> ", pair.b, ": ", FirstDifferenceText(*pair.first_difference), "\n");
  }
  return text.empty() ? "" : "\n" + text;
}

// A few of each pair; the page has more.
std::string Flipped(const Report& report) {
  constexpr int kMostOfAPair = 3;
  std::map<std::pair<std::string, std::string>, int> shown;
  std::vector<TableRow> rows = {
      {"label differs", "", std::string(ExampleWord(report)), "class", "first says", "second says"}};
  for (const FlippedImage& image : report.flipped) {
    if (shown[{image.a, image.b}]++ >= kMostOfAPair) continue;
    rows.push_back({image.a, StrCat("-> ", image.b), std::to_string(image.example),
                    ClassText(report, image.label), AnswerText(report, image.answer_a, image.confidence_a),
                    AnswerText(report, image.answer_b, image.confidence_b)});
  }
  return report.flipped.empty() ? "" : "\n" + Aligned(rows, 6);
}

// The filters of a model that have coarse channels, the largest shares first.
std::string CoarseFilters(std::vector<const LayerError*> layers) {
  constexpr size_t kMostFilters = 5;
  std::erase_if(layers, [](const auto* each) { return !each->filter || each->filter->coarse_channels == 0; });
  const auto coarser = [](const auto* a, const auto* b) {
    return a->filter->coarse_channels * b->filter->channels >
           b->filter->coarse_channels * a->filter->channels;
  };
  std::stable_sort(layers.begin(), layers.end(), coarser);
  const size_t all = layers.size();
  layers.resize(std::min(all, kMostFilters));
  std::vector<TableRow> rows = {
      {"coarse filter", "operator", StrCat("under 16 steps: ", all, all == 1 ? " filter" : " filters")}};
  for (const LayerError* each : layers) rows.push_back({each->layer, each->op, FilterText(*each->filter)});
  return layers.empty() ? "" : Aligned(rows, 3);
}

// Of a class by a model, or "-".
std::string RecallText(const ModelResult& model, size_t label) {
  const std::vector<ClassCount> counts = ClassCountsOf(*model.classification);
  const auto recall = label < counts.size() ? RecallOf(counts[label]) : std::nullopt;
  return recall ? StrCat(Fixed(*recall, 2), " %") : "-";
}

// Labels that have images, the worst recognized first.
std::vector<size_t> LabelsOf(const std::vector<ClassCount>& counts) {
  std::vector<size_t> labels;
  for (size_t label = 0; label < counts.size(); ++label) {
    if (counts[label].total > 0) labels.push_back(label);
  }
  std::stable_sort(labels.begin(), labels.end(),
                   [&](size_t a, size_t b) { return *RecallOf(counts[a]) < *RecallOf(counts[b]); });
  return labels;
}

std::string Recalls(const Report& report, const std::vector<const ModelResult*>& models) {
  constexpr size_t kMostClasses = 20;
  const std::vector<ClassCount> counts = ClassCountsOf(*models.back()->classification);
  std::vector<size_t> labels = LabelsOf(counts);
  const size_t all = labels.size();
  labels.resize(std::min(all, kMostClasses));
  TableRow head = {StrCat("recall", all > labels.size() ? StrCat(", the lowest of ", all) : ""),
                   StrCat(ExampleWord(report), "s")};
  TableRow balanced = {"balanced accuracy", ""};
  for (const ModelResult* model : models) {
    head.push_back(ShownName(report, *model));
    const auto mean = BalancedAccuracyOf(ClassCountsOf(*model->classification));
    balanced.push_back(mean ? StrCat(Fixed(*mean, 2), " %") : "-");
  }
  std::vector<TableRow> rows = {head, balanced};
  for (const size_t label : labels) {
    TableRow row = {ClassSubject(report, label), Grouped(counts[label].total)};
    for (const ModelResult* model : models) row.push_back(RecallText(*model, label));
    rows.push_back(std::move(row));
  }
  return "\n" + Aligned(rows, 1);
}

std::string TargetErrors(const Report& report, const std::vector<const ModelResult*>& models) {
  std::vector<TableRow> rows = {{"real number", "model", "RMSE", "R²", "largest error"}};
  for (const ModelResult* model : models) {
    const auto& targets = model->regression->targets;
    for (size_t i = 0; i < targets.size(); ++i) {
      rows.push_back({NumberSubject(report, i), ShownName(report, *model), Significant(targets[i].rmse),
                      targets[i].r2 ? Fixed(*targets[i].r2, 4) : "-", Significant(targets[i].largest)});
    }
  }
  return rows.size() > 1 ? "\n" + Aligned(rows, 2) : "";
}

std::string LabelFigures(const Report& report, const std::vector<const ModelResult*>& models) {
  const auto percent = [](const std::optional<double>& share) {
    return share ? StrCat(Fixed(*share, 2), " %") : "-";
  };
  const auto part = [](const std::optional<double>& share) { return share ? Fixed(*share, 4) : "-"; };
  std::vector<TableRow> rows = {
      {"label", "model", "accuracy", "precision", "recall", "F1", "AUC", "average precision"}};
  for (const ModelResult* model : models) {
    const LabelsResult& result = *model->labels;
    const std::string name = ShownName(report, *model);
    for (size_t i = 0; i < result.labels.size(); ++i) {
      const LabelCount& count = result.labels[i];
      rows.push_back({LabelName(report, i), name, percent(AccuracyOf(count)), percent(PrecisionOf(count)),
                      percent(RecallOf(count)), percent(F1Of(count)), part(count.auc),
                      part(count.average_precision)});
    }
    if (result.labels.size() < 2) continue;
    rows.push_back({"all", name, "", "", "", percent(MeanF1(result)), part(MeanAuc(result)),
                    part(MeanAveragePrecision(result))});
  }
  return "\n" + Aligned(rows, 2);
}

}  // namespace

std::string ModelDetails(const Report& report) {
  const QualityColumns heads = QualityHeads(report);
  std::vector<TableRow> rows = {
      {"model", "type", "size", heads.first, heads.second, RoundsText(report), "p50 µs", "p90 µs", "p99 µs"}};
  for (const ModelResult& model : report.models) {
    const QualityColumns cells = QualityCells(report, model);
    const int64_t bytes = ModelBytes(model);
    TableRow row = {ShownName(report, model), model.type, bytes > 0 ? StrCat(Grouped(bytes), " B") : "-",
                    cells.first, cells.second};
    if (const auto& latency = model.latency_us) {
      row.insert(row.end(), {StrCat(Fixed(latency->total_seconds, 2), " s"), Fixed(latency->p50, 1),
                             Fixed(latency->p90, 1), Fixed(latency->p99, 1)});
    } else {
      row.insert(row.end(), 4, "-");
    }
    rows.push_back(std::move(row));
  }
  return Aligned(rows, 2);
}

std::string PairDetails(const Report& report) {
  if (report.pairs.empty()) return "";
  return StrCat("\n", Pairs(report), "\n", Significance(report), FirstDifferences(report), Flipped(report));
}

std::string ClassDetails(const Report& report) {
  std::vector<const ModelResult*> classifiers, regressors, labelled;
  for (const ModelResult* model : MainRows(report)) {
    if (model->classification && !ClassCountsOf(*model->classification).empty()) classifiers.push_back(model);
    if (model->regression) regressors.push_back(model);
    if (model->labels) labelled.push_back(model);
  }
  return StrCat(classifiers.empty() ? "" : Recalls(report, classifiers),
                regressors.empty() ? "" : TargetErrors(report, regressors),
                labelled.empty() ? "" : LabelFigures(report, labelled));
}

// What --rounding was asked for, in a sentence.
std::string RoundingText(const Report& report) {
  std::string text;
  for (const PairResult& pair : report.pairs) {
    if (!pair.b.starts_with("tflite-classic") || pair.errors) continue;
    const std::string labels = pair.total_flips == 0   ? "no label depends"
                               : pair.total_flips == 1 ? "1 label depends"
                                                       : Grouped(pair.total_flips) + " labels depend";
    text += StrCat(pair.a, ": ", labels, " on how the runtime rounds\n");
  }
  return text;
}

// Those with the largest rounding loss; the page has them all.
std::string LayerDetails(const Report& report) {
  constexpr size_t kMostLayers = 5;
  std::map<std::string, std::vector<const LayerError*>> by_model;
  for (const LayerError& layer : report.layers) {
    if (layer.own_sqnr_db) by_model[layer.model].push_back(&layer);
  }
  std::string text;
  for (auto& [model, layers] : by_model) {
    const auto worse = [](const auto* a, const auto* b) { return *a->own_sqnr_db < *b->own_sqnr_db; };
    std::stable_sort(layers.begin(), layers.end(), worse);
    const LayerError& first = *layers.front();
    text += StrCat("\n", model, " against ", first.reference, ", ", layers.size(), " layers on ",
                   Counted(first.images, report), ", largest rounding loss first\n");
    std::vector<TableRow> rows = {
        {"layer", "operator", "own SNR", "SNR", "largest error", "range used", "clipped"}};
    for (const LayerError* layer : layers) {
      if (rows.size() > kMostLayers) break;
      rows.push_back({layer->layer, layer->op, DecibelText(layer->own_sqnr_db), DecibelText(layer->sqnr_db),
                      StrCat(Fixed(layer->max_steps, 1), " steps"),
                      StrCat(Fixed(100 * layer->range_used, 0), " %"),
                      StrCat(Fixed(100 * layer->clipped, 2), " %")});
    }
    text += StrCat(Aligned(rows, 2), CoarseFilters(layers));
  }
  return text;
}

}  // namespace qat
