#include "report/text_format.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/strings.h"
#include "report/label_figures.h"

namespace qat {

std::string Grouped(int64_t value) {
  std::string text = std::to_string(value);
  const int64_t first = value < 0 ? 1 : 0;
  for (auto place = static_cast<int64_t>(text.size()) - 3; place > first; place -= 3) {
    text.insert(static_cast<size_t>(place), 1, ',');
  }
  return text;
}

std::string Fixed(double value, int decimals) {
  if (!std::isfinite(value)) return "-";
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f", decimals, value);
  const std::string_view text = buffer;
  const bool zero = text.find_first_of("123456789") == std::string_view::npos;
  return std::string(zero && text.front() == '-' ? text.substr(1) : text);
}

std::string Significant(double value) {
  if (!std::isfinite(value)) return "-";
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size >= 1e6 || (size < 1e-4)) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.2e", value);
    return buffer;
  }
  const int before_point = static_cast<int>(std::floor(std::log10(size))) + 1;
  return Fixed(value, std::max(0, 3 - before_point));
}

std::string PercentText(const ModelResult& model) {
  if (!model.accuracy) return "-";
  return StrCat(Fixed(model.accuracy->top1, model.accuracy->total > 10000 ? 3 : 2), " %");
}

namespace {

std::string Signed(double value) {
  const std::string text = Fixed(value, 2);
  return StrCat(value > 0 && text != "0.00" ? "+" : "", text);
}

// Of many pixels a difference may be smaller than the last of two decimals, and is one all the same.
std::string Points(double value) {
  const double size = std::abs(value);
  return size >= 0.005 || size == 0 ? Fixed(value, 2) : size >= 0.0005 ? Fixed(value, 3) : Significant(value);
}

}  // namespace

std::string AccuracyIntervalText(const ModelResult& model) {
  if (!model.accuracy || !model.accuracy->interval) return "-";
  const Interval interval = *model.accuracy->interval;
  return StrCat("[", Fixed(interval.low, 2), ", ", Fixed(interval.high, 2), "] %");
}

bool IsRegression(const Report& report) {
  return std::any_of(report.models.begin(), report.models.end(),
                     [](const ModelResult& model) { return model.regression.has_value(); });
}

namespace {

bool HasMeanIou(const Report& report) {
  return std::any_of(report.models.begin(), report.models.end(), [](const ModelResult& model) {
    return model.classification && model.classification->mean_iou;
  });
}

bool HasAnomalies(const Report& report) {
  return std::any_of(report.models.begin(), report.models.end(),
                     [](const ModelResult& model) { return model.anomaly.has_value(); });
}

bool HasLabels(const Report& report, size_t at_least) {
  return std::any_of(report.models.begin(), report.models.end(), [=](const ModelResult& model) {
    return model.labels && model.labels->labels.size() >= at_least;
  });
}

std::string PartText(const std::optional<double>& part) { return part ? Fixed(*part, 4) : "-"; }

std::string RmseText(const RegressionResult& result) {
  const std::string rmse = Significant(result.relative_rmse.value_or(result.all.rmse));
  const std::optional<Interval>& interval =
      result.relative_rmse ? result.relative_interval : result.rmse_interval;
  if (!interval) return rmse;
  return StrCat(rmse, " [", Significant(interval->low), ", ", Significant(interval->high), "]");
}

// Several numbers are told in deviations of each.
std::string RmseHead(const Report& report) {
  const bool relative = std::any_of(report.models.begin(), report.models.end(), [](const ModelResult& model) {
    return model.regression && model.regression->relative_rmse;
  });
  return relative ? "RMSE in deviations at 95 %" : "RMSE at 95 %";
}

std::string RiseText(const ErrorComparison& errors) {
  if (!errors.rise_pct) return "-";
  const std::string rise = StrCat(Signed(*errors.rise_pct), " %");
  if (!errors.rise_interval) return rise;
  return StrCat(rise, " [", Signed(errors.rise_interval->low), ", ", Signed(errors.rise_interval->high), "]");
}

}  // namespace

QualityColumns QualityHeads(const Report& report) {
  if (HasAnomalies(report)) return {RmseHead(report), "anomaly AUC"};
  if (IsRegression(report)) return {RmseHead(report), "R²"};
  if (HasLabels(report, 2)) return {"mAP", "exact match"};
  if (HasLabels(report, 1)) return {"accuracy", "AUC"};
  return {"accuracy", HasMeanIou(report) ? "mean IoU" : "at 95 %"};
}

QualityColumns QualityCells(const Report& report, const ModelResult& model) {
  if (model.anomaly && model.regression) {
    const std::optional<Interval>& interval = model.anomaly->interval;
    return {
        RmseText(*model.regression),
        StrCat(Fixed(model.anomaly->auc, 4),
               interval ? StrCat(" [", Fixed(interval->low, 4), ", ", Fixed(interval->high, 4), "]") : "")};
  }
  if (model.labels && HasLabels(report, 2)) {
    return {PartText(MeanAveragePrecision(*model.labels)), StrCat(Fixed(ExactMatch(*model.labels), 2), " %")};
  }
  if (model.labels && !model.labels->labels.empty()) {
    return {PercentText(model), PartText(model.labels->labels.front().auc)};
  }
  if (model.regression) {
    const std::optional<double>& r2 = model.regression->all.r2;
    return {RmseText(*model.regression), r2 ? Fixed(*r2, 4) : "-"};
  }
  if (!HasMeanIou(report)) return {PercentText(model), AccuracyIntervalText(model)};
  const bool known = model.classification && model.classification->mean_iou;
  return {PercentText(model), known ? StrCat(Fixed(*model.classification->mean_iou, 2), " %") : "-"};
}

namespace {

// Beside the interval that decides there is nothing to add; without one, p is what decided.
std::string DifferText(bool resolved, bool by_interval, double p, const std::string& examples) {
  const std::string text =
      resolved ? std::string("a difference") : StrCat("not distinguishable on ", examples);
  return by_interval ? text : StrCat(text, " (p ", Significant(p), ")");
}

}  // namespace

PairColumns PairHeads(const Report& report) {
  if (IsRegression(report))
    return {"examples with larger, smaller error", "RMSE rise at 95 %", "errors differ?"};
  return {"flips", "drop at 95 %", "accuracy differs?"};
}

PairColumns PairCells(const Report& report, const PairResult& pair) {
  if (!pair.errors) return {FlipsText(pair), DropText(pair), ResolvedText(pair, report)};
  const ErrorComparison& errors = *pair.errors;
  const std::string differ = errors.larger + errors.smaller == 0
                                 ? "all errors are equal"
                                 : DifferText(errors.resolved(), errors.rise_interval.has_value(),
                                              errors.sign_p, Counted(report.data_examples, report));
  return {StrCat(Grouped(errors.larger), ", ", Grouped(errors.smaller)), RiseText(errors), differ};
}

std::string ResolvedText(const PairResult& pair, const Report& report) {
  if (!pair.mcnemar_p) return "-";
  if (pair.total_flips == 0) return "no label differs";
  return DifferText(pair.resolved(), pair.drop_interval.has_value(), *pair.mcnemar_p,
                    Counted(report.data_examples, report));
}

std::string DropText(const PairResult& pair) {
  if (!pair.drop_interval) return PointsText(pair.drop_pt);
  return StrCat(PointsText(pair.drop_pt), " [", Signed(pair.drop_interval->low), ", ",
                Signed(pair.drop_interval->high), "]");
}

std::string SpeedupText(const PairResult& pair) {
  if (!pair.speedup) return "-";
  const std::string ratio = StrCat(Fixed(*pair.speedup, 2), "x");
  if (!pair.speedup_interval) return ratio;
  return StrCat(ratio, " [", Fixed(pair.speedup_interval->low, 2), ", ",
                Fixed(pair.speedup_interval->high, 2), "]");
}

std::string PointsText(double points) { return StrCat(points > 0 ? "+" : "", Points(points), " pt"); }

std::string FlipsText(const PairResult& pair) {
  if (pair.total_flips == 0) return "0";
  return StrCat(Grouped(pair.total_flips), " (", Grouped(pair.right_to_wrong), " right to wrong, ",
                Grouped(pair.wrong_to_right), " wrong to right)");
}

std::string DifferenceText(const Report& report, const PairResult& pair) {
  if (pair.max_abs_lsb && *pair.max_abs_lsb > 0 && pair.equal_outputs) {
    return StrCat(*pair.max_abs_lsb, *pair.max_abs_lsb == 1 ? " step" : " steps", " (",
                  Grouped(*pair.equal_outputs), " of ", Counted(report.data_examples, report), " equal)");
  }
  if (pair.max_abs_lsb) return StrCat(*pair.max_abs_lsb, *pair.max_abs_lsb == 1 ? " step" : " steps");
  if (!pair.max_abs_error) return "-";
  const std::string size = Significant(*pair.max_abs_error);
  return pair.max_abs_error_number
             ? StrCat(size, " of ", NumberSubject(report, static_cast<size_t>(*pair.max_abs_error_number)))
             : size;
}

std::string PlaceText(const std::string& layer, const std::string& op, int64_t index) {
  return index < 0 ? "the input layer" : StrCat(layer, " (", op, ", operator ", index, ")");
}

std::string ClassText(const Report& report, int32_t label) {
  const auto index = static_cast<size_t>(label);
  return index < report.class_names.size() ? report.class_names[index] : std::to_string(label);
}

std::string ClassSubject(const Report& report, size_t label) {
  const std::string number = std::to_string(label);
  const std::string name = ClassText(report, static_cast<int32_t>(label));
  return name == number ? StrCat("class ", number) : StrCat("class '", name, "'");
}

std::string LabelName(const Report& report, size_t index) {
  const bool yes = report.task == "yes-no" && report.class_names.size() == 2;
  return ClassText(report, static_cast<int32_t>(yes ? 1 : index));
}

std::string NumberName(const Report& report, size_t index) {
  return report.task == "numbers" ? ClassText(report, static_cast<int32_t>(index)) : std::to_string(index);
}

std::string NumberSubject(const Report& report, size_t index) {
  const std::string name = NumberName(report, index);
  return name == std::to_string(index) ? StrCat("number ", index) : StrCat("number '", name, "'");
}

std::string AnswerText(const Report& report, int32_t answer, const std::optional<double>& confidence) {
  const std::string name = ClassText(report, answer);
  return confidence ? StrCat(name, " (", Fixed(100 * *confidence, 1), " %)") : name;
}

std::string FirstDifferenceText(const LayerDifference& difference) {
  const std::string where = StrCat("first in ", PlaceText(difference.layer, difference.op, difference.index),
                                   ", image ", difference.example, ": ");
  if (!difference.grids.empty()) return StrCat(where, difference.grids);
  return StrCat(where, Grouped(difference.differing), " of ", Grouped(difference.values), " values, up to ",
                Grouped(difference.steps), difference.steps == 1 ? " step" : " steps");
}

std::string FilterText(const FilterResolution& filter) {
  const std::string steps = StrCat(filter.least_steps, filter.least_steps == 1 ? " step" : " steps");
  if (filter.coarse_channels == 0)
    return StrCat("all ", filter.channels, " channels have ", steps, " and more");
  return StrCat(filter.coarse_channels, " of ", filter.channels, " channels coarse, the worst has ", steps);
}

std::string LayerText(const LayerError& layer) {
  return StrCat(PlaceText(layer.layer, layer.op, layer.index), ", ", DecibelText(layer.own_sqnr_db), ", ",
                Fixed(100 * layer.range_used, 0), " % of its range used");
}

std::string DecibelText(const std::optional<double>& decibels) {
  return decibels ? StrCat(Fixed(*decibels, 1), " dB") : "-";
}

std::string GateNumber(const GateResult& gate, double number) {
  if (gate.name == "min-accuracy" || gate.name == "min-balanced-accuracy" || gate.name == "min-recall" ||
      gate.name == "min-f1" || gate.name == "min-iou")
    return StrCat(Fixed(number, 2), " %");
  if (gate.name == "min-auc") return Fixed(number, 4);
  if (gate.name == "max-drop") return StrCat(Points(number), " pt");
  if (gate.name == "max-rmse") return Significant(number);
  if (gate.name == "max-error-rise") return StrCat(Fixed(number, 2), " %");
  if (gate.name == "max-size") return StrCat(Grouped(std::llround(number)), " B");
  if (gate.name == "min-speedup" || gate.name == "max-latency-ratio") return StrCat(Fixed(number, 3), "x");
  if (gate.name == "max-latency") return StrCat(Fixed(number, 1), " µs");
  if (gate.name == "max-layer-loss") return StrCat(Fixed(number, 1), " dB");
  if (gate.name == "max-steps") return StrCat(NumberText(number), number == 1 ? " step" : " steps");
  return NumberText(number);
}

std::string GateTitle(const GateResult& gate) {
  return gate.asked ? gate.name : StrCat(gate.name, " (default)");
}

std::string GateSentence(const GateResult& gate) {
  std::string text = gate.name;
  if (!gate.subject.empty()) text += StrCat(" of ", gate.subject);
  if (!gate.model.empty()) text += StrCat(gate.subject.empty() ? " of " : " by ", gate.model);
  if (!gate.reference.empty()) text += StrCat(" against ", gate.reference);
  text += StrCat(": ", GateNumber(gate, gate.value), ", limit ", GateNumber(gate, gate.limit));
  if (gate.p) text += StrCat(", p ", Significant(*gate.p));
  return gate.note.empty() ? text : StrCat(text, " (", gate.note, ")");
}

std::string TraceVerdict(const std::vector<TraceLink>& links) {
  std::vector<std::string> broken, missing;
  for (const TraceLink& link : links) {
    if (link.state == "differs") broken.push_back(link.what);
    if (link.state == "not here") missing.push_back(link.what);
  }
  if (!broken.empty()) return StrCat("the chain breaks at: ", Join(broken));
  if (links.size() < 2) return "there is no chain: nothing says what it was made from";
  if (!missing.empty()) return StrCat("nothing differs; not here: ", Join(missing));
  return "the chain is whole";
}

std::string DisturbanceText(const TimingConditions& timing) {
  constexpr double kWorthSaying = 0.005;
  std::vector<std::string> parts;
  if (timing.others >= kWorthSaying)
    parts.push_back(StrCat("other processes took ", Fixed(100 * timing.others, 0), " % of the processors"));
  if (timing.stolen >= kWorthSaying)
    parts.push_back(StrCat("the hypervisor took ", Fixed(100 * timing.stolen, 0), " %"));
  if (!parts.empty()) return Join(parts);
  if (timing.noisy()) return "something disturbed the times";
  return timing.loaded() ? "a machine with more to do than it has processors" : "a quiet machine";
}

std::string TimingText(const TimingConditions& timing) {
  std::string text = timing.noise ? StrCat("measurement noise ", Fixed(100 * *timing.noise, 1), " %")
                                  : std::string("too few runs to measure the noise");
  text += StrCat("; ", DisturbanceText(timing));
  if (timing.pinned_cpu) text += StrCat("; on processor ", *timing.pinned_cpu, " alone");
  if (!timing.governor.empty()) text += StrCat(", governor ", timing.governor);
  text += StrCat(", load ", Fixed(timing.load_average, 2));
  if (timing.processors == 0) return text;
  return StrCat(text, " on ", timing.processors, timing.processors == 1 ? " processor" : " processors");
}

std::string RoundsText(const Report& report) {
  int64_t rounds = 0;
  for (const ModelResult& model : report.models) {
    if (!model.latency_us) continue;
    if (rounds != 0 && rounds != model.latency_us->rounds) return "all rounds";
    rounds = model.latency_us->rounds;
  }
  if (rounds == 0) return "all rounds";
  return rounds == 1 ? "1 round" : StrCat(Grouped(rounds), " rounds");
}

std::string Counted(int64_t count, const Report& report) {
  return StrCat(Grouped(count), " ", ExampleWord(report), count == 1 ? "" : "s");
}

std::string_view ExampleWord(const Report& report) { return report.data_are_images ? "image" : "example"; }

std::string ExamplesText(const Report& report) {
  if (report.data_total <= report.data_examples) return Counted(report.data_examples, report);
  const double share =
      100.0 * static_cast<double>(report.data_examples) / static_cast<double>(report.data_total);
  return StrCat(Grouped(report.data_examples), " of ", Counted(report.data_total, report), " (",
                Significant(share), " %, a sample)");
}

}  // namespace qat
