#include "ir/separate_biases.h"

#include <gtest/gtest.h>

#include "ir/constants.h"
#include "support/test_util.h"

namespace qat {
namespace {

TEST(SeparateBiases, EveryNodeButTheFirstGetsACopy) {
  Graph graph;
  GraphTensor input;
  input.name = "x";
  input.shape = {1, 2};
  graph.inputs = {graph.AddTensor(input)};
  const int32_t filter = graph.AddConstant("w", {2, 2}, std::vector<float>{1, 2, 3, 4});
  const int32_t bias = graph.AddConstant("b", {2}, std::vector<float>{5, 6});
  int32_t value = graph.inputs[0];
  for (const char* name : {"first", "second", "third"}) {
    const auto output =
        graph.AddNode(OpType::kFullyConnected, name, FullyConnectedAttributes{}, {value, filter, bias});
    QAT_ASSERT_OK(output);
    value = *output;
  }
  graph.outputs = {value};
  SeparateBiases(graph);
  EXPECT_EQ(graph.nodes[0].inputs[2], bias);
  std::vector<std::string> names;
  for (const GraphNode& node : graph.nodes) {
    EXPECT_EQ(node.inputs[1], filter) << "filters count in steps of their own";
    names.push_back(graph.tensor(node.inputs[2]).name);
    EXPECT_EQ(RealValues(graph.tensor(node.inputs[2])), (std::vector<float>{5, 6}));
  }
  EXPECT_EQ(names, (std::vector<std::string>{"b", "second/bias", "third/bias"}));
  const Graph once = graph;
  SeparateBiases(graph);
  EXPECT_TRUE(graph == once);
}

// XNNPACK's delegate reads the third input, and without one ends the process.
TEST(SeparateBiases, ADepthwiseConvolutionWithoutABiasGetsZeros) {
  Graph graph;
  GraphTensor input;
  input.name = "x";
  input.shape = {1, 4, 4, 2};
  graph.inputs = {graph.AddTensor(input)};
  const int32_t filter = graph.AddConstant("w", {1, 1, 1, 2}, std::vector<float>{1, 2});
  graph.outputs = {*graph.AddNode(OpType::kDepthwiseConv2D, "thin", DepthwiseConv2DAttributes{},
                                  {graph.inputs[0], filter})};
  SeparateBiases(graph);
  ASSERT_EQ(graph.nodes[0].inputs.size(), 3u);
  const GraphTensor& bias = graph.tensor(graph.nodes[0].inputs[2]);
  EXPECT_EQ(bias.name, "thin/bias");
  EXPECT_EQ(RealValues(bias), (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace qat
