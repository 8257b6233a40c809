#include "eval/accuracy.h"

#include <gtest/gtest.h>

#include "eval/fake_predictor.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::FakePredictor;
using testing::TinyContract;
using testing::TinyDataset;

TEST(PredictAll, AsksForEveryImageInOrderAcrossBatches) {
  FakePredictor predictor("fake", TinyContract());
  const Dataset dataset = TinyDataset(503);
  const auto predictions = PredictAll(predictor, dataset, {});
  QAT_ASSERT_OK(predictions);
  EXPECT_EQ(predictions->labels, dataset.labels);
  EXPECT_EQ(predictions->scores.size(), 5030u);
}

TEST(PredictAll, RefusesImagesOfAnotherSizeThanTheContract) {
  Contract contract = TinyContract();
  contract.input().width = 28;
  FakePredictor predictor("model.tflite", contract);
  QAT_EXPECT_ERROR(PredictAll(predictor, TinyDataset(3), {}), ErrorCode::kCorrupt,
                   "tiny: images are 1x2x1, expected 1x28x1 (input contract of model.tflite)");
}

TEST(PredictAll, RefusesALabelThatIsNoneOfTheClasses) {
  FakePredictor predictor("fake", TinyContract());
  Dataset dataset = TinyDataset(3);
  dataset.labels[1] = 10;
  QAT_EXPECT_ERROR(PredictAll(predictor, dataset, {}), ErrorCode::kCorrupt,
                   "has the label 10, expected labels under 10");
}

TEST(PredictAll, RefusesLabelsThatAreNotAsManyAsAnswers) {
  FakePredictor predictor("fake", TinyContract());
  Dataset dataset = TinyDataset(4);
  dataset.label_width = 2;
  dataset.labels.resize(8, 0);
  QAT_EXPECT_ERROR(PredictAll(predictor, dataset, {}), ErrorCode::kCorrupt,
                   "tiny: labels are 2 per image, expected one per image, as fake answers");
}

TEST(PredictAll, StopsWhenInterrupted) {
  FakePredictor predictor("fake", TinyContract());
  WorkHooks hooks;
  int polls = 0;
  hooks.interrupted = [&] { return ++polls > 1; };
  QAT_EXPECT_ERROR(PredictAll(predictor, TinyDataset(1000), hooks), ErrorCode::kInterrupted, "interrupted");
  EXPECT_EQ(polls, 2);
}

TEST(AccuracyOf, IsAPercentageOfAll) {
  Predictions predictions;
  predictions.labels = {1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<int32_t> labels = {1, 2, 3, 4, 5, 6, 0, 0};
  const AccuracyResult result = AccuracyOf(predictions, labels);
  EXPECT_EQ(result.correct, 6);
  EXPECT_EQ(result.total, 8);
  EXPECT_DOUBLE_EQ(result.top1, 75);
}

}  // namespace
}  // namespace qat
