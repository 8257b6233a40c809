#include "train/budget.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include "spec/schedule.h"
#include "train/evaluate.h"
#include "train/in_threads.h"
#include "train/step_engine.h"
#include "train/threads.h"
#include "train/torch_error.h"

namespace qat {
namespace {

constexpr double kPhaseSeconds = 1;  // of each of three kinds of steps
constexpr int64_t kMostSteps = 64;
constexpr size_t kEvaluated = 500;  // examples; the cost of all follows
// so late in a run an evaluation has all the batches that it may want
constexpr int64_t kDeployedFrom = 64;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max() / 4;

using Clock = std::chrono::steady_clock;

double Since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Steps of one kind, and evaluations, timed.
struct Probe {
  const Graph& network;
  const TrainConfig& config;
  const Contract& contract;
  const Checkpoint* teacher;
  const WorkHooks& hooks;
  const Dataset& train;
  const std::vector<int32_t>& examples;
  double limit;

  Expected<std::unique_ptr<StepEngine>> Engine(int64_t delay, int64_t freeze) const {
    Schedule schedule;
    schedule.steps = schedule.freeze_ranges_at = kNever;
    schedule.quant_delay = config.scheme == "float32" ? kNever : delay;
    schedule.freeze_batch_norm_at = config.scheme == "float32" ? kNever : freeze;
    QAT_ASSIGN_OR_RETURN(std::unique_ptr<StepEngine> engine,
                         StepEngine::Create(network, config, schedule, contract, nullptr));
    if (teacher != nullptr) QAT_RETURN_IF_ERROR(engine->LearnFrom(*teacher));
    return engine;
  }

  /// As a run makes them, in as many threads.
  Expected<double> SecondsPerStep(int64_t delay, int64_t freeze) const {
    const int ranks = RanksOf(ThreadCount(config.threads), config.batch_size);
    if (ranks == 1) return StepsOf(delay, freeze, nullptr);
    return InThreads<double>(ranks, ThreadCount(config.threads), [&](std::shared_ptr<Workers> workers) {
      return StepsOf(delay, freeze, workers.get());
    });
  }

  /// The first step, which allocates, is not counted. A step of nonsense values costs what others do: its
  /// error is none.
  Expected<double> StepsOf(int64_t delay, int64_t freeze, Workers* workers) const {
    QAT_ASSIGN_OR_RETURN(const auto engine, Engine(delay, freeze));
    if (workers != nullptr) engine->ShareBatches(*workers);
    const WorkerPlace place = workers == nullptr ? WorkerPlace() : workers->place();
    DataFeed own(train, config, InputTensors(contract, network), examples);
    Clock::time_point begin;
    int64_t step = 0;
    bool goes_on = true;
    do {
      if (place.writes()) QAT_RETURN_IF_ERROR(hooks.Poll("measuring the speed"));
      QAT_ASSIGN_OR_RETURN(const Batch batch, own.Read(step, place));
      const auto result = engine->Step(batch, step);
      if (!result.ok() && result.error().code != ErrorCode::kNumerical) return result.error();
      if (step++ == 0) begin = Clock::now();
      const bool enough = step >= 2 && (step >= kMostSteps || Since(begin) >= limit);
      goes_on = !(workers == nullptr ? enough : workers->Any(enough && place.writes()));
    } while (goes_on);
    return Since(begin) / static_cast<double>(step - 1);
  }

  Expected<double> SecondsPerEvaluation(StepEngine& engine, const Dataset& data,
                                        const std::vector<int32_t>& watched) const {
    DataFeed feed(train, config, InputTensors(contract, network), examples);
    // An average of weights needs some.
    QAT_ASSIGN_OR_RETURN(const Batch batch, feed.Read(0));
    const auto stepped = engine.Step(batch, 0);
    if (!stepped.ok() && stepped.error().code != ErrorCode::kNumerical) return stepped.error();
    const Clock::time_point begin = Clock::now();
    QAT_ASSIGN_OR_RETURN(Network* const deployed, engine.Deploy(feed, kDeployedFrom));
    const double deployed_in = Since(begin);
    const auto part = std::span(watched).first(std::min(watched.size(), kEvaluated));
    const Clock::time_point evaluating = Clock::now();
    QAT_RETURN_IF_ERROR(Evaluate(*deployed, contract, data, part, /*fake_quantize=*/false));
    const double share =
        static_cast<double>(watched.size()) / static_cast<double>(std::max<size_t>(part.size(), 1));
    return deployed_in + Since(evaluating) * share;
  }
};

}  // namespace

double SecondsOf(const RunCost& cost, const TrainConfig& config, int64_t steps, int64_t train_examples) {
  TrainConfig candidate = config;
  candidate.steps = steps;
  const Schedule schedule = MakeSchedule(candidate, train_examples);
  const int64_t frozen = std::max<int64_t>(steps - schedule.freeze_batch_norm_at, 0);
  const int64_t quantized = std::max<int64_t>(steps - schedule.quant_delay - frozen, 0);
  const int64_t plain = steps - quantized - frozen;
  const int64_t evaluations = (steps + schedule.eval_every - 1) / schedule.eval_every;
  return cost.plain * static_cast<double>(plain) + cost.quantized * static_cast<double>(quantized) +
         cost.frozen * static_cast<double>(frozen) + cost.evaluation * static_cast<double>(evaluations);
}

int64_t StepsWithin(const RunCost& cost, const TrainConfig& config, int64_t train_examples, double seconds) {
  int64_t fits = 1, wanted = MakeSchedule(config, train_examples).steps;
  while (fits < wanted) {
    const int64_t middle = fits + (wanted - fits + 1) / 2;
    const bool enough = SecondsOf(cost, config, middle, train_examples) <= seconds;
    (enough ? fits : wanted) = enough ? middle : middle - 1;
  }
  return fits >= 200 ? fits / 20 * 20 : fits;
}

Expected<RunCost> MeasureCost(const Graph& network, const TrainConfig& config, const Contract& contract,
                              const Dataset& train, const Dataset& test, const HoldoutSplit& split,
                              const Checkpoint* teacher, const WorkHooks& hooks) {
  try {
    if (teacher != nullptr) QAT_RETURN_IF_ERROR_IN("`teacher`", CheckTeacher(*teacher, network, contract));
    ConfigureThreads(config.threads);
    const double limit = std::min(kPhaseSeconds, static_cast<double>(config.budget) / 40);
    const Probe probe = {network, config, contract, teacher, hooks, train, split.train, limit};
    RunCost cost;
    QAT_ASSIGN_OR_RETURN(cost.plain, probe.SecondsPerStep(kNever, kNever));
    QAT_ASSIGN_OR_RETURN(cost.quantized, probe.SecondsPerStep(0, kNever));
    QAT_ASSIGN_OR_RETURN(cost.frozen, probe.SecondsPerStep(0, 0));
    QAT_ASSIGN_OR_RETURN(const auto plain, probe.Engine(kNever, kNever));
    std::vector<int32_t> all(static_cast<size_t>(split.holdout.empty() ? test.size() : 0));
    std::iota(all.begin(), all.end(), 0);
    const bool held_out = !split.holdout.empty();
    QAT_ASSIGN_OR_RETURN(cost.evaluation, probe.SecondsPerEvaluation(*plain, held_out ? train : test,
                                                                     held_out ? split.holdout : all));
    return cost;
  } catch (const std::exception& exception) {
    return TorchError(exception);
  }
}

}  // namespace qat
