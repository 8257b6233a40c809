// What each operator makes of a spec: shapes and index operands, as TensorFlow's documentation of the
// operators has them.
#include "ops/input_order.h"
#include "spec/build_graph.h"
#include "spec/parse.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::Layer;
using testing::ParseLayersOfNet;

struct Case {
  std::string op;
  std::string keys;
  Shape output;  // of [1, 8, 8, 3]
  std::vector<std::vector<int32_t>> indices = {};
};

class OperatorKeys : public ::testing::TestWithParam<Case> {};

TEST_P(OperatorKeys, GiveTheShapeAndTheIndexOperands) {
  const Case& c = GetParam();
  const auto spec = ParseLayersOfNet(Layer("x", c.op, c.keys));
  QAT_ASSERT_OK(spec);
  const LayerSpec& layer = spec->layers.back();
  EXPECT_EQ(layer.output_shape, c.output);
  std::vector<std::vector<int32_t>> indices;
  if (layer.definition().index_operands != nullptr) {
    for (const IndexOperand& each :
         layer.definition().index_operands(layer.attributes, spec->inputs.front().shape)) {
      EXPECT_EQ(FlatSize(each.shape), std::ssize(each.values));
      indices.push_back(each.values);
    }
  }
  EXPECT_EQ(indices, c.indices);
  EXPECT_NE(PrintNetwork(*BuildGraph(*spec)).find(c.op), std::string::npos);
}

const Case kCases[] = {
    {"depthwise_conv_2d", "kernel = [3, 5]\nmultiplier = 2\nstride = 2\n", {1, 4, 4, 6}},
    {"transpose_conv", "filters = 5\nkernel = 3\nstride = 2\n", {1, 16, 16, 5}, {{1, 16, 16, 5}}},
    {"transpose_conv",
     "filters = 5\nkernel = 4\nstride = 3\npadding = \"valid\"\n",
     {1, 25, 25, 5},
     {{1, 25, 25, 5}}},
    {"transpose_conv",
     "filters = 1\nkernel = 1\nstride = 2\npadding = \"valid\"\n",
     {1, 16, 16, 1},
     {{1, 16, 16, 1}}},
    {"add", "inputs = [\"input\", \"input\"]\nactivation = \"relu\"\n", {1, 8, 8, 3}},
    {"sub", "inputs = [\"input\", \"input\"]\n", {1, 8, 8, 3}},
    {"mul", "inputs = [\"input\", \"input\"]\n", {1, 8, 8, 3}},
    {"maximum", "inputs = [\"input\", \"input\"]\n", {1, 8, 8, 3}},
    {"minimum", "inputs = [\"input\", \"input\"]\n", {1, 8, 8, 3}},
    {"concatenation", "inputs = [\"input\", \"input\"]\n", {1, 8, 8, 6}},
    {"concatenation", "inputs = [\"input\", \"input\"]\naxis = 1\n", {1, 16, 8, 3}},
    {"slice", "begin = [1, 2, 0]\nsize = [-1, 3, 2]\n", {1, 7, 3, 2}, {{0, 1, 2, 0}, {-1, -1, 3, 2}}},
    {"slice", "begin = [4]\nsize = [2]\n", {1, 2, 8, 3}, {{0, 4, 0, 0}, {-1, 2, -1, -1}}},
    {"strided_slice",
     "begin = [1, -3]\nend = [-1, 8]\nstrides = [2, 1]\n",
     {1, 3, 3, 3},
     {{0, 1, -3, 0}, {0, -1, 8, 1 << 20}, {1, 2, 1, 1}}},
    {"pad", "pads = [1, 2, 3, 4]\n", {1, 11, 15, 3}, {{0, 0, 1, 2, 3, 4, 0, 0}}},
    {"pad", "pads = [0, 0, 0, 0, 0, 5]\n", {1, 8, 8, 8}, {{0, 0, 0, 0, 0, 0, 0, 5}}},
    {"mean", "", {1, 3}, {{1, 2}}},
    {"mean", "axes = [-1]\nkeep_dims = true\n", {1, 8, 8, 1}, {{-1}}},
    {"reshape", "shape = [-1, 6]\n", {1, 32, 6}, {{-1, 32, 6}}},
    {"expand_dims", "axis = 1\n", {1, 1, 8, 8, 3}, {{1}}},
    {"transpose", "perm = [0, 3, 1, 2]\n", {1, 3, 8, 8}, {{0, 3, 1, 2}}},
    {"resize_bilinear", "size = [4, 20]\n", {1, 4, 20, 3}, {{4, 20}}},
    {"resize_nearest_neighbor", "scale = [2, 3]\n", {1, 16, 24, 3}, {{16, 24}}},
    {"leaky_relu", "alpha = 0.1\n", {1, 8, 8, 3}},
    {"prelu", "", {1, 8, 8, 3}},
    {"relu", "", {1, 8, 8, 3}},
    {"relu6", "", {1, 8, 8, 3}},
    {"relu_n1_to_1", "", {1, 8, 8, 3}},
    {"hard_swish", "", {1, 8, 8, 3}},
    {"logistic", "", {1, 8, 8, 3}},
    {"tanh", "", {1, 8, 8, 3}},
    {"quantize", "", {1, 8, 8, 3}},
};

std::string NameOfCase(const ::testing::TestParamInfo<Case>& info) {
  return info.param.op + "_" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(All, OperatorKeys, ::testing::ValuesIn(kCases), NameOfCase);

TEST(OperatorKeys, SqueezeDropsTheAxesItIsTold) {
  const auto spec =
      ParseLayersOfNet(Layer("m", "mean", "keep_dims = true\n") + Layer("s", "squeeze", "axes = [1, -2]\n"));
  QAT_ASSERT_OK(spec);
  EXPECT_EQ(spec->layers[1].output_shape, (Shape{1, 3}));
}

TEST(OperatorKeys, ResizesSayWhereThePixelsLie) {
  const auto attributes = [](const std::string& op, const std::string& keys) {
    const auto spec = ParseLayersOfNet(Layer("x", op, "scale = 2\n" + keys));
    EXPECT_TRUE(spec.ok());
    return std::get<ResizeAttributes>(spec->layers[0].attributes);
  };
  EXPECT_TRUE(attributes("resize_bilinear", "").half_pixel_centers);
  EXPECT_FALSE(attributes("resize_nearest_neighbor", "").half_pixel_centers);
  EXPECT_FALSE(attributes("resize_bilinear", "align_corners = true\n").half_pixel_centers);
  EXPECT_TRUE(attributes("resize_bilinear", "align_corners = true\n").align_corners);
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("x", "resize_bilinear",
                                          "size = 4\nalign_corners = true\nhalf_pixel_centers = true\n")),
                   ErrorCode::kInvalidArgument,
                   "'half_pixel_centers' is true, expected false with align_corners");
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("x", "resize_bilinear", "size = 4\nscale = 2\n")),
                   ErrorCode::kInvalidArgument, "expected either size or scale");
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("x", "resize_bilinear")), ErrorCode::kInvalidArgument,
                   "expected a size or a scale");
}

TEST(OperatorKeys, PReluLearnsOneSlopeAChannel) {
  const auto spec = ParseLayersOfNet(Layer("x", "prelu", "slope = 0.1\n"));
  QAT_ASSERT_OK(spec);
  ASSERT_EQ(spec->layers[0].parameters.size(), 1u);
  EXPECT_EQ(spec->layers[0].parameters[0].shape, (Shape{1, 1, 3}));
  EXPECT_EQ(spec->layers[0].parameters[0].role, ParameterSpec::Role::kSlope);
}

// A key's default, as the page shows it, is what a layer without the key has.
TEST(OperatorKeys, DefaultsAreWhatThePageSays) {
  for (const OpDefinition* op : AllOps()) {
    for (const AttributeKey& key : op->keys) {
      AttributeValue value;
      const std::string text(key.default_value);
      if (text.empty() || text == "none" || text.find("…") != std::string::npos) continue;
      if (text == "true" || text == "false") {
        value = text == "true";
      } else if (text[0] == '"') {
        value = text.substr(1, text.size() - 2);
      } else if (text == "[1, 2]") {
        value = std::vector<int64_t>{1, 2};
      } else if (text == "[-1]") {
        value = std::vector<int64_t>{-1};
      } else if (text.find('.') != std::string::npos) {
        value = std::stod(text);
      } else {
        value = int64_t{std::stoi(text)};
      }
      OpAttributes attributes = op->default_attributes;
      QAT_ASSERT_OK(key.set(attributes, value));
      EXPECT_EQ(attributes, op->default_attributes) << op->name << " " << key.name;
    }
  }
}

}  // namespace
}  // namespace qat
