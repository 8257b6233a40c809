#include "checkpoint/new_head.h"

#include <gtest/gtest.h>

#include "checkpoint/make_trainable.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"

namespace qat {
namespace {

using testing::TinyGraph;

Graph Trainable(const Graph& graph) {
  auto checkpoint = MakeTrainable(graph);
  EXPECT_TRUE(checkpoint.ok());
  return std::move(checkpoint->network);
}

const GraphTensor& Named(const Graph& graph, const std::string& name) {
  return *std::find_if(graph.tensors.begin(), graph.tensors.end(),
                       [&](const GraphTensor& tensor) { return tensor.name == name; });
}

TEST(GiveOutputs, TheLastLayerHasOtherUnits) {
  Graph network = Trainable(TinyGraph());
  const int32_t inputs = Named(network, "fc/filter").shape[1];
  QAT_ASSERT_OK(GiveOutputs(network, 7));
  EXPECT_EQ(Named(network, "fc/filter").shape, (Shape{7, inputs}));
  EXPECT_EQ(Named(network, "fc/bias").shape, Shape{7});
  EXPECT_EQ(network.tensor(network.outputs[0]).shape, (Shape{1, 7}));
  EXPECT_EQ(Named(network, "fc/filter").trained->fan_in, inputs);
  EXPECT_EQ(Named(network, "fc/filter").trained->fan_out, 7);
  const Graph before = network;
  QAT_ASSERT_OK(GiveOutputs(network, 7));
  EXPECT_TRUE(network == before) << "it has so many";
}

TEST(GiveOutputs, OtherEndsAreRefused) {
  Graph squashed = TinyGraph();
  squashed.outputs = {*squashed.AddNode(OpType::kLogistic, "yes", {}, {squashed.outputs[0]})};
  Graph network = Trainable(squashed);
  QAT_EXPECT_ERROR(GiveOutputs(network, 7), ErrorCode::kUnsupported,
                   "the network ends in 'yes' (logistic), expected a fully_connected or a conv_2d");
  Graph two = TinyGraph();
  two.outputs.push_back(two.nodes.front().output());
  network = Trainable(two);
  QAT_EXPECT_ERROR(GiveOutputs(network, 7), ErrorCode::kUnsupported, "the network has 2 outputs");
  Graph shared = TinyGraph();
  const int32_t filter = shared.AddConstant("twice", {3, 3}, std::vector<float>(9, 1));
  for (const char* name : {"one", "two"})
    shared.outputs = {*shared.AddNode(OpType::kFullyConnected, name, FullyConnectedAttributes(),
                                      {shared.outputs[0], filter})};
  network = Trainable(shared);
  QAT_EXPECT_ERROR(GiveOutputs(network, 7), ErrorCode::kUnsupported, "'two' shares its filter or bias");
}

}  // namespace
}  // namespace qat
