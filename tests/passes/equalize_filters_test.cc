#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "ir/constants.h"
#include "passes/passes.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using qat::testing::Ramp;

// image [1, 4, 4, 2] -> depthwise "dw" -> conv "pw" 1x1, 3 -> max pool -> flatten -> fully connected "fc";
// channel 1 of dw is `gain` times as large as the others, and what reads it as much smaller.
Graph Skewed(float gain, Activation activation = Activation::kRelu) {
  Graph g;
  g.name = "skewed";
  g.scheme = "float32";
  g.contract = {4, 4, 2, {0.0f, 0.0f}, {255.0f, 255.0f}, {}};
  GraphTensor input;
  input.name = "input";
  input.shape = {1, 4, 4, 2};
  g.inputs = {g.AddTensor(input)};
  std::vector<float> filter = Ramp(36, -0.5f, 0.03f);
  std::vector<float> bias = {0.25f, -0.5f, 0.125f, 0.75f};
  std::vector<float> reads = Ramp(12, -0.4f, 0.07f);
  for (size_t i = 1; i < 36; i += 4) filter[i] *= gain;
  bias[1] *= gain;
  for (size_t i = 1; i < 12; i += 4) reads[i] /= gain;
  DepthwiseConv2DAttributes dw;
  dw.depth_multiplier = 2;
  dw.activation = activation;
  Conv2DAttributes pw;
  pw.activation = Activation::kRelu;
  const auto conv = [&](OpType type, const char* name, OpAttributes attributes, int32_t data, Shape shape,
                        std::vector<float> values, std::vector<float> biases) {
    const int32_t f = g.AddConstant(std::string(name) + "/filter", std::move(shape), values);
    const int32_t b =
        g.AddConstant(std::string(name) + "/bias", {static_cast<int32_t>(biases.size())}, biases);
    return *g.AddNode(type, name, std::move(attributes), {data, f, b});
  };
  const int32_t first = conv(OpType::kDepthwiseConv2D, "dw", dw, g.inputs[0], {1, 3, 3, 4}, filter, bias);
  const int32_t second = conv(OpType::kConv2D, "pw", pw, first, {3, 1, 1, 4}, reads, {0.1f, 0.2f, 0.3f});
  const int32_t pool = *g.AddNode(OpType::kMaxPool2D, "pool", Pool2DAttributes(), {second});
  const int32_t shape = g.AddConstant("flatten/shape", {2}, std::vector<int32_t>{-1, 12});
  const int32_t flat = *g.AddNode(OpType::kReshape, "flatten", ReshapeAttributes{{1, -1}}, {pool, shape});
  g.outputs = {conv(OpType::kFullyConnected, "fc", FullyConnectedAttributes(), flat, {2, 12},
                    Ramp(24, 0.3f, -0.02f), {0, 1})};
  return g;
}

std::vector<float> OutputsOf(const Graph& graph, size_t which = 0) {
  auto model = RunnableFromBytes(*WriteTflite(graph, {}), "graph");
  if (!model.ok()) ADD_FAILURE() << model.error().message;
  if (!model.ok()) return {};
  auto interpreter = Interpreter::Create(*std::move(model), {});
  QAT_CHECK(interpreter.ok());
  const std::span<uint8_t> input = (*interpreter)->input(0);
  const std::vector<float> values = Ramp(input.size() / sizeof(float), -0.7f, 0.05f);
  std::memcpy(input.data(), values.data(), input.size());
  (*interpreter)->Invoke();
  const std::span<const uint8_t> output = (*interpreter)->output(which);
  std::vector<float> result(output.size() / sizeof(float));
  std::memcpy(result.data(), output.data(), output.size());
  return result;
}

const GraphTensor& Named(const Graph& graph, const std::string& name) {
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.name == name) return tensor;
  }
  QAT_CHECK(false);
}

TEST(EqualizeFilters, FiltersReachEquallyFarAndTheFunctionStays) {
  Graph graph = Skewed(300);
  const std::vector<float> before = OutputsOf(graph);
  EXPECT_EQ(EqualizeFilters(graph), (std::vector<std::string>{"'dw' and 'pw'", "'pw' and 'fc'"}));
  QAT_ASSERT_OK(Verify(graph));
  const std::vector<float> after = OutputsOf(graph);
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_NEAR(after[i], before[i], 1e-5f * std::abs(before[i]) + 1e-5f) << i;
  const std::vector<float> writes = RealValues(Named(graph, "dw/filter"));
  const std::vector<float> reads = RealValues(Named(graph, "pw/filter"));
  for (size_t c = 0; c < 4; ++c) {
    float written = 0, read = 0;
    for (size_t i = c; i < writes.size(); i += 4) written = std::max(written, std::abs(writes[i]));
    for (size_t i = c; i < reads.size(); i += 4) read = std::max(read, std::abs(reads[i]));
    EXPECT_NEAR(written, read, 0.01f * written) << "channel " << c;
  }
}

TEST(EqualizeFilters, ARelu6ClipsWhatItClippedAndNothingElse) {
  const Graph graph = Skewed(300, Activation::kRelu6);
  const std::vector<float> before = OutputsOf(graph);
  // Channel 1, 300 times as large as the others, is clipped; channel 3 was seen at 2, and is not raised
  // beyond 6.
  const ChannelReach reach = {{"dw", {1.5f, 6, 0, 2}}};
  Graph equal = graph;
  EXPECT_EQ(EqualizeFilters(equal, nullptr, &reach),
            (std::vector<std::string>{"'dw' and 'pw'", "'pw' and 'fc'"}));
  const std::vector<float> was = RealValues(Named(graph, "dw/filter")),
                           is = RealValues(Named(equal, "dw/filter"));
  const auto factor = [&](size_t channel) { return is[channel] / was[channel]; };
  EXPECT_NE(factor(0), 1);
  EXPECT_LE(factor(0), 6 / 1.5f);
  EXPECT_EQ(factor(1), 1) << "6 was reached";
  EXPECT_EQ(factor(2), 1) << "0 was reached";
  EXPECT_LE(factor(3), 3 * 1.0001f);
  for (size_t c = 0; c < 4; ++c)
    EXPECT_EQ(RealValues(Named(equal, "dw/bias"))[c], RealValues(Named(graph, "dw/bias"))[c] * factor(c))
        << c;

  // By what the very input gives, the outputs stay.
  Graph shown = graph;
  shown.outputs.push_back(shown.nodes[0].output());
  const auto values = OutputsOf(shown, 1);
  ChannelReach seen = {{"dw", std::vector<float>(4)}};
  for (size_t i = 0; i < values.size(); ++i) seen["dw"][i % 4] = std::max(seen["dw"][i % 4], values[i]);
  EXPECT_EQ(seen["dw"][1], 6);
  Graph exact = graph;
  EqualizeFilters(exact, nullptr, &seen);
  EXPECT_NE(RealValues(Named(exact, "dw/filter")), was);
  const std::vector<float> after = OutputsOf(exact);
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_NEAR(after[i], before[i], 1e-5f * std::abs(before[i]) + 1e-5f) << i;
}

TEST(EqualizeNamed, ALayerWithARelu6NeedsItsReach) {
  Graph graph = Skewed(300, Activation::kRelu6);
  QAT_EXPECT_ERROR(
      EqualizeNamed({"dw"}, graph), ErrorCode::kInvalidArgument,
      "'dw' has a relu6, and only data say which of its channels reach 6; expected `calibrate` DATA too");
  const ChannelReach reach = {{"dw", {1.5f, 6, 0, 2}}};
  QAT_ASSERT_OK(EqualizeNamed({"dw"}, graph, &reach));
  EXPECT_NE(graph, Skewed(300, Activation::kRelu6));
}

TEST(EqualizeFilters, LeavesAloneWhatItWouldChange) {
  Graph clipped = Skewed(300, Activation::kRelu6);
  EXPECT_EQ(EqualizeFilters(clipped), (std::vector<std::string>{"'pw' and 'fc'"}))
      << "a relu6 clips at 6, and how far the channels reach is not known";
  Graph seen = Skewed(300);
  seen.outputs.push_back(seen.nodes[0].output());
  EXPECT_EQ(EqualizeFilters(seen), (std::vector<std::string>{"'pw' and 'fc'"}))
      << "an output has to stay as it is";
}

}  // namespace
}  // namespace qat
