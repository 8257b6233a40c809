#include "plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "passes/passes.h"
#include "plan/plan_file.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "support/rows.h"
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
  QuantizationOptions options;
  options.precisions = *IntegersFromName(name);
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

// As a binary activation is exported.
TEST(MakePlan, TwoConstantsThatANodeTiesToEachOtherShareTheirRange) {
  for (const char* type : {"uint8", "int8", "int16x8"}) {
    Graph graph = testing::RowGraph(2, -4, 4);
    const int32_t zero = graph.AddConstant("zero", {1}, std::vector<float>{0});
    const int32_t high = graph.AddConstant("high", {1}, std::vector<float>{3});
    const int32_t low = graph.AddConstant("low", {1}, std::vector<float>{-1});
    const int32_t is_high = *graph.AddNode(OpType::kGreater, "is_high", {}, {graph.inputs[0], zero});
    graph.outputs = {*graph.AddNode(OpType::kSelectV2, "chosen", {}, {is_high, high, low})};
    KeepFloat(graph, IntegersFromName(type)->activations.type);
    const QuantizationPlan plan = Planned(graph, OptionsFor(type));
    const std::vector<QuantizationParams>& params = PlanOf(plan, graph, "chosen").params;
    EXPECT_EQ(PlanOf(plan, graph, "high").params, params) << type;
    EXPECT_EQ(PlanOf(plan, graph, "low").params, params) << type;
    const Range held = RepresentableRange(params[0], LimitsOf(IntegersFromName(type)->activations));
    EXPECT_NEAR(held.max, 3, 0.02) << type;
    EXPECT_LE(held.min, -0.98f) << type;
  }
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

int64_t SumsOf(const GraphTensor& bias, size_t channel) {
  int64_t steps;
  std::memcpy(&steps, &bias.data[channel * sizeof(steps)], sizeof(steps));
  return steps;
}

TEST(MakePlan, Int16x8HasRangesAroundZeroAndBiasesOf64Bits) {
  Graph graph = TinyInt8();
  const QuantizationPlan plan = Planned(graph, OptionsFor("int16x8"));
  EXPECT_EQ(PlanOf(plan, graph, "input").params[0], (QuantizationParams{1.0f / 32767, 0}))
      << "pixels in [0, 1]";
  EXPECT_EQ(PlanOf(plan, graph, "conv").params[0], (QuantizationParams{2.5f / 32767, 0}))
      << "[0, 2.5] was trained";
  EXPECT_EQ(PlanOf(plan, graph, "fc").params[0], (QuantizationParams{5.0f / 32767, 0}))
      << "[-3, 5] was trained";
  EXPECT_EQ(PlanOf(plan, graph, "conv/filter").params,
            PlanOf(Planned(graph, OptionsFor("int8")), graph, "conv/filter").params);
  std::vector<std::string> warnings;
  ApplyPlan(plan, graph, warnings);
  QAT_ASSERT_OK(Verify(graph));
  EXPECT_TRUE(warnings.empty());
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.name != "conv/bias") continue;
    ASSERT_EQ(tensor.type, DType::kInt64);
    EXPECT_EQ(SumsOf(tensor, 0), std::llround(0.25 / double{tensor.quantization->scale[0]}));
    EXPECT_EQ(SumsOf(tensor, 1), std::llround(-0.125 / double{tensor.quantization->scale[1]}));
  }
}

// Around 0 a range is twice as wide as its end: float32 holds one and not the other.
// TFLite's multiplier of such a channel would be 0, and its bias with it.
TEST(MakePlan, AChannelOfTinyWeightsKeepsItsBiasBesideSixteenBits) {
  Graph graph = testing::RowNetwork();
  const std::vector<float> weights = {1, 1, 1e-12f, 1e-12f}, biases = {0, 4};
  const int32_t filter = graph.AddConstant("tiny/filter", {2, 2}, weights);
  const int32_t bias = graph.AddConstant("tiny/bias", {2}, biases);
  graph.outputs = {*graph.AddNode(OpType::kFullyConnected, "tiny", FullyConnectedAttributes(),
                                  {graph.inputs[0], filter, bias})};
  SetRange(graph, graph.outputs[0], {-8, 8}, {-32767, 32767});
  SetRange(graph, graph.nodes[0].outputs[0], {-8, 8}, {-32767, 32767});
  graph.scheme = "int16x8";
  const QuantizationPlan plan = Planned(graph, OptionsFor("int16x8"));
  const double input = PlanOf(plan, graph, "input").params[0].scale;
  const double multiplier = input * PlanOf(plan, graph, "tiny/filter").params[1].scale /
                            PlanOf(plan, graph, "tiny").params[0].scale;
  EXPECT_GE(multiplier, 0x1p-31) << "TFLite takes less than 2^-32 for 0";
}

TEST(MakePlan, RangesAroundZeroThatAreTooWideAreNamed) {
  const auto planned = [](const Graph& graph, const QuantizationOptions& options) -> Status {
    std::vector<std::string> warnings;
    const auto plan = MakePlan(graph, options, warnings);
    return plan.ok() ? Status() : plan.error();
  };
  Graph graph = TinyInt8();
  for (GraphTensor& tensor : graph.tensors) {
    if (tensor.name == "fc") tensor.range = {0, 3e38f};
  }
  QAT_ASSERT_OK(Verify(graph));
  QAT_ASSERT_OK(planned(graph, OptionsFor("int8")));
  QAT_EXPECT_ERROR(planned(graph, OptionsFor("int16x8")), ErrorCode::kNumerical,
                   "node 'fc': 'fc' needs the range [-3e+38, 3e+38]");
  QuantizationOptions options = OptionsFor("int16x8");
  options.default_range = Range{0, 3e38f};
  QAT_EXPECT_ERROR(planned(TinyGraph(false), options), ErrorCode::kInvalidArgument,
                   "default range [-3e+38, 3e+38]");
  options = OptionsFor("int16x8");
  options.input = QuantizationParams{1e37f, 0};
  QAT_EXPECT_ERROR(planned(TinyInt8(), options), ErrorCode::kInvalidArgument,
                   "the input stats mean the range");
}

TEST(MakePlan, NamedLayersHaveActivationsOf16BitsBetweenQuantizeNodes) {
  for (const std::string type : {"int8", "w4a8"}) {
    Graph graph = TinyInt8();
    QuantizationOptions options = OptionsFor(type);
    options.int16_nodes = KeepInt16(graph, {"conv", "pool"});
    EXPECT_EQ(options.int16_nodes, (std::set<std::string>{"conv", "input/int16", "pool"}));
    QAT_ASSERT_OK(Verify(graph));
    const QuantizationPlan plan = Planned(graph, options);
    EXPECT_EQ(PlanOf(plan, graph, "input").precision.type, DType::kInt8);
    EXPECT_EQ(PlanOf(plan, graph, "input/int16").params[0], (QuantizationParams{1.0f / 32767, 0}))
        << "pixels in [0, 1]";
    EXPECT_EQ(PlanOf(plan, graph, "conv").params[0], (QuantizationParams{2.5f / 32767, 0}));
    EXPECT_EQ(PlanOf(plan, graph, "pool").params, PlanOf(plan, graph, "conv").params);
    EXPECT_EQ(PlanOf(plan, graph, "pool/int8").params[0], (QuantizationParams{2.5f / 255, -128}));
    EXPECT_EQ(PlanOf(plan, graph, "flatten").precision.type, DType::kInt8);
    EXPECT_EQ(PlanOf(plan, graph, "conv/filter").precision, kInt8FiltersPerAxis)
        << "TFLite has no 4 bits beside int16";
    EXPECT_EQ(PlanOf(plan, graph, "fc/filter").precision.bits, type == "w4a8" ? 4 : 8);
    EXPECT_EQ(PlanOf(plan, graph, "conv/bias").precision.type, DType::kInt64);
    EXPECT_EQ(PlanOf(plan, graph, "fc/bias").precision.type, DType::kInt32);
    std::vector<std::string> warnings;
    ApplyPlan(plan, graph, warnings);
    QAT_ASSERT_OK(Verify(graph));
  }
}

TEST(KeepInt16, OutputsOfTheNetworkStayInt8UnderTheirNames) {
  Graph graph = TinyInt8();
  QuantizationOptions options = OptionsFor("int8");
  options.int16_nodes = KeepInt16(graph, {"fc"});
  const QuantizationPlan plan = Planned(graph, options);
  EXPECT_EQ(graph.tensor(graph.outputs[0]).name, "fc");
  EXPECT_EQ(PlanOf(plan, graph, "fc").precision.type, DType::kInt8);
  EXPECT_EQ(PlanOf(plan, graph, "fc/int8").precision.type, DType::kInt16)
      << "what the layer gives took the other name";
  Graph same = TinyInt8();
  EXPECT_TRUE(KeepInt16(same, {}).empty());
  EXPECT_EQ(same, TinyInt8());
}

TEST(MakePlan, NamesLayersWithoutAKernelFor16Bits) {
  Graph graph = TinyInt8();
  const int32_t bent = *graph.AddNode(OpType::kHardSwish, "bent", OpAttributes(), {graph.outputs[0]});
  SetRange(graph, bent, {-1, 5}, {-128, 127});
  graph.outputs = {bent};
  QuantizationOptions options = OptionsFor("int8");
  options.int16_nodes = KeepInt16(graph, {"bent"});
  std::vector<std::string> warnings;
  QAT_EXPECT_ERROR(MakePlan(graph, options, warnings), ErrorCode::kUnsupported,
                   "no kernel of TFLite computes 'bent' (hard_swish) on int16");
}

TEST(PlanFile, LayersWith16BitsComeBack) {
  Graph graph = TinyInt8();
  QuantizationOptions options = OptionsFor("int8");
  options.int16_nodes = KeepInt16(graph, {"conv"});
  const std::string text = PlanText(Planned(graph, options), graph, {{}, {"conv"}, {}});
  EXPECT_NE(text.find("\nint16 = [\"conv\"]\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\"conv\" = { range = [0, 2.5] }  # int16, scale "), std::string::npos) << text;
  const auto choices = ReadPlan(text, "plan.toml");
  QAT_ASSERT_OK(choices);
  EXPECT_EQ(choices->int16, (std::vector<std::string>{"conv"}));
  QAT_EXPECT_ERROR(ReadPlan("version = 1\ntype = \"uint8\"\nint16 = [\"conv\"]\n", "p.toml"),
                   ErrorCode::kInvalidArgument,
                   "'int16' is of layers beside activations of int8, and the type is uint8");
}

TEST(ApplyPlan, FourBitsLieTwoToAByteTheLowerHalfFirst) {
  Graph graph = TinyInt8();
  const QuantizationPlan plan = Planned(graph, OptionsFor("w4a8"));
  const TensorPlan& filter = PlanOf(plan, graph, "conv/filter");
  ASSERT_EQ(filter.params.size(), 2u);
  EXPECT_FLOAT_EQ(filter.params[0].scale, 0.5f / 7);
  EXPECT_FLOAT_EQ(filter.params[1].scale, 0.5625f / 7);
  std::vector<std::string> warnings;
  ApplyPlan(plan, graph, warnings);
  QAT_ASSERT_OK(Verify(graph));
  EXPECT_TRUE(warnings.empty());
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.name != "conv/filter") continue;
    ASSERT_EQ(tensor.type, DType::kInt4);
    ASSERT_EQ(tensor.data.size(), 9u) << "18 values";
    for (size_t i = 0; i < 18; ++i) {
      const double real = -0.5 + 0.0625 * static_cast<double>(i);
      const int half = tensor.data[i / 2] >> (i % 2 == 0 ? 0 : 4) & 0xf;
      // Ties are broken by float32 arithmetic that is not checked here.
      const double steps = real * 7 / (i < 9 ? 0.5 : 0.5625);
      EXPECT_LE(std::abs((half < 8 ? half : half - 16) - steps), 0.5001) << i;
    }
  }
}

TEST(MakePlan, NamesFiltersThatTakeNoFourBits) {
  Graph graph = TinyInt8();
  const int32_t image = graph.nodes[0].output();
  const int32_t shape = graph.AddConstant("up/shape", {4}, std::vector<int32_t>{1, 8, 8, 1});
  const int32_t filter = graph.AddConstant("up/filter", {1, 2, 2, 2}, qat::testing::Ramp(8, -1, 0.25f));
  const auto up =
      graph.AddNode(OpType::kTransposeConv, "up", TransposeConvAttributes{.stride_h = 2, .stride_w = 2},
                    {shape, filter, image});
  QAT_ASSERT_OK(up);
  SetRange(graph, *up, {-4, 4}, {-128, 127});
  graph.outputs.push_back(*up);
  std::vector<std::string> warnings;
  const auto plan = MakePlan(graph, OptionsFor("w4a8"), warnings);
  QAT_ASSERT_OK(plan);
  EXPECT_EQ(PlanOf(*plan, graph, "up/filter").precision, kInt8FiltersPerAxis);
  EXPECT_EQ(PlanOf(*plan, graph, "fc/filter").precision, kInt4FiltersPerAxis);
  EXPECT_EQ(warnings,
            (std::vector<std::string>{
                "TFLite takes no 4 bits of these filters, so they have 8: 'up/filter' (transpose_conv)"}));
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

TEST(PlanFile, ChoosesTheBitsOfEachFilter) {
  for (const std::string type : {"int8", "w4a8"}) {
    const auto choices = ReadPlan("version = 1\ntype = \"" + type +
                                      "\"\n[filters]\n\"fc/filter\" = { bits = 4 }\n\"conv/filter\" = "
                                      "{ bits = 8, scales = \"tensor\" }\n",
                                  "bits.toml");
    QAT_ASSERT_OK(choices);
    Graph graph = TinyInt8();
    QuantizationOptions options = OptionsFor(type);
    QAT_ASSERT_OK(TakeChoices(*choices, graph, options));
    const QuantizationPlan plan = Planned(graph, options);
    EXPECT_EQ(PlanOf(plan, graph, "fc/filter").precision, kInt4FiltersPerAxis) << type;
    EXPECT_EQ(PlanOf(plan, graph, "conv/filter").precision, kInt8Filters) << type;
  }
  ExpectRefused("version = 1\ntype = \"int16x8\"\n[filters]\n\"fc/filter\" = { bits = 4 }\n",
                "is 4, expected 8");
  ExpectRefused("version = 1\ntype = \"uint8\"\n[filters]\n\"fc/filter\" = { bits = 4 }\n",
                "is 4, expected 8");
}

TEST(ApplyPlan, SumsOfInt16SayThatTheirScalesAreNoPowersOfTwo) {
  for (const std::string name : {"int8", "int16x8"}) {
    Graph graph = TinyInt8();
    const auto sum =
        graph.AddNode(OpType::kAdd, "sum", BinaryAttributes(), {graph.outputs[0], graph.outputs[0]});
    QAT_ASSERT_OK(sum);
    SetRange(graph, *sum, {-6, 10}, {-128, 127});
    graph.outputs = {*sum};
    std::vector<std::string> warnings;
    ApplyPlan(Planned(graph, OptionsFor(name)), graph, warnings);
    const bool as_they_are = std::get<BinaryAttributes>(graph.nodes.back().attributes).power_of_two_scales;
    EXPECT_EQ(as_they_are, BinaryAttributes().power_of_two_scales && name == "int8") << name;
  }
}

// Of a sum that was next to 0: in steps of 1e-9 TFLite's interpreter would abort the process. What was always
// 0 has larger steps in any case.
TEST(MakePlan, WidensOutputsThatAreTooFineForTheirInputs) {
  for (const std::string name : {"uint8", "int8", "int16x8"}) {
    for (const OpType type : {OpType::kAdd, OpType::kSub, OpType::kSquaredDifference}) {
      if (type == OpType::kSquaredDifference && name != "int8") continue;  // has no kernel there
      for (const float end : {1e-8f, 0.0f}) {
        Graph graph = name == "uint8" ? TinyGraph() : TinyInt8();
        const int32_t fc = graph.outputs[0];
        const auto dead = graph.AddNode(type, "dead", DefinitionOf(type).default_attributes, {fc, fc});
        QAT_ASSERT_OK(dead);
        SetRange(graph, *dead, {0, end}, name == "uint8" ? kUInt8Limits : QuantizedLimits{-128, 127});
        graph.outputs = {*dead};
        std::vector<std::string> warnings;
        QAT_ASSERT_OK(ChooseQuantization(graph, OptionsFor(name), warnings));
        ASSERT_EQ(warnings.size(), end > 0 ? 1u : 0u) << name;
        if (end > 0) {
          EXPECT_NE(warnings[0].find("'dead': the range [0, 1e-08] of its output is too narrow"),
                    std::string::npos)
              << warnings[0];
        }
        auto model = RunnableFromBytes(*WriteTflite(graph, {}), "dead.tflite");
        QAT_ASSERT_OK(model);
        QAT_ASSERT_OK(Interpreter::Create(*model, {}));
      }
    }
  }
}

// A layer with a filter, too: what reads large values and gives next to none.
TEST(MakePlan, WidensLayersWhoseMultiplierNoShiftHolds) {
  for (const std::string name : {"uint8", "int8", "int8-per-tensor", "int16x8"}) {
    Graph graph = name == "uint8" ? TinyGraph() : TinyInt8();
    const QuantizedLimits limits = name == "uint8" ? kUInt8Limits : QuantizedLimits{-128, 127};
    for (GraphNode& node : graph.nodes) {
      if (node.name == "conv") SetRange(graph, node.outputs[0], {0, 1e14f}, limits);
    }
    std::vector<std::string> warnings;
    QAT_ASSERT_OK(ChooseQuantization(graph, OptionsFor(name), warnings));
    const auto widened = [](const std::string& text) {
      return text.starts_with("'fc': the range [") && text.find("too narrow for TFLite") != std::string::npos;
    };
    EXPECT_EQ(std::count_if(warnings.begin(), warnings.end(), widened), 1) << name;
    auto model = RunnableFromBytes(*WriteTflite(graph, {}), "wide.tflite");
    QAT_ASSERT_OK(model);
    QAT_ASSERT_OK(Interpreter::Create(*model, {}));
  }
}

/// The model that a network becomes by what a plan file says.
Bytes ModelByPlan(Graph graph, const std::string& text) {
  const auto choices = ReadPlan(text, "plan.toml");
  QAT_CHECK(choices.ok());
  QuantizationOptions options;
  options.precisions = choices->precisions;
  std::vector<std::string> warnings;
  QAT_CHECK(TakeChoices(*choices, graph, options).ok());
  QAT_CHECK(ChooseQuantization(graph, options, warnings).ok());
  return *WriteTflite(graph, {});
}

TEST(PlanFile, GivenBackAsWrittenMakesTheSameModel) {
  for (const std::string name : {"uint8", "int8", "int8-per-tensor", "int16x8", "w4a8"}) {
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

TEST(PlanFile, LayersToEqualizeComeBack) {
  const Graph graph = TinyInt8();
  const std::string text = PlanText(Planned(graph, OptionsFor("int8")), graph, {{}, {}, {"conv", "f\"c"}});
  EXPECT_NE(text.find("\nequalize = [\"conv\", \"f\\\"c\"]\n"), std::string::npos) << text;
  const auto choices = ReadPlan(text, "plan.toml");
  QAT_ASSERT_OK(choices);
  EXPECT_EQ(choices->equalize, (std::vector<std::string>{"conv", "f\"c"}));
  QAT_EXPECT_ERROR(ReadPlan("version = 1\ntype = \"int8\"\nequalize = \"conv\"\n", "p.toml"),
                   ErrorCode::kInvalidArgument, "p.toml:3:");
}

TEST(PlanFile, OneLineATensorWithWhatFollowsBehindIt) {
  const Graph graph = TinyInt8();
  const std::string text = PlanText(Planned(graph, OptionsFor("int8")), graph, {{"fc"}, {}, {}});
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

// A layer that is dead in training or calibration is written with it, and has to come back.
TEST(PlanFile, WarnsOfARangeInWhichEveryValueIs0) {
  const auto choices = ReadPlan("version = 1\ntype = \"int8\"\n[activations]\nfc.range = [0, 0]\n", "p.toml");
  QAT_ASSERT_OK(choices);
  Graph graph = TinyInt8();
  QuantizationOptions options = OptionsFor("int8");
  QAT_ASSERT_OK(TakeChoices(*choices, graph, options));
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(MakePlan(graph, options, warnings));
  EXPECT_EQ(warnings,
            std::vector<std::string>{"'fc': the plan gives it the range [0, 0], in which every value is 0"});
}

TEST(PlanFile, RefusesWhatItDoesNotKnowWithTheNearestName) {
  ExpectRefused("[activations]\nconw.range = [0, 1]\n", "unknown activation 'conw'; did you mean 'conv'?");
  ExpectRefused("[activations]\npool.range = [0, 1]\n", "unknown activation 'pool'");
  ExpectRefused("[filters]\n\"conv/filtre\" = { bits = 8 }\n", "did you mean 'conv/filter'?");
  ExpectRefused("[inputs]\ninput.range = [0, 1]\n",
                "inputs: 'input' takes bytes, of which mean and std say what they stand for");
  ExpectRefused("[inputs]\nimput.range = [0, 1]\n", "unknown input of real numbers 'imput'");
  ExpectRefused("[activation]\n", "did you mean 'activations'?");
  ExpectRefused("[activations]\nconv.rnge = [0, 1]\n", "did you mean 'range'?");
  ExpectRefused("[activations]\nconv.range = [1, 2]\n", "expected [MIN, MAX] with MIN at most 0");
  ExpectRefused("[activations]\nconv.range = [0, 1e30]\n",
                "'range' is [0, 1e+30], expected [MIN, MAX] with MIN at most 0 and MAX at least 0, no wider "
                "than 1e+15");
  ExpectRefused("[activations]\nconv.range = [0, nan]\n", "'range' is [0, nan]");
  ExpectRefused("[inputs]\ninput.range = [0, 0]\n",
                "'range' is [0, 0], expected [MIN, MAX] with MIN below MAX");
  ExpectRefused("[activations]\nconv = 3\n", "p.toml:4:");
  ExpectRefused("[filters]\n\"fc/filter\" = { bits = 3 }\n", "is 3, expected 4 or 8");
  ExpectRefused("[filters]\n\"fc/filter\" = { bits = 3.4e38 }\n", "expected 4 or 8");
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
