// A network that came as a frozen graph of real constants (checkpoint/make_trainable.h): constants that are
// data, parameters under any name, layers without a bias. What it computes is what the runtime computes from
// the same graph.
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "train/deployed.h"
#include "train/input_tensor.h"
#include "train/modules/module.h"
#include "train/trainable_graph.h"

namespace qat {
namespace {

constexpr int32_t kSide = 6, kBatch = 3;

using testing::Drawn;

/// [1, 6, 6, 2] -> conv without bias -> + per channel -> max with a scalar, constant first -> conv in two
/// groups -> PReLU with slopes of four axes, and with one slope -> joined with a constant map -> mean ->
/// another axis and back -> fully connected at each place. Names are a stranger's.
class Stranger {
 public:
  explicit Stranger(Scheme scheme) : limits_(scheme == Scheme::kInt8 ? kInt8Limits : kUInt8Limits) {
    g_.name = "stranger";
    g_.scheme = NameOf(scheme);
    g_.contract = {kSide, kSide, 2, {100, 120}, {60, 50}, {}};
    GraphTensor input;
    input.name = "serving_default_x:0";
    input.shape = {1, kSide, kSide, 2};
    g_.inputs = {g_.AddTensor(input)};
    const int32_t filter = Constant("model/conv/Conv2D;w", {4, 3, 3, 2}, 0.4f);
    if (scheme == Scheme::kUInt8) testing::SetRange(g_, filter, {-0.4f, 0.4f}, kUInt8NarrowLimits);
    const int32_t conv = Node(OpType::kConv2D, "c", Conv2DAttributes{.padding = Padding::kSame},
                              {g_.inputs[0], filter}, {-4, 4});
    const int32_t sum = Node(OpType::kAdd, "s", BinaryAttributes{Activation::kRelu},
                             {conv, Constant("shift", {4}, 2)}, {0, 5});
    const int32_t most =
        Node(OpType::kMaximum, "m", {}, {g_.AddConstant("least", {}, std::vector<float>{0.25f}), sum}, {});
    const int32_t in_groups = Constant("grouped", {4, 3, 3, 2}, 0.4f);
    if (scheme == Scheme::kUInt8) testing::SetRange(g_, in_groups, {-0.4f, 0.4f}, kUInt8NarrowLimits);
    const int32_t grouped =
        Node(OpType::kConv2D, "g", Conv2DAttributes{.padding = Padding::kSame}, {most, in_groups}, {-4, 4});
    const int32_t sloped = Node(OpType::kPRelu, "q", PReluAttributes(),
                                {grouped, Constant("slopes", {1, 1, 1, 4}, 0.3f)}, {-2, 4});
    const int32_t by_one =
        Node(OpType::kPRelu, "q1", PReluAttributes(), {sloped, Constant("slope", {1}, 0.3f)}, {-2, 4});
    const int32_t map = Constant("positions", {1, kSide, kSide, 3}, 1.5f);
    const int32_t both = Node(OpType::kConcatenation, "j", ConcatenationAttributes{3}, {by_one, map}, {});
    const int32_t axes = g_.AddConstant("axes", {1}, std::vector<int32_t>{1});
    const int32_t mean = Node(OpType::kMean, "p", MeanAttributes(), {both, axes}, {-1, 4});
    // As Keras' Conv1D: an axis counted from the end of the output, and a shape that only the second input
    // knows.
    const int32_t third = g_.AddConstant("third", {}, std::vector<int32_t>{-3});
    const int32_t map_again = Node(OpType::kExpandDims, "e", ExpandDimsAttributes(), {mean, third}, {});
    const int32_t sizes = g_.AddConstant("sizes", {3}, std::vector<int32_t>{-1, kSide, 7});
    const int32_t series = Node(OpType::kReshape, "r", ReshapeAttributes(), {map_again, sizes}, {});
    const int32_t rows = Constant("dense", {5, 7}, 0.5f);
    if (scheme == Scheme::kUInt8) testing::SetRange(g_, rows, {-0.5f, 0.5f}, kUInt8NarrowLimits);
    g_.outputs = {Node(OpType::kFullyConnected, "out", FullyConnectedAttributes{.keep_num_dims = true},
                       {series, rows, Constant("b", {5}, 1)}, {-3, 3})};
  }

  const Graph& graph() const { return g_; }

 private:
  int32_t Constant(const std::string& name, const Shape& shape, float size) {
    return g_.AddConstant(name, shape, Drawn(FlatSize(shape), seed_++, size));
  }
  int32_t Node(OpType type, const std::string& name, OpAttributes attributes, std::vector<int32_t> inputs,
               Range range) {
    const auto output = g_.AddNode(type, name, std::move(attributes), std::move(inputs));
    QAT_CHECK(output.ok());
    if (range.max > range.min) testing::SetRange(g_, *output, range, limits_);
    return *output;
  }

  QuantizedLimits limits_;
  Graph g_;
  uint64_t seed_ = 3;
};

class Imported : public testing::TrainableGraph {
 protected:
  void SetUp() override { Make(Stranger(GetParam()).graph(), kBatch * kSide * kSide * 2); }
};

INSTANTIATE_TEST_SUITE_P(Schemes, Imported, ::testing::Values(Scheme::kUInt8, Scheme::kInt8),
                         [](const auto& scheme) { return std::string(NameOf(scheme.param)); });

TEST_P(Imported, SimulatesTheDeployedBytes) {
  const SimulatedTensor images =
      QuantizedImages(checkpoint_.contract.input(), PrecisionsOf(GetParam()).activations, bytes_);
  const auto interpreter = testing::Deploy(checkpoint_, GetParam());
  QAT_ASSERT_OK(interpreter);
  const std::vector<double> deployed = testing::RunImages(GetParam(), **interpreter, images);
  EXPECT_EQ(testing::ValuesInNhwc(network_->Simulate({images}).front().values), deployed);
  EXPECT_GT(std::set<double>(deployed.begin(), deployed.end()).size(), 5u) << "else nothing is compared";
}

TEST_P(Imported, ComputesInRealNumbersWhatTheFloatModelDoes) {
  std::vector<std::string> warnings;
  auto graph = Freeze(checkpoint_, {}, warnings);
  QAT_ASSERT_OK(graph);
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kFloat32);
  QAT_ASSERT_OK(ChooseQuantization(*graph, options, warnings));
  const auto bytes = WriteTflite(*graph, {});
  QAT_ASSERT_OK(bytes);
  const auto model = RunnableFromBytes(*bytes, "float.tflite");
  QAT_ASSERT_OK(model);
  const auto interpreter = Interpreter::Create(*model, {});
  QAT_ASSERT_OK(interpreter);
  const at::NoGradGuard no_gradients;
  const at::Tensor real =
      RealImages(checkpoint_.contract.input(), MakeRealTable(checkpoint_.contract.input()), bytes_);
  const std::vector<double> ours = testing::ValuesInNhwc(network_->Forward({real}, {}).front());
  const std::vector<double> inputs = testing::ValuesInNhwc(real);
  const auto size = static_cast<std::ptrdiff_t>(inputs.size()) / kBatch;
  for (std::ptrdiff_t n = 0; n < kBatch; ++n) {
    const std::vector<float> image(inputs.begin() + n * size, inputs.begin() + (n + 1) * size);
    const std::vector<float> theirs = testing::RunOn<float>(**interpreter, image);
    for (size_t i = 0; i < theirs.size(); ++i)
      EXPECT_NEAR(ours[static_cast<size_t>(n) * theirs.size() + i], theirs[i], 2e-5);
  }
}

TEST_P(Imported, EveryParameterLearns) {
  const at::Tensor real =
      RealImages(checkpoint_.contract.input(), MakeRealTable(checkpoint_.contract.input()), bytes_);
  network_->Forward({real}, {.training = true, .observe = true, .fake_quantize = true})
      .front()
      .sum()
      .backward();
  std::vector<std::string> names;
  for (const Parameter& parameter : network_->parameters()) {
    names.push_back(parameter.name);
    EXPECT_GT(parameter.value.grad().abs().sum().item<float>(), 0) << parameter.name;
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"model/conv/Conv2D;w", "grouped", "slopes", "slope", "dense", "b"}));
}

// Not by the module of the operator that follows in the list.
TEST(ImportedNetwork, OperatorsThatOnlyRunHaveNoModule) {
  size_t refused = 0;
  for (const OpDefinition* op : AllOps()) {
    if (IsTrainable(op->type)) continue;
    LayerNode layer;
    layer.name = "layer";
    layer.type = op->type;
    layer.attributes = op->default_attributes;
    QAT_EXPECT_ERROR(MakeModule(layer, {}), ErrorCode::kUnsupported,
                     StrCat("training of ", op->name, " is not built"));
    ++refused;
  }
  EXPECT_GT(refused, 5u);
}

TEST(ImportedNetwork, WhatHasNoTrainingFormIsOneList) {
  Graph graph = Stranger(Scheme::kUInt8).graph();
  const int32_t perm = graph.AddConstant("perm", {3}, std::vector<int32_t>{1, 0, 2});
  const int32_t turned =
      *graph.AddNode(OpType::kTranspose, "turn", TransposeAttributes(), {graph.outputs[0], perm});
  const int32_t filter = graph.AddConstant("f", {2, 5}, std::vector<float>(10, 1));
  const int32_t one =
      *graph.AddNode(OpType::kFullyConnected, "one", FullyConnectedAttributes(), {turned, filter});
  const int32_t tied = graph.AddConstant("t", {1, 2}, std::vector<float>{1, 2});  // a filter and an operand
  const int32_t two = *graph.AddNode(OpType::kFullyConnected, "two", FullyConnectedAttributes(), {one, tied});
  graph.outputs = {two, *graph.AddNode(OpType::kMul, "three", BinaryAttributes{}, {one, tied})};
  for (GraphTensor& tensor : graph.tensors) tensor.has_range = false;
  const auto checkpoint = MakeTrainable(graph);
  QAT_ASSERT_OK(checkpoint);
  const auto network = Network::Create(checkpoint->network, {});
  ASSERT_FALSE(network.ok());
  EXPECT_EQ(network.error().code, ErrorCode::kUnsupported);
  for (const char* each : {"layer 'turn': transpose to [6, 1, 5] mixes the examples of a batch",
                           "layer 'two': its filter is a constant"}) {
    EXPECT_NE(network.error().message.find(each), std::string::npos) << network.error().message;
  }
}

}  // namespace
}  // namespace qat
