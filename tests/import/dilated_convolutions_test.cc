#include "import/dilated_convolutions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "passes/passes.h"
#include "support/run_model.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

std::vector<float> Wave(size_t count, float step) {
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) values.push_back(std::sin(step * static_cast<float>(i)));
  return values;
}

/// "x" of reals of this shape.
Graph Of(const Shape& shape) {
  Graph graph;
  graph.name = "net";
  graph.scheme = "float32";
  GraphTensor input;
  input.name = "x";
  input.shape = shape;
  graph.inputs = {graph.AddTensor(input)};
  InputContract& contract = graph.contract.input();
  contract = {1,
              1,
              shape.back(),
              std::vector<float>(static_cast<size_t>(shape.back()), 0),
              std::vector<float>(static_cast<size_t>(shape.back()), 1),
              ValueType::kReal};
  if (shape.size() == 3) {
    contract.width = shape[1];
    contract.shape = {shape[1], shape[2]};
  } else {
    contract.height = shape[1];
    contract.width = shape[2];
  }
  return graph;
}

int32_t Indices(Graph& graph, const std::string& name, const Shape& shape,
                const std::vector<int32_t>& values) {
  return graph.AddConstant(name, shape, values);
}

std::vector<float> Run(Graph graph) {
  QAT_CHECK(LowerToReal(graph).ok());
  auto bytes = WriteTflite(graph, {});
  QAT_CHECK(bytes.ok());
  const auto size = static_cast<size_t>(FlatSize(graph.tensor(graph.inputs[0]).shape));
  return testing::RunOn(*testing::Open(*std::move(bytes)), Wave(size, 0.37f));
}

/// The answers before and after, and what is left of it.
void ExpectSame(Graph graph, size_t nodes) {
  QAT_ASSERT_OK(Verify(graph));
  const std::vector<float> before = Run(graph);
  std::vector<std::string> notes;
  UseDilation(graph, notes);
  QAT_ASSERT_OK(Verify(graph));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(graph.nodes.size(), nodes);
  const std::vector<float> after = Run(graph);
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) EXPECT_NEAR(after[i], before[i], 1e-6) << i;
}

// 9 places with 3 before and 4 after in blocks of 2, of which the last is cropped again.
TEST(UseDilation, OfAPictureIsOneConvolution) {
  for (const bool depthwise : {false, true}) {
    Graph graph = Of({1, 9, 8, 2});
    const int32_t block = Indices(graph, "block", {2}, {2, 4}),
                  pads = Indices(graph, "pads", {2, 2}, {3, 4, 4, 4});
    const int32_t crops = Indices(graph, "crops", {2, 2}, {0, 1, 0, 0});
    const int32_t apart =
        *graph.AddNode(OpType::kSpaceToBatchNd, "apart", {}, {graph.inputs[0], block, pads});
    int32_t sums;
    if (depthwise) {
      const int32_t filter = graph.AddConstant("w", {1, 3, 2, 2}, Wave(12, 0.9f));
      DepthwiseConv2DAttributes a;
      a.kernel_h = 3, a.kernel_w = 2, a.padding = Padding::kValid, a.activation = Activation::kRelu;
      sums = *graph.AddNode(OpType::kDepthwiseConv2D, "sums", a,
                            {apart, filter, graph.AddConstant("b", {2}, std::vector<float>{0.1f, -0.2f})});
    } else {
      const int32_t filter = graph.AddConstant("w", {3, 3, 2, 2}, Wave(36, 0.9f));
      Conv2DAttributes a;
      a.filters = 3, a.kernel_h = 3, a.kernel_w = 2, a.padding = Padding::kValid;
      sums = *graph.AddNode(OpType::kConv2D, "sums", a,
                            {apart, filter, graph.AddConstant("b", {3}, std::vector<float>{0.1f, -0.2f, 0})});
    }
    graph.outputs = {*graph.AddNode(OpType::kBatchToSpaceNd, "y", {}, {sums, block, crops})};
    ExpectSame(graph, 2);
  }
}

TEST(UseDilation, OfASeriesToo) {
  Graph graph = Of({1, 12, 2});
  const int32_t block = Indices(graph, "block", {1}, {2}), pads = Indices(graph, "pads", {1, 2}, {4, 0});
  const int32_t crops = Indices(graph, "crops", {1, 2}, {0, 0});
  const int32_t apart = *graph.AddNode(OpType::kSpaceToBatchNd, "apart", {}, {graph.inputs[0], block, pads});
  const int32_t image = *graph.AddNode(OpType::kReshape, "image", ReshapeAttributes{{2, 1, 8, 2}},
                                       {apart, Indices(graph, "to_image", {4}, {2, 1, 8, 2})});
  const int32_t filter = graph.AddConstant("w", {3, 1, 3, 2}, Wave(18, 0.9f));
  Conv2DAttributes a;
  a.filters = 3, a.kernel_h = 1, a.kernel_w = 3, a.padding = Padding::kValid;
  const int32_t sums = *graph.AddNode(
      OpType::kConv2D, "sums", a, {image, filter, graph.AddConstant("b", {3}, std::vector<float>{0, 1, 2})});
  const int32_t series = *graph.AddNode(OpType::kReshape, "series", ReshapeAttributes{{2, 6, 3}},
                                        {sums, Indices(graph, "to_series", {3}, {2, 6, 3})});
  graph.outputs = {*graph.AddNode(OpType::kBatchToSpaceNd, "y", {}, {series, block, crops})};
  ExpectSame(graph, 4);
}

TEST(UseDilation, LeavesOtherUsesOfTheBatch) {
  Graph graph = Of({1, 8, 8, 2});
  const int32_t block = Indices(graph, "block", {2}, {2, 2}),
                none = Indices(graph, "none", {2, 2}, {0, 0, 0, 0});
  const int32_t apart = *graph.AddNode(OpType::kSpaceToBatchNd, "apart", {}, {graph.inputs[0], block, none});
  const int32_t relu = *graph.AddNode(OpType::kRelu, "relu", {}, {apart});
  graph.outputs = {*graph.AddNode(OpType::kBatchToSpaceNd, "y", {}, {relu, block, none})};
  const Graph before = graph;
  std::vector<std::string> notes;
  UseDilation(graph, notes);
  EXPECT_TRUE(graph == before);
}

}  // namespace
}  // namespace qat
