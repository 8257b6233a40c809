#include <algorithm>
#include <cmath>
#include <map>

#include "base/columns.h"
#include "base/strings.h"
#include "debug/print.h"
#include "report/text_format.h"

namespace qat {
namespace {

constexpr size_t kShown = 10;
constexpr double kWorthNaming = 0.01;  // share of clipped values

using Row = std::vector<std::string>;

constexpr double kMostPercent = 999.9;

std::string LossText(const std::optional<double>& loss, bool of_numbers) {
  if (!loss) return "-";
  if (of_numbers && !(*loss <= kMostPercent)) return "over 10 x";
  return of_numbers ? StrCat(*loss > 0 ? "+" : "", Fixed(*loss, 1), " %") : Fixed(*loss, 2);
}

std::string QualityText(double value, bool of_numbers) {
  return of_numbers ? StrCat("RMSE ", Significant(value)) : StrCat(Fixed(value, 2), " %");
}

std::string LossSentence(double loss, bool of_numbers) {
  if (!of_numbers) return StrCat(Fixed(loss, 2), " points");
  const std::string shown = Fixed(std::abs(loss), 1);
  return StrCat(shown, loss < 0 && shown != "0.0" ? " % less error" : " % more error");
}

std::string RangeText(const std::optional<Range>& range) {
  return range ? StrCat("[", Significant(range->min), ", ", Significant(range->max), "]") : "-";
}

/// What one sees at once: a range far from what is needed, channels without steps.
std::string RemarkOn(const LayerDiagnosis& layer) {
  std::vector<std::string> remarks;
  if (layer.range && layer.observed) {
    const double reach = std::max(double{layer.observed->max} - layer.observed->min, 1e-30);
    const double times = (double{layer.range->max} - layer.range->min) / reach;
    if (times > 2) remarks.push_back(StrCat("range ", Significant(times), " times what is needed"));
  }
  if (layer.clipped > kWorthNaming) remarks.push_back(StrCat(Fixed(100 * layer.clipped, 1), " % clipped"));
  if (layer.coarse_channels > 0)
    remarks.push_back(StrCat(layer.coarse_channels, " of ", layer.channels, " channels under 16 steps"));
  if (layer.filter && layer.filter->coarse_channels > 0)
    remarks.push_back(
        StrCat(layer.filter->coarse_channels, " of ", layer.filter->channels, " filter channels coarse"));
  return Join(remarks, "; ");
}

/// Names as long paths, as Keras has them, by their last parts, where these tell them apart.
std::vector<std::string> ShortNames(const Diagnosis& diagnosis) {
  constexpr size_t kWidth = 36;
  const auto shortened = [](const std::string& whole) {
    const std::string name = whole.substr(0, whole.find(';'));
    if (name.size() <= kWidth) return name;
    const size_t slash = name.find('/', name.size() - kWidth);
    return slash == std::string::npos ? name : StrCat("...", name.substr(slash));
  };
  std::map<std::string, int> count;
  for (const LayerDiagnosis& layer : diagnosis.layers) ++count[shortened(layer.layer.name)];
  std::vector<std::string> names;
  for (const LayerDiagnosis& layer : diagnosis.layers) {
    const std::string name = shortened(layer.layer.name);
    names.push_back(count[name] == 1 ? name : layer.layer.name);
  }
  return names;
}

std::string LayersText(const Diagnosis& diagnosis, bool details) {
  const std::vector<std::string> names = ShortNames(diagnosis);
  bool cut = false;
  const bool of_numbers = diagnosis.reference.of_numbers;
  const std::string loss = of_numbers ? "RMSE" : "drop";
  std::vector<Row> rows = {{"layer", "operator", "answers", "own", "with all", loss + " alone",
                            loss + " if float", "range", "observed", "remarks"}};
  for (const size_t place : diagnosis.ranking) {
    const LayerDiagnosis& layer = diagnosis.layers[place];
    if (!details && rows.size() > kShown) break;
    cut = cut || (!details && names[place] != layer.layer.name);
    rows.push_back({details ? layer.layer.name : names[place], layer.layer.op,
                    DecibelText(layer.output_sqnr_db), DecibelText(layer.own_sqnr_db),
                    DecibelText(layer.sqnr_db), LossText(layer.only_loss, of_numbers),
                    LossText(layer.float_loss, of_numbers), RangeText(layer.range), RangeText(layer.observed),
                    RemarkOn(layer)});
  }
  std::string text = AlignColumns(rows, {2, 3, 4, 5, 6, 7, 8, 9});
  if (rows.size() <= diagnosis.ranking.size())
    text += StrCat("… and ", diagnosis.ranking.size() + 1 - rows.size(), " more layers with less noise\n");
  if (cut) text += "names are cut short here; details and JSON have them whole\n";
  return text;
}

std::string SuggestionText(const DebugSummary& summary) {
  const Suggestion& suggestion = *summary.suggestion;
  const bool of_numbers = summary.diagnosis->reference.of_numbers;
  const std::string limit = LossSentence(summary.max_loss, of_numbers);
  std::string text = "\n";
  if (!suggestion.met) {
    return text + StrCat("no edit keeps the loss within ", limit, "; the best of ", suggestion.tried,
                         " that were tried: ", LossSentence(suggestion.loss_after, of_numbers), "\n");
  }
  if (suggestion.edits.empty()) {
    text += StrCat("nothing to edit: the loss is ", LossSentence(suggestion.loss_after, of_numbers),
                   ", limit ", limit, "\n");
  }
  for (const PlanEdit& edit : suggestion.edits) text += StrCat("edit       ", edit.text, "\n");
  text += StrCat("loss       ", LossSentence(suggestion.loss_before, of_numbers), " -> ",
                 LossSentence(suggestion.loss_after, of_numbers), " on ", Grouped(summary.selection),
                 " held-out training examples, limit ", limit, "\n");
  const int64_t bytes = suggestion.bytes_after - suggestion.bytes_before;
  const double ratio = suggestion.time_us_after / std::max(suggestion.time_us_before, 1e-9);
  text += StrCat("price      ", bytes > 0 ? "+" : "", bytes, " bytes (", Grouped(suggestion.bytes_after),
                 "), time x ", Fixed(ratio, 2), " (", Significant(suggestion.time_us_after), " us)\n");
  text += StrCat("verified   ", QualityText(summary.test_reference, of_numbers), " -> ",
                 QualityText(summary.test_edited, of_numbers), " on ", Grouped(summary.test_examples),
                 " test examples: ", LossSentence(summary.test_loss, of_numbers),
                 summary.test_loss > summary.max_loss ? ", more than the limit" : "", "\n");
  if (!summary.plan_path.empty()) text += StrCat("plan       ", summary.plan_path, "\n");
  return text;
}

}  // namespace

std::string DebugText(const DebugSummary& summary, bool details) {
  const Diagnosis& diagnosis = *summary.diagnosis;
  const bool of_numbers = diagnosis.reference.of_numbers;
  std::string text = StrCat(
      diagnosis.network, ", ", diagnosis.type, " against float on ", Grouped(summary.selection),
      " training examples of ", summary.data, " (ranges observed on ", Grouped(summary.calibration),
      " others)\n", "float ", QualityText(diagnosis.reference.value, of_numbers), ", quantized ",
      QualityText(diagnosis.quantized.value, of_numbers), ": ", LossSentence(diagnosis.loss, of_numbers),
      "; answers ", DecibelText(diagnosis.output_sqnr_db), " above the noise\n\n");
  text += LayersText(diagnosis, details);
  text +=
      "\nanswers: signal to noise of the network's answers with this layer alone quantized; own: of the "
      "layer's output;\n"
      "with all: of its output with every layer quantized\n";
  if (summary.suggestion != nullptr) text += SuggestionText(summary);
  if (!summary.reproducer.empty()) text += StrCat("reproducer ", summary.reproducer, "\n");
  return text;
}

}  // namespace qat
