#include "import/import_onnx.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/file.h"
#include "base/strings.h"
#include "import/read_network.h"
#include "import/real_input.h"
#include "import/verify_source.h"
#include "ir/constants.h"
#include "passes/passes.h"
#include "support/imported_onnx.h"
#include "support/run_model.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using namespace testing;

std::vector<float> Wave(size_t count, float step) {
  std::vector<float> values;
  for (size_t i = 0; i < count; ++i) values.push_back(std::sin(static_cast<float>(i) * step) * 2);
  return values;
}

void ExpectNear(const std::vector<float>& found, const std::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5) << i;
}

/// [C, H, W] as [H, W, C], and back.
std::vector<float> Last(const std::vector<float>& first, int c, int h, int w) {
  std::vector<float> last;
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x)
      for (int k = 0; k < c; ++k) last.push_back(first[static_cast<size_t>((k * h + y) * w + x)]);
  return last;
}

size_t Count(const Graph& graph, OpType type) {
  size_t count = 0;
  for (const GraphNode& node : graph.nodes) count += node.type == type ? 1 : 0;
  return count;
}

/// A convolution of [C, H, W] by plain loops over ONNX's layouts.
struct ConvCase {
  int channels, height, width, outputs, kernel, stride, groups, top, left, bottom, right, dilation;
};

std::vector<float> PlainConv(const ConvCase& c, const std::vector<float>& x, const std::vector<float>& w,
                             const std::vector<float>& b, int& oh, int& ow) {
  const int extent = (c.kernel - 1) * c.dilation + 1;
  oh = (c.height + c.top + c.bottom - extent) / c.stride + 1;
  ow = (c.width + c.left + c.right - extent) / c.stride + 1;
  const int in = c.channels / c.groups, out = c.outputs / c.groups;
  std::vector<float> y;
  for (int o = 0; o < c.outputs; ++o)
    for (int i = 0; i < oh; ++i)
      for (int j = 0; j < ow; ++j) {
        float sum = b[static_cast<size_t>(o)];
        for (int k = 0; k < in; ++k)
          for (int p = 0; p < c.kernel; ++p)
            for (int q = 0; q < c.kernel; ++q) {
              const int row = i * c.stride + p * c.dilation - c.top,
                        column = j * c.stride + q * c.dilation - c.left;
              if (row < 0 || row >= c.height || column < 0 || column >= c.width) continue;
              const int channel = o / out * in + k;
              sum += x[static_cast<size_t>((channel * c.height + row) * c.width + column)] *
                     w[static_cast<size_t>(((o * in + k) * c.kernel + p) * c.kernel + q)];
            }
        y.push_back(sum);
      }
  return y;
}

class ConvTest : public ::testing::TestWithParam<ConvCase> {};

TEST_P(ConvTest, IsThatOfPlainLoops) {
  const ConvCase& c = GetParam();
  const auto x = Wave(static_cast<size_t>(c.channels * c.height * c.width), 0.7f);
  const auto w = Wave(static_cast<size_t>(c.outputs * (c.channels / c.groups) * c.kernel * c.kernel), 0.3f);
  const auto b = Wave(static_cast<size_t>(c.outputs), 1.1f);
  OnnxFile file;
  file.Input("x", {1, c.channels, c.height, c.width})
      .Constant("w", {c.outputs, c.channels / c.groups, c.kernel, c.kernel}, w)
      .Constant("b", {c.outputs}, b)
      .Node("Conv", {"x", "w", "b"}, {"y"},
            {OnnxInts("pads", {c.top, c.left, c.bottom, c.right}), OnnxInts("strides", {c.stride, c.stride}),
             OnnxInt("group", c.groups), OnnxInts("dilations", {c.dilation, c.dilation})})
      .Output("y");
  int oh = 0, ow = 0;
  const auto y = PlainConv(c, x, w, b, oh, ow);
  ExpectNear(RunImported(file, Last(x, c.channels, c.height, c.width)), Last(y, c.outputs, oh, ow));
}

INSTANTIATE_TEST_SUITE_P(
    Onnx, ConvTest,
    ::testing::Values(ConvCase{3, 6, 5, 4, 3, 1, 1, 1, 1, 1, 1, 1},    // SAME
                      ConvCase{3, 7, 8, 2, 3, 2, 1, 1, 1, 1, 1, 1},    // PyTorch's padding with a stride
                      ConvCase{2, 6, 6, 2, 2, 1, 1, 0, 1, 2, 0, 1},    // on three sides differently
                      ConvCase{4, 5, 5, 4, 3, 1, 4, 1, 1, 1, 1, 1},    // depthwise
                      ConvCase{3, 5, 5, 6, 3, 2, 3, 1, 1, 1, 1, 1},    // depthwise with two filters each
                      ConvCase{4, 5, 5, 6, 3, 1, 2, 1, 1, 1, 1, 1},    // two groups
                      ConvCase{2, 8, 8, 3, 3, 1, 1, 2, 2, 2, 2, 2}));  // dilated

TEST(ImportOnnx, AFlattenBeforeADenseLayerPermutesItsColumns) {
  const auto w = Wave(2 * 12, 0.4f);
  OnnxFile file;
  file.Input("x", {0, 3, 2, 2})
      .Node("Relu", {"x"}, {"r"})
      .Node("MaxPool", {"r"}, {"p"}, {OnnxInts("kernel_shape", {1, 1})});
  file.Node("Flatten", {"p"}, {"f"})
      .Constant("w", {2, 12}, w)
      .Node("Gemm", {"f", "w"}, {"y"}, {OnnxInt("transB", 1)})
      .Output("y");
  const auto x = Wave(12, 0.9f);
  std::vector<float> expected(2);
  for (size_t o = 0; o < 2; ++o)
    for (size_t i = 0; i < 12; ++i) expected[o] += std::max(x[i], 0.0f) * w[o * 12 + i];
  ExpectNear(RunImported(file, Last(x, 3, 2, 2)), expected);
  const auto import = Import(file);
  EXPECT_EQ(Count(import->graph, OpType::kTranspose), 0u);
}

TEST(ImportOnnx, TransposesAreOrdersAndMoveNothing) {
  // As Keras' exports have it: the channels last outside, first inside.
  OnnxFile file;
  file.Input("x", {1, 4, 4, 2}).Node("Transpose", {"x"}, {"t"}, {OnnxInts("perm", {0, 3, 1, 2})});
  file.Constant("w", {2, 2, 1, 1}, std::vector<float>{0, 1, 1, 0}).Node("Conv", {"t", "w"}, {"c"});
  file.Node("Transpose", {"c"}, {"y"}, {OnnxInts("perm", {0, 2, 3, 1})}).Output("y");
  const auto import = Import(file);
  ASSERT_TRUE(import.ok()) << import.error().message;
  EXPECT_EQ(Count(import->graph, OpType::kTranspose), 0u);
  EXPECT_EQ(import->graph.tensor(import->graph.inputs[0]).shape, (Shape{1, 4, 4, 2}));
  EXPECT_EQ(import->orders.at("y"), (AxisOrder{0, 1, 2, 3}));
}

TEST(ImportOnnx, WhereTwoOrdersMeetOneTransposeIsAddedAndReported) {
  // Rows of a map as tokens: [N, C, H, W] -> [N, C, H * W], multiplied along H * W.
  OnnxFile file;
  file.Input("x", {1, 3, 2, 2}).Constant("w", {3, 3, 1, 1}, Wave(9, 1)).Node("Conv", {"x", "w"}, {"c"});
  file.Constant("s", {3}, std::vector<int64_t>{1, 3, 4}).Node("Reshape", {"c", "s"}, {"r"});
  file.Constant("m", {4, 2}, Wave(8, 1)).Node("MatMul", {"r", "m"}, {"y"}).Output("y");
  std::vector<std::string> notes;
  const auto import = Import(file, &notes);
  ASSERT_TRUE(import.ok()) << import.error().message;
  EXPECT_EQ(Count(import->graph, OpType::kTranspose), 1u);
  bool told = false;
  for (const std::string& note : notes) told = told || note.starts_with("1 transpose was added");
  EXPECT_TRUE(told);
}

TEST(ImportOnnx, TheArithmeticOfShapesIsDoneOnce) {
  OnnxFile file;
  file.Input("x", {0, 2, 3}).Node("Shape", {"x"}, {"s"}).Constant("zero", {}, std::vector<int64_t>{0});
  file.Node("Gather", {"s", "zero"}, {"n"})
      .Constant("axes", {1}, std::vector<int64_t>{0})
      .Node("Unsqueeze", {"n", "axes"}, {"n1"});
  file.Constant("rest", {1}, std::vector<int64_t>{-1})
      .Node("Concat", {"n1", "rest"}, {"shape"}, {OnnxInt("axis", 0)});
  file.Node("Reshape", {"x", "shape"}, {"f"})
      .Constant("w", {6, 1}, std::vector<float>{1, 2, 3, 4, 5, 6})
      .Node("MatMul", {"f", "w"}, {"y"})
      .Output("y");
  ExpectNear(RunImported(file, {1, 0, 0, 0, 0, 1}), {7});
  EXPECT_EQ(Import(file)->graph.nodes.size(), 2u);
}

TEST(ImportOnnx, ABatchNormalizationGoesIntoItsFilterAndIsKeptForTraining) {
  OnnxFile file;
  file.Input("x", {1, 1, 1, 2})
      .Constant("w", {2, 1, 1, 1}, std::vector<float>{1, 2})
      .Constant("b", {2}, std::vector<float>{3, 4});
  file.Node("Conv", {"x", "w", "b"}, {"c"})
      .Constant("gamma", {2}, std::vector<float>{2, 3})
      .Constant("beta", {2}, std::vector<float>{1, -1});
  file.Constant("mean", {2}, std::vector<float>{0.5f, 1}).Constant("var", {2}, std::vector<float>{4, 9});
  file.Node("BatchNormalization", {"c", "gamma", "beta", "mean", "var"}, {"y"},
            {OnnxFloat("epsilon", 1e-9f), OnnxFloat("momentum", 0.8f)})
      .Output("y");
  // (x + 3 - 0.5) / 2 * 2 + 1 and (2 x + 4 - 1) / 3 * 3 - 1
  ExpectNear(RunImported(file, {1, 10}), {4.5f, 4, 13.5f, 22});
  const auto import = Import(file);
  ASSERT_EQ(import->batch_norms.size(), 1u);
  const FoldedBatchNorm& norm = import->batch_norms[0];
  EXPECT_EQ(norm.filter_name, "w");
  EXPECT_EQ(norm.filter, (std::vector<float>{1, 2}));
  EXPECT_EQ(norm.mean, (std::vector<float>{-2.5f, -3}));
  EXPECT_FLOAT_EQ(norm.momentum, 0.8f);
}

// Its axis 1 is what the transposition put there, and with a product of matrices it is a row: as many values
// as the filter has channels are no reason to fold.
TEST(ImportOnnx, ABatchNormalizationOfAnotherAxisThanTheFiltersStaysBehindIt) {
  const std::vector<float> scale = {2, 3}, offset = {1, -1}, mean = {0, 0}, variance = {1, 1};
  const auto normalize = [&](OnnxFile& file, const std::string& from) {
    file.Constant("g", {2}, scale)
        .Constant("b", {2}, offset)
        .Constant("m", {2}, mean)
        .Constant("v", {2}, variance);
    file.Node("BatchNormalization", {from, "g", "b", "m", "v"}, {"y"}, {OnnxFloat("epsilon", 0)}).Output("y");
  };
  OnnxFile moved;  // 2 channels and 2 rows change places
  moved.Input("x", {1, 1, 2, 1})
      .Constant("w", {2, 1, 1, 1}, std::vector<float>{1, 10})
      .Node("Conv", {"x", "w"}, {"c"})
      .Node("Transpose", {"c"}, {"t"}, {OnnxInts("perm", {0, 2, 1, 3})});
  normalize(moved, "t");
  // rows 1, 2 of channels x and 10 x: first row times 2 plus 1, second times 3 less 1
  ExpectNear(RunImported(moved, {1, 2}), {2 * 1 + 1, 2 * 10 + 1, 3 * 2 - 1, 3 * 20 - 1});
  EXPECT_TRUE(Import(moved)->batch_norms.empty());
  OnnxFile rows;
  rows.Input("x", {1, 2, 1})
      .Constant("w", {1, 2}, std::vector<float>{1, 10})
      .Node("MatMul", {"x", "w"}, {"p"});
  normalize(rows, "p");
  ExpectNear(RunImported(rows, {1, 2}), {2 * 1 + 1, 2 * 10 + 1, 3 * 2 - 1, 3 * 20 - 1});
  OnnxFile more;  // 3 rows beside 2 channels: was no size to fold
  more.Input("x", {1, 2, 1})
      .Constant("w", {1, 3}, std::vector<float>{1, 10, 100})
      .Node("MatMul", {"x", "w"}, {"p"});
  normalize(more, "p");
  ExpectNear(RunImported(more, {1, 2}), {3, 21, 201, 5, 59, 599});
}

// A cube's shape does not show it.
TEST(ImportOnnx, SaysWhereChannelsMoveAmongAxesOfOneSize) {
  OnnxFile file;
  file.Input("x", {1, 3, 3, 3})
      .Constant("w", {3, 3, 1, 1}, std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0, 1})
      .Node("Conv", {"x", "w"}, {"y"})
      .Output("y");
  const testing::TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "cube.onnx", file.Bytes()));
  std::vector<std::string> notes;
  QAT_ASSERT_OK(ReadNetwork(dir / "cube.onnx", {}, notes));
  const std::string all = Join(notes, "\n");
  EXPECT_NE(all.find("input 'x' takes [1, 3, 3, 3], the channels last; the source takes [1, 3, 3, 3]"),
            std::string::npos)
      << all;
  EXPECT_NE(all.find("output 'y' gives [1, 3, 3, 3]"), std::string::npos) << all;
}

// TFLite's interpreter prepares no CONV_2D without one.
TEST(ImportOnnx, AConvolutionWithoutABiasGetsZeros) {
  OnnxFile file;
  file.Input("x", {1, 2, 4, 4})
      .Constant("w", {3, 2, 1, 1}, std::vector<float>{0, 1, 1, 0, 2, 2})
      .Node("Conv", {"x", "w"}, {"y"})
      .Output("y");
  const auto import = Import(file);
  ASSERT_TRUE(import.ok()) << import.error().message;
  const Graph& graph = import->graph;
  ASSERT_EQ(Count(graph, OpType::kConv2D), 1u);
  for (const GraphNode& node : graph.nodes) {
    if (node.type != OpType::kConv2D) continue;
    ASSERT_EQ(node.inputs.size(), 3u);
    EXPECT_EQ(RealValues(graph.tensor(node.inputs[2])), std::vector<float>(3));
  }
}

TEST(ImportOnnx, AConvolutionThatIsReadTwiceKeepsItsFilter) {
  OnnxFile file;
  file.Input("x", {1, 1, 1, 2})
      .Constant("w", {1, 1, 1, 1}, std::vector<float>{2})
      .Node("Conv", {"x", "w"}, {"c"})
      .Node("Identity", {"c"}, {"same"});
  const std::vector<float> one = {1}, four = {4};
  file.Constant("g", {1}, one).Constant("b", {1}, one).Constant("m", {1}, one).Constant("v", {1}, four);
  file.Node("BatchNormalization", {"same", "g", "b", "m", "v"}, {"n"}, {OnnxFloat("epsilon", 1e-9f)})
      .Node("Add", {"n", "c"}, {"y"})
      .Output("y");
  ExpectNear(RunImported(file, {1, 3}), {(2 - 1) / 2.0f + 1 + 2, (6 - 1) / 2.0f + 1 + 6});
  EXPECT_TRUE(Import(file)->batch_norms.empty());
}

TEST(ImportOnnx, PoolsPadAsOnnxDoes) {
  const std::vector<float> x = {-5, -2, -3, -4, -6};
  OnnxFile largest;
  largest.Input("x", {1, 1, 1, 5})
      .Node("MaxPool", {"x"}, {"y"},
            {OnnxInts("kernel_shape", {1, 3}), OnnxInts("strides", {1, 2}), OnnxInts("pads", {0, 1, 0, 1})})
      .Output("y");
  ExpectNear(RunImported(largest, x), {-2, -2, -4});
  for (const bool counts : {false, true}) {
    OnnxFile mean;
    mean.Input("x", {1, 1, 1, 5})
        .Node("AveragePool", {"x"}, {"y"},
              {OnnxInts("kernel_shape", {1, 3}), OnnxInts("strides", {1, 2}), OnnxInts("pads", {0, 1, 0, 1}),
               OnnxInt("count_include_pad", counts)})
        .Output("y");
    const float ends = counts ? 3.0f : 2.0f;
    ExpectNear(RunImported(mean, x), {-7 / ends, -9 / 3.0f, -10 / ends});
  }
}

TEST(ImportOnnx, AnInitializerThatIsAnInputIsAConstant) {
  OnnxFile file;
  file.Input("x", {1, 2})
      .Input("w", {2, 1})
      .Constant("w", {2, 1}, std::vector<float>{3, 4})
      .Node("MatMul", {"x", "w"}, {"y"})
      .Output("y");
  ExpectNear(RunImported(file, {1, 2}), {11});
}

TEST(ImportOnnx, GeluThatWasTakenApartIsOneOperatorAgain) {
  OnnxFile file;
  file.Input("x", {1, 3})
      .Constant("root", {}, std::vector<float>{1.41421356f})
      .Constant("one", {}, std::vector<float>{1})
      .Constant("half", {}, std::vector<float>{0.5f});
  file.Node("Div", {"x", "root"}, {"d"})
      .Node("Erf", {"d"}, {"e"})
      .Node("Add", {"e", "one"}, {"a"})
      .Node("Mul", {"x", "a"}, {"m"})
      .Node("Mul", {"m", "half"}, {"y"})
      .Output("y");
  std::vector<float> expected;
  for (const float x : {-1.0f, 0.5f, 2.0f})
    expected.push_back(0.5f * x * (1 + std::erf(x / std::sqrt(2.0f))));
  ExpectNear(RunImported(file, {-1, 0.5f, 2}), expected);
  EXPECT_EQ(Import(file)->graph.nodes.size(), 1u);
}

// As tf2onnx writes the mean of a layer normalization, over the last axis of [N, T, C].
TEST(ImportOnnx, AGlobalPoolDoesNotSayWhereTheChannelsOfASeriesAre) {
  const auto x = Wave(3 * 2, 0.5f);
  OnnxFile file;
  file.Input("x", {1, 3, 2})
      .Constant("w", {2, 2}, std::vector<float>{1, 2, 3, 4})
      .Node("MatMul", {"x", "w"}, {"m"})
      .Node("Add", {"x", "m"}, {"a"})
      .Node("GlobalAveragePool", {"a"}, {"y"})
      .Output("y");
  std::vector<float> expected;
  for (size_t t = 0; t < 3; ++t) {
    const float a = x[2 * t], b = x[2 * t + 1];
    expected.push_back((a + b + (a + 3 * b) + (2 * a + 4 * b)) / 2);
  }
  ExpectNear(RunImported(file, x), expected);
  // Neither does a slope for all channels.
  OnnxFile sloped;
  sloped.Input("x", {1, 3, 2})
      .Constant("slope", {1}, std::vector<float>{0.5f})
      .Constant("w", {2, 1}, std::vector<float>{1, 1})
      .Node("PRelu", {"x", "slope"}, {"p"})
      .Node("MatMul", {"p", "w"}, {"y"})
      .Output("y");
  const auto plain = Import(sloped);
  QAT_ASSERT_OK(plain);
  EXPECT_EQ(plain->graph.contract.input().shape, (Shape{3, 2}));
  // Alone it does.
  OnnxFile alone;
  alone.Input("x", {1, 3, 2}).Node("GlobalAveragePool", {"x"}, {"y"}).Output("y");
  const auto import = Import(alone);
  QAT_ASSERT_OK(import);
  EXPECT_EQ(import->graph.contract.input().shape, (Shape{2, 3}));
}

TEST(ImportOnnx, TokensLookUpTheRowsOfAnEmbedding) {
  for (const int type : {6, 7}) {  // int32, int64
    OnnxFile file;
    file.Input("ids", {1, 3}, type)
        .Constant("w", {4, 2}, std::vector<float>{0, 1, 10, 11, 20, 21, 30, 31})
        .Node("Gather", {"w", "ids"}, {"y"})
        .Output("y");
    std::vector<std::string> notes;
    const auto import = Import(file, &notes);
    QAT_ASSERT_OK(import);
    ASSERT_FALSE(notes.empty());
    EXPECT_NE(notes[0].find("the model takes the same whole numbers as float32"), std::string::npos)
        << notes[0];
    EXPECT_EQ(import->graph.tensor(import->graph.inputs[0]).type, DType::kFloat32);
    EXPECT_EQ(RunImported(file, std::vector<float>{3, 0, 2}), (std::vector<float>{30, 31, 0, 1, 20, 21}));
  }
}

// TFLite has no SPLIT of them.
TEST(ImportOnnx, TruthValuesAreSlicedApart) {
  OnnxFile file;
  file.Input("x", {1, 4})
      .Constant("zero", {}, std::vector<float>{0})
      .Node("Greater", {"x", "zero"}, {"g"})
      .Node("Split", {"g"}, {"a", "b"}, {OnnxInt("axis", 1)})
      .Node("And", {"a", "b"}, {"both"})
      .Node("Cast", {"both"}, {"y"}, {OnnxInt("to", 1)})
      .Output("y");
  const auto import = Import(file);
  QAT_ASSERT_OK(import);
  for (const GraphNode& node : import->graph.nodes) EXPECT_NE(node.type, OpType::kSplit);
  EXPECT_EQ(RunImported(file, std::vector<float>{1, -1, 2, 3}), (std::vector<float>{1, 0}));
}

TEST(ImportOnnx, ASeriesIsAnImageOfOneRow) {
  const auto x = Wave(2 * 6, 0.5f), w = Wave(3 * 2 * 3, 0.8f);
  OnnxFile file;
  file.Input("x", {1, 2, 6})
      .Constant("w", {3, 2, 3}, w)
      .Node("Conv", {"x", "w"}, {"c"}, {OnnxInts("pads", {1, 1})})
      .Node("Relu", {"c"}, {"y"})
      .Output("y");
  std::vector<float> expected;
  for (int t = 0; t < 6; ++t)
    for (size_t o = 0; o < 3; ++o) {
      float sum = 0;
      for (size_t k = 0; k < 2; ++k)
        for (int q = 0; q < 3; ++q) {
          const int at = t + q - 1;
          if (at >= 0 && at < 6)
            sum += x[k * 6 + static_cast<size_t>(at)] * w[(o * 2 + k) * 3 + static_cast<size_t>(q)];
        }
      expected.push_back(std::max(sum, 0.0f));
    }
  std::vector<float> steps;  // [6, 2]
  for (size_t t = 0; t < 6; ++t)
    for (size_t k = 0; k < 2; ++k) steps.push_back(x[k * 6 + t]);
  ExpectNear(RunImported(file, steps), expected);
}

TEST(ImportOnnx, EverythingThatCannotComeInIsListedAtOnce) {
  OnnxFile file;
  file.Input("x", {1, 3, 4, 4})
      .Node("Mystery", {"x"}, {"a"}, {}, "com.someone")
      .Node("GridSample", {"a", "a"}, {"b"})
      .Node("NonMaxSuppression", {"x"}, {"y"});
  file.Output("y").Output("b");
  const std::string message = ErrorOf(file, ErrorCode::kUnsupported);
  EXPECT_NE(message.find("Mystery: is an operator of 'com.someone'"), std::string::npos) << message;
  EXPECT_NE(message.find("\n  GridSample: has no kernel in TFLite; use a resize ('b_node')"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("\n  NonMaxSuppression: leave the selection of boxes out"), std::string::npos)
      << message;
}

TEST(ImportOnnx, SizesThatAreOpenAreRefusedOrSaid) {
  OnnxFile file;
  file.Input("x", {0, 3, 0, 0})
      .Constant("w", {1, 3, 1, 1}, std::vector<float>{1, 1, 1})
      .Node("Conv", {"x", "w"}, {"y"})
      .Output("y");
  EXPECT_NE(ErrorOf(file, ErrorCode::kUnsupported).find("input 'x': leaves axis 2 open ('dim')"),
            std::string::npos);
  const auto import =
      Import(file, nullptr,
             {.mean = {}, .std = {}, .mean_of = {}, .std_of = {}, .input_shapes = {{"", {1, 3, 8, 6}}}});
  ASSERT_TRUE(import.ok()) << import.error().message;
  EXPECT_EQ(import->graph.tensor(import->graph.inputs[0]).shape, (Shape{1, 8, 6, 3}));
  const auto other =
      Import(file, nullptr,
             {.mean = {}, .std = {}, .mean_of = {}, .std_of = {}, .input_shapes = {{"z", {1, 3, 8, 6}}}});
  EXPECT_FALSE(other.ok());
}

// torch.onnx.export(..., training=TrainingMode.TRAINING): dropout with its mask, statistics of the batch as
// outputs that nothing reads.
TEST(ImportOnnx, ANetworkInTrainingModeComesInAsInEvalMode) {
  const std::vector<float> one = {1}, four = {4};
  OnnxFile file;
  file.Input("x", {1, 1, 1, 2})
      .Constant("w", {1, 1, 1, 1}, std::vector<float>{2})
      .Node("Conv", {"x", "w"}, {"c"});
  file.Constant("g", {1}, one).Constant("b", {1}, one).Constant("m", {1}, one).Constant("v", {1}, four);
  file.Node("BatchNormalization", {"c", "g", "b", "m", "v"}, {"n", "mean", "var"},
            {OnnxFloat("epsilon", 1e-9f), OnnxInt("training_mode", 1)});
  file.Constant("ratio", {}, std::vector<float>{0.5f})
      .Node("Dropout", {"n", "ratio", ""}, {"y", "mask"})
      .Output("y");
  std::vector<std::string> notes;
  const auto import = Import(file, &notes);
  ASSERT_TRUE(import.ok()) << import.error().message;
  EXPECT_EQ(import->batch_norms.size(), 1u);
  EXPECT_NE(Join(notes).find("1 batch normalization was exported in training mode"), std::string::npos);
  ExpectNear(RunImported(file, {1, 3}), {(2 - 1) / 2.0f + 1, (6 - 1) / 2.0f + 1});
}

// Networks as both of PyTorch's exporters write them, and PyTorch's own answers:
// scripts/make_onnx_fixtures.py.
class ExportTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ExportTest, ComputesWhatPyTorchDoes) {
  const std::string folder = std::string(kSourceDir) + "/tests/import/onnx/";
  std::vector<std::string> notes;
  auto network = ReadNetwork(folder + GetParam() + ".onnx", {}, notes);
  ASSERT_TRUE(network.ok()) << network.error().message;
  const auto verified =
      VerifySource(network->graph, {folder + "x.npy", folder + "y.npy", 1e-5, network->orders});
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  EXPECT_EQ(verified->examples, 2);
  EXPECT_EQ(Count(network->graph, OpType::kTranspose), 0u);
  EXPECT_EQ(network->batch_norms.size(), std::string(GetParam()) == "batch_norms" ? 2u : 0u);
}

INSTANTIATE_TEST_SUITE_P(Files, ExportTest, ::testing::Values("script", "dynamo", "batch_norms"));

// As exports of detectors have it: bytes come in and become real numbers first.
TEST(ImportOnnx, ACastOfBytesMakesAnInputOfPictures) {
  const auto file = [](const std::string& moved) {
    OnnxFile bytes;
    bytes.Input("x", {1, 3, 4, 4}, 2);
    if (!moved.empty()) bytes.Node(moved, {"x"}, {"m"});
    return bytes.Node("Cast", {moved.empty() ? "x" : "m"}, {"f"}, {OnnxInt("to", 1)})
        .Constant("w", {2, 3, 1, 1}, std::vector<float>{1, 0, 0, 0, 0.5f, 0.25f})
        .Node("Conv", {"f", "w"}, {"y"})
        .Output("y");
  };
  for (const std::string moved : {"", "Identity"}) {
    std::vector<std::string> notes;
    const auto import = Import(file(moved), &notes);
    QAT_ASSERT_OK(import);
    EXPECT_TRUE(import->takes_bytes);
    EXPECT_EQ(import->graph.contract.input().values, ValueType::kByte);
    EXPECT_EQ(import->graph.contract.input().mean, std::vector<float>(3, 0));
    EXPECT_EQ(import->graph.contract.input().std, std::vector<float>(3, 1));
    EXPECT_EQ(std::count(notes.begin(), notes.end(), "input 'x' is uint8: real = byte"), 1);
    std::vector<float> pixels(48);
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i * 5);
    const std::vector<float> y = RunImported(file(moved), pixels);
    ASSERT_EQ(y.size(), 32u);
    for (size_t i = 0; i < 16; ++i) {  // channels last
      EXPECT_EQ(y[2 * i], pixels[3 * i]);
      EXPECT_EQ(y[2 * i + 1], 0.5f * pixels[3 * i + 1] + 0.25f * pixels[3 * i + 2]);
    }
  }
  OnnxImportOptions options;
  options.mean = {127.5f};
  const auto stated = Import(file(""), nullptr, options);
  ASSERT_FALSE(stated.ok());
  EXPECT_NE(stated.error().message.find("input 'x' is uint8"), std::string::npos) << stated.error().message;
}

}  // namespace
}  // namespace qat
