#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "ir/constants.h"
#include "passes/passes.h"
#include "support/run_model.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using qat::testing::TinyGraph;

const GraphTensor& Find(const Graph& g, const std::string& name) {
  for (const GraphTensor& t : g.tensors) {
    if (t.name == name) return t;
  }
  static const GraphTensor kNone;
  ADD_FAILURE() << "no tensor " << name;
  return kNone;
}

template <class T>
std::vector<T> Values(const GraphTensor& t) {
  std::vector<T> values(t.data.size() / sizeof(T));
  std::memcpy(values.data(), t.data.data(), t.data.size());
  return values;
}

Graph Quantized(Graph g) {
  std::vector<std::string> warnings;
  EXPECT_TRUE(ChooseQuantization(g, {}, warnings).ok());
  EXPECT_TRUE(warnings.empty()) << warnings[0];
  EXPECT_TRUE(Verify(g).ok());
  return g;
}

TEST(ChooseQuantization, ActivationsTakeTheNudgedTrainedRange) {
  const Graph g = Quantized(TinyGraph());
  // [-3, 5]: scale 8 / 255, zero point round(3 * 255 / 8) = round(95.625).
  EXPECT_EQ(Find(g, "fc").type, DType::kUInt8);
  EXPECT_FLOAT_EQ(Find(g, "fc").quantization->scale[0], 8.0f / 255);
  EXPECT_EQ(Find(g, "fc").quantization->zero_point[0], 96);
  EXPECT_FLOAT_EQ(Find(g, "conv").quantization->scale[0], 2.5f / 255);
  EXPECT_EQ(Find(g, "conv").quantization->zero_point[0], 0);
}

TEST(ChooseQuantization, PoolAndReshapeShareTheParametersOfTheirInput) {
  const Graph g = Quantized(TinyGraph());
  EXPECT_EQ(Find(g, "pool").quantization, Find(g, "conv").quantization);
  EXPECT_EQ(Find(g, "flatten").quantization, Find(g, "conv").quantization);
}

TEST(ChooseQuantization, FiltersAreNarrowAndNearestToTheirRealValues) {
  const Graph before = TinyGraph();
  const Graph g = Quantized(before);
  const GraphTensor& filter = Find(g, "conv/filter");
  // [-0.5, 0.5625] over [1, 255]: scale 1.0625 / 254, zero point round(1 + 0.5 * 254 / 1.0625) =
  // round(120.53).
  ASSERT_EQ(filter.quantization->zero_point[0], 121);
  EXPECT_FLOAT_EQ(filter.quantization->scale[0], 1.0625f / 254);
  const std::vector<float> reals = Values<float>(Find(before, "conv/filter"));
  const std::vector<uint8_t> quantized = Values<uint8_t>(filter);
  ASSERT_EQ(quantized.size(), 18u);
  for (size_t i = 0; i < quantized.size(); ++i) {
    const double exact = static_cast<double>(reals[i]) * 254 / 1.0625 + 121;
    EXPECT_EQ(quantized[i], std::lround(std::clamp(exact, 1.0, 255.0))) << i;
    EXPECT_GE(quantized[i], 1);
  }
}

TEST(ChooseQuantization, BiasIsInUnitsOfInputTimesFilterScale) {
  const Graph g = Quantized(TinyGraph());
  const GraphTensor& bias = Find(g, "conv/bias");
  EXPECT_EQ(bias.type, DType::kInt32);
  // The product of the stored floats, rounded to float: what TFLite checks to 1e-6.
  EXPECT_EQ(bias.quantization->scale[0], (1.0f / 255) * Find(g, "conv/filter").quantization->scale[0]);
  EXPECT_EQ(bias.quantization->zero_point[0], 0);
  // 0.25 * 255 * 254 / 1.0625 and -0.125 of the same.
  EXPECT_EQ(Values<int32_t>(bias), (std::vector<int32_t>{15240, -7620}));
}

TEST(ChooseQuantization, SoftmaxIsFixedAndArgMaxHasNone) {
  Graph g = TinyGraph();
  QAT_ASSERT_OK(AppendSoftmax(g));
  QAT_ASSERT_OK(AppendArgMax(g, DType::kInt64));
  g = Quantized(g);
  EXPECT_EQ(Find(g, "fc/softmax").quantization->scale[0], 0.00390625f);
  EXPECT_EQ(Find(g, "fc/softmax").quantization->zero_point[0], 0);
  EXPECT_EQ(Find(g, "fc/softmax/argmax").type, DType::kInt64);
  EXPECT_FALSE(Find(g, "fc/softmax/argmax").quantization.has_value());
}

TEST(ChooseQuantization, ListsEveryActivationWithoutARangeAndTheWayOut) {
  Graph g = TinyGraph(/*with_ranges=*/false);
  const Graph before = g;
  std::vector<std::string> warnings;
  const Status status = ChooseQuantization(g, {}, warnings);
  QAT_EXPECT_ERROR(Status(status), ErrorCode::kUnsupported, "missing: conv, fc;");
  QAT_EXPECT_ERROR(Status(status), ErrorCode::kUnsupported, "the scheme uint8");
  QAT_EXPECT_ERROR(Status(status), ErrorCode::kUnsupported, "`default_range`");
  EXPECT_EQ(g, before);
}

TEST(ChooseQuantization, DefaultRangeFillsInAndWarns) {
  Graph g = TinyGraph(/*with_ranges=*/false);
  QuantizationOptions options;
  options.default_range = Range{0, 255};
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(ChooseQuantization(g, options, warnings));
  QAT_ASSERT_OK(Verify(g));
  EXPECT_EQ(Find(g, "conv").quantization->params(), (QuantizationParams{1, 0}));
  // The filter has the range of its own values, as the classic converter gives a constant.
  EXPECT_FLOAT_EQ(Find(g, "conv/filter").quantization->scale[0], 1.0625f / 254);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("default range [0, 255] used for: conv, fc"), std::string::npos) << warnings[0];
}

TEST(ChooseQuantization, DefaultRangeLeavesTrainedRangesAlone) {
  Graph g = TinyGraph();
  QuantizationOptions options;
  options.default_range = Range{0, 255};
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(ChooseQuantization(g, options, warnings));
  EXPECT_EQ(g, Quantized(TinyGraph()));
  EXPECT_TRUE(warnings.empty());
}

TEST(ChooseQuantization, Float32ChangesNothing) {
  Graph g = TinyGraph();
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kFloat32);
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(ChooseQuantization(g, options, warnings));
  EXPECT_EQ(g, TinyGraph());
}

TEST(ChooseQuantization, RefusesASecondRun) {
  Graph g = TinyGraph();
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(ChooseQuantization(g, {}, warnings));
  QAT_EXPECT_ERROR(ChooseQuantization(g, {}, warnings), ErrorCode::kInvalidArgument, "is quantized already");
}

// TFLite's specification: activations asymmetric in [-128, 127], filters symmetric a channel in [-127, 127],
// biases in units of input_scale * filter_scale[channel].
TEST(ChooseQuantization, Int8FiltersHaveAScaleForEachOutputChannel) {
  Graph g = TinyGraph();
  const Graph real = g;
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kInt8);
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(ChooseQuantization(g, options, warnings));
  QAT_ASSERT_OK(Verify(g));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("the network is one of uint8 and is converted to int8"), std::string::npos)
      << warnings[0];
  const GraphTensor& filter = Find(g, "conv/filter");
  ASSERT_EQ(filter.type, DType::kInt8);
  const auto channels = static_cast<size_t>(filter.shape[0]);
  ASSERT_EQ(filter.quantization->scale.size(), channels);
  std::vector<float> values(filter.data.size());
  std::memcpy(values.data(), Find(real, "conv/filter").data.data(), values.size() * sizeof(float));
  const size_t inner = values.size() / channels;
  for (size_t c = 0; c < channels; ++c) {
    float largest = 0;
    for (size_t i = 0; i < inner; ++i) largest = std::max(largest, std::abs(values[c * inner + i]));
    EXPECT_FLOAT_EQ(filter.quantization->scale[c], largest / 127);
    EXPECT_EQ(filter.quantization->zero_point[c], 0);
    for (size_t i = 0; i < inner; ++i) {
      const auto quantized = static_cast<int8_t>(filter.data[c * inner + i]);
      EXPECT_NEAR(quantized * filter.quantization->scale[c], values[c * inner + i], largest / 127 * 0.501);
    }
    EXPECT_EQ(Find(g, "conv/bias").quantization->scale[c],
              Find(g, "input").quantization->scale[0] * filter.quantization->scale[c]);
  }
  EXPECT_EQ(Find(g, "input").quantization->zero_point[0], -128);
  EXPECT_EQ(Find(g, "conv").quantization->zero_point[0],
            Find(Quantized(TinyGraph()), "conv").quantization->zero_point[0] - 128);
}

TEST(ChooseQuantization, WarnsOfAnAccumulatorThatCanOverflow) {
  Graph g = TinyGraph();
  // 1e9 * (1 / 255) * scale is far above 2^31 steps.
  for (GraphTensor& t : g.tensors) {
    if (t.name != "conv/bias") continue;
    const float huge = 1e9f;
    std::memcpy(t.data.data(), &huge, sizeof(huge));
  }
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(ChooseQuantization(g, {}, warnings));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("channel 0 of 'conv/bias' may overflow"), std::string::npos) << warnings[0];
}

TEST(InputContradiction, CountsWhatTheArticlesStatsLeaveOfTheData) {
  const InputContract c{28, 28, 1, {0.0f}, {255.0f}};
  // (mean 0, std 1): a step is 1.0, so reals of [0, 1] become 0 or 1.
  const std::string text = DescribeInputContradiction(c, InputStatsParams(0, 1));
  for (const char* piece :
       {"scale 1, zero point 0", "scale 0.003921569, zero point 0", "real = (byte - 0) / 255",
        "only 2 remain distinct", "0 are cut off", "real 1 becomes 1 of 255"}) {
    EXPECT_NE(text.find(piece), std::string::npos) << piece << " in: " << text;
  }
}

TEST(InputContradiction, CountsWhatIsCutOff) {
  const InputContract c{28, 28, 1, {0.0f}, {255.0f}};
  // Up to real 0.5 only: bytes 128 to 255 saturate.
  const std::string text = DescribeInputContradiction(c, {0.5f / 255, 0});
  EXPECT_NE(text.find("128 are cut off"), std::string::npos) << text;
}

TEST(InputContradiction, IsSilentWhereTheStatsSayTheSame) {
  const InputContract c{28, 28, 1, {0.0f}, {255.0f}};
  EXPECT_EQ(DescribeInputContradiction(c, InputStatsParams(0, 255)), "");
}

TEST(InputContradiction, ReachesTheWarnings) {
  Graph g = TinyGraph();
  QuantizationOptions options;
  options.input = InputStatsParams(0, 1);
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(ChooseQuantization(g, options, warnings));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("contradict the input contract"), std::string::npos);
  EXPECT_EQ(g.tensor(g.inputs[0]).quantization->params(), (QuantizationParams{1, 0}));
  EXPECT_EQ(g.contract, TinyGraph().contract);
}

void SetReals(Graph& g, const std::string& name, float value) {
  for (GraphTensor& tensor : g.tensors) {
    if (tensor.name != name) continue;
    for (size_t at = 0; at < tensor.data.size(); at += sizeof(value)) {
      const float real = at == 0 ? -value : value;
      std::memcpy(&tensor.data[at], &real, sizeof(real));
    }
    tensor.has_range = false;
  }
}

Status Choose(Graph g, Scheme scheme = Scheme::kUInt8, std::optional<QuantizationParams> input = {},
              std::optional<Range> default_range = {}) {
  QuantizationOptions options;
  options.precisions = PrecisionsOf(scheme);
  options.input = input;
  options.default_range = default_range;
  std::vector<std::string> warnings;
  return ChooseQuantization(g, options, warnings);
}

// Finite weights whose range, or whose scale times the input's, float32 does not hold.
TEST(ChooseQuantization, NumbersBeyondFloat32AreANumericalError) {
  for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8}) {
    Graph g = TinyGraph();
    SetReals(g, "conv/filter", 3e38f);
    QAT_ASSERT_OK(Verify(g));
    QAT_EXPECT_ERROR(Choose(g, scheme), ErrorCode::kNumerical,
                     "node 'conv': 'conv/filter' needs the range [-3e+38, 3e+38], which is wider");
    g = TinyGraph();
    g.contract.input().std = {1e-15f};
    SetReals(g, "conv/filter", 1e36f);
    QAT_EXPECT_ERROR(Choose(g, scheme), ErrorCode::kNumerical, "bias 'conv/bias' would have the scale");
  }
  QAT_EXPECT_ERROR(Choose(TinyGraph(false), Scheme::kUInt8, {}, Range{-3e38f, 3e38f}),
                   ErrorCode::kInvalidArgument,
                   "default range [-3e+38, 3e+38] is wider than float32 can tell");
  QAT_EXPECT_ERROR(Choose(TinyGraph(), Scheme::kUInt8, QuantizationParams{0, 0}), ErrorCode::kNumerical,
                   "the input would have the scale 0");
}

// A graph that was changed by hand: training shares no constants.
// maximum(x, c): kernels compare integers, so both must lie on one grid. A sum's constant has a grid of its
// own.
TEST(ChooseQuantization, AConstantTakesTheGridThatItsNodeTiesItTo) {
  Graph g = TinyGraph();
  const int32_t shift = g.AddConstant("shift", {3}, std::vector<float>{0, 0.2f, 1});
  const int32_t sum = *g.AddNode(OpType::kAdd, "sum", BinaryAttributes(), {g.outputs[0], shift});
  testing::SetRange(g, sum, {-8, 7.9375f}, kUInt8Limits);  // steps of 1 / 16, 0 is 128
  const int32_t least = g.AddConstant("least", {3}, std::vector<float>{-1, 0, 0.25f});
  g.outputs = {*g.AddNode(OpType::kMaximum, "most", {}, {least, sum})};
  const Graph q = Quantized(g);
  EXPECT_EQ(Find(q, "least").quantization, Find(q, "sum").quantization);
  EXPECT_EQ(Values<uint8_t>(Find(q, "least")), (std::vector<uint8_t>{112, 128, 132}));
  EXPECT_EQ(Find(q, "most").quantization, Find(q, "sum").quantization);
  EXPECT_EQ(Values<uint8_t>(Find(q, "shift")), (std::vector<uint8_t>{0, 51, 255}));
}

TEST(ChooseQuantization, AConstantHasOneRoleOnly) {
  Graph g = TinyGraph();
  const int32_t filter = g.nodes[0].inputs[1];
  const int32_t sum =
      *g.AddNode(OpType::kMaximum, "sum", {},
                 {g.AddConstant("fc/more", {1, 3}, std::vector<float>(3, 1.0f)), g.outputs[0]});
  g.outputs = {sum};
  QAT_ASSERT_OK(Choose(g));
  g.nodes[3].inputs[2] = g.AddConstant("fc/twice", {3}, std::vector<float>(3, 1.0f));
  g.nodes[4].inputs[0] = g.nodes[3].inputs[2];
  QAT_EXPECT_ERROR(Choose(g), ErrorCode::kUnsupported, "'fc/twice' is a filter, a bias or an operand here");
  g = TinyGraph();
  const int32_t square = g.AddConstant("fc/square", {3, 3}, std::vector<float>(9, 1.0f));
  g.outputs = {*g.AddNode(OpType::kFullyConnected, "own", FullyConnectedAttributes(), {square, square})};
  testing::SetRange(g, g.outputs[0], {-1, 5}, kUInt8Limits);
  QAT_ASSERT_OK(Verify(g));
  QAT_EXPECT_ERROR(Choose(g), ErrorCode::kUnsupported,
                   "'fc/square' is the data and a filter or bias of one node");
  g = TinyGraph();
  g.outputs = {*g.AddNode(OpType::kMaximum, "max", {}, {filter, filter})};
  QAT_EXPECT_ERROR(Choose(g), ErrorCode::kUnsupported,
                   "'conv/filter' is a filter, a bias or an operand here");
}

// What a dead layer leaves to the next one is its bias, which has to have steps in every scheme.
TEST(ChooseQuantization, TheBiasBehindADeadLayerStays) {
  for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8}) {
    Graph graph = TinyGraph(scheme == Scheme::kUInt8);
    for (GraphTensor& tensor : graph.tensors) {
      if (tensor.name == "conv/filter") SetValues(tensor, DType::kFloat32, std::vector<float>(18, 0));
      if (tensor.name == "conv/bias") SetValues(tensor, DType::kFloat32, std::vector<float>(2, -1));
      if (tensor.name == "fc/bias") SetValues(tensor, DType::kFloat32, std::vector<float>{0, 4, -2});
      if (tensor.name == "conv/filter" && tensor.has_range) tensor.range = {0, 0};
    }
    graph.scheme = NameOf(scheme);
    testing::SetRange(graph, graph.nodes[0].output(), {0, 0}, kUInt8Limits);
    testing::SetRange(graph, graph.outputs[0], {-3, 5}, kUInt8Limits);
    std::vector<std::string> warnings;
    QuantizationOptions options;
    options.precisions = PrecisionsOf(scheme);
    QAT_ASSERT_OK(ChooseQuantization(graph, options, warnings));
    const auto interpreter = testing::Open(*WriteTflite(graph, {}));
    ASSERT_NE(interpreter, nullptr);
    const std::vector<uint8_t> out = testing::RunOn(*interpreter, std::vector<uint8_t>(16, 77));
    const QuantizationParams params = graph.tensor(graph.outputs[0]).quantization->params();
    const std::vector<float> expected = {0, 4, -2};
    for (size_t i = 0; i < 3; ++i) {
      const int32_t integer =
          scheme == Scheme::kUInt8 ? int32_t{out[i]} : int32_t{static_cast<int8_t>(out[i])};
      EXPECT_NEAR(Dequantize(integer, params), expected[i], 0.51f * params.scale) << NameOf(scheme) << i;
    }
  }
}

}  // namespace
}  // namespace qat
