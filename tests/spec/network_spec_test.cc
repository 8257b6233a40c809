#include "spec/network_spec.h"

#include "base/file.h"
#include "support/network_of.h"
#include "support/places.h"
#include "support/test_util.h"

namespace qat {
namespace {

std::string Spec(const std::string& layers) {
  return "name = \"net\"\n[input]\nheight = 8\nwidth = 8\nchannels = 3\n" + layers;
}

Expected<NetworkSpec> Parse(const std::string& layers) { return ParseNetworkSpec(Spec(layers), "net.toml"); }

TEST(NetworkSpec, LenetHasTheShapesAndParametersOfThePaper) {
  const auto spec = LoadNetworkSpec("lenet");
  QAT_ASSERT_OK(spec);
  std::vector<Shape> shapes;
  int64_t parameters = 0;
  for (const LayerSpec& layer : spec->layers) {
    shapes.push_back(layer.output_shape);
    for (const ParameterSpec& parameter : layer.parameters) parameters += FlatSize(parameter.shape);
  }
  EXPECT_EQ(shapes, (std::vector<Shape>{{1, 28, 28, 6},
                                        {1, 14, 14, 6},
                                        {1, 10, 10, 16},
                                        {1, 5, 5, 16},
                                        {1, 1, 1, 120},
                                        {1, 120},
                                        {1, 84},
                                        {1, 10}}));
  EXPECT_EQ(parameters, 156 + 2416 + 48120 + 10164 + 850);
}

TEST(SameNetwork, LooksAtLayersNotAtTheirText) {
  const std::string layer = "[[layer]]\nname = \"a\"\nop = \"fully_connected\"\n";
  const auto spec = [&](const std::string& head, const std::string& keys) {
    return testing::NetworkOf(head + Spec(layer + keys));
  };
  const Graph fixed = spec("", "units = 10\n");
  EXPECT_TRUE(SameNetwork(fixed, spec("classes = 10\n", "units = \"classes\"\n")));
  EXPECT_FALSE(SameNetwork(fixed, spec("", "units = 9\n")));
  EXPECT_FALSE(SameNetwork(fixed, spec("", "units = 10\nactivation = \"relu\"\n")));
  EXPECT_FALSE(SameNetwork(
      fixed, spec("", "units = 10\ninitializer = {kind = \"truncated_normal\", stddev = 0.05}\n")));
}

TEST(NetworkSpec, TheArticleDiffersInInitializersDropoutAndTheLastActivationOnly) {
  const auto ours = LoadNetworkSpec("lenet");
  auto article = LoadNetworkSpec("lenet-article");
  QAT_ASSERT_OK(ours);
  QAT_ASSERT_OK(article);
  EXPECT_EQ(FusedActivation(article->layers.back().attributes), Activation::kRelu);
  EXPECT_EQ(FusedActivation(ours->layers.back().attributes), Activation::kNone);
  EXPECT_EQ(article->layers[0].initializer.kind, Initializer::Kind::kTruncatedNormal);
  EXPECT_EQ(article->layers[0].initializer.stddev, 0.01f);
  EXPECT_EQ(article->layers[6].initializer.kind, Initializer::Kind::kGlorotUniform);
  std::erase_if(article->layers, [](const LayerSpec& layer) { return layer.type == OpType::kDropout; });
  ASSERT_EQ(article->layers.size(), ours->layers.size());
  for (size_t i = 0; i < ours->layers.size(); ++i) {
    EXPECT_EQ(ours->layers[i].output_shape, article->layers[i].output_shape);
  }
}

TEST(NetworkSpec, EveryZooEntryParses) {
  for (const std::string& name : ZooNames()) QAT_ASSERT_OK(LoadNetworkSpec(name));
  EXPECT_GE(ZooNames().size(), 3u);
}

TEST(NetworkSpec, ErrorsNameFileLineColumnLayerValueAndWhatWasExpected) {
  QAT_EXPECT_ERROR(Parse("[[layer]]\nname = \"c\"\nop = \"conv_2d\"\nfilters = 4\nkernel = 3\nstride = 0\n"),
                   ErrorCode::kInvalidArgument,
                   "net.toml:11:10: layer 'c': 'stride' is 0, expected a positive integer or a pair");
  QAT_EXPECT_ERROR(Parse("[[layer]]\nname = \"c\"\nop = \"conv_2d\"\nfilters = 4\nkernell = 3\n"),
                   ErrorCode::kInvalidArgument,
                   "net.toml:10:1: layer 'c': unknown key 'kernell'; did you mean 'kernel'?");
  QAT_EXPECT_ERROR(Parse("[[layer]]\nname = \"c\"\nop = \"conv_2d\"\nkernel = 3\n"),
                   ErrorCode::kInvalidArgument,
                   "layer 'c': key 'filters' of conv_2d is missing, expected a positive integer");
  QAT_EXPECT_ERROR(Parse("[[layer]]\nname = \"c\"\nop = \"conv2d\"\n"), ErrorCode::kInvalidArgument,
                   "unknown op 'conv2d'; did you mean 'conv_2d'?");
  QAT_EXPECT_ERROR(Parse("[[layer]\n"), ErrorCode::kInvalidArgument, "net.toml:6:");
  QAT_EXPECT_ERROR(Parse(""), ErrorCode::kInvalidArgument, "no [[layer]] block");
  QAT_EXPECT_ERROR(ParseNetworkSpec("name = \"x\"\n", "x.toml"), ErrorCode::kInvalidArgument,
                   "[input] is missing");
}

TEST(NetworkSpec, RejectsAFilterLargerThanItsInput) {
  QAT_EXPECT_ERROR(
      Parse("[[layer]]\nname = \"c\"\nop = \"conv_2d\"\nfilters = 4\nkernel = 9\npadding = \"valid\"\n"),
      ErrorCode::kInvalidArgument, "layer 'c': window 9x9 does not fit into 8x8 with padding valid");
}

TEST(NetworkSpec, LayersReadEarlierLayersByName) {
  const std::string pools =
      "[[layer]]\nname = \"a\"\nop = \"max_pool_2d\"\n[[layer]]\nname = \"b\"\nop = "
      "\"average_pool_2d\"\ninputs = [\"a\"]\n";
  const auto spec = Parse(pools);
  QAT_ASSERT_OK(spec);
  EXPECT_EQ(spec->layers[1].inputs, (std::vector<int32_t>{0}));
  QAT_EXPECT_ERROR(Parse(pools + "[[layer]]\nname = \"c\"\nop = \"reshape\"\ninputs = [\"bb\"]\n"),
                   ErrorCode::kInvalidArgument, "unknown input 'bb'");
  QAT_EXPECT_ERROR(Parse(pools + "[[layer]]\nname = \"b\"\nop = \"reshape\"\n"), ErrorCode::kInvalidArgument,
                   "net.toml:14:8: layer 'b': its name is taken by the layer of line 9");
  QAT_EXPECT_ERROR(Parse(pools + "[[layer]]\nname = \"c\"\nop = \"reshape\"\ninputs = [\"a\"]\n"),
                   ErrorCode::kInvalidArgument, "net.toml:9:1: layer 'b' is read by no other layer");
  QAT_EXPECT_ERROR(Parse(pools + "[[layer]]\nname = \"c\"\nop = \"reshape\"\ninputs = [\"a\", \"b\"]\n"),
                   ErrorCode::kInvalidArgument, "2 inputs, reshape takes 1");
}

TEST(NetworkSpec, BatchNormIsAKeyOfLayersWithAFilter) {
  const std::string conv = "[[layer]]\nname = \"c\"\nop = \"conv_2d\"\nfilters = 4\nkernel = 3\n";
  const auto plain = Parse(conv + "batch_norm = true\n");
  QAT_ASSERT_OK(plain);
  EXPECT_EQ(plain->layers[0].batch_norm, BatchNormSpec());
  EXPECT_EQ(TrainedParameters(plain->layers[0]).size(), 5u);
  const auto chosen = Parse(conv + "batch_norm = {epsilon = 0.01}\n");
  QAT_ASSERT_OK(chosen);
  EXPECT_EQ(chosen->layers[0].batch_norm, (BatchNormSpec{.epsilon = 0.01f, .momentum = 0.99f}));
  EXPECT_FALSE(Parse(conv + "batch_norm = false\n")->layers[0].batch_norm.has_value());
  QAT_EXPECT_ERROR(Parse(conv + "batch_norm = {momentum = 1.0}\n"), ErrorCode::kInvalidArgument,
                   "net.toml:11:26: layer 'c': 'momentum' is 1, expected a number in [0, 1)");
  QAT_EXPECT_ERROR(Parse(conv + "batch_norm = 1\n"), ErrorCode::kInvalidArgument,
                   "'batch_norm' is 1, expected true, false or {");
  QAT_EXPECT_ERROR(Parse("[[layer]]\nname = \"p\"\nop = \"max_pool_2d\"\nbatch_norm = true\n"),
                   ErrorCode::kInvalidArgument, "unknown key 'batch_norm'");
}

TEST(NetworkSpec, ABatchNormLayerAfterAConvolutionBelongsToIt) {
  const auto spec = Parse(
      "[[layer]]\nname = \"c\"\nop = \"conv_2d\"\nfilters = 4\nkernel = 3\n"
      "[[layer]]\nname = \"n\"\nop = \"batch_norm\"\nepsilon = 1e-5\n"
      "[[layer]]\nname = \"p\"\nop = \"max_pool_2d\"\n");
  QAT_ASSERT_OK(spec);
  ASSERT_EQ(spec->layers.size(), 2u);
  EXPECT_EQ(spec->layers[0].batch_norm, (BatchNormSpec{.epsilon = 1e-5f}));
  EXPECT_EQ(spec->layers[1].inputs, std::vector<int32_t>{0});
}

TEST(NetworkSpec, UnknownNamesListTheZoo) {
  QAT_EXPECT_ERROR(LoadNetworkSpec("lennet"), ErrorCode::kInvalidArgument, "did you mean 'lenet'?");
  QAT_EXPECT_ERROR(LoadNetworkSpec("./missing.toml"), ErrorCode::kNotFound, "./missing.toml");
}

TEST(NetworkSpec, PrintShowsEveryLayerWithTotals) {
  const auto spec = LoadNetworkSpec("lenet-article");
  QAT_ASSERT_OK(spec);
  const std::string text = PrintNetwork(*BuildGraph(*spec));
  EXPECT_NE(text.find("61706"), std::string::npos) << text;
  EXPECT_NE(text.find("416520"), std::string::npos) << text;  // 117600 + 240000 + 48000 + 10080 + 840
  EXPECT_NE(text.find("as conv1"), std::string::npos) << text;
  EXPECT_NE(text.find("removed by freezing"), std::string::npos) << text;
}

TEST(NetworkSpec, TheExamplesOfThePageAreNetworks) {
  const auto page = ReadTextFile(std::string(testing::kSourceDir) + "/docs/network_spec.md");
  QAT_ASSERT_OK(page);
  const std::string open = "```toml\n";
  int examples = 0;
  for (size_t at = page->find(open); at != std::string::npos; at = page->find(open, at + 1)) {
    const size_t begin = at + open.size();
    QAT_ASSERT_OK(ParseNetworkSpec(page->substr(begin, page->find("```", begin) - begin), "network_spec.md"));
    ++examples;
  }
  EXPECT_EQ(examples, 3);
}

TEST(NetworkSpec, ThePageShowsTheOperatorTableAsItIs) {
  const auto page = ReadTextFile(std::string(testing::kSourceDir) + "/docs/network_spec.md");
  QAT_ASSERT_OK(page);
  EXPECT_NE(page->find(OperatorTableMarkdown()), std::string::npos)
      << "docs/network_spec.md should hold this table:\n"
      << OperatorTableMarkdown();
}

}  // namespace
}  // namespace qat
