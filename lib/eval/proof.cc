#include "eval/proof.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/strings.h"
#include "contract/provenance.h"
#include "eval/layer_error.h"
#include "report/main_rows.h"
#include "report/text_format.h"

namespace qat {
namespace {

// The model and its witness, in the order of the pair's own names.
struct Witnessed {
  const ModelResult* model = nullptr;
  const ModelResult* witness = nullptr;
};

std::optional<Witnessed> WitnessedBy(const Report& report, const PairResult& pair) {
  const ModelResult* a = RowNamed(report, pair.a);
  const ModelResult* b = RowNamed(report, pair.b);
  if (a == nullptr || b == nullptr) return std::nullopt;
  if (b->kind == "litert") return Witnessed{a, b};
  if (a->type == "simulated" && b->kind == "tflite") return Witnessed{b, a};
  return std::nullopt;
}

GateResult JudgePair(const PairResult& pair, const Witnessed& witnessed, int64_t limit) {
  GateResult gate;
  const bool in_steps = pair.max_abs_lsb || pair.first_difference || pair.max_abs_error;
  const int64_t inside = pair.first_difference ? pair.first_difference->steps : 0;
  gate.name = in_steps ? "max-steps" : "max-flips";
  gate.model = witnessed.model->name;
  gate.reference = witnessed.witness->name;
  gate.limit = static_cast<double>(limit);
  gate.value = static_cast<double>(in_steps ? pair.max_abs_lsb.value_or(inside) : pair.total_flips);
  gate.pass = gate.value <= gate.limit;
  if (!gate.pass && pair.first_difference) gate.note = FirstDifferenceText(*pair.first_difference);
  return gate;
}

std::set<std::string> ModelsOf(const std::vector<LayerError>& layers) {
  std::set<std::string> models;
  for (const LayerError& layer : layers) models.insert(layer.model);
  return models;
}

const LayerError* EarlierLayer(const Report& baseline, const LayerError& layer, const std::string& model) {
  for (const LayerError& earlier : baseline.layers) {
    if (earlier.model == model && earlier.layer == layer.layer) return &earlier;
  }
  return nullptr;
}

// Decibels that a layer's own rounding costs more than it did. A scale that has not grown lost none: there
// the signal changed.
double LossOf(const LayerError& layer, const LayerError* earlier) {
  if (earlier == nullptr || !layer.own_sqnr_db || !earlier->own_sqnr_db) return 0;
  return layer.scale > earlier->scale ? *earlier->own_sqnr_db - *layer.own_sqnr_db : 0;
}

std::string LossText(const LayerError& layer, const LayerError& earlier) {
  return StrCat("first ", PlaceText(layer.layer, layer.op, layer.index), ", which uses ",
                Fixed(100 * layer.range_used, 0),
                " % of its range (baseline: ", Fixed(100 * earlier.range_used, 0), " %)");
}

GateResult JudgeLayersOf(const std::string& model, const std::string& earlier_model, double limit,
                         const Report& baseline, const Report& report) {
  GateResult gate;
  gate.name = "max-layer-loss";
  gate.model = model;
  gate.reference = "baseline";
  gate.limit = limit;
  for (const LayerError& layer : report.layers) {
    if (layer.model != model) continue;
    const LayerError* earlier = EarlierLayer(baseline, layer, earlier_model);
    const double loss = LossOf(layer, earlier);
    gate.value = std::max(gate.value, loss);
    if (loss > limit && gate.note.empty()) gate.note = LossText(layer, *earlier);
  }
  gate.pass = gate.value <= gate.limit;
  return gate;
}

const LayerRange* RangeOf(const Report& report, const std::string& layer) {
  for (const LayerRange& range : report.ranges) {
    if (range.layer == layer) return &range;
  }
  return nullptr;
}

// The scales of a model against those of training.
struct ChangedRanges {
  int64_t known = 0, changed = 0;
  std::string first;
};

ChangedRanges ChangedRangesOf(const Report& report, const std::string& model) {
  constexpr double kRelative = 1e-6;  // of scales that went through float32 by different ways
  ChangedRanges result;
  for (const LayerError& layer : report.layers) {
    const LayerRange* range = layer.model == model ? RangeOf(report, layer.layer) : nullptr;
    if (range == nullptr) continue;
    ++result.known;
    if (std::abs(layer.scale - range->scale) <= kRelative * range->scale) continue;
    if (result.changed++ > 0) continue;
    result.first = StrCat("first ", PlaceText(layer.layer, layer.op, layer.index), ": scale ",
                          Significant(layer.scale), ", trained with ", Significant(range->scale));
  }
  return result;
}

}  // namespace

void JudgeRanges(const GateLimits& limits, Report& report) {
  const int64_t limit = limits.max_changed_ranges.value_or(0);
  if (limit < 0) return;
  for (const std::string& model : ModelsOf(report.layers)) {
    const ChangedRanges found = ChangedRangesOf(report, model);
    if (found.known == 0) continue;
    const ModelResult* row = RowNamed(report, model);
    const bool calibrated = row != nullptr && IsCalibrated(row->provenance);
    if (2 * found.changed > found.known || (calibrated && found.changed > 0)) {
      report.warnings.push_back(StrCat(model, ": ", found.changed, " of ", found.known,
                                       " outputs have scales different from those of training: it was "
                                       "quantized in another way",
                                       calibrated ? ", by calibration" : ", by calibration perhaps"));
      continue;
    }
    GateResult gate;
    gate.name = "max-changed-ranges";
    gate.model = model;
    gate.reference = "training";
    gate.limit = static_cast<double>(limit);
    gate.value = static_cast<double>(found.changed);
    gate.pass = found.changed <= limit;
    gate.note = found.first;
    gate.asked = limits.max_changed_ranges.has_value();
    report.gates.push_back(std::move(gate));
  }
}

void JudgeLayers(const GateLimits& limits, const Report& baseline, Report& report) {
  const double limit = limits.max_layer_loss.value_or(kMaxLayerLoss);
  if (limit < 0) return;
  const std::set<std::string> models = ModelsOf(report.layers), earlier = ModelsOf(baseline.layers);
  for (const std::string& model : models) {
    const bool only = models.size() == 1 && earlier.size() == 1;
    if (!only && !earlier.contains(model)) continue;
    const std::string& earlier_model = only ? *earlier.begin() : model;
    report.gates.push_back(JudgeLayersOf(model, earlier_model, limit, baseline, report));
    report.gates.back().asked = limits.max_layer_loss.has_value();
  }
}

void JudgeProof(const GateLimits& limits, ArithmeticProfile profile, Report& report) {
  if (!limits.max_steps && profile != ArithmeticProfile::kTflite) return;
  if (limits.max_steps.value_or(0) < 0) return;
  for (const PairResult& pair : report.pairs) {
    const auto witnessed = WitnessedBy(report, pair);
    // A model of other integers than its checkpoint's is compared where a limit asks for it.
    if (!witnessed || (pair.quantized_apart && !limits.max_steps)) continue;
    const ModelResult& model = *witnessed->model;
    if (!limits.max_steps && !witnessed->witness->by_reference) continue;
    if (!limits.max_steps && HasLayersApart(model) && witnessed->witness->kind != "litert") {
      report.warnings.push_back(StrCat(model.name, ": some of its layers are of another type than in ",
                                       witnessed->witness->name, ", so it is not held to the steps of that"));
      continue;
    }
    const int64_t limit = limits.max_steps.value_or(HasLayersInFloat(model) ? kStepsBesideFloat : 0);
    const bool only_reals = pair.max_abs_error && !pair.max_abs_lsb && !pair.first_difference;
    if (only_reals) continue;
    report.gates.push_back(JudgePair(pair, *witnessed, limit));
    report.gates.back().asked = limits.max_steps.has_value();
  }
}

}  // namespace qat
