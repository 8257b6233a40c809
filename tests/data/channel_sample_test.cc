#include "data/channel_sample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace qat {
namespace {

// Evenly spread over [0, 1): inverse distribution functions make other distributions of them.
std::vector<double> Quantiles(int count) {
  std::vector<double> quantiles;
  for (int i = 0; i < count; ++i) quantiles.push_back((i + 0.5) / count);
  return quantiles;
}

TEST(StepsOfMost, IsTheNumberOfStepsOfWhatLiesEvenly) {
  std::vector<float> even;
  for (const double q : Quantiles(2000)) even.push_back(static_cast<float>(100 * q));
  // The middle nine tenths span 90.
  EXPECT_NEAR(StepsOfMost(even, 1.0), 90, 1);
  EXPECT_NEAR(StepsOfMost(even, 9.0), 10, 0.3);
  EXPECT_NEAR(StepsOfMost(even, 9.0, 2.25), 10, 0.3) << "wherever the grid begins";
}

TEST(StepsOfMost, FallsWithTheTail) {
  const auto steps = [](double sigma) {
    std::vector<float> values;
    float largest = 0;
    for (const double q : Quantiles(2000)) {
      // The logistic distribution is close to the normal one with 1.7 times the argument.
      values.push_back(static_cast<float>(std::exp(sigma / 1.702 * std::log(q / (1 - q)))));
      largest = std::max(largest, values.back());
    }
    return StepsOfMost(values, largest / 255);
  };
  EXPECT_GT(steps(0.2), 50);
  EXPECT_LT(steps(1), steps(0.2));
  EXPECT_LT(steps(2), 8);
}

TEST(StepsOfMost, IsInfiniteWhereNothingIsRounded) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(StepsOfMost(std::vector<float>(100, 0.3f), 1.0), infinity) << "one value only: a bias makes up";
  std::vector<float> counts;
  for (int i = 0; i < 100; ++i) counts.push_back(static_cast<float>(i % 3));
  EXPECT_EQ(StepsOfMost(counts, 1.0), infinity);
  std::vector<float> rare(100);
  rare[3] = rare[50] = 200;  // as a column of 0 and 1, beyond the middle
  EXPECT_EQ(StepsOfMost(rare, 0.7), infinity);
  EXPECT_EQ(StepsOfMost({}, 1.0), infinity);
}

TEST(ChannelSample, KeepsAllOfFewAndEvenlySpacedOnesOfMany) {
  ChannelSample few(2);
  few.Observe(std::vector<float>{1, 2, 3, 4});
  few.Observe(std::vector<float>{5, 6});
  EXPECT_EQ(std::vector<float>(few.Of(1).begin(), few.Of(1).end()), (std::vector<float>{2, 4, 6}));

  ChannelSample many(1);
  for (int i = 0; i < 10000; ++i) many.Observe(std::vector<float>{static_cast<float>(i)});
  ASSERT_EQ(many.Of(0).size(), 2500u);
  for (size_t i = 0; i < many.Of(0).size(); ++i) ASSERT_EQ(many.Of(0)[i], static_cast<float>(4 * i));
}

}  // namespace
}  // namespace qat
