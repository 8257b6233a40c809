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

// With everything that --details adds.
std::string DetailedTable(const Report& report) { return ToTable(report, {.details = true}); }

TEST(ReportTable, AnswersFirstWhatWasAsked) {
  Report report = testing::SampleReport();
  report.pairs.push_back(report.pairs[2]);
  report.pairs.back().a = "graph";
  report.gates[0].asked = false;
  EXPECT_EQ(
      ToTable(report, {.more = "--details"}),
      "digits: 10,000 images, one at a time, one thread\n"
      "\n"
      "model                    type          size  accuracy           at 95 %  p50 µs  p99 µs\n"
      "float (graph)            float32  247,800 B   99.41 %  [99.21, 99.51] %   110.2   171.5\n"
      "build/demo/model.tflite  uint8     65,432 B   99.39 %  [99.19, 99.49] %   110.2   171.5\n"
      "\n"
      "3.8 × smaller, 2.1 × faster than float, accuracy −0.06 points, not distinguishable on 10,000 images; "
      "every byte as in the simulation.\n"
      "\n"
      "FAIL  max-size  build/demo/model.tflite  65,432 B  limit 65,000 B\n"
      "\n"
      "warning: build/demo/model.tflite: its input contract differs from the checkpoint's\n"
      "\n"
      "3 more rows, every pair of rows compared, layers: --details\n");
}

TEST(ReportTable, ColoursTheVerdictsOfGatesOnlyWhereAsked) {
  const Report report = testing::SampleReport();
  EXPECT_EQ(ToTable(report).find('\x1b'), std::string::npos);
  const std::string table = ToTable(report, {.colour = true});
  EXPECT_NE(table.find("\x1b[32mpass\x1b[0m  max-drop"), std::string::npos);
  EXPECT_NE(table.find("\x1b[1;31mFAIL\x1b[0m  max-size"), std::string::npos);
}

TEST(ReportTable, NotesOfGatesStandBelowThem) {
  Report report = testing::SampleReport();
  report.gates[1].note = "why";
  report.gates[1].subject = "class 'cat'";
  EXPECT_NE(
      ToTable(report).find("build/demo/model.tflite, class 'cat'  65,432 B  limit 65,000 B\n      why\n"),
      std::string::npos)
      << ToTable(report);
}

TEST(ReportTable, DetailsNameTheRecallOfEachClassWorstFirst) {
  const std::string table = DetailedTable(testing::SampleReport());
  EXPECT_NE(table.find("recall             images  build/demo/model.tflite\n"
                       "balanced accuracy                          99.47 %\n"
                       "class 0             5,000                  99.20 %\n"
                       "class 'one'         3,000                  99.50 %\n"
                       "class 'eleven'      2,000                  99.70 %\n"),
            std::string::npos)
      << table;
}

TEST(ReportTable, DetailsNameTheErrorOfEachNumber) {
  const std::string table = DetailedTable(testing::RegressionReport());
  EXPECT_NE(LineWith(table, "number 1     build/demo/model.tflite").find("0.0740  0.9770"), std::string::npos)
      << table;
}

TEST(ReportTable, DetailsShowTheArticlesColumnsARow) {
  const std::string table = DetailedTable(testing::SampleReport());
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
  const std::string table = DetailedTable(testing::SampleReport());
  EXPECT_NE(table.find("11 (8 right to wrong, 2 wrong to right)"), std::string::npos);
  EXPECT_NE(table.find("0 steps"), std::string::npos);
  EXPECT_NE(table.find("+0.06 pt"), std::string::npos);
}

TEST(ReportTable, SaysWhereTheImagesDoNotTellTheModelsApart) {
  Report report = testing::SampleReport();
  std::string table = DetailedTable(report);
  EXPECT_NE(table.find("+0.06 pt [-0.01, +0.13]  not distinguishable on 10,000 images  2.10x [2.08, 2.13]"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("0.00 pt [-0.04, +0.04]   no label differs"), std::string::npos) << table;
  EXPECT_NE(LineWith(table, "65,432 B").find("[99.19, 99.49] %"), std::string::npos);
  report.pairs[2].drop_interval = Interval{0.01, 0.13};
  EXPECT_NE(DetailedTable(report).find("+0.06 pt [+0.01, +0.13]  a difference  "), std::string::npos)
      << DetailedTable(report);
  report.pairs[2].drop_interval.reset();
  report.pairs[2].mcnemar_p = 0.05;
  EXPECT_NE(DetailedTable(report).find("a difference (p 0.0500)"), std::string::npos);
}

TEST(ReportTable, JudgesRealNumbersByTheirErrors) {
  const std::string table = DetailedTable(testing::RegressionReport());
  EXPECT_NE(LineWith(table, "65,432 B").find("0.0831 [0.0792, 0.0868]  0.9731"), std::string::npos) << table;
  EXPECT_NE(table.find("+1.25 % [-0.30, +2.90]  not distinguishable on 10,000 images"), std::string::npos)
      << table;
  EXPECT_EQ(LineWith(table, "max-error-rise").rfind("FAIL", 0), 0u);
  EXPECT_EQ(table.find("accuracy"), std::string::npos) << table;
  EXPECT_NE(table.find("times: measurement noise 1.2 %; other processes took 1 % of the processors; on "
                       "processor 1 alone, governor performance, load 0.42 on 4 processors"),
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
  EXPECT_EQ(DetailedTable(report), "");
  EXPECT_EQ(DetailedTable(testing::SampleReport()).find(" \n"), std::string::npos);
}

TEST(ReportTable, NamesFiltersWithCoarseChannels) {
  const std::string table = DetailedTable(testing::SampleReport());
  EXPECT_NE(table.find("conv1          conv_2d   20 of 32 channels coarse, the worst has 2 steps"),
            std::string::npos)
      << table;
  EXPECT_EQ(table.find("of 10 channels"), std::string::npos) << "fc2 has none";
}

// A graph's file and the float .tflite that it runs as have different sizes; one of them is shown everywhere.
TEST(ReportTable, AGraphHasOneNameAndOneSize) {
  Report report = testing::SampleReport();
  report.models[3].model_bytes = 247111;
  for (const bool details : {false, true}) {
    const std::string table = ToTable(report, {.details = details});
    EXPECT_NE(LineWith(table, "float (graph)").find("247,111 B"), std::string::npos) << table;
    EXPECT_EQ(table.find("247,800"), std::string::npos) << table;
  }
}

TEST(ReportTable, SaysWhatAGateWasHeldAgainst) {
  Report report = testing::SampleReport();
  EXPECT_NE(LineWith(ToTable(report), "max-drop").find("against float (a run of its own)"),
            std::string::npos);
  report.gates[0].reference = "checkpoint";
  EXPECT_NE(LineWith(ToTable(report), "max-drop").find("against checkpoint (its weights in float)"),
            std::string::npos);
  report.gates[0].reference = "graph";
  EXPECT_NE(LineWith(ToTable(report), "max-drop").find("against float (graph)"), std::string::npos);
  report.gates[0].reference = "baseline";
  EXPECT_TRUE(LineWith(ToTable(report), "max-drop").ends_with("against baseline")) << ToTable(report);
}

TEST(TimingText, CallsNoMachineQuietWhoseTimesOrLoadSayOtherwise) {
  TimingConditions timing = testing::SampleTiming();
  timing.others = 0;
  EXPECT_TRUE(timing.quiet());
  EXPECT_EQ(TimingText(timing),
            "measurement noise 1.2 %; a quiet machine; on processor 1 alone, governor performance, load 0.42 "
            "on 4 processors");
  timing.noise = 0.224;
  EXPECT_FALSE(timing.quiet());
  EXPECT_EQ(DisturbanceText(timing), "something disturbed the times");
  timing.noise = 0.01;
  timing.load_average = 9.4;
  EXPECT_FALSE(timing.quiet());
  EXPECT_EQ(DisturbanceText(timing), "a machine with more to do than it has processors");
  timing.load_average = 4.1;
  EXPECT_TRUE(timing.quiet()) << "a training with all processors may have ended";
  timing.processors = 0;
  timing.load_average = 99;
  EXPECT_TRUE(timing.quiet()) << "reports of earlier versions do not say how many processors there are";
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
  EXPECT_EQ(PointsText(0.004), "+0.004 pt") << "two decimals would say that there is none";
  EXPECT_EQ(PointsText(-0.00021), "-0.000210 pt");
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
