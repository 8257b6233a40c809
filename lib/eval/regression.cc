#include "eval/regression.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "base/strings.h"
#include "eval/statistics.h"

namespace qat {
namespace {

constexpr uint64_t kBootstrapPurpose = 0x726d7365;  // "rmse"
constexpr int kResamples = 1000;
constexpr size_t kFewestForAnInterval = 20;
constexpr size_t kMostTargets = 100;      // more are the places of a map
constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution

double Squared(double value) { return value * value; }

// Of every `stride`-th value from `first` on: one target, or all of them where stride is 1.
ErrorStatistics ErrorsOf(std::span<const float> answers, std::span<const float> numbers, size_t first,
                         size_t stride) {
  ErrorStatistics errors;
  double squares = 0, sizes = 0, count = 0;
  for (size_t i = first; i < numbers.size(); i += stride) {
    const double error = std::abs(double{answers[i]} - double{numbers[i]});
    squares += Squared(error);
    sizes += error;
    errors.largest = std::max(errors.largest, error);
    ++count;
  }
  errors.rmse = std::sqrt(squares / count);
  errors.mae = sizes / count;
  return errors;
}

// Squares of one target around its mean.
double VarianceSum(std::span<const float> numbers, size_t first, size_t stride) {
  double sum = 0, count = 0, variance = 0;
  for (size_t i = first; i < numbers.size(); i += stride) {
    sum += numbers[i];
    ++count;
  }
  for (size_t i = first; i < numbers.size(); i += stride) variance += Squared(numbers[i] - sum / count);
  return variance;
}

std::optional<double> Explained(double squares, double variance) {
  return variance > 0 ? std::optional(1 - squares / variance) : std::nullopt;
}

// The mean squared error of each image, in units.
std::vector<double> ErrorsOfImages(std::span<const float> answers, std::span<const float> numbers,
                                   size_t targets, std::span<const double> units) {
  std::vector<double> errors(numbers.size() / targets, 0);
  for (size_t i = 0; i < numbers.size(); ++i) {
    const double unit = units.empty() ? 1 : units[i % targets % units.size()];
    errors[i / targets] +=
        Squared((double{answers[i]} - double{numbers[i]}) / unit) / static_cast<double>(targets);
  }
  return errors;
}

// Of the targets that vary.
std::optional<double> MeanR2(const std::vector<ErrorStatistics>& targets) {
  double sum = 0, count = 0;
  for (const ErrorStatistics& each : targets) {
    sum += each.r2.value_or(0);
    count += each.r2 ? 1 : 0;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

double MeanOf(const std::vector<double>& values) {
  double mean = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  return mean;
}

std::optional<Interval> RmseInterval(const std::vector<double>& errors) {
  if (errors.size() < kFewestForAnInterval) return std::nullopt;
  const auto count = static_cast<double>(errors.size());
  double mean = 0, variance = 0;
  for (const double error : errors) mean += error / count;
  for (const double error : errors) variance += Squared(error - mean) / (count - 1);
  const double half = kZ * std::sqrt(variance / count);
  return Interval{std::sqrt(std::max(mean - half, 0.0)), std::sqrt(mean + half)};
}

double RisePercent(double a, double b) { return 100 * (std::sqrt(b / a) - 1); }

std::optional<Interval> RiseInterval(const std::vector<double>& a, const std::vector<double>& b,
                                     uint64_t seed) {
  if (a.size() < kFewestForAnInterval) return std::nullopt;
  Random random(MixKey(seed, kBootstrapPurpose));
  std::vector<double> rises;
  for (int resample = 0; resample < kResamples; ++resample) {
    double sum_a = 0, sum_b = 0;
    for (size_t draw = 0; draw < a.size(); ++draw) {
      const uint32_t image = random.Below(static_cast<uint32_t>(a.size()));
      sum_a += a[image];
      sum_b += b[image];
    }
    if (!(sum_a > 0)) return std::nullopt;
    rises.push_back(RisePercent(sum_a, sum_b));
  }
  std::sort(rises.begin(), rises.end());
  return Interval{rises[kResamples / 40 - 1], rises[kResamples - kResamples / 40 - 1]};
}

}  // namespace

Status CheckNumbers(const std::string& name, const Predictions& predictions, const Dataset& dataset) {
  if (predictions.classes > 0 && predictions.scores.size() == dataset.numbers.size()) return {};
  return Corrupt(StrCat(dataset.name, ": labels are ", dataset.targets,
                        dataset.targets == 1 ? " real number" : " real numbers", " per image, expected ",
                        predictions.classes == 0 || dataset.size() == 0
                            ? std::string("classes")
                            : StrCat(std::ssize(predictions.scores) / dataset.size()),
                        ", as ", name, " answers"));
}

std::vector<double> UnitsOf(const Dataset& dataset, std::span<const float> numbers,
                            const OutputContract& output) {
  const auto targets = static_cast<size_t>(dataset.targets);
  if (dataset.task == Task::kReconstruction) {
    const bool alike =
        output.std.empty() || std::equal(output.std.begin() + 1, output.std.end(), output.std.begin());
    return alike ? std::vector<double>() : std::vector<double>(output.std.begin(), output.std.end());
  }
  if (targets < 2 || targets > kMostTargets) return {};
  std::vector<double> units;
  for (size_t target = 0; target < targets; ++target) {
    const double deviation =
        std::sqrt(VarianceSum(numbers, target, targets) / static_cast<double>(numbers.size() / targets));
    const double learned = output.std.empty() ? 1 : double{output.std[target % output.std.size()]};
    units.push_back(deviation > 0 ? deviation : learned);
  }
  return units;
}

RegressionResult MeasureErrors(std::span<const float> answers, std::span<const float> numbers,
                               int32_t targets, std::span<const double> units) {
  QAT_CHECK(targets > 0 && !numbers.empty() && answers.size() == numbers.size());
  const auto stride = static_cast<size_t>(targets);
  RegressionResult result;
  result.all = ErrorsOf(answers, numbers, 0, 1);
  double variance = 0;
  for (size_t target = 0; target < stride; ++target) {
    const double own = VarianceSum(numbers, target, stride);
    variance += own;
    if (targets == 1) continue;
    ErrorStatistics errors = ErrorsOf(answers, numbers, target, stride);
    errors.r2 = Explained(Squared(errors.rmse) * static_cast<double>(numbers.size() / stride), own);
    result.targets.push_back(errors);
  }
  result.all.r2 = Explained(Squared(result.all.rmse) * static_cast<double>(numbers.size()), variance);
  result.rmse_interval = RmseInterval(ErrorsOfImages(answers, numbers, stride, {}));
  if (units.empty()) return result;
  if (units.size() == stride) result.all.r2 = MeanR2(result.targets);
  const std::vector<double> errors = ErrorsOfImages(answers, numbers, stride, units);
  result.relative_rmse = std::sqrt(MeanOf(errors));
  result.relative_interval = RmseInterval(errors);
  return result;
}

ErrorComparison CompareErrors(std::span<const float> a, std::span<const float> b,
                              std::span<const float> numbers, int32_t targets, uint64_t seed,
                              std::span<const double> units) {
  QAT_CHECK(targets > 0 && a.size() == numbers.size() && b.size() == numbers.size() && !a.empty());
  const std::vector<double> of_a = ErrorsOfImages(a, numbers, static_cast<size_t>(targets), units);
  const std::vector<double> of_b = ErrorsOfImages(b, numbers, static_cast<size_t>(targets), units);
  ErrorComparison result;
  double sum_a = 0, sum_b = 0, apart = 0;
  for (size_t i = 0; i < of_a.size(); ++i) {
    sum_a += of_a[i];
    sum_b += of_b[i];
    result.larger += of_b[i] > of_a[i];
    result.smaller += of_b[i] < of_a[i];
  }
  for (size_t i = 0; i < a.size(); ++i) apart += Squared(double{a[i]} - double{b[i]});
  result.rms_difference = std::sqrt(apart / static_cast<double>(a.size()));
  result.sign_p = McNemarP(result.larger, result.smaller);
  if (!(sum_a > 0)) return result;
  result.rise_pct = RisePercent(sum_a, sum_b);
  result.rise_interval = RiseInterval(of_a, of_b, seed);
  return result;
}

}  // namespace qat
