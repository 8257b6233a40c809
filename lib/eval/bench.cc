#include "eval/bench.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/strings.h"
#include "eval/environment.h"
#include "eval/latency.h"
#include "eval/lowered_graph.h"
#include "eval/operator_profile.h"
#include "eval/peak_memory.h"
#include "eval/time_ratio.h"
#include "eval/timing.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"

namespace qat {
namespace {

using Clock = std::chrono::steady_clock;

constexpr float kTurnMicroseconds = 3000;
constexpr double kWarmUpMicroseconds = 250'000;
constexpr float kSteady = 1.03f;
constexpr int kStarts = 5;
constexpr int kColdRuns = 7;
constexpr size_t kLargerThanCaches = size_t{1} << 27;
constexpr int32_t kProfileRounds = 50;

double Microseconds(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

// The value at a quantile of 0 to 1, by nearest rank.
double QuantileOf(std::vector<double> values, double quantile) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<size_t>(quantile * static_cast<double>(values.size() - 1) + 0.5);
  return values[rank];
}

// One model at one batch.
struct Contestant {
  std::unique_ptr<Interpreter> interpreter;
  BenchmarkResult result;
  size_t runs_a_turn = 1;
  std::vector<float> times = {};  // microseconds of every run
  std::vector<float> turns = {};  // medians

  float TakeTurn(TimingSession& session) {
    std::vector<float> own;
    for (size_t i = 0; i < runs_a_turn; ++i) {
      session.Start();
      interpreter->Invoke();
      const RunTime time = session.Stop();
      times.push_back(time.wall);
      own.push_back(time.own);
    }
    return MedianOf(own);
  }

  // Until three bursts in a row differ by no more than 3 %, or for a quarter of a second.
  void WarmUp(TimingSession& session) {
    const Clock::time_point start = Clock::now();
    std::array<float, 3> last = {};
    for (size_t burst = 0; Microseconds(start) < kWarmUpMicroseconds; ++burst) {
      last[burst % last.size()] = TakeTurn(session);
      const auto [least, most] = std::minmax_element(last.begin(), last.end());
      if (*most <= *least * kSteady) break;
    }
    times.clear();
    runs_a_turn = static_cast<size_t>(std::clamp(kTurnMicroseconds / std::max(last[0], 0.1f), 1.0f, 1000.0f));
  }
};

void FillInputs(Interpreter& interpreter, uint64_t seed) {
  Random random(MixKey(seed, 0x62656e6368));
  for (size_t i = 0; i < interpreter.model().inputs().size(); ++i) {
    const std::span<uint8_t> input = interpreter.input(i);
    const DType type = interpreter.input_info(i).type;
    if (type == DType::kFloat32) {
      for (size_t at = 0; at < input.size(); at += sizeof(float)) {
        const float value = 2 * random.Uniform() - 1;
        std::memcpy(input.data() + at, &value, sizeof(value));
      }
    } else if (SizeOf(type) == 1) {
      for (uint8_t& byte : input) byte = static_cast<uint8_t>(random.Below(256));
    }
  }
}

Expected<std::shared_ptr<const Model>> LoadModel(const std::string& path, bool graph) {
  if (!graph) return LoadRunnable(path);
  QAT_ASSIGN_OR_RETURN(const Graph read, ReadGraph(path));
  return LowerToModel(read, path);
}

// Every input of a batch is `batch` times as long as in the file.
Expected<InterpreterOptions> WithBatch(const Model& model, InterpreterOptions options, int32_t batch) {
  if (batch == 1) return options;
  for (int32_t input : model.inputs()) {
    Shape shape = model.tensors()[static_cast<size_t>(input)].shape;
    if (shape.empty() || shape[0] != 1) {
      return InvalidArgument(StrCat(model.source(), ": an input is ", ToString(shape),
                                    ", expected one that begins with a batch of 1"));
    }
    shape[0] = batch;
    options.input_shapes.push_back(std::move(shape));
  }
  return options;
}

class Bench {
 public:
  Bench(const BenchRequest& request, const RowRequest& rows) : request_(request), rows_(rows) {}

  Status Open() {
    MeasureMemory();
    for (const int32_t batch : {1, request_.batch}) {
      if (batch == 1 && !contestants_.empty()) break;
      for (const std::string& path : rows_.models) QAT_RETURN_IF_ERROR(AddOrWarn(path, false, batch));
      if (!rows_.graph.empty()) QAT_RETURN_IF_ERROR(AddOrWarn(rows_.graph, true, batch));
    }
    return {};
  }

  Status Measure(const WorkHooks& hooks) {
    TimingSession session(rows_.interpreter.threads == 1);
    for (Contestant& contestant : contestants_) {
      QAT_RETURN_IF_ERROR(hooks.Poll());
      contestant.WarmUp(session);
    }
    for (int32_t round = 0; round < request_.rounds; ++round) {
      QAT_RETURN_IF_ERROR(hooks.Poll());
      session.Calibrate();
      for (size_t i = 0; i < contestants_.size(); ++i) {
        Contestant& on = contestants_[round % 2 == 0 ? i : contestants_.size() - 1 - i];
        on.turns.push_back(on.TakeTurn(session));
      }
      hooks.Progress("rounds", round + 1, request_.rounds);
    }
    conditions_ = session.Conditions();
    std::vector<std::vector<float>> turns;
    for (const Contestant& contestant : contestants_) turns.push_back(contestant.turns);
    conditions_.noise = NoiseOf(turns, request_.seed);
    for (Contestant& contestant : contestants_) MeasureCold(contestant);
    return {};
  }

  void Report(qat::Report& report) {
    size_t largest_arena = 0;
    for (const Contestant& c : contestants_)
      largest_arena = std::max(largest_arena, c.interpreter->arena_size());
    const MachinePeaks peaks =
        request_.operators ? MeasurePeaks(contestants_[0].interpreter->isa(), largest_arena) : MachinePeaks();
    if (request_.operators) {
      report.metrics["peak_integer_macs_per_ns"] = peaks.integer_macs_per_ns;
      report.metrics["peak_float_macs_per_ns"] = peaks.float_macs_per_ns;
      report.metrics["peak_bytes_per_ns"] = peaks.bytes_per_ns;
    }
    report.warnings = warnings_;
    report.timing = conditions_;
    for (Contestant& contestant : contestants_) {
      Summarize(contestant);
      if (request_.operators)
        contestant.result.operators = ProfileOperators(*contestant.interpreter, kProfileRounds, peaks);
      report.benchmarks.push_back(contestant.result);
    }
  }

 private:
  // A model of others may be made for one image and nothing else.
  Status AddOrWarn(const std::string& path, bool graph, int32_t batch) {
    Status added = Add(path, graph, batch);
    if (added.ok() || batch == 1 || added.error().code != ErrorCode::kInvalidArgument) return added;
    warnings_.push_back(StrCat("no batch of ", batch, ": ", added.error().message));
    return {};
  }

  Status Add(const std::string& path, bool graph, int32_t batch) {
    Contestant contestant;
    std::vector<double> load, prepare, first;
    // The first start also reads the file and the program's pages: it is not counted.
    for (int i = 0; i <= kStarts; ++i) {
      contestant.interpreter.reset();
      Clock::time_point start = Clock::now();
      QAT_ASSIGN_OR_RETURN(std::shared_ptr<const Model> model, LoadModel(path, graph));
      if (i > 0) load.push_back(Microseconds(start));
      QAT_ASSIGN_OR_RETURN(const InterpreterOptions options, WithBatch(*model, rows_.interpreter, batch));
      start = Clock::now();
      QAT_ASSIGN_OR_RETURN(contestant.interpreter, Interpreter::Create(std::move(model), options));
      if (i > 0) prepare.push_back(Microseconds(start));
      FillInputs(*contestant.interpreter, request_.seed);
      start = Clock::now();
      contestant.interpreter->Invoke();
      if (i > 0) first.push_back(Microseconds(start));
    }
    BenchmarkResult& result = contestant.result;
    result.model = path;
    result.batch = batch;
    result.threads = rows_.interpreter.threads;
    result.load_us = QuantileOf(std::move(load), 0.5);
    result.prepare_us = QuantileOf(std::move(prepare), 0.5);
    result.first_us = QuantileOf(std::move(first), 0.5);
    result.peak_rss_bytes = peaks_[{path, batch}];
    result.arena_bytes = static_cast<int64_t>(contestant.interpreter->arena_size());
    result.arena_peak_bytes = static_cast<int64_t>(contestant.interpreter->arena_peak());
    for (size_t i = 0; i < contestant.interpreter->model().nodes().size(); ++i)
      result.macs += MultiplyAccumulatesOf(*contestant.interpreter, i);
    contestants_.push_back(std::move(contestant));
    return {};
  }

  // While this process has opened nothing and has no other thread.
  void MeasureMemory() {
    const auto measure = [this](const std::string& path, bool graph) {
      for (const int32_t batch : {1, request_.batch}) {
        if (!peaks_.contains({path, batch}))
          peaks_[{path, batch}] = PeakMemoryOf([&] { RunOnce(path, graph, batch); });
      }
    };
    for (const std::string& path : rows_.models) measure(path, false);
    if (!rows_.graph.empty()) measure(rows_.graph, true);
  }

  // Errors are those of Add, which follows.
  void RunOnce(const std::string& path, bool graph, int32_t batch) const {
    Expected<std::shared_ptr<const Model>> model = LoadModel(path, graph);
    if (!model.ok()) return;
    const Expected<InterpreterOptions> options = WithBatch(**model, rows_.interpreter, batch);
    if (!options.ok()) return;
    const auto interpreter = Interpreter::Create(*std::move(model), *options);
    if (interpreter.ok()) (*interpreter)->Invoke();
  }

  void MeasureCold(Contestant& contestant) {
    if (sweep_.empty()) sweep_.resize(kLargerThanCaches);
    std::vector<double> times;
    for (int i = 0; i < kColdRuns; ++i) {
      for (size_t at = 0; at < sweep_.size(); at += 64) ++sweep_[at];
      const Clock::time_point start = Clock::now();
      contestant.interpreter->Invoke();
      times.push_back(Microseconds(start));
    }
    contestant.result.cold_us = QuantileOf(std::move(times), 0.5);
  }

  void Summarize(Contestant& contestant) {
    BenchmarkResult& result = contestant.result;
    result.latency_us = SummarizeLatency(contestant.times);
    result.latency_us.rounds = request_.rounds;
    result.latency_us.p50_interval = MedianInterval(contestant.turns, request_.seed);
    result.examples_per_second = 1e6 * result.batch / std::max(result.latency_us.p50, 1e-3);
    const Contestant& first =
        *std::find_if(contestants_.begin(), contestants_.end(),
                      [&](const Contestant& c) { return c.result.batch == result.batch; });
    if (&first == &contestant) return;
    std::vector<double> ratios;
    for (size_t i = 0; i < contestant.turns.size(); ++i)
      ratios.push_back(double{contestant.turns[i]} / std::max(double{first.turns[i]}, 1e-3));
    const TimeRatio ratio = RatioOfTurns(first.turns, contestant.turns, request_.seed);
    result.ratio = ratio.ratio;
    result.ratio_interval = ratio.interval;
    result.ratio_quartiles = Interval{QuantileOf(ratios, 0.25), QuantileOf(ratios, 0.75)};
  }

  const BenchRequest& request_;
  const RowRequest& rows_;
  std::vector<Contestant> contestants_;
  std::vector<uint8_t> sweep_;
  std::map<std::pair<std::string, int32_t>, int64_t> peaks_;  // of a file at a batch
  TimingConditions conditions_;
  std::vector<std::string> warnings_;
};

Status CheckRequest(const BenchRequest& request, const RowRequest& rows) {
  if (rows.models.empty() && rows.graph.empty())
    return InvalidArgument("nothing to measure: give `models` or `graph`");
  if (!rows.float_run.empty() || !rows.checkpoint.empty())
    return InvalidArgument("measures models and graphs of our runtime, neither `float_run` nor `checkpoint`");
  if (request.batch < 1 || request.batch > (1 << 16))
    return InvalidArgument(StrCat("`batch`: value ", request.batch, ", expected 1 to 65536"));
  if (request.rounds < 1 || request.rounds > 100000)
    return InvalidArgument(StrCat("`rounds`: value ", request.rounds, ", expected 1 to 100000"));
  return {};
}

}  // namespace

Status RunBench(const BenchRequest& request, const RowRequest& rows, const WorkHooks& hooks, Report& report) {
  QAT_RETURN_IF_ERROR(CheckRequest(request, rows));
  DescribeEnvironment(rows.interpreter, report);
  Bench bench(request, rows);
  QAT_RETURN_IF_ERROR(bench.Open());
  QAT_RETURN_IF_ERROR(bench.Measure(hooks));
  bench.Report(report);
  return {};
}

}  // namespace qat
