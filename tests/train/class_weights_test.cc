#include "train/class_weights.h"

#include "support/test_util.h"

namespace qat {
namespace {

using Weights = std::vector<float>;
const std::vector<int32_t> kAll = {0, 1, 2, 3};

Dataset Classes() {
  Dataset data;
  data.name = "rare";
  data.class_names = {"a", "b"};
  data.labels = {0, 0, 0, 1};
  return data;
}

Dataset Marks() {
  Dataset data = Classes();
  data.task = Task::kMultiLabel;
  data.label_width = 2;
  data.labels = {0, 0, 0, 0, 0, 0, 1, 0};  // the second label is nowhere
  return data;
}

TEST(WeightsOf, BalancedAreTheRarerTheMore) {
  EXPECT_EQ(*WeightsOf({true, {}}, Classes(), kAll), (Weights{4 / 6.0f, 2}));
  EXPECT_EQ(*WeightsOf({true, {}}, Classes(), std::vector<int32_t>{0, 1}), (Weights{0.5f, 0}))
      << "a class without an example";
  EXPECT_EQ(*WeightsOf({true, {}}, Marks(), kAll), (Weights{3, 1}));
}

TEST(WeightsOf, AListHasOneForEachClassOrLabel) {
  EXPECT_TRUE(WeightsOf({}, Classes(), kAll)->empty());
  EXPECT_EQ(*WeightsOf({false, {1, 9}}, Classes(), kAll), (Weights{1, 9}));
  QAT_EXPECT_ERROR(WeightsOf({false, {1}}, Classes(), kAll), ErrorCode::kInvalidArgument,
                   "`class_weights`: has 1 number, expected one for each of the 2 classes of rare");
  QAT_EXPECT_ERROR(WeightsOf({false, {1, 2, 3}}, Marks(), kAll), ErrorCode::kInvalidArgument,
                   "each of the 2 labels of rare");
}

TEST(WeightsOf, NumbersHaveNone) {
  Dataset data = Classes();
  data.task = Task::kNumbers;
  QAT_EXPECT_ERROR(WeightsOf({true, {}}, data, kAll), ErrorCode::kInvalidArgument,
                   "are real numbers: leave it out");
}

}  // namespace
}  // namespace qat
