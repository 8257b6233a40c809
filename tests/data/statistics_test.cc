#include "data/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

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

}  // namespace
}  // namespace qat
