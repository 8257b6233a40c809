// QuantizeLinear and DequantizeLinear of an .onnx.
#include <gtest/gtest.h>

#include "base/file.h"
#include "import/read_network.h"
#include "import/real_input.h"
#include "support/imported_onnx.h"
#include "support/test_util.h"

namespace qat {
namespace {

using namespace testing;

// What QuantizeLinear makes of a byte is no normalization of numbers that are measured.
TEST(ImportOnnx, RealNumbersGoIntoAQuantizedNetworkAsTheyAre) {
  OnnxFile file;
  file.Input("x", {1, 1, 2, 2}).Constant("s", {}, std::vector<float>{0.02f});
  file.graph().Message(5, ProtoMessage().Integer(2, 3).Text(8, "z").Packed(9, std::vector<int8_t>{-5}));
  file.Node("QuantizeLinear", {"x", "s", "z"}, {"q"})
      .Node("DequantizeLinear", {"q", "s", "z"}, {"d"})
      .Node("Relu", {"d"}, {"y"})
      .Output("y");
  const testing::TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "q.onnx", file.Bytes()));
  std::vector<std::string> notes;
  auto network = ReadNetwork(dir / "q.onnx", {}, notes);
  QAT_ASSERT_OK(network);
  EXPECT_EQ(network->graph.contract.input().mean, std::vector<float>{123}) << "of bytes";
  Dataset data;
  data.inputs = {{2, 2, 1, ValueType::kReal}};
  TakeValuesOfData(data, network->open_inputs, network->named_inputs, network->graph, notes);
  EXPECT_EQ(network->graph.contract.input().values, ValueType::kReal);
  EXPECT_EQ(network->graph.contract.input().mean, std::vector<float>{0});
  EXPECT_EQ(network->graph.contract.input().std, std::vector<float>{1});
}

TEST(ImportOnnx, RangesOfQuantizeLinearStay) {
  OnnxFile file;
  file.Input("x", {1, 2}).Constant("s", {}, std::vector<float>{0.5f});
  file.graph().Message(5, ProtoMessage().Integer(2, 3).Text(8, "z").Packed(9, std::vector<int8_t>{-28}));
  file.Node("QuantizeLinear", {"x", "s", "z"}, {"q"})
      .Node("DequantizeLinear", {"q", "s", "z"}, {"d"})
      .Node("Tanh", {"d"}, {"y"})
      .Output("y");
  const auto import = Import(file);
  ASSERT_TRUE(import.ok()) << import.error().message;
  const GraphTensor& x = import->graph.tensor(import->graph.inputs[0]);
  ASSERT_TRUE(x.has_range);
  EXPECT_EQ(x.range.min, -50.0f);
  EXPECT_EQ(x.range.max, 77.5f);
  EXPECT_EQ(import->graph.scheme, "int8");
}

// onnxruntime's quantizer takes them out.
TEST(ImportOnnx, ActivationsThatSaturationStandsForArePutBack) {
  const struct {
    float scale;
    int8_t zero;
    std::vector<float> expected;
  } kRows[] = {
      {0.1f, -128, {0, 9}},        // 0 to 25.5
      {6.0f / 255, -128, {0, 6}},  // relu6
      {0.1f, -100, {-7, 9}},       // what it reaches below 0 is a range like another
  };
  for (const auto& row : kRows) {
    OnnxFile file;
    file.Input("x", {1, 2}).Constant("s", {}, std::vector<float>{row.scale});
    file.Constant("w", {2, 2}, std::vector<float>{1, 0, 0, 1});
    file.graph().Message(5,
                         ProtoMessage().Integer(2, 3).Text(8, "z").Packed(9, std::vector<int8_t>{row.zero}));
    file.Node("MatMul", {"x", "w"}, {"m"})
        .Node("QuantizeLinear", {"m", "s", "z"}, {"q"})
        .Node("DequantizeLinear", {"q", "s", "z"}, {"d"})
        .Node("Transpose", {"d"}, {"r"}, {OnnxInts("perm", {1, 0})})
        .Node("QuantizeLinear", {"r", "s", "z"}, {"q2"})
        .Node("DequantizeLinear", {"q2", "s", "z"}, {"y"})
        .Output("y");
    EXPECT_EQ(RunImported(file, std::vector<float>{-7, 9}), row.expected)
        << row.scale << " " << int{row.zero};
  }
}

// Else the bytes of a picture, which nothing says are others, would take the place of the range.
TEST(ImportOnnx, TheRangeOfAPictureIsWhatItsBytesMean) {
  OnnxFile file;
  file.Input("x", {1, 1, 2, 2}).Constant("s", {}, std::vector<float>{0.25f});
  file.graph().Message(5, ProtoMessage().Integer(2, 3).Text(8, "z").Packed(9, std::vector<int8_t>{-28}));
  file.Node("QuantizeLinear", {"x", "s", "z"}, {"q"})
      .Node("DequantizeLinear", {"q", "s", "z"}, {"d"})
      .Node("MaxPool", {"d"}, {"y"}, {OnnxInts("kernel_shape", {2, 2})})
      .Output("y");
  const auto import = Import(file);
  ASSERT_TRUE(import.ok()) << import.error().message;
  const InputContract& input = import->graph.contract.input();
  EXPECT_EQ(input.values, ValueType::kByte);
  EXPECT_EQ(input.mean, std::vector<float>{100});
  EXPECT_FLOAT_EQ(input.std[0], 4);
  const auto stated =
      Import(file, nullptr, {.mean = {7}, .std = {2}, .mean_of = {}, .std_of = {}, .input_shapes = {}});
  EXPECT_EQ(stated->graph.contract.input().mean, std::vector<float>{7});
}

}  // namespace
}  // namespace qat
