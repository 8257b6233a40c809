#include "eval/gate_limits.h"

#include <gtest/gtest.h>

#include "eval/output_limits.h"
#include "support/test_util.h"

namespace qat {
namespace {

TEST(ParseMaxFlips, TakesANumberOrARowAndANumber) {
  GateLimits limits;
  QAT_ASSERT_OK(ParseMaxFlips("12", limits));
  EXPECT_EQ(limits.max_flips, 12);
  EXPECT_EQ(limits.flips_against, "");
  QAT_ASSERT_OK(ParseMaxFlips("a=b.tflite=0", limits));
  EXPECT_EQ(limits.max_flips, 0);
  EXPECT_EQ(limits.flips_against, "a=b.tflite");
  for (const char* wrong : {"", "=", "=3", "simulated", "simulated=", "3x", "-1", "graph=-1"}) {
    QAT_EXPECT_ERROR(ParseMaxFlips(wrong, limits), ErrorCode::kInvalidArgument, "`max_flips`: value '");
  }
}

TEST(ParseMinSpeedup, TakesARatioOrARowAndARatio) {
  GateLimits limits;
  QAT_ASSERT_OK(ParseMinSpeedup("2.5", limits));
  EXPECT_EQ(limits.min_speedup, 2.5);
  EXPECT_TRUE(limits.NeedsFloatModel());
  QAT_ASSERT_OK(ParseMinSpeedup("old.tflite=0.98", limits));
  EXPECT_EQ(limits.speedup_against, "old.tflite");
  EXPECT_FALSE(limits.NeedsFloatModel());
  QAT_ASSERT_OK(ParseMaxLatencyRatio("old.tflite=1.02", limits));
  EXPECT_EQ(limits.max_latency_ratio, 1.02);
  for (const char* wrong : {"", "0", "-1", "old.tflite", "x=0"})
    QAT_EXPECT_ERROR(ParseMaxLatencyRatio(wrong, limits), ErrorCode::kInvalidArgument,
                     "`max_latency_ratio`: value '");
}

TEST(ParseMinRecall, TakesAPercentageForAllClassesOrForOne) {
  GateLimits limits;
  QAT_ASSERT_OK(ParseMinRecall("80", limits));
  QAT_ASSERT_OK(ParseMinRecall("a=b=99.5", limits));
  ASSERT_EQ(limits.min_recall.size(), 2u);
  EXPECT_EQ(limits.min_recall[0].name, "");
  EXPECT_EQ(limits.min_recall[0].limit, 80);
  EXPECT_EQ(limits.min_recall[1].name, "a=b");
  EXPECT_EQ(limits.min_recall[1].limit, 99.5);
  EXPECT_TRUE(limits.OfClasses());
  for (const char* wrong : {"", "cat", "cat=", "=3", "-1", "100.5", "cat=nan", "3 %"})
    QAT_EXPECT_ERROR(ParseMinRecall(wrong, limits), ErrorCode::kInvalidArgument, "`min_recall`: value '");
}

TEST(TakeLimitOfOutput, IsOneOfAllItsNumbers) {
  Dataset dataset;
  dataset.task = Task::kNumbers;
  GateLimits limits;
  QAT_ASSERT_OK(ParseMaxRmse("box=3", limits));
  QAT_ASSERT_OK(ParseMaxRmse("1=2", limits));
  TakeLimitOfOutput("box", dataset, limits);
  EXPECT_EQ(limits.max_rmse, 3);
  ASSERT_EQ(limits.max_target_rmse.size(), 1u);
  EXPECT_EQ(limits.max_target_rmse[0].index, 1);
  GateLimits of_number;
  dataset.class_names = {"box", "mass"};
  QAT_ASSERT_OK(ParseMaxRmse("box=3", of_number));
  TakeLimitOfOutput("box", dataset, of_number);
  EXPECT_FALSE(of_number.max_rmse.has_value()) << "one of its numbers is called so";
}

TEST(ParseMaxRmse, TakesANumberForAllTargetsOrForOne) {
  GateLimits limits;
  QAT_ASSERT_OK(ParseMaxRmse("0.25", limits));
  QAT_ASSERT_OK(ParseMaxRmse("1=3", limits));
  EXPECT_EQ(limits.max_rmse, 0.25);
  ASSERT_EQ(limits.max_target_rmse.size(), 1u);
  EXPECT_EQ(limits.max_target_rmse[0].index, 1);
  EXPECT_EQ(limits.max_target_rmse[0].limit, 3);
  QAT_ASSERT_OK(ParseMaxRmse("mass=2", limits));
  EXPECT_EQ(limits.max_target_rmse[1].name, "mass");
  for (const char* wrong : {"", "x=", "-1", "1=-1", "1=inf"})
    QAT_EXPECT_ERROR(ParseMaxRmse(wrong, limits), ErrorCode::kInvalidArgument, "`max_rmse`: value '");
}

}  // namespace
}  // namespace qat
