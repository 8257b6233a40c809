#include "train/observer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "train/range_history.h"

namespace qat {
namespace {

TEST(RangeObserver, FirstRangeCountsFully) {
  RangeObserver observer(0.999);
  observer.Observe({-0.25f, 3.5f});
  EXPECT_EQ(observer.range(), (Range{-0.25f, 3.5f}));
}

TEST(RangeObserver, FollowsTheClosedFormOfZeroDebiasing) {
  const double decay = 0.9;
  RangeObserver observer(decay);
  double weighted = 0;
  double weights = 0;
  const int t = 50;
  for (int k = 1; k <= t; ++k) {
    const double value = 1 + std::sin(k);
    observer.Observe({0, static_cast<float>(value)});
    weighted += std::pow(decay, t - k) * static_cast<float>(value);
    weights += std::pow(decay, t - k);
  }
  EXPECT_NEAR(observer.range().max, weighted / weights, 1e-6);
}

TEST(RangeObserver, DecayZeroIsTheLastValue) {
  RangeObserver observer(0);
  observer.Observe({-1, 5});
  observer.Observe({-0.5f, 0.75f});
  EXPECT_EQ(observer.range(), (Range{-0.5f, 0.75f}));
}

TEST(RangeObserver, CoversWhatItHasSeenLately) {
  RangeObserver average(0.9), covers(0.9, /*covers=*/true);
  for (RangeObserver* each : {&average, &covers}) {
    for (int i = 0; i < 30; ++i) each->Observe({-1, 1});
    each->Observe({-0.5f, 5});
  }
  EXPECT_EQ(covers.range().max, 5);
  EXPECT_NEAR(covers.range().min, 0.9 * -1 + 0.1 * -0.5, 1e-6);
  EXPECT_LT(average.range().max, 1.5f);
  covers.Observe({-1, 1});
  EXPECT_NEAR(covers.range().max, 0.9 * 5 + 0.1 * 1, 1e-6);
}

// What the first batch has shown counts as much as what a later one has.
TEST(RangeObserver, CoversFromTheFirstBatchOn) {
  RangeObserver covers(0.99, /*covers=*/true);
  covers.Observe({-1, 5});
  for (int i = 0; i < 10; ++i) covers.Observe({-1, 1});
  EXPECT_NEAR(covers.range().max, 1 + 4 * std::pow(0.99, 10), 1e-5);
}

TEST(RangeObserver, StartsAgainWhereItCovers) {
  RangeObserver average(0.9), covers(0.9, /*covers=*/true);
  for (RangeObserver* each : {&average, &covers}) {
    each->Observe({-1, 50});
    each->Restart();
  }
  EXPECT_TRUE(covers.empty());
  EXPECT_EQ(average.range(), (Range{-1, 50}));
  covers.Observe({-1, 2});
  EXPECT_EQ(covers.range(), (Range{-1, 2}));
}

TEST(RangeObserver, WidensEveryRangeToHoldZero) {
  RangeObserver positive(0);
  positive.Observe({2, 3});
  EXPECT_EQ(positive.range(), (Range{0, 3}));
  RangeObserver negative(0);
  negative.Observe({-3, -2});
  EXPECT_EQ(negative.range(), (Range{-3, 0}));
}

TEST(Drift, IsTheLargerMovementRelativeToTheWidth) {
  EXPECT_FLOAT_EQ(Drift({0, 4}, {-1, 4}), 0.2f);
  EXPECT_FLOAT_EQ(Drift({-1, 2}, {-1, 3}), 0.25f);
  EXPECT_EQ(Drift({0, 0}, {0, 0}), 0);
  EXPECT_EQ(Drift({0, 1}, {0, 0}), 1);
}

TEST(RangeHistory, ComparesWithATenthOfTheTrainingAgo) {
  RangeHistory history(1000);
  for (int64_t step = 1; step <= 1000; ++step) {
    if (history.Due(step)) history.Record(step, {Range{0, static_cast<float>(step)}});
  }
  // Records of 910, 920, …, 1000 remain: the oldest of them is what a tenth ago means.
  EXPECT_FLOAT_EQ(history.DriftOf(0, {0, 1000}), 0.09f);
}

TEST(RangeHistory, SurvivesSavingAndLoading) {
  RangeHistory history(10);
  history.Record(1, {Range{-1, 2}, Range{0, 3}});
  history.Record(2, {Range{-2, 2}, Range{0, 5}});
  TrainerState state;
  history.Save(state);
  RangeHistory loaded(10);
  ASSERT_TRUE(loaded.Load(state).ok());
  EXPECT_EQ(loaded.DriftOf(1, {0, 6}), history.DriftOf(1, {0, 6}));
  TrainerState again;
  loaded.Save(again);
  EXPECT_EQ(again, state);
}

}  // namespace
}  // namespace qat
