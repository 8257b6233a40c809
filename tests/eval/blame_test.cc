#include "eval/blame.h"

#include <gtest/gtest.h>

#include "support/sample_report.h"

namespace qat {
namespace {

// A float network and its integer model, with these accuracies in percent; the gate asks for 90.
Report Failed(double of_float, double of_model) {
  Report report;
  report.models = {testing::SampleModel("graph", "graph", "float32", 1, std::lround(100 * of_float)),
                   testing::SampleModel("m.tflite", "tflite", "int8", 1, std::lround(100 * of_model))};
  PairResult pair;
  pair.a = "graph";
  pair.b = "m.tflite";
  pair.drop_pt = of_float - of_model;
  pair.mcnemar_p = of_float - of_model > 1 ? 1e-9 : 0.4;
  report.pairs = {pair};
  GateResult gate;
  gate.name = "min-accuracy";
  gate.model = "m.tflite";
  gate.limit = 90;
  gate.value = of_model;
  report.gates = {gate};
  report.layers = {{"m.tflite", "graph", "conv1", "conv_2d", 0, 32, 20.0, 20.5, 0.1, 3, 0.12, 0}};
  return report;
}

std::string NoteOf(Report report) {
  ExplainFailures(report);
  return report.gates[0].note;
}

TEST(Blame, AnUndertrainedNetworkDoesNotBlameQuantization) {
  EXPECT_EQ(NoteOf(Failed(62.1, 62.05)),
            "the float network itself has 62.10 %: training is to blame, not quantization");
}

TEST(Blame, AGoodFloatNetworkBlamesQuantizationAndNamesTheLayer) {
  EXPECT_EQ(NoteOf(Failed(97.3, 81)),
            "the float network has 97.30 %: quantization costs 16.30 points; largest rounding loss: conv1 "
            "(conv_2d, operator 0), 20.5 dB, 12 % of its range used");
}

TEST(Blame, BothAreNamedWhereBothAreToBlame) {
  const std::string note = NoteOf(Failed(80, 60));
  EXPECT_EQ(note.rfind("the float network itself has 80.00 %: training is to blame, and quantization costs a "
                       "further 20.00 points; largest rounding loss: conv1",
                       0),
            0u)
      << note;
}

TEST(Blame, WithoutAFloatNetworkTheWayToOneIsNamed) {
  Report report = Failed(97, 80);
  report.models.erase(report.models.begin());
  report.pairs.clear();
  EXPECT_NE(NoteOf(report).find("give `graph`, `checkpoint` or `float_run`"), std::string::npos);
}

TEST(Blame, AFloatModelIsAMatterOfTrainingAlone) {
  Report report = Failed(97, 80);
  report.models[1].type = "float32";
  EXPECT_EQ(NoteOf(report), "this network is float: training is to blame, not quantization");
}

TEST(Blame, ARecallIsComparedWithThatOfTheSameClass) {
  Report report = Failed(97, 80);
  report.class_names = {"good", "bad"};
  report.gates[0].name = "min-recall";
  report.gates[0].subject = "class 'bad'";
  report.gates[0].value = 25;
  report.models[0].classification = ClassificationResult{{}, {{90, 0}, {4, 6}}, {}, {}};
  report.models[1].classification = ClassificationResult{{}, {{90, 0}, {7, 3}}, {}, {}};
  const std::string note = NoteOf(report);
  EXPECT_EQ(note.rfind("the float network itself has 60.00 %: training is to blame, and quantization", 0), 0u)
      << note;
}

TEST(Blame, AnErrorOfTheFloatNetworkIsGivenInItsUnit) {
  Report report = testing::RegressionReport();
  report.gates = {{"max-rmse", "build/demo/model.tflite", "", 0.05, 0.0831, false}};
  for (ErrorComparison* errors :
       {&*report.pairs[0].errors, &*report.pairs[1].errors, &*report.pairs[2].errors})
    errors->sign_p = 0.5;
  EXPECT_EQ(NoteOf(report),
            "the float network itself has RMSE 0.0831: training is to blame, not quantization");
}

TEST(Blame, ADropAgainstAnotherRunIsSplitBetweenTrainingAndQuantization) {
  Report report = Failed(97, 90);
  report.models.insert(report.models.begin(),
                       testing::SampleModel("float", "checkpoint", "float32", 1, 9800));
  report.models.insert(report.models.begin() + 1,
                       testing::SampleModel("checkpoint", "checkpoint", "float32", 1, 9100));
  report.gates[0].name = "max-drop";
  report.gates[0].reference = "float";
  report.gates[0].limit = 1;
  report.gates[0].value = 8;
  const std::string note = NoteOf(report);
  EXPECT_EQ(
      note.rfind("the weights that were quantized have 91.00 % in float themselves: 7.00 of 8.00 points come "
                 "from training; largest rounding loss",
                 0),
      0u)
      << note;
}

TEST(Blame, WhatPassedOrSaysWhyAlreadyIsLeftAlone) {
  Report report = Failed(62, 62);
  report.gates[0].pass = true;
  EXPECT_EQ(NoteOf(report), "");
  report.gates[0].pass = false;
  report.gates[0].note = "as it was";
  EXPECT_EQ(NoteOf(report), "as it was");
}

}  // namespace
}  // namespace qat
