#include <gtest/gtest.h>

#include <cstring>

#include "ir/range_groups.h"
#include "passes/passes.h"
#include "support/test_util.h"

namespace qat {
namespace {

// An input [1, 1, 1, 2] and operators after it, each output with a range.
struct Builder {
  Graph graph;
  Builder() {
    graph.scheme = "float32";
    graph.contract = {1, 1, 2, {0, 0}, {255, 255}, {}};
    GraphTensor input;
    input.name = "input";
    input.shape = {1, 1, 1, 2};
    graph.inputs = {graph.AddTensor(input)};
  }
  int32_t Constant(const char* name, const std::vector<float>& values) {
    return graph.AddConstant(name, {1, 1, 1, static_cast<int32_t>(values.size())}, values);
  }
  int32_t Add(OpType type, const char* name, std::vector<int32_t> inputs, OpAttributes attributes) {
    auto output = graph.AddNode(type, name, std::move(attributes), std::move(inputs));
    EXPECT_TRUE(output.ok()) << output.error().message;
    return *output;
  }
  int32_t Add(OpType type, const char* name, std::vector<int32_t> inputs) {
    return Add(type, name, std::move(inputs), DefinitionOf(type).default_attributes);
  }
  Status Quantize() {
    for (GraphTensor& tensor : graph.tensors) {
      if (tensor.is_constant()) continue;
      tensor.has_range = true;
      tensor.range = {-1, 3};
      tensor.limits = {-128, 127};
    }
    std::vector<std::string> warnings;
    QuantizationOptions options;
    options.precisions = PrecisionsOf(Scheme::kInt8);
    QAT_RETURN_IF_ERROR(ChooseQuantization(graph, options, warnings));
    return Verify(graph);
  }
  const TensorQuantization& Params(int32_t tensor) const { return *graph.tensor(tensor).quantization; }
};

TEST(SeparateFixedRanges, LetsAConcatenationOfFixedAndFreeRangesComeToOneScale) {
  Builder b;
  const int32_t free = b.Add(OpType::kRelu, "free", {b.graph.inputs[0]});
  const int32_t fixed = b.Add(OpType::kLogistic, "fixed", {free});
  const int32_t moved =
      b.Add(OpType::kMaxPool2D, "moved", {fixed}, Pool2DAttributes{1, 1, 1, 1, Padding::kValid});
  const int32_t all = b.Add(OpType::kConcatenation, "all", {moved, free, b.graph.inputs[0], moved},
                            ConcatenationAttributes{3});
  b.graph.outputs = {all};
  SeparateFixedRanges(b.graph);
  ASSERT_EQ(b.graph.nodes.size(), 6u);
  EXPECT_EQ(b.graph.nodes[3].name, "all/from_moved");
  EXPECT_EQ(b.graph.nodes[4].name, "all/from_input");
  QAT_ASSERT_OK(b.Quantize());
  const GraphNode& concatenation = b.graph.nodes[5];
  for (const int32_t input : concatenation.inputs) EXPECT_EQ(b.Params(input), b.Params(all));
  EXPECT_EQ(concatenation.inputs[0], concatenation.inputs[3]) << "one quantize for both";
  EXPECT_NE(b.Params(moved), b.Params(all)) << "1/256 stays in front of it";
}

TEST(SeparateFixedRanges, LeavesInputsAloneThatAreFixedAlike) {
  Builder b;
  const int32_t one = b.Add(OpType::kLogistic, "one", {b.graph.inputs[0]});
  const int32_t other = b.Add(OpType::kLogistic, "other", {one});
  b.graph.outputs = {b.Add(OpType::kMaximum, "larger", {one, other})};
  const Graph before = b.graph;
  SeparateFixedRanges(b.graph);
  EXPECT_EQ(b.graph, before);
  QAT_ASSERT_OK(b.Quantize());
}

TEST(ChooseQuantization, GivesAConstantTheScaleOfWhatItIsJoinedTo) {
  Builder b;
  const int32_t x = b.Add(OpType::kRelu, "x", {b.graph.inputs[0]});
  const int32_t least = b.Constant("least", {1, -1e9f});
  b.graph.outputs = {b.Add(OpType::kMaximum, "larger", {x, least})};
  SeparateFixedRanges(b.graph);
  QAT_ASSERT_OK(b.Quantize());
  EXPECT_EQ(b.Params(least), b.Params(x));
  int8_t values[2];
  std::memcpy(values, b.graph.tensor(least).data.data(), 2);
  // 4 / 255 a step, zero point -64: 1 is -64 + 63.75 steps; what lies below all is the least integer.
  EXPECT_EQ(values[0], 0);
  EXPECT_EQ(values[1], -128);
}

}  // namespace
}  // namespace qat
