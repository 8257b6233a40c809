#include "eval/latency.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/check.h"
#include "base/strings.h"

namespace qat {
namespace {

using Clock = std::chrono::steady_clock;

Status WarmUp(Predictor& predictor, const Dataset& dataset, int32_t images) {
  for (int64_t i = 0; i < std::min<int64_t>(images, dataset.size()); ++i) {
    QAT_RETURN_IF_ERROR_IN(predictor.name(), predictor.Load(dataset.Image(i)));
    QAT_RETURN_IF_ERROR_IN(predictor.name(), predictor.Invoke());
  }
  return {};
}

// One model's turn: images [first, first + count).
Status TimeTurn(Predictor& predictor, const Dataset& dataset, int64_t first, int64_t count,
                std::vector<float>& times) {
  for (int64_t i = first; i < first + count; ++i) {
    QAT_RETURN_IF_ERROR_IN(predictor.name(), predictor.Load(dataset.Image(i)));
    const Clock::time_point start = Clock::now();
    Status status = predictor.Invoke();
    const Clock::time_point end = Clock::now();
    QAT_RETURN_IF_ERROR_IN(predictor.name(), std::move(status));
    times.push_back(std::chrono::duration<float, std::micro>(end - start).count());
  }
  return {};
}

float Percentile(const std::vector<float>& sorted, double percent) {
  const auto rank = static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

}  // namespace

Expected<std::vector<LatencyResult>> MeasureLatency(std::span<Predictor* const> predictors,
                                                    const Dataset& dataset, const LatencyOptions& options,
                                                    const WorkHooks& hooks,
                                                    std::vector<std::vector<float>>* all_times) {
  QAT_CHECK(dataset.size() > 0 && options.rounds > 0 && options.turn > 0);
  for (Predictor* predictor : predictors) QAT_RETURN_IF_ERROR(WarmUp(*predictor, dataset, options.warm_up));
  std::vector<std::vector<float>> times(predictors.size());
  for (auto& own : times) own.reserve(static_cast<size_t>(dataset.size() * options.rounds));
  bool backwards = false;
  for (int32_t round = 0; round < options.rounds; ++round) {
    for (int64_t first = 0; first < dataset.size(); first += options.turn) {
      const int64_t count = std::min<int64_t>(options.turn, dataset.size() - first);
      for (size_t turn = 0; turn < predictors.size(); ++turn) {
        QAT_RETURN_IF_ERROR(hooks.Poll());
        const size_t i = backwards ? predictors.size() - 1 - turn : turn;
        QAT_RETURN_IF_ERROR(TimeTurn(*predictors[i], dataset, first, count, times[i]));
      }
      backwards = !backwards;
      hooks.Progress("latency", round * dataset.size() + first + count, options.rounds * dataset.size());
    }
  }
  std::vector<LatencyResult> results;
  for (const auto& own : times) {
    results.push_back(SummarizeLatency(own));
    results.back().rounds = options.rounds;
  }
  if (all_times != nullptr) *all_times = std::move(times);
  return results;
}

LatencyResult SummarizeLatency(std::vector<float> microseconds) {
  QAT_CHECK(!microseconds.empty());
  std::sort(microseconds.begin(), microseconds.end());
  double sum = 0;
  for (const float time : microseconds) sum += time;
  LatencyResult result;
  result.runs = static_cast<int64_t>(microseconds.size());
  result.min = microseconds.front();
  result.mean = sum / static_cast<double>(result.runs);
  result.p50 = Percentile(microseconds, 50);
  result.p90 = Percentile(microseconds, 90);
  result.p99 = Percentile(microseconds, 99);
  result.total_seconds = sum / 1e6;
  return result;
}

}  // namespace qat
