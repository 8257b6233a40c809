#include "data/holdout.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

#include "support/test_util.h"

namespace qat {
namespace {

// One-pixel images with these labels.
Dataset Labelled(std::vector<int32_t> labels) {
  Dataset data;
  data.name = "few";
  data.input().height = data.input().width = data.input().channels = 1;
  data.images.resize(labels.size());
  data.labels = std::move(labels);
  return data;
}

// `each` examples of each of `classes`, one class after the other, as files often are sorted.
Dataset Sorted(int32_t classes, int32_t each) {
  std::vector<int32_t> labels;
  for (int32_t c = 0; c < classes; ++c) labels.insert(labels.end(), static_cast<size_t>(each), c);
  return Labelled(std::move(labels));
}

std::map<int32_t, int> CountsOf(const Dataset& data, const std::vector<int32_t>& examples) {
  std::map<int32_t, int> counts;
  for (const int32_t example : examples) ++counts[data.labels[static_cast<size_t>(example)]];
  return counts;
}

HoldoutSplit Split(const Dataset& data, int64_t wanted = -1, uint64_t seed = 1) {
  auto split = SplitHoldout(data, wanted, seed);
  QAT_CHECK(split.ok());
  return *std::move(split);
}

void ExpectParts(const HoldoutSplit& split, int64_t examples) {
  std::set<int32_t> all(split.train.begin(), split.train.end());
  all.insert(split.holdout.begin(), split.holdout.end());
  EXPECT_EQ(std::ssize(all), examples);
  EXPECT_EQ(std::ssize(split.train) + std::ssize(split.holdout), examples);
}

TEST(SplitHoldout, TakesATenthOfEveryClass) {
  const Dataset data = Sorted(4, 100);
  const HoldoutSplit split = Split(data);
  EXPECT_EQ(CountsOf(data, split.holdout), (std::map<int32_t, int>{{0, 10}, {1, 10}, {2, 10}, {3, 10}}));
  ExpectParts(split, 400);
  EXPECT_EQ(split.description, "held out: 40 of 400 training examples (a tenth, stratified by class)");
}

TEST(SplitHoldout, KeepsTheSharesOfRareClasses) {
  std::vector<int32_t> labels(1000, 0);
  for (size_t i = 0; i < 40; ++i) labels[i * 25] = 1;
  const Dataset data = Labelled(labels);
  EXPECT_EQ(CountsOf(data, Split(data).holdout), (std::map<int32_t, int>{{0, 96}, {1, 4}}));
}

TEST(SplitHoldout, FollowsFromTheSeed) {
  const Dataset data = Sorted(4, 100);
  EXPECT_EQ(Split(data).holdout, Split(data).holdout);
  EXPECT_NE(Split(data).holdout, Split(data, -1, 2).holdout);
  EXPECT_NE(Fingerprint(Split(data)), Fingerprint(Split(data, -1, 2)));
}

TEST(SplitHoldout, NeverTakesMoreThanFiveThousandUnasked) {
  const Dataset data = Sorted(10, 6000);
  EXPECT_EQ(Split(data).holdout.size(), 5000u);
  EXPECT_EQ(Split(data).description,
            "held out: 5000 of 60000 training examples (at most 5000, stratified by class)");
  EXPECT_EQ(Split(data, 7000).holdout.size(), 7000u);
}

TEST(SplitHoldout, WorksOnSmallSets) {
  EXPECT_EQ(Split(Sorted(4, 3)).holdout.size(), 1u) << "12 examples";
  const Dataset five = Sorted(4, 5);
  EXPECT_EQ(CountsOf(five, Split(five).train).size(), 4u);
  EXPECT_EQ(Split(five).holdout.size(), 2u);
  EXPECT_EQ(Split(five).description, "held out: 2 of 20 training examples (a tenth, stratified by class)");
  EXPECT_EQ(Split(Sorted(2, 1)).holdout.size(), 0u);
  EXPECT_EQ(Split(Sorted(2, 1)).description,
            "nothing is held out, since no class has two training examples: training is watched on the test "
            "set; a checkpoint that is chosen by that has no independent accuracy");
  EXPECT_EQ(Split(Sorted(1, 1)).train.size(), 1u);
}

TEST(SplitHoldout, TakesATenth) {
  const std::vector<std::pair<int64_t, int64_t>> expected = {
      {1, 1}, {4, 1}, {19, 1}, {20, 2}, {199, 19}, {200, 20}, {49'999, 4999}, {50'000, 5000}, {60'000, 5000}};
  for (const auto& [examples, held_out] : expected)
    EXPECT_EQ(AutomaticHoldout(examples), held_out) << examples;
  EXPECT_EQ(Split(Sorted(3, 50)).description,
            "held out: 15 of 150 training examples (a tenth, stratified by class)");
  EXPECT_EQ(Split(Sorted(3, 3)).description, "held out: 1 of 9 training examples (stratified by class)");
}

TEST(SplitHoldout, LeavesEveryClassSomethingToTrainOn) {
  // One class of 91 and nine of one each: those that have only one give none.
  std::vector<int32_t> labels(91, 0);
  for (int32_t c = 1; c < 10; ++c) labels.push_back(c);
  const Dataset data = Labelled(labels);
  const HoldoutSplit split = Split(data);
  EXPECT_EQ(split.holdout.size(), 10u);
  EXPECT_EQ(CountsOf(data, split.train).size(), 10u);
}

TEST(SplitHoldout, TakesWhatIsAskedFor) {
  const Dataset data = Sorted(4, 5);
  EXPECT_EQ(Split(data, 4).holdout.size(), 4u);
  const HoldoutSplit most = Split(data, 19);
  EXPECT_EQ(most.holdout.size(), 19u) << "more than the classes can spare";
  EXPECT_NE(most.description.find("; no example to train on is left of "), std::string::npos)
      << most.description;
  EXPECT_EQ(Split(data, 4).description, "held out: 4 of 20 training examples (stratified by class)");
  EXPECT_EQ(Split(data, 0).holdout.size(), 0u);
  EXPECT_EQ(Split(data, 0).train.size(), 20u);
  EXPECT_NE(Split(data, 0).description.find("holdout is 0"), std::string::npos);
  QAT_EXPECT_ERROR(
      SplitHoldout(data, 20, 1), ErrorCode::kInvalidArgument,
      "holdout is 20, expected less than the 20 training examples of few; without it, 2 are held out");
}

TEST(SplitHoldout, SpreadsOverSortedTargets) {
  Dataset data;
  data.input().height = data.input().width = data.input().channels = data.targets = 1;
  data.task = Task::kNumbers;
  for (int i = 0; i < 1000; ++i) data.numbers.push_back(static_cast<float>(999 - i));
  const HoldoutSplit split = Split(data);
  ASSERT_EQ(split.holdout.size(), 100u);
  std::set<int> tens;
  for (const int32_t example : split.holdout) tens.insert(static_cast<int>(data.NumbersOf(example)[0]) / 10);
  EXPECT_EQ(tens.size(), 100u) << "one of each ten targets in a row";
}

TEST(SplitHoldout, TakesTheDatasOwn) {
  Dataset data = Sorted(2, 50);
  data.own_holdout = 30;
  const HoldoutSplit split = Split(data);
  EXPECT_EQ(split.train.size(), 70u);
  EXPECT_EQ(split.holdout.front(), 70);
  EXPECT_EQ(split.holdout.size(), 30u);
  EXPECT_EQ(Split(data, 10).holdout, split.holdout);
  EXPECT_EQ(Split(data, 10).description,
            "held out: the 30 examples that the data keep for validation; holdout = 10 is not used");
  EXPECT_EQ(Split(data, 0).train.size(), 70u) << "never trained on";
}

TEST(ShuffledHoldout, PartsTheExamplesBySeed) {
  const HoldoutSplit split = ShuffledHoldout(100, 30, 1);
  EXPECT_EQ(split.holdout.size(), 30u);
  ExpectParts(split, 100);
  EXPECT_EQ(ShuffledHoldout(100, 30, 1).holdout, split.holdout);
  EXPECT_NE(ShuffledHoldout(100, 30, 2).holdout, split.holdout);
  // What the first versions held out: a run of theirs is resumed with the same.
  EXPECT_EQ((std::vector<int32_t>(split.holdout.begin(), split.holdout.begin() + 4)),
            (std::vector<int32_t>{94, 25, 98, 73}));
}

}  // namespace
}  // namespace qat
