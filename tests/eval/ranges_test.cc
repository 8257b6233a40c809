#include "eval/ranges.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

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
  checkpoint.spec_source = "two.toml";
  checkpoint.spec_text = R"(
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
)";
  checkpoint.ranges["a"].range = {0, 2};
  checkpoint.ranges["b"].range = {-1, 1};
  checkpoint.ranges["last"].range = {0, 255};
  const auto ranges = RangesOf(checkpoint);
  ASSERT_EQ(ranges.size(), 3u);
  EXPECT_NEAR(ranges[0].scale, 3.0 / 255, 1e-6) << "of -1 to 2, which a and b share";
  EXPECT_EQ(ranges[0].scale, ranges[1].scale);
  EXPECT_EQ(ranges[0].zero_point, ranges[1].zero_point);
  EXPECT_NEAR(ranges[2].scale, 1, 1e-6);
}

}  // namespace
}  // namespace qat
