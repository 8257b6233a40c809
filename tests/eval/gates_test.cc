#include "eval/gates.h"

#include <gtest/gtest.h>

#include <map>

#include "support/test_util.h"

namespace qat {
namespace {

ModelResult Model(const std::string& name, const std::string& kind, int64_t correct, int64_t bytes,
                  double p50) {
  ModelResult model;
  model.name = name;
  model.kind = kind;
  model.type = kind == "tflite" ? "uint8" : "float32";
  model.bytes = bytes;
  model.accuracy = AccuracyResult{static_cast<double>(correct) / 100, correct, 10000};
  LatencyResult latency;
  latency.p50 = p50;
  latency.p50_interval = Interval{p50, p50};
  model.latency_us = latency;
  return model;
}

// A network in LibTorch and in our runtime, and its integer model.
Report Rows() {
  Report report;
  report.models = {Model("checkpoint", "checkpoint", 9930, 250000, 4000),
                   Model("graph", "graph", 9930, 250000, 300), Model("m.tflite", "tflite", 9920, 66000, 100)};
  report.pairs = {{"checkpoint", "m.tflite", 0.1, 15, 5, 21, {}, {}},
                  {"graph", "m.tflite", 0.1, 15, 5, 21, {}, {}}};
  report.pairs[0].speedup = 40;
  report.pairs[1].speedup = 3;
  report.pairs[1].speedup_interval = Interval{3, 3};
  report.timing = TimingConditions();
  return report;
}

const GateResult& Only(const Report& report) {
  EXPECT_EQ(report.gates.size(), 1u);
  return report.gates.at(0);
}

TEST(Gates, ADropOfExactlyTheLimitPasses) {
  Report report = Rows();  // 99.30 - 99.20: in binary a little more than 0.1
  GateLimits limits;
  limits.max_drop = 0.1;
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  EXPECT_TRUE(Only(report).pass);
  EXPECT_EQ(Only(report).value, 0.1);
  EXPECT_EQ(Only(report).reference, "checkpoint");
}

TEST(Gates, FailJustBeyondTheirLimits) {
  const std::map<std::string, GateLimits> cases = {{"min-accuracy", {99.21, {}, {}, {}, {}}},
                                                   {"max-drop", {{}, 0.09, {}, {}, {}}},
                                                   {"max-flips", {{}, {}, 20, {}, {}}},
                                                   {"max-size", {{}, {}, {}, 65999, {}}},
                                                   {"min-speedup", {{}, {}, {}, {}, 3.01}}};
  for (const auto& [name, limits] : cases) {
    Report report = Rows();
    QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
    EXPECT_EQ(Only(report).name, name);
    EXPECT_FALSE(Only(report).pass) << name;
    EXPECT_EQ(Only(report).model, "m.tflite");
  }
}

TEST(Gates, PassAtTheirLimits) {
  Report report = Rows();
  QAT_ASSERT_OK(JudgeGates({99.2, 0.1, 21, 66000, 3.0}, nullptr, report));
  ASSERT_EQ(report.gates.size(), 5u);
  for (const GateResult& gate : report.gates) EXPECT_TRUE(gate.pass) << gate.name;
}

TEST(Gates, LatencyIsComparedWithANumberAndWithTheReference) {
  GateLimits limits;
  limits.max_latency = 100;
  limits.max_latency_ratio = 0.34;  // 100 / 300
  Report report = Rows();
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  ASSERT_EQ(report.gates.size(), 2u);
  EXPECT_TRUE(report.gates[0].pass);
  EXPECT_EQ(report.gates[0].reference, "");
  EXPECT_TRUE(report.gates[1].pass);
  EXPECT_DOUBLE_EQ(report.gates[1].value, 1.0 / 3);
  limits.max_latency = 99.9;
  limits.max_latency_ratio = 0.33;
  report = Rows();
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  EXPECT_FALSE(report.gates[0].pass);
  EXPECT_FALSE(report.gates[1].pass);
  const Report earlier = Rows();
  limits.max_latency.reset();
  limits.max_latency_ratio = 1.05;
  report = Rows();
  report.models[2] = Model("m.tflite", "tflite", 9920, 66000, 120);
  QAT_ASSERT_OK(JudgeGates(limits, &earlier, report));
  EXPECT_FALSE(Only(report).pass);
  EXPECT_EQ(Only(report).reference, "baseline");
}

TEST(Gates, ADropWithinChancePassesWithAWarningOnlyWhereThatWasAskedFor) {
  GateLimits limits;
  limits.max_drop = 0.05;
  Report report = Rows();
  report.pairs[0].mcnemar_p = 0.041;
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  EXPECT_FALSE(Only(report).pass);
  EXPECT_EQ(Only(report).p, 0.041);
  for (const double significance : {0.05, 0.041}) {  // at the limit it is no chance
    limits.significance = significance;
    report.gates.clear();
    QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
    EXPECT_FALSE(Only(report).pass);
    EXPECT_TRUE(report.warnings.empty());
  }
  limits.significance = 0.04;
  report.gates.clear();
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  EXPECT_TRUE(Only(report).pass);
  EXPECT_NE(Only(report).note.find("within chance: p 0.0410"), std::string::npos) << Only(report).note;
  ASSERT_EQ(report.warnings.size(), 1u);
  EXPECT_NE(
      report.warnings[0].find("max-drop of m.tflite against checkpoint: 0.10 pt is over the limit 0.05 pt"),
      std::string::npos)
      << report.warnings[0];
}

TEST(Gates, SpeedIsThatOverOurOwnFloatModelNotOverLibTorch) {
  GateLimits limits;
  limits.min_speedup = 10;
  Report report = Rows();
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  EXPECT_FALSE(Only(report).pass);
  EXPECT_EQ(Only(report).reference, "graph");
  EXPECT_DOUBLE_EQ(Only(report).value, 3);
}

TEST(Gates, ALimitOfSpeedWithoutAFloatModelSaysHowToGiveOne) {
  GateLimits limits;
  limits.min_speedup = 2;
  Report report = Rows();
  report.models.erase(report.models.begin() + 1);
  QAT_EXPECT_ERROR(JudgeGates(limits, nullptr, report), ErrorCode::kInvalidArgument,
                   "none was given: give `graph`, `checkpoint`, `float_run` or a float .tflite");
  report.models = {Model("a.tflite", "tflite", 9930, 1, 1), Model("b.tflite", "tflite", 9930, 1, 1)};
  QAT_EXPECT_ERROR(JudgeGates(limits, nullptr, report), ErrorCode::kInvalidArgument, "none was given");
  report.models = {Model("checkpoint", "checkpoint", 9930, 1, 1), Model("graph", "graph", 9930, 1, 1)};
  QAT_EXPECT_ERROR(JudgeGates(limits, nullptr, report), ErrorCode::kInvalidArgument, "give `models`");
}

TEST(Gates, SpeedIsComparedWithTheRowThatWasNamed) {
  Report report;
  report.models = {Model("old.tflite", "tflite", 9930, 1, 100), Model("new.tflite", "tflite", 9930, 1, 110)};
  report.timing = TimingConditions();
  GateLimits limits;
  limits.max_latency_ratio = 1.02;
  limits.ratio_against = "old.tflite";
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  EXPECT_EQ(Only(report).model, "new.tflite") << "a row is not held against itself";
  EXPECT_EQ(Only(report).reference, "old.tflite");
  EXPECT_DOUBLE_EQ(Only(report).value, 1.1);
  report.models.push_back(Model("float", "checkpoint", 9930, 1, 4000));
  limits.ratio_against = "float";
  QAT_EXPECT_ERROR(JudgeGates(limits, nullptr, report), ErrorCode::kInvalidArgument,
                   "there is no row 'float' that this runtime runs, expected one of old.tflite, new.tflite");
}

// 96 of 100 images are good; the model recognizes 95 of those, and 1 of the 4 others.
Report Uneven() {
  Report report;
  report.class_names = {"good", "bad", "ugly"};
  report.models = {Model("m.tflite", "tflite", 9600, 1, 1)};
  report.models[0].classification = ClassificationResult{{}, {{95, 1, 0}, {3, 1, 0}, {0, 0, 0}}, {}, {}};
  return report;
}

TEST(Gates, BalancedAccuracyAndRecallJudgeWhatAccuracyHides) {
  GateLimits limits;
  limits.min_accuracy = 95;
  limits.min_balanced_accuracy = 80;
  limits.min_recall = {{"", 50}, {"good", 90}, {"1", 25}};
  Report report = Uneven();
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  ASSERT_EQ(report.gates.size(), 5u);
  EXPECT_TRUE(report.gates[0].pass);
  EXPECT_EQ(report.gates[1].name, "min-balanced-accuracy");
  EXPECT_DOUBLE_EQ(report.gates[1].value, (100 * 95.0 / 96 + 25) / 2);
  EXPECT_FALSE(report.gates[1].pass);
  EXPECT_EQ(report.gates[2].subject, "class 'bad'") << "the worst class";
  EXPECT_FALSE(report.gates[2].pass);
  EXPECT_EQ(report.gates[2].note, "1 class has no image and is not judged");
  EXPECT_TRUE(report.gates[3].pass);
  EXPECT_EQ(report.gates[4].subject, "class 'bad'") << "by its number";
  EXPECT_TRUE(report.gates[4].pass) << "exactly the limit";
}

TEST(Gates, ARecallOfAClassThatIsNotThereIsRefused) {
  GateLimits limits;
  limits.min_recall = {{"cat", 50}};
  Report report = Uneven();
  QAT_EXPECT_ERROR(JudgeGates(limits, nullptr, report), ErrorCode::kInvalidArgument,
                   "`min_recall`: there is no class 'cat', expected good, bad, ugly");
  limits.min_recall = {{"ugly", 50}};
  QAT_EXPECT_ERROR(JudgeGates(limits, nullptr, report), ErrorCode::kInvalidArgument,
                   "none of the evaluated images has the class 'ugly'");
}

TEST(Gates, AnErrorOfOneNumberIsJudgedByItself) {
  Report report;
  report.models = {Model("m.tflite", "tflite", 0, 1, 1)};
  report.models[0].accuracy.reset();
  report.models[0].regression =
      RegressionResult{{0.5, 0.4, 1, {}}, {}, {{0.1, 0.1, 1, {}}, {0.7, 0.5, 1, {}}}};
  GateLimits limits;
  limits.max_target_rmse = {{0, 0.2}, {1, 0.2}};
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  ASSERT_EQ(report.gates.size(), 2u);
  EXPECT_TRUE(report.gates[0].pass);
  EXPECT_FALSE(report.gates[1].pass);
  EXPECT_EQ(report.gates[1].subject, "number 1");
  limits.max_target_rmse = {{2, 1}};
  QAT_EXPECT_ERROR(JudgeGates(limits, nullptr, report), ErrorCode::kInvalidArgument,
                   "there is no number 2 per image, expected 0 to 1");
}

TEST(Gates, TheFloatRunIsTheReferenceWhereItIsGiven) {
  Report report = Rows();
  report.models.insert(report.models.begin(), Model("float", "checkpoint", 9950, 250000, 300));
  EXPECT_EQ(ReferenceRow(report)->name, "float");
}

TEST(Gates, WithoutCheckpointTheFirstModelIsTheReferenceAndIsNotComparedWithItself) {
  Report report;
  report.models = {Model("a.tflite", "tflite", 9930, 1, 1), Model("b.tflite", "tflite", 9900, 1, 1)};
  GateLimits limits;
  limits.max_drop = 0.2;
  limits.min_accuracy = 99;
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  ASSERT_EQ(report.gates.size(), 3u);  // accuracy of both, drop of b
  EXPECT_EQ(report.gates[2].name, "max-drop");
  EXPECT_EQ(report.gates[2].model, "b.tflite");
  EXPECT_FALSE(report.gates[2].pass);
}

TEST(Gates, ALimitThatNeedsAReferenceSaysHowToGiveOne) {
  Report report;
  report.models = {Model("a.tflite", "tflite", 9930, 1, 1)};
  GateLimits limits;
  limits.max_drop = 0.1;
  QAT_EXPECT_ERROR(JudgeGates(limits, nullptr, report), ErrorCode::kInvalidArgument, "`baseline`");
}

TEST(Gates, BaselineIsTheRowOfTheSameName) {
  const Report earlier = Rows();
  Report report = Rows();
  report.models[2].accuracy = AccuracyResult{99.1, 9910, 10000};
  report.models[2].latency_us->p50 = 110;
  GateLimits limits;
  limits.max_drop = 0.05;
  limits.min_speedup = 0.8;
  QAT_ASSERT_OK(JudgeGates(limits, &earlier, report));
  ASSERT_EQ(report.gates.size(), 2u);
  EXPECT_FALSE(report.gates[0].pass);
  EXPECT_EQ(report.gates[0].reference, "baseline");
  EXPECT_DOUBLE_EQ(report.gates[0].value, 0.1);
  EXPECT_TRUE(report.gates[1].pass);
}

TEST(Gates, BaselineTakesTheOnlyModelWhereItWasCalledOtherwise) {
  Report earlier = Rows();
  earlier.models[2].name = "old/path.tflite";
  Report report = Rows();
  GateLimits limits;
  limits.max_drop = 0;
  QAT_ASSERT_OK(JudgeGates(limits, &earlier, report));
  EXPECT_TRUE(Only(report).pass);
  earlier.models.push_back(Model("other.tflite", "tflite", 9930, 1, 1));
  report = Rows();
  QAT_EXPECT_ERROR(JudgeGates(limits, &earlier, report), ErrorCode::kInvalidArgument,
                   "has no model 'm.tflite'");
}

TEST(Gates, WithoutAnyModelTheGraphIsJudged) {
  Report report;
  report.models = {Model("checkpoint", "checkpoint", 9930, 1, 1), Model("graph", "graph", 9930, 1, 1)};
  GateLimits limits;
  limits.min_accuracy = 99;
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  EXPECT_EQ(Only(report).model, "graph");
}

}  // namespace
}  // namespace qat
