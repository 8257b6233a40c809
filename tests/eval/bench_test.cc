// What a benchmark counts and writes; how long anything takes is no test's business.
#include "eval/bench.h"

#include <gtest/gtest.h>

#include "eval/operator_profile.h"
#include "support/tiny_files.h"

namespace qat {
namespace {

class BenchTest : public ::testing::Test {
 protected:
  Status Run(Report& report) { return RunBench(request_, rows_, {}, report); }

  testing::TinyFiles files_;
  BenchRequest request_{.rounds = 3};
  RowRequest rows_;
};

TEST_F(BenchTest, MeasuresEveryModelAtBothBatchesAndComparesThemWithTheFirst) {
  rows_.models = {files_.uint8_model(), files_.float_model()};
  rows_.interpreter.threads = 2;
  request_.batch = 4;
  Report report;
  QAT_ASSERT_OK(Run(report));
  ASSERT_EQ(report.benchmarks.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    const BenchmarkResult& result = report.benchmarks[i];
    EXPECT_EQ(result.model, rows_.models[i % 2]);
    EXPECT_EQ(result.batch, i < 2 ? 1 : 4);
    EXPECT_EQ(result.threads, 2);
    // conv 4x4x2 of 3x3x1, fully connected 3 of 8.
    EXPECT_EQ(result.macs, result.batch * (4 * 4 * 2 * 9 + 3 * 8));
    EXPECT_EQ(result.latency_us.rounds, 3);
    EXPECT_GE(result.latency_us.runs, 3);
    EXPECT_GE(result.arena_bytes, result.arena_peak_bytes);
    EXPECT_EQ(result.ratio.has_value(), i % 2 == 1) << "the first is what the others are held against";
    EXPECT_TRUE(result.operators.empty());
  }
  EXPECT_EQ(report.environment.at("threads"), "2");
  EXPECT_NE(ToTable(report).find("images/s"), std::string::npos);
}

TEST_F(BenchTest, DividesTheTimeAmongAllOperators) {
  rows_.models = {files_.uint8_model()};
  rows_.graph = files_.graph();
  request_.operators = true;
  Report report;
  QAT_ASSERT_OK(Run(report));
  ASSERT_EQ(report.benchmarks.size(), 2u);
  for (const BenchmarkResult& result : report.benchmarks) {
    ASSERT_EQ(result.operators.size(), 4u);
    double shares = 0;
    int64_t macs = 0;
    for (const OperatorTime& op : result.operators) {
      shares += op.share;
      macs += op.macs;
      EXPECT_FALSE(op.reason.empty());
      EXPECT_GT(op.bytes, 0);
    }
    EXPECT_NEAR(shares, 1, 1e-9);
    EXPECT_EQ(macs, result.macs);
    EXPECT_EQ(result.operators[0].name, "conv_2d");
    EXPECT_EQ(result.operators[0].shape, "[1, 4, 4, 2]");
  }
  EXPECT_GT(report.metrics.at("peak_bytes_per_ns"), 0);
  EXPECT_NE(ToTable(report).find("roofline"), std::string::npos);
}

TEST_F(BenchTest, RefusesWhatItCannotMeasure) {
  Report report;
  QAT_EXPECT_ERROR(Run(report), ErrorCode::kInvalidArgument, "nothing to measure: give `models`");
  rows_.models = {files_.uint8_model()};
  request_.batch = 0;
  QAT_EXPECT_ERROR(Run(report), ErrorCode::kInvalidArgument, "`batch`: value 0, expected 1 to 65536");
  request_.batch = 1;
  request_.rounds = 0;
  QAT_EXPECT_ERROR(Run(report), ErrorCode::kInvalidArgument, "`rounds`: value 0");
  rows_.checkpoint = "run";
  QAT_EXPECT_ERROR(Run(report), ErrorCode::kInvalidArgument, "neither `float_run` nor `checkpoint`");
}

TEST(MachinePeaks, TheRooflineIsTheLowerOfMemoryAndArithmetic) {
  const MachinePeaks peaks = {100, 10, 20};
  EXPECT_EQ(peaks.Roofline(1000, 10, false), 100) << "100 products a byte: arithmetic";
  EXPECT_EQ(peaks.Roofline(1000, 500, false), 40) << "2 products a byte: memory";
  EXPECT_EQ(peaks.Roofline(1000, 500, true), 10);
  EXPECT_EQ(peaks.Roofline(0, 500, true), 20) << "no products: bytes";
}

}  // namespace
}  // namespace qat
