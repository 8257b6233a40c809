#include "spec/print_spec.h"

#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "spec/build_graph.h"
#include "spec/parse.h"
#include "support/places.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::Layer;
using testing::ParseLayersOfNet;

Graph WithoutFused(Graph graph) {
  for (GraphNode& node : graph.nodes) node.fused.clear();
  return graph;
}

/// Text of the graph, after it has been read back as the same network.
std::string RoundTrip(const Graph& graph) {
  const auto text = PrintSpec(graph);
  EXPECT_TRUE(text.ok()) << graph.name << ": " << text.error().message;
  if (!text.ok()) return "";
  const auto spec = ParseNetworkSpec(*text, "printed");
  EXPECT_TRUE(spec.ok()) << *text << spec.error().message;
  if (!spec.ok()) return "";
  const auto again = BuildGraph(*spec);
  EXPECT_TRUE(again.ok());
  EXPECT_TRUE(SameNetwork(WithoutFused(*again), WithoutFused(graph)))
      << *text << PrintNetwork(*again) << PrintNetwork(graph);
  EXPECT_EQ(FollowsClasses(*again), FollowsClasses(graph)) << graph.name;
  return *text;
}

std::string RoundTripOf(const std::string& layers) {
  const auto spec = ParseLayersOfNet(layers);
  EXPECT_TRUE(spec.ok()) << spec.error().message;
  return spec.ok() ? RoundTrip(*BuildGraph(*spec)) : "";
}

TEST(PrintSpec, EveryNetworkOfTheZooReadsBackAsItself) {
  for (const std::string& name : ZooNames()) RoundTrip(*BuildGraph(*LoadNetworkSpec(name)));
  RoundTrip(*BuildGraph(*LoadNetworkSpec("mobilenet_v2", {.width = 0.35, .resolution = 32, .classes = 7})));
}

TEST(PrintSpec, EverySpecOfStrangersReadsBackAsItself) {
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(testing::kSourceDir) + "/tests/specs")) {
    const auto spec = LoadNetworkSpec(entry.path().string());
    QAT_ASSERT_OK(spec);
    RoundTrip(*BuildGraph(*spec));
    ++count;
  }
  EXPECT_GE(count, 20);
}

// Bytes have the attributes that TFLite has; what only a spec says is in the shapes of filters and in
// constants.
TEST(PrintSpec, IsTheSameOfAGraphThatWasWrittenAndRead) {
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(testing::kSourceDir) + "/tests/specs")) {
    const Graph graph = *BuildGraph(*LoadNetworkSpec(entry.path().string()));
    const auto read = ParseGraph(Serialize(graph), "graph");
    QAT_ASSERT_OK(read);
    EXPECT_EQ(RoundTrip(*read), RoundTrip(graph)) << entry.path();
  }
}

TEST(PrintSpec, SaysOnlyWhatIsNotTheDefault) {
  EXPECT_EQ(
      RoundTripOf(
          Layer("c", "conv_2d",
                "filters = 4\nkernel = [3, 3]\nstride = 1\npadding = \"same\"\nactivation = \"none\"\n") +
          Layer("m", "mean", "axes = [1, 2]\n") +
          Layer("logits", "fully_connected", "units = 2\ninitializer = {kind = \"glorot_uniform\"}\n")),
      "name = \"net\"\n\n[input]\nshape = [8, 8, 3]\n\n"
      "[[layer]]\nname = \"c\"\nop = \"conv_2d\"\nfilters = 4\nkernel = 3\n\n"
      "[[layer]]\nname = \"m\"\nop = \"mean\"\n\n"
      "[[layer]]\nname = \"logits\"\nop = \"fully_connected\"\nunits = 2\ninitializer = {kind = "
      "\"glorot_uniform\"}\n");
}

TEST(PrintSpec, LayersThatReadingMadeAreOneLayerAgain) {
  const std::string text = RoundTripOf(
      Layer("g", "conv_2d",
            "filters = 6\nkernel = 3\nstride = 2\npadding = [2, 1, 0, 1]\nbatch_norm = {epsilon = 0.01}\n") +
      Layer("h", "conv_2d",
            "filters = 4\nkernel = 3\ngroups = 2\npadding = [0, 0, 2, 2]\nactivation = \"relu6\"\n"));
  EXPECT_EQ(text,
            "name = \"net\"\n\n[input]\nshape = [8, 8, 3]\n\n"
            "[[layer]]\nname = \"g\"\nop = \"conv_2d\"\nfilters = 6\nkernel = 3\nstride = 2\npadding = [2, "
            "1, 0, 1]\nbatch_norm = {epsilon = "
            "0.01}\n\n"
            "[[layer]]\nname = \"h\"\nop = \"conv_2d\"\nfilters = 4\nkernel = 3\npadding = [0, 0, 2, "
            "2]\ngroups = 2\nactivation = "
            "\"relu6\"\n");
}

TEST(PrintSpec, ABatchNormWithoutALayerKeepsItsActivation) {
  const std::string text = RoundTripOf(Layer("norm", "batch_norm", "momentum = 0.9\n") + Layer("r", "relu") +
                                       Layer("c", "conv_2d", "filters = 3\nkernel = 1\n") +
                                       Layer("sum", "add", "inputs = [\"c\", \"r\"]\n"));
  EXPECT_NE(text.find("op = \"batch_norm\"\nmomentum = 0.9\n\n[[layer]]\nname = \"r\"\nop = \"relu\"\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("inputs = [\"c\", \"r\"]"), std::string::npos) << text;
}

TEST(PrintSpec, NamesWhatALayerTookIn) {
  const std::string text = RoundTripOf(Layer("c", "conv_2d", "filters = 4\nkernel = 3\n") +
                                       Layer("bn", "batch_norm") + Layer("act", "relu6"));
  EXPECT_NE(text.find("name = \"c\"  # with bn, act\n"), std::string::npos) << text;
}

TEST(PrintSpec, SeveralInputsAndOutputsKeepTheirNames) {
  const auto spec = ParseNetworkSpec(
      "name = \"two\\\\ \\\"n\\\"\"\noutputs = [\"kind\", \"cut:1\"]\n[[input]]\nname = \"a\"\nshape = [8, "
      "8, 2]\n[[input]]\nname = "
      "\"b\"\nshape = [5]\n" +
          Layer("cut", "split", "inputs = [\"a\"]\nparts = 2\n") +
          Layer("flat", "fully_connected", "inputs = [\"cut:0\"]\nunits = 5\n") +
          Layer("rows", "reshape", "inputs = [\"b\"]\n") +
          Layer("kind", "add", "inputs = [\"flat\", \"rows\"]\n"),
      "two.toml");
  QAT_ASSERT_OK(spec);
  const std::string text = RoundTrip(*BuildGraph(*spec));
  EXPECT_NE(text.find("outputs = [\"kind\", \"cut:1\"]"), std::string::npos) << text;
}

// ---- graphs of other front ends: names, shapes and parameters as they come ----------------------

TrainedTensor Trained(ParameterSpec::Role role) {
  TrainedTensor trained;
  trained.role = role;
  if (role != ParameterSpec::Role::kFilter) trained.initializer = Initializer::Constant(0);
  return trained;
}

/// Rows of four features through a layer without a bias, and a softmax.
Graph ImportedRows() {
  Graph graph;
  graph.name = "model";
  graph.form = GraphForm::kTrainable;
  graph.scheme = "float32";
  GraphTensor input;
  input.name = "serving_default_x:0";
  input.shape = {1, 4};
  graph.inputs = {graph.AddTensor(input)};
  const int32_t filter =
      graph.AddTrained("model/dense/MatMul", {3, 4}, Trained(ParameterSpec::Role::kFilter));
  int32_t at = *graph.AddNode(OpType::kTanh, "model/act/Tanh;model/act/x",
                              DefinitionOf(OpType::kTanh).default_attributes, graph.inputs);
  at = *graph.AddNode(OpType::kFullyConnected, "model/dense/MatMul;y", FullyConnectedAttributes{},
                      {at, filter});
  at = *graph.AddNode(OpType::kSoftmax, "StatefulPartitionedCall:0", SoftmaxAttributes{}, {at});
  graph.outputs = {at};
  return graph;
}

TEST(PrintSpec, ModelsOfOthersGetPlainNamesAndCommentsOnWhatChanged) {
  const auto text = PrintSpec(ImportedRows());
  QAT_ASSERT_OK(text);
  EXPECT_EQ(*text,
            "# Left out: softmax 'StatefulPartitionedCall:0' at the end, which the loss contains.\n"
            "# A bias that starts at 0 was added to: model/dense/MatMul;y.\n"
            "name = \"model\"\n\n[input]\nshape = [4]\n\n"
            "[[layer]]\nname = \"rows\"\nop = \"reshape\"\n\n"
            "[[layer]]\nname = \"act\"\nop = \"tanh\"\n\n"
            "[[layer]]\nname = \"dense\"\nop = \"fully_connected\"\nunits = 3\n");
}

TEST(PrintSpec, EveryInputOfRowsGetsAReshapeOfItsOwn) {
  Graph graph;
  graph.name = "sum";
  graph.form = GraphForm::kTrainable;
  graph.scheme = "float32";
  for (const char* name : {"left:0", "right:0"}) {
    GraphTensor input;
    input.name = name;
    input.shape = {1, 4};
    graph.inputs.push_back(graph.AddTensor(input));
  }
  graph.outputs = {*graph.AddNode(OpType::kAdd, "Add", BinaryAttributes{}, graph.inputs)};
  const auto text = PrintSpec(graph);
  QAT_ASSERT_OK(text);
  EXPECT_NE(text->find("inputs = [\"rows\", \"rows_2\"]"), std::string::npos) << *text;
}

TEST(PrintSpec, ListsAllThatASpecCannotSay) {
  Graph graph = ImportedRows();
  const int32_t constant = graph.AddConstant("model/scale", {1, 4}, std::vector<float>{1, 2, 3, 4});
  const int32_t input = graph.inputs[0];
  const int32_t scaled = *graph.AddNode(OpType::kMul, "model/mul", BinaryAttributes{}, {input, constant});
  const int32_t sign = *graph.AddNode(OpType::kLess, "model/less", std::monostate(), {scaled, input});
  graph.outputs.push_back(sign);
  QAT_EXPECT_ERROR(PrintSpec(graph), ErrorCode::kUnsupported,
                   "'model/mul' (mul): it reads the constant 'model/scale'");
  QAT_EXPECT_ERROR(PrintSpec(graph), ErrorCode::kUnsupported,
                   "'model/less' (less): specs have no such layer");
  QAT_EXPECT_ERROR(PrintSpec(graph), ErrorCode::kUnsupported,
                   "spec says this network; it can be converted as the file that it is");
  graph.outputs.pop_back();
  graph.nodes.pop_back();
  QAT_EXPECT_ERROR(PrintSpec(graph), ErrorCode::kUnsupported,
                   "it can be trained and converted as the file that it is");
}

// As recurrent layers of an .onnx begin.
TEST(PrintSpec, NamesALayerThatComputesEachRowAlone) {
  Graph graph = ImportedRows();
  graph.nodes.clear();
  graph.tensor(graph.inputs[0]).shape = {1, 20, 5};
  const int32_t filter = graph.AddTrained("w", {32, 5}, Trained(ParameterSpec::Role::kFilter));
  FullyConnectedAttributes dense;
  dense.keep_num_dims = true;
  graph.outputs = {*graph.AddNode(OpType::kFullyConnected, "Y/forward/fc", dense, {graph.inputs[0], filter})};
  QAT_EXPECT_ERROR(PrintSpec(graph), ErrorCode::kUnsupported,
                   "'Y/forward/fc' (fully_connected): it computes each row of [1, 20, 5] alone");
}

// What reading back refuses has lines of a text that was never written.
TEST(PrintSpec, RefusalsOfTheTextNameTheNetworksOwnLayers) {
  Graph graph = ImportedRows();
  graph.nodes.clear();
  graph.tensor(graph.inputs[0]).shape = {1, 5000};
  const int32_t axis = graph.AddConstant("axis", {1}, std::vector<int32_t>{1});
  SplitAttributes split;
  split.splits = 5000;
  const int32_t first =
      *graph.AddNode(OpType::kSplit, "model/cut/Split;model/x", split, {axis, graph.inputs[0]});
  graph.outputs = {*graph.AddNode(OpType::kTanh, "model/act/Tanh",
                                  DefinitionOf(OpType::kTanh).default_attributes, {first})};
  const auto text = PrintSpec(graph);
  ASSERT_FALSE(text.ok());
  const std::string& message = text.error().message;
  EXPECT_EQ(message.find("its spec:"), std::string::npos) << message;
  EXPECT_NE(message.find("\n  'model/cut/Split;model/x' (split): "), std::string::npos) << message;
}

// A layer that no key can give is found when the text is read back.
TEST(PrintSpec, RefusesAnActivationThatHasNoKey) {
  auto spec = ParseLayersOfNet(Layer("p", "max_pool_2d"));
  QAT_ASSERT_OK(spec);
  Graph graph = *BuildGraph(*spec);
  std::get<Pool2DAttributes>(graph.nodes[0].attributes).activation = Activation::kRelu;
  QAT_EXPECT_ERROR(PrintSpec(graph), ErrorCode::kUnsupported,
                   "'p' (max_pool_2d): its layer would have window 2x2");
}

}  // namespace
}  // namespace qat
