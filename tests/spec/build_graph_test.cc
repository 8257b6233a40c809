#include "spec/build_graph.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/file.h"
#include "base/strings.h"
#include "support/network_of.h"
#include "support/places.h"
#include "support/test_util.h"

namespace qat {
namespace {

/// Every network of the zoo and those that strangers wrote (tests/specs).
std::vector<NetworkSpec> AllSpecs() {
  std::vector<NetworkSpec> specs;
  for (const std::string& name : ZooNames()) specs.push_back(*LoadNetworkSpec(name));
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(testing::kSourceDir) + "/tests/specs")) {
    auto spec = LoadNetworkSpec(entry.path().string());
    EXPECT_TRUE(spec.ok()) << spec.error().message;
    specs.push_back(*std::move(spec));
  }
  return specs;
}

const GraphTensor* Find(const Graph& graph, const std::string& name) {
  const auto found = std::find_if(graph.tensors.begin(), graph.tensors.end(),
                                  [&](const GraphTensor& tensor) { return tensor.name == name; });
  return found == graph.tensors.end() ? nullptr : &*found;
}

TEST(BuildGraph, EveryLayerIsATensorOfItsNameAndShape) {
  for (const NetworkSpec& spec : AllSpecs()) {
    const auto graph = BuildGraph(spec);
    QAT_ASSERT_OK(graph);
    QAT_ASSERT_OK(Verify(*graph));
    EXPECT_EQ(graph->form, GraphForm::kTrainable);
    for (const LayerSpec& layer : spec.layers) {
      const GraphTensor* tensor = Find(*graph, layer.name);
      ASSERT_NE(tensor, nullptr) << spec.name << " " << layer.name;
      EXPECT_EQ(tensor->shape, layer.output_shape) << spec.name << " " << layer.name;
    }
    EXPECT_EQ(graph->tensor(graph->outputs[0]).name, spec.layers.back().name);
  }
}

TEST(BuildGraph, WhatTheSpecTrainsIsTrainedAndNothingElse) {
  for (const NetworkSpec& spec : AllSpecs()) {
    const auto graph = BuildGraph(spec);
    QAT_ASSERT_OK(graph);
    std::vector<std::string> expected, found;
    for (const LayerSpec& layer : spec.layers) {
      for (const ParameterSpec& parameter : TrainedParameters(layer)) {
        expected.push_back(StrCat(layer.name, "/", parameter.suffix, " ", ToString(parameter.shape)));
      }
    }
    for (const GraphNode& node : graph->nodes) {
      for (const int32_t index : TrainedTensorsOf(*graph, node))
        found.push_back(StrCat(graph->tensor(index).name, " ", ToString(graph->tensor(index).shape)));
    }
    EXPECT_EQ(found, expected) << spec.name;
    const auto trained = std::count_if(graph->tensors.begin(), graph->tensors.end(),
                                       [](const GraphTensor& tensor) { return tensor.trained.has_value(); });
    EXPECT_EQ(trained, std::ssize(expected)) << spec.name;
  }
}

TEST(BuildGraph, ComesBackFromItsFile) {
  for (const NetworkSpec& spec : AllSpecs()) {
    const auto graph = BuildGraph(spec);
    QAT_ASSERT_OK(graph);
    const auto again = ParseGraph(Serialize(*graph), "again");
    QAT_ASSERT_OK(again);
    EXPECT_TRUE(SameNetwork(*again, *graph)) << spec.name;
    EXPECT_EQ(again->tensors, graph->tensors) << spec.name;
    EXPECT_EQ(SourceTextOf(*again), spec.text);
    EXPECT_EQ(FollowsClasses(*again), spec.classes != 0);
    for (size_t i = 0; i < graph->nodes.size(); ++i) {
      EXPECT_EQ(again->nodes[i].batch_norm, graph->nodes[i].batch_norm);
      EXPECT_EQ(again->nodes[i].fused, graph->nodes[i].fused);
      EXPECT_EQ(MultiplyAccumulates(*again, again->nodes[i]), MultiplyAccumulates(*graph, graph->nodes[i]));
    }
  }
}

TEST(BuildGraph, ASplitIsOneNodeWithSeveralOutputs) {
  const Graph graph = testing::NetworkOf(
      "name = \"n\"\n[input]\nheight = 2\nwidth = 2\nchannels = 6\n[[layer]]\nname = \"cut\"\nop = "
      "\"split\"\nparts = 3\n"
      "[[layer]]\nname = \"join\"\nop = \"concatenation\"\ninputs = [\"cut:2\", \"cut:0\", \"cut:1\"]\n");
  ASSERT_EQ(graph.nodes.size(), 2u);
  ASSERT_EQ(graph.nodes[0].outputs.size(), 3u);
  EXPECT_EQ(graph.tensor(graph.nodes[0].outputs[2]).name, "cut:2");
  EXPECT_EQ(graph.nodes[1].inputs[0], graph.nodes[0].outputs[2]);
}

TEST(BuildGraph, TensorsStartAsTheirSpecSays) {
  const Graph graph = testing::NetworkOf(
      "name = \"n\"\n[input]\nheight = 4\nwidth = 4\nchannels = 2\n"
      "[[layer]]\nname = \"c\"\nop = \"conv_2d\"\nfilters = 3\nkernel = 3\nbatch_norm = {epsilon = 0.1, "
      "momentum = 0.5}\n"
      "initializer = {kind = \"truncated_normal\", stddev = 0.05}\n[[layer]]\nname = \"p\"\nop = "
      "\"prelu\"\nslope = 0.125\n"
      "[[layer]]\nname = \"d\"\nop = \"dropout\"\nkeep = 0.75\n");
  EXPECT_EQ(Find(graph, "c/filter")->trained->initializer.kind, Initializer::Kind::kTruncatedNormal);
  EXPECT_EQ(Find(graph, "c/filter")->trained->initializer.stddev, 0.05f);
  EXPECT_EQ(Find(graph, "c/filter")->trained->fan_in, 18);
  EXPECT_EQ(Find(graph, "c/gamma")->trained->initializer, Initializer::Constant(1));
  EXPECT_EQ(Find(graph, "c/beta")->trained->initializer, Initializer::Constant(0));
  EXPECT_EQ(graph.nodes[0].batch_norm->epsilon, 0.1f);
  EXPECT_EQ(graph.nodes[0].batch_norm->momentum, 0.5f);
  const auto slope = TrainedTensorsOf(graph, graph.nodes[1]);
  ASSERT_EQ(slope.size(), 1u);
  EXPECT_EQ(graph.tensor(slope[0]).trained->initializer, Initializer::Constant(0.125f));
  EXPECT_EQ(std::get<DropoutAttributes>(ParseGraph(Serialize(graph), "g")->nodes[2].attributes).keep, 0.75f);
}

// Each change makes a graph that Verify must not take for a whole one.
TEST(BuildGraph, WhatDoesNotFitIsRefused) {
  const Graph whole = testing::NetworkOf(
      "name = \"n\"\n[input]\nheight = 4\nwidth = 4\nchannels = 2\n"
      "[[layer]]\nname = \"c\"\nop = \"conv_2d\"\nfilters = 3\nkernel = 3\nbatch_norm = true\n"
      "[[layer]]\nname = \"d\"\nop = \"dropout\"\n");
  QAT_ASSERT_OK(Verify(whole));
  const auto refuses = [&](const char* what, const auto& change) {
    Graph graph = whole;
    change(graph);
    QAT_EXPECT_ERROR(Verify(graph), ErrorCode::kCorrupt, what);
  };
  const auto index = [&](const char* name) {
    return static_cast<size_t>(Find(whole, name) - whole.tensors.data());
  };
  refuses("expected a frozen graph", [](Graph& g) { g.form = GraphForm::kFrozen; });
  refuses("has a range or a scale", [&](Graph& g) { g.tensors[index("c")].has_range = true; });
  refuses("is to be trained and has values already",
          [&](Graph& g) { g.tensors[index("c/beta")].data = Bytes(12); });
  refuses("reads 'c/beta'",
          [](Graph& g) { std::swap(g.nodes[0].batch_norm->gamma, g.nodes[0].batch_norm->beta); });
  refuses("batch normalization reads tensor 99", [](Graph& g) { g.nodes[0].batch_norm->beta = 99; });
  refuses("epsilon 0", [](Graph& g) { g.nodes[0].batch_norm->epsilon = 0; });
  refuses("is computed by no node", [&](Graph& g) {
    g.tensors[index("c/beta")].trained.reset();
    g.nodes[0].batch_norm.reset();
  });
  refuses("has no filter", [](Graph& g) { g.nodes[1].batch_norm = g.nodes[0].batch_norm; });
  refuses("starts by its 0 inputs", [&](Graph& g) { g.tensors[index("c/filter")].trained->fan_in = 0; });
}

std::string WithOutputs(const std::string& outputs) {
  return "name = \"heads\"\noutputs = " + outputs + R"(
[input]
height = 8
width = 8
channels = 3
[[layer]]
name = "c"
op = "conv_2d"
filters = 4
kernel = 3
[[layer]]
name = "act"
op = "relu"
[[layer]]
name = "map"
op = "mean"
[[layer]]
name = "kind"
op = "fully_connected"
units = 5
)";
}

TEST(BuildGraph, TakesTheOutputsInTheOrderThatTheTextNames) {
  const Graph graph = testing::NetworkOf(WithOutputs("[\"kind\", \"map\"]"));
  ASSERT_EQ(graph.outputs.size(), 2u);
  EXPECT_EQ(graph.tensor(graph.outputs[0]).name, "kind");
  EXPECT_EQ(graph.tensor(graph.outputs[0]).shape, (Shape{1, 5}));
  EXPECT_EQ(graph.tensor(graph.outputs[1]).name, "map");
}

// What is read from outside, too, is not merged into what only others read.
TEST(BuildGraph, KeepsAnActivationApartWhereEitherSideIsAnOutput) {
  for (const char* outputs : {"[\"kind\", \"c\"]", "[\"kind\", \"act\"]"}) {
    const Graph graph = testing::NetworkOf(WithOutputs(outputs));
    EXPECT_EQ(FusedActivation(graph.nodes[0].attributes), Activation::kNone) << outputs;
    ASSERT_NE(Find(graph, "act"), nullptr) << outputs;
  }
  const Graph plain = testing::NetworkOf(WithOutputs("[\"kind\", \"map\"]"));
  EXPECT_EQ(FusedActivation(plain.nodes[0].attributes), Activation::kRelu);
}

TEST(BuildGraph, RefusesOutputsThatAreNone) {
  const auto refuses = [](const std::string& outputs, const std::string& message) {
    QAT_EXPECT_ERROR(ParseNetworkSpec(WithOutputs(outputs), "net.toml"), ErrorCode::kInvalidArgument,
                     message);
  };
  refuses("[\"knd\"]",
          "net.toml:2:12: unknown output 'knd'; did you mean 'kind'? (expected the name of a layer)");
  refuses("[\"kind\", \"kind\"]", "net.toml:2:20: output 'kind' is named twice");
  refuses("[\"input\"]", "output 'input' is an input of the network, expected the name of a layer");
  refuses("[\"map\"]", "layer 'kind' is read by no other layer and is not among the outputs");
  refuses("[]", "'outputs' is [], expected a list of names of layers");
  refuses("\"kind\"", "'outputs' is \"kind\", expected a list of names of layers");
}

TEST(BuildGraph, FollowsClassesWhereALayerDoes) {
  const auto graph = [](const std::string& units) {
    return testing::NetworkOf(
        "name = \"n\"\nclasses = 2\n[input]\nheight = 1\nwidth = 1\nchannels = 3\n[[layer]]\nname = "
        "\"d\"\nop = "
        "\"fully_connected\"\nunits = " +
        units + "\n");
  };
  EXPECT_TRUE(FollowsClasses(graph("\"classes\"")));
  EXPECT_FALSE(FollowsClasses(graph("2"))) << "the key alone changes nothing";
}

}  // namespace
}  // namespace qat
