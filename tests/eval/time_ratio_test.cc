// The statistic behind gates of time, on times that were made up: how long anything really takes is no test's
// business.
#include "eval/time_ratio.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace qat {
namespace {

struct Turns {
  std::vector<float> a, b;
};

// A machine: how much slower it is in a turn, for everything that runs in it.
using Machine = float (*)(int turn, Random& random);

float Quiet(int, Random& random) { return 1 + 0.02f * random.Uniform(); }
// A neighbour that comes and goes every 30 turns and takes up to half of the core.
float Neighbour(int turn, Random& random) {
  return (turn / 30 % 2 == 0 ? 1.0f : 1.6f) + 0.1f * random.Uniform();
}
// A clock that gets slower for all of the run.
float Drift(int turn, Random& random) {
  return 1 + 0.004f * static_cast<float>(turn) + 0.02f * random.Uniform();
}

// b takes `ratio` times as long as a. Both share the machine's level, and each turn has an outlier of its own
// in ten.
Turns Simulated(double ratio, Machine machine, uint64_t seed, int turns = 400) {
  Random random(seed);
  const auto own = [&random] {
    return (1 + 0.02f * random.Uniform()) * (random.Uniform() < 0.1f ? 1.5f : 1.0f);
  };
  Turns made;
  for (int turn = 0; turn < turns; ++turn) {
    const float level = 100 * machine(turn, random);
    made.a.push_back(level * own());
    made.b.push_back(level * static_cast<float>(ratio) * own());
  }
  return made;
}

TEST(RatioOfTurns, CoversTheTrueRatioAsOftenAsItSays) {
  for (const Machine machine : {Quiet, Neighbour, Drift}) {
    int covered = 0;
    double width = 0;
    for (uint64_t seed = 1; seed <= 200; ++seed) {
      const Turns turns = Simulated(1.1, machine, seed);
      const TimeRatio ratio = RatioOfTurns(turns.a, turns.b, seed);
      ASSERT_TRUE(ratio.interval.has_value());
      covered += ratio.interval->low <= 1.1 && 1.1 <= ratio.interval->high;
      width += (ratio.interval->high - ratio.interval->low) / 200;
    }
    EXPECT_GE(covered, 180);  // 190 expected, standard deviation 3.1
    EXPECT_LT(width, 0.01) << "the level that both share cancels";
  }
}

TEST(RatioOfTurns, ADriftWithinEachTurnCancelsOverAPair) {
  // b is always second in a turn, then first: what comes later is 5 % slower.
  std::vector<float> a, b;
  for (int turn = 0; turn < 100; ++turn) {
    a.push_back(turn % 2 == 0 ? 100 : 105);
    b.push_back(turn % 2 == 0 ? 105 : 100);
  }
  EXPECT_NEAR(RatioOfTurns(a, b, 1).ratio, 1, 1e-6);
}

TEST(RatioOfTurns, OfConstantTurnsHasNoWidthAndOfFewNoInterval) {
  const std::vector<float> slow(40, 30.0f), fast(40, 10.0f);
  const TimeRatio ratio = RatioOfTurns(fast, slow, 1);
  EXPECT_NEAR(ratio.ratio, 3, 1e-6);
  EXPECT_NEAR(ratio.interval->low, 3, 1e-6);
  EXPECT_NEAR(ratio.interval->high, 3, 1e-6);
  EXPECT_FALSE(RatioOfTurns(std::span(fast).first(39), std::span(slow).first(39), 1).interval.has_value());
  EXPECT_NEAR(RatioOfTurns(std::span(fast).first(1), std::span(slow).first(1), 1).ratio, 3, 1e-6);
}

TEST(RatioOfTurns, IsTheSameForTheSameSeedAndOnlyForThat) {
  const Turns turns = Simulated(2, Neighbour, 9);
  const TimeRatio first = RatioOfTurns(turns.a, turns.b, 1), again = RatioOfTurns(turns.a, turns.b, 1);
  const TimeRatio other = RatioOfTurns(turns.a, turns.b, 2);
  EXPECT_EQ(first.interval->low, again.interval->low);
  EXPECT_EQ(first.interval->high, again.interval->high);
  EXPECT_TRUE(first.interval->low != other.interval->low || first.interval->high != other.interval->high);
}

TEST(NoiseOfTurns, IsSmallOnAQuietMachineAndTellsAnUnevenOne) {
  const Turns quiet = Simulated(1, Quiet, 3);
  EXPECT_LT(NoiseOfTurns(quiet.a, 1).value(), 0.01);
  std::vector<float> uneven;
  for (int turn = 0; turn < 200; ++turn) uneven.push_back(turn % 2 == 0 ? 100 : 130);
  EXPECT_NEAR(NoiseOfTurns(uneven, 1).value(), 0.23, 0.01) << "100 / 130";
  EXPECT_FALSE(NoiseOfTurns(std::span(uneven).first(39), 1).has_value());
}

TEST(MedianInterval, NeighboursThatShareADisturbanceWidenIt) {
  Random random(5);
  std::vector<float> mixed, blocks;
  for (int i = 0; i < 400; ++i) {
    mixed.push_back(100 + 20 * static_cast<float>(random.Below(2)) + random.Uniform());
    blocks.push_back(100 + 20 * static_cast<float>(i / 50 % 2) + random.Uniform());
  }
  const Interval of_mixed = MedianInterval(mixed, 1).value(), of_blocks = MedianInterval(blocks, 1).value();
  EXPECT_GT(of_blocks.high - of_blocks.low, 15);
  EXPECT_GE(of_blocks.high - of_blocks.low, of_mixed.high - of_mixed.low - 5);
}

}  // namespace
}  // namespace qat
