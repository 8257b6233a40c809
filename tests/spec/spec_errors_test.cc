#include <gtest/gtest.h>

#include "base/strings.h"
#include "ops/op.h"
#include "spec/op_names.h"
#include "spec/parse.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::Layer;
using testing::ParseLayersOfNet;

std::vector<std::string> Lines(const Expected<NetworkSpec>& spec) {
  if (spec.ok()) return {};
  std::vector<std::string> lines = SplitText(spec.error().message, '\n');
  for (size_t i = 1; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i].rfind("  ", 0), 0u) << "indented, so that no name is taken for a line: " << lines[i];
    lines[i].erase(0, 2);
  }
  return lines;
}

TEST(SpecErrors, AllProblemsAreToldAtOnceEachWithItsPlace) {
  const auto spec = ParseLayersOfNet(Layer("a", "conv_2d", "filters = 0\nkernel = 3\nstrid = 2\n") +  // 6
                                     Layer("b", "selu") +                                             // 12
                                     Layer("c", "max_pool_2d", "window = 9\n") +                      // 15
                                     Layer("d", "dense", "units = 3\n") +                             // 19
                                     Layer("d", "tanh"));                                             // 23
  const std::vector<std::string> lines = Lines(spec);
  ASSERT_EQ(lines.size(), 5u) << spec.error().message;
  EXPECT_EQ(lines[1].rfind("net.toml:11:1: layer 'a': unknown key 'strid'; did you mean 'stride'?", 0), 0u);
  EXPECT_EQ(lines[0], "net.toml:9:11: layer 'a': 'filters' is 0, expected a positive integer");
  EXPECT_EQ(lines[2].rfind("net.toml:14:6: layer 'b': selu has no integer form in TFLite; use leaky_relu", 0),
            0u);
  EXPECT_EQ(
      lines[3].rfind("net.toml:21:6: layer 'd': unknown op 'dense'; did you mean 'fully_connected'?", 0), 0u);
  EXPECT_EQ(lines[4], "net.toml:24:8: layer 'd': its name is taken by the layer of line 19");
  EXPECT_EQ(spec.error().code, ErrorCode::kInvalidArgument);
}

// The window of 9 would not fit into 8x8, but nobody knows what a layer behind a broken one reads.
TEST(SpecErrors, NothingIsSaidAboutReadersOfAnUnknownOutput) {
  const auto spec = ParseLayersOfNet(
      Layer("a", "selu") + Layer("b", "max_pool_2d", "window = 9\npadding = \"valid\"\n") +
      Layer("c", "add", "inputs = [\"a\", \"b\"]\n") + Layer("d", "reshape", "inputs = [\"a:3\"]\n") +
      Layer("e", "maximum", "inputs = [\"c\", \"d\"]\n"));
  EXPECT_EQ(Lines(spec).size(), 1u) << spec.error().message;
}

TEST(SpecErrors, WhatTheConverterPlacesIsLeftToIt) {
  const auto spec = ParseLayersOfNet(Layer("a", "arg_max") + Layer("b", "softmax"));
  ASSERT_EQ(Lines(spec).size(), 2u) << spec.error().message;
  EXPECT_NE(Lines(spec)[0].find("layer 'a': arg_max cannot be trained through; leave it out"),
            std::string::npos);
  EXPECT_NE(Lines(spec)[1].find("net.toml:11:6: layer 'b': softmax is the output"), std::string::npos);
  EXPECT_EQ(spec.error().code, ErrorCode::kUnsupported);
  QAT_ASSERT_OK(ParseLayersOfNet(Layer("b", "softmax") + Layer("c", "fully_connected", "units = 2\n")));
}

TEST(SpecErrors, OnlyWhatIsUnsupportedHasTheCodeOfTheUnsupported) {
  const auto unsupported = ParseLayersOfNet(Layer("a", "lstm") + Layer("b", "layer_norm"));
  EXPECT_EQ(Lines(unsupported).size(), 2u);
  EXPECT_EQ(unsupported.error().code, ErrorCode::kUnsupported);
  const auto mixed = ParseLayersOfNet(Layer("a", "lstm") + Layer("b", "conv_2d", "kernel = 3\n"));
  EXPECT_EQ(Lines(mixed).size(), 2u);
  EXPECT_EQ(mixed.error().code, ErrorCode::kInvalidArgument);
}

TEST(SpecErrors, AMisspelledInputIsNotAlsoAnUnreadLayer) {
  const auto spec =
      ParseLayersOfNet(Layer("first", "max_pool_2d") + Layer("b", "reshape", "inputs = [\"frist\"]\n"));
  ASSERT_EQ(Lines(spec).size(), 1u) << spec.error().message;
  EXPECT_NE(Lines(spec)[0].find("unknown input 'frist'; did you mean 'first'?"), std::string::npos);
}

TEST(SpecErrors, ReadingALaterLayerIsNoMissingName) {
  const auto spec = ParseLayersOfNet(Layer("a", "add", "inputs = [\"input\", \"b\"]\n") +    // 6
                                     Layer("b", "relu", "inputs = [\"a\"]\n") +              // 10
                                     Layer("c", "add", "inputs = [\"c\", \"parts:1\"]\n") +  // 14
                                     Layer("parts", "split", "parts = 3\n"));
  const std::vector<std::string> lines = Lines(spec);
  ASSERT_EQ(lines.size(), 3u) << spec.error().message;
  EXPECT_EQ(
      lines[0],
      "net.toml:9:20: layer 'a': input 'b' is this layer or a later one (line 10), expected an earlier one: "
      "layers run in the order of the text");
  EXPECT_EQ(lines[1].rfind("net.toml:17:11: layer 'c': input 'c' is this layer or a later one (line 14)", 0),
            0u);
  EXPECT_EQ(lines[2].rfind("net.toml:17:16: layer 'c': input 'parts:1' is this layer or a later one", 0), 0u);
}

TEST(SpecErrors, ValuesOfAnotherTypeAreShownAsWritten) {
  const auto spec = ParseNetworkSpec(
      "name = 5\nclasses = \"ten\"\n[input]\nheight = 0\nwidth = [1, 2]\nchannels = 1.5\n"
      "[[layer]]\nname = 7\nop = \"relu\"\n"
      "[[layer]]\nname = \"b\"\nop = 2024-01-01\ninputs = \"a\"\n"
      "[[layer]]\nname = \"c\"\nop = \"conv_2d\"\nfilters = 4\nkernel = 3\nbatch_norm = \"yes\"\n"
      "initializer = [\"he\", 1]\ninputs = [{}]\nscale_width = 1\n",
      "net.toml");
  const std::vector<std::string> lines = Lines(spec);
  const char* expected[] = {
      "net.toml:1:8: 'name' is 5, expected a text",
      "net.toml:2:11: 'classes' is \"ten\", expected a whole number in [1, 1048576]",
      "net.toml:4:10: [input]: 'height' is 0, expected a whole number in [1, 65536]",
      "net.toml:5:9: [input]: 'width' is [1, 2], expected a whole number in [1, 65536]",
      "net.toml:6:12: [input]: 'channels' is 1.5, expected a whole number in [1, 65536]",
      "net.toml:8:8: a layer: 'name' is 7, expected a text",
      "net.toml:12:6: layer 'b': 'op' is a date or a time, expected the name of an operator",
      "net.toml:13:10: layer 'b': 'inputs' is \"a\", expected a list of names of earlier layers or \"input\"",
      "net.toml:19:14: layer 'c': 'batch_norm' is \"yes\", expected true, false or {epsilon = 0.001, "
      "momentum = 0.99}",
      "net.toml:20:15: layer 'c': 'initializer' is a list, expected {kind = \"he_normal\", "
      "\"glorot_uniform\" or "
      "\"truncated_normal\"}",
      "net.toml:21:11: layer 'c': 'inputs' is a table, expected a list of names of earlier layers or "
      "\"input\""};
  ASSERT_EQ(lines.size(), std::size(expected)) << spec.error().message;
  for (size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i], expected[i]);
}

TEST(SpecErrors, BlocksThatAreNoneAreShownAsWritten) {
  const std::vector<std::string> lines =
      Lines(ParseNetworkSpec("name = \"n\"\ninput = 3\nlayer = {a = 1}\n", "net.toml"));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0],
            "net.toml:2:9: 'input' is 3, expected a block with height, width and channels, or with shape");
  EXPECT_EQ(lines[1], "net.toml:3:9: 'layer' is a table, expected [[layer]] blocks");
}

TEST(SpecErrors, EveryUnreadLayerIsNamedWithItsPlace) {
  const auto spec = ParseLayersOfNet(Layer("a", "max_pool_2d", "inputs = [\"input\"]\n") +
                                     Layer("b", "max_pool_2d", "inputs = [\"input\"]\n") +
                                     Layer("c", "reshape", "inputs = [\"input\"]\n"));
  const std::vector<std::string> lines = Lines(spec);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "net.toml:6:1: layer 'a' is read by no other layer and is not the last one");
  EXPECT_EQ(lines[1], "net.toml:10:1: layer 'b' is read by no other layer and is not the last one");
}

TEST(SpecErrors, ShowWhatWasWrittenAndTheLimit) {
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "conv_2d", "filters = 10000000\nkernel = 3\n")),
                   ErrorCode::kInvalidArgument,
                   "'filters' is 10000000, expected a positive integer, of at most 1048576");
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "conv_2d", "filters = 0\nkernel = 3\n")),
                   ErrorCode::kInvalidArgument, "'filters' is 0, expected a positive integer");
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "reshape", "shape = [7, -1]\n")), ErrorCode::kInvalidArgument,
                   "values, which [7, -1] cannot hold");
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "slice", "begin = [0, 0, 0]\nsize = [0, 1, 1]\n") +
                                    Layer("b", "fully_connected", "units = 2\n")),
                   ErrorCode::kInvalidArgument, "layer 'a': output is [1, 0, 1, 1], expected values in it");
}

TEST(SpecErrors, LayersReadAsManyInputsAsTheirOperatorTakes) {
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "add")), ErrorCode::kInvalidArgument,
                   "net.toml:6:1: layer 'a': 1 input, add takes 2");
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "concatenation", "inputs = [\"input\"]\n")),
                   ErrorCode::kInvalidArgument,
                   "net.toml:9:10: layer 'a': 1 input, concatenation takes 2 or more");
}

// Products of these are beyond 64 bits.
TEST(SpecErrors, SizesThatOverflowAreRefused) {
  const std::string huge = "kernel = [1048576, 1048576]\n";
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "conv_2d", "filters = 1048576\n" + huge)),
                   ErrorCode::kInvalidArgument, "filter is [1048576, 1048576, 1048576, 3], expected at most");
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer(
                       "a", "conv_2d", "filters = 1\ndilation = 1048576\npadding = [1, 0, 0, 0]\n" + huge)),
                   ErrorCode::kInvalidArgument, "layer 'a'");
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "depthwise_conv_2d", "multiplier = 1048576\n" + huge)),
                   ErrorCode::kInvalidArgument, "layer 'a'");
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "transpose_conv", "filters = 9\nstride = 1048576\n" + huge)),
                   ErrorCode::kInvalidArgument, "layer 'a'");
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "pad", "pads = [1048576, 1048576, 1048576, 1048576]\n")),
                   ErrorCode::kInvalidArgument, "output is [1, 2097160, 2097160, 3], expected at most");
}

TEST(SpecErrors, ASlopeHasAnIntegerFormFromZeroOn) {
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "leaky_relu", "alpha = -0.1\n")), ErrorCode::kInvalidArgument,
                   "expected a number in [0, 1]");
}

TEST(SpecErrors, NoLayerMayMixTheExamplesOfABatch) {
  const std::string mixes = "mixes the examples of a batch";
  for (const std::string& layer :
       {Layer("a", "concatenation", "inputs = [\"input\", \"input\"]\naxis = 0\n"),
        Layer("a", "squeeze", "axes = [0]\n"), Layer("a", "mean", "axes = [0, 1]\n"),
        Layer("a", "expand_dims", "axis = 0\n"), Layer("a", "mean", "axes = [-4]\nkeep_dims = true\n")}) {
    QAT_EXPECT_ERROR(ParseLayersOfNet(layer), ErrorCode::kInvalidArgument, mixes);
  }
  // [1, 8, 8, 3] and [1, 3] broadcast; with two examples, rows of pixels would meet examples.
  const std::string gate = "inputs = [\"input\", \"gate\"]\n";
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("gate", "mean") + Layer("a", "mul", gate)),
                   ErrorCode::kInvalidArgument, mixes);
  QAT_ASSERT_OK(ParseLayersOfNet(Layer("gate", "mean", "keep_dims = true\n") + Layer("a", "mul", gate)));
  // Of two columns, two examples would still come out as two.
  const std::string narrow = Layer("narrow", "slice", "begin = [0, 0, 0]\nsize = [-1, 2, -1]\n") +
                             Layer("gate", "mean") + Layer("a", "mul", "inputs = [\"narrow\", \"gate\"]\n");
  QAT_EXPECT_ERROR(ParseLayersOfNet(narrow), ErrorCode::kInvalidArgument, mixes);
}

TEST(SpecErrors, OperatorsThatMoveValuesSayWhatDoesNotFit) {
  const std::tuple<std::string, std::string, std::string> cases[] = {
      {"gather", "indices = [3]", "index 3 of an axis of"},
      {"gather", "indices = [-1]", "'indices' is [-1], expected a list of indices along the axis"},
      {"gather", "", "key 'indices' of gather is missing"},
      {"tile", "multiples = [1, 0, 1]",
       "'multiples' is [1, 0, 1], expected how often each axis but the batch"},
      {"tile", "multiples = [2]", "multiples are [2], the input is"},
      {"broadcast_to", "shape = [3, 3, 1]", "input [1, 8, 8, 3] does not broadcast to [1, 3, 3, 1]"},
      {"mirror_pad", "pads = [9, 0]", "are 9 and 0, expected 0 to 7"},
      {"mirror_pad", "pads = [1, 0]\nmode = \"edge\"",
       "'mode' is \"edge\", expected \"reflect\" or \"symmetric\""},
      {"space_to_depth", "block = 3", "does not divide into blocks of 3"},
      {"depth_to_space", "", "does not divide into blocks of 2"},
      {"reverse_v2", "axes = [4]", "axis"},
      {"reverse_v2", "axes = [1, 0]", "mixes the examples of a batch"},
      {"reverse_v2", "axes = [-4]", "mixes the examples of a batch"},
      {"cumsum", "axis = 0", "mixes the examples of a batch"},
      {"sum", "axes = [0]", "mixes the examples of a batch"},
      {"pack", "axis = 1", "1 input, pack takes 2 or more"},
      {"batch_matmul", "", "1 input, batch_matmul takes 2"},
  };
  for (const auto& [op, keys, message] : cases) {
    const auto spec = ParseLayersOfNet(Layer("a", op, keys + "\n"));
    ASSERT_FALSE(spec.ok()) << op << " " << keys;
    EXPECT_NE(spec.error().message.find(message), std::string::npos) << spec.error().message;
  }
}

TEST(ExplainUnknownOp, NamesOurOperatorForAnothersName) {
  const std::pair<std::string, std::string> cases[] = {{"Conv2D", "conv_2d"},
                                                       {"Dense", "fully_connected"},
                                                       {"GlobalAveragePooling2D", "mean"},
                                                       {"MaxPool2d", "max_pool_2d"},
                                                       {"Sigmoid", "logistic"},
                                                       {"BatchNormalization", "batch_norm"},
                                                       {"LeakyReLU", "leaky_relu"},
                                                       {"ConvTranspose2d", "transpose_conv"},
                                                       {"concat", "concatenation"},
                                                       {"BatchMatMul", "batch_matmul"},
                                                       {"GELU", "gelu"},
                                                       {"LogSoftmax", "log_softmax"},
                                                       {"reduce_sum", "sum"},
                                                       {"PixelShuffle", "depth_to_space"},
                                                       {"divide", "div"},
                                                       {"stack", "pack"},
                                                       {"flip", "reverse_v2"},
                                                       {"split_v", "split"},
                                                       {"averge_pool_2d", "average_pool_2d"},
                                                       {"upsampling_2d", "resize_nearest_neighbor"}};
  for (const auto& [theirs, ours] : cases) {
    const Error error = ExplainUnknownOp(theirs);
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument) << theirs;
    EXPECT_NE(error.message.find("did you mean '" + ours + "'"), std::string::npos) << error.message;
    EXPECT_NE(FindOpByName(ours), nullptr);
  }
}

TEST(ExplainUnknownOp, SaysWhatToWriteInsteadOfTheImpossible) {
  for (const char* name :
       {"SELU", "Swish", "silu", "mish", "LSTM", "gru", "rnn", "multi_head_attention", "LayerNorm",
        "group_norm", "instance_norm", "conv_3d", "Conv1D", "separable_conv_2d", "dequantize"}) {
    const Error error = ExplainUnknownOp(name);
    EXPECT_EQ(error.code, ErrorCode::kUnsupported) << error.message;
    EXPECT_EQ(error.message.rfind(name, 0), 0u) << error.message;
    EXPECT_NE(error.message.find("; "), std::string::npos) << error.message;
  }
}

TEST(SpecErrors, KeysOfOtherFrameworksAreRecognized) {
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "conv_2d", "out_channels = 4\nkernel = 3\n")),
                   ErrorCode::kInvalidArgument, "unknown key 'out_channels'; did you mean 'filters'?");
  QAT_EXPECT_ERROR(ParseLayersOfNet(Layer("a", "max_pool_2d", "kernel = 3\n")), ErrorCode::kInvalidArgument,
                   "unknown key 'kernel'; did you mean 'window'?");
}

// Letters outside of strings are no TOML, and lead the parser into code that it takes for unreachable.
TEST(SpecErrors, OtherLettersThanAsciiBelongIntoStringsAndComments) {
  QAT_EXPECT_ERROR(ParseNetworkSpec("\xcf\xbd", "net.toml"), ErrorCode::kInvalidArgument,
                   "net.toml:1:1: '\xcf\xbd' stands outside of a string, expected it between quotes");
  QAT_EXPECT_ERROR(ParseLayersOfNet("x = 'é'  # é\ny = é\n"), ErrorCode::kInvalidArgument,
                   "net.toml:7:5: 'é'");
  QAT_EXPECT_ERROR(ParseLayersOfNet("'ü' = \"é\\\"\"\n\"\"\"é\"\n'é\"\"\"é\n"), ErrorCode::kInvalidArgument,
                   "net.toml:8:6: 'é'");
  QAT_EXPECT_ERROR(ParseLayersOfNet("x = 'not closed, é\né"), ErrorCode::kInvalidArgument,
                   "net.toml:7:1: 'é'");
  const std::string name = "name = \"\"\"\"é\"\"\"\" # ü\n[input]\nheight = 8\nwidth = 8\nchannels = 1\n";
  const auto spec =
      ParseNetworkSpec("\xef\xbb\xbf" + name + Layer("a", "fully_connected", "units = 2\n"), "net.toml");
  QAT_ASSERT_OK(spec);
  EXPECT_EQ(spec->name, "\"é\"");
}

// One channel more than a depthwise convolution takes, put together by layers that are all within their
// bounds.
TEST(SpecErrors, ABatchNormOfTooManyChannelsIsTold) {
  const std::string spec = "name = \"n\"\n[input]\nheight = 1\nwidth = 1\nchannels = 1\n" +
                           Layer("a", "conv_2d", "filters = 1048576\nkernel = 1\n") +
                           Layer("b", "conv_2d", "filters = 1\nkernel = 1\ninputs = [\"input\"]\n") +
                           Layer("c", "concatenation", "inputs = [\"a\", \"b\"]\n") +
                           Layer("n", "batch_norm") + Layer("m", "mean");
  QAT_EXPECT_ERROR(
      ParseNetworkSpec(spec, "net.toml"), ErrorCode::kInvalidArgument,
      "layer 'n': batch_norm of [1, 1, 1, 1048577] becomes a depthwise convolution, expected at most "
      "1048576 channels");
}

TEST(SpecErrors, WhatIsNoUtf8IsToldByItsFirstByte) {
  QAT_EXPECT_ERROR(ParseNetworkSpec("name = \"caf\xe9\"", "net.toml"), ErrorCode::kInvalidArgument,
                   "net.toml: byte 11 is 0xe9, which is not UTF-8, expected a text file in UTF-8");
}

}  // namespace
}  // namespace qat
