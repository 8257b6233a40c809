#include "import/import_tflite.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

#include "base/file.h"
#include "base/strings.h"
#include "import/read_network.h"
#include "import/real_input.h"
#include "ir/constants.h"
#include "passes/passes.h"
#include "support/model_builder.h"
#include "support/places.h"
#include "support/run_model.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Quantized;

Expected<Graph> Import(std::vector<uint8_t> bytes, std::vector<std::string>* notes = nullptr,
                       const TfliteImportOptions& options = {}) {
  QAT_ASSIGN_OR_RETURN(const auto model, Model::FromBytes(std::move(bytes), "dir/m.tflite"));
  std::vector<std::string> unread;
  return ImportTflite(*model, options, notes == nullptr ? unread : *notes);
}

std::vector<float> Values(const GraphTensor& tensor) {
  std::vector<float> values(tensor.data.size() / sizeof(float));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

/// What the graph gives as a float model.
std::vector<float> RunFloat(Graph graph, const std::vector<float>& input) {
  std::vector<std::string> warnings;
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kFloat32);
  EXPECT_TRUE(ChooseQuantization(graph, options, warnings).ok());
  const auto bytes = WriteTflite(graph, {});
  EXPECT_TRUE(bytes.ok()) << (bytes.ok() ? "" : bytes.error().message);
  if (!bytes.ok()) return {};
  const auto interpreter = testing::Open(*bytes);
  return interpreter == nullptr ? std::vector<float>() : testing::RunOn(*interpreter, input);
}

constexpr Conv2DAttributes kPointwise = {.padding = Padding::kValid};

// x [1, 1, 2, 2] through a 1x1 convolution of two channels to y; `after` adds what follows.
struct ConvModel {
  ModelBuilder builder;
  int32_t input = builder.AddTensor("x", {1, 1, 2, 2}, DType::kFloat32);
  int32_t filter = builder.AddConstant<float>("w", {2, 1, 1, 2}, {1, 2, 3, 4});
  int32_t bias = builder.AddConstant<float>("b", {2}, {0.5f, -0.5f});
  int32_t conv = builder.AddTensor("conv", {1, 1, 2, 2}, DType::kFloat32);
  ConvModel() { builder.AddConv2D(input, filter, bias, conv, kPointwise); }

  int32_t Add(const std::string& name) { return builder.AddTensor(name, {1, 1, 2, 2}, DType::kFloat32); }
  std::vector<uint8_t> Finish(std::vector<int32_t> outputs) {
    return builder.Finish({input}, std::move(outputs));
  }
};

const std::vector<float> kConvInput = {1, 0, -1, 2};
// Rows of the filter times the pixels (1, 0) and (-1, 2), plus the bias.
const std::vector<float> kConvOutput = {1.5f, 2.5f, 3.5f, 4.5f};

TEST(ImportTflite, KeepsNamesConstantsAndTheBytesOfAPicture) {
  ConvModel m;
  std::vector<std::string> notes;
  const auto graph = Import(m.Finish({m.conv}), &notes);
  QAT_ASSERT_OK(graph);
  EXPECT_EQ(graph->name, "m");
  EXPECT_EQ(graph->scheme, "float32");
  ASSERT_EQ(graph->nodes.size(), 1u);
  EXPECT_EQ(graph->tensor(graph->inputs[0]).name, "x");
  EXPECT_EQ(graph->tensor(graph->outputs[0]).name, "conv");
  EXPECT_EQ(graph->contract.input().mean, (std::vector<float>{0, 0}));
  EXPECT_EQ(graph->contract.input().std, (std::vector<float>{1, 1}));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("real = byte is assumed"), std::string::npos) << notes[0];
  EXPECT_EQ(RunFloat(*graph, kConvInput), kConvOutput);
}

TEST(ImportTflite, TakesWhatTheCallerSaysOfAByte) {
  ConvModel m;
  const auto graph = Import(m.Finish({m.conv}), nullptr, {.mean = {127.5f}, .std = {100, 50}});
  QAT_ASSERT_OK(graph);
  EXPECT_EQ(graph->contract.input().mean, (std::vector<float>{127.5f, 127.5f}));
  EXPECT_EQ(graph->contract.input().std, (std::vector<float>{100, 50}));
  ConvModel wrong;
  QAT_EXPECT_ERROR(Import(wrong.Finish({wrong.conv}), nullptr, {.mean = {1, 2, 3}, .std = {1}}),
                   ErrorCode::kInvalidArgument, "`mean`: has 3 numbers, the input has 2 channels");
}

TEST(ImportTflite, FoldsConstantsPerChannelAfterAConvolution) {
  ConvModel m;
  const int32_t scale = m.builder.AddConstant<float>("scale", {2}, {2, -1});
  const int32_t shift = m.builder.AddConstant<float>("shift", {1, 1, 1, 2}, {10, 20});
  const int32_t scaled = m.Add("scaled"), shifted = m.Add("shifted"), y = m.Add("y");
  m.builder.AddOperator(tflite::BuiltinOperator_MUL, {m.conv, scale}, {scaled});
  m.builder.AddOperator(tflite::BuiltinOperator_ADD, {shift, scaled}, {shifted});
  m.builder.AddOperator(tflite::BuiltinOperator_RELU6, {shifted}, {y});
  std::vector<std::string> notes;
  const auto graph = Import(m.Finish({y}), &notes);
  QAT_ASSERT_OK(graph);
  ASSERT_EQ(graph->nodes.size(), 1u) << Print(*graph);
  EXPECT_EQ(graph->nodes[0].name, "y");
  EXPECT_EQ(FusedActivation(graph->nodes[0].attributes), Activation::kRelu6);
  EXPECT_EQ(RunFloat(*graph, {1, 0, -4, 0}), (std::vector<float>{6, 6, 3, 6}))
      << "2 x + 10, 20 - x, at most 6";
  EXPECT_EQ(notes.size(), 3u);
}

TEST(ImportTflite, FoldsNothingThatSomethingElseReads) {
  ConvModel m;
  const int32_t scale = m.builder.AddConstant<float>("scale", {2}, {2, -1});
  const int32_t y = m.Add("y"), z = m.Add("z");
  m.builder.AddOperator(tflite::BuiltinOperator_MUL, {m.conv, scale}, {y});
  m.builder.AddOperator(tflite::BuiltinOperator_RELU, {m.conv}, {z});
  const auto graph = Import(m.Finish({y, z}));
  QAT_ASSERT_OK(graph);
  EXPECT_EQ(graph->nodes.size(), 3u);
  ConvModel out;
  const int32_t relu = out.Add("relu");
  out.builder.AddOperator(tflite::BuiltinOperator_RELU, {out.conv}, {relu});
  const auto both = Import(out.Finish({relu, out.conv}));
  QAT_ASSERT_OK(both);
  EXPECT_EQ(both->nodes.size(), 2u) << "an output of the model is read by its user";
}

uint16_t HalfOf(float value) {  // of small powers of two and their sums only
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t exponent = (bits >> 23 & 255) - 127 + 15;
  return static_cast<uint16_t>((bits >> 16 & 0x8000) | exponent << 10 | (bits >> 13 & 1023));
}

TEST(ImportTflite, ReadsWeightsOfFloat16) {
  ModelBuilder b;
  const int32_t x = b.AddTensor("x", {1, 1, 1, 2}, DType::kFloat32);
  std::vector<uint8_t> halves;
  for (const float value : {1.5f, -0.25f}) {
    halves.push_back(static_cast<uint8_t>(HalfOf(value) & 255));
    halves.push_back(static_cast<uint8_t>(HalfOf(value) >> 8));
  }
  const int32_t half = b.Add("half", {1, 1, 1, 2}, tflite::TensorType_FLOAT16, {}, b.AddBuffer(&halves));
  const int32_t filter = b.AddTensor("w", {1, 1, 1, 2}, DType::kFloat32);
  const int32_t bias = b.AddConstant<float>("b", {1}, {0});
  const int32_t y = b.AddTensor("y", {1, 1, 1, 1}, DType::kFloat32);
  b.AddOperator(tflite::BuiltinOperator_DEQUANTIZE, {half}, {filter}, tflite::BuiltinOptions_NONE, 0, 3);
  b.AddConv2D(x, filter, bias, y, kPointwise);
  const auto graph = Import(b.Finish({x}, {y}));
  QAT_ASSERT_OK(graph);
  ASSERT_EQ(graph->nodes.size(), 1u);
  EXPECT_EQ(Values(graph->tensor(graph->nodes[0].inputs[1])), (std::vector<float>{1.5f, -0.25f}));
}

// x (float) -> quantize -> conv with a scale per channel -> dequantize -> y
TEST(ImportTflite, DequantizesAQuantizedModelAndKeepsItsRanges) {
  ModelBuilder b;
  const int32_t x = b.AddTensor("x", {1, 1, 1, 2}, DType::kFloat32);
  const int32_t xq = b.AddTensor("xq", {1, 1, 1, 2}, DType::kInt8, Quantized(0.5f, -128));
  const int32_t filter = b.AddConstant<int8_t>("w", {2, 1, 1, 2}, {1, 2, -3, 4}, {{0.25f, 0.5f}, {0, 0}, 0});
  const int32_t bias = b.AddConstant<int32_t>("b", {2}, {8, -4}, {{0.125f, 0.25f}, {0, 0}, 0});
  const int32_t yq = b.AddTensor("yq", {1, 1, 1, 2}, DType::kInt8, Quantized(0.5f, 3));
  const int32_t y = b.AddTensor("y", {1, 1, 1, 2}, DType::kFloat32);
  b.AddOperator(tflite::BuiltinOperator_QUANTIZE, {x}, {xq});
  b.AddConv2D(xq, filter, bias, yq, kPointwise);
  b.AddOperator(tflite::BuiltinOperator_DEQUANTIZE, {yq}, {y}, tflite::BuiltinOptions_NONE, 0, 2);
  const auto graph = Import(b.Finish({x}, {y}));
  QAT_ASSERT_OK(graph);
  ASSERT_EQ(graph->nodes.size(), 1u) << Print(*graph);
  EXPECT_EQ(graph->scheme, "int8");
  const GraphNode& conv = graph->nodes[0];
  EXPECT_EQ(Values(graph->tensor(conv.inputs[1])), (std::vector<float>{0.25f, 0.5f, -1.5f, 2}));
  EXPECT_EQ(Values(graph->tensor(conv.inputs[2])), (std::vector<float>{1, -1}))
      << "in steps of 0.5 * 0.25 and 0.5 * 0.5";
  const GraphTensor& output = graph->tensor(graph->outputs[0]);
  EXPECT_EQ(output.name, "y");
  EXPECT_TRUE(output.has_range);
  EXPECT_EQ(output.range, (Range{-65.5f, 62})) << "-128 - 3 and 127 - 3 steps of 0.5";
  EXPECT_EQ(graph->tensor(graph->inputs[0]).range, (Range{0, 127.5f}));
}

// The scheme is that of the filters: one scale for several channels everywhere, or for some only; of 4 bits.
TEST(ImportTflite, KnowsTheSchemeOfAModelByItsFilters) {
  const auto scheme_of = [](const testing::TensorQuantization& first,
                            const testing::TensorQuantization& second) {
    ModelBuilder b;
    const int32_t x = b.AddTensor("x", {1, 1, 1, 2}, DType::kInt8, Quantized(0.5f, -128));
    const int32_t y = b.AddTensor("y", {1, 1, 1, 2}, DType::kInt8, Quantized(0.5f, 3));
    const int32_t z = b.AddTensor("z", {1, 1, 1, 2}, DType::kInt8, Quantized(0.5f, 3));
    const int32_t bias = b.AddConstant<int32_t>("b", {2}, {8, -4}, {{0.125f}, {0}, 0});
    b.AddConv2D(x, b.AddConstant<int8_t>("w1", {2, 1, 1, 2}, {1, 2, -3, 4}, first), bias, y, kPointwise);
    b.AddConv2D(y, b.AddConstant<int8_t>("w2", {2, 1, 1, 2}, {1, 2, -3, 4}, second), bias, z, kPointwise);
    const auto graph = Import(b.Finish({x}, {z}));
    return graph.ok() ? graph->scheme : graph.error().message;
  };
  const testing::TensorQuantization one = {{0.25f}, {0}, 0}, two = {{0.25f, 0.5f}, {0, 0}, 0};
  EXPECT_EQ(scheme_of(one, one), "int8-per-tensor");
  EXPECT_EQ(scheme_of(two, one), "int8");
  EXPECT_EQ(scheme_of(two, two), "int8");
}

// Old converters compute the shape of a reshape from that of its input.
// x of reals -> QUANTIZE -> relu, as TensorFlow's converter writes integers with borders of float32.
std::vector<uint8_t> WithQuantizedInput(const Shape& shape, DType type, float scale, int32_t zero_point) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", shape, DType::kFloat32);
  const int32_t q = builder.AddTensor("q", shape, type, Quantized(scale, zero_point));
  builder.AddOperator(tflite::BuiltinOperator_QUANTIZE, {x}, {q});
  const int32_t y = builder.AddTensor("y", shape, type, Quantized(scale, zero_point));
  builder.AddOperator(tflite::BuiltinOperator_RELU, {q}, {y});
  return builder.Finish({x}, {y});
}

TEST(ImportTflite, TheQuantizeThatReadsAnInputSaysHowFarItReaches) {
  const auto graph = Import(WithQuantizedInput({1, 20}, DType::kInt8, 0.25f, 28));
  QAT_ASSERT_OK(graph);
  EXPECT_EQ(graph->contract.input().values, ValueType::kReal);
  EXPECT_EQ(graph->contract.input().low, 0.25f * (-128 - 28));
  EXPECT_EQ(graph->contract.input().high, 0.25f * (127 - 28));
  EXPECT_EQ(graph->scheme, "int8");
  const auto wide = Import(WithQuantizedInput({1, 20}, DType::kInt16, 0.5f, 0));
  QAT_ASSERT_OK(wide);
  EXPECT_EQ(wide->contract.input().high, 0.5f * 32767);
  EXPECT_EQ(wide->scheme, "int16x8");
}

TEST(ImportTflite, WholeNumbersComeInAsRealOnes) {
  ModelBuilder builder;
  const int32_t ids = builder.AddTensor("ids", {1, 3}, DType::kInt32);
  const int32_t table = builder.AddConstant<float>("table", {3, 2}, {0, 1, 10, 11, 20, 21});
  const int32_t rows = builder.AddTensor("rows", {1, 3, 2}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_GATHER, {table, ids}, {rows});
  std::vector<std::string> notes;
  const auto graph = Import(builder.Finish({ids}, {rows}), &notes);
  QAT_ASSERT_OK(graph);
  EXPECT_EQ(graph->tensor(graph->inputs[0]).name, "ids");
  EXPECT_EQ(graph->nodes[0].type, OpType::kCast);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0],
            "input 'ids' is int32: the model takes the same whole numbers as float32 (up to 16,777,216)");
  EXPECT_EQ(RunFloat(*graph, {2, 0, 1}), (std::vector<float>{20, 21, 0, 1, 10, 11}));
}

TEST(ImportTflite, TheQuantizeThatReadsAPictureSaysWhatItsBytesMean) {
  std::vector<std::string> notes;
  const auto graph = Import(WithQuantizedInput({1, 4, 4, 2}, DType::kInt8, 1.0f / 32, 7), &notes);
  QAT_ASSERT_OK(graph);
  EXPECT_EQ(graph->contract.input().values, ValueType::kByte);
  EXPECT_EQ(graph->contract.input().mean, (std::vector<float>{135, 135}));
  EXPECT_EQ(graph->contract.input().std, (std::vector<float>{32, 32}));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("a byte of a picture is what QUANTIZE makes of it"), std::string::npos) << notes[0];
  const auto stated = Import(WithQuantizedInput({1, 4, 4, 2}, DType::kInt8, 1.0f / 32, 7), nullptr,
                             {.mean = {1}, .std = {2}, .mean_of = {}, .std_of = {}});
  EXPECT_EQ(stated->contract.input().mean, (std::vector<float>{1, 1}));
}

// Two functions: "dec" from z [1, 3] to w, in the first subgraph, and "enc" from x [1, 4] to y.
std::vector<uint8_t> TwoFunctions() {
  ModelBuilder builder;
  const int32_t z = builder.AddTensor("dec_z:0", {1, 3}, DType::kFloat32);
  const int32_t w = builder.AddTensor("PartitionedCall:0", {1, 3}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_RELU, {z}, {w});
  auto& fbb = builder.fbb;
  std::vector<flatbuffers::Offset<tflite::Tensor>> tensors;
  for (const char* name : {"enc_x:0", "PartitionedCall_1:0"})
    tensors.push_back(tflite::CreateTensor(fbb, fbb.CreateVector<int32_t>({1, 4}), tflite::TensorType_FLOAT32,
                                           0, fbb.CreateString(name)));
  const auto op =
      tflite::CreateOperator(fbb, 0, fbb.CreateVector<int32_t>({0}), fbb.CreateVector<int32_t>({1}));
  builder.further_subgraphs = {
      tflite::CreateSubGraph(fbb, fbb.CreateVector(tensors), fbb.CreateVector<int32_t>({0}),
                             fbb.CreateVector<int32_t>({1}), fbb.CreateVector(&op, 1))};
  builder.signatures = {{"dec", 0, {"z", 0}, {"w", 1}}, {"enc", 1, {"x", 0}, {"y", 1}}};
  return builder.Finish({z}, {w});
}

TEST(ImportTflite, OfTwoFunctionsOneIsTakenAndTheOtherNamed) {
  std::vector<std::string> notes;
  const auto graph = Import(TwoFunctions(), &notes);
  QAT_ASSERT_OK(graph);
  EXPECT_EQ(graph->tensor(graph->inputs[0]).shape, (Shape{1, 3}));
  ASSERT_FALSE(notes.empty());
  EXPECT_EQ(notes[0], "has 2 signatures: 'dec' is taken, 'enc' is left out (`signature` chooses)");
  const auto chosen = Model::FromBytes(TwoFunctions(), "m.tflite", nullptr, "enc");
  QAT_ASSERT_OK(chosen);
  TfliteImportOptions options;
  options.signature = "enc";
  notes.clear();
  const auto encoder = ImportTflite(**chosen, options, notes);
  QAT_ASSERT_OK(encoder);
  EXPECT_EQ(encoder->tensor(encoder->inputs[0]).shape, (Shape{1, 4}));
  EXPECT_EQ(encoder->tensor(encoder->outputs[0]).name, "y");
  for (const std::string& note : notes) EXPECT_EQ(note.find("signature"), std::string::npos) << note;
  QAT_EXPECT_ERROR(Model::FromBytes(TwoFunctions(), "m.tflite", nullptr, "both"), ErrorCode::kInvalidArgument,
                   "m.tflite: `signature`: there is none called 'both', expected dec, enc");
}

TEST(ImportTflite, AnAppAsksForTheSameNamesAfterwards) {
  auto graph = Import(TwoFunctions());
  QAT_ASSERT_OK(graph);
  EXPECT_EQ(graph->signature, (GraphSignature{"dec", {"z"}, {"w"}}));
  const auto kept = ParseGraph(Serialize(*graph), "g.qgraph");
  QAT_ASSERT_OK(kept);
  EXPECT_EQ(kept->signature, graph->signature);
  const auto bytes = WriteTflite(*kept, {});
  QAT_ASSERT_OK(bytes);
  const auto model = Model::FromBytes(*bytes, "m.tflite");
  QAT_ASSERT_OK(model);
  ASSERT_EQ((*model)->signatures().size(), 1u);
  EXPECT_EQ((*model)->signatures()[0].key, "dec");
  EXPECT_EQ((*model)->signatures()[0].inputs.begin()->second, "z");
  EXPECT_EQ((*model)->signatures()[0].outputs.begin()->second, "w");
}

TEST(ImportTflite, ComputesShapesOnceAndLeavesTheBatchOpen) {
  ConvModel m;
  const int32_t shape = m.builder.AddTensor("shape", {4}, DType::kInt32);
  m.builder.AddOperator(tflite::BuiltinOperator_SHAPE, {m.conv}, {shape}, tflite::BuiltinOptions_ShapeOptions,
                        tflite::CreateShapeOptions(m.builder.fbb, tflite::TensorType_INT32).Union());
  const auto list = [&](const char* name, int32_t value) {
    return m.builder.AddConstant<int32_t>(name, {1}, {value});
  };
  const int32_t batch = m.builder.AddTensor("batch", {}, DType::kInt32);
  m.builder.AddOperator(tflite::BuiltinOperator_STRIDED_SLICE,
                        {shape, list("begin", 0), list("end", 1), list("step", 1)}, {batch},
                        tflite::BuiltinOptions_StridedSliceOptions,
                        tflite::CreateStridedSliceOptions(m.builder.fbb, 0, 0, 0, 0, 1).Union());
  const int32_t four = m.builder.AddConstant<int32_t>("four", {}, {4});
  const int32_t packed = m.builder.AddTensor("packed", {2}, DType::kInt32);
  m.builder.AddOperator(tflite::BuiltinOperator_PACK, {batch, four}, {packed},
                        tflite::BuiltinOptions_PackOptions,
                        tflite::CreatePackOptions(m.builder.fbb, 2, 0).Union());
  const int32_t y = m.builder.AddTensor("y", {1, 4}, DType::kFloat32);
  m.builder.AddOperator(tflite::BuiltinOperator_RESHAPE, {m.conv, packed}, {y});
  const auto graph = Import(m.Finish({y}));
  QAT_ASSERT_OK(graph);
  ASSERT_EQ(graph->nodes.size(), 2u) << Print(*graph);
  const GraphTensor& sizes = graph->tensor(graph->nodes[1].inputs[1]);
  std::vector<int32_t> values(sizes.data.size() / sizeof(int32_t));
  std::memcpy(values.data(), sizes.data.data(), sizes.data.size());
  EXPECT_EQ(values, (std::vector<int32_t>{-1, 4}));
  EXPECT_EQ(RunFloat(*graph, kConvInput), kConvOutput);
}

// A reshape that names the batch would keep the model from being resized.
TEST(ImportTflite, OpensTheBatchOfAReshape) {
  const auto sizes_of = [](const std::vector<int32_t>& written, const Shape& gives) {
    ConvModel m;
    const int32_t sizes =
        m.builder.AddConstant<int32_t>("sizes", {static_cast<int32_t>(written.size())}, written);
    const int32_t y = m.builder.AddTensor("y", gives, DType::kFloat32);
    m.builder.AddOperator(tflite::BuiltinOperator_RESHAPE, {m.conv, sizes}, {y});
    const auto graph = Import(m.Finish({y}));
    EXPECT_TRUE(graph.ok());
    EXPECT_EQ(RunFloat(*graph, kConvInput), kConvOutput);
    return Int32Values(graph->tensor(graph->nodes[1].inputs[1]));
  };
  EXPECT_EQ(sizes_of({1, 4}, {1, 4}), (std::vector<int32_t>{-1, 4}));
  EXPECT_EQ(sizes_of({1, -1}, {1, 4}), (std::vector<int32_t>{-1, 4}));
  EXPECT_EQ(sizes_of({2, 2}, {2, 2}), (std::vector<int32_t>{2, 2})) << "rows, and no batch";
}

// Constants made of a shape and a value: nothing is left to write.
TEST(ImportTflite, ComputesWhatDependsOnConstantsAlone) {
  ConvModel m;
  const int32_t sizes = m.builder.AddConstant<int32_t>("sizes", {4}, {1, 1, 2, 2});
  const int32_t value = m.builder.AddConstant<float>("value", {}, {3});
  const int32_t filled = m.Add("filled"), y = m.Add("y");
  m.builder.AddOperator(tflite::BuiltinOperator_FILL, {sizes, value}, {filled});
  m.builder.AddOperator(tflite::BuiltinOperator_MAXIMUM, {m.conv, filled}, {y});
  const auto graph = Import(m.Finish({y}));
  QAT_ASSERT_OK(graph);
  EXPECT_EQ(RunFloat(*graph, kConvInput), (std::vector<float>{3, 3, 3.5f, 4.5f}));
}

TEST(ImportTflite, MakesNamesUnique) {
  ConvModel m;
  const int32_t a = m.Add("conv"), c = m.Add("");
  m.builder.AddOperator(tflite::BuiltinOperator_LOGISTIC, {m.conv}, {a});
  m.builder.AddOperator(tflite::BuiltinOperator_TANH, {a}, {c});
  const auto graph = Import(m.Finish({c}));
  QAT_ASSERT_OK(graph);
  EXPECT_EQ(graph->nodes[0].name, "conv");
  EXPECT_EQ(graph->nodes[1].name, "conv_1");
  EXPECT_FALSE(graph->nodes[2].name.empty());
}

TEST(ImportTflite, ListsEverythingThatCannotComeIn) {
  ConvModel m;
  const int32_t lstm = m.Add("lstm"), custom = m.Add("custom"), y = m.Add("y");
  m.builder.AddOperator(tflite::BuiltinOperator_LSTM, {m.conv}, {lstm});
  m.builder.AddOperator(tflite::BuiltinOperator_CUSTOM, {lstm}, {custom});
  const int32_t filter = m.builder.AddTensor("computed", {2, 1, 1, 2}, DType::kFloat32);
  m.builder.AddReshape(m.input, {2, 1, 1, 2}, filter);
  m.builder.AddConv2D(custom, filter, m.bias, y, kPointwise);
  QAT_EXPECT_ERROR(Import(m.Finish({y})), ErrorCode::kUnsupported,
                   "dir/m.tflite: cannot be imported: LSTM version 1 (operator 1); custom operator '' "
                   "version 1 (operator 2); "
                   "CONV_2D: its filter or bias is computed (operator 4); export the network without them");
}

TEST(ImportTflite, RefusesSizesThatAreOpenBesideTheBatch) {
  ModelBuilder b;
  const int32_t x = b.Add("x", {1, 1, 1, 2}, tflite::TensorType_FLOAT32, {}, 0, {-1, -1, 1, 2});
  const int32_t y = b.Add("y", {1, 1, 1, 2}, tflite::TensorType_FLOAT32, {}, 0, {-1, -1, 1, 2});
  b.AddOperator(tflite::BuiltinOperator_RELU, {x}, {y});
  QAT_EXPECT_ERROR(Import(b.Finish({x}, {y})), ErrorCode::kUnsupported,
                   "input 'x' leaves sizes other than the batch open, [-1, -1, 1, 2]; export the network "
                   "with fixed sizes");
}

TEST(ImportTflite, RefusesOutputsThatNothingComputes) {
  ModelBuilder b;
  const int32_t x = b.AddTensor("x", {1, 1, 1, 2}, DType::kFloat32);
  const int32_t xq = b.AddTensor("xq", {1, 1, 1, 2}, DType::kInt8, Quantized(0.5f, 0));
  b.AddOperator(tflite::BuiltinOperator_QUANTIZE, {x}, {xq});
  QAT_EXPECT_ERROR(Import(b.Finish({x}, {xq})), ErrorCode::kUnsupported,
                   "output 'xq' is a constant or an input");
}

TEST(ImportTflite, RefusesConstantsThatAreNoNumbers) {
  ModelBuilder b;
  const int32_t x = b.AddTensor("x", {1, 1, 1, 1}, DType::kFloat32);
  const int32_t filter = b.AddConstant<float>("w", {1, 1, 1, 1}, {std::nanf("")});
  const int32_t bias = b.AddConstant<float>("b", {1}, {0});
  const int32_t y = b.AddTensor("y", {1, 1, 1, 1}, DType::kFloat32);
  b.AddConv2D(x, filter, bias, y, kPointwise);
  QAT_EXPECT_ERROR(Import(b.Finish({x}, {y})), ErrorCode::kNumerical,
                   "dir/m.tflite: tensor 'w': value 0 is nan");
}

// Files that TensorFlow's converters wrote: imported and quantized again with the ranges that they had, they
// compute what they did.
// A scale that goes through a range and back may end in another last bit, which moves a few probabilities.
class ImportRealModels : public ::testing::TestWithParam<const char*> {};

TEST_P(ImportRealModels, GivesTheSameAnswersWithTheSameRanges) {
  const char* data = std::getenv("QAT_TEST_DATA");
  const std::string path =
      StrCat(data != nullptr ? data : testing::kTestDataDefault, "/tflite-models/", GetParam());
  if (!FileExists(path)) GTEST_SKIP() << path << " is not there";
  std::vector<std::string> notes, warnings;
  auto network = ReadNetwork(path, {}, notes);
  QAT_ASSERT_OK(network);
  EXPECT_TRUE(network->imported);
  Graph& graph = network->graph;
  QuantizationOptions options;
  options.precisions = PrecisionsFromName(graph.scheme).value();
  QAT_ASSERT_OK(ChooseQuantization(graph, options, warnings));
  const auto bytes = WriteTflite(graph, {});
  QAT_ASSERT_OK(bytes);
  const auto original = ReadFile(path);
  QAT_ASSERT_OK(original);
  const auto before = testing::Open(*original), after = testing::Open(*bytes);
  ASSERT_TRUE(before != nullptr && after != nullptr);
  ASSERT_EQ(before->input(0).size(), after->input(0).size());
  std::mt19937 random(1);
  std::vector<uint8_t> input(before->input(0).size());
  for (int run = 0; run < 3; ++run) {
    for (uint8_t& value : input) value = static_cast<uint8_t>(random());
    const uint8_t shift = before->input_info(0).type == after->input_info(0).type ? 0 : 128;
    const auto expected = testing::RunOn(*before, input);
    for (uint8_t& value : input) value = static_cast<uint8_t>(value ^ shift);
    auto found = testing::RunOn(*after, input);
    const uint8_t back = before->output_info(0).type == after->output_info(0).type ? 0 : 128;
    for (uint8_t& value : found) value = static_cast<uint8_t>(value ^ back);
    ASSERT_EQ(expected.size(), found.size());
    size_t different = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      const int distance = std::abs(int{expected[i]} - int{found[i]});
      EXPECT_LE(distance, 8) << "run " << run << ", value " << i;
      different += distance != 0;
    }
    EXPECT_LE(different, found.size() / 100) << "run " << run;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ImportRealModels,
                         ::testing::Values("person_detect.tflite", "mobilenet_v1_0.25_128_quant.tflite",
                                           "tf2_mobilenet_v2_1.0_224_ptq.tflite"),
                         [](const auto& file) {
                           std::string name = file.param;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return c == '.'; }, '_');
                           return name;
                         });

// Keras' names, as qat-eval and qat-convert have them without what TensorFlow adds.
TEST(ImportTflite, SeveralInputsAndOutputsAreCalledAsPeopleCallThem) {
  ModelBuilder builder;
  std::vector<int32_t> inputs, outputs;
  for (const char* name : {"serving_default_left:0", "serving_default_right:0"})
    inputs.push_back(builder.AddTensor(name, {1, 4}, DType::kFloat32));
  for (const char* name : {"Call:1", "Call:0"})
    outputs.push_back(builder.AddTensor(name, {1, 2, 2}, DType::kFloat32));
  for (size_t i = 0; i < 2; ++i) builder.AddReshape(inputs[i], {1, 2, 2}, outputs[i]);
  const auto model = Model::FromBytes(builder.Finish(inputs, outputs), "two.tflite");
  QAT_ASSERT_OK(model);
  std::vector<std::string> notes;
  const auto graph = ImportTflite(**model, {}, notes);
  QAT_ASSERT_OK(graph);
  const auto names = [&](const std::vector<int32_t>& tensors) {
    std::vector<std::string> all;
    for (const int32_t tensor : tensors) all.push_back(graph->tensor(tensor).name);
    return all;
  };
  EXPECT_EQ(names(graph->inputs), (std::vector<std::string>{"left", "right"}));
  EXPECT_EQ(names(graph->outputs), (std::vector<std::string>{"Call:1", "Call"}));
}

// Floats of which the file says nothing; what is quantized says it.
TEST(ImportTflite, TheDataSayWhatOpenInputsTake) {
  ModelBuilder builder;
  const std::vector<int32_t> inputs = {builder.AddTensor("camera", {1, 2, 2, 1}, DType::kFloat32),
                                       builder.AddTensor("row", {1, 4}, DType::kFloat32)};
  std::vector<int32_t> outputs;
  for (const int32_t input : inputs) {
    outputs.push_back(builder.AddTensor(StrCat("out", input), {1, 2, 2}, DType::kFloat32));
    builder.AddReshape(input, {1, 2, 2}, outputs.back());
  }
  const testing::TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "two.tflite", builder.Finish(inputs, outputs)));
  ReadNetworkOptions options;
  options.mean_of["camera"] = {127.5f};
  std::vector<std::string> notes;
  auto network = ReadNetwork(dir / "two.tflite", options, notes);
  QAT_ASSERT_OK(network);
  EXPECT_EQ(network->open_inputs, (std::vector<bool>{true, true}));
  Dataset data;
  data.inputs = {{2, 2, 1, ValueType::kByte, {}, "camera"}, {1, 1, 4, ValueType::kReal, {4}, "row"}};
  TakeValuesOfData(data, network->open_inputs, network->named_inputs, network->graph, notes);
  EXPECT_EQ(network->graph.contract.inputs[0].values, ValueType::kByte);
  EXPECT_EQ(network->graph.contract.inputs[0].mean, std::vector<float>{127.5f});
  EXPECT_EQ(network->graph.contract.inputs[1].values, ValueType::kReal);
  EXPECT_TRUE(Validate(network->graph.contract).ok());
}

// What all bytes mean is for those that take bytes.
TEST(ImportTflite, AMeaningOfBytesIsNotForRealNumbersUnlessItNamesThem) {
  ModelBuilder builder;
  const std::vector<int32_t> inputs = {builder.AddTensor("camera", {1, 2, 2, 1}, DType::kFloat32),
                                       builder.AddTensor("row", {1, 4}, DType::kFloat32)};
  std::vector<int32_t> outputs;
  for (const int32_t input : inputs) {
    outputs.push_back(builder.AddTensor(StrCat("out", input), {1, 2, 2}, DType::kFloat32));
    builder.AddReshape(input, {1, 2, 2}, outputs.back());
  }
  const testing::TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "two.tflite", builder.Finish(inputs, outputs)));
  Dataset data;
  data.inputs = {{2, 2, 1, ValueType::kByte, {}, "camera"}, {1, 1, 4, ValueType::kReal, {4}, "row"}};
  for (const bool named : {false, true}) {
    ReadNetworkOptions options;
    options.mean = {127.5f};
    options.std = {60};
    if (named) options.mean_of["row"] = {20};
    std::vector<std::string> notes;
    auto network = ReadNetwork(dir / "two.tflite", options, notes);
    QAT_ASSERT_OK(network);
    TakeValuesOfData(data, network->open_inputs, network->named_inputs, network->graph, notes);
    const std::vector<InputContract>& taken = network->graph.contract.inputs;
    EXPECT_EQ(taken[0].mean, std::vector<float>{127.5f});
    EXPECT_EQ(taken[0].std, std::vector<float>{60});
    EXPECT_EQ(taken[1].mean, std::vector<float>(4, named ? 20.0f : 0.0f));
    EXPECT_EQ(taken[1].std, std::vector<float>(4, named ? 60.0f : 1.0f));
    const bool told = std::any_of(notes.begin(), notes.end(), [](const std::string& note) {
      return note.find("input 'row' holds real numbers, which go into the network as they are") !=
             std::string::npos;
    });
    EXPECT_EQ(told, !named);
  }
}

}  // namespace
}  // namespace qat
