#include <gtest/gtest.h>

#include "report/report.h"
#include "report/text_format.h"
#include "support/sample_report.h"

namespace qat {
namespace {

std::string LineWith(const std::string& text, const std::string& word) {
  const size_t found = text.find(word);
  if (found == std::string::npos) return "";
  const size_t start = text.rfind('\n', found) + 1;
  return text.substr(start, text.find('\n', found) - start);
}

TEST(ReportTable, ShowsTheArticlesColumnsARow) {
  const std::string table = ToTable(testing::SampleReport());
  const std::string header = LineWith(table, "accuracy");
  for (const char* column : {"size", "10 rounds", "p50 µs", "p90 µs", "p99 µs"}) {
    EXPECT_NE(header.find(column), std::string::npos) << column;
  }
  const std::string row = LineWith(table, "build/demo/model.tflite");
  for (const char* value : {"uint8", "65,432 B", "99.39 %", "11.25 s", "110.2", "130.0", "171.5"}) {
    EXPECT_NE(row.find(value), std::string::npos) << value << " in " << row;
  }
}

TEST(ReportTable, NamesThePassedAndTheFailedGateWithBothNumbers) {
  const std::string table = ToTable(testing::SampleReport());
  EXPECT_EQ(LineWith(table, "max-size").rfind("FAIL", 0), 0u);
  EXPECT_NE(LineWith(table, "max-size").find("65,432 B"), std::string::npos);
  EXPECT_NE(LineWith(table, "max-size").find("limit 65,000 B"), std::string::npos);
  EXPECT_EQ(LineWith(table, "max-drop").rfind("pass", 0), 0u);
  EXPECT_NE(LineWith(table, "max-drop").find("against float"), std::string::npos);
}

TEST(ReportTable, CountsFlipsBothWaysAndSteps) {
  const std::string table = ToTable(testing::SampleReport());
  EXPECT_NE(table.find("11 (8 right to wrong, 2 wrong to right)"), std::string::npos);
  EXPECT_NE(table.find("0 steps"), std::string::npos);
  EXPECT_NE(table.find("+0.06 pt"), std::string::npos);
}

TEST(ReportTable, SaysWhereTheImagesDoNotTellTheModelsApart) {
  Report report = testing::SampleReport();
  std::string table = ToTable(report);
  EXPECT_NE(
      table.find("+0.06 pt [-0.01, +0.13]  not resolvable on 10,000 images (p 0.109)  2.10x [2.08, 2.13]"),
      std::string::npos)
      << table;
  EXPECT_NE(table.find("0.00 pt [-0.04, +0.04]   no label differs"), std::string::npos) << table;
  EXPECT_NE(LineWith(table, "65,432 B").find("[99.19, 99.49] %"), std::string::npos);
  report.pairs[2].mcnemar_p = 0.05;
  EXPECT_NE(ToTable(report).find("a difference (p 0.0500)"), std::string::npos);
}

TEST(ReportTable, JudgesRealNumbersByTheirErrors) {
  const std::string table = ToTable(testing::RegressionReport());
  EXPECT_NE(LineWith(table, "65,432 B").find("0.0831 [0.0792, 0.0868]  0.9731"), std::string::npos) << table;
  EXPECT_NE(table.find("+1.25 % [-0.30, +2.90]  a difference (p 0.0143)"), std::string::npos) << table;
  EXPECT_EQ(LineWith(table, "max-error-rise").rfind("FAIL", 0), 0u);
  EXPECT_EQ(table.find("accuracy"), std::string::npos) << table;
  EXPECT_NE(
      table.find(
          "times: a model differs from itself by up to 1.2 %; other processes took 1 % of the processors; on "
          "processor 1 alone, governor performance, load 0.42"),
      std::string::npos)
      << table;
}

TEST(ReportTable, SaysHowManyLabelsDependOnTheRounding) {
  Report report = testing::SampleReport();
  report.pairs[2].b = "tflite-classic";
  report.pairs[2].a = "m.tflite";
  EXPECT_NE(ToTable(report).find("m.tflite: 11 labels depend on how the runtime rounds\n"),
            std::string::npos);
  report.pairs[2].total_flips = 0;
  EXPECT_NE(ToTable(report).find("m.tflite: no label depends on how the runtime rounds\n"),
            std::string::npos);
}

TEST(ReportTable, HasNoTrailingBlanksAndNoEmptySections) {
  Report report;
  EXPECT_EQ(ToTable(report), "");
  EXPECT_EQ(ToTable(testing::SampleReport()).find(" \n"), std::string::npos);
}

TEST(ReportTable, NamesFiltersWithCoarseChannels) {
  const std::string table = ToTable(testing::SampleReport());
  EXPECT_NE(table.find("conv1          conv_2d   20 of 32 channels coarse, the worst has 2 steps"),
            std::string::npos)
      << table;
  EXPECT_EQ(table.find("of 10 channels"), std::string::npos) << "fc2 has none";
}

TEST(TextFormat, GroupsThousands) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(65432), "65,432");
  EXPECT_EQ(Grouped(-1234567), "-1,234,567");
}

TEST(TextFormat, NeverWritesMinusZero) {
  EXPECT_EQ(Fixed(-0.001, 2), "0.00");
  EXPECT_EQ(PointsText(-0.0), "0.00 pt");
  EXPECT_EQ(PointsText(0.004), "0.00 pt");
  EXPECT_EQ(PointsText(-0.02), "-0.02 pt");
}

TEST(TextFormat, KeepsThreeSignificantDigits) {
  EXPECT_EQ(Significant(0.0039215), "0.00392");
  EXPECT_EQ(Significant(12.74), "12.7");
  EXPECT_EQ(Significant(110.4), "110");
  EXPECT_EQ(Significant(0), "0");
  EXPECT_EQ(Significant(2.4e-6), "2.40e-06");
}

TEST(Table, NamesWhatIsInEachPicture) {
  Report report;
  report.models = {testing::SampleModel("m.tflite", "tflite", "uint8", 1, 0)};
  report.pictures = {{"a.jpg", {{3, "cat", 0.5}, {12, "", 0.0625}}}, {"b.png", {{7, "dog", {}}}}};
  report.warnings = {"look"};
  EXPECT_EQ(ToTable(report),
            "a.jpg\n   50.00 %   3  cat\n    6.25 %  12\nb.png\n   -  7  dog\n\nwarning: look\n");
}

}  // namespace
}  // namespace qat
