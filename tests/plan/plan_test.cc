#include "plan/plan.h"

#include <gtest/gtest.h>

#include <cmath>

#include "passes/passes.h"
#include "plan/plan_file.h"
#include "runtime/interpreter.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using qat::testing::SetRange;
using qat::testing::TinyGraph;

Graph TinyInt8() {
  Graph g = TinyGraph();
  g.scheme = "int8";
  for (GraphTensor& tensor : g.tensors) {
    if (tensor.is_constant()) tensor.has_range = false;
  }
  return g;
}

QuantizationOptions OptionsFor(std::string_view name) {
  const Precisions precisions = *IntegersFromName(name);
  QuantizationOptions options;
  options.scheme = SchemeOfActivations(precisions);
  options.filter_precision = precisions.filters;
  return options;
}

const TensorPlan& PlanOf(const QuantizationPlan& plan, const Graph& graph, std::string_view name) {
  for (const TensorPlan& each : plan.tensors) {
    if (graph.tensor(each.tensor).name == name) return each;
  }
  static const TensorPlan kNone;
  ADD_FAILURE() << "no plan for " << name;
  return kNone;
}

QuantizationPlan Planned(const Graph& graph, const QuantizationOptions& options) {
  std::vector<std::string> warnings;
  auto plan = MakePlan(graph, options, warnings);
  QAT_CHECK(plan.ok());
  return *std::move(plan);
}

TEST(MakePlan, SaysWhyAndWhoShares) {
  const Graph graph = TinyGraph();
  const QuantizationPlan plan = Planned(graph, OptionsFor("uint8"));
  EXPECT_EQ(PlanOf(plan, graph, "input").reason, "the input contract");
  EXPECT_EQ(PlanOf(plan, graph, "conv").reason, "trained range");
  EXPECT_EQ(PlanOf(plan, graph, "conv").range, (Range{0, 2.5f}));
  const TensorPlan& flat = PlanOf(plan, graph, "flatten");
  ASSERT_GE(flat.shares, 0);
  EXPECT_EQ(graph.tensor(flat.shares).name, "conv") << "through the pool";
  EXPECT_EQ(flat.params, PlanOf(plan, graph, "conv").params);
  EXPECT_EQ(PlanOf(plan, graph, "fc/bias").precision.type, DType::kInt32);
  EXPECT_EQ(plan.tensors.size(), 9u) << "input, conv, pool, flatten, fc, two filters, two biases";
}

TEST(MakePlan, Int8PerTensorHasOneSymmetricScaleOfTheLargestValue) {
  Graph graph = TinyInt8();
  const QuantizationPlan plan = Planned(graph, OptionsFor("int8-per-tensor"));
  const TensorPlan& filter = PlanOf(plan, graph, "conv/filter");
  ASSERT_EQ(filter.params.size(), 1u);
  EXPECT_FLOAT_EQ(filter.params[0].scale, 0.5625f / 127) << "values from -0.5 to 0.5625";
  EXPECT_EQ(filter.params[0].zero_point, 0);
  std::vector<std::string> warnings;
  ApplyPlan(plan, graph, warnings);
  QAT_ASSERT_OK(Verify(graph));
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.name != "conv/filter") continue;
    ASSERT_EQ(tensor.type, DType::kInt8);
    for (size_t i = 0; i < tensor.data.size(); ++i) {
      const double real = -0.5 + 0.0625 * static_cast<double>(i);
      EXPECT_EQ(static_cast<int8_t>(tensor.data[i]), std::lround(real * 127 / 0.5625)) << i;
    }
  }
  EXPECT_EQ(Planned(TinyInt8(), OptionsFor("int8")).tensors.size(), plan.tensors.size());
}

/// The model that a network becomes by what a plan file says.
Bytes ModelByPlan(Graph graph, const std::string& text) {
  const auto choices = ReadPlan(text, "plan.toml");
  QAT_CHECK(choices.ok());
  QuantizationOptions options;
  options.scheme = SchemeOfActivations(choices->precisions);
  options.filter_precision = choices->precisions.filters;
  std::vector<std::string> warnings;
  QAT_CHECK(TakeChoices(*choices, graph, options).ok());
  QAT_CHECK(ChooseQuantization(graph, options, warnings).ok());
  return *WriteTflite(graph, {});
}

TEST(PlanFile, GivenBackAsWrittenMakesTheSameModel) {
  for (const std::string name : {"uint8", "int8", "int8-per-tensor"}) {
    const Graph graph = name == "uint8" ? TinyGraph() : TinyInt8();
    const QuantizationOptions options = OptionsFor(name);
    const std::string text = PlanText(Planned(graph, options), graph, {});
    Graph direct = graph;
    std::vector<std::string> warnings;
    QAT_ASSERT_OK(ChooseQuantization(direct, options, warnings));
    // Ranges that the graph has not are taken from the plan.
    Graph bare = graph;
    for (GraphTensor& tensor : bare.tensors) tensor.has_range = false;
    EXPECT_EQ(ModelByPlan(bare, text), *WriteTflite(direct, {})) << text;
  }
}

TEST(PlanFile, OneLineATensorWithWhatFollowsBehindIt) {
  const Graph graph = TinyInt8();
  const std::string text = PlanText(Planned(graph, OptionsFor("int8")), graph, {"fc"});
  EXPECT_NE(text.find("keep_float = [\"fc\"]\n"), std::string::npos) << text;
  EXPECT_NE(text.find("[activations]\n\"conv\" = { range = [0, 2.5] }  # int8, scale 0.009803922, zero point "
                      "-128; trained range; "
                      "shared by \"pool\", \"flatten\"\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\"conv/filter\" = { bits = 8, scales = \"channel\" }  # int8, 2 scales from "),
            std::string::npos)
      << text;
}

TEST(PlanFile, AnEditedRangeAndFilterAreTaken) {
  const Graph graph = TinyInt8();
  const auto choices = ReadPlan(
      "version = 1\ntype = \"int8\"\n[activations]\nfc.range = [-1, 2]\n"
      "[filters]\n\"fc/filter\" = { scales = \"tensor\", range = [-0.5, 0.25] }\n",
      "edit.toml");
  QAT_ASSERT_OK(choices);
  Graph edited = graph;
  QuantizationOptions options = OptionsFor("int8");
  QAT_ASSERT_OK(TakeChoices(*choices, edited, options));
  const QuantizationPlan plan = Planned(edited, options);
  EXPECT_FLOAT_EQ(PlanOf(plan, edited, "fc").params[0].scale, 3.0f / 255);
  EXPECT_EQ(PlanOf(plan, edited, "fc").reason, "the plan");
  ASSERT_EQ(PlanOf(plan, edited, "fc/filter").params.size(), 1u);
  EXPECT_FLOAT_EQ(PlanOf(plan, edited, "fc/filter").params[0].scale, 0.5f / 127);
  EXPECT_EQ(PlanOf(plan, edited, "conv/filter").params.size(), 2u) << "as before";
}

void ExpectRefused(const std::string& text, const std::string& message) {
  const std::string head = "version = 1\ntype = \"int8\"\n";
  const auto choices = ReadPlan(text.starts_with("version") ? text : head + text, "p.toml");
  Status status;
  if (choices.ok()) {
    Graph graph = TinyInt8();
    QuantizationOptions options = OptionsFor("int8");
    status = TakeChoices(*choices, graph, options);
  } else {
    status = choices.error();
  }
  ASSERT_FALSE(status.ok()) << text;
  EXPECT_NE(status.error().message.find(message), std::string::npos) << status.error().message;
}

TEST(PlanFile, RefusesWhatItDoesNotKnowWithTheNearestName) {
  ExpectRefused("[activations]\nconw.range = [0, 1]\n", "unknown activation 'conw'; did you mean 'conv'?");
  ExpectRefused("[activations]\npool.range = [0, 1]\n", "unknown activation 'pool'");
  ExpectRefused("[filters]\n\"conv/filtre\" = { bits = 8 }\n", "did you mean 'conv/filter'?");
  ExpectRefused("[inputs]\ninput.range = [0, 1]\n", "unknown input of real numbers 'input'");
  ExpectRefused("[activation]\n", "did you mean 'activations'?");
  ExpectRefused("[activations]\nconv.rnge = [0, 1]\n", "did you mean 'range'?");
  ExpectRefused("[activations]\nconv.range = [1, 2]\n", "expected [MIN, MAX] with MIN at most 0");
  ExpectRefused("[activations]\nconv = 3\n", "p.toml:4:");
  ExpectRefused("[filters]\n\"fc/filter\" = { bits = 3 }\n", "is 3, expected 8");
  ExpectRefused("[filters]\n\"fc/filter\" = { scales = \"channel\", range = [-1, 1] }\n",
                "expected one with scales = \"tensor\"");
  ExpectRefused("version = 2\ntype = \"int8\"\n", "'version' is 2, expected 1");
  ExpectRefused("version = 1\ntype = \"int7\"\n", "expected one of uint8, int8, int8-per-tensor");
}

TEST(PlanFile, TensorsThatShareARangeMayNotGetTwo) {
  Graph graph = TinyInt8();
  const auto second = graph.AddNode(OpType::kAbs, "second", OpAttributes(), {graph.outputs[0]});
  QAT_ASSERT_OK(second);
  SetRange(graph, *second, {0, 5}, {-128, 127});
  const auto joined =
      graph.AddNode(OpType::kMaximum, "joined", DefinitionOf(OpType::kMaximum).default_attributes,
                    {graph.outputs[0], *second});
  QAT_ASSERT_OK(joined);
  graph.outputs = {*joined};
  QuantizationOptions options = OptionsFor("int8");
  PlanChoices choices;
  choices.precisions = *IntegersFromName("int8");
  choices.activations = {{"fc", {-3, 4}}};
  QAT_ASSERT_OK(TakeChoices(choices, graph, options));
  EXPECT_EQ(graph.tensor(*second).range, (Range{-3, 4})) << "one name is enough";
  choices.activations["second"] = {-3, 5};
  QAT_EXPECT_ERROR(TakeChoices(choices, graph, options), ErrorCode::kInvalidArgument,
                   "activations 'fc' and 'second' share one range, and the plan gives them two");
}

}  // namespace
}  // namespace qat
