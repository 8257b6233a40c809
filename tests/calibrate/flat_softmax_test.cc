#include "calibrate/flat_softmax.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "calibrate/calibrate.h"
#include "passes/passes.h"
#include "support/rows.h"
#include "support/test_util.h"

namespace qat {
namespace {

using namespace testing;

/// [1, places] -> softmax "scores" -> relu "after".
Graph Scores(int32_t places) {
  Graph graph = RowGraph(places, -8, 8);
  const int32_t scores = *graph.AddNode(OpType::kSoftmax, "scores", SoftmaxAttributes(), {graph.inputs[0]});
  graph.outputs = {*graph.AddNode(OpType::kRelu, "after", {}, {scores})};
  return graph;
}

/// Four rows that are `low` but for one `high` each.
std::vector<float> Peaks(int32_t places, float low, float high) {
  std::vector<float> values;
  for (int row = 0; row < 4; ++row) {
    values.insert(values.end(), static_cast<size_t>(places), low);
    values[values.size() - static_cast<size_t>(1 + row)] = high;
  }
  return values;
}

std::string Warnings(const std::vector<float>& values, int32_t places, std::string_view type,
                     CalibrationOptions options = {}, bool real = false) {
  Graph graph = Scores(places);
  if (real) KeepFloat(graph, DType::kInt8, {"scores"});
  options.precisions = *IntegersFromName(type);
  std::vector<std::string> warnings;
  const Status status = Calibrate(Rows(values, places), options, {}, graph, warnings);
  EXPECT_TRUE(status.ok()) << status.error().message;
  return Join(warnings);
}

TEST(FlatSoftmax, IsNamedWhereMostRowsHaveHardlyAStep) {
  // e^2 / (e^2 + 299) is 6 of 256 steps.
  const std::string text = Warnings(Peaks(300, 0, 2), 300, "int8");
  EXPECT_NE(
      text.find("softmax scores over 300 places: the largest value of most rows is below 8 steps, which "
                "are fixed at 1/256; keep it in float (`keep_float` 'scores'), or give it 16-bit "
                "activations (`int16` 'scores', with `type` int8)"),
      std::string::npos)
      << text;
  EXPECT_NE(Warnings(Peaks(300, 0, 2), 300, "uint8").find("softmax scores"), std::string::npos);
  EXPECT_NE(Warnings(Peaks(300, 0, 2), 300, "w4a8").find("softmax scores"), std::string::npos);
}

TEST(FlatSoftmax, IsNoneWithAPeakOrFewPlacesOrFinerSteps) {
  // e^3 / (e^3 + 299) is 16 steps.
  EXPECT_EQ(Warnings(Peaks(300, 0, 3), 300, "int8").find("softmax"), std::string::npos);
  EXPECT_EQ(Warnings(Peaks(10, 0, 0.5f), 10, "int8").find("softmax"), std::string::npos);
  EXPECT_EQ(Warnings(Peaks(300, 0, 2), 300, "int16x8").find("softmax"), std::string::npos);
}

TEST(FlatSoftmax, IsNoneInFloatOrWithSixteenBits) {
  EXPECT_EQ(Warnings(Peaks(300, 0, 2), 300, "int8", {}, true).find("softmax"), std::string::npos);
  CalibrationOptions options;
  options.int16_nodes = {"scores"};
  EXPECT_EQ(Warnings(Peaks(300, 0, 2), 300, "int8", options).find("softmax"), std::string::npos);
}

}  // namespace
}  // namespace qat
