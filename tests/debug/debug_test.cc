#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "data/npy.h"
#include "debug/converted.h"
#include "debug/diagnosis.h"
#include "debug/observe.h"
#include "debug/patient.h"
#include "debug/print.h"
#include "debug/reproducer.h"
#include "passes/passes.h"
#include "runtime/interpreter.h"
#include "runtime/model_predictor.h"
#include "runtime/runnable_model.h"
#include "support/digit_classifier.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using qat::testing::DigitClassifier;
using qat::testing::First;
using qat::testing::Patient;
using qat::testing::StretchChannel;

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
