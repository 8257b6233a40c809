#include "calibrate/repair.h"

#include <cstring>
#include <limits>

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

Status RepairAsTried(const Repairs& repairs, const RepairTask& task, QuantizationOptions& options,
                     const WorkHooks& hooks, Graph& graph) {
  std::vector<std::string> warnings;
  if (repairs.equalize) {
    QAT_ASSIGN_OR_RETURN(const ChannelReach reach, FindChannelReach(graph, task.dataset, IsFitted, hooks));
    EqualizeFilters(graph, nullptr, &reach);
  }
  CalibrationOptions calibration = task.calibration;
  calibration.chosen = IsFitted;
  QAT_RETURN_IF_ERROR(Calibrate(task.dataset, calibration, hooks, graph, warnings));
  if (task.choices != nullptr) QAT_RETURN_IF_ERROR(TakeChoices(*task.choices, graph, options));
  const Graph source = graph;
  for (const FilterRepairs& each : {FilterRepairs{.adaround = true}, FilterRepairs{.correct_bias = true}}) {
    if (each.adaround ? !repairs.adaround : !repairs.bias) continue;
    QAT_ASSIGN_OR_RETURN(const QuantizationPlan plan, PlanQuantization(graph, options, warnings));
    QAT_ASSIGN_OR_RETURN(const RepairedFilters repaired,
                         RepairFilters(each, plan, task.dataset, IsFitted, hooks, source, graph));
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
  Judge(const Graph& graph, const Dataset& dataset, const WorkHooks& hooks)
      : graph_(graph), dataset_(dataset), hooks_(hooks) {}

  Status SeeReals() {
    QAT_ASSIGN_OR_RETURN(FloatRun run, FloatRun::Create(graph_));
    return Collect(run, graph_, reals_);
  }

  Expected<double> ErrorOf(const Graph& quantized) {
    QAT_ASSIGN_OR_RETURN(FloatRun run, FloatRun::Create(quantized));
    std::vector<std::vector<float>> outputs;
    QAT_RETURN_IF_ERROR(Collect(run, quantized, outputs));
    double error = 0;
    for (size_t i = 0; i < outputs.size(); ++i) error += ErrorOf(i, outputs[i]);
    return error;
  }

 private:
  /// The outputs on the examples that were held out, each as one list. Indices lie in the bits of floats.
  Status Collect(FloatRun& run, const Graph& graph, std::vector<std::vector<float>>& outputs) {
    outputs.assign(graph.outputs.size(), {});
    return run.ForEach(dataset_, IsHeldOut, hooks_, [&](int64_t) -> Status {
      for (size_t i = 0; i < outputs.size(); ++i) {
        const auto values = run.Values(graph.outputs[i]);
        outputs[i].insert(outputs[i].end(), values.begin(), values.end());
      }
      return {};
    });
  }

  double ErrorOf(size_t output, const std::vector<float>& values) const {
    const std::vector<float>& reals = reals_[output];
    const bool indices = graph_.tensor(graph_.outputs[output]).type != DType::kFloat32;
    double difference = 0, all = 0;
    for (size_t i = 0; i < reals.size(); ++i) {
      if (indices) {
        difference += std::memcmp(&reals[i], &values[i], sizeof(float)) != 0;
        all += 1;
      } else {
        difference += (double{values[i]} - reals[i]) * (double{values[i]} - reals[i]);
        all += double{reals[i]} * reals[i];
      }
    }
    return all > 0 ? difference / all : 0;
  }

  const Graph& graph_;
  const Dataset& dataset_;
  const WorkHooks& hooks_;
  std::vector<std::vector<float>> reals_;
};

Status ExpectEnough(const RepairTask& task, std::string_view choice) {
  if (task.dataset.size() >= kFewest) return {};
  return InvalidArgument(StrCat("`", choice, "`: auto holds one of ", kHeldOut, " examples out, and there are ", task.dataset.size(),
                                "; expected ", kFewest, " or more"));
}

Expected<double> ErrorWith(const Repairs& repairs, const Graph& graph, const RepairTask& task, const WorkHooks& hooks,
                           Judge& judge) {
  Graph trial = graph;
  QuantizationOptions options = task.quantization;
  QAT_RETURN_IF_ERROR(RepairAsTried(repairs, task, options, hooks, trial));
  QAT_RETURN_IF_ERROR(Quantize(options, trial));
  return judge.ErrorOf(trial);
}

}  // namespace

Expected<ChosenRepairs> ChooseRepairs(const Graph& graph, const RepairTask& task,
                                      const WorkHooks& hooks) {
  QAT_RETURN_IF_ERROR(ExpectEnough(task, "repair"));
  Judge judge(graph, task.dataset, hooks);
  QAT_RETURN_IF_ERROR(judge.SeeReals());
  ChosenRepairs chosen;
  double least = std::numeric_limits<double>::infinity();
  const auto consider = [&](std::string_view name, const Repairs& repairs) -> Status {
    QAT_ASSIGN_OR_RETURN(const double error, ErrorWith(repairs, graph, task, hooks, judge));
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
  Judge judge(graph, task.dataset, hooks);
  QAT_RETURN_IF_ERROR(judge.SeeReals());
  ChosenObserver chosen;
  size_t best = 0;
  for (const Observer observer :
       {Observer::kMinMax, Observer::kMovingAverage, Observer::kPercentile, Observer::kMse, Observer::kKl}) {
    RepairTask trial = task;
    trial.calibration.observers.usual = observer;
    QAT_ASSIGN_OR_RETURN(const double error, ErrorWith({}, graph, trial, hooks, judge));
    chosen.trials.push_back({std::string(NameOf(observer)), error, false});
    if (error < chosen.trials[best].error) best = chosen.trials.size() - 1, chosen.observer = observer;
  }
  chosen.trials[best].kept = true;
  return chosen;
}

}  // namespace qat
