#include "data/array_names.h"

#include "support/test_util.h"

namespace qat {
namespace {

TEST(RoleOf, KnowsTheNamesInTheWild) {
  const auto expect = [](ArraySplit split, bool labels, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      const auto role = RoleOf(name);
      ASSERT_TRUE(role.has_value()) << name;
      EXPECT_EQ(*role, (ArrayRole{split, labels})) << name;
    }
  };
  expect(ArraySplit::kTrain, false,
         {"x_train", "X_train.npy", "train_images", "trainX", "train-x", "images_train", "training_data",
          "XTrain"});
  expect(ArraySplit::kTrain, true,
         {"y_train", "Y_TRAIN", "train_labels", "trainY", "train_targets", "train_masks"});
  expect(ArraySplit::kTest, false, {"x_test", "test_images", "testing_inputs"});
  expect(ArraySplit::kValidation, true, {"y_val", "val_labels", "y_valid", "validation_labels", "y_dev"});
  expect(ArraySplit::kWhole, false, {"x", "X", "images", "data"});
  expect(ArraySplit::kWhole, true, {"y", "labels", "target"});
  for (const char* name :
       {"", "weights", "x_train_orig", "arr_0", "train", "xy", "test_x_train", "valuex", "mean"})
    EXPECT_FALSE(RoleOf(name).has_value()) << name;
}

TEST(SortArrays, SaysWhichArraysMakeWhichSplit) {
  const auto whole = SortArrays({"x", "y", "z"});
  QAT_ASSERT_OK(whole);
  EXPECT_EQ(whole->train, (ArrayPair{{"x"}, "y"}));
  EXPECT_EQ(whole->test, ArrayPair());
  EXPECT_EQ(whole->unused, std::vector<std::string>{"z"});
  const auto all = SortArrays({"x", "x_test", "x_train", "x_val", "y", "y_test", "y_train", "y_val"});
  QAT_ASSERT_OK(all);
  EXPECT_EQ(all->train.inputs.at(0), "x_train");
  EXPECT_EQ(all->holdout.labels, "y_val");
  EXPECT_EQ(all->test.inputs.at(0), "x_test");
  EXPECT_EQ(all->unused, (std::vector<std::string>{"x", "y"}));
}

TEST(SortArrays, AnArrayWithoutItsOtherHalfIsNotUsed) {
  const auto table = SortArrays({"x_test", "x_train", "y_train"});
  QAT_ASSERT_OK(table);
  EXPECT_EQ(table->test, ArrayPair());
  EXPECT_EQ(table->unused, std::vector<std::string>{"x_test"});
}

TEST(SortArrays, RefusesTwoArraysForOneRole) {
  QAT_EXPECT_ERROR(SortArrays({"X_train", "x_train", "y_train"}), ErrorCode::kCorrupt,
                   "both 'X_train' and 'x_train' could be the images of one split");
}

TEST(SplitOfInput, FindsTheNameAmongWordsForImagesAndSplits) {
  const std::pair<const char*, ArraySplit> cases[] = {
      {"left", ArraySplit::kWhole},         {"x_left", ArraySplit::kWhole},
      {"x_left_train", ArraySplit::kTrain}, {"x_train_left", ArraySplit::kTrain},
      {"TEST-LEFT.npy", ArraySplit::kTest}, {"left.val", ArraySplit::kValidation}};
  for (const auto& [array, split] : cases) EXPECT_EQ(SplitOfInput(array, "left"), split) << array;
  for (const char* array : {"y_left_train", "left_eye", "x_train", "x_x_left", "left_train_test", "lefty"})
    EXPECT_EQ(SplitOfInput(array, "left"), std::nullopt) << array;
  EXPECT_EQ(SplitOfInput("x_left_eye_train", "Left-Eye"), ArraySplit::kTrain);
}

TEST(SortArrays, GivesEachInputItsArray) {
  const std::vector<std::string> inputs = {"left", "right"};
  const auto table = SortArrays(
      {"x_left_train", "x_right_train", "y_train", "left_test", "right_test", "y_test", "x_train", "z"},
      inputs);
  QAT_ASSERT_OK(table);
  EXPECT_EQ(table->train, (ArrayPair{{"x_left_train", "x_right_train"}, "y_train"}));
  EXPECT_EQ(table->test, (ArrayPair{{"left_test", "right_test"}, "y_test"}));
  EXPECT_EQ(table->unused, (std::vector<std::string>{"x_train", "z"}));
  // An input that is missing makes the split incomplete.
  EXPECT_FALSE(SortArrays({"x_left_train", "y_train"}, inputs)->train.complete());
  QAT_EXPECT_ERROR(SortArrays({"left", "x_left", "right", "y"}, inputs), ErrorCode::kCorrupt, "input 'left'");
  EXPECT_EQ(*InputArrays({"right", "left"}, inputs), (std::vector<std::string>{"left", "right"}));
}

TEST(SortArrays, GivesEachOutputItsLabels) {
  const std::vector<std::string> outputs = {"kind", "box"};
  const auto table = SortArrays(
      {"x_train", "y_kind_train", "box_train", "x_test", "kind_test", "test-box-labels", "y_train", "z"}, {},
      outputs);
  QAT_ASSERT_OK(table);
  EXPECT_EQ(table->train, (ArrayPair{{"x_train"}, "y_kind_train", {"box_train"}}));
  EXPECT_EQ(table->test, (ArrayPair{{"x_test"}, "kind_test", {"test-box-labels"}}));
  EXPECT_EQ(table->unused, (std::vector<std::string>{"y_train", "z"}));
  // Labels that are missing make the split incomplete, whichever they are.
  EXPECT_FALSE(SortArrays({"x", "y_kind"}, {}, outputs)->train.complete());
  EXPECT_FALSE(SortArrays({"x", "y_box"}, {}, outputs)->train.complete());
  QAT_EXPECT_ERROR(SortArrays({"x", "kind", "box", "y_box"}, {}, outputs), ErrorCode::kCorrupt,
                   "labels of output 'box'");
  EXPECT_EQ(SplitOfOutput("y_bounding_box_val", "bounding_box"), ArraySplit::kValidation);
  EXPECT_FALSE(SplitOfOutput("x_box", "box").has_value()) << "x is a word for inputs";
}

}  // namespace
}  // namespace qat
