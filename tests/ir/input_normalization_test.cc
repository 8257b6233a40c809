#include "ir/input_normalization.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/strings.h"
#include "support/test_util.h"

namespace qat {
namespace {

// [1, 3] of reals -> `nodes` with constants -> fully connected.
struct Normalized {
  Normalized() {
    graph.name = "normalized";
    graph.scheme = "float32";
    InputContract& input = graph.contract.input();
    input = {1, 1, 3, {0, 0, 0}, {1, 1, 1}, ValueType::kReal, {3}, -1, 1};
    GraphTensor tensor;
    tensor.name = "input";
    tensor.shape = {1, 3};
    last = graph.AddTensor(tensor);
    graph.inputs = {last};
  }

  void Binary(OpType type, const Shape& shape, std::vector<float> values, bool constant_first = false,
              Activation activation = Activation::kNone) {
    const std::string name = StrCat("node", graph.nodes.size());
    const int32_t constant = graph.AddConstant(StrCat(name, "/by"), shape, std::span<const float>(values));
    BinaryAttributes attributes;
    attributes.activation = activation;
    std::vector<int32_t> inputs = {last, constant};
    if (constant_first) std::swap(inputs[0], inputs[1]);
    last = *graph.AddNode(type, name, attributes, inputs);
  }

  void End() {
    const int32_t filter = graph.AddConstant("fc/filter", {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
    const int32_t bias = graph.AddConstant("fc/bias", {2}, std::vector<float>{0, 0});
    last = *graph.AddNode(OpType::kFullyConnected, "fc", FullyConnectedAttributes(), {last, filter, bias});
    graph.outputs = {last};
    QAT_ASSERT_OK(Verify(graph));
  }

  Graph graph;
  int32_t last = -1;
};

// What the network reads of these values, by the contract.
std::vector<float> Reals(const Graph& graph, const std::vector<float>& values) {
  std::vector<float> reals(values.size());
  const auto bytes =
      std::span(reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float));
  ToReal(graph.contract.input(), {}, bytes, reals);
  return reals;
}

void ExpectNear(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6 * (1 + std::abs(b[i]))) << i;
}

TEST(TakeInputNormalization, DifferencesAndQuotientsBecomeMeanAndStd) {
  Normalized n;
  n.Binary(OpType::kSub, {3}, {1, -2, 300});
  n.Binary(OpType::kDiv, {1, 3}, {0.5f, 4, 100});
  n.End();
  EXPECT_EQ(TakeInputNormalization(0, n.graph), (std::vector<std::string>{"node0", "node1"}));
  QAT_ASSERT_OK(Verify(n.graph));
  EXPECT_EQ(n.graph.nodes.size(), 1u);
  EXPECT_EQ(n.graph.contract.input().mean, (std::vector<float>{1, -2, 300}));
  EXPECT_EQ(n.graph.contract.input().std, (std::vector<float>{0.5f, 4, 100}));
  EXPECT_EQ(n.graph.tensor(n.graph.inputs[0]).name, "input");
}

// gamma / deviation and beta - mean * gamma / deviation, as a batch normalization leaves them; then a scale
// for all.
TEST(TakeInputNormalization, ProductsSumsAndScalarsInAnyOrder) {
  Normalized n;
  n.Binary(OpType::kMul, {1, 3}, {2, 0.25f, 1000}, /*constant_first=*/true);
  n.Binary(OpType::kAdd, {3}, {1, -1, 3});
  n.Binary(OpType::kMul, {}, {0.5f});
  n.End();
  EXPECT_EQ(TakeInputNormalization(0, n.graph).size(), 3u);
  ExpectNear(Reals(n.graph, {1, 2, 3}), {1.5f, -0.25f, 1501.5f});
}

TEST(TakeInputNormalization, GoesOnFromTheMeanAndStdThatAreThere) {
  Normalized n;
  n.graph.contract.input().mean = {10, 20, 30};
  n.graph.contract.input().std = {2, 2, 2};
  n.Binary(OpType::kSub, {3}, {1, 1, 1});
  n.End();
  EXPECT_EQ(TakeInputNormalization(0, n.graph).size(), 1u);
  ExpectNear(Reals(n.graph, {12, 24, 36}), {0, 1, 2});
}

// As models of ours have it, and others that flatten what comes in first.
TEST(TakeInputNormalization, LooksBehindAReshape) {
  Normalized n;
  const int32_t sizes = n.graph.AddConstant("sizes", {4}, std::vector<int32_t>{1, 1, 3, 1});
  n.last = *n.graph.AddNode(OpType::kReshape, "column", ReshapeAttributes{{1, 1, 3, 1}}, {n.last, sizes});
  n.Binary(OpType::kSub, {3, 1}, {1, -2, 300});
  n.Binary(OpType::kMul, {1}, {2});
  const int32_t row = n.graph.AddConstant("row", {2}, std::vector<int32_t>{1, 3});
  n.last = *n.graph.AddNode(OpType::kReshape, "flat", ReshapeAttributes{{1, 3}}, {n.last, row});
  n.End();
  EXPECT_EQ(TakeInputNormalization(0, n.graph).size(), 2u);
  QAT_ASSERT_OK(Verify(n.graph));
  EXPECT_EQ(n.graph.nodes.size(), 3u);
  EXPECT_EQ(n.graph.contract.input().mean, (std::vector<float>{1, -2, 300}));
  EXPECT_EQ(n.graph.contract.input().std, (std::vector<float>{0.5f, 0.5f, 0.5f}));
}

// Two channels of two steps, each value by its own numbers.
TEST(TakeInputNormalization, EachValueMayHaveItsOwn) {
  Normalized n;
  n.graph.contract.input() = {1, 2, 2, {0, 0}, {1, 1}, ValueType::kReal, {2, 2}, -1, 1};
  n.graph.tensor(n.last).shape = {1, 2, 2};
  n.Binary(OpType::kSub, {2, 2}, {1, 2, 3, 4});
  n.Binary(OpType::kDiv, {2}, {5, 6});
  n.last = *n.graph.AddNode(OpType::kRelu, "relu", std::monostate(), {n.last});
  n.graph.outputs = {n.last};
  EXPECT_EQ(TakeInputNormalization(0, n.graph).size(), 2u);
  EXPECT_EQ(n.graph.contract.input().mean, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(n.graph.contract.input().std, (std::vector<float>{5, 6, 5, 6}));
}

// A model of ours, imported: what its contract says is what these nodes do.
TEST(TakeInputNormalization, TakesOutWhatWasInside) {
  Normalized n;
  InputContract& input = n.graph.contract.input();
  input.inside = true;
  input.mean = {1, 2, 3};
  input.std = {4, 4, 4};
  n.Binary(OpType::kSub, {3}, {1, 2, 3});
  n.Binary(OpType::kMul, {}, {0.25f});
  n.End();
  EXPECT_EQ(TakeInputNormalization(0, n.graph).size(), 2u);
  EXPECT_FALSE(input.inside);
  EXPECT_EQ(input.mean, (std::vector<float>{1, 2, 3}));
  EXPECT_EQ(input.std, (std::vector<float>{4, 4, 4}));
}

TEST(TakeInputNormalization, LeavesWhatNoMeanAndStdSay) {
  const auto expect_kept = [](Normalized& n) {
    n.End();
    const Graph before = n.graph;
    EXPECT_TRUE(TakeInputNormalization(0, n.graph).empty());
    EXPECT_EQ(n.graph, before);
  };
  Normalized negative;
  negative.Binary(OpType::kMul, {3}, {1, -1, 1});
  expect_kept(negative);
  Normalized zero;
  zero.Binary(OpType::kDiv, {3}, {1, 0, 1});
  expect_kept(zero);
  Normalized turned;
  turned.Binary(OpType::kSub, {3}, {1, 1, 1}, /*constant_first=*/true);
  expect_kept(turned);
  Normalized clamped;
  clamped.Binary(OpType::kSub, {3}, {1, 1, 1}, false, Activation::kRelu);
  expect_kept(clamped);
  Normalized bytes;
  bytes.graph.contract.input().values = ValueType::kByte;
  bytes.Binary(OpType::kDiv, {}, {255});
  expect_kept(bytes);
}

TEST(TakeInputNormalization, LeavesValuesThatOthersReadToo) {
  Normalized n;
  n.Binary(OpType::kSub, {3}, {1, 1, 1});
  n.last = *n.graph.AddNode(OpType::kAdd, "both", BinaryAttributes(), {n.last, n.graph.inputs[0]});
  n.End();
  EXPECT_TRUE(TakeInputNormalization(0, n.graph).empty());
}

}  // namespace
}  // namespace qat
