#include "train/divergence.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace qat {
namespace {

constexpr double kChance = 2.3;  // the cross entropy of ten classes

// The step, from 1, at which a run of `steps` is found to diverge; 0: never.
int64_t FoundAt(int64_t steps, const std::function<double(int64_t)>& loss) {
  DivergenceWatch watch(steps);
  for (int64_t step = 0; step < steps; ++step) {
    watch.Add(loss(step), kChance);
    if (watch.Diverged(step + 1 == steps)) return step + 1;
  }
  return 0;
}

TEST(DivergenceWatch, StopsALossThatStaysFarAboveChance) {
  EXPECT_EQ(FoundAt(1000, [](int64_t step) { return step < 60 ? 2.0 : 1e5; }), 150)
      << "the third window of 50, after a mixed one";
  EXPECT_EQ(FoundAt(169, [](int64_t step) { return step == 0 ? 0.7 : 3e6; }), 20);
}

TEST(DivergenceWatch, LetsARunComeBack) {
  EXPECT_EQ(FoundAt(1000, [](int64_t step) { return step > 100 && step < 110 ? 1e3 : 2.0; }), 0) << "a peak";
  EXPECT_EQ(FoundAt(1000, [](int64_t step) { return 1 + 1e4 / double(1 << (step / 40)); }), 0)
      << "falling fast";
  EXPECT_EQ(FoundAt(1000, [](int64_t step) { return step < 100 ? 0.5 : 9; }), 0)
      << "quantization that starts";
}

TEST(DivergenceWatch, CountsFromTheFirstLossWhereThatIsLarger) {
  EXPECT_EQ(FoundAt(1000, [](int64_t step) { return 5000 - double(step); }), 0)
      << "inputs that were not normalized";
}

TEST(DivergenceWatch, JudgesAShortRunAtItsEnd) {
  EXPECT_EQ(FoundAt(6, [](int64_t step) { return step == 0 ? 2.3 : 1e4; }), 6);
  EXPECT_EQ(FoundAt(2, [](int64_t step) { return step == 0 ? 2.3 : 1e4; }), 0) << "two steps say nothing";
  EXPECT_EQ(FoundAt(6, [](int64_t step) { return 2.3 - 0.1 * double(step); }), 0);
}

TEST(DivergenceWatch, GoesOnFromItsState) {
  DivergenceWatch straight(400), first(400);
  const auto loss = [](int64_t step) { return step < 33 ? 2.0 : 1e3 + double(step); };
  for (int64_t step = 0; step < 70; ++step) {
    straight.Add(loss(step), kChance);
    if (step < 47) first.Add(loss(step), kChance);
  }
  TrainerState state, expected;
  first.Save(state);
  DivergenceWatch resumed(400);
  resumed.Load(state);
  for (int64_t step = 47; step < 70; ++step) resumed.Add(loss(step), kChance);
  resumed.Save(state);
  straight.Save(expected);
  EXPECT_EQ(state, expected);
}

}  // namespace
}  // namespace qat
