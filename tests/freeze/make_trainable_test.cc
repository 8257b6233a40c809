#include "checkpoint/make_trainable.h"

#include <algorithm>

#include "base/strings.h"
#include "freeze/freeze.h"
#include "ir/constants.h"
#include "quant/batch_norm.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"

namespace qat {
namespace {

using testing::Ramp;
using testing::TinyGraph;

Expected<Graph> Frozen(const Checkpoint& checkpoint) {
  std::vector<std::string> warnings;
  return Freeze(checkpoint, {}, warnings);
}

TEST(MakeTrainable, FreezingGivesTheGraphAgain) {
  for (const bool with_ranges : {true, false}) {
    const Graph graph = TinyGraph(with_ranges);
    const auto checkpoint = MakeTrainable(graph);
    QAT_ASSERT_OK(checkpoint);
    auto again = Frozen(*checkpoint);
    QAT_ASSERT_OK(again);
    again->provenance = graph.provenance;
    EXPECT_TRUE(*again == graph) << Print(*again);
  }
}

TEST(MakeTrainable, ParametersAreTrainedFromTheirValuesAndIndicesStay) {
  const auto checkpoint = MakeTrainable(TinyGraph());
  QAT_ASSERT_OK(checkpoint);
  std::vector<std::string> trained;
  for (const GraphTensor& tensor : checkpoint->network.tensors) {
    if (tensor.trained) trained.push_back(tensor.name);
    EXPECT_EQ(tensor.is_constant(), tensor.name == "flatten/shape") << tensor.name;
  }
  EXPECT_EQ(trained, (std::vector<std::string>{"conv/filter", "conv/bias", "fc/filter", "fc/bias"}));
  EXPECT_EQ(checkpoint->tensors.at("conv/filter").values, Ramp(18, -0.5f, 0.0625f));
  EXPECT_EQ(checkpoint->ranges.at("fc").range, (Range{-3, 5}));
  EXPECT_EQ(checkpoint->network.tensor(1).trained->fan_in, 9);
  EXPECT_EQ(checkpoint->network.tensor(1).trained->fan_out, 18);
}

// What an import folded is trained apart, and freezing folds it again.
TEST(MakeTrainable, ABatchNormalizationIsTakenApartAgain) {
  Graph graph = TinyGraph(false);
  const auto named = [&](const std::string& name) -> GraphTensor& {
    return *std::find_if(graph.tensors.begin(), graph.tensors.end(),
                         [&](const GraphTensor& t) { return t.name == name; });
  };
  FoldedBatchNorm norm{
      "conv/filter", Ramp(18, 0.5f, -0.25f), {2, 0.5f}, {1, -1}, {0.25f, -0.5f}, {3, 8}, 1e-5f, 0.9f};
  const FoldedFilter folded =
      FoldBatchNorm(norm.filter, 9, {norm.gamma, norm.beta, norm.mean, norm.variance, norm.epsilon});
  SetValues(named("conv/filter"), DType::kFloat32, folded.filter);
  SetValues(named("conv/bias"), DType::kFloat32, folded.bias);
  const auto checkpoint = MakeTrainable(graph, std::span(&norm, 1));
  QAT_ASSERT_OK(checkpoint);
  const GraphNode& conv = checkpoint->network.nodes[0];
  ASSERT_TRUE(conv.batch_norm.has_value());
  EXPECT_EQ(conv.inputs.size(), 2u);
  EXPECT_EQ(checkpoint->tensors.at("conv/filter").values, norm.filter);
  EXPECT_EQ(checkpoint->tensors.at("conv/moving_mean").values, norm.mean);
  EXPECT_FALSE(checkpoint->tensors.contains("conv/bias"));
  const auto again = Frozen(*checkpoint);
  QAT_ASSERT_OK(again);
  for (const GraphTensor& tensor : again->tensors) {
    if (tensor.name == "conv/filter") {
      EXPECT_EQ(RealValues(tensor), folded.filter);
    } else if (tensor.name == "conv/bias") {
      EXPECT_EQ(RealValues(tensor), folded.bias);
    }
  }
  // Something else went into the filter since: it stays one filter.
  SetValues(named("conv/filter"), DType::kFloat32, norm.filter);
  const auto other = MakeTrainable(graph, std::span(&norm, 1));
  QAT_ASSERT_OK(other);
  EXPECT_FALSE(other->network.nodes[0].batch_norm.has_value());
}

// x + c and maximum(x, c): constants that are data stay constants; the maximum ties its own to what it reads.
TEST(MakeTrainable, ConstantsThatAreDataStayAndAreTiedInTheFrozenGraph) {
  Graph graph = TinyGraph();
  const int32_t shift = graph.AddConstant("shift", {3}, std::vector<float>{1, 2, 3});
  const int32_t sum = *graph.AddNode(OpType::kAdd, "sum", BinaryAttributes(), {graph.outputs[0], shift});
  testing::SetRange(graph, sum, {-2, 6}, kUInt8Limits);
  const int32_t least = graph.AddConstant("least", {}, std::vector<float>{-9});
  graph.outputs = {*graph.AddNode(OpType::kMinimum, "most", {}, {sum, least})};
  const auto checkpoint = MakeTrainable(graph);
  QAT_ASSERT_OK(checkpoint);
  EXPECT_FALSE(checkpoint->tensors.contains("shift"));
  const auto again = Frozen(*checkpoint);
  QAT_ASSERT_OK(again);
  EXPECT_EQ(again->tensor(sum).range, (Range{-9, 6}))
      << "the constant belongs to the range that the maximum ties";
}

// TFLite fixes the range of tanh; a concatenation has one scale for all that it joins.
TEST(MakeTrainable, FixedRangesAreSeparatedFromThoseTheyAreJoinedWith) {
  Graph graph = TinyGraph();
  const int32_t fixed = *graph.AddNode(OpType::kTanh, "fixed", {}, {graph.outputs[0]});
  const int32_t all =
      *graph.AddNode(OpType::kConcatenation, "all", ConcatenationAttributes{1}, {fixed, graph.outputs[0]});
  graph.outputs = {all};
  auto checkpoint = MakeTrainable(graph);
  QAT_ASSERT_OK(checkpoint);
  const Graph& network = checkpoint->network;
  ASSERT_EQ(network.nodes.back().inputs.size(), 2u);
  EXPECT_EQ(network.tensor(network.nodes.back().inputs[0]).name, "all/from_fixed");
  EXPECT_EQ(network.nodes[network.nodes.size() - 2].type, OpType::kQuantize);
  EXPECT_TRUE(network.contract == Contract());
}

// Whether a byte's range holds a constant is not known before the data are.
TEST(MakeTrainable, AnInputIsSeparatedFromTheConstantsItIsJoinedWith) {
  Graph graph = TinyGraph();
  const int32_t least = graph.AddConstant("least", {}, std::vector<float>{0.5f});
  const int32_t most = *graph.AddNode(OpType::kMaximum, "most", {}, {graph.inputs[0], least});
  graph.outputs.push_back(most);
  const auto checkpoint = MakeTrainable(graph);
  QAT_ASSERT_OK(checkpoint);
  const GraphNode& node = checkpoint->network.nodes.back();
  EXPECT_EQ(checkpoint->network.tensor(node.inputs[0]).name, "most/from_input");
}

TEST(MakeTrainable, AFilterThatTwoLayersShareIsOneParameter) {
  Graph graph = TinyGraph();
  const int32_t filter = graph.AddConstant("twice", {3, 3}, Ramp(9, 0, 0.5f));
  const int32_t first =
      *graph.AddNode(OpType::kFullyConnected, "one", FullyConnectedAttributes(), {graph.outputs[0], filter});
  graph.outputs = {
      *graph.AddNode(OpType::kFullyConnected, "two", FullyConnectedAttributes(), {first, filter})};
  const auto checkpoint = MakeTrainable(graph);
  QAT_ASSERT_OK(checkpoint);
  EXPECT_TRUE(checkpoint->tensors.contains("twice"));
  EXPECT_TRUE(checkpoint->network.tensor(filter).trained.has_value());
}

// As the steps of a recurrent layer: one filter for all, and one range where they are joined.
TEST(MakeTrainable, PrintsWhatManyLayersShareOnce) {
  Graph graph = TinyGraph(false);
  const int32_t filter = graph.AddConstant("shared", {3, 3}, Ramp(9, 0, 0.5f));
  std::vector<int32_t> states = {graph.outputs[0]};
  for (int i = 0; i < 9; ++i)
    states.push_back(*graph.AddNode(OpType::kFullyConnected, StrCat("step_", i), FullyConnectedAttributes(),
                                    {states.back(), filter}));
  graph.outputs = {*graph.AddNode(OpType::kConcatenation, "all", ConcatenationAttributes{1}, states)};
  const auto alone = MakeTrainable(TinyGraph(false)), shared = MakeTrainable(graph);
  QAT_ASSERT_OK(alone);
  QAT_ASSERT_OK(shared);
  int64_t parameters = 9;
  for (const auto& [name, tensor] : alone->tensors) parameters += std::ssize(tensor.values);
  const std::string text = PrintNetwork(shared->network);
  const std::string total = text.substr(text.rfind("total"));
  EXPECT_NE(total.find(StrCat(" ", parameters, " ")), std::string::npos) << text;
  EXPECT_NE(text.find("one range with fc, step_0, step_1, step_2, step_3, step_4 and 4 more"),
            std::string::npos)
      << text;
}

TEST(MakeTrainable, WhatIsAFilterAndAnOperandStaysAConstant) {
  Graph graph = TinyGraph();
  const int32_t filter = graph.AddConstant("twice", {1, 3}, Ramp(3, 0, 0.5f));
  const int32_t first = *graph.AddNode(OpType::kMul, "one", BinaryAttributes(), {graph.outputs[0], filter});
  graph.outputs = {
      *graph.AddNode(OpType::kFullyConnected, "two", FullyConnectedAttributes(), {first, filter})};
  const auto checkpoint = MakeTrainable(graph);
  QAT_ASSERT_OK(checkpoint);
  EXPECT_FALSE(checkpoint->tensors.contains("twice"));
  EXPECT_TRUE(checkpoint->network.tensor(filter).is_constant());
}

TEST(MakeTrainable, AQuantizedGraphIsRefused) {
  Graph graph = TinyGraph();
  graph.tensor(0).quantization = TensorQuantization::PerTensor({0.5f, 3});
  graph.tensor(0).type = DType::kUInt8;
  EXPECT_FALSE(MakeTrainable(graph).ok());
}

}  // namespace
}  // namespace qat
