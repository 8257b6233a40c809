#include <algorithm>
#include <cmath>

#include "ir/graph.h"
#include "passes/passes.h"
#include "quant/scheme.h"
#include "runtime/interpreter.h"
#include "runtime/layer_outputs.h"
#include "runtime/runnable_model.h"
#include "support/bytes_of.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using testing::BytesOf;
using testing::TinyGraph;

// 4 x 4 x 1 as a series of 16 reals, of mean 3 and std 2.
Graph SeriesGraph() {
  Graph graph = TinyGraph();
  InputContract& input = graph.contract.input();
  input.values = ValueType::kReal;
  input.mean = {3};
  input.std = {2};
  input.shape = {16};
  input.low = -2;
  input.high = 2.5f;
  return graph;
}

Graph Converted(Graph graph, Scheme scheme, DType type) {
  std::vector<std::string> warnings;
  QuantizationOptions options;
  options.precisions = PrecisionsOf(scheme);
  EXPECT_TRUE((ChooseQuantization(graph, options, warnings)).ok());
  EXPECT_TRUE((SetInputType(type, 0, graph)).ok());
  EXPECT_TRUE((Verify(graph)).ok());
  return graph;
}

// The bytes of the first output for these bytes of the input.
Bytes Answers(const Graph& graph, std::span<const uint8_t> values) {
  const auto model = RunnableFromBytes(*WriteTflite(graph, {}), "m.tflite");
  EXPECT_TRUE((model).ok());
  const auto interpreter = Interpreter::Create(*model, {});
  EXPECT_TRUE((interpreter).ok());
  const std::span<uint8_t> input = (*interpreter)->input(0);
  EXPECT_EQ(input.size(), values.size());
  std::copy(values.begin(), values.end(), input.begin());
  (*interpreter)->Invoke();
  const auto output = (*interpreter)->output(0);
  return {output.begin(), output.end()};
}

std::vector<float> RawValues() {
  std::vector<float> raw;
  // -1.3 to 7.85: -2.15 to 2.4
  for (int i = 0; i < 16; ++i) raw.push_back(-1.3f + 0.61f * static_cast<float>(i));
  return raw;
}

TEST(SetInputType, NormalizesRawNumbersAsPlainArithmeticDoes) {
  for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8}) {
    const bool int8 = scheme == Scheme::kInt8;
    const Graph floats = Converted(SeriesGraph(), scheme, DType::kFloat32);
    EXPECT_EQ(floats.tensor(floats.inputs[0]).shape, (Shape{1, 16}));
    EXPECT_TRUE(floats.contract.input().inside);
    // By hand: normalized, then on the grid of the range -2 to 2.5.
    const float scale = 4.5f / 255;
    const auto zero = static_cast<int32_t>(std::lround(2 / (4.5 / 255)));
    std::vector<uint8_t> quantized;
    for (const float raw : RawValues()) {
      const float real = (raw - 3) * 0.5f;
      const int32_t step = std::clamp(static_cast<int32_t>(std::lround(real / scale)) + zero, 0, 255);
      quantized.push_back(static_cast<uint8_t>(int8 ? step - 128 : step));
    }
    const Graph integers = Converted(SeriesGraph(), scheme, int8 ? DType::kInt8 : DType::kUInt8);
    EXPECT_EQ(integers.tensor(integers.inputs[0]).shape, (Shape{1, 16}));
    EXPECT_EQ(Answers(floats, BytesOf(RawValues())), Answers(integers, quantized));
    const auto model = RunnableFromBytes(*WriteTflite(floats, {}), "m.tflite");
    QAT_ASSERT_OK(model);
    InterpreterOptions seven;
    seven.input_shapes = {{7, 16}};
    QAT_ASSERT_OK(Interpreter::Create(*model, seven));
    // The other integers are 128 apart.
    Bytes moved;
    for (const uint8_t value : quantized) moved.push_back(static_cast<uint8_t>(value ^ 0x80));
    EXPECT_EQ(Answers(Converted(SeriesGraph(), scheme, int8 ? DType::kUInt8 : DType::kInt8), moved),
              Answers(integers, quantized));
  }
}

TEST(SetInputType, LetsAFloatModelNormalize) {
  const Bytes inside =
      Answers(Converted(SeriesGraph(), Scheme::kFloat32, DType::kFloat32), BytesOf(RawValues()));
  Graph plain = SeriesGraph();
  plain.contract.input().shape = {};
  std::vector<std::string> warnings;
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kFloat32);
  QAT_ASSERT_OK(ChooseQuantization(plain, options, warnings));
  std::vector<float> normalized;
  for (const float raw : RawValues()) normalized.push_back((raw - 3) * 0.5f);
  EXPECT_EQ(inside, Answers(plain, BytesOf(normalized)));
}

TEST(SetInputType, OfPicturesTakesNormalizedFloats) {
  const Graph floats = Converted(TinyGraph(), Scheme::kUInt8, DType::kFloat32);
  std::vector<float> reals;
  Bytes bytes;
  for (int i = 0; i < 16; ++i) {
    bytes.push_back(static_cast<uint8_t>(16 * i));
    reals.push_back(static_cast<float>(16 * i) / 255);
  }
  EXPECT_EQ(Answers(floats, BytesOf(reals)),
            Answers(Converted(TinyGraph(), Scheme::kUInt8, DType::kUInt8), bytes));
}

TEST(SetInputType, RefusesWhatTheNetworkCannotTake) {
  Graph graph = TinyGraph();
  QAT_EXPECT_ERROR(SetInputType(DType::kInt8, 0, graph), ErrorCode::kUnsupported,
                   "the network takes float32");
  QAT_EXPECT_ERROR(SetInputType(DType::kFloat16, 0, graph), ErrorCode::kInvalidArgument,
                   "expected float32, uint8, int8 or int16");
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(ChooseQuantization(graph, {}, warnings));
  QAT_EXPECT_ERROR(SetInputType(DType::kInt16, 0, graph), ErrorCode::kUnsupported,
                   "TFLite makes no uint8 of int16");
}

// Whoever changes the type of an input changes no name: apps and data know the input by it.
TEST(SetInputType, KeepsTheNameOfTheInput) {
  for (const char* name : {"x", "input", "data"}) {
    Graph network = SeriesGraph();
    network.tensor(network.inputs[0]).name = name;
    Graph graph = Converted(network, Scheme::kInt8, DType::kInt8);
    for (const DType type : {DType::kFloat32, DType::kUInt8, DType::kInt8, DType::kFloat32}) {
      QAT_ASSERT_OK(SetInputType(type, 0, graph));
      QAT_ASSERT_OK(Verify(graph));
      EXPECT_EQ(graph.tensor(graph.inputs[0]).name, name) << NameOf(type);
    }
  }
}

// As the Clip at the beginning of an .onnx gives the input a range of its own.
TEST(SetInputType, KeepsTheNameOfAnInputThatIsQuantizedUnderAnotherName) {
  Graph network = SeriesGraph();
  const int32_t x = network.inputs[0];
  network.tensor(x).name = "x";
  const int32_t clipped = *network.AddNode(OpType::kQuantize, "clip/from_x", {}, {x});
  testing::SetRange(network, clipped, {-1, 0.75f}, kInt8Limits);
  for (GraphNode& node : network.nodes) {
    if (node.type != OpType::kQuantize) std::replace(node.inputs.begin(), node.inputs.end(), x, clipped);
  }
  std::rotate(network.nodes.begin(), network.nodes.end() - 1, network.nodes.end());
  for (const DType type : {DType::kFloat32, DType::kInt8, DType::kUInt8}) {
    const Graph graph = Converted(network, Scheme::kInt8, type);
    EXPECT_EQ(graph.tensor(graph.inputs[0]).name, "x") << NameOf(type);
  }
}

// Programs set the input by its name and shape, whatever the first layer computes with.
TEST(SetInputType, AFirstLayerOfAnotherTypeChangesNeitherNameNorShape) {
  for (const bool reals : {true, false}) {
    const Graph network = reals ? SeriesGraph() : TinyGraph();
    for (const DType type : {DType::kFloat32, DType::kInt8, DType::kUInt8, DType::kInt16}) {
      const Graph plain = Converted(network, Scheme::kInt8, type);
      Graph wide = network, real = network;
      QuantizationOptions options;
      options.precisions = PrecisionsOf(Scheme::kInt8);
      options.int16_nodes = KeepInt16(wide, {"conv"});
      KeepFloat(real, DType::kInt8, {"conv"});
      std::vector<std::string> warnings;
      for (Graph* graph : {&wide, &real}) {
        const bool of_16_bits = graph == &wide;
        if (!of_16_bits) options.int16_nodes = {};
        QAT_ASSERT_OK(ChooseQuantization(*graph, options, warnings));
        QAT_ASSERT_OK(SetInputType(type, 0, *graph));
        QAT_ASSERT_OK(Verify(*graph));
        const GraphTensor &input = graph->tensor(graph->inputs[0]), &usual = plain.tensor(plain.inputs[0]);
        EXPECT_EQ(input.name, usual.name) << NameOf(type) << reals << of_16_bits;
        EXPECT_EQ(input.type, type);
        EXPECT_EQ(input.shape, usual.shape) << NameOf(type) << reals << of_16_bits;
        // 16 bits are the layer's own, whose range is that of the bytes.
        if (type == DType::kInt16) continue;
        EXPECT_EQ(input.quantization, usual.quantization) << NameOf(type) << reals << of_16_bits;
      }
    }
  }
}

// Ranges and layers are compared by the names that the network has, whatever type its model takes.
TEST(SetInputType, ShowsWhatTheNetworkTakesAsItsInput) {
  for (const DType type : {DType::kFloat32, DType::kInt8}) {
    const auto model =
        RunnableFromBytes(*WriteTflite(Converted(SeriesGraph(), Scheme::kUInt8, type), {}), "m.tflite");
    QAT_ASSERT_OK(model);
    const auto interpreter = Interpreter::Create(*model, {});
    QAT_ASSERT_OK(interpreter);
    const std::vector<LayerTensor> layers = LayerTensors(**interpreter);
    const std::string name = SeriesGraph().tensor(SeriesGraph().inputs[0]).name;
    const auto is_input = [&](const LayerTensor& layer) { return layer.name == name; };
    ASSERT_EQ(std::count_if(layers.begin(), layers.end(), is_input), 1) << NameOf(type);
    EXPECT_EQ(std::find_if(layers.begin(), layers.end(), is_input)->info->type, DType::kUInt8)
        << NameOf(type);
  }
}

// One after the other, each leaves only itself in front.
TEST(SetInputType, TakesOffWhatItPutInFrontBefore) {
  const Graph floats = Converted(SeriesGraph(), Scheme::kInt8, DType::kFloat32);
  Graph graph = floats;
  QAT_ASSERT_OK(SetInputType(DType::kUInt8, 0, graph));
  QAT_ASSERT_OK(Verify(graph));
  QAT_ASSERT_OK(SetInputType(DType::kInt8, 0, graph));
  QAT_ASSERT_OK(Verify(graph));
  EXPECT_FALSE(graph.contract.input().inside);
  EXPECT_EQ(graph.nodes.size(), Converted(SeriesGraph(), Scheme::kInt8, DType::kInt8).nodes.size());
  QAT_ASSERT_OK(SetInputType(DType::kFloat32, 0, graph));
  EXPECT_TRUE(graph.contract.input().inside);
  EXPECT_EQ(Answers(graph, BytesOf(RawValues())), Answers(floats, BytesOf(RawValues())));
}

// 59 rows have fewer than 255 steps, but not whole ones.
TEST(SetInputType, IndicesStayReal) {
  Graph graph = SeriesGraph();
  graph.nodes.clear();
  const int32_t rows =
      *graph.AddNode(OpType::kCast, "rows", CastAttributes{DType::kInt32}, {graph.inputs[0]});
  const int32_t table = graph.AddConstant("table", {60, 2}, std::vector<float>(120, 0.5f));
  graph.outputs = {*graph.AddNode(OpType::kGather, "embedding", GatherAttributes{.axis = 0}, {table, rows})};
  RemoveUnusedTensors(graph);
  graph.contract.set_labels({});
  KeepFloat(graph, DType::kInt8);
  std::vector<std::string> warnings;
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kInt8);
  QAT_ASSERT_OK(ChooseQuantization(graph, options, warnings));
  QAT_EXPECT_ERROR(SetInputType(DType::kInt8, 0, graph), ErrorCode::kUnsupported,
                   "input 'input' holds whole numbers that a cast makes of it");
  QAT_ASSERT_OK(SetInputType(DType::kFloat32, 0, graph));
  QAT_ASSERT_OK(Verify(graph));
  EXPECT_EQ(graph.nodes[graph.nodes.size() - 2].type, OpType::kCast) << "it reads the reals themselves";
}

// What a network does to its input first may look as if it stood at the border.
TEST(SetInputType, AReshapeOfTheNetworkIsNotTakenOff) {
  Graph graph = SeriesGraph();
  graph.contract.input().shape = {};
  graph.nodes.clear();
  const std::vector<int32_t> sizes = {1, 8, 2};
  const int32_t shape = graph.AddConstant("sizes", {3}, sizes);
  const int32_t rows =
      *graph.AddNode(OpType::kReshape, "rows", ReshapeAttributes{{1, 8, 2}}, {graph.inputs[0], shape});
  const int32_t own = *graph.AddNode(OpType::kQuantize, "own", {}, {rows});
  testing::SetRange(graph, own, {-2, 2.5f}, {-128, 127});  // that of the input
  graph.outputs = {*graph.AddNode(OpType::kRelu, "relu", {}, {own})};
  testing::SetRange(graph, graph.outputs[0], {0, 2.5f}, {-128, 127});
  RemoveUnusedTensors(graph);
  graph.contract.set_labels({});
  const Graph real = Converted(graph, Scheme::kInt8, DType::kFloat32);
  EXPECT_EQ(real.tensor(real.inputs[0]).shape, (Shape{1, 4, 4, 1}));
}

TEST(SetInputType, SixteenBitsTakeBytesAsTheContractSays) {
  Graph graph = TinyGraph();
  QuantizationOptions options;
  options.precisions = *IntegersFromName("int16x8");
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(ChooseQuantization(graph, options, warnings));
  QAT_ASSERT_OK(SetInputType(DType::kUInt8, 0, graph));
  QAT_ASSERT_OK(Verify(graph));
  const GraphTensor& input = graph.tensor(graph.inputs[0]);
  EXPECT_EQ(input.type, DType::kUInt8);
  EXPECT_EQ(input.quantization->params(), (QuantizationParams{1.0f / 255, 0}));
  EXPECT_EQ(graph.nodes[0].type, OpType::kQuantize);
}

TEST(SetInputType, ChangesNothingWhereTheNetworkTakesItAlready) {
  std::vector<std::string> warnings;
  Graph graph = TinyGraph();
  QAT_ASSERT_OK(ChooseQuantization(graph, {}, warnings));
  const Graph before = graph;
  QAT_ASSERT_OK(SetInputType(DType::kUInt8, 0, graph));
  EXPECT_EQ(graph, before);
}

// A layer that computes real numbers takes them as they come, not through integers.
TEST(SetInputType, LayersKeptInFloatReadTheRealsThemselves) {
  Graph graph = SeriesGraph();
  KeepFloat(graph, DType::kInt8, {"conv"});
  const Graph floats = Converted(graph, Scheme::kInt8, DType::kFloat32);
  const auto types_of = [](const Graph& converted) {
    std::vector<OpType> types;
    for (const GraphNode& node : converted.nodes) types.push_back(node.type);
    return types;
  };
  const std::vector<OpType> expected = {OpType::kReshape, OpType::kSub,           OpType::kMul,
                                        OpType::kConv2D,  OpType::kQuantize,      OpType::kMaxPool2D,
                                        OpType::kReshape, OpType::kFullyConnected};
  EXPECT_EQ(types_of(floats), expected);
  // Integers at the border still come through a DEQUANTIZE.
  const Graph integers = Converted(graph, Scheme::kInt8, DType::kInt8);
  EXPECT_EQ(types_of(integers)[1], OpType::kDequantize);
}

}  // namespace
}  // namespace qat
