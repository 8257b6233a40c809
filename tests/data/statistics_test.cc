#include "data/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/bytes_of.h"
#include "support/test_util.h"

namespace qat {
namespace {

TEST(MeasureChannels, TakesEachChannelOverAllImages) {
  Dataset data;
  data.input().height = 1;
  data.input().width = 2;
  data.input().channels = 2;
  data.labels = {0, 1};
  data.images = {0, 9, 10, 9, 20, 9, 30, 10};
  const auto statistics = MeasureChannels(data);
  QAT_ASSERT_OK(statistics);
  EXPECT_EQ(statistics->mean, (std::vector<double>{15, 9.25}));
  EXPECT_DOUBLE_EQ(statistics->std[0], std::sqrt(125.0));
  EXPECT_DOUBLE_EQ(statistics->std[1], std::sqrt(0.1875));
}

TEST(MeasureValues, TakesEachValueOverAllExamples) {
  Dataset data;
  ExampleInput& input = data.input();
  input.values = ValueType::kReal;
  input.height = 1;
  input.width = 2;
  input.channels = 1;
  data.labels = {0, 1};
  data.images = testing::BytesOf(std::vector<float>{1, 10, 3, -20});
  const auto statistics = MeasureValues(data);
  QAT_ASSERT_OK(statistics);
  EXPECT_EQ(statistics->mean, (std::vector<double>{2, -5}));
  EXPECT_EQ(statistics->std, (std::vector<double>{1, 15}));
  EXPECT_EQ(statistics->low, (std::vector<double>{1, -20}));
  EXPECT_EQ(statistics->high, (std::vector<double>{3, 10}));
}

// 1, 3 and 6, 10: of all four the mean is 5 and the variance (16 + 4 + 1 + 25) / 4.
TEST(Pool, IsOfAllValuesTogether) {
  const PooledStatistics all = Pool(std::vector<double>{2, 8}, std::vector<double>{1, 2});
  EXPECT_DOUBLE_EQ(all.mean, 5);
  EXPECT_DOUBLE_EQ(all.std, std::sqrt(46.0 / 4));
}

// Two examples of two places with two channels each: 1, 3, 5, 7 and -2, 0, 2, unknown.
TEST(MeasureTargets, OfPlacesIsOfEachChannelOverAllOfThem) {
  OutputLabels labels;
  labels.task = Task::kNumbers;
  labels.targets = 4;
  labels.numbers = {1, -2, 3, 0, 5, 2, 7, std::nanf("")};
  const std::vector<int32_t> both = {0, 1};
  const TargetStatistics channels = MeasureTargets(labels, both, 2);
  EXPECT_EQ(channels.mean, (std::vector<double>{4, 0}));
  EXPECT_DOUBLE_EQ(channels.std[0], std::sqrt(5.0));
  EXPECT_DOUBLE_EQ(channels.std[1], std::sqrt(8.0 / 3));
  EXPECT_EQ(MeasureTargets(labels, both).mean, (std::vector<double>{3, 0, 5, 0}));
  labels.numbers = {1e-3f, 2, 3e-3f, 2, 1e-3f, 2, 3e-3f, 2};
  const TargetStatistics still = MeasureTargets(labels, both, 2);
  EXPECT_NEAR(still.std[0], 1e-3, 1e-9) << "places that never change have no deviation of their own";
  EXPECT_EQ(still.std[1], 1) << "a channel that never changes";
}

}  // namespace
}  // namespace qat
