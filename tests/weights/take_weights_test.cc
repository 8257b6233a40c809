// Values of a tensor in another framework's layout are numbered by their own indices, so that a plain loop
// says where each belongs.
#include "weights/take_weights.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <numeric>
#include <string>

#include "spec/build_graph.h"
#include "spec/parse.h"
#include "support/safetensors_file.h"
#include "support/test_util.h"
#include "weights/give_weights.h"
#include "weights/network_layers.h"

namespace qat {
namespace {

using testing::Layer;
using testing::SafetensorsWriter;

std::vector<float> Numbered(const Shape& shape, float from = 0) {
  std::vector<float> values(static_cast<size_t>(FlatSize(shape)));
  std::iota(values.begin(), values.end(), from);
  return values;
}

// Fills a tensor by its own four indices.
std::vector<float> FilledBy(const Shape& shape, const std::function<float(int, int, int, int)>& value) {
  std::vector<float> values;
  for (int a = 0; a < shape[0]; ++a) {
    for (int b = 0; b < shape[1]; ++b) {
      for (int c = 0; c < shape[2]; ++c) {
        for (int d = 0; d < shape[3]; ++d) values.push_back(value(a, b, c, d));
      }
    }
  }
  return values;
}

float Code(int o, int h, int w, int i) { return static_cast<float>(1000 * o + 100 * h + 10 * w + i); }

std::vector<NetworkLayer> LayersOf(const std::string& layers) {
  return LayersWithParameters(BuildGraph(testing::ParseLayersOfNet(layers).value()).value());
}

Expected<TakenWeights> Take(const std::string& layers, const SafetensorsWriter& writer,
                            TakeOptions options = {}) {
  return TakeWeights(LayersOf(layers), WeightsFile::Parse(writer.Take(), "w.safetensors").value(), options);
}

const std::string kConv = Layer("conv", "conv_2d", "filters = 4\nkernel = [2, 3]\n");

TEST(TakeWeights, ConvolutionOfPyTorch) {
  SafetensorsWriter writer;
  writer.Add("conv.weight", {4, 3, 2, 3},
             FilledBy({4, 3, 2, 3}, [](int o, int i, int h, int w) { return Code(o, h, w, i); }));
  writer.Add("conv.bias", {4}, {5, 6, 7, 8});
  const auto taken = Take(kConv, writer);
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("conv/filter").shape, (Shape{4, 2, 3, 3}));
  EXPECT_EQ(taken->tensors.at("conv/filter").values, FilledBy({4, 2, 3, 3}, Code));
  EXPECT_EQ(taken->tensors.at("conv/bias").values, (std::vector<float>{5, 6, 7, 8}));
  EXPECT_EQ(
      taken->line,
      "2 tensors for 1 layer from w.safetensors, in PyTorch's layout, by name (`print_init` shows which)");
  EXPECT_TRUE(taken->warnings.empty());
}

TEST(TakeWeights, ConvolutionOfKeras) {
  SafetensorsWriter writer;
  writer.Add("conv/kernel:0", {2, 3, 3, 4},
             FilledBy({2, 3, 3, 4}, [](int h, int w, int i, int o) { return Code(o, h, w, i); }));
  writer.Add("conv/bias:0", {4}, {5, 6, 7, 8});
  const auto taken = Take(kConv, writer);
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("conv/filter").values, FilledBy({4, 2, 3, 3}, Code));
}

TEST(TakeWeights, DepthwiseConvolutions) {
  const std::string layers = Layer("dw", "depthwise_conv_2d", "kernel = [2, 3]\nmultiplier = 2\n");
  const auto ours = FilledBy({1, 2, 3, 6}, [](int, int h, int w, int o) { return Code(o, h, w, 0); });
  SafetensorsWriter pytorch, keras;
  pytorch.Add("dw.weight", {6, 1, 2, 3},
              FilledBy({6, 1, 2, 3}, [](int o, int, int h, int w) { return Code(o, h, w, 0); }));
  keras.Add("dw/depthwise_kernel", {2, 3, 3, 2},
            FilledBy({2, 3, 3, 2}, [](int h, int w, int c, int m) { return Code(2 * c + m, h, w, 0); }));
  for (const SafetensorsWriter& writer : {pytorch, keras}) {
    const auto taken = Take(layers, writer);
    QAT_ASSERT_OK(taken);
    EXPECT_EQ(taken->tensors.at("dw/filter").values, ours);
    EXPECT_EQ(taken->tensors.at("dw/bias").values, std::vector<float>(6));  // no bias in the file
    const std::vector<StoredTensor> given =
        GiveWeights(LayersOf(layers), taken->tensors, WeightsLayout::kKeras, false);
    EXPECT_EQ(given.front().name, "dw/depthwise_kernel");
    EXPECT_EQ(given.front().shape, (Shape{2, 3, 3, 2})) << "what Keras's set_weights takes";
  }
}

TEST(TakeWeights, TransposedConvolutions) {
  const std::string layers = Layer("up", "transpose_conv", "filters = 4\nkernel = [2, 3]\nstride = 2\n");
  SafetensorsWriter pytorch, keras;
  pytorch.Add("up.weight", {3, 4, 2, 3},
              FilledBy({3, 4, 2, 3}, [](int i, int o, int h, int w) { return Code(o, h, w, i); }));
  keras.Add("up/kernel", {2, 3, 4, 3},
            FilledBy({2, 3, 4, 3}, [](int h, int w, int o, int i) { return Code(o, h, w, i); }));
  for (const SafetensorsWriter& writer : {pytorch, keras}) {
    const auto taken = Take(layers, writer);
    QAT_ASSERT_OK(taken);
    EXPECT_EQ(taken->tensors.at("up/filter").values, FilledBy({4, 2, 3, 3}, Code));
  }
}

TEST(TakeWeights, ConvolutionsOverOneAxis) {
  const std::string layers = Layer("conv", "conv_2d", "filters = 4\nkernel = [3, 1]\n");
  SafetensorsWriter pytorch, keras;
  pytorch.Add("conv.weight", {4, 3, 3},
              FilledBy({4, 3, 3, 1}, [](int o, int i, int t, int) { return Code(o, t, 0, i); }));
  keras.Add("conv/kernel", {3, 3, 4},
            FilledBy({3, 3, 4, 1}, [](int t, int i, int o, int) { return Code(o, t, 0, i); }));
  for (const SafetensorsWriter& writer : {pytorch, keras}) {
    const auto taken = Take(layers, writer);
    QAT_ASSERT_OK(taken);
    EXPECT_EQ(taken->tensors.at("conv/filter").values, FilledBy({4, 3, 1, 3}, Code));
  }
}

const std::string kFlattened =
    Layer("flatten", "reshape") + Layer("drop", "dropout") + Layer("fc", "fully_connected", "units = 2\n");

// The input of the net is [8, 8, 3]: column (h * 8 + w) * 3 + c here is column (c * 8 + h) * 8 + w in
// PyTorch.
TEST(TakeWeights, ColumnsBehindAFlattenedMap) {
  std::vector<float> theirs(2 * 192), ours(2 * 192);
  for (int o = 0; o < 2; ++o) {
    for (int c = 0; c < 3; ++c) {
      for (int h = 0; h < 8; ++h) {
        for (int w = 0; w < 8; ++w) {
          const auto value = static_cast<float>(((o * 3 + c) * 8 + h) * 8 + w);
          theirs[static_cast<size_t>(((o * 3 + c) * 8 + h) * 8 + w)] = value;
          ours[static_cast<size_t>(((o * 8 + h) * 8 + w) * 3 + c)] = value;
        }
      }
    }
  }
  SafetensorsWriter writer;
  writer.Add("fc.weight", {2, 192}, theirs).Add("fc.bias", {2}, {1, 2});
  const auto taken = Take(kFlattened, writer);
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("fc/filter").values, ours);
  ASSERT_EQ(taken->notes.size(), 1u);
  EXPECT_NE(taken->notes[0].find("columns of fc"), std::string::npos);
  TakeOptions channels_last;
  channels_last.channels_last = true;
  EXPECT_EQ(Take(kFlattened, writer, channels_last)->tensors.at("fc/filter").values, theirs);
}

TEST(TakeWeights, RowsOfKerasDenseLayersBecomeColumns) {
  SafetensorsWriter writer;
  std::vector<float> theirs(192 * 2), ours(2 * 192);
  for (size_t i = 0; i < 192; ++i) {
    for (size_t o = 0; o < 2; ++o) theirs[2 * i + o] = ours[192 * o + i] = static_cast<float>(2 * i + o);
  }
  writer.Add("dense/kernel", {192, 2}, theirs).Add("dense/bias", {2}, {1, 2});
  const auto taken = Take(kFlattened, writer);
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("fc/filter").values, ours);
}

const std::string kNormed =
    Layer("conv1", "conv_2d", "filters = 2\nkernel = 1\nbatch_norm = {epsilon = 1e-5}\n");

SafetensorsWriter NormedFile() {
  SafetensorsWriter writer;
  writer.Add("bn1.weight", {2}, {1, 2}).Add("bn1.bias", {2}, {3, 4}).Add("bn1.running_mean", {2}, {5, 6});
  writer.Add("bn1.running_var", {2}, {7, 8}).Add("conv1.weight", {2, 3, 1, 1}, Numbered({6}));
  return writer;
}

TEST(TakeWeights, BatchNormsBelongToTheConvolutionTheyAreNamedAfter) {
  const auto taken = Take(kNormed, NormedFile());
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("conv1/gamma").values, (std::vector<float>{1, 2}));
  EXPECT_EQ(taken->tensors.at("conv1/beta").values, (std::vector<float>{3, 4}));
  EXPECT_EQ(taken->tensors.at("conv1/moving_mean").values, (std::vector<float>{5, 6}));
  EXPECT_EQ(taken->tensors.at("conv1/moving_variance").values, (std::vector<float>{7, 8}));
  EXPECT_FALSE(taken->tensors.contains("conv1/bias"));
  EXPECT_TRUE(taken->warnings.empty());
}

// gamma * (conv + bias - mean) / deviation + beta.
TEST(TakeWeights, ABiasInFrontOfABatchNormIsAPartOfItsMean) {
  SafetensorsWriter writer = NormedFile();
  writer.Add("conv1.bias", {2}, {0.5f, -1});
  const auto taken = Take(kNormed, writer);
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("conv1/moving_mean").values, (std::vector<float>{4.5f, 7}));
}

TEST(TakeWeights, AnotherEpsilonIsTold) {
  const auto taken =
      Take(Layer("conv1", "conv_2d", "filters = 2\nkernel = 1\nbatch_norm = true\n"), NormedFile());
  QAT_ASSERT_OK(taken);
  ASSERT_EQ(taken->warnings.size(), 1u);
  EXPECT_NE(taken->warnings[0].find("epsilon 0.001 here, and 1e-05 in PyTorch"), std::string::npos)
      << taken->warnings[0];
}

TEST(TakeWeights, NegativeVariancesAreRefused) {
  SafetensorsWriter writer;
  writer.Add("bn1.running_mean", {2}, {5, 6})
      .Add("bn1.running_var", {2}, {7, -8})
      .Add("conv1.weight", {2, 3, 1, 1}, Numbered({6}));
  const auto taken = Take(kNormed, writer);
  EXPECT_EQ(taken.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(taken.error().message.find("tensor 'bn1.running_var' holds the variance -8"), std::string::npos);
}

TEST(TakeWeights, ShapesThatMisfitAreBothNamed) {
  SafetensorsWriter writer;
  writer.Add("conv.weight", {4, 3, 3, 3}, Numbered({108})).Add("conv.bias", {4}, {5, 6, 7, 8});
  const auto taken = Take(kConv, writer);
  EXPECT_EQ(taken.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(taken.error().message.find("layer 'conv': w.safetensors: tensor 'conv.weight' is [4, 3, 3, 3], "
                                       "expected [4, 3, 2, 3] in PyTorch's"),
            std::string::npos)
      << taken.error().message;
}

TEST(TakeWeights, SlopesMayBeOneForAllChannels) {
  SafetensorsWriter writer;
  writer.Add("act.weight", {1}, {0.25f});
  const auto taken = Take(Layer("act", "prelu"), writer);
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("act/slope").values, (std::vector<float>{0.25f, 0.25f, 0.25f}));
}

TEST(TakeWeights, GroupsAreTheRowsOfOneFilter) {
  const std::string layers = Layer("wide", "conv_2d", "filters = 6\nkernel = 1\n") +
                             Layer("conv", "conv_2d", "filters = 4\nkernel = 1\ngroups = 2\n");
  SafetensorsWriter writer;
  writer.Add("wide.weight", {6, 3, 1, 1}, Numbered({18}))
      .Add("conv.weight", {4, 3, 1, 1}, Numbered({12}))
      .Add("conv.bias", {4}, {1, 2, 3, 4});
  const auto taken = Take(layers, writer);
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("conv/group0/filter").values, Numbered({6}));
  EXPECT_EQ(taken->tensors.at("conv/group1/filter").values, Numbered({6}, 6));
  EXPECT_EQ(taken->tensors.at("conv/group1/bias").values, (std::vector<float>{3, 4}));
}

TEST(TakeWeights, TensorsThatNothingTakesAreTold) {
  SafetensorsWriter writer;
  writer.Add("conv.weight", {4, 3, 2, 3}, Numbered({72})).Add("head.weight", {7, 5}, Numbered({35}));
  const auto taken = Take(kConv, writer);
  QAT_ASSERT_OK(taken);
  ASSERT_EQ(taken->warnings.size(), 1u);
  EXPECT_EQ(taken->warnings[0], "tensors of w.safetensors that no layer takes: head.weight [7, 5]");
}

TEST(TakeWeights, LayersThatFindNothingAreListedWithWhatIsLeft) {
  SafetensorsWriter writer;
  writer.Add("head.weight", {7, 5}, Numbered({35}));
  const auto taken = Take(kConv, writer);
  EXPECT_EQ(taken.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(
      taken.error().message.find("known to belong to conv/filter [4, 2, 3, 3]; left are head.weight [7, 5]"),
      std::string::npos)
      << taken.error().message;
}

const std::string kTwin =
    Layer("a", "conv_2d", "filters = 3\nkernel = 1\n") + Layer("b", "conv_2d", "filters = 3\nkernel = 1\n");

TEST(TakeWeights, LayersOfOneShapeGoByTheNumbersOfNames) {
  SafetensorsWriter writer;
  writer.Add("net.10.weight", {3, 3, 1, 1}, Numbered({9}, 100))
      .Add("net.2.weight", {3, 3, 1, 1}, Numbered({9}));
  const auto taken = Take(kTwin, writer);
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("a/filter").values[0], 0);
  EXPECT_EQ(taken->tensors.at("b/filter").values[0], 100);
  EXPECT_NE(taken->notes[0].find("matched by the order"), std::string::npos);
}

// The names of the file are sorted, so their order says nothing.
TEST(TakeWeights, NamesWithoutAnOrderAreNotGuessed) {
  SafetensorsWriter writer;
  writer.Add("decoder.weight", {3, 3, 1, 1}, Numbered({9}))
      .Add("encoder.weight", {3, 3, 1, 1}, Numbered({9}));
  EXPECT_EQ(Take(kTwin, writer).error().code, ErrorCode::kInvalidArgument);
  const NameMap map =
      ParseNameMap("a = encoder  # first\n\"b/filter\" = 'decoder.weight'\n", "map.txt").value();
  TakeOptions options;
  options.names = &map;
  QAT_ASSERT_OK(Take(kTwin, writer, options));
}

TEST(TakeWeights, ALayerMayStartAfresh) {
  SafetensorsWriter writer;
  writer.Add("a.weight", {3, 3, 1, 1}, Numbered({9}));
  const NameMap map = ParseNameMap("b = -\n", "map.txt").value();
  TakeOptions options;
  options.names = &map;
  const auto taken = Take(kTwin, writer, options);
  QAT_ASSERT_OK(taken);
  EXPECT_TRUE(taken->tensors.contains("a/filter"));
  EXPECT_FALSE(taken->tensors.contains("b/filter"));
}

TEST(TakeWeights, MistakesInAMapAreNamedWithTheirLine) {
  SafetensorsWriter writer;
  writer.Add("encoder.weight", {3, 3, 1, 1}, Numbered({9}));
  const std::pair<const char*, const char*> cases[] = {
      {"\na = encodr\n",
       "map.txt:2: w.safetensors has no module with a filter 'encodr'; did you mean 'encoder'?"},
      {"c = encoder\n", "map.txt:1: the network has no layer or tensor 'c'"},
      {"a/filter = encoder.weigth\n",
       "map.txt:1: w.safetensors has no tensor 'encoder.weigth'; did you mean 'encoder.weight'?"},
  };
  for (const auto& [text, message] : cases) {
    const NameMap map = ParseNameMap(text, "map.txt").value();
    TakeOptions options;
    options.names = &map;
    const auto taken = Take(kTwin, writer, options);
    ASSERT_FALSE(taken.ok());
    EXPECT_NE(taken.error().message.find(message), std::string::npos) << taken.error().message;
  }
  EXPECT_NE(ParseNameMap("a b\n", "map.txt").error().message.find("map.txt:1: is 'a b', expected"),
            std::string::npos);
  EXPECT_NE(
      ParseNameMap("a = b\na = c\n", "map.txt").error().message.find("map.txt:2: 'a' is named a second time"),
      std::string::npos);
}

// nn.Sequential numbers its modules; a shared "module." is no part of their names.
TEST(TakeWeights, BatchNormsFollowInASequence) {
  SafetensorsWriter writer;
  writer.Add("module.features.0.weight", {3, 3, 1, 1}, Numbered({9}))
      .Add("module.features.3.weight", {3, 3, 1, 1}, Numbered({9}, 50));
  for (const auto& [norm, value] :
       {std::pair("module.features.1", 1.0f), std::pair("module.features.4", 2.0f)}) {
    const std::string name = norm;
    writer.Add(name + ".weight", {3}, {value, value, value}).Add(name + ".bias", {3}, {value, value, value});
    writer.Add(name + ".running_mean", {3}, {value, value, value})
        .Add(name + ".running_var", {3}, {value, value, value});
  }
  const std::string norm = "batch_norm = {epsilon = 1e-5}\n";
  const auto taken = Take(Layer("a", "conv_2d", "filters = 3\nkernel = 1\n" + norm) +
                              Layer("b", "conv_2d", "filters = 3\nkernel = 1\n" + norm),
                          writer);
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("b/filter").values[0], 50);
  EXPECT_EQ(taken->tensors.at("a/gamma").values[0], 1);
  EXPECT_EQ(taken->tensors.at("b/moving_variance").values[0], 2);
}

// As torchvision's residual networks name the convolution and the batch norm beside a block.
TEST(TakeWeights, ALayerMayBeNamedAfterASequence) {
  SafetensorsWriter writer;
  writer.Add("layer1.0.conv1.weight", {3, 3, 1, 1}, Numbered({9}))
      .Add("layer1.0.downsample.0.weight", {3, 3, 1, 1}, Numbered({9}, 50));
  for (const std::string norm : {"layer1.0.downsample.1", "layer1.0.bn1"}) {
    const float value = norm.ends_with("bn1") ? 1.0f : 2.0f;
    writer.Add(norm + ".running_mean", {3}, {value, value, value}).Add(norm + ".running_var", {3}, {1, 1, 1});
  }
  const std::string keys = "filters = 3\nkernel = 1\nbatch_norm = {epsilon = 1e-5}\n";
  const auto taken =
      Take(Layer("layer1.0.downsample", "conv_2d", keys) + Layer("layer1.0.conv1", "conv_2d", keys), writer);
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("layer1.0.downsample/filter").values[0], 50);
  EXPECT_EQ(taken->tensors.at("layer1.0.downsample/moving_mean").values[0], 2);
  EXPECT_EQ(taken->tensors.at("layer1.0.conv1/moving_mean").values[0], 1);
  EXPECT_EQ(taken->tensors.at("layer1.0.conv1/gamma").values[0], 1);  // affine=False
}

// numpy.savez(path, *model.get_weights()): kernel, bias, then gamma, beta, mean and variance of the layer
// behind.
TEST(TakeWeights, ArraysWithoutNamesGoByTheirOrder) {
  const ElementType* const f32 = FindElementType("float32");
  std::vector<StoredTensor> arrays;
  const auto add = [&](const Shape& shape, float from) {
    const std::vector<float> values = Numbered(shape, from);
    const auto* begin = reinterpret_cast<const uint8_t*>(values.data());
    arrays.push_back(
        {"arr_" + std::to_string(arrays.size()), f32, shape, Bytes(begin, begin + 4 * values.size())});
  };
  add({1, 1, 3, 2}, 0);
  for (const float from : {10.0f, 20.0f, 30.0f, 40.0f, 50.0f}) add({2}, from);
  add({128, 4}, 100);
  add({4}, 60);
  const WeightsFile file =
      WeightsFile::Parse(SerializeWeights(WeightsFile::Format::kNpz, arrays, {}).value(), "w.npz").value();
  const auto taken = TakeWeights(LayersOf(kNormed + Layer("fc", "fully_connected", "units = 4\n")), file, {});
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("conv1/filter").values, (std::vector<float>{0, 2, 4, 1, 3, 5}));
  EXPECT_EQ(taken->tensors.at("conv1/gamma").values[0], 20);
  EXPECT_EQ(taken->tensors.at("conv1/moving_mean").values[1], 41 - 11);
  EXPECT_EQ(taken->tensors.at("fc/filter").values[1], 104);
  EXPECT_EQ(taken->tensors.at("fc/bias").values[3], 63);
}

// A filter [3, 3, 1, 8] would fit a convolution of one channel and a depthwise one of eight: its place says
// which.
TEST(TakeWeights, AnArchiveThatFitsOneAfterTheOtherGoesByThat) {
  const ElementType* const f32 = FindElementType("float32");
  std::vector<StoredTensor> arrays;
  const auto add = [&](const Shape& shape, float from) {
    const std::vector<float> values = Numbered(shape, from);
    const auto* begin = reinterpret_cast<const uint8_t*>(values.data());
    arrays.push_back(
        {"arr_" + std::to_string(arrays.size()), f32, shape, Bytes(begin, begin + 4 * values.size())});
  };
  add({3, 3, 3, 2}, 0);
  add({3, 3, 2, 1}, 100);
  add({1, 1, 2}, 200);
  add({1, 1, 2, 3}, 300);
  const std::string layers = Layer("a", "conv_2d", "filters = 2\nkernel = 3\n") +
                             Layer("dw", "depthwise_conv_2d", "kernel = 3\n") + Layer("act", "prelu") +
                             Layer("b", "conv_2d", "filters = 3\nkernel = 1\n");
  const WeightsFile file =
      WeightsFile::Parse(SerializeWeights(WeightsFile::Format::kNpz, arrays, {}).value(), "w.npz").value();
  const auto taken = TakeWeights(LayersOf(layers), file, {});
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("a/filter").values[0], 0);
  EXPECT_EQ(taken->tensors.at("dw/filter").values[0], 100);
  EXPECT_EQ(taken->tensors.at("act/slope").values, (std::vector<float>{200, 201}));
  EXPECT_EQ(taken->tensors.at("b/filter").values[0], 300);
}

// What went in comes out: the same names, shapes and values, in every layout.
TEST(GiveWeights, GivesBackWhatWasTaken) {
  const std::string layers = kNormed + Layer("act", "prelu") +
                             Layer("dw", "depthwise_conv_2d", "kernel = 3\n") +
                             Layer("fc", "fully_connected", "units = 2\n");
  const std::vector<NetworkLayer> network = LayersOf(layers);
  NamedTensors tensors;
  float start = 1;
  for (const NetworkLayer& layer : network) {
    for (const std::string_view suffix :
         {"filter", "bias", "slope", "gamma", "beta", "moving_mean", "moving_variance"}) {
      const Shape shape = suffix == "filter"  ? layer.filter
                          : suffix == "slope" ? layer.slope
                                              : Shape{layer.channels};
      const bool norm = suffix == "gamma" || suffix == "beta" || suffix.starts_with("moving");
      if (shape.empty() || (norm && !layer.batch_norm) || (suffix == "bias" && !layer.has_bias) ||
          (suffix == "filter" && layer.filter.empty()))
        continue;
      tensors[layer.name + "/" + std::string(suffix)] = {shape, Numbered(shape, start += 1000)};
    }
  }
  for (const WeightsLayout layout :
       {WeightsLayout::kPyTorch, WeightsLayout::kKeras, WeightsLayout::kTflite}) {
    const std::vector<StoredTensor> given = GiveWeights(network, tensors, layout, false);
    const WeightsFile file =
        WeightsFile::Parse(SerializeWeights(WeightsFile::Format::kSafetensors, given, {}).value(), "w")
            .value();
    const auto taken = TakeWeights(network, file, {});
    QAT_ASSERT_OK(taken);
    EXPECT_TRUE(taken->tensors == tensors) << NameOf(layout);
    const auto like = GiveWeightsLike(network, tensors, file, {layout, false, nullptr});
    QAT_ASSERT_OK(like);
    EXPECT_EQ(SerializeWeights(WeightsFile::Format::kSafetensors, like->tensors, {}).value(),
              SerializeWeights(WeightsFile::Format::kSafetensors, given, {}).value());
  }
}

// The bias stays where it was, and the mean counts from it.
TEST(GiveWeights, ABiasInFrontOfABatchNormStays) {
  SafetensorsWriter writer = NormedFile();
  writer.Add("conv1.bias", {2}, {0.5f, -1});
  const WeightsFile file = WeightsFile::Parse(writer.Take(), "w").value();
  const std::vector<NetworkLayer> network = LayersOf(kNormed);
  NamedTensors tensors = TakeWeights(network, file, {})->tensors;
  tensors["conv1/moving_mean"].values = {10, 20};
  const auto given = GiveWeightsLike(network, tensors, file, {});
  QAT_ASSERT_OK(given);
  const WeightsFile back =
      WeightsFile::Parse(SerializeWeights(WeightsFile::Format::kSafetensors, given->tensors, {}).value(), "b")
          .value();
  for (size_t i = 0; i < back.tensors().size(); ++i) {
    const std::string& name = back.tensors()[i].name;
    if (name != "conv1.bias" && name != "bn1.running_mean") continue;
    EXPECT_EQ(back.Values(i).value(),
              name == "conv1.bias" ? (std::vector<float>{0.5f, -1}) : (std::vector<float>{10.5f, 19}));
  }
}

TEST(GiveWeights, ABiasThatTheFileHasNotIsAdded) {
  SafetensorsWriter writer;
  writer.Add("conv.weight", {4, 3, 2, 3}, Numbered({72}));
  const WeightsFile file = WeightsFile::Parse(writer.Take(), "w").value();
  const std::vector<NetworkLayer> network = LayersOf(kConv);
  NamedTensors tensors = TakeWeights(network, file, {})->tensors;
  EXPECT_EQ(GiveWeightsLike(network, tensors, file, {})->tensors.size(), 1u);  // 0 needs no place
  tensors["conv/bias"].values = {1, 2, 3, 4};
  const auto given = GiveWeightsLike(network, tensors, file, {});
  QAT_ASSERT_OK(given);
  EXPECT_EQ(given->added, (std::vector<std::string>{"conv.bias"}));
  EXPECT_EQ(given->tensors.back().shape, (Shape{4}));
}

// Of a series, a dense layer reads one step at a time: nothing is flattened.
TEST(GiveWeights, ADenseLayerOfEveryStepHasItsColumnsAsTheyAre) {
  Graph graph;
  GraphTensor x;
  x.name = "x";
  x.shape = {1, 5, 3};
  graph.tensors.push_back(x);
  graph.inputs = {0};
  const int32_t filter = graph.AddConstant("w", {2, 3}, Numbered({2, 3}));
  FullyConnectedAttributes attributes;
  attributes.keep_num_dims = true;
  graph.outputs = {*graph.AddNode(OpType::kFullyConnected, "dense", attributes, {0, filter})};
  GraphTensor& weights = graph.tensor(filter);
  weights.trained.emplace();
  weights.trained->role = ParameterSpec::Role::kFilter;
  weights.data.clear();
  const std::vector<NetworkLayer> network = LayersWithParameters(graph);
  ASSERT_EQ(network.size(), 1u);
  EXPECT_TRUE(network[0].flattened.empty());
  const NamedTensors tensors = {{"w", {{2, 3}, Numbered({2, 3})}}};
  for (const WeightsLayout layout : {WeightsLayout::kPyTorch, WeightsLayout::kKeras}) {
    const auto given = GiveWeights(network, tensors, layout, false);
    ASSERT_EQ(given.size(), 1u);
    EXPECT_EQ(given[0].shape, layout == WeightsLayout::kPyTorch ? (Shape{2, 3}) : (Shape{3, 2}));
  }
}

// An imported network calls its tensors as its source does, and the steps of a recurrent layer share theirs.
TEST(GiveWeights, OfImportedNetworksModulesAreThoseOfTheSource) {
  Graph graph = BuildGraph(testing::ParseLayersOfNet(kConv + Layer("fc", "fully_connected", "units = 2\n") +
                                                     Layer("again", "fully_connected", "units = 2\n"))
                               .value())
                    .value();
  for (GraphTensor& tensor : graph.tensors) {
    if (tensor.name == "conv/filter") tensor.name = "net.0.weight";
    if (tensor.name == "conv/bias") tensor.name = "net.0.bias";
    if (tensor.name == "fc/filter") tensor.name = "onnx::MatMul_12";
  }
  for (GraphNode& node : graph.nodes) {
    if (node.name == "fc") node.name = "/head/MatMul";
    if (node.name == "again") node.inputs[1] = graph.nodes[graph.nodes.size() - 2].inputs[1];
  }
  const std::vector<NetworkLayer> network = LayersWithParameters(graph);
  ASSERT_EQ(network.size(), 2u) << "the third shares its filter";
  NamedTensors tensors;
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.trained) tensors[tensor.name] = {tensor.shape, Numbered(tensor.shape)};
  }
  std::map<std::string, Shape> given;
  for (const StoredTensor& tensor : GiveWeights(network, tensors, WeightsLayout::kPyTorch, false))
    given[tensor.name] = tensor.shape;
  EXPECT_EQ(given.at("net.0.weight"), (Shape{4, 3, 2, 3}));
  EXPECT_EQ(given.at("net.0.bias"), (Shape{4}));
  EXPECT_TRUE(given.contains("/head/MatMul.weight"));
  EXPECT_EQ(given.size(), 4u);
  const auto taken = TakeWeights(
      network,
      WeightsFile::Parse(SerializeWeights(WeightsFile::Format::kSafetensors,
                                          GiveWeights(network, tensors, WeightsLayout::kPyTorch, false), {})
                             .value(),
                         "w")
          .value(),
      {});
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->tensors.at("net.0.weight").values, tensors.at("net.0.weight").values);
  EXPECT_EQ(taken->tensors.at("onnx::MatMul_12").values, tensors.at("onnx::MatMul_12").values);
}

TEST(GiveWeights, NamesAreThoseOfStateDicts) {
  const std::vector<NetworkLayer> network = LayersOf(kNormed + Layer("fc", "fully_connected", "units = 2\n"));
  NamedTensors tensors;
  tensors["conv1/filter"] = {{2, 1, 1, 3}, Numbered({6})};
  for (const char* suffix : {"gamma", "beta", "moving_mean", "moving_variance"})
    tensors[std::string("conv1/") + suffix] = {{2}, {1, 2}};
  tensors["fc/filter"] = {{2, 128}, Numbered({256})};
  tensors["fc/bias"] = {{2}, {1, 2}};
  std::string names;
  for (const StoredTensor& tensor : GiveWeights(network, tensors, WeightsLayout::kPyTorch, false))
    names += tensor.name + ToString(tensor.shape) + " ";
  EXPECT_EQ(names,
            "conv1.weight[2, 3, 1, 1] conv1_bn.weight[2] conv1_bn.bias[2] conv1_bn.running_mean[2] "
            "conv1_bn.running_var[2] "
            "fc.weight[2, 128] fc.bias[2] ");
}

}  // namespace
}  // namespace qat
