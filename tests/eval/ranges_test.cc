#include "eval/ranges.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "eval/histogram.h"
#include "runtime/runnable_model.h"
#include "support/model_builder.h"
#include "support/network_of.h"
#include "support/test_util.h"

namespace qat {
namespace {

TEST(Ranges, OfAGraphCountTheValuesOfItsFilters) {
  Graph graph;
  graph.tensors.resize(2);
  GraphTensor& filter = graph.tensors[0];
  filter.name = "conv/filter";
  filter.has_range = true;
  filter.range = {-1, 1};
  filter.limits = kUInt8Limits;
  const std::vector<float> values = {-1, 0.1f, 0.101f, 0.99f};
  filter.data.resize(values.size() * sizeof(float));
  std::memcpy(filter.data.data(), values.data(), filter.data.size());
  graph.tensors[1].name = "conv";
  graph.tensors[1].has_range = true;
  graph.tensors[1].range = {0, 4};
  graph.tensors[1].limits = kUInt8Limits;

  const auto ranges = RangesOf(graph);
  ASSERT_EQ(ranges.size(), 2u);
  ASSERT_TRUE(ranges[0].histogram.has_value());
  const std::vector<int64_t>& counts = ranges[0].histogram->counts;
  EXPECT_EQ(counts.front(), 1);
  ASSERT_EQ(counts.size(), 48u);
  EXPECT_EQ(counts[26], 2);  // 1.1 of 2, in 48 cells, whichever way the zero point was nudged
  EXPECT_EQ(counts.back(), 1);
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), int64_t{0}), 4);
  EXPECT_DOUBLE_EQ(ranges[0].histogram->low, ranges[0].min);
  EXPECT_FALSE(ranges[1].histogram.has_value()) << "computed, not constant";
}

TEST(Ranges, OfACheckpointAreThoseThatLayersShare) {
  Checkpoint checkpoint;
  checkpoint.scheme = "uint8";
  checkpoint.network = testing::NetworkOf(R"(
name = "two"
[input]
height = 4
width = 4
channels = 1
[[layer]]
name = "a"
op = "conv_2d"
filters = 2
kernel = 1
activation = "relu"
[[layer]]
name = "b"
op = "conv_2d"
inputs = ["input"]
filters = 2
kernel = 1
[[layer]]
name = "both"
op = "concatenation"
inputs = ["a", "b"]
[[layer]]
name = "last"
op = "fully_connected"
units = 2
)");
  checkpoint.ranges["a"].range = {0, 2};
  checkpoint.ranges["b"].range = {-1, 1};
  checkpoint.ranges["last"].range = {0, 255};
  const auto ranges = RangesOf(checkpoint);
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_NEAR(ranges[0].scale, 3.0 / 255, 1e-6) << "of -1 to 2, which a and b share";
  EXPECT_EQ(ranges[0].scale, ranges[1].scale);
  EXPECT_EQ(ranges[0].zero_point, ranges[1].zero_point);
  EXPECT_NEAR(ranges[2].scale, 1, 1e-6);
  // Freezing refuses what they would share, and says so.
  checkpoint.ranges["a"].range = {0, 3e38f};
  checkpoint.ranges["b"].range = {-3e38f, 0};
  EXPECT_EQ(RangesOf(checkpoint).size(), 1u);
}

// Zero points at both ends of int32 and the largest scale: nothing overflows, and the cells count what has a
// place.
TEST(Ranges, OfAModelWithExtremeZeroPointsAreReals) {
  using Limits = std::numeric_limits<int32_t>;
  for (const int64_t zero_point : {Limits::min(), Limits::max()}) {
    for (const float scale : {0.5f, 3e38f}) {
      testing::ModelBuilder builder;
      const int32_t x = builder.AddTensor("x", {1, 2}, DType::kFloat32);
      const int32_t y = builder.AddTensor("y", {2}, DType::kFloat32);
      builder.AddConstant<int8_t>("w", {4}, {-128, 0, 1, 127}, testing::Quantized(scale, zero_point));
      builder.AddReshape(x, {2}, y);
      const auto model = RunnableFromBytes(builder.Finish({x}, {y}), "m.tflite");
      QAT_ASSERT_OK(model);
      const std::vector<LayerRange> ranges = RangesOf(**model);
      ASSERT_EQ(ranges.size(), 1u);
      EXPECT_EQ(ranges[0].zero_point, zero_point);
      if (scale == 0.5f) {
        EXPECT_NEAR(ranges[0].min, -0.5 * static_cast<double>(zero_point), 200);
      }
    }
  }
}

TEST(Histogram, CountsWhatHasAPlace) {
  const double infinity = std::numeric_limits<double>::infinity();
  Histogram histogram = EmptyHistogram(0, 4, 4);
  for (const double value : {0.5, 3.5, -9.0, infinity, -infinity, std::nan("")}) Count(value, histogram);
  EXPECT_EQ(histogram.counts, (std::vector<int64_t>{3, 0, 0, 2}));
  Histogram endless = EmptyHistogram(-infinity, infinity, 4);
  Count(1, endless);
  EXPECT_EQ(endless.counts, (std::vector<int64_t>{0, 0, 0, 0}));
}

}  // namespace
}  // namespace qat
