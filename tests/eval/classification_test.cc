#include "eval/classification.h"

#include <gtest/gtest.h>

#include <cmath>

namespace qat {
namespace {

Predictions Of(int32_t classes, std::vector<float> scores) {
  Predictions predictions;
  predictions.classes = classes;
  for (size_t i = 0; i < scores.size(); i += static_cast<size_t>(classes)) {
    predictions.labels.push_back(ArgMaxOf(std::span(scores).subspan(i, static_cast<size_t>(classes))));
  }
  predictions.scores = std::move(scores);
  return predictions;
}

TEST(Classify, AmongEqualScoresTheLowerClassIsTheBetterOne) {
  // Quantized scores are often equal; top-1 must then be the answer itself.
  const Predictions predictions = Of(4, {1, 3, 3, 0,  //
                                         1, 3, 3, 0,  //
                                         1, 3, 3, 0,  //
                                         1, 3, 3, 0});
  const std::vector<int32_t> labels = {0, 1, 2, 3}, ks = {1, 2, 3, 4};
  const ClassificationResult result = Classify(predictions, labels, ks);
  EXPECT_EQ(result.topk_correct, (std::map<int32_t, int64_t>{{1, 1}, {2, 2}, {3, 3}}));
}

TEST(Classify, RowsAreTrueClassesAndColumnsAnswers) {
  const Predictions predictions = Of(2, {1, 0, 0, 1, 0, 1});
  const std::vector<int32_t> labels = {0, 0, 1}, ks = {1};
  EXPECT_EQ(Classify(predictions, labels, ks).confusion, (std::vector<std::vector<int64_t>>{{1, 1}, {0, 1}}));
}

TEST(MeanIou, CountsClassesThatAreThereOrAnswered) {
  // Class 0: 2 of 3; class 1: 1 of 3; class 2 nowhere; class 3 answered once, never right.
  EXPECT_DOUBLE_EQ(MeanIou(std::vector<int32_t>{0, 0, 0, 1, 3}, std::vector<int32_t>{0, 0, 1, 1, 1}),
                   100 * (2.0 / 3 + 1.0 / 3 + 0) / 3);
  EXPECT_DOUBLE_EQ(MeanIou(std::vector<int32_t>{5, 5}, std::vector<int32_t>{5, 5}), 100);
}

TEST(Classify, AnArgmaxModelHasAConfusionMatrixAndNothingElse) {
  Predictions predictions;
  predictions.labels = {0, 2};
  const std::vector<int32_t> labels = {0, 1}, ks = {1};
  const ClassificationResult result = Classify(predictions, labels, ks);
  EXPECT_TRUE(result.topk_correct.empty());
  EXPECT_FALSE(result.calibration_error.has_value());
  EXPECT_EQ(result.confusion.size(), 3u);
  predictions.labels = {0, 100};
  EXPECT_TRUE(Classify(predictions, labels, ks).confusion.empty());
}

TEST(CalibrationError, IsTheGapBetweenConfidenceAndAccuracy) {
  // Logits whose softmax is 0.8 for class 0, right three times in four: 5 points too sure.
  const auto logit = static_cast<float>(std::log(4.0));
  const Predictions predictions = Of(2, {logit, 0, logit, 0, logit, 0, logit, 0});
  EXPECT_NEAR(CalibrationError(predictions, std::vector<int32_t>{0, 0, 0, 1}), 5, 1e-5);
}

TEST(CalibrationError, WeighsBinsByTheirImages) {
  // 0.8 three times, all right (gap 0.2); 0.6 once, wrong (gap 0.6): (3 * 0.2 + 0.6) / 4.
  const auto high = static_cast<float>(std::log(4.0)), low = static_cast<float>(std::log(1.5));
  const Predictions predictions = Of(2, {high, 0, high, 0, high, 0, low, 0});
  EXPECT_NEAR(CalibrationError(predictions, std::vector<int32_t>{0, 0, 0, 1}), 30, 1e-4);
}

TEST(CalibrationError, TakesProbabilitiesAsTheyAre) {
  // A softmax of these would be 0.65: the network's own softmax must not be applied twice.
  const Predictions predictions = Of(2, {0.8125f, 0.1875f, 0.8125f, 0.1875f});
  EXPECT_NEAR(CalibrationError(predictions, std::vector<int32_t>{0, 0}), 18.75, 1e-9);
}

}  // namespace
}  // namespace qat
