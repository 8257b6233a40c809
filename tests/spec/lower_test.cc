#include "spec/lower.h"

#include "spec/parse.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::Layer;
using testing::ParseLayersOfNet;
using Strings = std::vector<std::string>;

Strings Names(const NetworkSpec& spec) {
  Strings names;
  for (const LayerSpec& layer : spec.layers) names.push_back(layer.name);
  return names;
}

TEST(Lower, ExplicitPaddingIsAPadInFront) {
  const auto spec = ParseLayersOfNet(
      Layer("c", "conv_2d", "filters = 4\nkernel = 3\nstride = 2\npadding = [1, 1, 1, 1]\n"));
  QAT_ASSERT_OK(spec);
  ASSERT_EQ(Names(*spec), (Strings{"c/pad", "c"}));
  EXPECT_EQ(spec->layers[0].output_shape, (Shape{1, 10, 10, 3}));
  EXPECT_EQ(spec->layers[1].inputs, std::vector<int32_t>{0});
  EXPECT_EQ(std::get<Conv2DAttributes>(spec->layers[1].attributes).padding, Padding::kValid);
  EXPECT_EQ(spec->layers[1].output_shape, (Shape{1, 4, 4, 4}));  // floor((8 + 2 - 3) / 2) + 1
}

// With stride 1 one pixel on every side is what same pads; with stride 2 on an even size it pads the end
// only.
TEST(Lower, ExplicitPaddingThatSameWouldGiveIsSame) {
  for (const char* keys :
       {"kernel = 3\npadding = [1, 1, 1, 1]\n", "kernel = 3\nstride = 2\npadding = [0, 1, 0, 1]\n"}) {
    for (const std::string op : {"conv_2d", "depthwise_conv_2d"}) {
      const auto spec =
          ParseLayersOfNet(Layer("c", op, (op == "conv_2d" ? "filters = 4\n" : "") + std::string(keys)));
      QAT_ASSERT_OK(spec);
      EXPECT_EQ(Names(*spec), Strings{"c"}) << op << " " << keys;
    }
  }
}

// What same pads is not counted by a pool; a border of zeros is.
TEST(Lower, PoolsAreAlwaysPaddedByAPad) {
  const auto spec =
      ParseLayersOfNet(Layer("p", "average_pool_2d", "window = 3\nstride = 1\npadding = [1, 1, 1, 1]\n"));
  QAT_ASSERT_OK(spec);
  EXPECT_EQ(Names(*spec), (Strings{"p/pad", "p"}));
  EXPECT_EQ(spec->layers[1].output_shape, (Shape{1, 8, 8, 3}));
}

TEST(Lower, GroupsAreASplitConvolutionsAndAConcatenation) {
  const auto spec = ParseLayersOfNet(Layer("a", "conv_2d", "filters = 8\nkernel = 1\n") +
                                     Layer("g", "conv_2d",
                                           "filters = 4\nkernel = 3\ngroups = 2\nbatch_norm = true\n"
                                           "activation = \"relu\"\n"));
  QAT_ASSERT_OK(spec);
  ASSERT_EQ(Names(*spec), (Strings{"a", "g/in:0", "g/in:1", "g/group0", "g/group1", "g"}));
  EXPECT_EQ(spec->layers[3].inputs, std::vector<int32_t>{1});
  EXPECT_EQ(spec->layers[4].inputs, std::vector<int32_t>{2});
  EXPECT_EQ(spec->layers[4].parameters[0].shape, (Shape{2, 3, 3, 4}));
  EXPECT_TRUE(spec->layers[4].batch_norm.has_value());
  EXPECT_EQ(FusedActivation(spec->layers[4].attributes), Activation::kRelu);
  EXPECT_EQ(spec->layers[5].inputs, (std::vector<int32_t>{3, 4}));
  EXPECT_EQ(spec->layers[5].output_shape, (Shape{1, 8, 8, 4}));
}

TEST(Lower, AGroupForEveryChannelIsADepthwiseConvolution) {
  const auto spec =
      ParseLayersOfNet(Layer("g", "conv_2d", "filters = 6\nkernel = 3\ngroups = 3\nstride = [1, 2]\n"));
  QAT_ASSERT_OK(spec);
  ASSERT_EQ(Names(*spec), Strings{"g"});
  EXPECT_EQ(spec->layers[0].type, OpType::kDepthwiseConv2D);
  EXPECT_EQ(spec->layers[0].parameters[0].shape, (Shape{1, 3, 3, 6}));
  EXPECT_EQ(spec->layers[0].output_shape, (Shape{1, 8, 4, 6}));
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("g", "conv_2d", "filters = 4\nkernel = 3\ngroups = 2\n")),
                   ErrorCode::kInvalidArgument,
                   "groups is 2, expected a divisor of the channels of [1, 8, 8, 3]");
}

TEST(Lower, ASplitHasOneLayerForEachPart) {
  const auto spec = ParseLayersOfNet(Layer("s", "split", "parts = [1, -1]\n") +
                                     Layer("j", "concatenation", "inputs = [\"s:1\", \"s:0\"]\n"));
  QAT_ASSERT_OK(spec);
  ASSERT_EQ(Names(*spec), (Strings{"s:0", "s:1", "j"}));
  EXPECT_EQ(spec->layers[0].type, OpType::kSplitV);
  EXPECT_EQ(spec->layers[0].output_shape, (Shape{1, 8, 8, 1}));
  EXPECT_EQ(spec->layers[1].output_shape, (Shape{1, 8, 8, 2}));
  EXPECT_EQ(std::get<SplitAttributes>(spec->layers[1].attributes).part, 1);
  EXPECT_EQ(spec->layers[2].inputs, (std::vector<int32_t>{1, 0}));
  const auto equal = ParseLayersOfNet(
      Layer("s", "split", "parts = 4\naxis = 1\n") + Layer("a", "add", "inputs = [\"s:0\", \"s:1\"]\n") +
      Layer("b", "add", "inputs = [\"s:2\", \"s:3\"]\n") + Layer("c", "add", "inputs = [\"a\", \"b\"]\n"));
  QAT_ASSERT_OK(equal);
  EXPECT_EQ(equal->layers[3].output_shape, (Shape{1, 2, 8, 3}));
}

TEST(Lower, PartsAreReadByNumber) {
  const std::string split = Layer("s", "split", "parts = 3\n");
  QAT_EXPECT_ERROR(ParseLayersOfNet(split + Layer("a", "reshape")), ErrorCode::kInvalidArgument,
                   "the layer before has 3 outputs, expected 'inputs' with \"s:0\" to \"s:2\"");
  QAT_EXPECT_ERROR(ParseLayersOfNet(split + Layer("a", "reshape", "inputs = [\"s\"]\n")),
                   ErrorCode::kInvalidArgument, "input 's', expected \"s:0\" to \"s:2\", one of the parts");
  QAT_EXPECT_ERROR(ParseLayersOfNet(split + Layer("a", "reshape", "inputs = [\"s:3\"]\n")),
                   ErrorCode::kInvalidArgument, "input 's:3', expected \"s:0\" to \"s:2\"");
  QAT_EXPECT_ERROR(
      ParseLayersOfNet(Layer("p", "max_pool_2d") + Layer("a", "reshape", "inputs = [\"p:0\"]\n")),
      ErrorCode::kInvalidArgument, "input 'p:0', expected \"p\", which has one output");
  QAT_EXPECT_ERROR(ParseLayersOfNet(split + Layer("a", "add", "inputs = [\"s:0\", \"s:2\"]\n")),
                   ErrorCode::kInvalidArgument,
                   "layer 's:1' is read by no other layer and is not the last one; a slice takes a part");
}

}  // namespace
}  // namespace qat
