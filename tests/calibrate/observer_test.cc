#include "calibrate/observer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "quant/precision.h"

namespace qat {
namespace {

constexpr Precision kInt8 = {DType::kInt8, 8};

/// 99,000 values of a bell around 0 with the deviation 1, and `outliers` of `far`.
std::vector<float> BellWithOutliers(size_t outliers, float far) {
  Random random(7);
  std::vector<float> values;
  for (int i = 0; i < 99000; ++i) {
    float sum = -6;
    for (int k = 0; k < 12; ++k) sum += random.Uniform();
    values.push_back(sum);
  }
  values.insert(values.end(), outliers, far);
  return values;
}

Range Seen(const std::vector<float>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return IncludingZero({*low, *high});
}

Range Chosen(Observer observer, const std::vector<float>& values, const Precision& precision = kInt8) {
  ValueCounts counts(Seen(values));
  counts.Add(values);
  return ChooseRange(observer, counts, precision);
}

/// By plain loops over the values themselves.
double MeanSquaredError(const std::vector<float>& values, Range range, const Precision& precision) {
  const QuantizedLimits limits = LimitsOf(precision);
  const QuantizationParams params = NudgedParams(RangeFor(precision, range), limits);
  double sum = 0;
  for (const float value : values) {
    const double error = double{value} - Dequantize(QuantizeActivation(value, params, limits), params);
    sum += error * error;
  }
  return sum / static_cast<double>(values.size());
}

TEST(Observer, NamesAreReadBack) {
  for (const std::string_view name : {"minmax", "moving-average", "percentile", "mse", "kl"})
    EXPECT_EQ(NameOf(ObserverFromName(name).value()), name);
  EXPECT_FALSE(ObserverFromName("median").has_value());
}

TEST(ValueCounts, CountsEachValueInItsBin) {
  ValueCounts counts({-1, 1});
  const std::vector<float> values = {-1, -0.99999f, 0, 1, 5, -7};
  counts.Add(values);
  EXPECT_EQ(counts.counts()[0], 3u) << "what lies beyond counts at the end";
  EXPECT_EQ(counts.counts()[ValueCounts::kBins / 2], 0u);
  EXPECT_EQ(counts.zeros(), 1u) << "zeros are exact in every range";
  EXPECT_EQ(counts.counts()[ValueCounts::kBins - 1], 2u);
}

TEST(ChooseRange, PercentileLeavesOutTheFewLargest) {
  std::vector<float> values;
  for (int i = 0; i < 100000; ++i) values.push_back(static_cast<float>(i) / 100000);
  values.insert(values.end(), 9, 50.0f);
  const Range range = Chosen(Observer::kPercentile, values);
  EXPECT_EQ(range.min, 0);
  EXPECT_GE(range.max, 0.99f);
  EXPECT_LE(range.max, 1 + 51.0f / ValueCounts::kBins) << "one bin wide at most beyond the rest";
  values.insert(values.end(), 100, 50.0f);
  EXPECT_GT(Chosen(Observer::kPercentile, values).max, 49) << "too many to be left out";
}

TEST(ChooseRange, MseLosesLessThanTheWholeRangeAndThanItsNeighbours) {
  // Sixteen integers are few enough to pay for a cut: of a bell at 2.5 deviations or so.
  constexpr Precision kFewIntegers = {DType::kInt4, 4};
  const std::vector<float> values = BellWithOutliers(5, 5.5f);
  const Range range = Chosen(Observer::kMse, values, kFewIntegers);
  const double own = MeanSquaredError(values, range, kFewIntegers);
  EXPECT_LT(own, 0.5 * MeanSquaredError(values, Seen(values), kFewIntegers));
  for (const float factor : {0.5f, 0.7f, 1.4f, 2.0f})
    EXPECT_LE(own, 1.02 * MeanSquaredError(values, {range.min, range.max * factor}, kFewIntegers)) << factor;
}

TEST(ChooseRange, MseOf16BitsHardlyClips) {
  constexpr Precision kInt16 = kInt16Activations;
  const std::vector<float> values = BellWithOutliers(5, 12);
  const Range range = Chosen(Observer::kMse, values, kInt16);
  EXPECT_GE(std::max(-range.min, range.max), 11.8f);
}

TEST(ChooseRange, KlCutsOffATailThatHardlyHasAShare) {
  const std::vector<float> values = BellWithOutliers(5, 80);
  const Range range = Chosen(Observer::kKl, values);
  EXPECT_LT(range.max, 40);
  EXPECT_GT(range.max, 3);
}

// Half of what a relu gives is 0: spread over the bins of the lowest level it would look like a loss of the
// whole range.
TEST(ChooseRange, KlIsNotDrawnInByZeros) {
  std::vector<float> values = BellWithOutliers(0, 0);
  const Range all = Chosen(Observer::kKl, values);
  values.insert(values.end(), 100000, 0.0f);
  EXPECT_EQ(Chosen(Observer::kKl, values), all);
}

TEST(ChooseRange, EndsThatAreZeroStayZero) {
  std::vector<float> values = BellWithOutliers(5, 80);
  for (float& value : values) value = std::max(value, 0.0f);
  for (const Observer observer : {Observer::kPercentile, Observer::kMse, Observer::kKl})
    EXPECT_EQ(Chosen(observer, values).min, 0) << NameOf(observer);
}

}  // namespace
}  // namespace qat
