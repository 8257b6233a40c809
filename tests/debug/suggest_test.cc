// Layers that were spoilt on purpose: each is named first and repaired.
#include "debug/suggest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "debug/patient.h"
#include "passes/passes.h"
#include "support/digit_classifier.h"
#include "support/rows.h"
#include "support/test_util.h"

namespace qat {
namespace {

using qat::testing::DigitClassifier;
using qat::testing::First;
using qat::testing::Patient;
using qat::testing::StretchChannel;

class SpoiltRange : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Each, SpoiltRange, ::testing::Values("conv1", "conv2", "logits"));

TEST_P(SpoiltRange, IsNamedFirstAndRepairedByOneRange) {
  Patient patient(DigitClassifier());
  const Diagnosis healthy = patient.Examine();
  ASSERT_GT(healthy.reference.value, 60) << "a classifier that knows something";
  ASSERT_LT(healthy.loss, 2);
  Range& range = patient.choices().activations.at(GetParam());
  range = {100 * range.min, 100 * range.max};
  if (std::string(GetParam()) != "logits")
    patient.choices().activations[std::string(GetParam()) + "/pool"] = range;
  const Diagnosis ill = patient.Examine();
  EXPECT_GT(ill.loss, healthy.loss + 3);
  EXPECT_EQ(First(ill).layer.name, GetParam());
  EXPECT_GT(*First(ill).only_loss, 3);
  EXPECT_LT(*First(ill).float_loss, 2) << "without its rounding nothing is spoilt";
  EXPECT_LT(First(ill).range_used, 0.02);
  const Suggestion repair = patient.Repair(ill, 2);
  EXPECT_TRUE(repair.met);
  ASSERT_EQ(repair.edits.size(), 1u) << repair.plan;
  EXPECT_EQ(repair.edits[0].kind, "range");
  EXPECT_EQ(repair.edits[0].layer, GetParam());
  EXPECT_NEAR(static_cast<double>(repair.bytes_after), static_cast<double>(repair.bytes_before), 16)
      << "a range costs nothing: one scale more at most, where two were the same";
}

/// Layer, type, and whether the network has a depthwise layer.
class SpoiltRangeOfAnyType : public ::testing::TestWithParam<std::tuple<const char*, const char*, bool>> {};
INSTANTIATE_TEST_SUITE_P(
    Each, SpoiltRangeOfAnyType,
    ::testing::Values(std::tuple("conv1", "w4a8", false), std::tuple("conv2", "uint8", false),
                      std::tuple("logits", "int8-per-tensor", false), std::tuple("depthwise", "int8", true),
                      std::tuple("depthwise", "uint8", true), std::tuple("conv1", "int8-per-tensor", true)));

TEST_P(SpoiltRangeOfAnyType, IsNamedFirstAndRepaired) {
  const auto& [layer, type, depthwise] = GetParam();
  Patient patient(DigitClassifier(Activation::kRelu, depthwise), type);
  const double healthy = std::max(patient.Examine().loss, 0.0);
  auto& activations = patient.choices().activations;
  const Range range = activations.at(layer), spoilt = {100 * range.min, 100 * range.max};
  activations[layer] = spoilt;
  if (const auto pool = activations.find(std::string(layer) + "/pool"); pool != activations.end())
    pool->second = spoilt;
  const Diagnosis ill = patient.Examine();
  EXPECT_GT(ill.loss, healthy + 2);
  EXPECT_EQ(First(ill).layer.name, layer);
  const Suggestion repair = patient.Repair(ill, healthy + 1);
  EXPECT_TRUE(repair.met) << repair.loss_after;
  ASSERT_EQ(repair.edits.size(), 1u) << repair.plan;
  EXPECT_EQ(repair.bytes_after, repair.bytes_before) << repair.edits[0].text;
}

class StretchedChannelOfAnyType : public ::testing::TestWithParam<std::tuple<const char*, bool>> {};
INSTANTIATE_TEST_SUITE_P(Each, StretchedChannelOfAnyType,
                         ::testing::Values(std::tuple("w4a8", false), std::tuple("int8", true),
                                           std::tuple("uint8", true), std::tuple("int8-per-tensor", true),
                                           std::tuple("w4a8", true)));

TEST_P(StretchedChannelOfAnyType, IsNamedFirstAndRepaired) {
  const auto& [type, depthwise] = GetParam();
  const double healthy =
      std::max(Patient(DigitClassifier(Activation::kRelu, depthwise), type).Examine().loss, 0.0);
  Graph graph = DigitClassifier(Activation::kRelu, depthwise);
  StretchChannel(graph, 3, 300, depthwise ? "depthwise" : "conv2");
  const Patient patient(std::move(graph), type);
  const Diagnosis ill = patient.Examine();
  EXPECT_GT(ill.loss, healthy + 2);
  EXPECT_EQ(First(ill).layer.name, "conv1");
  const Suggestion repair = patient.Repair(ill, healthy + 1);
  EXPECT_TRUE(repair.met) << repair.loss_after;
  for (const PlanEdit& edit : repair.edits) EXPECT_EQ(edit.kind, "equalize") << edit.text;
}

TEST(StretchedChannel, IsNamedFirstAndEqualized) {
  Patient well(DigitClassifier());
  Graph graph = DigitClassifier();
  StretchChannel(graph, 3, 300);
  Patient patient(std::move(graph));
  const Diagnosis ill = patient.Examine();
  EXPECT_NEAR(ill.reference.value, well.Examine().reference.value, 0.4)
      << "the float network computes the same";
  EXPECT_GT(ill.loss, 5);
  EXPECT_EQ(First(ill).layer.name, "conv1");
  EXPECT_EQ(First(ill).coarse_channels, 7) << "all but the one that sets the range";
  const Suggestion repair = patient.Repair(ill, 2);
  EXPECT_TRUE(repair.met) << repair.loss_after;
  ASSERT_EQ(repair.edits.size(), 1u) << repair.plan;
  EXPECT_EQ(repair.edits[0].kind, "equalize");
  EXPECT_NE(repair.plan.find("equalize = [\"conv1\"]"), std::string::npos) << repair.plan;
}

TEST(StretchedChannel, WithOneScalePerFilterIsRepairedToo) {
  for (const char* type : {"uint8", "int8-per-tensor"}) {
    Graph graph = DigitClassifier();
    StretchChannel(graph, 0, 300);
    Patient patient(std::move(graph), type);
    const Diagnosis ill = patient.Examine();
    EXPECT_EQ(First(ill).layer.name, "conv1") << type;
    EXPECT_TRUE(patient.Repair(ill, 2).met) << type;
  }
}

/// Equalization behind a relu6 could change the function, so float is what is left.
TEST(StretchedChannel, BehindARelu6StaysInFloat) {
  Graph graph = DigitClassifier(Activation::kRelu6);
  // Small enough that no value reaches 6.
  for (const char* name : {"conv1/filter", "conv1/bias"}) {
    GraphTensor& tensor = graph.tensor(testing::TensorNamed(graph, name));
    std::vector<float> values = RealValues(tensor);
    for (float& value : values) value /= 400;
    SetValues(tensor, DType::kFloat32, values);
  }
  GraphTensor& second = graph.tensor(testing::TensorNamed(graph, "conv2/filter"));
  std::vector<float> values = RealValues(second);
  for (float& value : values) value *= 400;
  SetValues(second, DType::kFloat32, values);
  StretchChannel(graph, 3, 300);
  Patient patient(std::move(graph));
  const Diagnosis ill = patient.Examine();
  EXPECT_EQ(First(ill).layer.name, "conv1");
  const Suggestion repair = patient.Repair(ill, 2);
  EXPECT_TRUE(repair.met);
  ASSERT_FALSE(repair.edits.empty());
  EXPECT_EQ(repair.edits.back().kind, "keep_float") << repair.plan;
  EXPECT_GT(repair.bytes_after, repair.bytes_before);
}

/// A channel that nothing needs takes all steps of the tensor: equalization finds nothing that reads it, and
/// the least square error keeps it. A range that leaves its largest values out costs nothing.
TEST(UselessChannel, OfGreatReachIsCutOff) {
  Graph graph = DigitClassifier();
  StretchChannel(graph, 3, 300);
  GraphTensor& second = graph.tensor(testing::TensorNamed(graph, "conv2/filter"));
  std::vector<float> values = RealValues(second);
  for (size_t i = 3; i < values.size(); i += static_cast<size_t>(second.shape.back())) values[i] = 0;
  SetValues(second, DType::kFloat32, values);
  Patient patient(std::move(graph));
  const Diagnosis ill = patient.Examine();
  EXPECT_GT(ill.loss, 3);
  const Suggestion repair = patient.Repair(ill, 2);
  EXPECT_TRUE(repair.met);
  ASSERT_EQ(repair.edits.size(), 1u) << repair.plan;
  EXPECT_EQ(repair.edits[0].kind, "range");
  EXPECT_EQ(repair.edits[0].layer, "conv1");
  EXPECT_EQ(repair.bytes_after, repair.bytes_before);
}

/// A feature from 0.001 to 100, as prices and concentrations are, of which 0.01 parts two classes.
struct LongTail {
  LongTail() {
    Random random(5);
    std::vector<float> values;
    for (int i = 0; i < 450; ++i)
      values.push_back(std::pow(10.0f, static_cast<float>(random.Between(-3000, 2000)) / 1000));
    data = testing::Rows(values, 1);
    data.class_names = {"low", "high"};
    for (size_t i = 0; i < values.size(); ++i) data.labels[i] = values[i] > 0.01f ? 1 : 0;
    graph = testing::RowGraph(1, 0, 100, "price");
    const int32_t filter = graph.AddConstant("scores/filter", {2, 1}, std::vector<float>{0, 100});
    const int32_t bias = graph.AddConstant("scores/bias", {2}, std::vector<float>{1, 0});
    FullyConnectedAttributes clipped;
    clipped.activation = Activation::kRelu6;
    graph.outputs = {
        *graph.AddNode(OpType::kFullyConnected, "scores", clipped, {graph.inputs[0], filter, bias})};
  }
  Graph graph;
  Dataset data;
};

// No range of an input of int8 has steps for both ends.
TEST(LongTailOfAnInput, IsNamedFirstAndGivesWhatReadsItSixteenBits) {
  const LongTail tail;
  const Patient patient(tail.graph, tail.data, "int8");
  const Diagnosis ill = patient.Examine();
  EXPECT_EQ(ill.reference.value, 100);
  EXPECT_GT(ill.loss, 10);
  EXPECT_EQ(First(ill).layer.name, "price");
  const Suggestion repair = patient.Repair(ill, 2);
  EXPECT_TRUE(repair.met) << repair.loss_after;
  ASSERT_EQ(repair.edits.size(), 1u) << repair.plan;
  EXPECT_EQ(repair.edits[0].kind, "int16");
  EXPECT_EQ(repair.edits[0].text, "16-bit activations: scores") << "what reads it";
  EXPECT_EQ(repair.choices.int16, std::vector<std::string>{"scores"});
  EXPECT_NE(repair.plan.find("int16 = [\"scores\"]"), std::string::npos) << repair.plan;
}

// As qat-convert writes it, whose model takes real numbers.
TEST(LongTailOfAnInput, IsNotRoundedInFrontOfALayerThatIsNotOfInt8) {
  const LongTail tail;
  for (std::vector<std::string> PlanChoices::*kind : {&PlanChoices::int16, &PlanChoices::keep_float}) {
    Patient patient(tail.graph, tail.data, "int8");
    patient.choices().*kind = {"scores"};
    EXPECT_LT(patient.Examine().loss, 2);
  }
}

TEST(Suggest, EditsNothingWhereTheLimitIsMetAndSaysSoWhereNothingHelps) {
  Patient patient(DigitClassifier());
  const Diagnosis diagnosis = patient.Examine();
  const Suggestion met = patient.Repair(diagnosis, diagnosis.loss + 0.1);
  EXPECT_TRUE(met.met);
  EXPECT_TRUE(met.edits.empty());
  EXPECT_TRUE(ReadPlan(met.plan, "plan").ok());
  const Suggestion impossible = patient.Repair(diagnosis, -50);
  EXPECT_FALSE(impossible.met) << "no edit makes integers better than float by 50 points";
}

/// Of 300 examples a few changed: the loss is below the limit, but not by more than chance, and a range
/// without a price halves the error.
TEST(Suggest, ALimitThatIsMetByChanceOnlyIsNoReasonToLeaveAWrongRange) {
  Patient patient(DigitClassifier());
  for (const char* name : {"conv2", "conv2/pool"}) {
    Range& range =
        patient.choices().activations.emplace(name, patient.choices().activations["conv2"]).first->second;
    range = {20 * range.min, 20 * range.max};
  }
  const Diagnosis ill = patient.Examine();
  const Suggestion repair = patient.Repair(ill, ill.loss + 0.01);
  EXPECT_TRUE(repair.met);
  ASSERT_EQ(repair.edits.size(), 1u) << repair.plan;
  EXPECT_EQ(repair.edits[0].layer, "conv2");
  EXPECT_EQ(repair.bytes_after, repair.bytes_before);
  EXPECT_TRUE(patient.Repair(ill, ill.loss + 20).edits.empty()) << "beyond doubt";
}

TEST(Suggest, AFilterOfFourBitsTakesEightBeforeItsLayerTakesSixteenOrFloat) {
  Patient patient(DigitClassifier(), "w4a8");
  const Diagnosis diagnosis = patient.Examine();
  ASSERT_GT(diagnosis.loss, 0.7) << "4 bits cost something here";
  const Suggestion repair = patient.Repair(diagnosis, diagnosis.loss / 2);
  EXPECT_TRUE(repair.met) << repair.loss_after;
  ASSERT_FALSE(repair.edits.empty());
  for (const PlanEdit& edit : repair.edits)
    EXPECT_TRUE(edit.kind != "int16" && edit.kind != "keep_float") << edit.text;
  EXPECT_NE(repair.plan.find("8 bits instead of 4"), std::string::npos) << repair.plan;
  EXPECT_GT(repair.bytes_after, repair.bytes_before);
}

TEST(Suggest, TwoSpoiltLayersTakeTwoEdits) {
  Patient patient(DigitClassifier());
  for (const char* name : {"conv1", "conv1/pool", "logits"}) {
    Range& range =
        patient.choices().activations.emplace(name, patient.choices().activations["conv1"]).first->second;
    range = {300 * range.min, 300 * range.max};
  }
  const Suggestion repair = patient.Repair(patient.Examine(), 2);
  EXPECT_TRUE(repair.met) << repair.loss_after;
  EXPECT_EQ(repair.edits.size(), 2u) << repair.plan;
}

}  // namespace
}  // namespace qat
