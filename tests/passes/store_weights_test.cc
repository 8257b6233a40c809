#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "ir/constants.h"
#include "passes/passes.h"
#include "support/test_util.h"

namespace qat {
namespace {

// [1, 2, 2, 16] -> conv 64@1x1 -> conv 4@1x1: 1,024 and 256 filter values, biases of 64 and 4.
Graph TwoConvolutions(float largest = 2) {
  Graph g;
  g.name = "two";
  g.scheme = "float32";
  g.contract = {2, 2, 16, std::vector<float>(16, 0.0f), std::vector<float>(16, 255.0f), {}};
  GraphTensor input;
  input.name = "input";
  input.shape = {1, 2, 2, 16};
  g.inputs = {g.AddTensor(input)};
  std::vector<float> wide(1024), narrow(256, 0.5f);
  for (size_t i = 0; i < wide.size(); ++i)
    wide[i] = 0.001f * static_cast<float>(i % 16) - 0.003f * static_cast<float>(i / 16);
  wide[17] = largest;  // of the second filter
  const int32_t f1 = g.AddConstant("a/filter", {64, 1, 1, 16}, wide);
  const int32_t b1 = g.AddConstant("a/bias", {64}, std::vector<float>(64, 0.1f));
  const int32_t f2 = g.AddConstant("b/filter", {4, 1, 1, 64}, narrow);
  const int32_t b2 = g.AddConstant("b/bias", {4}, std::vector<float>(4, 0.1f));
  const int32_t a = *g.AddNode(OpType::kConv2D, "a", Conv2DAttributes(), {g.inputs[0], f1, b1});
  g.outputs = {*g.AddNode(OpType::kConv2D, "b", Conv2DAttributes(), {a, f2, b2})};
  return g;
}

const GraphTensor& Named(const Graph& graph, std::string_view name) {
  for (const GraphTensor& tensor : graph.tensors)
    if (tensor.name == name) return tensor;
  ADD_FAILURE() << "no tensor " << name;
  return graph.tensors[0];
}

TEST(StoreWeights, PutsHalvesInFrontOfWhatReadsThem) {
  Graph graph = TwoConvolutions();
  std::vector<std::string> warnings;
  StoreWeights(WeightStorage::kFloat16, graph, warnings);
  EXPECT_TRUE(warnings.empty());
  QAT_ASSERT_OK(Verify(graph));
  ASSERT_EQ(graph.nodes.size(), 5u) << "two filters and the bias of 64; four values cost more than they save";
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(graph.nodes[i].type, OpType::kDequantize);
  const GraphTensor& stored = Named(graph, "a/filter/float16");
  EXPECT_EQ(stored.type, DType::kFloat16);
  EXPECT_EQ(stored.shape, (Shape{64, 1, 1, 16}));
  uint16_t half = 0;
  std::memcpy(&half, &stored.data[17 * sizeof(half)], sizeof(half));
  EXPECT_EQ(half, 0x4000) << "2";
  EXPECT_FALSE(Named(graph, "a/filter").is_constant());
  EXPECT_TRUE(Named(graph, "b/bias").is_constant());
}

TEST(StoreWeights, KeepsWhatNoHalfHolds) {
  Graph graph = TwoConvolutions(/*largest=*/1e5f);
  std::vector<std::string> warnings;
  StoreWeights(WeightStorage::kFloat16, graph, warnings);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0],
            "kept as float32, since they have values beyond 65504, the largest float16: a/filter");
  EXPECT_EQ(Named(graph, "a/filter").type, DType::kFloat32);
  EXPECT_TRUE(Named(graph, "a/filter").is_constant());
  QAT_ASSERT_OK(Verify(graph));
}

TEST(StoreWeights, KeepsWhatHalvesWouldLeaveNoDigits) {
  Graph graph = TwoConvolutions();
  GraphTensor& filter = graph.tensors[static_cast<size_t>(graph.nodes[0].inputs[1])];
  std::vector<float> values = RealValues(filter);
  for (float& value : values) value *= 1e-7f;
  SetValues(filter, DType::kFloat32, values);
  std::vector<std::string> warnings;
  StoreWeights(WeightStorage::kFloat16, graph, warnings);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0],
            "kept as float32, since all their values are below 6.1035156e-05, where float16 has ever fewer "
            "digits: a/filter");
}

TEST(StoreWeights, QuantizesLargeFiltersAroundZeroPerChannel) {
  Graph graph = TwoConvolutions();
  std::vector<std::string> warnings;
  StoreWeights(WeightStorage::kInt8, graph, warnings);
  EXPECT_TRUE(warnings.empty());
  QAT_ASSERT_OK(Verify(graph));
  const GraphTensor& filter = Named(graph, "a/filter");
  EXPECT_EQ(filter.type, DType::kInt8);
  ASSERT_TRUE(filter.quantization.has_value());
  EXPECT_EQ(filter.quantization->dimension, 0);
  ASSERT_EQ(filter.quantization->scale.size(), 64u);
  EXPECT_FLOAT_EQ(filter.quantization->scale[0], 0.015f / 127);
  EXPECT_FLOAT_EQ(filter.quantization->scale[1], 2.0f / 127);
  EXPECT_EQ(static_cast<int8_t>(filter.data[15]), 127);  // 0.015, the largest of the first
  EXPECT_EQ(static_cast<int8_t>(filter.data[17]), 127);  // 2
  EXPECT_EQ(Named(graph, "a/bias").type, DType::kFloat32);
  EXPECT_EQ(Named(graph, "b/filter").type, DType::kInt8) << "256 values";
}

TEST(StoreWeights, KeepsSmallFilters) {
  Graph graph = TwoConvolutions();
  const int32_t filter = graph.AddConstant("c/filter", {15, 1, 1, 17}, std::vector<float>(255, 0.5f));
  const int32_t bias = graph.AddConstant("c/bias", {15}, std::vector<float>(15));
  GraphTensor input;
  input.name = "other";
  input.shape = {1, 2, 2, 17};
  graph.inputs.push_back(graph.AddTensor(std::move(input)));
  graph.outputs.push_back(
      *graph.AddNode(OpType::kConv2D, "c", Conv2DAttributes(), {graph.inputs.back(), filter, bias}));
  std::vector<std::string> warnings;
  StoreWeights(WeightStorage::kInt8, graph, warnings);
  EXPECT_EQ(Named(graph, "b/filter").type, DType::kInt8);
  EXPECT_EQ(Named(graph, "c/filter").type, DType::kFloat32) << "255 values";
}

/// In front of all other nodes: the first convolution reads what is never negative.
void PutReluInFront(Graph& graph) {
  const int32_t relu = *graph.AddNode(OpType::kRelu, "relu", std::monostate(), {graph.inputs[0]});
  std::rotate(graph.nodes.begin(), graph.nodes.end() - 1, graph.nodes.end());
  graph.nodes[1].inputs[0] = relu;
}

// 15 values 0.3 are 4.5 in steps of 1, 15 of -0.4 are -6; the nearest integers are 0.
TEST(StoreWeights, FourBitsKeepTheSumsOfInputsThatAreNeverNegative) {
  for (const bool behind_a_relu : {false, true}) {
    Graph graph = TwoConvolutions();
    std::vector<float> wide(1024);
    for (size_t i = 0; i < wide.size(); ++i) wide[i] = i % 16 == 0 ? 7.0f : i < 16 ? 0.3f : -0.4f;
    for (GraphTensor& tensor : graph.tensors) {
      if (tensor.name == "a/filter") SetValues(tensor, DType::kFloat32, wide);
    }
    if (behind_a_relu) PutReluInFront(graph);
    QAT_ASSERT_OK(Verify(graph));
    std::vector<std::string> warnings;
    StoreWeights(WeightStorage::kInt4, graph, warnings);
    const GraphTensor& filter = Named(graph, "a/filter");
    ASSERT_EQ(filter.type, DType::kInt4);
    const auto at = [&](size_t i) {
      const int32_t half = filter.data[i / 2] >> (i % 2 * 4) & 15;
      return half > 7 ? half - 16 : half;
    };
    for (const size_t channel : {size_t{0}, size_t{5}}) {
      int32_t sum = 0;
      for (size_t i = 0; i < 16; ++i) sum += at(channel * 16 + i);
      EXPECT_EQ(at(channel * 16), 7) << "the largest makes the scale";
      EXPECT_EQ(sum, 7 + (!behind_a_relu ? 0 : channel == 0 ? 5 : -6));
    }
  }
}

// A value saves 3 bytes in 8 bits, a channel costs 12.
TEST(StoreWeights, StoresSmallFiltersInEightBitsBesideFour) {
  Graph graph = TwoConvolutions();
  // b -> conv 24@1x1: 96 values in 24 channels, which no scale per channel makes smaller.
  const int32_t filter = graph.AddConstant("c/filter", {24, 1, 1, 4}, std::vector<float>(96, 0.5f));
  const int32_t bias = graph.AddConstant("c/bias", {24}, std::vector<float>(24));
  graph.outputs = {
      *graph.AddNode(OpType::kConv2D, "c", Conv2DAttributes(), {graph.outputs[0], filter, bias})};
  std::vector<std::string> warnings;
  StoreWeights(WeightStorage::kInt4, graph, warnings);
  EXPECT_TRUE(warnings.empty());
  QAT_ASSERT_OK(Verify(graph));
  EXPECT_EQ(Named(graph, "a/filter").type, DType::kInt4);
  const GraphTensor& small = Named(graph, "b/filter");
  EXPECT_EQ(small.type, DType::kInt8) << "256 values of 4 channels";
  ASSERT_EQ(small.quantization->scale.size(), 4u);
  EXPECT_FLOAT_EQ(small.quantization->scale[3], 0.5f / 127);
  EXPECT_EQ(Named(graph, "c/filter").type, DType::kFloat32);
}

// From -x to x would be no finite number wide.
TEST(StoreWeights, KeepsFiltersThatNoScaleHolds) {
  Graph graph = TwoConvolutions(/*largest=*/3e38f);
  std::vector<std::string> warnings;
  StoreWeights(WeightStorage::kInt8, graph, warnings);
  EXPECT_EQ(Named(graph, "a/filter").type, DType::kFloat32);
  ASSERT_FALSE(warnings.empty());
  EXPECT_EQ(warnings[0],
            "kept as float32, since their values reach beyond half of the largest float: a/filter");
}

TEST(StoreWeights, LeavesFiltersThatSomethingElseReads) {
  Graph graph = TwoConvolutions();
  const std::vector<int32_t> filters = {graph.nodes[0].inputs[1], graph.nodes[1].inputs[1]};
  for (const int32_t filter : filters) {
    const auto size = static_cast<int32_t>(FlatSize(graph.tensor(filter).shape));
    const std::string name = graph.tensor(filter).name;
    graph.outputs.push_back(
        *graph.AddNode(OpType::kReshape, name + "/flat", ReshapeAttributes{{1, -1}},
                       {filter, graph.AddConstant(name + "/shape", {2}, std::vector<int32_t>{1, size})}));
  }
  std::vector<std::string> warnings;
  StoreWeights(WeightStorage::kInt8, graph, warnings);
  for (const int32_t filter : filters) EXPECT_EQ(graph.tensor(filter).type, DType::kFloat32);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0], "no filter has 256 values or more: nothing was stored in 8 bits");
}

}  // namespace
}  // namespace qat
