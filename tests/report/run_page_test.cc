#include "report/run_page.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "support/sample_run.h"

namespace qat {
namespace {

using testing::SampleRun;

int64_t CountOf(const std::string& text, const std::string& piece) {
  int64_t count = 0;
  for (size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++count;
  return count;
}

TEST(JudgeRange, ARangeThatDoublesWhileQuantizedRanAway) {
  RangeCurve curve{"a", {{250, 0, 1}, {500, 0, 1}, {750, 0, 2.1}}};
  EXPECT_TRUE(JudgeRange(curve, 1000, 300).RanAway());
  EXPECT_NEAR(JudgeRange(curve, 1000, 300).growth, 2.1, 1e-12);
  // It was measured before fake quantization.
  EXPECT_FALSE(JudgeRange(curve, 1000, 500).RanAway());
  EXPECT_FALSE(JudgeRange(curve, 1000, -1).RanAway());
  // At the beginning ranges are still being found.
  EXPECT_FALSE(JudgeRange({"a", {{50, 0, 1}, {300, 0, 9}}}, 1000, 0).RanAway());
  EXPECT_FALSE(JudgeRange({"a", {{500, 0, 1}, {750, 0, 1.9}}}, 1000, 300).RanAway());
}

TEST(JudgeRange, AnEndThatMovesByATwentiethOfTheWidthStillMoves) {
  EXPECT_TRUE(JudgeRange({"a", {{900, -1, 1}, {1000, -1.12, 1}}}, 1000, -1).Moves());
  EXPECT_FALSE(JudgeRange({"a", {{900, -1, 1}, {1000, -1.09, 1}}}, 1000, -1).Moves());
  // Not more than a tenth of the run ago.
  EXPECT_FALSE(JudgeRange({"a", {{950, -1, 1}, {1000, -2, 1}}}, 1000, -1).Moves());
}

TEST(JudgeRange, WhatWasNotCountedDoesNotClip) {
  EXPECT_FALSE(JudgeRange({"a", {{1000, -1, 1}}}, 1000, -1).Clips());
  EXPECT_TRUE(JudgeRange({"a", {{1000, -1, 1, 0.011}}}, 1000, -1).Clips());
  EXPECT_FALSE(JudgeRange({"a", {{1000, -1, 1, 0.009}}}, 1000, -1).Clips());
}

TEST(JudgeRanges, TheWorstComesFirst) {
  const auto findings = JudgeRanges(SampleRun("lenet"));
  ASSERT_EQ(findings.size(), 5u);
  EXPECT_EQ(findings[0].tensor, "logits");
  EXPECT_TRUE(findings[0].RanAway());
  EXPECT_EQ(findings[1].tensor, "conv2");
  EXPECT_FALSE(findings[1].RanAway());
  EXPECT_TRUE(findings[1].Moves());
}

TEST(RunPage, HasCurvesMarksAndAPictureOfEveryTensor) {
  const std::string page = RunPage({SampleRun("lenet")});
  for (const char* piece :
       {"<h1>Training of lenet</h1>", ">Loss<", ">Accuracy<", ">Learning rate<", ">Gradient norm<",
        "fake quantization from step 600", "batch norms frozen from step 800", "<h4>conv1/filter</h4>",
        "ran away", "still moving", "step 900: the range of &#39;logits&#39; runs away"}) {
    EXPECT_NE(page.find(piece), std::string::npos) << piece;
  }
  EXPECT_EQ(CountOf(page, "<h4>"), 5);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("nan"), std::string::npos);
  EXPECT_EQ(page.find("inf\""), std::string::npos);
}

// metrics.ndjson of earlier versions: no gradients, no clipped shares, no end.
TEST(RunPage, AnUnfinishedRunOfAnEarlierVersionIsDrawn) {
  RunRecord run = SampleRun("old");
  run.ended = false;
  run.batch_norm_freeze = -1;
  run.pace.pop_back();
  run.warnings.clear();
  for (RangeCurve& curve : run.ranges) {
    for (RangePoint& point : curve.points) point.clipped = std::nan("");
  }
  const std::string page = RunPage({run});
  EXPECT_NE(page.find("running, or interrupted"), std::string::npos);
  EXPECT_EQ(page.find("Gradient norm"), std::string::npos);
  EXPECT_EQ(page.find("<h2>Warnings"), std::string::npos);
  EXPECT_EQ(page.find("batch norms frozen"), std::string::npos);
  EXPECT_EQ(CountOf(page, "class=\"bar0\""), 0);
}

TEST(RunPage, ARunThatHasLoggedNothingYetSaysSo) {
  RunRecord run;
  run.name = "new";
  EXPECT_NE(RunPage({run}).find("No step has been logged yet"), std::string::npos);
}

TEST(RunPage, SeveralRunsAreOverlaidAndNamed) {
  RunRecord other = SampleRun("b");
  other.ranges.erase(other.ranges.begin());
  const std::string page = RunPage({SampleRun("a"), other});
  EXPECT_NE(page.find("<h1>2 training runs</h1>"), std::string::npos);
  EXPECT_NE(page.find("a: training"), std::string::npos);
  EXPECT_NE(page.find("b: holdout"), std::string::npos);
  EXPECT_EQ(CountOf(page, "<h4>"), 5);
  EXPECT_EQ(CountOf(page, "<polygon class=\"f0\""), 5);
  EXPECT_EQ(CountOf(page, "<polygon class=\"f1\""), 4);
}

TEST(RunPage, ARunWithoutAccuracyHasABestCheckpointAndSaysNothingOfAccuracy) {
  RunRecord run = SampleRun("numbers");
  run.best_step = 600;
  run.best_accuracy = std::nan("");
  std::erase_if(run.curves,
                [](const TrainingCurve& curve) { return curve.name.find("accuracy") != std::string::npos; });
  const std::string page = RunPage({run});
  EXPECT_NE(page.find("Best checkpoint: step 600."), std::string::npos);
  EXPECT_EQ(page.find("accuracy"), std::string::npos);
}

TEST(RunPage, NamesFromOutsideAreText) {
  RunRecord run = SampleRun("<script>alert(1)</script>");
  run.ranges[0].tensor = "\"><img src=x>";
  run.scheme = "<b>";
  const std::string page = RunPage({run});
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(page.find("<b>"), std::string::npos);
}

}  // namespace
}  // namespace qat
