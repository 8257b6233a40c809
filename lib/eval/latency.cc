#include "eval/latency.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "base/strings.h"

namespace qat {
namespace {

using Clock = std::chrono::steady_clock;

// Images one after the other.
using Images = std::span<const uint8_t>;

Images ImageOf(Images images, int64_t index, int64_t size) {
  return images.subspan(static_cast<size_t>(index * size), static_cast<size_t>(size));
}

Status WarmUp(std::span<Predictor* const> predictors, const Dataset& dataset, int32_t most) {
  std::vector<int32_t> first(static_cast<size_t>(std::min<int64_t>(most, dataset.size())));
  std::iota(first.begin(), first.end(), 0);
  Bytes images(first.size() * static_cast<size_t>(dataset.ImageSize()));
  QAT_RETURN_IF_ERROR(dataset.Read(first, images));
  for (Predictor* predictor : predictors) {
    for (const int32_t i : first) {
      QAT_RETURN_IF_ERROR_IN(predictor->name(), predictor->Load(ImageOf(images, i, dataset.ImageSize())));
      QAT_RETURN_IF_ERROR_IN(predictor->name(), predictor->Invoke());
    }
  }
  return {};
}

// One model's turn.
Status TimeTurn(Predictor& predictor, Images images, int64_t count, std::vector<float>& times) {
  const int64_t size = static_cast<int64_t>(images.size()) / count;
  for (int64_t i = 0; i < count; ++i) {
    QAT_RETURN_IF_ERROR_IN(predictor.name(), predictor.Load(ImageOf(images, i, size)));
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
  QAT_RETURN_IF_ERROR(WarmUp(predictors, dataset, options.warm_up));
  std::vector<std::vector<float>> times(predictors.size());
  for (auto& own : times) own.reserve(static_cast<size_t>(dataset.size() * options.rounds));
  bool backwards = false;
  for (int32_t round = 0; round < options.rounds; ++round) {
    const auto turns = [&](int64_t first, int64_t count, Images images) -> Status {
      for (size_t turn = 0; turn < predictors.size(); ++turn) {
        QAT_RETURN_IF_ERROR(hooks.Poll());
        const size_t i = backwards ? predictors.size() - 1 - turn : turn;
        QAT_RETURN_IF_ERROR(TimeTurn(*predictors[i], images, count, times[i]));
      }
      backwards = !backwards;
      hooks.Progress("latency", round * dataset.size() + first + count, options.rounds * dataset.size());
      return {};
    };
    QAT_RETURN_IF_ERROR(ForEachBatch(dataset, options.turn, turns));
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
