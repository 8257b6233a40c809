#include "ir/graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "base/envelope.h"
#include "base/file_kind.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"

namespace qat {
namespace {

using qat::testing::TinyGraph;

TEST(Graph, AddNodeInfersShapesAndNamesTheOutput) {
  const Graph g = TinyGraph();
  EXPECT_EQ(g.tensor(g.nodes[0].output()).name, "conv");
  EXPECT_EQ(g.tensor(g.nodes[0].output()).shape, (Shape{1, 4, 4, 2}));
  EXPECT_EQ(g.tensor(g.nodes[1].output()).shape, (Shape{1, 2, 2, 2}));
  EXPECT_EQ(g.tensor(g.nodes[2].output()).shape, (Shape{1, 8}));
  EXPECT_EQ(g.tensor(g.nodes[3].output()).shape, (Shape{1, 3}));
  QAT_ASSERT_OK(Verify(g));
}

TEST(Graph, AddNodeRefusesShapesThatDoNotFitAndNamesTheNode) {
  Graph g = TinyGraph();
  const int32_t filter = g.AddConstant("wrong/filter", {3, 7}, qat::testing::Ramp(21, 0, 1));
  const int32_t bias = g.AddConstant("wrong/bias", {3}, qat::testing::Ramp(3, 0, 1));
  QAT_EXPECT_ERROR(
      g.AddNode(OpType::kFullyConnected, "wrong", FullyConnectedAttributes(), {g.outputs[0], filter, bias}),
      ErrorCode::kInvalidArgument, "node 'wrong': filter [3, 7] takes rows of 7");
}

TEST(Graph, ArgMaxHasTheIndexTypeOfItsAttributes) {
  Graph g = TinyGraph();
  const int32_t axis = g.AddConstant("top/axis", {}, std::vector<int32_t>{1});
  g.outputs = {*g.AddNode(OpType::kArgMax, "top", ArgMaxAttributes{DType::kInt64}, {g.outputs[0], axis})};
  EXPECT_EQ(g.tensor(g.outputs[0]).type, DType::kInt64);
  EXPECT_EQ(g.tensor(g.outputs[0]).shape, Shape{1});
  QAT_ASSERT_OK(Verify(g));
}

// input -> its upper and its lower half, both outputs of the graph.
Graph HalvedGraph() {
  Graph g = TinyGraph();
  const int32_t axis = g.AddConstant("halves/axis", {}, std::vector<int32_t>{1});
  const int32_t upper = *g.AddNode(OpType::kSplit, "halves", SplitAttributes{2}, {axis, g.inputs[0]});
  g.outputs = {upper, upper + 1};
  return g;
}

TEST(Graph, ANodeWithSeveralOutputsNamesAndNumbersThem) {
  const Graph g = HalvedGraph();
  EXPECT_EQ(g.nodes.back().outputs, g.outputs);
  EXPECT_EQ(g.tensor(g.outputs[1]).name, "halves:1");
  EXPECT_EQ(g.tensor(g.outputs[1]).shape, (Shape{1, 2, 4, 1}));
  EXPECT_EQ(g.tensor(g.outputs[1]).type, DType::kFloat32) << "of the values, not of the axis";
  QAT_ASSERT_OK(Verify(g));
  const auto read = ParseGraph(Serialize(g), "a.qgraph");
  QAT_ASSERT_OK(read);
  EXPECT_EQ(*read, g);
  EXPECT_NE(Print(g).find("halves:1"), std::string::npos);
}

TEST(Graph, ALostOutputIsNoticed) {
  Graph g = HalvedGraph();
  g.nodes.back().outputs.pop_back();
  g.outputs.pop_back();
  g.tensors.pop_back();
  QAT_EXPECT_ERROR(Verify(g), ErrorCode::kCorrupt, "node 'halves': has 1 outputs, expected 2");
}

GraphTensor& Tensor(Graph& g, const std::string& name) {
  const auto named = [&](const GraphTensor& tensor) { return tensor.name == name; };
  return *std::find_if(g.tensors.begin(), g.tensors.end(), named);
}

// As many values of another type.
void Retype(Graph& g, const std::string& name, DType type) {
  GraphTensor& tensor = Tensor(g, name);
  tensor.type = type;
  if (tensor.is_constant()) tensor.data.resize(static_cast<size_t>(FlatSize(tensor.shape)) * SizeOf(type));
}

struct Damage {
  const char* name;
  std::function<void(Graph&)> apply;
  const char* message;
};

class GraphVerify : public ::testing::TestWithParam<Damage> {};

TEST_P(GraphVerify, NamesWhatIsWrong) {
  Graph g = TinyGraph();
  GetParam().apply(g);
  QAT_EXPECT_ERROR(Verify(g), ErrorCode::kCorrupt, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Damages, GraphVerify,
    ::testing::Values(
        Damage{"TwoTensorsOfOneName", [](Graph& g) { g.tensors[1].name = "input"; },
               "tensor 'input' is there twice"},
        Damage{"ShortConstant", [](Graph& g) { g.tensors[1].data.pop_back(); },
               "tensor 'conv/filter': holds 71 bytes, float32 [2, 3, 3, 1] takes 72"},
        Damage{"NegativeSize", [](Graph& g) { g.tensors[0].shape[1] = -4; },
               "tensor 'input': shape is [1, -4, 4, 1]"},
        Damage{"OverflowingShape",
               [](Graph& g) {
                 g.tensors[0].shape = {65536, 65536, 65536, 65536};
               },
               "tensor 'input': shape is"},
        Damage{"RangeWithoutZero",
               [](Graph& g) {
                 g.tensor(g.outputs[0]).range = {1, 2};
               },
               "tensor 'fc': range is [1, 2], expected ends around 0"},
        Damage{"LimitsOfNoType",
               [](Graph& g) {
                 g.tensor(g.outputs[0]).limits = {INT32_MIN, INT32_MAX};
               },
               "tensor 'fc': integer range is [-2147483648, 2147483647], expected one of uint8"},
        Damage{"FilterOfBytes", [](Graph& g) { Retype(g, "conv/filter", DType::kUInt8); },
               "node 'conv': filter 'conv/filter' is uint8, expected constants of float32"},
        Damage{"BiasOfIntegers", [](Graph& g) { Retype(g, "fc/bias", DType::kInt32); },
               "node 'fc': bias 'fc/bias' is int32, expected constants of float32"},
        Damage{"EmptyBias", [](Graph& g) { Tensor(g, "conv/bias").data.clear(); },
               "node 'conv': reads tensor 'conv/bias' before it is computed"},
        Damage{"ComputedFilter", [](Graph& g) { g.nodes[3].inputs[1] = g.nodes[2].output(); },
               "node 'fc': filter 'flatten' is computed, expected constants of float32"},
        Damage{"IntegersForRealNumbers", [](Graph& g) { Retype(g, "input", DType::kInt32); },
               "input 'input' is int32, expected real numbers"},
        Damage{"OperatorOfModelsOnly", [](Graph& g) { g.nodes[1].type = OpType::kZerosLike; },
               "node 'pool': zeros_like is not written to models"},
        Damage{"TensorIndexOutOfRange", [](Graph& g) { g.nodes[1].inputs[0] = 99; },
               "node 'pool': reads tensor 99"},
        Damage{"NegativeTensorIndex", [](Graph& g) { g.nodes[1].inputs[0] = -1; },
               "node 'pool': reads tensor -1"},
        Damage{"ReadBeforeWritten", [](Graph& g) { std::swap(g.nodes[0], g.nodes[1]); },
               "node 'pool': reads tensor 'conv' before it is computed"},
        Damage{"WrittenTwice", [](Graph& g) { g.nodes[1].outputs = g.nodes[0].outputs; },
               "node 'pool': writes tensor 'conv', which has a value already"},
        Damage{"ComputedByNoNode", [](Graph& g) { g.nodes.pop_back(); },
               "tensor 'fc' is computed by no node"},
        Damage{"MissingInput", [](Graph& g) { g.nodes[0].inputs.resize(1); }, "node 'conv': has 1 inputs"},
        Damage{"WrongOutputShape",
               [](Graph& g) {
                 g.tensor(g.outputs[0]).shape = {1, 4};
               },
               "node 'fc': tensor 'fc' is [1, 4], expected [1, 3]"},
        Damage{"WrongOutputType", [](Graph& g) { g.tensor(g.outputs[0]).type = DType::kUInt8; },
               "node 'fc': tensor 'fc' is uint8, expected float32"},
        Damage{"ScaleOfAFloatTensor",
               [](Graph& g) {
                 g.tensor(g.outputs[0]).quantization = TensorQuantization::PerTensor({1, 0});
               },
               "tensor 'fc': has a scale, but its type is float32"},
        Damage{"TrainingOnlyOperator", [](Graph& g) { g.nodes[1].type = OpType::kDropout; },
               "node 'pool': dropout exists in training only"},
        Damage{"ContractOfAnotherSize", [](Graph& g) { g.contract.input().height = 28; },
               "input 'input' is [1, 4, 4, 1], its contract says 28x4x1"},
        Damage{"NoOutput", [](Graph& g) { g.outputs.clear(); }, "has no input or no output"}),
    [](const auto& damage) { return std::string(damage.param.name); });

// Numbers that are none are the fault of a training, not of a file.
TEST(Graph, WhatIsNotFiniteIsANumericalError) {
  Graph g = TinyGraph();
  g.tensor(g.outputs[0]).range.max = std::nanf("");
  QAT_EXPECT_ERROR(Verify(g), ErrorCode::kNumerical, "tensor 'fc': range is [-3, nan], expected finite ends");
  g.tensor(g.outputs[0]).range = {-3e38f, 3e38f};
  QAT_EXPECT_ERROR(Verify(g), ErrorCode::kNumerical, "expected finite ends and width");
  for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    for (const std::string name : {"conv/filter", "fc/bias"}) {
      g = TinyGraph();
      std::memcpy(&Tensor(g, name).data[4], &bad, sizeof(bad));
      QAT_EXPECT_ERROR(Verify(g), ErrorCode::kNumerical, "tensor '" + name + "': value 1 is ");
    }
  }
}

TEST(GraphFile, ComesBackAsItWasWritten) {
  const Graph g = TinyGraph();
  const auto read = ParseGraph(Serialize(g), "a.qgraph");
  QAT_ASSERT_OK(read);
  EXPECT_EQ(read->tensors, g.tensors);
  EXPECT_EQ(read->nodes, g.nodes);
  EXPECT_EQ(*read, g);
}

TEST(GraphFile, HasTheSameBytesWrittenTwice) { EXPECT_EQ(Serialize(TinyGraph()), Serialize(TinyGraph())); }

TEST(GraphFile, RefusesEveryTruncation) {
  const Bytes bytes = Serialize(TinyGraph());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseGraph(std::span(bytes).first(size), "a.qgraph").ok()) << size;
  }
}

TEST(GraphFile, RefusesEveryChangedByte) {
  const Bytes bytes = Serialize(TinyGraph());
  for (size_t i = 0; i < bytes.size(); ++i) {
    Bytes damaged = bytes;
    damaged[i] = static_cast<uint8_t>(~damaged[i]);
    EXPECT_FALSE(ParseGraph(damaged, "a.qgraph").ok()) << i;
  }
}

// A hash is no proof of good will: damage that was sealed again must be an error or a graph that verifies.
TEST(GraphFile, SurvivesEveryChangedByteUnderAMatchingHash) {
  const Bytes bytes = Serialize(TinyGraph());
  const Bytes payload(bytes.begin() + kEnvelopeSize, bytes.end());
  for (size_t i = 0; i < payload.size(); ++i) {
    for (const int flip : {0x01, 0x02, 0x10, 0x80, 0xff}) {
      Bytes damaged = payload;
      damaged[i] = static_cast<uint8_t>(damaged[i] ^ flip);
      const auto read = ParseGraph(SealEnvelope(kGraphIdentifier, 1, damaged), "a.qgraph");
      EXPECT_TRUE(!read.ok() || Verify(*read).ok()) << i;
    }
  }
}

TEST(GraphFile, NamesACheckpointGivenInItsPlace) {
  QAT_EXPECT_ERROR(ParseGraph(SealEnvelope(kCheckpointIdentifier, 1, {}), "a.ckpt"), ErrorCode::kCorrupt,
                   "a.ckpt: is a checkpoint, expected a frozen graph (.qgraph)");
}

TEST(GraphPrint, ShowsNodesRangesConstantsAndContract) {
  const std::string text = Print(TinyGraph());
  for (const char* piece :
       {"graph tiny, scheme uint8", "conv_2d", "<- input ", "range [0, 2.5]", "activation relu", "fc/filter",
        "float32 [3, 8]", "range [-0.6875, 0.75]", "input contract: 4x4x1, real = (byte - 0) / 255, 3 labels",
        "data_sha256: 00ff"}) {
    EXPECT_NE(text.find(piece), std::string::npos) << piece << " in\n" << text;
  }
}

}  // namespace
}  // namespace qat
