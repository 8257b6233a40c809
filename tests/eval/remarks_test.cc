#include "eval/remarks.h"

#include <gtest/gtest.h>

#include "support/sample_report.h"

namespace qat {
namespace {

// Two rows with the same answers, as a matrix [true class][answer].
Report Answered(const std::vector<std::vector<int64_t>>& confusion) {
  int64_t correct = 0, total = 0;
  for (size_t label = 0; label < confusion.size(); ++label) {
    correct += confusion[label][label];
    for (const int64_t count : confusion[label]) total += count;
  }
  Report report;
  report.data_examples = report.data_total = total;
  report.models = {testing::SampleModel("graph", "graph", "float32", 1, 0),
                   testing::SampleModel("m.tflite", "tflite", "int8", 1, 0),
                   testing::SampleModel("litert", "litert", "int8", 1, 0)};
  for (ModelResult& model : report.models) {
    model.accuracy =
        AccuracyResult{100.0 * static_cast<double>(correct) / static_cast<double>(total), correct, total};
    model.classification = ClassificationResult{{}, confusion, {}, {}};
  }
  return report;
}

std::vector<std::string> RemarksOn(Report report) {
  AddRemarks(report);
  return report.warnings;
}

TEST(Remarks, NameAClassThatIsNeverAnsweredOnceForAllRows) {
  Report report = Answered({{50, 0, 0}, {2, 48, 0}, {5, 1, 0}});
  report.class_names = {"good", "scratch", "dent"};
  const std::string figures = " (balanced accuracy 65.33 %, accuracy 92.45 %)";
  EXPECT_EQ(
      RemarksOn(report),
      (std::vector<std::string>{
          "float (graph)" + figures + ", m.tflite" + figures + ": never answers class 'dent' (6 images)",
          "float (graph)" + figures + ", m.tflite" + figures +
              ": rare classes are recognized less often than the accuracy suggests"}));
}

TEST(Remarks, OneAnswerForEverythingIsSaidAsThat) {
  const auto remarks = RemarksOn(Answered({{970, 0}, {30, 0}}));
  ASSERT_EQ(remarks.size(), 1u);
  EXPECT_NE(remarks[0].find("accuracy 97.00 %): answers class 0 for all 1,000 images"), std::string::npos)
      << remarks[0];
}

TEST(Remarks, ChanceIsSaid) {
  const auto remarks = RemarksOn(Answered({{52, 48}, {49, 51}}));
  ASSERT_EQ(remarks.size(), 1u);
  EXPECT_NE(remarks[0].find("no better than guessing, which has a balanced accuracy of 50.00 %"),
            std::string::npos)
      << remarks[0];
}

TEST(Remarks, AGoodModelOfEvenOrUnevenClassesGetsNone) {
  EXPECT_TRUE(RemarksOn(Answered({{98, 2}, {1, 99}})).empty());
  EXPECT_TRUE(RemarksOn(Answered({{960, 0}, {2, 38}})).empty());
}

TEST(Remarks, AClassWithAFewImagesIsNotJudged) {
  const Report report = Answered({{50, 0, 0}, {0, 50, 0}, {2, 2, 0}});
  for (const std::string& remark : RemarksOn(report))
    EXPECT_EQ(remark.find("never answers"), std::string::npos) << remark;
}

TEST(Remarks, ClassesWithoutAnImageAreNamedAndTheMeanOverTheOthersIsSaid) {
  Report report = Answered({{50, 0, 0, 0}, {0, 50, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 40}});
  report.class_names = {"good", "scratch", "dent", "stain"};
  EXPECT_EQ(RemarksOn(report),
            (std::vector<std::string>{
                "no image of class 'dent': its recall is not known, and the balanced accuracy "
                "is the mean over the other 3 classes"}));
  report.class_names = {"good", "scratch", "dent", "stain", "crack"};
  EXPECT_EQ(
      RemarksOn(report)[0],
      "no image of class 'dent', class 'crack': their recalls are not known, and the balanced accuracy is "
      "the mean over the other 3 classes");
  for (int i = 0; i < 7; ++i) report.class_names.push_back("c" + std::to_string(i));
  EXPECT_NE(RemarksOn(report)[0].find("class 'c2' and 4 more: "), std::string::npos) << RemarksOn(report)[0];
}

TEST(Remarks, ManyClassesAreCutShort) {
  std::vector<std::vector<int64_t>> confusion(9, std::vector<int64_t>(9, 0));
  confusion[0][0] = 90;
  confusion[1][1] = 90;
  for (size_t label = 2; label < 9; ++label) confusion[label][0] = 8;
  const auto remarks = RemarksOn(Answered(confusion));
  ASSERT_FALSE(remarks.empty());
  EXPECT_NE(remarks[0].find("class 6 (8 images) and 2 more"), std::string::npos) << remarks[0];
}

TEST(Remarks, RealNumbersWorseThanTheirMeanAreSaidNumberByNumber) {
  Report report = testing::RegressionReport();
  report.warnings.clear();
  EXPECT_TRUE(RemarksOn(report).empty());
  report.models[4].regression->targets[1].r2 = -225.0;
  const auto remarks = RemarksOn(report);
  ASSERT_EQ(remarks.size(), 1u);
  EXPECT_EQ(
      remarks[0],
      "build/demo/model.tflite (R² -225): worse than always answering the mean of the labels, number 1");
}

// An autoencoder that was trained on both of two classes by name; of more there is nothing to expect.
TEST(Remarks, SayWhereItIsNotKnownWhichOfTwoClassesIsNormal) {
  Report report;
  report.task = "reconstruction";
  report.models = {testing::SampleModel("m.tflite", "tflite", "int8", 1, 0)};
  report.class_names = {"bad", "ok"};
  ASSERT_EQ(RemarksOn(report).size(), 1u);
  EXPECT_TRUE(RemarksOn(report)[0].starts_with(
      "no AUC of anomalies, although the data have classes (bad, ok): expected"));
  report.models[0].anomaly.emplace();
  EXPECT_TRUE(RemarksOn(report).empty());
  report.models[0].anomaly.reset();
  report.class_names.push_back("worn");
  EXPECT_TRUE(RemarksOn(report).empty());
}

}  // namespace
}  // namespace qat
