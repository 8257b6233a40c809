#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "base/strings.h"
#include "calibrate/calibrate.h"
#include "data/npy.h"
#include "debug/converted.h"
#include "debug/diagnosis.h"
#include "debug/observe.h"
#include "debug/print.h"
#include "debug/reproducer.h"
#include "debug/suggest.h"
#include "passes/passes.h"
#include "runtime/interpreter.h"
#include "runtime/model_predictor.h"
#include "runtime/runnable_model.h"
#include "support/digit_classifier.h"
#include "support/rows.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using qat::testing::DigitClassifier;
using qat::testing::StretchChannel;

/// A network, calibrated on digits, and what is asked of it.
class Patient {
 public:
  explicit Patient(Graph graph, const std::string& type = "int8")
      : Patient(std::move(graph), Digits(), type) {}

  Patient(Graph graph, const Dataset& data, const std::string& type)
      : graph_(std::move(graph)), data_(*SplitForDebugging(data, 150, 300, 1)) {
    choices_.precisions = *IntegersFromName(type);
    std::vector<std::string> warnings;
    QAT_CHECK(Calibrate(data_.calibration, {.precisions = choices_.precisions}, WorkHooks(), graph_, warnings)
                  .ok());
    CollectRanges(graph_, choices_);
  }

  PlanChoices& choices() { return choices_; }
  const Graph& graph() const { return graph_; }
  const DebugData& data() const { return data_; }

  Diagnosis Examine() const {
    std::vector<std::string> warnings;
    const Converted converted = *Convert(graph_, choices_, warnings);
    const auto observed = *Observe(converted.real, data_.calibration, {});
    auto diagnosis = Diagnose(converted, observed, data_.selection, {});
    if (!diagnosis.ok()) ADD_FAILURE() << diagnosis.error().message;
    return *std::move(diagnosis);
  }

  Suggestion Repair(const Diagnosis& diagnosis, double max_drop) const {
    auto suggestion = Suggest(graph_, choices_, diagnosis, data_, max_drop, {});
    if (!suggestion.ok()) ADD_FAILURE() << suggestion.error().message;
    return *std::move(suggestion);
  }

 private:
  static Dataset Digits() {
    OpenOptions options;
    options.limit = 450;
    return *OpenDataset("digits", Split::kTrain, options);
  }

  Graph graph_;
  PlanChoices choices_;
  DebugData data_;
};

const LayerDiagnosis& First(const Diagnosis& diagnosis) { return diagnosis.layers[diagnosis.ranking[0]]; }

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
    graph.name = "tail";
    graph.scheme = "float32";
    graph.contract.input() = {1, 1, 1, {0}, {1}, ValueType::kReal, {1}, 0, 100};
    GraphTensor input;
    input.name = "price";
    input.shape = {1, 1};
    graph.inputs = {graph.AddTensor(input)};
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

TEST(CentralRange, LeavesOutHalfOfTheRestAtEachEnd) {
  Observed observed;
  observed.histogram = {-10, 10, std::vector<int64_t>(20, 5)};  // cells of 1, each with 5 %
  EXPECT_EQ(CentralRange(observed, 1), (Range{-10, 10}));
  EXPECT_EQ(CentralRange(observed, 0.81), (Range{-9, 9}))
      << "9.5 % at each end: one cell, and a part of another";
  observed.histogram.counts[19] = 0;
  EXPECT_EQ(CentralRange(observed, 1), (Range{-10, 9}));
  observed.histogram = {2, 10, std::vector<int64_t>(8, 5)};
  EXPECT_EQ(CentralRange(observed, 1).min, 0) << "0 always belongs to it";
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

TEST(Diagnose, OwnNoiseIsThatOfRoundingOneLayer) {
  Patient patient(DigitClassifier());
  const Diagnosis diagnosis = patient.Examine();
  ASSERT_EQ(diagnosis.layers.size(), 3u) << "pools and the reshape round nothing";
  for (const LayerDiagnosis& layer : diagnosis.layers) {
    ASSERT_TRUE(layer.own_sqnr_db && layer.sqnr_db && layer.output_sqnr_db) << layer.layer.name;
    EXPECT_GT(*layer.own_sqnr_db, *layer.sqnr_db - 1) << "noise of the layers before comes on top";
    EXPECT_GT(*layer.own_sqnr_db, 20);
    EXPECT_EQ(layer.clipped < 0.01, true);
  }
  EXPECT_NEAR(*diagnosis.layers[0].own_sqnr_db, *diagnosis.layers[0].sqnr_db, 1.5)
      << "nothing is before the first";
}

// 4 bits instead of 8 are 16 times the step in the filters, which all that the layer computes has the noise
// of.
TEST(Diagnose, OwnNoiseOfALayerIsThatOfItsFilterOfFourBitsToo) {
  const Diagnosis wide = Patient(DigitClassifier()).Examine(),
                  narrow = Patient(DigitClassifier(), "w4a8").Examine();
  for (size_t i = 0; i < narrow.layers.size(); ++i)
    EXPECT_LT(*narrow.layers[i].own_sqnr_db, *wide.layers[i].own_sqnr_db - 6) << narrow.layers[i].layer.name;
  EXPECT_NEAR(*narrow.layers[0].own_sqnr_db, *narrow.layers[0].sqnr_db, 1.5) << "nothing is before the first";
}

/// The expected values by a formula: a grid of 255 steps over a uniform range has the noise step^2 / 12.
TEST(Diagnose, RangesAreThoseOfTheIntegersOfEachType) {
  for (const char* type : {"uint8", "int8", "int16x8"}) {
    const Diagnosis diagnosis = Patient(DigitClassifier(), type).Examine();
    for (const LayerDiagnosis& layer : diagnosis.layers) {
      if (!layer.range || !layer.observed) continue;
      EXPECT_GT(layer.range->max, 0.9f * layer.observed->max) << type << " " << layer.layer.name;
      EXPECT_LT(layer.range->max, 4 * layer.observed->max) << type << " " << layer.layer.name;
    }
  }
}

TEST(DebugText, AGainIsCalledLessError) {
  Diagnosis diagnosis;
  diagnosis.reference.of_numbers = true;
  DebugSummary summary;
  summary.diagnosis = &diagnosis;
  for (const auto& [loss, text] :
       {std::pair(-24.2, ": 24.2 % less error;"), std::pair(24.2, ": 24.2 % more error;"),
        std::pair(-0.04, ": 0.0 % more error;")}) {
    diagnosis.loss = loss;
    EXPECT_NE(DebugText(summary, false).find(text), std::string::npos) << DebugText(summary, false);
  }
}

// Keras' names are paths of 60 characters: a table of them would not fit a terminal.
TEST(DebugText, CutsLongNamesAndNumbersThatMeanNothing) {
  Diagnosis diagnosis;
  diagnosis.reference.of_numbers = true;
  for (const char* name : {"dense", "functional_1/layer_normalization_1/moments/SquaredDifference",
                           "functional_1/conv2d_1/Relu;functional_1/conv2d_1/convolution",
                           "a_block_with_a_long_name/one/two/three/four/five/same",
                           "b_block_with_a_long_name/one/two/three/four/five/same"}) {
    diagnosis.ranking.push_back(diagnosis.layers.size());
    diagnosis.layers.emplace_back();
    diagnosis.layers.back().layer.name = name;
  }
  diagnosis.layers[0].only_loss = 1e37;
  DebugSummary summary;
  summary.diagnosis = &diagnosis;
  const std::string text = DebugText(summary, false);
  for (const char* piece : {"\n.../moments/SquaredDifference ", "\nfunctional_1/conv2d_1/Relu ",
                            "\na_block_with_a_long_name/one/", "\nb_block_with_a_long_name/one/", "over 10 x",
                            "names are cut short here; details and JSON have them whole\n"})
    EXPECT_NE(text.find(piece), std::string::npos) << piece << text;
  EXPECT_EQ(text.find("0000000"), std::string::npos);
  const std::string details = DebugText(summary, true);
  EXPECT_NE(details.find("\nfunctional_1/layer_normalization_1/moments/SquaredDifference "),
            std::string::npos)
      << details;
  EXPECT_EQ(details.find("cut short"), std::string::npos);
}

TEST(LeastErrorRange, KeepsUniformValuesAndCutsALonelyOne) {
  Observed uniform;
  uniform.range = {0, 1};
  uniform.histogram = {0, 1, std::vector<int64_t>(512, 100)};
  EXPECT_EQ(LeastErrorRange(uniform, kInt8Limits), uniform.range);
  Observed lonely = uniform;
  lonely.range = {0, 1000};
  lonely.histogram = {0, 1000, std::vector<int64_t>(512)};
  lonely.histogram.counts[0] = 100000000;
  lonely.histogram.counts[511] = 1;
  EXPECT_LT(LeastErrorRange(lonely, kInt8Limits).max, 900);
}

TEST(ChoicesOfModel, MakeTheSameModelAgain) {
  for (const char* type : {"uint8", "int8", "int8-per-tensor", "int16x8", "w4a8"}) {
    Patient patient(DigitClassifier(), type);
    patient.choices().keep_float = {"conv2"};
    std::vector<std::string> none;
    const Converted first = *Convert(patient.graph(), patient.choices(), none);
    const auto model = *RunnableFromBytes(first.model, "m.tflite");
    PlanChoices read = *ChoicesOfModel(patient.graph(), *model);
    EXPECT_EQ(read.keep_float, std::vector<std::string>{"conv2"}) << type;
    EXPECT_EQ(read.precisions, patient.choices().precisions) << type;
    const Converted again = *Convert(patient.graph(), read, none);
    ASSERT_EQ(again.quantized.tensors.size(), first.quantized.tensors.size());
    for (size_t i = 0; i < first.quantized.tensors.size(); ++i) {
      const GraphTensor &a = first.quantized.tensors[i], &b = again.quantized.tensors[i];
      ASSERT_EQ(a.quantization.has_value(), b.quantization.has_value()) << a.name;
      EXPECT_EQ(a.type, b.type) << type << " " << a.name;
      if (!a.quantization) continue;
      EXPECT_EQ(a.quantization->scale.size(), b.quantization->scale.size()) << type << " " << a.name;
      EXPECT_EQ(a.quantization->zero_point, b.quantization->zero_point) << a.name;
      EXPECT_NEAR(a.quantization->scale[0], b.quantization->scale[0], 1e-6 * a.quantization->scale[0])
          << a.name;
    }
  }
}

// The integers of another rounding: those of the network, every third weight a step away, and a bias eight
// steps away.
TEST(OwnIntegersOf, MakeTheSameModelAgainToTheByte) {
  for (const char* type : {"uint8", "int8", "int8-per-tensor", "int16x8", "w4a8"}) {
    Patient patient(DigitClassifier(), type);
    std::vector<std::string> none;
    Converted first = *Convert(patient.graph(), patient.choices(), none);
    for (GraphTensor& tensor : first.quantized.tensors) {
      if (tensor.type == DType::kInt32 && tensor.quantization) tensor.data[0] ^= 8;
      if (!tensor.name.ends_with("/filter") || tensor.type == DType::kInt4) continue;
      for (size_t i = 0; i < tensor.data.size(); i += 3) {
        const int32_t integer =
            tensor.type == DType::kUInt8 ? tensor.data[i] : static_cast<int8_t>(tensor.data[i]);
        if (integer < 100) ++tensor.data[i];
      }
    }
    const Bytes repaired = *WriteTflite(first.quantized, {});
    ASSERT_NE(repaired, first.model) << type;
    const auto model = *RunnableFromBytes(repaired, "m.tflite");
    const OwnIntegers own = OwnIntegersOf(patient.graph(), *model);
    const PlanChoices read = *ChoicesOfModel(patient.graph(), *model);
    EXPECT_EQ(own.why_not, "") << type;
    const Converted again = *Convert(patient.graph(), read, none, own);
    EXPECT_EQ(again.model, repaired) << type;
    EXPECT_EQ(again.real, Convert(patient.graph(), read, none)->real) << "the reference is the network's";
    EXPECT_EQ(DifferenceFromModel(**RunnableFromBytes(again.model, "a"), *model), "");
    EXPECT_NE(DifferenceFromModel(**RunnableFromBytes(first.model, "a"), *model), "") << type;
  }
}

TEST(OwnIntegersOf, AFilterOfAnotherTypeStartsFromTheNetwork) {
  Patient patient(DigitClassifier(), "w4a8");
  std::vector<std::string> none;
  Converted first = *Convert(patient.graph(), patient.choices(), none);
  GraphTensor& filter = first.quantized.tensor(testing::TensorNamed(first.quantized, "conv2/filter"));
  filter.data[0] ^= 1;
  const auto model = *RunnableFromBytes(*WriteTflite(first.quantized, {}), "m.tflite");
  const OwnIntegers own = OwnIntegersOf(patient.graph(), *model);
  ASSERT_EQ(own.why_not, "");
  PlanChoices edited = *ChoicesOfModel(patient.graph(), *model);
  edited.filters["conv2/filter"].bits = 8;
  const auto filter_of = [](const Converted& converted) {
    return converted.quantized.tensor(testing::TensorNamed(converted.quantized, "conv2/filter")).data;
  };
  EXPECT_EQ(filter_of(*Convert(patient.graph(), edited, none, own)),
            filter_of(*Convert(patient.graph(), edited, none)));
}

TEST(OwnIntegersOf, AnEqualizedModelIsNotTheNetworkRounded) {
  const Patient patient(DigitClassifier());
  Graph stretched = DigitClassifier();
  StretchChannel(stretched, 3, 300);
  Patient other(std::move(stretched));
  std::vector<std::string> none;
  Converted converted = *Convert(other.graph(), other.choices(), none);
  const OwnIntegers far = OwnIntegersOf(patient.graph(), **RunnableFromBytes(converted.model, "m.tflite"));
  EXPECT_NE(far.why_not.find("differs from the network's by more than rounding"), std::string::npos)
      << far.why_not;
  EXPECT_TRUE(far.constants.empty());
  converted.quantized.provenance["repairs"] = "equalize,bias";
  const OwnIntegers said =
      OwnIntegersOf(other.graph(), **RunnableFromBytes(*WriteTflite(converted.quantized, {}), "m.tflite"));
  EXPECT_NE(said.why_not.find("they are equalized"), std::string::npos) << said.why_not;
}

TEST(ChoicesOfModel, FindsWhatTheNetworkTakesBehindAFloatInput) {
  Patient patient(DigitClassifier());
  std::vector<std::string> none;
  Converted converted = *Convert(patient.graph(), patient.choices(), none);
  Graph network = patient.graph();
  network.contract.input().values = ValueType::kReal;
  const PlanChoices integers = *ChoicesOfModel(network, **RunnableFromBytes(converted.model, "m.tflite"));
  ASSERT_EQ(integers.inputs.size(), 1u);
  QAT_ASSERT_OK(SetInputType(DType::kFloat32, 0, converted.quantized));
  const Bytes floats = *WriteTflite(converted.quantized, {});
  const PlanChoices read = *ChoicesOfModel(network, **RunnableFromBytes(floats, "m.tflite"));
  EXPECT_EQ(read.inputs, integers.inputs);
  EXPECT_EQ(read.activations, integers.activations);
}

// Whoever reads a report finds the name that the conversion was asked for.
TEST(WorkTypeOf, IsWhatTheConversionWasAskedFor) {
  std::vector<std::string> none;
  const auto type_of = [&](Patient& patient, std::optional<DType> input) {
    Converted converted = *Convert(patient.graph(), patient.choices(), none);
    if (input && !SetInputType(*input, 0, converted.quantized).ok()) return std::string("refused");
    return WorkTypeOf(**RunnableFromBytes(*WriteTflite(converted.quantized, {}), "m.tflite"));
  };
  for (const char* type : {"uint8", "int8", "int16x8", "w4a8"}) {
    Patient patient(DigitClassifier(), type);
    EXPECT_EQ(type_of(patient, {}), type);
    EXPECT_EQ(type_of(patient, DType::kFloat32), type);
  }
  Patient patient(DigitClassifier());
  patient.choices().int16 = {"conv2"};
  EXPECT_EQ(type_of(patient, {}), "int8 + int16");
  patient.choices().int16 = {"conv1"};
  EXPECT_EQ(type_of(patient, {}), "int8 + int16");
  // Neither the first layer nor the largest hides the others.
  for (const char* layer : {"conv1", "conv2", "logits"}) {
    for (const char* type : {"uint8", "int8", "int16x8", "w4a8"}) {
      Patient with_float(DigitClassifier(), type);
      with_float.choices().keep_float = {layer};
      EXPECT_EQ(type_of(with_float, {}), StrCat(type, " + float32")) << layer;
    }
  }
}

TEST(ChoicesOfModel, FindsLayersOf16Bits) {
  Patient patient(DigitClassifier());
  patient.choices().int16 = {"conv1", "logits"};
  std::vector<std::string> none;
  const Converted first = *Convert(patient.graph(), patient.choices(), none);
  const auto model = *RunnableFromBytes(first.model, "m.tflite");
  const auto read = ChoicesOfModel(patient.graph(), *model);
  QAT_ASSERT_OK(read);
  EXPECT_EQ(read->int16, patient.choices().int16);
  EXPECT_EQ(read->precisions, patient.choices().precisions);
  const Converted again = *Convert(patient.graph(), *read, none);
  ASSERT_EQ(again.quantized.tensors.size(), first.quantized.tensors.size());
  for (size_t i = 0; i < first.quantized.tensors.size(); ++i)
    EXPECT_EQ(again.quantized.tensors[i].type, first.quantized.tensors[i].type) << i;
}

TEST(ChoicesOfModel, RefusesAModelOfAnotherNetwork) {
  Patient patient(DigitClassifier());
  std::vector<std::string> none;
  Graph other = patient.graph();
  for (GraphTensor& tensor : other.tensors) tensor.name += "_of_another";
  const auto model = *RunnableFromBytes(Convert(patient.graph(), patient.choices(), none)->model, "m.tflite");
  QAT_EXPECT_ERROR(ChoicesOfModel(other, *model), ErrorCode::kCorrupt, "m.tflite: has no ");
}

TEST(ChoicesOfModel, RefusesAModelWhoseTensorsOfTheSameNameHaveOtherShapes) {
  Patient patient(DigitClassifier());
  std::vector<std::string> none;
  const auto model = *RunnableFromBytes(Convert(patient.graph(), patient.choices(), none)->model, "m.tflite");
  Graph larger = patient.graph();
  larger.name = "larger";
  GraphTensor& input = larger.tensor(larger.inputs[0]);
  input.shape[1] += 4;
  QAT_EXPECT_ERROR(ChoicesOfModel(larger, *model), ErrorCode::kInvalidArgument,
                   StrCat("m.tflite: input '", input.name, "' is "));
  QAT_EXPECT_ERROR(ChoicesOfModel(larger, *model), ErrorCode::kInvalidArgument,
                   StrCat(ToString(input.shape),
                          " in the network 'larger'; expected a model that was converted "
                          "from this network"));
  Graph wider = patient.graph();
  const auto with_filter = std::find_if(wider.nodes.begin(), wider.nodes.end(), [](const GraphNode& node) {
    return node.definition().filter_input >= 0;
  });
  GraphTensor& filter = wider.tensor(with_filter->InputAt(with_filter->definition().filter_input));
  filter.shape[0] += 1;
  QAT_EXPECT_ERROR(ChoicesOfModel(wider, *model), ErrorCode::kInvalidArgument,
                   StrCat("m.tflite: tensor '", filter.name, "' is "));
}

/// The one-layer model, run by itself, gives the values that the layer had in the network.
TEST(CutOut, ReproducesTheLayer) {
  Patient patient(DigitClassifier());
  std::vector<std::string> none;
  const Converted converted = *Convert(patient.graph(), patient.choices(), none);
  for (const DebugLayer& layer : LayersOf(converted)) {
    const auto files = CutOut(converted, layer, patient.data().selection);
    QAT_ASSERT_OK(files);
    ASSERT_EQ(files->size(), 4u);
    const auto model = *RunnableFromBytes((*files)[0].bytes, "layer.tflite");
    EXPECT_EQ(model->nodes().size(), 1u);
    const NpyArray input = *ParseNpy((*files)[1].bytes, "input.npy");
    const NpyArray output = *ParseNpy((*files)[2].bytes, "output.npy");
    const NpyArray expected = *ParseNpy((*files)[3].bytes, "expected.npy");
    EXPECT_EQ(expected.shape, output.shape);
    EXPECT_EQ(expected.type, DType::kFloat32);
    const auto interpreter = *Interpreter::Create(model);
    std::copy(input.values.begin(), input.values.end(), interpreter->input(0).begin());
    interpreter->Invoke();
    const auto given = interpreter->output(0);
    EXPECT_EQ(Bytes(given.begin(), given.end()), output.values) << layer.name;
  }
}

}  // namespace
}  // namespace qat
