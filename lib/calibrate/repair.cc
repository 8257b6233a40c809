#include "calibrate/repair.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>

#include "base/strings.h"
#include "calibrate/channel_reach.h"
#include "calibrate/repair_filters.h"
#include "passes/passes.h"

namespace qat {
namespace {

constexpr int64_t kHeldOut = 5;  // one of so many examples
constexpr int64_t kFewest = 10;

bool IsHeldOut(int64_t example) { return example % kHeldOut == kHeldOut - 1; }
bool IsFitted(int64_t example) { return !IsHeldOut(example); }

/// Parts of a trial, each shown as long as one run of the examples, also one that is not needed: it is passed
/// over.
enum Part { kEqualizing, kCalibrating, kAdapting, kCorrecting, kJudging, kParts };

/// Shows how far all trials are, behind a run of the float network.
class TrialProgress {
 public:
  TrialProgress(const WorkHooks& hooks, size_t trials, int64_t examples)
      : hooks_(hooks), total_((1 + static_cast<int64_t>(trials) * kParts) * examples), examples_(examples) {}

  WorkHooks OfReals() { return At(0, "float32"); }
  WorkHooks Of(size_t trial, std::string_view name, Part part) {
    return At(1 + static_cast<int64_t>(trial) * kParts + part, StrCat("trying ", name));
  }

 private:
  /// A part that runs the examples twice does not go back.
  WorkHooks At(int64_t place, const std::string& what) {
    return {[this, place, what](const std::string&, int64_t done, int64_t total) {
              shown_ = std::max(shown_, place * examples_ + examples_ * done / std::max<int64_t>(1, total));
              hooks_.Progress(what, shown_, total_);
            },
            hooks_.interrupted};
  }

  const WorkHooks& hooks_;
  int64_t total_, examples_, shown_ = 0;
};

using HooksOfPart = std::function<WorkHooks(Part part)>;

Status RepairAsTried(const Repairs& repairs, const RepairTask& task, QuantizationOptions& options,
                     const HooksOfPart& hooks, Graph& graph) {
  std::vector<std::string> warnings;
  if (repairs.equalize) {
    QAT_ASSIGN_OR_RETURN(const ChannelReach reach,
                         FindChannelReach(graph, task.dataset, IsFitted, hooks(kEqualizing)));
    EqualizeFilters(graph, nullptr, &reach);
  }
  CalibrationOptions calibration = task.calibration;
  calibration.chosen = IsFitted;
  QAT_RETURN_IF_ERROR(Calibrate(task.dataset, calibration, hooks(kCalibrating), graph, warnings));
  if (task.choices != nullptr) QAT_RETURN_IF_ERROR(TakeChoices(*task.choices, graph, options));
  const Graph source = graph;
  for (const FilterRepairs& each : {FilterRepairs{.adaround = true}, FilterRepairs{.correct_bias = true}}) {
    if (each.adaround ? !repairs.adaround : !repairs.bias) continue;
    QAT_ASSIGN_OR_RETURN(const QuantizationPlan plan, PlanQuantization(graph, options, warnings));
    QAT_ASSIGN_OR_RETURN(const RepairedFilters repaired,
                         RepairFilters(each, plan, task.dataset, IsFitted,
                                       hooks(each.adaround ? kAdapting : kCorrecting), source, graph));
    if (repaired.repaired.empty()) break;  // no layer to repair
  }
  return {};
}

/// The model as it will be, with float32 at its borders.
Status Quantize(const QuantizationOptions& options, Graph& graph) {
  std::vector<std::string> warnings;
  QAT_RETURN_IF_ERROR(ChooseQuantization(graph, options, warnings));
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    QAT_RETURN_IF_ERROR(SetInputType(DType::kFloat32, i, graph));
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    if (graph.tensor(graph.outputs[i]).quantization)
      QAT_RETURN_IF_ERROR(SetOutputType(DType::kFloat32, i, graph));
  }
  return Verify(graph);
}

class Judge {
 public:
  Judge(const Graph& graph, const Dataset& dataset) : graph_(graph), dataset_(dataset) {}

  Status SeeReals(const WorkHooks& hooks) {
    QAT_ASSIGN_OR_RETURN(FloatRun run, FloatRun::Create(graph_));
    return Collect(run, graph_, hooks, reals_);
  }

  /// The part of each example; the error is their sum.
  Expected<std::vector<double>> ErrorsOf(const Graph& quantized, const WorkHooks& hooks) {
    QAT_ASSIGN_OR_RETURN(FloatRun run, FloatRun::Create(quantized));
    std::vector<std::vector<float>> outputs;
    QAT_RETURN_IF_ERROR(Collect(run, quantized, hooks, outputs));
    std::vector<double> errors(static_cast<size_t>(dataset_.size() / kHeldOut));
    for (size_t i = 0; i < outputs.size(); ++i) AddErrors(i, outputs[i], errors);
    return errors;
  }

 private:
  /// The outputs on the examples that were held out, each as one list. Indices lie in the bits of floats.
  Status Collect(FloatRun& run, const Graph& graph, const WorkHooks& hooks,
                 std::vector<std::vector<float>>& outputs) {
    outputs.assign(graph.outputs.size(), {});
    return run.ForEach(dataset_, IsHeldOut, hooks, [&](int64_t) -> Status {
      for (size_t i = 0; i < outputs.size(); ++i) {
        const auto values = run.Values(graph.outputs[i]);
        outputs[i].insert(outputs[i].end(), values.begin(), values.end());
      }
      return {};
    });
  }

  void AddErrors(size_t output, const std::vector<float>& values, std::vector<double>& errors) const {
    const std::vector<float>& reals = reals_[output];
    const bool indices = graph_.tensor(graph_.outputs[output]).type != DType::kFloat32;
    const size_t each = reals.size() / errors.size();
    std::vector<double> differences(errors.size());
    double all = 0;
    for (size_t i = 0; i < reals.size(); ++i) {
      double& difference = differences[std::min(i / std::max<size_t>(each, 1), errors.size() - 1)];
      if (indices) {
        difference += std::memcmp(&reals[i], &values[i], sizeof(float)) != 0;
        all += 1;
      } else {
        difference += (double{values[i]} - reals[i]) * (double{values[i]} - reals[i]);
        all += double{reals[i]} * reals[i];
      }
    }
    for (size_t i = 0; all > 0 && i < errors.size(); ++i) errors[i] += differences[i] / all;
  }

  const Graph& graph_;
  const Dataset& dataset_;
  std::vector<std::vector<float>> reals_;
};

Status ExpectEnough(const RepairTask& task, std::string_view choice) {
  if (task.dataset.size() >= kFewest) return {};
  return InvalidArgument(StrCat("`", choice, "`: auto holds one of ", kHeldOut,
                                " examples out, and there are ", task.dataset.size(), "; expected ", kFewest,
                                " or more"));
}

double Sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

/// Whether errors of the same examples are smaller by more than chance: a paired t test, two-sided, 5 %. Of
/// fewer than 5 examples nothing is known.
bool IsClearlyBetter(const std::vector<double>& errors, const std::vector<double>& than) {
  const auto count = static_cast<double>(errors.size());
  if (count < 5) return false;
  const double mean = (Sum(than) - Sum(errors)) / count;
  double squares = 0;
  for (size_t i = 0; i < errors.size(); ++i) {
    const double apart = than[i] - errors[i] - mean;
    squares += apart * apart;
  }
  // Student's t from the normal quantile z = 1.96 (Cornish and Fisher): 2.73 for 5 examples, 2.26 for 10.
  const double free = count - 1, t = 1.96 + 2.372 / free + 2.822 / (free * free);
  return mean > t * std::sqrt(squares / (free * count));
}

Expected<std::vector<double>> ErrorsWith(const Repairs& repairs, const Graph& graph, const RepairTask& task,
                                         const HooksOfPart& hooks, Judge& judge) {
  Graph trial = graph;
  QuantizationOptions options = task.quantization;
  QAT_RETURN_IF_ERROR(RepairAsTried(repairs, task, options, hooks, trial));
  QAT_RETURN_IF_ERROR(Quantize(options, trial));
  return judge.ErrorsOf(trial, hooks(kJudging));
}

}  // namespace

Expected<ChosenRepairs> ChooseRepairs(const Graph& graph, const RepairTask& task, const WorkHooks& hooks) {
  QAT_RETURN_IF_ERROR(ExpectEnough(task, "repair"));
  TrialProgress progress(hooks, 4, task.dataset.size());
  Judge judge(graph, task.dataset);
  QAT_RETURN_IF_ERROR(judge.SeeReals(progress.OfReals()));
  ChosenRepairs chosen;
  double least = std::numeric_limits<double>::infinity();
  const auto consider = [&](std::string_view name, const Repairs& repairs) -> Status {
    const auto of_part = [&](Part part) { return progress.Of(chosen.trials.size(), name, part); };
    QAT_ASSIGN_OR_RETURN(const auto errors, ErrorsWith(repairs, graph, task, of_part, judge));
    const double error = Sum(errors);
    chosen.trials.push_back({std::string(name), error, error < least});
    if (error < least) least = error, chosen.repairs = repairs;
    return {};
  };
  QAT_RETURN_IF_ERROR(consider("none", {}));
  for (const auto& [name, part] :
       {std::pair("equalize", &Repairs::equalize), std::pair("adaround", &Repairs::adaround),
        std::pair("bias", &Repairs::bias)}) {
    Repairs repairs = chosen.repairs;
    repairs.*part = true;
    QAT_RETURN_IF_ERROR(consider(name, repairs));
  }
  return chosen;
}

Expected<ChosenObserver> ChooseObserver(const Graph& graph, const RepairTask& task, const WorkHooks& hooks) {
  QAT_RETURN_IF_ERROR(ExpectEnough(task, "observer"));
  constexpr std::array kObservers = {Observer::kMinMax, Observer::kMovingAverage, Observer::kPercentile,
                                     Observer::kMse, Observer::kKl};
  TrialProgress progress(hooks, kObservers.size(), task.dataset.size());
  Judge judge(graph, task.dataset);
  QAT_RETURN_IF_ERROR(judge.SeeReals(progress.OfReals()));
  ChosenObserver chosen;
  size_t best = 0;
  std::vector<double> usual;
  for (const Observer observer : kObservers) {
    RepairTask trial = task;
    trial.calibration.observers.usual = observer;
    const auto of_part = [&](Part part) { return progress.Of(chosen.trials.size(), NameOf(observer), part); };
    QAT_ASSIGN_OR_RETURN(const auto errors, ErrorsWith({}, graph, trial, of_part, judge));
    const double error = Sum(errors);
    chosen.trials.push_back({std::string(NameOf(observer)), error, false});
    if (observer == Observer::kMinMax) usual = errors;
    if (error >= chosen.trials[best].error || !IsClearlyBetter(errors, usual)) continue;
    best = chosen.trials.size() - 1;
    chosen.observer = observer;
  }
  chosen.trials[best].kept = true;
  return chosen;
}

}  // namespace qat
