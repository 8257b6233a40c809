#include "eval/latency.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "base/strings.h"
#include "eval/time_ratio.h"
#include "eval/timing.h"

namespace qat {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kReadAtOnce = 250;
constexpr int64_t kTurnsForAnInterval = 100;
constexpr size_t kSteadyBursts = 3;
constexpr float kSteady = 0.03f;
constexpr int64_t kBurstRuns = 50;
constexpr float kBurstMicroseconds = 1000;

// One image at a time.
using Images = std::span<const uint8_t>;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Images ImageOf(Images images, int64_t index, int64_t size) {
  return images.subspan(static_cast<size_t>(index * size), static_cast<size_t>(size));
}

class Measurer {
 public:
  Measurer(std::span<Predictor* const> predictors, const Dataset& dataset, const LatencyOptions& options,
           const WorkHooks& hooks)
      : predictors_(predictors),
        dataset_(dataset),
        options_(options),
        hooks_(hooks),
        session_(options.one_thread),
        times_(predictors.size()) {
    measured_.turns.resize(predictors.size());
  }

  Status Run() {
    QAT_RETURN_IF_ERROR(ReadImages(0));
    float slowest = 0;
    for (Predictor* predictor : predictors_) QAT_RETURN_IF_ERROR(WarmUp(*predictor, slowest));
    turn_ = ImagesATurn(slowest);
    start_ = Clock::now();
    do {
      QAT_RETURN_IF_ERROR(Round());
    } while (++rounds_ < options_.rounds ||
             (rounds_ < options_.most_rounds && SecondsSince(start_) < options_.least_seconds));
    return {};
  }

  LatencyMeasurement Finish() {
    for (size_t i = 0; i < times_.size(); ++i) {
      measured_.results.push_back(SummarizeLatency(std::move(times_[i])));
      measured_.results.back().rounds = rounds_;
      measured_.results.back().p50_interval = MedianInterval(measured_.turns[i], options_.seed);
    }
    measured_.conditions = session_.Conditions();
    measured_.conditions.noise = NoiseOf(measured_.turns, options_.seed);
    return std::move(measured_);
  }

 private:
  // Read between turns, by this thread alone: nothing is decoded while a model is timed.
  Status ReadImages(int64_t first) {
    std::vector<int32_t> part(static_cast<size_t>(std::min(kReadAtOnce, dataset_.size() - first)));
    std::iota(part.begin(), part.end(), static_cast<int32_t>(first));
    images_.resize(part.size() * static_cast<size_t>(dataset_.ImageSize()));
    here_ = static_cast<int64_t>(part.size());
    return dataset_.Read(part, images_);
  }

  Expected<RunTime> TimeOne(Predictor& predictor, int64_t image) {
    QAT_RETURN_IF_ERROR_IN(predictor.name(), predictor.Load(ImageOf(images_, image, dataset_.ImageSize())));
    session_.Start();
    Status status = predictor.Invoke();
    const RunTime time = session_.Stop();
    QAT_RETURN_IF_ERROR_IN(predictor.name(), std::move(status));
    return time;
  }

  // The median of runs for about a millisecond.
  Expected<float> Burst(Predictor& predictor) {
    std::vector<float> times;
    float sum = 0;
    for (int64_t i = 0; i < kBurstRuns && sum < kBurstMicroseconds; ++i) {
      QAT_ASSIGN_OR_RETURN(const RunTime time, TimeOne(predictor, i % here_));
      times.push_back(time.own);
      sum += time.wall;
    }
    return MedianOf(times);
  }

  Status WarmUp(Predictor& predictor, float& slowest) {
    const Clock::time_point start = Clock::now();
    std::vector<float> bursts;
    const auto steady = [&bursts] {
      if (bursts.size() < kSteadyBursts) return false;
      const auto [least, most] = std::minmax_element(bursts.end() - kSteadyBursts, bursts.end());
      return *most <= *least * (1 + kSteady);
    };
    while (SecondsSince(start) < options_.warm_up_seconds && !steady()) {
      QAT_RETURN_IF_ERROR(hooks_.Poll());
      QAT_ASSIGN_OR_RETURN(const float burst, Burst(predictor));
      bursts.push_back(burst);
    }
    if (!bursts.empty()) slowest = std::max(slowest, bursts.back());
    return {};
  }

  // Few enough that an interval can be told of them, and that the slowest model is done in some milliseconds.
  int64_t ImagesATurn(float slowest) const {
    const int64_t for_interval = dataset_.size() * options_.rounds / kTurnsForAnInterval;
    const auto in_time = static_cast<int64_t>(options_.turn_us / std::max(slowest, 0.1f));
    return std::max<int64_t>(1,
                             std::min({options_.turn, for_interval, slowest > 0 ? in_time : options_.turn}));
  }

  Status Round() {
    for (int64_t first = 0; first < dataset_.size(); first += kReadAtOnce) {
      QAT_RETURN_IF_ERROR(ReadImages(first));
      for (int64_t at = 0; at < here_; at += turn_) {
        QAT_RETURN_IF_ERROR(hooks_.Poll());
        session_.Calibrate();
        QAT_RETURN_IF_ERROR(Turns(at, std::min(turn_, here_ - at)));
      }
      ShowProgress(rounds_ * dataset_.size() + first + here_);
    }
    return {};
  }

  // Where the rounds go on for some seconds, the total is what they are expected to take at this speed.
  void ShowProgress(int64_t done) const {
    const double seconds = std::max(SecondsSince(start_), 1e-9);
    const auto expected = static_cast<int64_t>(static_cast<double>(done) * options_.least_seconds / seconds);
    const int64_t most = options_.most_rounds * dataset_.size();
    hooks_.Progress("latency", done,
                    std::max({options_.rounds * dataset_.size(), std::min(expected, most), done}));
  }

  // One of every model, on the same images.
  Status Turns(int64_t first, int64_t count) {
    for (size_t turn = 0; turn < predictors_.size(); ++turn) {
      const size_t i = backwards_ ? predictors_.size() - 1 - turn : turn;
      std::vector<float> own;
      for (int64_t image = first; image < first + count; ++image) {
        QAT_ASSIGN_OR_RETURN(const RunTime time, TimeOne(*predictors_[i], image));
        times_[i].push_back(time.wall);
        own.push_back(time.own);
      }
      measured_.turns[i].push_back(MedianOf(own));
    }
    backwards_ = !backwards_;
    return {};
  }

  std::span<Predictor* const> predictors_;
  const Dataset& dataset_;
  const LatencyOptions& options_;
  const WorkHooks& hooks_;
  TimingSession session_;
  std::vector<std::vector<float>> times_;
  LatencyMeasurement measured_;
  Bytes images_;
  int64_t here_ = 0, turn_ = 1;
  int32_t rounds_ = 0;
  bool backwards_ = false;
  Clock::time_point start_ = {};
};

float Percentile(const std::vector<float>& sorted, double percent) {
  const auto rank = static_cast<size_t>(std::ceil(percent / 100 * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

}  // namespace

Expected<LatencyMeasurement> MeasureLatency(std::span<Predictor* const> predictors, const Dataset& dataset,
                                            const LatencyOptions& options, const WorkHooks& hooks) {
  QAT_CHECK(dataset.size() > 0 && options.rounds > 0 && options.turn > 0);
  Measurer measurer(predictors, dataset, options, hooks);
  QAT_RETURN_IF_ERROR(measurer.Run());
  return measurer.Finish();
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

std::optional<double> NoiseOf(std::span<const std::vector<float>> turns, uint64_t seed) {
  std::optional<double> most;
  for (const auto& own : turns) {
    const std::optional<double> noise = NoiseOfTurns(own, seed);
    if (!noise) return std::nullopt;
    most = std::max(most.value_or(0), *noise);
  }
  return most;
}

}  // namespace qat
