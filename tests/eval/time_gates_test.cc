// What gates of time decide, on reports that were made up.
#include "eval/time_gates.h"

#include <gtest/gtest.h>

#include <tuple>

#include "base/random.h"
#include "eval/time_ratio.h"
#include "support/test_util.h"

namespace qat {
namespace {

TimingConditions Quiet() {
  TimingConditions timing;
  timing.noise = 0.01;
  timing.calibration_us = 30;
  return timing;
}

TimingConditions Busy() {
  TimingConditions timing = Quiet();
  timing.others = 0.8;
  return timing;
}

ModelResult Row(const std::string& name, double p50) {
  ModelResult row;
  row.name = name;
  row.kind = "tflite";
  row.latency_us = LatencyResult();
  row.latency_us->p50 = p50;
  row.latency_us->p50_interval = Interval{0.99 * p50, 1.01 * p50};
  return row;
}

// The model takes `ratio` times as long as the reference.
Report Measured(double ratio, const TimingConditions& timing) {
  Report report;
  report.models = {Row("old", 100), Row("new", 100 * ratio)};
  report.timing = timing;
  report.environment["cpu"] = "one";
  PairResult pair;
  pair.a = "old";
  pair.b = "new";
  pair.speedup = 1 / ratio;
  pair.speedup_interval = Interval{1 / (1.01 * ratio), 1 / (0.99 * ratio)};
  report.pairs = {pair};
  return report;
}

GateResult AgainstRow(double limit, bool speedup, Report report) {
  EXPECT_TRUE(JudgeTimeAgainstRow(limit, speedup, report.models[0], report.models[1], report).ok());
  return report.gates.at(0);
}

GateResult AgainstBaseline(double limit, const Report& baseline, Report report) {
  EXPECT_TRUE(
      JudgeTimeAgainstBaseline(limit, false, baseline, baseline.models[1], report.models[1], report).ok());
  return report.gates.at(0);
}

TEST(JudgeTime, FailsOnlyWhereTheIntervalIsBeyondTheLimitByMoreThanTheNoise) {
  TimeCase time;
  time.limit = 100;
  time.noise = 0.02;
  for (const auto& [value, low, passes] :
       {std::tuple(100.0, 99.0, true), std::tuple(103.0, 101.9, true), std::tuple(103.0, 102.1, false)}) {
    time.value = value;
    time.low = low;
    EXPECT_EQ(JudgeTime(time).pass, passes) << value;
    EXPECT_EQ(JudgeTime(time).note.empty(), value <= 100 || !passes);
  }
  time.value = 120;
  time.low = 119;
  EXPECT_FALSE(JudgeTime(time).pass);
  time.disturbed = "other processes took 80 % of the processors";
  EXPECT_TRUE(JudgeTime(time).pass) << "a busy machine";
  EXPECT_EQ(JudgeTime(time).note,
            "too noisy to tell: measurement noise 2.0 %, other processes took 80 % of the "
            "processors");
  time.value = 200;
  time.low = 199;
  EXPECT_FALSE(JudgeTime(time).pass) << "no neighbour explains a factor of two";
  time.disturbed.clear();
  time.value = 120;
  time.low.reset();
  EXPECT_TRUE(JudgeTime(time).pass) << "nothing is known of its noise";
  EXPECT_NE(JudgeTime(time).note.find("too few turns"), std::string::npos);
}

TEST(TimeGates, ASlowDownOfATenthIsCaughtOnAQuietMachineAndLeftOpenOnABusyOne) {
  for (const bool speedup : {true, false}) {
    const double limit = speedup ? 1 / 1.05 : 1.05;
    EXPECT_TRUE(AgainstRow(limit, speedup, Measured(1.04, Quiet())).pass);
    EXPECT_FALSE(AgainstRow(limit, speedup, Measured(1.10, Quiet())).pass);
    const GateResult busy = AgainstRow(limit, speedup, Measured(1.10, Busy()));
    EXPECT_TRUE(busy.pass);
    EXPECT_TRUE(busy.note.starts_with("too noisy to tell")) << busy.note;
    EXPECT_FALSE(AgainstRow(limit, speedup, Measured(1.9, Busy())).pass);
  }
}

TEST(TimeGates, WhatPassesBeyondItsLimitIsAWarning) {
  Report report = Measured(1.10, Busy());
  QAT_ASSERT_OK(JudgeTimeAgainstRow(1.05, false, report.models[0], report.models[1], report));
  ASSERT_EQ(report.warnings.size(), 1u);
  EXPECT_TRUE(report.warnings[0].starts_with(
      "max-latency-ratio of new against old: 1.100x is beyond the limit 1.050x, but too noisy to tell"))
      << report.warnings[0];
}

TEST(TimeGates, ANumberOfMicrosecondsIsHeldAgainstTheMedian) {
  const auto judge = [](double limit, Report report) {
    EXPECT_TRUE(JudgeLatency(limit, report.models[1], report).ok());
    return report.gates.at(0);
  };
  EXPECT_TRUE(judge(110, Measured(1.1, Quiet())).pass);
  EXPECT_FALSE(judge(100, Measured(1.1, Quiet())).pass);
  EXPECT_TRUE(judge(100, Measured(1.1, Busy())).pass);
  EXPECT_FALSE(judge(100, Measured(2.1, Busy())).pass);
}

TEST(TimeGates, AgainstABaselineRunsAFewPercentApartAreTheSame) {
  const Report baseline = Measured(1, Quiet());
  EXPECT_TRUE(AgainstBaseline(1, baseline, Measured(1.05, Quiet())).pass);
  EXPECT_FALSE(AgainstBaseline(1, baseline, Measured(1.15, Quiet())).pass);
  EXPECT_TRUE(AgainstBaseline(1, Measured(1, Busy()), Measured(1.15, Quiet())).pass)
      << "the baseline itself was disturbed";
  EXPECT_NE(
      AgainstBaseline(1, Measured(1, Busy()), Measured(1.15, Quiet())).note.find("then other processes"),
      std::string::npos);
}

TEST(TimeGates, AMachineThatIsSlowerThanAtTheBaselineIsNotTheModelsFault) {
  const Report baseline = Measured(1, Quiet());
  Report report = Measured(1.3, Quiet());
  report.timing->calibration_us = 39;
  const GateResult gate = AgainstBaseline(1.05, baseline, report);
  EXPECT_TRUE(gate.pass);
  EXPECT_NEAR(gate.value, 1, 1e-9);
  report.timing->calibration_us = 15;
  EXPECT_NEAR(AgainstBaseline(1.05, baseline, report).value, 1.3, 1e-9) << "a faster one excuses nothing";
}

TEST(TimeGates, AnotherProcessorThanTheBaselinesIsNotJudged) {
  const Report baseline = Measured(1, Quiet());
  Report report = Measured(1.5, Quiet());
  report.environment["cpu"] = "another";
  const GateResult gate = AgainstBaseline(1.05, baseline, report);
  EXPECT_TRUE(gate.pass);
  EXPECT_EQ(gate.note, "too noisy to tell: the baseline was measured on another processor, one");
}

TEST(TimeGates, ARowWithoutTimesIsAnError) {
  Report report = Measured(1, Quiet());
  report.models[1].latency_us.reset();
  QAT_EXPECT_ERROR(JudgeLatency(1, report.models[1], report), ErrorCode::kInvalidArgument,
                   "`max_latency`: 'new' has no latency");
  QAT_EXPECT_ERROR(JudgeTimeAgainstRow(1, true, report.models[0], report.models[1], report),
                   ErrorCode::kInvalidArgument, "`min_speedup`: 'new' has no latency");
}

}  // namespace
}  // namespace qat
