// The types that a model gives: outputs of the same network in every type stand for the same numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "passes/passes.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using qat::testing::TinyGraph;

Graph Quantized(std::string_view type, Graph graph = TinyGraph()) {
  QuantizationOptions options;
  options.precisions = *IntegersFromName(type);
  std::vector<std::string> warnings;
  EXPECT_TRUE(ChooseQuantization(graph, options, warnings).ok());
  return graph;
}

Graph Giving(DType type, Graph graph) {
  const Status status = SetOutputType(type, 0, graph);
  EXPECT_TRUE(status.ok()) << status.error().message;
  EXPECT_TRUE(Verify(graph).ok()) << Verify(graph).error().message;
  return graph;
}

/// What the outputs stand for, with inputs of half the largest value.
std::vector<float> Reals(const Graph& graph) {
  const auto model = RunnableFromBytes(*WriteTflite(graph, {}), "m.tflite");
  EXPECT_TRUE(model.ok());
  const auto interpreter = Interpreter::Create(*model, {});
  EXPECT_TRUE(interpreter.ok());
  const std::span<uint8_t> input = (*interpreter)->input(0);
  for (size_t i = 0; i < input.size(); ++i) input[i] = static_cast<uint8_t>(i % 2 == 0 ? 0x21 : 0x40);
  (*interpreter)->Invoke();
  const auto bytes = (*interpreter)->output(0);
  const GraphTensor& output = graph.tensor(graph.outputs[0]);
  std::vector<float> reals;
  for (size_t at = 0; at < bytes.size(); at += SizeOf(output.type)) {
    float value = 0;
    int16_t wide = 0;
    if (output.type == DType::kFloat32) std::memcpy(&value, &bytes[at], sizeof(value));
    if (output.type == DType::kInt16) std::memcpy(&wide, &bytes[at], sizeof(wide));
    if (output.type == DType::kInt16) value = Dequantize(wide, output.quantization->params());
    if (output.type == DType::kUInt8) value = Dequantize(bytes[at], output.quantization->params());
    if (output.type == DType::kInt8)
      value = Dequantize(static_cast<int8_t>(bytes[at]), output.quantization->params());
    reals.push_back(value);
  }
  return reals;
}

TEST(SetOutputType, EveryTypeStandsForTheSameNumbers) {
  for (const std::string type : {"uint8", "int8", "int16x8"}) {
    const Graph graph = Quantized(type);
    const std::vector<float> own = Reals(graph);
    for (const DType wanted : {DType::kFloat32, DType::kUInt8, DType::kInt8, DType::kInt16}) {
      if (type == "int16x8" && wanted == DType::kUInt8) continue;
      const Graph changed = Giving(wanted, graph);
      EXPECT_EQ(changed.tensor(changed.outputs[0]).type, wanted);
      EXPECT_EQ(changed.tensor(changed.outputs[0]).name, "fc");
      const std::vector<float> reals = Reals(changed);
      const bool exact = wanted == DType::kFloat32 || (type != "int16x8" && wanted != DType::kInt16);
      const float step = exact ? 0 : wanted == DType::kInt16 ? 5.0f / 32767 : 8.0f / 255;
      // Eight bits have the range that was trained, which 16 go beyond.
      const bool clips = type == "int16x8" && wanted == DType::kInt8;
      for (size_t i = 0; i < own.size(); ++i)
        EXPECT_NEAR(reals[i], clips ? std::max(own[i], -3.0f) : own[i], step)
            << type << " as " << NameOf(wanted);
    }
  }
}

TEST(SetOutputType, GoesBackWithoutATrace) {
  const Graph graph = Quantized("int8");
  Graph changed = Giving(DType::kInt8, Giving(DType::kUInt8, Giving(DType::kFloat32, graph)));
  EXPECT_EQ(changed.nodes, graph.nodes);
  EXPECT_EQ(*WriteTflite(changed, {}), *WriteTflite(graph, {}));
}

TEST(SetOutputType, ALayerKeptInFloatGivesItsOwnResult) {
  Graph graph = TinyGraph();
  KeepFloat(graph, DType::kInt8, {"fc"});
  graph = Quantized("int8", graph);
  const Graph changed = Giving(DType::kFloat32, graph);
  const GraphNode& last = changed.nodes.back();
  EXPECT_EQ(last.name, "fc");
  EXPECT_EQ(last.type, OpType::kFullyConnected);
  EXPECT_EQ(changed.outputs[0], last.output());
  EXPECT_EQ(changed.tensor(changed.outputs[0]).name, "fc");
  const std::vector<float> rounded = Reals(graph), reals = Reals(changed);
  float apart = 0;
  for (size_t i = 0; i < reals.size(); ++i) {
    EXPECT_NEAR(rounded[i], std::clamp(reals[i], -3.0f, 5.0f), 8.0f / 255) << i;
    apart = std::max(apart, std::abs(rounded[i] - reals[i]));
  }
  EXPECT_GT(apart, 0.001f) << "it would be one of the integers' values";
  EXPECT_EQ(Giving(DType::kInt8, graph), graph) << "integers stay integers";
}

TEST(SetOutputType, TheIntegersOfALayerKeptInFloatStayForWhatReadsThem) {
  Graph graph = TinyGraph();
  KeepFloat(graph, DType::kInt8, {"fc"});
  graph = Quantized("int8", graph);
  graph.outputs.push_back(graph.outputs[0]);
  graph.contract.outputs.clear();
  QAT_ASSERT_OK(SetOutputType(DType::kFloat32, 0, graph));
  EXPECT_EQ(graph.tensor(graph.outputs[0]).type, DType::kFloat32);
  EXPECT_EQ(graph.tensor(graph.outputs[1]).type, DType::kInt8);
  EXPECT_EQ(graph.nodes.back().type, OpType::kQuantize);
  EXPECT_EQ(graph.nodes.back().output(), graph.outputs[1]);
}

TEST(SetOutputType, OfFixedRangesHasThatOfItsType) {
  Graph graph = TinyGraph();
  QAT_ASSERT_OK(AppendSoftmax(graph));
  const Graph changed = Giving(DType::kInt8, Quantized("int16x8", graph));
  EXPECT_EQ(changed.tensor(changed.outputs[0]).quantization->params(),
            (QuantizationParams{1.0f / 256, -128}));
}

TEST(SetOutputType, RefusesWhatTheOutputCannotBeAndLeavesTheGraph) {
  Graph real = TinyGraph();
  QAT_EXPECT_ERROR(SetOutputType(DType::kInt8, 0, real), ErrorCode::kUnsupported, "output 'fc' is float32");
  Graph graph = Quantized("int16x8");
  const Graph before = graph;
  QAT_EXPECT_ERROR(SetOutputType(DType::kUInt8, 0, graph), ErrorCode::kUnsupported,
                   "int8 and float32 can be");
  QAT_EXPECT_ERROR(SetOutputType(DType::kInt64, 0, graph), ErrorCode::kInvalidArgument, "cannot be int64");
  EXPECT_EQ(graph, before);
  Graph wide = TinyGraph();
  wide.tensor(wide.outputs[0]).range = {0, 3e38f};
  Graph bytes = Quantized("int8", wide);
  QAT_EXPECT_ERROR(SetOutputType(DType::kInt16, 0, bytes), ErrorCode::kNumerical,
                   "output 'fc' as int16 needs the range [-3e+38, 3e+38]");
  Graph indices = TinyGraph();
  QAT_ASSERT_OK(AppendArgMax(indices, DType::kInt32));
  Graph quantized = Quantized("int8", indices);
  QAT_EXPECT_ERROR(SetOutputType(DType::kFloat32, 0, quantized), ErrorCode::kUnsupported,
                   "indices and not real numbers");
}

}  // namespace
}  // namespace qat
