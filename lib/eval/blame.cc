#include "eval/blame.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/strings.h"
#include "eval/layer_error.h"
#include "report/class_figures.h"
#include "report/main_rows.h"
#include "report/text_format.h"

namespace qat {
namespace {

bool IsAbsolute(const GateResult& gate) {
  return gate.name == "min-accuracy" || gate.name == "min-balanced-accuracy" || gate.name == "min-recall" ||
         gate.name == "max-rmse";
}

bool IsRelative(const GateResult& gate) {
  return gate.name == "max-drop" || gate.name == "max-flips" || gate.name == "max-error-rise";
}

std::optional<double> RecallNamed(const GateResult& gate, const ModelResult& row, const Report& report) {
  const std::vector<ClassCount> counts = ClassCountsOf(*row.classification);
  for (size_t label = 0; label < counts.size(); ++label) {
    if (ClassSubject(report, label) == gate.subject) return RecallOf(counts[label]);
  }
  return std::nullopt;
}

std::optional<double> RmseNamed(const GateResult& gate, const ModelResult& row, const Report& report) {
  if (gate.subject.empty() || row.regression->targets.empty()) return row.regression->all.rmse;
  for (size_t i = 0; i < row.regression->targets.size(); ++i) {
    if (NumberSubject(report, i) == gate.subject) return row.regression->targets[i].rmse;
  }
  return std::nullopt;
}

// What the gate would judge of another row.
std::optional<double> ValueOf(const GateResult& gate, const ModelResult& row, const Report& report) {
  if (gate.name == "max-rmse") return row.regression ? RmseNamed(gate, row, report) : std::nullopt;
  if (gate.name == "min-accuracy") return row.accuracy ? std::optional(row.accuracy->top1) : std::nullopt;
  if (!row.classification) return std::nullopt;
  if (gate.name == "min-recall") return RecallNamed(gate, row, report);
  return BalancedAccuracyOf(ClassCountsOf(*row.classification));
}

// The layer to look at first, and the filter.
std::string RoundingLoss(const GateResult& gate, const Report& report) {
  const LayerError* worst = WorstLayer(report.layers, gate.model);
  if (worst == nullptr) return "";
  std::string text = StrCat("largest rounding loss: ", LayerText(*worst));
  if (const LayerError* filter = CoarsestFilter(report.layers, gate.model))
    text += StrCat("; coarsest filter: ", filter->layer, ", ", FilterText(*filter->filter));
  return text;
}

std::string Joined(const std::string& first, const std::string& second) {
  return first.empty() || second.empty() ? first + second : StrCat(first, "; ", second);
}

// More than chance explains, where the images can tell.
bool QuantizationCosts(const PairResult* pair) {
  if (pair == nullptr) return false;
  if (pair->errors) {
    const ErrorComparison& errors = *pair->errors;
    return errors.resolved() &&
           (errors.rise_interval ? errors.rise_interval->low > 0 : errors.larger > errors.smaller);
  }
  return pair->drop_pt > 0 && (pair->resolved() || !pair->mcnemar_p);
}

std::string CostText(const GateResult& gate, double of_float) {
  if (gate.name == "max-rmse") return StrCat("RMSE ", Significant(of_float), " to ", Significant(gate.value));
  return StrCat(Fixed(of_float - gate.value, 2), " points");
}

std::string AbsoluteNote(const GateResult& gate, const Report& report) {
  const ModelResult* row = RowNamed(report, gate.model);
  if (row == nullptr) return "";
  if (row->type == "float32") return "this network is float: training is to blame, not quantization";
  const ModelResult* reference = HeadlineReference(report, *row);
  if (reference == nullptr || reference->type != "float32") {
    return "there is no float network that tells training from quantization: give `graph`, `checkpoint` or "
           "`float_run`";
  }
  const std::optional<double> own = ValueOf(gate, *reference, report);
  if (!own) return "";
  const bool at_most = gate.name == "max-rmse";
  const bool float_passes = at_most ? *own <= gate.limit : *own >= gate.limit;
  const std::string has = StrCat("has ", at_most ? "RMSE " : "", GateNumber(gate, *own));
  if (float_passes) {
    return Joined(StrCat("the float network ", has, ": quantization costs ", CostText(gate, *own)),
                  RoundingLoss(gate, report));
  }
  const std::string training = StrCat("the float network itself ", has, ": training is to blame");
  if (!QuantizationCosts(PairOf(report, reference->name, row->name)))
    return StrCat(training, ", not quantization");
  return Joined(StrCat(training, ", and quantization costs a further ", CostText(gate, *own)),
                RoundingLoss(gate, report));
}

// A drop against another run: how much of it lies between the trainings.
std::string DropNote(const GateResult& gate, const Report& report) {
  const ModelResult* other = RowNamed(report, "float");
  const ModelResult* own = RowNamed(report, "checkpoint");
  if (gate.name != "max-drop" || gate.reference != "float" || other == nullptr || own == nullptr ||
      !other->accuracy || !own->accuracy)
    return "";
  const double training = other->accuracy->top1 - own->accuracy->top1;
  if (2 * training < gate.value) return "";
  return StrCat("the weights that were quantized have ", PercentText(*own),
                " in float themselves: ", Fixed(training, 2), " of ", Fixed(gate.value, 2),
                " points come from training");
}

}  // namespace

void ExplainFailures(Report& report) {
  for (GateResult& gate : report.gates) {
    if (gate.pass || !gate.note.empty()) continue;
    if (IsAbsolute(gate)) gate.note = AbsoluteNote(gate, report);
    if (IsRelative(gate)) gate.note = Joined(DropNote(gate, report), RoundingLoss(gate, report));
  }
}

}  // namespace qat
