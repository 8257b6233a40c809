#include <gtest/gtest.h>

#include <algorithm>

#include "ir/constants.h"
#include "ops/integer_kernels.h"
#include "passes/passes.h"
#include "plan/plan.h"
#include "support/test_util.h"

namespace qat {
namespace {

// input -> relu "a" -> pow(a, 2) "p" -> pow(p, 2) "pp" -> relu6 "b"; p is read by logistic "c", too.
Graph PowGraph() {
  Graph graph;
  graph.scheme = "float32";
  graph.contract = {1, 1, 2, {0, 0}, {255, 255}, {}};
  GraphTensor input;
  input.name = "input";
  input.shape = {1, 1, 1, 2};
  graph.inputs = {graph.AddTensor(input)};
  const auto two = [&](const char* name) {
    const std::vector<float> value = {2};
    return graph.AddConstant(name, {1}, value);
  };
  const auto add = [&](OpType type, const char* name, std::vector<int32_t> inputs) {
    auto output = graph.AddNode(type, name, DefinitionOf(type).default_attributes, std::move(inputs));
    EXPECT_TRUE(output.ok()) << output.error().message;
    graph.tensor(*output).has_range = true;
    graph.tensor(*output).range = {0, 4};
    graph.tensor(*output).limits = {-128, 127};
    return *output;
  };
  const int32_t a = add(OpType::kRelu, "a", {graph.inputs[0]});
  const int32_t p = add(OpType::kPow, "p", {a, two("two")});
  const int32_t pp = add(OpType::kPow, "pp", {p, two("two_more")});
  const int32_t b = add(OpType::kRelu6, "b", {pp});
  const int32_t c = add(OpType::kLogistic, "c", {p});
  graph.outputs = {b, c, p};
  return graph;
}

std::vector<std::string> NodeNames(const Graph& graph) {
  std::vector<std::string> names;
  for (const GraphNode& node : graph.nodes)
    names.push_back(std::string(DefinitionOf(node.type).name) + " " + node.name);
  return names;
}

TEST(KeepFloat, PutsNodesWithoutIntegerKernelsBetweenDequantizeAndQuantize) {
  ASSERT_FALSE(RunsUnder(OpType::kPow, Scheme::kInt8)) << "else this test needs another operator";
  Graph graph = PowGraph();
  QAT_ASSERT_OK(Verify(graph));
  EXPECT_EQ(KeepFloat(graph, DType::kInt8).must, (std::vector<std::string>{"'p' (pow)", "'pp' (pow)"}));
  QAT_ASSERT_OK(Verify(graph));
  EXPECT_EQ(NodeNames(graph), (std::vector<std::string>{"relu a", "dequantize a/real", "pow p", "pow pp",
                                                        "quantize pp/quantized", "relu6 b",
                                                        "quantize p/quantized", "logistic c"}))
      << "nothing between two of them, and one quantize for all readers of p";
  EXPECT_EQ(graph.tensor(graph.outputs[2]).name, "p") << "an output keeps its name";
}

TEST(KeepFloat, LeavesThoseNodesRealWhenTheRestBecomesIntegers) {
  Graph graph = PowGraph();
  KeepFloat(graph, DType::kInt8);
  for (GraphTensor& tensor : graph.tensors) {
    tensor.has_range = !tensor.is_constant();
    tensor.range = {0, 4};
    tensor.limits = {-128, 127};
  }
  std::vector<std::string> warnings;
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kInt8);
  QAT_ASSERT_OK(ChooseQuantization(graph, options, warnings));
  QAT_ASSERT_OK(Verify(graph));
  for (const GraphNode& node : graph.nodes) {
    const GraphTensor& output = graph.tensor(node.outputs[0]);
    const bool real = node.type == OpType::kPow || node.type == OpType::kDequantize;
    EXPECT_EQ(output.type, real ? DType::kFloat32 : DType::kInt8) << node.name;
    EXPECT_EQ(output.quantization.has_value(), !real) << node.name;
    if (node.type != OpType::kPow) continue;
    EXPECT_EQ(graph.tensor(node.inputs[1]).type, DType::kFloat32) << "its exponent is real, too";
  }
}

TEST(KeepFloat, SixteenBitsHaveFewerOperatorsThanEight) {
  ASSERT_TRUE(RunsOn(OpType::kHardSwish, DType::kInt8) && RunsOn(OpType::kArgMax, DType::kInt8));
  Graph graph = PowGraph();
  graph.nodes[1].type = OpType::kHardSwish;
  graph.nodes[1].attributes = DefinitionOf(OpType::kHardSwish).default_attributes;
  graph.nodes[1].inputs.resize(1);
  EXPECT_EQ(KeepFloat(graph, DType::kInt16).must,
            (std::vector<std::string>{"'p' (hard_swish)", "'pp' (pow)"}));
}

// As Keras' Masking makes it: TFLite has no reduce_any of int16, and needs none.
TEST(KeepFloat, LeavesTruthValuesAsTheyAreInEveryType) {
  for (const DType type : {DType::kInt8, DType::kInt16, DType::kUInt8}) {
    Graph graph = PowGraph();
    GraphTensor axes;
    axes.name = "axes";
    axes.shape = {1};
    SetValues(axes, DType::kInt32, std::vector<int32_t>{3});
    const int32_t axis = graph.AddTensor(std::move(axes));
    const int32_t zero = graph.AddConstant("zero", {1}, std::vector<float>{0});
    const int32_t differs = *graph.AddNode(OpType::kNotEqual, "differs", {}, {graph.inputs[0], zero});
    const int32_t any = *graph.AddNode(OpType::kReduceAny, "any", MeanAttributes(), {differs, axis});
    const int32_t none = *graph.AddNode(OpType::kLogicalNot, "none", {}, {any});
    graph.outputs.push_back(none);
    const KeptFloat kept = KeepFloat(graph, type);
    EXPECT_EQ(std::count(kept.must.begin(), kept.must.end(), "'any' (reduce_any)"), 0) << NameOf(type);
    EXPECT_EQ(graph.outputs.back(), none) << NameOf(type);
    QuantizationOptions options;
    options.precisions = *IntegersFromName(type == DType::kUInt8  ? "uint8"
                                           : type == DType::kInt8 ? "int8"
                                                                  : "int16x8");
    std::vector<std::string> warnings;
    QAT_ASSERT_OK(MakePlan(graph, options, warnings));
  }
}

TEST(KeepFloat, KeepsWhatIsNamedAndItsQuantizeNodeHasTheRangeThatItHad) {
  Graph graph = PowGraph();
  graph.tensor(graph.nodes[0].output()).range = {0, 7};
  const KeptFloat kept = KeepFloat(graph, DType::kInt8, {"a", "nothing"});
  EXPECT_EQ(kept.asked, (std::vector<std::string>{"a"}));
  EXPECT_EQ(NodeNames(graph), (std::vector<std::string>{"dequantize input/real", "relu a", "pow p", "pow pp",
                                                        "quantize pp/quantized", "relu6 b",
                                                        "quantize p/quantized", "logistic c"}));
  QAT_ASSERT_OK(Verify(graph));
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.name == "pp/quantized") {
      EXPECT_EQ(tensor.range, (Range{0, 4}));
      EXPECT_TRUE(tensor.has_range);
    }
  }
}

TEST(KeepFloat, IsUndoneForRealNumbers) {
  Graph graph = PowGraph();
  const size_t before = graph.nodes.size();
  KeepFloat(graph, DType::kInt8);
  std::vector<std::string> warnings;
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kFloat32);
  QAT_ASSERT_OK(ChooseQuantization(graph, options, warnings));
  EXPECT_EQ(graph.nodes.size(), before);
  QAT_ASSERT_OK(Verify(graph));
}

TEST(KeepFloat, ChangesNothingWhereAllHaveKernels) {
  Graph graph = PowGraph();
  graph.nodes.erase(graph.nodes.begin() + 1, graph.nodes.end());
  graph.outputs = graph.nodes[0].outputs;
  RemoveUnusedTensors(graph);
  const Graph before = graph;
  EXPECT_TRUE(KeepFloat(graph, DType::kInt8).must.empty());
  EXPECT_EQ(graph, before);
}

}  // namespace
}  // namespace qat
