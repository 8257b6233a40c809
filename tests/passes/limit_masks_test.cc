// Scores under a mask that hides the future, as causal attention has it: int8 against a softmax in double
// precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ir/constants.h"
#include "passes/passes.h"
#include "support/run_model.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

constexpr int32_t kSteps = 4;

/// [1, 4, 4] scores from -3 to 5, plus a mask, softmax over each row.
Graph MaskedScores(float hidden) {
  Graph graph;
  graph.name = "masked";
  graph.scheme = "int8";
  graph.contract.inputs[0] = {1,
                              kSteps,
                              kSteps,
                              std::vector<float>(kSteps),
                              std::vector<float>(kSteps, 1),
                              ValueType::kReal,
                              {kSteps, kSteps},
                              -3,
                              5};
  GraphTensor input;
  input.name = "x";
  input.shape = {1, kSteps, kSteps};
  graph.inputs = {graph.AddTensor(input)};
  std::vector<float> mask;
  for (int32_t i = 0; i < kSteps * kSteps; ++i) mask.push_back(i % kSteps > i / kSteps ? hidden : 0);
  const int32_t constant = graph.AddConstant("mask", {kSteps, kSteps}, mask);
  const int32_t sum = *graph.AddNode(OpType::kAdd, "sum", BinaryAttributes(), {graph.inputs[0], constant});
  graph.outputs = {
      *graph.AddNode(OpType::kSoftmax, "weights", DefinitionOf(OpType::kSoftmax).default_attributes, {sum})};
  testing::SetRange(graph, graph.inputs[0], {-3, 5}, kInt8Limits);
  testing::SetRange(graph, sum, {hidden - 3, 5}, kInt8Limits);
  return graph;
}

/// The largest difference of the int8 model from the softmax of what is not hidden.
double Error(Graph graph) {
  std::vector<std::string> warnings;
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kInt8);
  EXPECT_TRUE(ChooseQuantization(graph, options, warnings).ok());
  auto bytes = WriteTflite(graph, {});
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  const auto interpreter = testing::Open(*std::move(bytes));
  if (interpreter == nullptr) return INFINITY;
  const QuantizationParams in = graph.tensor(graph.inputs[0]).quantization->params(),
                           out = graph.tensor(graph.outputs[0]).quantization->params();
  std::vector<int8_t> x;
  std::vector<double> reals;
  for (int32_t i = 0; i < kSteps * kSteps; ++i) {
    x.push_back(
        static_cast<int8_t>(QuantizeActivation(1 + 4 * std::sin(static_cast<float>(i)), in, kInt8Limits)));
    reals.push_back(Dequantize(x.back(), in));
  }
  const std::vector<int8_t> weights = testing::RunOn(*interpreter, x);
  double largest = 0;
  for (size_t row = 0; row < kSteps; ++row) {
    double sum = 0;
    for (size_t i = 0; i <= row; ++i) sum += std::exp(reals[row * kSteps + i]);
    for (size_t i = 0; i < kSteps; ++i) {
      const double expected = i <= row ? std::exp(reals[row * kSteps + i]) / sum : 0;
      largest = std::max(largest, std::abs(Dequantize(weights[row * kSteps + i], out) - expected));
    }
  }
  return largest;
}

TEST(LimitMasks, ScoresKeepTheirSteps) {
  for (const float hidden : {-1e4f, -1e9f}) {
    Graph graph = MaskedScores(hidden);
    EXPECT_GT(Error(graph), 0.2) << "else there is nothing to limit";
    EXPECT_EQ(LimitMasks(graph), std::vector<std::string>{"sum"});
    EXPECT_LT(Error(graph), 0.03);
    EXPECT_TRUE(LimitMasks(graph).empty());
  }
}

// Between a sum and a softmax of which one computes real numbers, the scores are integers all the same.
TEST(LimitMasks, ScoresKeepTheirStepsBesideLayersKeptInFloat) {
  for (const std::string kept : {"sum", "weights"}) {
    Graph graph = MaskedScores(-1e4f);
    KeepFloat(graph, DType::kInt8, {kept});
    for (const GraphNode& node : graph.nodes) {
      if (node.type == OpType::kQuantize && !graph.tensor(node.output()).has_range)
        testing::SetRange(graph, node.output(), {0, 1}, kInt8Limits);
    }
    EXPECT_GT(Error(graph), 0.2) << kept << ": else there is nothing to limit";
    EXPECT_EQ(LimitMasks(graph), std::vector<std::string>{"sum"}) << kept;
    EXPECT_LT(Error(graph), 0.03) << kept;
  }
}

TEST(LimitMasks, HidesByWhatItIsToldBeforeThereAreRanges) {
  Graph graph = MaskedScores(-1e4f);
  for (GraphTensor& tensor : graph.tensors) tensor.has_range = false;
  EXPECT_EQ(LimitMasks(graph, -64), std::vector<std::string>{"sum"});
  const std::vector<float> mask = RealValues(graph.tensor(graph.nodes[0].inputs[1]));
  EXPECT_EQ(*std::min_element(mask.begin(), mask.end()), -64);
  EXPECT_EQ(*std::max_element(mask.begin(), mask.end()), 0);
  EXPECT_FALSE(graph.tensor(graph.nodes[0].output()).has_range);
}

TEST(LimitMasks, LeavesOthersAlone) {
  Graph bias = MaskedScores(-5);
  const Graph before = bias;
  EXPECT_TRUE(LimitMasks(bias).empty());
  EXPECT_EQ(bias, before);
  Graph shown = MaskedScores(-1e4f);
  shown.outputs.push_back(shown.nodes[0].output());  // someone sees the sums
  const Graph seen = shown;
  EXPECT_TRUE(LimitMasks(shown).empty());
  EXPECT_EQ(shown, seen);
}

}  // namespace
}  // namespace qat
