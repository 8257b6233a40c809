#include "plan/twins.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "passes/passes.h"
#include "quant/fixed_point.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using qat::testing::Ramp;
using qat::testing::SetRange;
using qat::testing::TinyGraph;

constexpr QuantizedLimits kLimits = {-128, 127};

/// The tiny network with filters whose scales have no short product with those of the activations.
Graph Network() {
  Graph graph = TinyGraph();
  graph.scheme = "int8-per-tensor";
  for (GraphTensor& tensor : graph.tensors) {
    if (tensor.name == "conv/filter") tensor.range = {-0.53f, 0.5871f};
    if (tensor.name == "conv") tensor.range = {0, 2.5177f};
  }
  return graph;
}

QuantizationOptions PerTensor() {
  QuantizationOptions options;
  options.precisions = *IntegersFromName("int8-per-tensor");
  return options;
}

const TensorPlan& PlanOf(const QuantizationPlan& plan, const Graph& graph, std::string_view name) {
  const auto found = std::find_if(plan.tensors.begin(), plan.tensors.end(), [&](const TensorPlan& each) {
    return graph.tensor(each.tensor).name == name;
  });
  QAT_CHECK(found != plan.tensors.end());
  return *found;
}

float ScaleOf(const QuantizationPlan& plan, const Graph& graph, std::string_view name) {
  return PlanOf(plan, graph, name).params.at(0).scale;
}

QuantizationPlan Matched(const Graph& graph, std::vector<std::string>& warnings) {
  auto plan = PlanQuantization(graph, PerTensor(), warnings);
  QAT_CHECK(plan.ok());
  QAT_CHECK(MatchTwinScales(graph, *plan, warnings).ok());
  return *std::move(plan);
}

/// Of a layer, as TFLite computes it of uint8 and of int8.
std::pair<FixedPointMultiplier, FixedPointMultiplier> Multipliers(float input, float filter, float output) {
  const float product = input * filter;
  return {QuantizeMultiplier(double{product} / double{output}),
          QuantizeMultiplier(double{input} * double{filter} / double{output})};
}

TEST(MatchTwinScales, BothTypesRequantizeWithTheSameMultiplier) {
  const Graph graph = Network();
  std::vector<std::string> warnings;
  const auto before = PlanQuantization(graph, PerTensor(), warnings);
  QAT_ASSERT_OK(before);
  const float own = ScaleOf(*before, graph, "conv/filter");
  const auto [uint8, int8] =
      Multipliers(ScaleOf(*before, graph, "input"), own, ScaleOf(*before, graph, "conv"));
  ASSERT_NE(uint8, int8) << "these scales are of no use here: they are equal as they are";

  const QuantizationPlan plan = Matched(graph, warnings);
  EXPECT_TRUE(warnings.empty());
  const float moved = ScaleOf(plan, graph, "conv/filter");
  const auto [as_uint8, as_int8] =
      Multipliers(ScaleOf(plan, graph, "input"), moved, ScaleOf(plan, graph, "conv"));
  EXPECT_EQ(as_uint8, as_int8);
  EXPECT_GT(moved, own) << "never smaller: values at the end of the range would be clipped";
  EXPECT_LT(moved, own * 1.0001f);
  EXPECT_EQ(ScaleOf(plan, graph, "conv/bias"), ScaleOf(plan, graph, "input") * moved);
  EXPECT_EQ(ScaleOf(plan, graph, "fc/filter"), ScaleOf(*before, graph, "fc/filter"))
      << "both types multiply in float32";
}

/// One filter for a row of convolutions, each with a range of its own.
Graph Recurrent(int layers) {
  Graph graph = Network();
  const int32_t filter = graph.AddConstant("shared", {1, 3, 3, 1}, Ramp(9, -0.31f, 0.0877f));
  int32_t image = graph.inputs[0];
  for (int i = 0; i < layers; ++i) {
    const std::string name = StrCat("step", i);
    const int32_t bias = graph.AddConstant(name + "/bias", {1}, std::vector<float>{0.1f});
    image = *graph.AddNode(OpType::kConv2D, name, Conv2DAttributes(), {image, filter, bias});
    SetRange(graph, image, {-1.1f - 0.377f * static_cast<float>(i), 2.3f}, kLimits);
  }
  graph.outputs = {image};
  return graph;
}

TEST(MatchTwinScales, AFilterOfManyLayersGetsAPowerOfTwo) {
  const Graph graph = Recurrent(6);
  std::vector<std::string> warnings;
  const QuantizationPlan plan = Matched(graph, warnings);
  int exponent = 0;
  EXPECT_EQ(std::frexp(ScaleOf(plan, graph, "shared"), &exponent), 0.5f);
  EXPECT_GE(ScaleOf(plan, graph, "shared"), 0.3916f / 127) << "its largest value still fits";
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_TRUE(warnings[0].starts_with("filter 'shared' serves 6 layers, and only a power of 2"))
      << warnings[0];
}

TEST(MatchTwinScales, RefusesFiltersThatUInt8HasNot) {
  const Graph graph = Network();
  std::vector<std::string> warnings;
  QuantizationOptions options = PerTensor();
  options.filters["conv/filter"].granularity = Granularity::kAxis;
  auto plan = PlanQuantization(graph, options, warnings);
  QAT_ASSERT_OK(plan);
  QAT_EXPECT_ERROR(MatchTwinScales(graph, *plan, warnings), ErrorCode::kInvalidArgument,
                   "filter 'conv/filter' has a scale per channel");
  options.filters["conv/filter"] = {4, {}, {}};
  plan = PlanQuantization(graph, options, warnings);
  QAT_ASSERT_OK(plan);
  QAT_EXPECT_ERROR(MatchTwinScales(graph, *plan, warnings), ErrorCode::kInvalidArgument,
                   "filter 'conv/filter' has 4 bits, expected 8");
}

Bytes Answer(const Graph& graph, const Bytes& input) {
  const auto bytes = WriteTflite(graph, {});
  QAT_CHECK(bytes.ok());
  const auto model = RunnableFromBytes(*bytes, "twin");
  QAT_CHECK(model.ok());
  InterpreterOptions options;
  options.kernels = KernelSet::kReference;
  const auto interpreter = Interpreter::Create(*model, options);
  QAT_CHECK(interpreter.ok());
  std::copy(input.begin(), input.end(), (*interpreter)->input(0).begin());
  (*interpreter)->Invoke();
  const auto output = (*interpreter)->output(0);
  return {output.begin(), output.end()};
}

TEST(UInt8TwinOf, EveryByteIs128Higher) {
  for (Graph graph : {Network(), Recurrent(2), Recurrent(6)}) {
    std::vector<std::string> warnings;
    ApplyPlan(Matched(graph, warnings), graph, warnings);
    const Graph twin = UInt8TwinOf(graph);
    QAT_ASSERT_OK(Verify(twin));
    for (size_t i = 0; i < graph.tensors.size(); ++i) {
      EXPECT_NE(twin.tensors[i].type, DType::kInt8);
      if (graph.tensors[i].type != DType::kInt8) {
        EXPECT_EQ(twin.tensors[i], graph.tensors[i]);
      }
    }
    Bytes input(16), shifted(16);
    uint32_t state = 1;
    for (int run = 0; run < 500; ++run) {
      for (size_t i = 0; i < input.size(); ++i) {
        state = state * 1664525u + 1013904223u;
        input[i] = static_cast<uint8_t>(state >> 24);
        shifted[i] = static_cast<uint8_t>(input[i] + 128);
      }
      Bytes of_int8 = Answer(graph, input);
      for (uint8_t& byte : of_int8) byte = static_cast<uint8_t>(byte + 128);
      ASSERT_EQ(Answer(twin, shifted), of_int8) << run;
    }
  }
}

Graph Pooled(Pool2DAttributes pool) {
  Graph graph = TinyGraph();
  graph.outputs = {*graph.AddNode(OpType::kAveragePool2D, "mean", pool, {graph.nodes[0].output()})};
  return graph;
}

TEST(ExpectTwins, MeansOfAnOddNumberOfPixelsAreEqual) {
  QAT_ASSERT_OK(ExpectTwins(TinyGraph()));
  QAT_ASSERT_OK(ExpectTwins(Pooled({3, 3, 1, 1})));
  QAT_ASSERT_OK(ExpectTwins(Pooled({1, 3, 2, 1})));
  QAT_EXPECT_ERROR(ExpectTwins(Pooled({2, 3, 1, 1})), ErrorCode::kUnsupported,
                   "'mean' (average_pool_2d: means of an even number");
  QAT_EXPECT_ERROR(ExpectTwins(Pooled({3, 3, 1, 1, Padding::kSame})), ErrorCode::kUnsupported,
                   "'mean' (average_pool_2d: ");
  QAT_ASSERT_OK(ExpectTwins(Pooled({3, 3, 4, 4, Padding::kSame})));  // one window, wholly inside
}

TEST(ExpectTwins, NamesEveryNodeByReason) {
  Graph graph = TinyGraph();
  const int32_t image = graph.nodes[0].output();
  const int32_t size = graph.AddConstant("size", {2}, std::vector<int32_t>{8, 8});
  const auto resize = DefinitionOf(OpType::kResizeBilinear).default_attributes;
  const int32_t up = *graph.AddNode(OpType::kResizeBilinear, "up", resize, {image, size});
  const int32_t twice = *graph.AddNode(OpType::kResizeBilinear, "twice", resize, {image, size});
  const int32_t size_of = *graph.AddNode(OpType::kAbs, "size_of", OpAttributes(), {graph.nodes[3].output()});
  graph.outputs = {up, twice, size_of};
  QAT_EXPECT_ERROR(ExpectTwins(graph), ErrorCode::kUnsupported,
                   "no uint8 and int8 model are 128 apart in every byte with 'size_of' (abs: has no kernel "
                   "for uint8), 'up', 'twice' "
                   "(resize_bilinear: uint8 is computed in float32, int8 with weights of 10 bits); let "
                   "`keep_float` compute them on real "
                   "numbers");
  KeepFloat(graph, DType::kInt8, {"up", "twice", "size_of"});
  QAT_ASSERT_OK(ExpectTwins(graph));
}

}  // namespace
}  // namespace qat
