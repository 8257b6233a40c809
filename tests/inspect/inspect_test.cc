#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "inspect/difference.h"
#include "inspect/inspection.h"
#include "inspect/print.h"
#include "support/model_builder.h"
#include "support/onnx_file.h"
#include "support/safetensors_file.h"
#include "support/test_util.h"
#include "support/tiny_checkpoint.h"

namespace qat {
namespace {

using nlohmann::json;
using testing::ModelBuilder;
using testing::Quantized;
using testing::TinyCheckpoint;
using testing::TinyGraph;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

class InspectTest : public ::testing::Test {
 protected:
  Inspection Shown(const std::string& name, const Bytes& bytes) {
    EXPECT_TRUE(WriteFile(dir_ / name, bytes).ok());
    auto inspection = Inspect(dir_ / name, "");
    EXPECT_TRUE(inspection.ok()) << inspection.error().message;
    return *std::move(inspection);
  }

  const testing::TempDir dir_;
};

// [1, 4, 4, 1] uint8 -> 2 filters of 3x3 -> an operator that nobody has.
Bytes SmallModel(const std::string& name = "conv", uint8_t first = 10, float scale = 0.5f) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("input", {1, 4, 4, 1}, DType::kUInt8, Quantized(0.25f, 3));
  std::vector<uint8_t> values(18, 12);
  values[0] = first;
  const int32_t filter = builder.AddConstant<uint8_t>("filter", {2, 3, 3, 1}, values, Quantized(scale, 12));
  const int32_t bias = builder.AddConstant<int32_t>("bias", {2}, {1, 2}, Quantized(0.125f, 0));
  const int32_t conv = builder.AddTensor(name, {1, 4, 4, 2}, DType::kUInt8, Quantized(1, 0));
  const int32_t odd = builder.AddTensor("odd", {1, 4, 4, 2}, DType::kUInt8, Quantized(1, 0));
  builder.AddConv2D(input, filter, bias, conv, {});
  builder.AddOperator(tflite::BuiltinOperator_LSTM, {conv}, {odd}, tflite::BuiltinOptions_NONE, 0, 7);
  return builder.Finish({input}, {odd});
}

TEST_F(InspectTest, CountsWhatAModelIsMadeOf) {
  const Inspection found = Shown("m.tflite", SmallModel());
  EXPECT_EQ(found.kind, "model");
  ASSERT_EQ(found.operators.size(), 2u);
  EXPECT_EQ(found.operators[0].name, "CONV_2D");
  EXPECT_EQ(found.operators[0].multiply_accumulates, 4 * 4 * 2 * 9);  // outputs times the values of a filter
  EXPECT_EQ(found.tensors[1].bytes, 18);
  EXPECT_EQ(found.tensors[2].bytes, 8);
  const InspectionTotals totals = TotalsOf(found);
  EXPECT_EQ(totals.constants, 2);
  EXPECT_EQ(totals.constant_bytes, 26);
  EXPECT_EQ(totals.parameters, 20);
}

TEST_F(InspectTest, ShowsOperatorsThatNobodyHereRuns) {
  const Inspection found = Shown("m.tflite", SmallModel());
  EXPECT_EQ(found.operators[1].name, "LSTM");
  EXPECT_EQ(found.operators[1].version, 7);
  EXPECT_FALSE(found.operators[1].known);
  EXPECT_EQ(found.operators[1].layer, "odd");
  const std::string text = InspectionText(found, true);
  EXPECT_HOLDS(text, "LSTM (not known)        7  odd");
  EXPECT_HOLDS(text, "not run     LSTM");
  EXPECT_HOLDS(text, "scale 0.25, zero point 3");
}

// The file says that the output of a matrix product has no axes: what is counted follows from the inputs.
TEST_F(InspectTest, CountsByInputsWhereAnOutputContradictsThem) {
  ModelBuilder builder;
  const int32_t a = builder.AddTensor("a", {2, 3, 4}, DType::kFloat32);
  const int32_t b = builder.AddTensor("b", {2, 4, 5}, DType::kFloat32);
  const int32_t product = builder.AddTensor("product", {}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_BATCH_MATMUL, {a, b}, {product});
  const Inspection found = Shown("m.tflite", builder.Finish({a, b}, {product}));
  ASSERT_EQ(found.operators.size(), 1u);
  EXPECT_EQ(found.operators[0].multiply_accumulates, 2 * 3 * 4 * 5);
}

// Bodies of conditions and loops; indices of a damaged one lead nowhere.
TEST_F(InspectTest, ListsFurtherSubgraphs) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 4}, DType::kFloat32),
                output = builder.AddTensor("y", {1, 4}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_TANH, {input}, {output});
  auto& fbb = builder.fbb;
  const auto tensor = tflite::CreateTensor(fbb, fbb.CreateVector<int32_t>({2, 3}), tflite::TensorType_INT8, 0,
                                           fbb.CreateString("v"));
  const auto op = tflite::CreateOperator(fbb, 0), unknown = tflite::CreateOperator(fbb, 77);
  builder.further_subgraphs = {
      tflite::CreateSubGraph(fbb, fbb.CreateVector(&tensor, 1), fbb.CreateVector<int32_t>({0}),
                             fbb.CreateVector<int32_t>({5, -1}),
                             fbb.CreateVector(std::vector{op, op, unknown}), fbb.CreateString("body")),
      tflite::CreateSubGraph(fbb)};
  const Inspection found = Shown("m.tflite", builder.Finish({input}, {output}));
  ASSERT_EQ(found.facts.size(), 2u);
  EXPECT_EQ(
      found.facts[0],
      std::pair(std::string("subgraph 1"),
                std::string("'body': v int8 [2, 3] -> tensor 5, tensor -1, 3 operators (1 ?, 2 TANH)")));
  EXPECT_EQ(found.facts[1].second, "'': nothing -> nothing, 0 operators");
  EXPECT_HOLDS(InspectionText(found, false), "subgraph 2");
  EXPECT_EQ(json::parse(InspectionJson(found))["facts"]["subgraph 1"], found.facts[0].second);
}

TEST_F(InspectTest, ListsMetadataThatNobodyReads) {
  ModelBuilder builder;
  builder.metadata["min_runtime_version"] = {'1', '.', '5', '.', '0', 0, 0, 0};
  builder.metadata["vendor"] = {1, 2, 3};
  const int32_t input = builder.AddTensor("input", {1, 8}, DType::kFloat32);
  const int32_t output = builder.AddTensor("output", {1, 8}, DType::kFloat32);
  builder.AddSoftmax(input, output, 1);
  const std::string text = InspectionText(Shown("m.tflite", builder.Finish({input}, {output})), false);
  EXPECT_HOLDS(text, "metadata    min_runtime_version, 8 bytes: 1.5.0\n");
  EXPECT_HOLDS(text, "metadata    vendor, 3 bytes\n");
}

// real = scale * (quantized - zero_point), slice by slice.
TEST_F(InspectTest, RealValuesUndoTheQuantizationOfEachSlice) {
  InspectedTensor tensor;
  const int8_t values[] = {1, 2, 3, 4, 5, 6};
  tensor.type = "int8";
  tensor.shape = {1, 3, 2};
  tensor.constant = true;
  tensor.data = {reinterpret_cast<const uint8_t*>(values), 6};
  tensor.scale = {1, 10, 100};
  tensor.zero_point = {0, 1, 2};
  tensor.dimension = 1;
  EXPECT_EQ(RealValues(tensor), (std::vector<float>{1, 2, 20, 30, 300, 400}));
}

TEST_F(InspectTest, GraphsCheckpointsAndWeights) {
  const Inspection graph = Shown("g.qgraph", Serialize(TinyGraph()));
  EXPECT_EQ(graph.kind, "graph");
  EXPECT_HOLDS(InspectionText(graph, false), "range [0, 2.5]");
  EXPECT_HOLDS(InspectionText(graph, false), "scheme      uint8");
  const Inspection checkpoint = Shown("c.ckpt", Serialize(TinyCheckpoint()));
  EXPECT_EQ(checkpoint.kind, "checkpoint");
  EXPECT_EQ(TotalsOf(checkpoint).parameters, 18 + 2 + 24 + 3);
  EXPECT_EQ(TotalsOf(checkpoint).multiply_accumulates, 4 * 4 * 2 * 9 + 24);
  EXPECT_EQ(TotalsOf(checkpoint).multiply_accumulates, TotalsOf(graph).multiply_accumulates);
  EXPECT_HOLDS(InspectionText(checkpoint, false), "step        900");
  testing::SafetensorsWriter writer;
  writer.Add("fc.weight", {2, 3}, {1, 2, 3, 4, 5, -6});
  const Inspection weights = Shown("w.safetensors", writer.Take());
  EXPECT_EQ(weights.kind, "weights");
  EXPECT_HOLDS(InspectionText(weights, false),
               "fc.weight  float32  [2, 3]     24  yes       -             -6.00  5.00");
}

TEST_F(InspectTest, JsonHoldsEverything) {
  const Inspection found = Shown("m.tflite", SmallModel("na\xffme"));
  const json document = json::parse(InspectionJson(found));
  EXPECT_EQ(document["schema"], "qat-inspect/1");
  EXPECT_EQ(document["bytes"], SmallModel("name").size());
  EXPECT_EQ(document["operators"][1]["name"], "LSTM");
  EXPECT_EQ(document["operators"][1]["multiply_accumulates"], nullptr);
  const json& filter = document["tensors"][1];
  EXPECT_EQ(filter["shape"], json::array({2, 3, 3, 1}));
  EXPECT_EQ(filter["scale"], json::array({0.5}));
  EXPECT_EQ(filter["zero_point"], json::array({12}));
  EXPECT_EQ(filter["min"], -1.0);  // 0.5 * (10 - 12)
  EXPECT_EQ(filter["max"], 0.0);
  EXPECT_EQ(document["tensors"][0]["sha256"], nullptr);
}

// Outside of quotes nothing but what the writer itself says; quotes and backslashes within them escaped.
void ExpectWellFormed(const std::string& dot) {
  bool quoted = false;
  int depth = 0;
  for (size_t i = 0; i < dot.size(); ++i) {
    const char c = dot[i];
    if (quoted && c == '\\') {
      ++i;
      EXPECT_TRUE(dot[i] == 'n' || dot[i] == '\\' || dot[i] == '"') << dot.substr(i);
    } else if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      EXPECT_GE(static_cast<uint8_t>(c), 0x20);
    } else {
      EXPECT_NE(
          std::string("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 =[],;{}->\n").find(c),
          std::string::npos)
          << dot.substr(i);
      depth += (c == '{') - (c == '}');
      EXPECT_GE(depth, 0);
    }
  }
  EXPECT_FALSE(quoted);
  EXPECT_EQ(depth, 0);
}

TEST_F(InspectTest, NamesCannotLeaveTheirLabels) {
  const std::string dot = InspectionDot(Shown("m.tflite", SmallModel("a\"]; x -> \\\" y\n\x1b[31m{")));
  ExpectWellFormed(dot);
  EXPECT_HOLDS(dot, "op0 -> op1 [label=\"[1, 4, 4, 2]\"];");
  EXPECT_HOLDS(dot, "in0 -> op0");
  EXPECT_HOLDS(dot, "op1 -> out0");
}

TEST_F(InspectTest, TheSameModelUnderAnotherNameDoesNotDiffer) {
  const Inspection a = Shown("a.tflite", SmallModel()), b = Shown("b.tflite", SmallModel());
  EXPECT_TRUE(Compare(a, b).empty());
  EXPECT_HOLDS(DifferencesText(a, b, {}), "have the same bytes");
}

TEST_F(InspectTest, ConstantsDifferByTheirRealValues) {
  const Inspection a = Shown("a.tflite", SmallModel()), b = Shown("b.tflite", SmallModel("conv", 7));
  const std::vector<Difference> differences = Compare(a, b);
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_EQ(differences[0].where, "tensor 'filter'");
  EXPECT_EQ(differences[0].field, "values");
  EXPECT_HOLDS(differences[0].b, "1 of 18 differ, by 1.5 at most");  // 0.5 * (10 - 7)
}

TEST_F(InspectTest, ScalesAndNamesDiffer) {
  const std::vector<Difference> differences =
      Compare(Shown("a.tflite", SmallModel()), Shown("b.tflite", SmallModel("other", 12, 0.25f)));
  std::string all;
  for (const Difference& each : differences)
    all += each.where + " " + each.field + " " + each.a + " | " + each.b + "\n";
  EXPECT_HOLDS(all, "tensor 'filter' quantization scale 0.5, zero point 12 | scale 0.25, zero point 12\n");
  EXPECT_HOLDS(all, "tensor 'conv' name conv | other\n");
}

TEST_F(InspectTest, AnOperatorInBetweenIsOneDifference) {
  const auto model = [](bool with_relu) {
    ModelBuilder builder;
    const int32_t input = builder.AddTensor("input", {1, 8}, DType::kFloat32);
    const int32_t middle = builder.AddTensor("middle", {1, 8}, DType::kFloat32);
    const int32_t output = builder.AddTensor("output", {1, 8}, DType::kFloat32);
    if (with_relu) builder.AddOperator(tflite::BuiltinOperator_RELU, {input}, {middle});
    builder.AddSoftmax(with_relu ? middle : input, output, 1);
    return builder.Finish({input}, {output});
  };
  const std::vector<Difference> differences =
      Compare(Shown("a.tflite", model(false)), Shown("b.tflite", model(true)));
  ASSERT_EQ(differences.size(), 1u) << differences[1].where << " " << differences[1].field;
  EXPECT_EQ(differences[0].where, "operator 0 (RELU)");
  EXPECT_EQ(differences[0].a, "-");
}

// One long name must not widen every row.
TEST_F(InspectTest, LongNamesAreShortenedInTables) {
  testing::SafetensorsWriter writer;
  writer.Add(std::string(100000, 'x'), {1}, {1});
  for (int i = 0; i < 100; ++i) writer.Add("t" + std::to_string(i), {1}, {1});
  EXPECT_LT(InspectionText(Shown("w.safetensors", writer.Take()), true).size(), 100000u);
}

// Of a function, but in no function. Found by a mutated file.
TEST_F(InspectTest, AnAttributeOfACallerThatIsNotThereIsShown) {
  testing::OnnxFile file;
  file.Input("x", {1, 2})
      .Node("Relu", {"x"}, {"y"},
            {testing::ProtoMessage().Text(1, "value").Integer(20, 4).Text(21, "of_caller")})
      .Output("y");
  const Inspection found = Shown("m.onnx", file.Bytes());
  ASSERT_EQ(found.operators.size(), 1u);
  EXPECT_EQ(found.operators[0].attributes, "value without a value");
}

TEST_F(InspectTest, AnOnnxModelIsShownAsItsFileHasIt) {
  testing::OnnxFile file;
  file.Input("x", {0, 3})
      .Constant("w", {3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6})
      .Node("Gemm", {"x", "w"}, {"y"}, {testing::OnnxFloat("alpha", 0.5f)});
  file.Node("Mystery", {"y"}, {"z"}, {}, "com.someone").Output("z", {0, 2});
  const Inspection found = Shown("m.onnx", file.Bytes());
  EXPECT_EQ(found.kind, "onnx");
  ASSERT_EQ(found.operators.size(), 2u);
  EXPECT_EQ(found.operators[0].attributes, "alpha 0.5");
  EXPECT_EQ(found.operators[1].name, "com.someone.Mystery");
  EXPECT_EQ(TotalsOf(found).parameters, 6);
  EXPECT_EQ(RealValues(found.tensors[0]), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_TRUE(found.tensor(found.inputs[0]).open);
  EXPECT_HOLDS(InspectionText(found, false), "an ONNX model");
}

TEST_F(InspectTest, AnOutputOfACheckpointMayBeAConstant) {
  Checkpoint checkpoint = TinyCheckpoint();
  const int32_t constant = checkpoint.network.AddConstant("answer", {1, 3}, std::vector<float>{1, 2, 3});
  checkpoint.network.outputs.push_back(constant);
  const Inspection found = Shown("c.ckpt", Serialize(checkpoint));
  ASSERT_EQ(found.outputs.size(), 2u);
  EXPECT_EQ(found.tensor(found.outputs[1]).name, "answer");
  EXPECT_EQ(RealValues(found.tensor(found.outputs[1])), (std::vector<float>{1, 2, 3}));
}

TEST_F(InspectTest, OtherFilesAreNamed) {
  ASSERT_TRUE(WriteFile(dir_ / "x.toml", std::string_view("a = 1\n")).ok());
  EXPECT_HOLDS(Inspect(dir_ / "x.toml", "").error().message,
               "is TOML text, expected a .tflite or .onnx model, a frozen graph");
  EXPECT_EQ(Inspect(dir_.path(), "").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(Inspect(dir_ / "none", "").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace qat
