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

}  // namespace
}  // namespace qat
