#include "calibrate/coarse_columns.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "calibrate/calibrate.h"
#include "support/rows.h"
#include "support/test_util.h"

namespace qat {
namespace {

using namespace testing;

/// [1, 4] -> fully connected "fc", two sums of these weights.
Graph FourColumns(const std::vector<float>& weights) {
  Graph graph = RowGraph(4, -4000, 4000);
  const int32_t filter = graph.AddConstant("fc/filter", {2, 4}, weights);
  const int32_t bias = graph.AddConstant("fc/bias", {2}, std::vector<float>{0, 0});
  graph.outputs = {*graph.AddNode(OpType::kFullyConnected, "fc", FullyConnectedAttributes(),
                                  {graph.inputs[0], filter, bias})};
  return graph;
}

/// 200 rows whose columns have these deviations.
std::vector<float> Columns(const std::vector<float>& deviations) {
  std::vector<float> values;
  for (int i = 0; i < 200; ++i) {
    for (size_t c = 0; c < deviations.size(); ++c)
      values.push_back(deviations[c] *
                       (std::sin(1.7f * static_cast<float>(i) + static_cast<float>(c)) * 1.4f));
  }
  return values;
}

std::string Described(const Graph& graph, const std::vector<float>& values, std::string_view type) {
  ChannelSample sample(4);
  sample.Observe(values);
  return DescribeCoarseColumns(graph, 0, sample, IntegersFromName(type)->filters);
}

// Each column of the same weight in the sums: the filter has 1000 times less for the last.
const std::vector<float> kRawWeights = {3, 0.3f, 0.03f, 0.003f, -3, 0.3f, -0.03f, 0.003f};

TEST(CoarseColumns, OfAFilterOverColumnsOfOtherUnitsAreNamed) {
  const Graph graph = FourColumns(kRawWeights);
  const std::string text = Described(graph, Columns({1, 10, 100, 1000}), "int8");
  EXPECT_NE(
      text.find("channel 3 of the input is so much larger than others that the weights of 'fc' hardly have "
                "steps for it"),
      std::string::npos)
      << text;
  // A weight of 0.003 in steps of 3 / 127 is off by 0.0068 on average, where the sums of four such columns
  // have the deviation 3 * sqrt(4): 1000 * 0.0068 / 6.
  EXPECT_NE(text.find("by 114 % of their deviation"), std::string::npos) << text;
  EXPECT_NE(text.find("`keep_float` 'fc'"), std::string::npos) << text;
}

TEST(CoarseColumns, AreNoneWhereColumnsHaveOneUnitOrHardlyCount) {
  EXPECT_EQ(Described(FourColumns({3, 2, 1, 2, -3, 1, 2, 1}), Columns({1, 1, 1, 1}), "int8"), "");
  // In 4 bits standardized columns lose as much.
  EXPECT_EQ(Described(FourColumns({3, 2, 1, 2, -3, 1, 2, 1}), Columns({1, 1, 1, 1}), "w4a8"), "");
  // Columns of other units whose weights are as large: the first ones hardly count.
  EXPECT_EQ(Described(FourColumns({3, 2, 1, 2, -3, 1, 2, 1}), Columns({1, 10, 100, 1000}), "int8"), "");
}

TEST(CoarseColumns, AreToldInEveryTypeByCalibration) {
  const Dataset data = Rows(Columns({1, 10, 100, 1000}), 4);
  for (const char* type : {"uint8", "int8", "int16x8", "w4a8"}) {
    Graph graph = FourColumns(kRawWeights);
    std::vector<std::string> warnings;
    QAT_ASSERT_OK(Calibrate(data, {.precisions = *IntegersFromName(type)}, {}, graph, warnings));
    EXPECT_NE(Join(warnings).find("the weights of 'fc' hardly have steps"), std::string::npos) << type;
  }
}

}  // namespace
}  // namespace qat
