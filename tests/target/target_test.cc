#include "target/target.h"

#include <gtest/gtest.h>

#include <set>

#include "base/strings.h"
#include "passes/passes.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using qat::testing::TinyGraph;

std::shared_ptr<const Model> ModelOf(Graph graph, std::string_view type) {
  if (type == "int8") {
    graph.scheme = "int8";
    for (GraphTensor& tensor : graph.tensors) {
      if (tensor.is_constant()) tensor.has_range = false;
    }
  }
  QuantizationOptions options;
  options.precisions = PrecisionsOf(*SchemeFromName(type));
  std::vector<std::string> warnings;
  QAT_CHECK(ChooseQuantization(graph, options, warnings).ok());
  return *Model::FromBytes(*WriteTflite(graph, {}), "m.tflite");
}

TEST(Target, NamesComeBack) {
  EXPECT_EQ(TargetNames(), (std::vector<std::string>{"tflite", "xnnpack", "tflite-micro", "ethos-u"}));
  for (const std::string& name : TargetNames()) EXPECT_EQ(NameOf(*TargetFromName(name)), name);
  EXPECT_FALSE(TargetFromName("esp32"));
}

TEST(CheckTarget, AConvolutionalNetworkOfInt8RunsEverywhere) {
  const auto model = ModelOf(TinyGraph(), "int8");
  for (const std::string& name : TargetNames()) QAT_ASSERT_OK(ExpectTarget(*model, *TargetFromName(name)));
}

TEST(CheckTarget, NamesEveryOperatorAtOnceWithAWayOut) {
  const auto model = ModelOf(TinyGraph(), "uint8");
  QAT_ASSERT_OK(ExpectTarget(*model, Target::kEthosU));
  const auto violations = CheckTarget(*model, Target::kTfliteMicro);
  ASSERT_EQ(violations.size(), 3u) << "convolution, pool and fully connected; a reshape moves any bytes";
  EXPECT_EQ(violations[0].layer, "conv");
  EXPECT_EQ(violations[0].operation, "CONV_2D");
  EXPECT_EQ(
      violations[0].what,
      "takes float32 with float32, int8 with int8, int8 with int4, int16 with int8, not uint8 with uint8");
  std::set<size_t> places;
  for (const TargetViolation& each : violations) {
    EXPECT_FALSE(each.way_out.empty());
    places.insert(each.place);
  }
  EXPECT_EQ(places, (std::set<size_t>{0, 1, 3}));
  QAT_EXPECT_ERROR(ExpectTarget(*model, Target::kTfliteMicro), ErrorCode::kUnsupported,
                   "3 operators do not run on tflite-micro: operator 0 CONV_2D ('conv') takes ");
}

TEST(CheckTarget, SendsNobodyToTheTypeThatTheModelHas) {
  Graph graph = TinyGraph();
  graph.outputs = {*graph.AddNode(OpType::kReluN1To1, "last", {}, {graph.outputs[0]})};
  testing::SetRange(graph, graph.outputs[0], {-1, 1}, kInt8Limits);
  const auto violations = CheckTarget(*ModelOf(graph, "int8"), Target::kTfliteMicro);
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_EQ(violations[0].layer, "last");
  EXPECT_EQ(violations[0].way_out, "use another operator");
}

TEST(CheckTarget, ShapesCountToo) {
  Graph graph = TinyGraph();
  for (GraphNode& node : graph.nodes) {
    if (node.type != OpType::kMaxPool2D) continue;
    auto& pool = std::get<Pool2DAttributes>(node.attributes);
    pool.filter_h = pool.filter_w = 1;  // of 4x4 with strides 2x2: the output is as large as before
  }
  const auto model = ModelOf(graph, "int8");
  const auto violations = CheckTarget(*model, Target::kXnnpack);
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_EQ(violations[0].what, "takes strides of at most the window, not strides of 2x2 of 1x1");
  QAT_ASSERT_OK(ExpectTarget(*model, Target::kTfliteMicro));
}

// A network of sensors: real numbers come in, are normalized by the model, and go out again. Of layers that
// are kept in float, integers at the border are no way out.
TEST(CheckTarget, RealNumbersAroundIntegersAreLeftOutByTheTypesOfInputAndOutput) {
  for (const DType bytes : {DType::kInt8, DType::kUInt8}) {
    Graph graph = TinyGraph();
    InputContract& input = graph.contract.input();
    input.values = ValueType::kReal;
    input.shape = {16};
    input.mean = {3};
    input.std = {2};
    input.low = -1;
    input.high = 1;
    if (bytes == DType::kInt8) {
      graph.scheme = "int8";
      for (GraphTensor& tensor : graph.tensors) {
        if (tensor.is_constant()) tensor.has_range = false;
      }
    }
    Graph with_layer = graph;
    KeepFloat(with_layer, bytes, {"conv"});
    const auto convert = [&](Graph network, DType border) {
      QuantizationOptions options;
      options.precisions = PrecisionsOf(bytes == DType::kInt8 ? Scheme::kInt8 : Scheme::kUInt8);
      std::vector<std::string> warnings;
      QAT_CHECK(ChooseQuantization(network, options, warnings).ok());
      QAT_CHECK(SetInputType(border, 0, network).ok() && SetOutputType(border, 0, network).ok());
      return *Model::FromBytes(*WriteTflite(network, {}), "m.tflite");
    };
    const auto violations = CheckTarget(*convert(graph, DType::kFloat32), Target::kEthosU);
    ASSERT_EQ(violations.size(), 5u) << "RESHAPE, SUB, MUL, QUANTIZE; DEQUANTIZE";
    for (size_t i = 0; i < violations.size(); ++i) {
      EXPECT_EQ(violations[i].way_out,
                i < 4 ? StrCat("give the model an input of integers by `input_type` ", NameOf(bytes))
                      : StrCat("give the model an output of integers by `output_type` ", NameOf(bytes)))
          << violations[i].operation;
    }
    QAT_ASSERT_OK(ExpectTarget(*convert(graph, bytes), Target::kEthosU));
    const auto inside = CheckTarget(*convert(with_layer, bytes), Target::kEthosU);
    ASSERT_EQ(inside.size(), 3u) << "DEQUANTIZE, CONV_2D, QUANTIZE";
    for (const TargetViolation& each : inside) {
      EXPECT_TRUE(each.way_out.starts_with("let the layer compute integers, or use `target` tflite-micro"))
          << each.operation << each.way_out;
    }
  }
}

TEST(CheckTarget, AnNpuComputesNoRealNumbers) {
  const auto violations = CheckTarget(*ModelOf(TinyGraph(), "float32"), Target::kEthosU);
  EXPECT_EQ(violations.size(), 4u);
  for (const TargetViolation& each : violations)
    EXPECT_TRUE(each.way_out.starts_with("convert with `type` int8")) << each.way_out;
  QAT_ASSERT_OK(ExpectTarget(*ModelOf(TinyGraph(), "float32"), Target::kXnnpack));
}

}  // namespace
}  // namespace qat
