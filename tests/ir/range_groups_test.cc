#include "ir/range_groups.h"

#include <algorithm>
#include <cstring>

#include "support/network_of.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::NetworkOf;

// On images of 8x8x3. Fixed ranges are separated already: BuildGraph does so.
Graph Network(const std::string& layers) {
  return NetworkOf("name = \"n\"\n[input]\nheight = 8\nwidth = 8\nchannels = 3\n" + layers);
}

std::string Layer(const std::string& name, const std::string& keys) {
  return "[[layer]]\nname = \"" + name + "\"\n" + keys + "\n";
}

constexpr char kConv[] = "op = \"conv_2d\"\nfilters = 3\nkernel = 3\ninputs = [\"pool\"]";

int32_t Find(const Graph& graph, const std::string& name) {
  const auto found = std::find_if(graph.tensors.begin(), graph.tensors.end(),
                                  [&](const GraphTensor& tensor) { return tensor.name == name; });
  QAT_CHECK(found != graph.tensors.end());
  return static_cast<int32_t>(found - graph.tensors.begin());
}

using Strings = std::vector<std::string>;

Strings Names(const Graph& graph, const std::vector<int32_t>& tensors) {
  Strings names;
  for (const int32_t tensor : tensors) names.push_back(graph.tensor(tensor).name);
  return names;
}

Strings Nodes(const Graph& graph) {
  Strings names;
  for (const GraphNode& node : graph.nodes) names.push_back(node.name);
  return names;
}

TEST(RangeGroups, PoolsAndReshapesShareWhatTheyRead) {
  const Graph lenet = testing::ZooNetwork("lenet-article");
  const RangeGroups groups = FindRangeGroups(lenet);
  const auto of = [&](const char* name) { return groups.of_tensor[static_cast<size_t>(Find(lenet, name))]; };
  EXPECT_EQ(of("pool1"), of("conv1"));
  EXPECT_EQ(Names(lenet, groups.Of(Find(lenet, "conv1")).observed), Strings{"conv1"});
  EXPECT_EQ(of("flatten"), of("conv3"));
  EXPECT_NE(of("conv1"), of("conv3"));
  EXPECT_EQ(of("conv1/filter"), -1) << "a filter has a scale of its own";
}

TEST(RangeGroups, WhatOnlyMovesTheInputIsFixedByTheContract) {
  const Graph graph = Network(Layer("a", "op = \"max_pool_2d\""));
  const RangeGroup group = FindRangeGroups(graph).Of(Find(graph, "a"));
  EXPECT_TRUE(group.holds_input);
  EXPECT_TRUE(group.observed.empty());
}

TEST(RangeGroups, SoftmaxIsFixed) {
  const Graph graph = Network(Layer("a", "op = \"fully_connected\"\nunits = 3") +
                              Layer("b", "op = \"softmax\"") + Layer("c", "op = \"reshape\""));
  const RangeGroups groups = FindRangeGroups(graph);
  ASSERT_TRUE(groups.Of(Find(graph, "c")).fixed_uint8.has_value());
  EXPECT_EQ(groups.Of(Find(graph, "b")).fixed_uint8->scale, 1.0f / 256);
  EXPECT_EQ(Names(graph, groups.Of(Find(graph, "a")).observed), Strings{"a"});
}

// Transposed convolutions read their picture third, splits second.
TEST(RangeGroups, TheDataInputIsWhereTheOperatorHasIt) {
  const Graph graph = Network(
      Layer("a", "op = \"conv_2d\"\nfilters = 4\nkernel = 1") + Layer("cut", "op = \"split\"\nparts = 2") +
      Layer("up", "op = \"transpose_conv\"\nfilters = 2\nkernel = 2\nstride = 2\ninputs = [\"cut:1\"]") +
      Layer("sum", "op = \"reshape\"\ninputs = [\"cut:0\"]") +
      Layer("last", "op = \"reshape\"\ninputs = [\"up\"]") +
      Layer("end", "op = \"concatenation\"\ninputs = [\"sum\", \"last\"]"));
  const RangeGroups groups = FindRangeGroups(graph);
  EXPECT_EQ(Names(graph, groups.Of(Find(graph, "cut:1")).observed), (Strings{"a", "up"}));
}

TEST(RangeGroups, FixedRangesAreSeparatedFromThoseThatTrainingFinds) {
  const Graph graph = Network(
      Layer("pool", "op = \"max_pool_2d\"") + Layer("conv", kConv) + Layer("gate", "op = \"logistic\"") +
      Layer("all", "op = \"concatenation\"\ninputs = [\"conv\", \"pool\", \"gate\", \"pool\"]"));
  ASSERT_EQ(Nodes(graph), (Strings{"pool", "conv", "gate", "all/from_pool", "all/from_gate", "all"}));
  const auto inputs_of = [&](size_t node) { return Names(graph, graph.nodes[node].inputs); };
  EXPECT_EQ(inputs_of(5), (Strings{"conv", "all/from_pool", "all/from_gate", "all/from_pool"}));
  EXPECT_EQ(inputs_of(3), Strings{"pool"});
  EXPECT_EQ(graph.tensor(Find(graph, "all/from_pool")).shape, (Shape{1, 4, 4, 3}));
  // One range for the concatenation, made of all that it reads; the image and the gate keep their own.
  const RangeGroups groups = FindRangeGroups(graph);
  const RangeGroup& all = groups.Of(Find(graph, "all"));
  EXPECT_EQ(Names(graph, all.observed), (Strings{"conv", "all/from_pool", "all/from_gate"}));
  EXPECT_FALSE(all.holds_input || all.fixed_uint8.has_value());
  EXPECT_TRUE(groups.Of(Find(graph, "pool")).holds_input);
  EXPECT_TRUE(groups.Of(Find(graph, "gate")).fixed_uint8.has_value());
}

TEST(RangeGroups, PartsOfTheImageAreJoinedAsTheyAre) {
  const Graph graph = Network(Layer("large", "op = \"max_pool_2d\"") +
                              Layer("mean", "op = \"average_pool_2d\"\ninputs = [\"input\"]") +
                              Layer("both", "op = \"concatenation\"\ninputs = [\"large\", \"mean\"]"));
  EXPECT_EQ(Nodes(graph), (Strings{"large", "mean", "both"}));
  EXPECT_TRUE(FindRangeGroups(graph).Of(Find(graph, "both")).holds_input);
}

// maximum(logistic(x), 0.25): the constant is no part of the fixed range, so the gate is separated; the
// constant's values belong to what is joined.
TEST(RangeGroups, AConstantIsTiedToWhatItIsJoinedWith) {
  Graph graph = Network(Layer("gate", "op = \"logistic\""));
  const int32_t floor = graph.AddConstant("floor", {3}, std::vector<float>{-0.5f, 0.25f, 3});
  const auto output = graph.AddNode(OpType::kMaximum, "most", {}, {Find(graph, "gate"), floor});
  QAT_ASSERT_OK(output);
  graph.outputs = {*output};
  SeparateFixedRanges(graph);
  QAT_ASSERT_OK(Verify(graph));
  ASSERT_EQ(Nodes(graph), (Strings{"gate", "most/from_gate", "most"}));
  EXPECT_EQ(graph.outputs, std::vector<int32_t>{Find(graph, "most")});
  const RangeGroups groups = FindRangeGroups(graph);
  EXPECT_EQ(Names(graph, groups.Of(Find(graph, "most")).observed), Strings{"most/from_gate"});
  EXPECT_EQ(groups.Of(Find(graph, "floor")).constants, (Range{0, 3}))
      << "-0.5 never comes out of a maximum with a gate";
  const Range range = ConstantRange(graph.tensor(Find(graph, "floor")));
  EXPECT_EQ(range.min, -0.5f);
  EXPECT_EQ(range.max, 3);
  SeparateFixedRanges(graph);
  EXPECT_EQ(graph.nodes.size(), 3u) << "what is separated stays as it is";
}

// Where one range holds both, nothing is to be separated.
TEST(RangeGroups, AConstantWithinAFixedRangeNeedsNoOther) {
  for (const float value : {0.5f, 1.5f}) {
    Graph graph = Network(Layer("gate", "op = \"logistic\""));
    const int32_t floor = graph.AddConstant("floor", {1}, std::vector<float>{value});
    const auto output = graph.AddNode(OpType::kMaximum, "most", {}, {Find(graph, "gate"), floor});
    QAT_ASSERT_OK(output);
    graph.outputs = {*output};
    SeparateFixedRanges(graph);
    QAT_ASSERT_OK(Verify(graph));
    EXPECT_EQ(graph.nodes.size(), value < 1 ? 2u : 3u) << value;
  }
}

// A border of 40 is a value; -1e9 beside scores is a mask.
TEST(RangeGroups, FillsAreValuesUnlessOnlyMasksAreSoFarOut) {
  RangeGroup group;
  group.fills = {40, -1e9f};
  EXPECT_EQ(group.With({-4, 4}), (Range{-4, 40}));
  EXPECT_EQ(group.Saturating({-4, 4}), std::vector<float>{-1e9f});
  EXPECT_EQ(group.With({-0.5f, 0.5f}), (Range{-0.5f, 0.5f})) << "7 of 255 steps";
  EXPECT_EQ(group.Saturating({-0.5f, 0.5f}), (std::vector<float>{40, -1e9f}));
  group.fills = {-0.25f, 3};
  EXPECT_EQ(group.With({0, 1}), (Range{-0.25f, 3}));
  EXPECT_EQ(group.With({}), (Range{-0.25f, 3})) << "nothing else";
  group.constants = {0, 5};
  EXPECT_EQ(group.With({0, 1}), (Range{-0.25f, 5}));
}

TEST(RangeGroups, ABorderOfAValueBelongsToWhatItIsPut) {
  Graph graph = Network(Layer("gate", "op = \"logistic\""));
  const int32_t gate = Find(graph, "gate");
  const Shape shape = graph.tensor(gate).shape;
  GraphTensor paddings;
  paddings.name = "paddings";
  paddings.type = DType::kInt32;
  paddings.shape = {static_cast<int32_t>(shape.size()), 2};
  const std::vector<int32_t> ones(2 * shape.size(), 0);
  paddings.data.resize(ones.size() * sizeof(int32_t));
  std::memcpy(paddings.data.data(), ones.data(), paddings.data.size());
  const int32_t around = graph.AddTensor(std::move(paddings));
  const int32_t value = graph.AddConstant("value", {1}, std::vector<float>{1.5f});
  const auto output = graph.AddNode(OpType::kPadV2, "border", std::monostate(), {gate, around, value});
  QAT_ASSERT_OK(output);
  graph.outputs = {*output};
  SeparateFixedRanges(graph);
  QAT_ASSERT_OK(Verify(graph));
  EXPECT_EQ(Nodes(graph), (Strings{"gate", "border/from_gate", "border"}));
  const RangeGroups groups = FindRangeGroups(graph);
  const RangeGroup& own = groups.Of(Find(graph, "border"));
  EXPECT_EQ(Names(graph, own.observed), Strings{"border/from_gate"});
  EXPECT_EQ(own.With({0, 1}), (Range{0, 1.5f}));
}

}  // namespace
}  // namespace qat
