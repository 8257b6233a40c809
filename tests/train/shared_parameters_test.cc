// Steps of one layer: nodes that share a filter and a bias. Training finds one of each, and what is deployed
// computes what it simulates.
#include <ATen/core/grad_mode.h>

#include <set>

#include "base/random.h"
#include "base/strings.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "train/deployed.h"
#include "train/input_tensor.h"
#include "train/trainable_graph.h"

namespace qat {
namespace {

constexpr int32_t kSteps = 3, kWidth = 4, kBatch = 5;

using testing::Drawn;

/// h = tanh(filter h + bias), again and again from the input, with one filter and one bias.
Graph Loop(Scheme scheme) {
  Graph g;
  g.name = "loop";
  g.scheme = NameOf(scheme);
  g.contract = {1, 1, kWidth, {128, 128, 128, 128}, {64, 64, 64, 64}, {}};
  GraphTensor input;
  input.name = "x";
  input.shape = {1, 1, 1, kWidth};
  g.inputs = {g.AddTensor(input)};
  const int32_t filter = g.AddConstant("w", {kWidth, kWidth}, Drawn(kWidth * kWidth, 3, 0.8f));
  if (scheme == Scheme::kUInt8) testing::SetRange(g, filter, {-0.8f, 0.8f}, kUInt8NarrowLimits);
  const int32_t bias = g.AddConstant("b", {kWidth}, Drawn(kWidth, 4, 0.5f));
  int32_t state = g.inputs[0];
  for (int32_t step = 0; step < kSteps; ++step) {
    const auto sum = g.AddNode(OpType::kFullyConnected, StrCat("step_", step),
                               FullyConnectedAttributes{.keep_num_dims = true}, {state, filter, bias});
    QAT_CHECK(sum.ok());
    const auto limits = scheme == Scheme::kInt8 ? kInt8Limits : kUInt8Limits;
    testing::SetRange(g, *sum, {-4.0f - static_cast<float>(step), 3}, limits);
    state = *g.AddNode(OpType::kTanh, StrCat("state_", step), std::monostate(), {*sum});
  }
  const int32_t sizes = g.AddConstant("sizes", {2}, std::vector<int32_t>{-1, kWidth});
  g.outputs = {*g.AddNode(OpType::kReshape, "out", ReshapeAttributes(), {state, sizes})};
  return g;
}

class SharedParameters : public testing::TrainableGraph {
 protected:
  void SetUp() override { Make(Loop(GetParam()), kBatch * kWidth); }
  at::Tensor Real() const {
    return RealImages(checkpoint_.contract.input(), MakeRealTable(checkpoint_.contract.input()), bytes_);
  }
};

INSTANTIATE_TEST_SUITE_P(Schemes, SharedParameters, ::testing::Values(Scheme::kUInt8, Scheme::kInt8),
                         [](const auto& scheme) { return std::string(NameOf(scheme.param)); });

TEST_P(SharedParameters, AreListedOnce) {
  std::vector<std::string> names;
  for (const Parameter& parameter : network_->parameters()) names.push_back(parameter.name);
  EXPECT_EQ(names, (std::vector<std::string>{"w", "b"}));
}

// The gradient of the one filter is that of the sum over all steps: a small change of it changes the output
// by as much.
TEST_P(SharedParameters, LearnFromEveryStep) {
  const at::Tensor real = Real();
  network_->Forward({real}, {}).front().sum().backward();
  const Parameter filter = network_->parameters().front();
  const at::Tensor gradient = filter.value.grad().clone();
  const at::NoGradGuard no_gradients;
  const auto output = [&](double change) {
    filter.value[1][2] += change;
    const double sum = network_->Forward({real}, {}).front().sum().item<double>();
    filter.value[1][2] -= change;
    return sum;
  };
  constexpr double kChange = 1e-2;
  EXPECT_NEAR((output(kChange) - output(-kChange)) / (2 * kChange), gradient[1][2].item<double>(), 2e-3);
  EXPECT_GT(std::abs(gradient[1][2].item<double>()), 0.01) << "else nothing is compared";
}

TEST_P(SharedParameters, SimulateTheDeployedBytes) {
  const SimulatedTensor images =
      QuantizedImages(checkpoint_.contract.input(), PrecisionsOf(GetParam()).activations, bytes_);
  const auto interpreter = testing::Deploy(checkpoint_, GetParam());
  QAT_ASSERT_OK(interpreter);
  const std::vector<double> deployed = testing::RunImages(GetParam(), **interpreter, images);
  EXPECT_EQ(testing::ValuesInNhwc(network_->Simulate({images}).front().values), deployed);
  EXPECT_GT(std::set<double>(deployed.begin(), deployed.end()).size(), 5u) << "else nothing is compared";
}

// What one operator takes as its bias and another as its data would be quantized in two ways.
TEST(SharedParametersOfTwoUses, StayConstants) {
  Graph graph = Loop(Scheme::kInt8);
  const int32_t bias = graph.nodes[0].inputs[2];
  graph.outputs = {*graph.AddNode(OpType::kAdd, "sum", BinaryAttributes{}, {graph.outputs[0], bias})};
  const auto checkpoint = MakeTrainable(graph);
  QAT_ASSERT_OK(checkpoint);
  EXPECT_EQ(checkpoint->tensors.count("w"), 1u);
  EXPECT_EQ(checkpoint->tensors.count("b"), 0u);
}

}  // namespace
}  // namespace qat
