#include "report/headline.h"

#include <gtest/gtest.h>

#include "support/sample_report.h"

namespace qat {
namespace {

constexpr char kModel[] = "build/demo/model.tflite";

// A frozen float network and its integer model, with everything measured.
Report Measured() {
  Report report = testing::SampleReport();
  report.models = {report.models[3], report.models[4]};
  PairResult pair = report.pairs[2];
  pair.a = "graph";
  pair.speedup = 2.6;
  pair.speedup_interval = Interval{2.5, 2.7};
  pair.drop_pt = 0.03;
  report.pairs = {pair};
  return report;
}

void AddTflite(Report& report) {
  ModelResult litert = report.models[1];
  litert.name = litert.kind = "litert";
  report.models.push_back(litert);
  PairResult pair;
  pair.a = kModel;
  pair.b = "litert";
  pair.max_abs_error = 0;
  pair.max_abs_lsb = 0;
  report.pairs.push_back(pair);
}

std::string Only(const Report& report) {
  const auto sentences = Headlines(report);
  EXPECT_EQ(sentences.size(), 1u);
  return sentences.empty() ? "" : sentences[0];
}

TEST(Headlines, SayHowMuchSmallerAndFasterAndAtWhatCost) {
  Report report = Measured();
  AddTflite(report);
  EXPECT_EQ(
      Only(report),
      "3.8 × smaller, 2.6 × faster than float, accuracy −0.03 points, not distinguishable on 10,000 images; "
      "every byte as TFLite's.");
}

// An interval that leaves out 1 may still be of a ratio that rounds to it.
TEST(Headlines, NeverSayOneTimesFaster) {
  for (const double speedup : {1.004, 0.996}) {
    Report report = Measured();
    report.pairs[0].speedup = speedup;
    report.pairs[0].speedup_interval = Interval{speedup - 1e-3, speedup + 1e-3};
    EXPECT_TRUE(Only(report).starts_with("3.8 × smaller, as fast as float")) << Only(report);
  }
}

TEST(Headlines, SayWhetherTwinsAre128Apart) {
  Report report = Measured();
  ModelResult& int8 = report.models[0];
  int8 = report.models[1];
  int8.name = report.pairs[0].a = "int8.tflite";
  int8.type = "int8";
  PairResult& pair = report.pairs[0];
  pair.total_flips = 0;
  pair.drop_pt = 0;
  pair.speedup.reset();
  pair.max_abs_error = 0;
  EXPECT_EQ(Headlines(report).back(), "As large as int8.tflite, accuracy unchanged.") << "equal by chance";
  for (ModelResult& model : report.models) model.provenance = {{"graph", "12ab"}, {"twins", "uint8,int8"}};
  EXPECT_EQ(Headlines(report).back(),
            "As large as int8.tflite, accuracy unchanged, every byte 128 from its twin's.");
  pair.max_abs_error = 0.25;
  pair.max_abs_lsb = 1;
  EXPECT_EQ(Headlines(report).back(),
            "As large as int8.tflite, accuracy unchanged, outputs differ from its twin's by up to 1 step.");
  report.models[1].provenance["graph"] = "34cd";
  EXPECT_EQ(Headlines(report).back(), "As large as int8.tflite, accuracy unchanged.") << "another network";
}

TEST(Headlines, LeaveOutWhatWasNotMeasured) {
  Report report = Measured();
  report.pairs[0].speedup.reset();
  EXPECT_EQ(Only(report),
            "3.8 × smaller than float, accuracy −0.03 points, not distinguishable on 10,000 images.");
  report.pairs.clear();
  EXPECT_EQ(Only(report), "3.8 × smaller than float.");
  report.models.erase(report.models.begin());
  EXPECT_TRUE(Headlines(report).empty());
  AddTflite(report);
  report.models = {report.models[0], report.models[1]};
  EXPECT_EQ(Only(report), "Every byte as TFLite's.");
}

TEST(Headlines, AreNeverAgainstTheTimeOrTheFileOfLibTorch) {
  Report report = Measured();
  report.models[0].name = "checkpoint";
  report.models[0].kind = "checkpoint";
  report.pairs[0].a = "checkpoint";
  report.pairs[0].speedup = 40;
  EXPECT_EQ(Only(report),
            "Compared with checkpoint: accuracy −0.03 points, not distinguishable on 10,000 images.");
}

TEST(Headlines, ClaimNoSpeedWithinTheNoise) {
  Report report = Measured();
  report.pairs[0].speedup = 1.02;
  report.pairs[0].speedup_interval = Interval{0.98, 1.06};
  EXPECT_EQ(Only(report).rfind("3.8 × smaller, as fast as float, ", 0), 0u) << Only(report);
  report.pairs[0].speedup = 1.2;
  report.pairs[0].speedup_interval = Interval{1.1, 1.3};
  report.timing = testing::SampleTiming();
  report.timing->noise = 0.27;
  EXPECT_EQ(Only(report).rfind("3.8 × smaller, as fast as float, ", 0), 0u) << Only(report);
  report.timing->noise = 0.01;
  EXPECT_EQ(Only(report).rfind("3.8 × smaller, 1.2 × faster than float, ", 0), 0u) << Only(report);
  report.pairs[0].speedup = 0.5;
  report.pairs[0].speedup_interval = Interval{0.45, 0.55};
  EXPECT_EQ(Only(report).rfind("3.8 × smaller, 2.0 × slower than float, ", 0), 0u) << Only(report);
}

TEST(Headlines, TellAccuracyThatRoseThatIsEqualAndThatFellForSure) {
  Report report = Measured();
  report.pairs[0].drop_pt = -0.1;
  EXPECT_NE(Only(report).find("accuracy +0.10 points, not distinguishable"), std::string::npos);
  report.pairs[0].drop_pt = 2;
  report.pairs[0].mcnemar_p = 1e-6;
  report.pairs[0].drop_interval = Interval{1.2, 2.8};
  EXPECT_NE(Only(report).find("accuracy −2.00 points, more than chance (95 %: −2.80 to −1.20)."),
            std::string::npos)
      << Only(report);
  report.pairs[0].drop_interval = Interval{0.0004, 3.9};
  EXPECT_NE(Only(report).find("(95 %: −3.90 to −0.0004)."), std::string::npos) << Only(report);
  report.pairs[0].drop_interval = Interval{-0.1, 4.1};
  EXPECT_NE(Only(report).find("accuracy −2.00 points, not distinguishable on"), std::string::npos)
      << Only(report);
  report.pairs[0].drop_interval.reset();
  EXPECT_NE(Only(report).find("accuracy −2.00 points, more than chance (p 1.00e-06)."), std::string::npos)
      << Only(report);
  report.pairs[0].total_flips = 0;
  EXPECT_NE(Only(report).find("float, accuracy unchanged."), std::string::npos) << Only(report);
}

TEST(Headlines, OfSeveralModelsNameEach) {
  Report report = Measured();
  ModelResult other = report.models[1];
  other.name = "b.tflite";
  other.bytes = 247800;
  report.models.push_back(other);
  PairResult pair = report.pairs[0];
  pair.b = other.name;
  report.pairs.push_back(pair);
  const auto sentences = Headlines(report);
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_EQ(sentences[0].rfind("build/demo/model.tflite: 3.8 × smaller, ", 0), 0u);
  EXPECT_EQ(sentences[1].rfind("b.tflite: as large, 2.6 × faster than float, ", 0), 0u) << sentences[1];
}

TEST(Headlines, OfRealNumbersTellTheError) {
  Report report = testing::RegressionReport();
  PairResult pair = report.pairs[2];
  pair.a = "graph";
  report.pairs.push_back(pair);
  EXPECT_EQ(Only(report),
            "3.8 × smaller, 2.1 × faster than float, RMSE +1.2 %, not distinguishable on 10,000 images; "
            "every byte as in "
            "the simulation.");
  report.pairs.back().errors->rise_interval = Interval{0.3, 2.9};
  EXPECT_NE(Only(report).find("RMSE +1.2 %, more than chance (95 %: +0.3 to +2.9); every"), std::string::npos)
      << Only(report);
}

TEST(Headlines, SayWhereTfliteDiffers) {
  Report report = Measured();
  AddTflite(report);
  report.pairs[1].max_abs_error = 0.1;
  report.pairs[1].max_abs_lsb = 1;
  EXPECT_NE(Only(report).find("; outputs differ from TFLite's by up to 1 step."), std::string::npos)
      << Only(report);
  report.pairs[1].max_abs_error.reset();
  report.pairs[1].max_abs_lsb.reset();
  EXPECT_NE(Only(report).find("; every answer as TFLite's."), std::string::npos) << Only(report);
}

TEST(DataText, SaysWhichShareASampleIs) {
  Report report = testing::SampleReport();
  EXPECT_EQ(DataText(report), "digits: 10,000 images");
  report.data_total = 40000;
  EXPECT_EQ(DataText(report), "digits: 10,000 of 40,000 images (25.0 %, a sample)");
}

}  // namespace
}  // namespace qat
