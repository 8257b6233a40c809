#include "eval/flipped.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/png.h"
#include "eval/fake_predictor.h"
#include "support/rows.h"
#include "support/test_util.h"

namespace qat {
namespace {

Row RowWith(std::string name, std::vector<int32_t> labels) {
  Row row;
  row.result.name = std::move(name);
  row.predictions.labels = std::move(labels);
  return row;
}

// Rows "a" and "b" answer the labels of the data, "b" with `change` to them.
template <class F>
Rows TwoRows(const Dataset& dataset, const F& change) {
  Rows rows;
  rows.rows.push_back(RowWith("a", dataset.labels));
  rows.rows.push_back(RowWith("b", dataset.labels));
  change(rows.rows[1].predictions.labels);
  return rows;
}

Report ReportOf(int64_t flips) {
  Report report;
  report.pairs.emplace_back();
  report.pairs[0].a = "a";
  report.pairs[0].b = "b";
  report.pairs[0].total_flips = flips;
  return report;
}

TEST(Flipped, NamesImageClassAndBothAnswers) {
  const Dataset dataset = testing::TinyDataset(20);
  const Rows rows = TwoRows(dataset, [](auto& labels) { labels[13] = 8; });
  Report report = ReportOf(1);
  QAT_ASSERT_OK(AddFlipped(rows, dataset, report));
  ASSERT_EQ(report.flipped.size(), 1u);
  const FlippedImage& flipped = report.flipped[0];
  EXPECT_EQ(flipped.a, "a");
  EXPECT_EQ(flipped.b, "b");
  EXPECT_EQ(flipped.example, 13);
  EXPECT_EQ(flipped.label, 3);
  EXPECT_EQ(flipped.answer_a, 3);
  EXPECT_EQ(flipped.answer_b, 8);
  EXPECT_FALSE(flipped.confidence_a.has_value());
  const uint8_t pixels[] = {3, 0};
  EXPECT_EQ(flipped.picture, "data:image/png;base64," + Base64(EncodePng(1, 2, 1, pixels)));
}

TEST(Flipped, OfARowOfATableSaysItsValues) {
  Dataset dataset = testing::Rows({41, 80.5f, 23, -1e6f}, 2);
  dataset.input().features = {"age", "weight"};
  const Rows rows = TwoRows(dataset, [](auto& labels) { labels[1] = 1; });
  Report report = ReportOf(1);
  QAT_ASSERT_OK(AddFlipped(rows, dataset, report));
  ASSERT_EQ(report.flipped.size(), 1u);
  EXPECT_TRUE(report.flipped[0].picture.empty());
  EXPECT_EQ(report.flipped[0].values.find("age 23"), 0u) << report.flipped[0].values;
  EXPECT_NE(report.flipped[0].values.find(", weight -"), std::string::npos) << report.flipped[0].values;
}

TEST(Flipped, SaysHowSureEachAnswerIs) {
  const Dataset dataset = testing::TinyDataset(2);
  Rows rows = TwoRows(dataset, [](auto& labels) { labels[0] = 1; });
  for (Row& row : rows.rows) row.predictions.classes = 2;
  rows.rows[0].predictions.scores = {2, 0, 0, 9};
  rows.rows[1].predictions.scores = {0.25f, 0.75f, 0, 1};  // sums of 1: probabilities already
  Report report = ReportOf(1);
  QAT_ASSERT_OK(AddFlipped(rows, dataset, report));
  ASSERT_EQ(report.flipped.size(), 1u);
  EXPECT_NEAR(report.flipped[0].confidence_a.value(), std::exp(2.0) / (std::exp(2.0) + 1), 1e-12);
  EXPECT_EQ(report.flipped[0].confidence_b, 0.75);
}

TEST(Flipped, AreTheFirstOnesOfAPair) {
  const Dataset dataset = testing::TinyDataset(40);
  const Rows rows = TwoRows(dataset, [](auto& labels) { std::fill(labels.begin() + 5, labels.end(), 99); });
  Report report = ReportOf(35);
  QAT_ASSERT_OK(AddFlipped(rows, dataset, report));
  ASSERT_EQ(report.flipped.size(), kMostFlippedOfAPair);
  EXPECT_EQ(report.flipped.front().example, 5);
  EXPECT_EQ(report.flipped.back().example, 5 + int64_t{kMostFlippedOfAPair} - 1);
}

TEST(Flipped, LargePicturesAreMadeSmallerAndOddChannelsGrey) {
  Dataset dataset;
  dataset.input().height = 100;
  dataset.input().width = 200;
  dataset.input().channels = 2;
  for (int i = 0; i < 100 * 200; ++i) dataset.images.insert(dataset.images.end(), {70, 200});
  dataset.labels = {0};
  const Rows rows = TwoRows(dataset, [](auto& labels) { labels[0] = 1; });
  Report report = ReportOf(1);
  QAT_ASSERT_OK(AddFlipped(rows, dataset, report));
  ASSERT_EQ(report.flipped.size(), 1u);
  const Bytes grey(48 * 96, 70);
  EXPECT_EQ(report.flipped[0].picture, "data:image/png;base64," + Base64(EncodePng(48, 96, 1, grey)));
}

}  // namespace
}  // namespace qat
