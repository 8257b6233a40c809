#include "checkpoint/merit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "support/test_util.h"

namespace qat {
namespace {

// As an evaluation on `count` examples leaves it, `right` of which were answered rightly.
Merit Right(int right, int count, double loss = 0.5, int64_t step = 0) {
  const double p = (right + 1.0) / (count + 2.0);
  Merit merit;
  merit.quantized = true;
  merit.value = 100.0 * right / count;
  merit.standard_error = 100 * std::sqrt(p * (1 - p) / (count + 1));
  merit.loss = loss;
  merit.step = step;
  return merit;
}

Merit Squared(double error, double standard_error) { return {true, -error, error, standard_error, 0}; }

TEST(Merit, ReadsWhatItsMetricsSay) {
  const Merit classes = MeritOf(MetricsOf({98.5, 0.25, 1.5}, true, "holdout"), "holdout", 7);
  EXPECT_EQ(classes.value, 98.5);
  EXPECT_EQ(classes.loss, 0.25);
  EXPECT_EQ(classes.standard_error, 1.5);
  EXPECT_TRUE(classes.quantized);
  EXPECT_EQ(classes.step, 7);
  const Merit numbers = MeritOf(MetricsOf({std::nan(""), 0.25, 0.125}, false, "test"), "test", 0);
  EXPECT_EQ(numbers.value, -0.25);
  EXPECT_FALSE(numbers.quantized);
  EXPECT_FALSE(MeritOf(MetricsOf({98.5, 0.25, 1.5}, true, "test"), "holdout", 7).measured());
}

TEST(Merit, RanksByFakeQuantizationThenValueThenLoss) {
  Merit real = Right(20, 20);
  real.quantized = false;
  EXPECT_TRUE(RanksBefore(Right(15, 20), real));
  EXPECT_TRUE(RanksBefore(Right(16, 20, 9), Right(15, 20, 0.1)));
  EXPECT_TRUE(RanksBefore(Right(16, 20, 0.1), Right(16, 20, 0.2)));
  EXPECT_FALSE(RanksBefore(Right(16, 20), Right(16, 20)));
  Merit none;
  none.quantized = true;
  EXPECT_TRUE(RanksBefore(real, none)) << "what was not measured comes last";
}

TEST(Merit, OneExampleInTenDecidesNothing) {
  EXPECT_EQ(TakenOf(Right(10, 10, 0.1, 100), Right(9, 10, 0.3, 200)).step, 200);
  EXPECT_EQ(TakenOf(Right(20, 20, 0.1, 100), Right(19, 20, 0.3, 200)).step, 200);
  EXPECT_EQ(TakenOf(Right(2, 2, 0.1, 100), Right(1, 2, 0.3, 200)).step, 200);
}

TEST(Merit, ARunThatFellApartAtItsEndIsNotTaken) {
  EXPECT_EQ(TakenOf(Right(10, 10, 0.1, 100), Right(5, 10, 3, 200)).step, 100);
  EXPECT_EQ(TakenOf(Right(4900, 5000, 0.1, 100), Right(4700, 5000, 3, 200)).step, 100) << "98 % and 94 %";
  EXPECT_EQ(TakenOf(Right(4900, 5000, 0.1, 100), Right(4895, 5000, 0.1, 200)).step, 200)
      << "98.0 % and 97.9 %";
}

TEST(Merit, JudgesRealNumbersByTheSpreadOfTheirErrors) {
  EXPECT_FALSE(IsBetterBeyondChance(Squared(0.06, 0.01), Squared(0.08, 0.01)));
  EXPECT_TRUE(IsBetterBeyondChance(Squared(0.06, 0.005), Squared(0.08, 0.01)));
}

TEST(Merit, WithoutAStandardErrorTheOrderDecides) {
  Merit best = Right(20, 20), last = Right(19, 20);
  best.standard_error = last.standard_error = 0;
  EXPECT_TRUE(IsBetterBeyondChance(best, last));
  EXPECT_FALSE(IsBetterBeyondChance(last, best));
}

// Runs of twenty checkpoints that fail on 5 % of all examples and toss a coin for 10 %, whose last one also
// fails on a part `worse` of all. How often the last is the best, and how often it is taken.
struct Shares {
  double best_is_last = 0, taken_is_last = 0;
};

Shares Simulate(int count, double worse) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  constexpr int kRuns = 1000, kEvaluations = 20;
  Shares shares;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> failure;
    for (int i = 0; i < count; ++i) {
      const double u = uniform(random);
      failure.push_back(u < 0.05 ? 1 : u < 0.15 ? 0.5 : 0);
    }
    Merit best, last;
    for (int step = 1; step <= kEvaluations; ++step) {
      int right = 0;
      for (double p : failure) {
        if (step == kEvaluations && uniform(random) < worse) p = 1;
        right += uniform(random) >= p;
      }
      last = Right(right, count, 0.5, step);
      if (RanksBefore(last, best)) best = last;
    }
    shares.best_is_last += best.step == kEvaluations ? 1.0 / kRuns : 0;
    shares.taken_is_last += TakenOf(best, last).step == kEvaluations ? 1.0 / kRuns : 0;
  }
  return shares;
}

TEST(Merit, OfEquallyGoodCheckpointsTheLastIsNearlyAlwaysTaken) {
  for (const int count : {10, 40, 400}) {
    const Shares shares = Simulate(count, 0);
    EXPECT_LT(shares.best_is_last, 0.1) << count;
    EXPECT_GT(shares.taken_is_last, 0.95) << count;
  }
}

TEST(Merit, ALastCheckpointThatIsWorseIsLeft) {
  EXPECT_LT(Simulate(40, 0.1).taken_is_last, 0.5);
  EXPECT_LT(Simulate(40, 0.2).taken_is_last, 0.1);
  EXPECT_LT(Simulate(400, 0.05).taken_is_last, 0.1);
}

}  // namespace
}  // namespace qat
