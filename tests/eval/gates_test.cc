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

Report TwoRows() {
  Report report;
  report.models = {Model("checkpoint", "checkpoint", 9930, 250000, 300),
                   Model("m.tflite", "tflite", 9920, 66000, 100)};
  report.pairs = {{"checkpoint", "m.tflite", 0.1, 15, 5, 21, {}, {}}};
  report.pairs[0].speedup = 3;
  report.pairs[0].speedup_interval = Interval{3, 3};
  report.timing = TimingConditions();
  return report;
}

const GateResult& Only(const Report& report) {
  EXPECT_EQ(report.gates.size(), 1u);
  return report.gates.at(0);
}

TEST(Gates, ADropOfExactlyTheLimitPasses) {
  Report report = TwoRows();  // 99.30 - 99.20: in binary a little more than 0.1
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
    Report report = TwoRows();
    QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
    EXPECT_EQ(Only(report).name, name);
    EXPECT_FALSE(Only(report).pass) << name;
    EXPECT_EQ(Only(report).model, "m.tflite");
  }
}

TEST(Gates, PassAtTheirLimits) {
  Report report = TwoRows();
  QAT_ASSERT_OK(JudgeGates({99.2, 0.1, 21, 66000, 3.0}, nullptr, report));
  ASSERT_EQ(report.gates.size(), 5u);
  for (const GateResult& gate : report.gates) EXPECT_TRUE(gate.pass) << gate.name;
}

TEST(Gates, LatencyIsHeldAgainstANumberAndAgainstTheReference) {
  GateLimits limits;
  limits.max_latency = 100;
  limits.max_latency_ratio = 0.34;  // 100 / 300
  Report report = TwoRows();
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  ASSERT_EQ(report.gates.size(), 2u);
  EXPECT_TRUE(report.gates[0].pass);
  EXPECT_EQ(report.gates[0].reference, "");
  EXPECT_TRUE(report.gates[1].pass);
  EXPECT_DOUBLE_EQ(report.gates[1].value, 1.0 / 3);
  limits.max_latency = 99.9;
  limits.max_latency_ratio = 0.33;
  report = TwoRows();
  QAT_ASSERT_OK(JudgeGates(limits, nullptr, report));
  EXPECT_FALSE(report.gates[0].pass);
  EXPECT_FALSE(report.gates[1].pass);
  const Report earlier = TwoRows();
  limits.max_latency.reset();
  limits.max_latency_ratio = 1.05;
  report = TwoRows();
  report.models[1] = Model("m.tflite", "tflite", 9920, 66000, 120);
  QAT_ASSERT_OK(JudgeGates(limits, &earlier, report));
  EXPECT_FALSE(Only(report).pass);
  EXPECT_EQ(Only(report).reference, "baseline");
}

TEST(Gates, ADropWithinChancePassesWithAWarningOnlyWhereThatWasAskedFor) {
  GateLimits limits;
  limits.max_drop = 0.05;
  Report report = TwoRows();
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

TEST(ParseMaxFlips, TakesANumberOrARowAndANumber) {
  GateLimits limits;
  QAT_ASSERT_OK(ParseMaxFlips("12", limits));
  EXPECT_EQ(limits.max_flips, 12);
  EXPECT_EQ(limits.flips_against, "");
  QAT_ASSERT_OK(ParseMaxFlips("a=b.tflite=0", limits));
  EXPECT_EQ(limits.max_flips, 0);
  EXPECT_EQ(limits.flips_against, "a=b.tflite");
  for (const char* wrong : {"", "=", "=3", "simulated", "simulated=", "3x", "-1", "graph=-1"}) {
    QAT_EXPECT_ERROR(ParseMaxFlips(wrong, limits), ErrorCode::kInvalidArgument, "--max-flips: value '");
  }
}

TEST(Gates, TheFloatRunIsTheReferenceWhereItIsGiven) {
  Report report = TwoRows();
  report.models.insert(report.models.begin(), Model("float", "checkpoint", 9950, 250000, 300));
  EXPECT_EQ(ReferenceRow(report)->name, "float");
}

TEST(Gates, WithoutCheckpointTheFirstModelIsTheReferenceAndIsNotHeldAgainstItself) {
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
  QAT_EXPECT_ERROR(JudgeGates(limits, nullptr, report), ErrorCode::kInvalidArgument, "--baseline");
}

TEST(Gates, BaselineHoldsTheRowOfTheSameName) {
  const Report earlier = TwoRows();
  Report report = TwoRows();
  report.models[1].accuracy = AccuracyResult{99.1, 9910, 10000};
  report.models[1].latency_us->p50 = 110;
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
  Report earlier = TwoRows();
  earlier.models[1].name = "old/path.tflite";
  Report report = TwoRows();
  GateLimits limits;
  limits.max_drop = 0;
  QAT_ASSERT_OK(JudgeGates(limits, &earlier, report));
  EXPECT_TRUE(Only(report).pass);
  earlier.models.push_back(Model("other.tflite", "tflite", 9930, 1, 1));
  report = TwoRows();
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
