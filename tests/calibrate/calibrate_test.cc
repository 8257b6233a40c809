#include "calibrate/calibrate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "base/random.h"
#include "contract/provenance.h"
#include "passes/passes.h"
#include "runtime/model_predictor.h"
#include "runtime/runnable_model.h"
#include "support/bytes_of.h"
#include "support/rows.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using testing::RowNetwork;
using testing::Rows;
using testing::TinyGraph;

Dataset Images(int32_t height, int32_t width, const Bytes& pixels) {
  Dataset data;
  data.name = "images";
  data.input().height = height;
  data.input().width = width;
  data.input().channels = 1;
  data.images = pixels;
  data.labels.resize(pixels.size() / static_cast<size_t>(height * width));
  return data;
}

Dataset RandomImages(int32_t count) {
  Random random(3);
  Bytes pixels;
  for (int32_t i = 0; i < 16 * count; ++i) pixels.push_back(static_cast<uint8_t>(random.Below(256)));
  return Images(4, 4, pixels);
}

Status CalibrateOn(const Dataset& data, Graph& graph, Scheme scheme = Scheme::kUInt8) {
  std::vector<std::string> warnings;
  return Calibrate(data, {PrecisionsOf(scheme)}, WorkHooks(), graph, warnings);
}

const GraphTensor& Find(const Graph& graph, const std::string& name) {
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.name == name) return tensor;
  }
  ADD_FAILURE() << "no tensor " << name;
  return graph.tensors[0];
}

// Two bytes as reals -> two fully connected layers of one unit each, sums that can be done by hand.
struct TwoSums {
  TwoSums() {
    graph.name = "sums";
    graph.scheme = "float32";
    graph.contract = {1, 2, 1, {0}, {1}, {}};
    GraphTensor input;
    input.name = "input";
    input.shape = {1, 1, 2, 1};
    const int32_t image = graph.AddTensor(input);
    graph.inputs = {image};
    const int32_t shape = graph.AddConstant("flat/shape", {2}, std::vector<int32_t>{-1, 2});
    const int32_t flat = *graph.AddNode(OpType::kReshape, "flat", ReshapeAttributes{{1, -1}}, {image, shape});
    difference = Sum("difference", flat, {1, -1}, 10);
    total = Sum("total", flat, {1, 1}, 1);
    graph.outputs = {difference, total};
  }
  int32_t Sum(const std::string& name, int32_t from, std::vector<float> weights, float bias) {
    const int32_t filter = graph.AddConstant(name + "/filter", {1, 2}, weights);
    const int32_t bias_tensor = graph.AddConstant(name + "/bias", {1}, std::vector<float>{bias});
    return *graph.AddNode(OpType::kFullyConnected, name, FullyConnectedAttributes(),
                          {from, filter, bias_tensor});
  }
  void JoinThem() {
    const int32_t joined =
        *graph.AddNode(OpType::kConcatenation, "join", ConcatenationAttributes{1}, {difference, total});
    graph.outputs = {joined};
  }
  Graph graph;
  int32_t difference = 0, total = 0;
};

const Bytes kPixels = {0, 255, 3, 1, 200, 100};

// (0, 255), (3, 1), (200, 100): differences + 10 are -245, 12, 110; sums + 1 are 256, 5, 301.
TEST(Calibrate, TakesTheLeastAndTheLargestValueAndZero) {
  Graph graph = TwoSums().graph;
  QAT_ASSERT_OK(CalibrateOn(Images(1, 2, kPixels), graph));
  EXPECT_EQ(Find(graph, "difference").range, (Range{-245, 110}));
  EXPECT_EQ(Find(graph, "total").range, (Range{0, 301}));
  EXPECT_EQ(Find(graph, "total").limits, kUInt8Limits);
  EXPECT_FALSE(Find(graph, "flat").has_range) << "it takes the input's parameters";
  EXPECT_EQ(graph.scheme, "uint8");
  EXPECT_TRUE(Verify(graph).ok());
}

TEST(Calibrate, GivesWhatIsJoinedOneRange) {
  TwoSums sums;
  sums.JoinThem();
  QAT_ASSERT_OK(CalibrateOn(Images(1, 2, kPixels), sums.graph));
  EXPECT_EQ(Find(sums.graph, "difference").range, (Range{-245, 301}));
  EXPECT_EQ(Find(sums.graph, "total").range, (Range{-245, 301}));
}

// The writer leaves it out between reals, and still it has a range of its own.
TEST(Calibrate, ObservesAQuantizeWhereItsInputIs) {
  TwoSums sums;
  const int32_t marked = *sums.graph.AddNode(OpType::kQuantize, "marked", {}, {sums.difference});
  sums.graph.outputs = {
      *sums.graph.AddNode(OpType::kConcatenation, "join", ConcatenationAttributes{1}, {marked, sums.total})};
  QAT_ASSERT_OK(CalibrateOn(Images(1, 2, kPixels), sums.graph));
  EXPECT_EQ(Find(sums.graph, "difference").range, (Range{-245, 110}));
  EXPECT_EQ(Find(sums.graph, "marked").range, (Range{-245, 301}));
}

TEST(Calibrate, ObservesAQuantizeOfTheImage) {
  TwoSums sums;
  const int32_t marked = *sums.graph.AddNode(OpType::kQuantize, "marked", {}, {sums.graph.inputs[0]});
  sums.graph.outputs.push_back(marked);
  QAT_ASSERT_OK(CalibrateOn(Images(1, 2, kPixels), sums.graph));
  EXPECT_EQ(Find(sums.graph, "marked").range, (Range{0, 255}));
}

TEST(Calibrate, ForgetsWhatTrainingRecorded) {
  Graph graph = TinyGraph();
  QAT_ASSERT_OK(CalibrateOn(RandomImages(5), graph, Scheme::kInt8));
  EXPECT_FALSE(Find(graph, "conv/filter").has_range);
  EXPECT_EQ(Find(graph, "fc").limits, (QuantizedLimits{-128, 127}));
  EXPECT_EQ(graph.scheme, "int8");
}

TEST(Calibrate, GivesTheSameGraphForTheSameImagesAndSaysWhich) {
  Graph once = TinyGraph(false), twice = TinyGraph(false), other = TinyGraph(false);
  QAT_ASSERT_OK(CalibrateOn(RandomImages(100), once));
  QAT_ASSERT_OK(CalibrateOn(RandomImages(100), twice));
  QAT_ASSERT_OK(CalibrateOn(RandomImages(99), other));
  EXPECT_EQ(Serialize(once), Serialize(twice));
  EXPECT_EQ(once.provenance["calibration_images"], "100");
  EXPECT_NE(once.provenance["calibration_sha256"], other.provenance["calibration_sha256"]);
}

// The claim of the whole: integers with these ranges stay near the reals.
TEST(Calibrate, MakesAModelWithinAFewStepsOfTheFloatOne) {
  const Dataset data = RandomImages(200);
  Graph graph = TinyGraph(false);
  const auto predictor = [](const Graph& lowered) {
    auto bytes = WriteTflite(lowered, {});
    EXPECT_TRUE(bytes.ok());
    return *MakeModelPredictor(*RunnableFromBytes(*std::move(bytes), "m.tflite"), "m", "tflite", {});
  };
  const auto real = *predictor(graph)->Predict(data.images, 200);
  QAT_ASSERT_OK(CalibrateOn(data, graph));
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(ChooseQuantization(graph, {}, warnings));
  const auto quantized = *predictor(graph)->Predict(data.images, 200);
  ASSERT_GT(quantized.step, 0);
  for (size_t i = 0; i < real.scores.size(); ++i) {
    EXPECT_NEAR(quantized.scores[i], real.scores[i], 4 * quantized.step) << i;
  }
}

TEST(Calibrate, NamesAnOutputThatIsNotFinite) {
  TwoSums sums;
  sums.Sum("broken", sums.graph.nodes[0].output(), {1, std::numeric_limits<float>::infinity()}, 0);
  const Graph before = sums.graph;
  QAT_EXPECT_ERROR(
      CalibrateOn(Images(1, 2, kPixels), sums.graph), ErrorCode::kNumerical,
      "image 0: output 'broken' has a value that is not finite; keep it in float (`keep_float`), or leave "
      "the example out");
  EXPECT_EQ(sums.graph, before);
}

// 1 / (1 + exp(x)) where exp(100) is beyond float32.
TEST(Calibrate, WhatStaysRealMayBeInfinite) {
  const auto calibrated = [](const std::set<std::string>& kept) {
    Graph graph = testing::RowGraph(2, -100, 100);
    const int32_t one = graph.AddConstant("one", {1}, std::vector<float>{1});
    const auto attributes = [](OpType type) { return DefinitionOf(type).default_attributes; };
    const int32_t e = *graph.AddNode(OpType::kExp, "e", std::monostate(), {graph.inputs[0]});
    const int32_t sum = *graph.AddNode(OpType::kAdd, "sum", attributes(OpType::kAdd), {e, one});
    graph.outputs = {*graph.AddNode(OpType::kDiv, "y", attributes(OpType::kDiv), {one, sum})};
    KeepFloat(graph, DType::kInt8, kept);
    std::vector<std::string> warnings;
    const Status status =
        Calibrate(Rows({-100, 0, 1, 100}, 2), {.precisions = *IntegersFromName("int8")}, {}, graph, warnings);
    return status.ok() ? std::string() : status.error().message;
  };
  EXPECT_EQ(calibrated({"e", "sum", "y"}), "");
  EXPECT_NE(
      calibrated({"y"}).find("output 'e' has a value that is not finite; keep it in float (`keep_float`)"),
      std::string::npos);
}

TEST(Calibrate, EndsWhereItIsAskedToAndLeavesTheGraphAlone) {
  Graph graph = TinyGraph();
  std::vector<std::string> warnings;
  int64_t seen = 0;
  WorkHooks stop;
  stop.progress = [&](const std::string& what, int64_t done, int64_t total) {
    EXPECT_EQ(what, "calibrate");
    EXPECT_EQ(total, 10);
    seen = done;
  };
  stop.interrupted = [&] { return seen == 3; };
  QAT_EXPECT_ERROR(Calibrate(RandomImages(10), {PrecisionsOf(Scheme::kUInt8)}, stop, graph, warnings),
                   ErrorCode::kInterrupted, "interrupted: no output was written");
  EXPECT_EQ(seen, 3);
  EXPECT_EQ(graph, TinyGraph());
}

TEST(Calibrate, RefusesImagesOfAnotherSizeAndNone) {
  Graph graph = TinyGraph();
  QAT_EXPECT_ERROR(CalibrateOn(Images(2, 8, Bytes(16)), graph), ErrorCode::kCorrupt,
                   "images: images are 2x8x1, expected 4x4x1 (input contract of");
  QAT_EXPECT_ERROR(CalibrateOn(Images(4, 4, {}), graph), ErrorCode::kCorrupt, "holds no images");
}

TEST(Calibrate, WarnsOfOutputsThatAreAlwaysZero) {
  TwoSums sums;
  sums.Sum("dead", sums.graph.nodes[0].output(), {0, 0}, 0);
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(
      Calibrate(Images(1, 2, kPixels), {PrecisionsOf(Scheme::kUInt8)}, WorkHooks(), sums.graph, warnings));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("dead"), std::string::npos) << warnings[0];
}

TEST(Calibrate, KeepsTheInputRangeOfTrainingWithinReach) {
  const Dataset data = Rows({1, -2, 0.5f, 5}, 2);
  Graph untrained = RowNetwork();
  QAT_ASSERT_OK(CalibrateOn(data, untrained));
  EXPECT_EQ(untrained.contract.input().low, -2);
  EXPECT_EQ(untrained.contract.input().high, 5);
  Graph trained = RowNetwork();
  trained.provenance["data_sha256"] = "00ff";
  QAT_ASSERT_OK(CalibrateOn(data, trained));
  EXPECT_EQ(trained.contract.input().low, -4);
  EXPECT_EQ(trained.contract.input().high, 5);
}

// 1,000 rows: one column evenly from 0 to 1, the other so, too, but for one value of 100.
std::vector<float> OneFarAway() {
  std::vector<float> values;
  for (int i = 0; i < 1000; ++i) {
    const auto value = static_cast<float>(i) / 1000;
    values.insert(values.end(), {100 * value, i == 500 ? 100 : value});
  }
  return values;
}

TEST(Calibrate, WarnsOfMostValuesWithHardlyAnyStepsBesideSingleOnes) {
  Graph graph = RowNetwork();
  graph.contract.input().features = {"even", "crowded"};
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(Calibrate(Rows(OneFarAway(), 2), {PrecisionsOf(Scheme::kInt8)}, {}, graph, warnings));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(
      warnings[0].find("column 'crowded' of the input: nine of ten values lie within fewer than 8 steps of "
                       "255, since single ones reach from 0 to 100; "),
      std::string::npos)
      << warnings[0];
  EXPECT_NE(warnings[0].find("(`observer` input=percentile)"), std::string::npos) << warnings[0];
  QAT_ASSERT_OK(Calibrate(Rows(OneFarAway(), 2), {*IntegersFromName("int16x8")}, {}, graph, warnings));
  EXPECT_EQ(warnings.size(), 1u) << "16 bits have steps enough";
}

TEST(Calibrate, AnInputOfRealsHasTheRangeOfTheObserverThatItIsNamedWith) {
  std::vector<float> values;
  for (int i = 0; i < 20000; ++i) values.push_back(static_cast<float>(i) / 20000);
  values[7] = 50;
  Graph graph = RowNetwork();
  graph.provenance["data_sha256"] = "00ff";  // trained on -4 to 4
  CalibrationOptions options = {PrecisionsOf(Scheme::kInt8)};
  options.observers.by_name["input"] = Observer::kPercentile;
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(Calibrate(Rows(values, 2), options, {}, graph, warnings));
  EXPECT_EQ(graph.contract.input().low, 0);
  EXPECT_NEAR(graph.contract.input().high, 1, 0.05) << "0.01 % of the values are two";
  EXPECT_EQ(graph.provenance.at(kObserversKey), "minmax,input=percentile");
  options.observers = {Observer::kPercentile, {}};
  QAT_ASSERT_OK(Calibrate(Rows(values, 2), options, {}, graph, warnings));
  EXPECT_EQ(graph.contract.input().high, 50) << "nothing is left out unless it is named";
}

TEST(Calibrate, WarnsOfChannelsWithHardlyAnyStepsBesideOthers) {
  const auto warnings_of = [](float small) {
    Graph graph = RowNetwork();
    std::vector<std::string> warnings;
    EXPECT_TRUE(
        Calibrate(Rows({small, 100, 0, -55}, 2), {PrecisionsOf(Scheme::kInt8)}, {}, graph, warnings).ok());
    return warnings;
  };
  // 155 in 255 steps: 8 steps are 4.86.
  ASSERT_EQ(warnings_of(4.8f).size(), 1u);
  EXPECT_NE(warnings_of(4.8f)[0].find("channel 0 of the input spans fewer than 8 steps of 255"),
            std::string::npos)
      << warnings_of(4.8f)[0];
  EXPECT_TRUE(warnings_of(5).empty());
  EXPECT_TRUE(warnings_of(0).empty());  // says nothing in any case
}

TEST(Calibrate, SendsNobodyBackToANormalizationThatTheNetworkHas) {
  Graph graph = RowNetwork();
  graph.provenance["data_sha256"] = "00ff";
  graph.contract.input().std = {180, 1};
  graph.contract.input().high = 55;  // that of a value which training saw, and these examples do not show
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(Calibrate(Rows({1, 2, 0, -2}, 2), {PrecisionsOf(Scheme::kInt8)}, {}, graph, warnings));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("training saw values that far: "), std::string::npos) << warnings[0];
}

// (x + y, small * (x - y)) of rows (1, 100), (0, -55), (40, 7).
std::vector<std::string> WarningsOfTwoSums(float small, float offset, Task task, bool kept = false,
                                           bool float_output = false) {
  Graph graph = RowNetwork();
  graph.tensors.resize(1);
  graph.nodes.clear();
  graph.contract.outputs = {{task}};
  const int32_t filter = graph.AddConstant("fc/filter", {2, 2}, std::vector<float>{1, 1, small, -small});
  const int32_t bias = graph.AddConstant("fc/bias", {2}, std::vector<float>{0, offset});
  const int32_t sums = *graph.AddNode(OpType::kFullyConnected, "fc", FullyConnectedAttributes(),
                                      {graph.inputs[0], filter, bias});
  const int32_t shape = graph.AddConstant("rows/shape", {3}, std::vector<int32_t>{-1, 1, 2});
  graph.outputs = {*graph.AddNode(OpType::kReshape, "rows", ReshapeAttributes{{1, 1, 2}}, {sums, shape})};
  if (kept) KeepFloat(graph, DType::kInt8, {"fc", "rows"});
  std::vector<std::string> warnings;
  CalibrationOptions options = {PrecisionsOf(Scheme::kInt8)};
  options.float_outputs = {float_output};
  EXPECT_TRUE(Calibrate(Rows({1, 100, 0, -55, 40, 7}, 2), options, {}, graph, warnings).ok());
  return warnings;
}

TEST(Calibrate, WarnsOfAnOutputsChannelsWithHardlyAnyStepsBesideOthers) {
  // Sums from -55 to 101, differences from -99 to 55: 8 steps of 156 / 255 are 4.89, which 154 * 0.0318 stays
  // below.
  const auto warnings = WarningsOfTwoSums(0.031f, 0, Task::kNumbers);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0],
            "channel 1 of the output 'rows' spans fewer than 8 steps of 255: all channels share one scale, "
            "which reaches from -55 to 101; "
            "keep what computes it in float (`keep_float` 'fc|rows' `output_type` float32), or train it with "
            "its numbers normalized");
  EXPECT_TRUE(WarningsOfTwoSums(0.0325f, 0, Task::kNumbers).empty());
  EXPECT_TRUE(WarningsOfTwoSums(0, 0, Task::kNumbers).empty()) << "always the same: says nothing in any case";
  EXPECT_EQ(WarningsOfTwoSums(0.0325f, 5000, Task::kUnknown).size(), 1u) << "far from 0, both have few";
  EXPECT_TRUE(WarningsOfTwoSums(0.031f, 0, Task::kClasses).empty()) << "scores that are compared";
}

TEST(Calibrate, HasNoWarningOfAnOutputThatStaysReal) {
  EXPECT_EQ(WarningsOfTwoSums(0.031f, 0, Task::kNumbers, /*kept=*/true, /*float_output=*/false).size(), 1u);
  EXPECT_EQ(WarningsOfTwoSums(0.031f, 0, Task::kNumbers, /*kept=*/false, /*float_output=*/true).size(), 1u);
  EXPECT_TRUE(WarningsOfTwoSums(0.031f, 0, Task::kNumbers, /*kept=*/true, /*float_output=*/true).empty());
}

}  // namespace
}  // namespace qat
