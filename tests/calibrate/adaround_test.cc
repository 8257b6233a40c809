#include "calibrate/adaround.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace qat {
namespace {

constexpr QuantizedLimits kFourBits = {-7, 7};

/// Inputs with a part that all of them share, as after a relu: then rounding errors of one sign add up.
InputMoments CorrelatedMoments(size_t depth, uint64_t seed) {
  constexpr int kExamples = 400;
  Random random(seed);
  InputMoments moments = {depth, std::vector<float>(depth * depth)};
  for (int n = 0; n < kExamples; ++n) {
    const float shared = random.Uniform();
    std::vector<float> x;
    for (size_t i = 0; i < depth; ++i) x.push_back(shared + 0.3f * random.Uniform());
    for (size_t i = 0; i < depth; ++i) {
      for (size_t j = 0; j < depth; ++j) moments.gram[i * depth + j] += x[i] * x[j] / kExamples;
    }
  }
  return moments;
}

std::vector<float> Weights(size_t count, uint64_t seed) {
  Random random(seed);
  std::vector<float> weights;
  for (size_t i = 0; i < count; ++i) weights.push_back(random.Uniform() * 2 - 1);
  return weights;
}

double Error(const InputMoments& moments, std::span<const float> weights, std::span<const int32_t> integers,
             float scale) {
  std::vector<float> reals;
  for (const int32_t integer : integers) reals.push_back(scale * static_cast<float>(integer));
  return SumError(moments, 0, weights, reals);
}

std::vector<int32_t> Nearest(std::span<const float> weights, float scale) {
  std::vector<int32_t> integers;
  for (const float weight : weights) integers.push_back(static_cast<int32_t>(std::lround(weight / scale)));
  return integers;
}

TEST(SumError, IsTheMeanSquareOfTheDifferenceOfSums) {
  // x is (1, 2) or (3, -1), the difference of the weights (0.5, -1): sums differ by -1.5 and by 2.5.
  const InputMoments moments = {2, {5, -0.5f, -0.5f, 2.5f}};
  EXPECT_NEAR(SumError(moments, 0, std::vector<float>{1, 0}, std::vector<float>{0.5f, 1}),
              (1.5 * 1.5 + 2.5 * 2.5) / 2, 1e-6);
}

TEST(SumError, WithAPullIsWhatTheOtherSumsAreFurtherAway) {
  // x as before; the sums of others are 2 and 0, those of w = (1, 0) are 1 and 3, those of v = (0.5, 1) are
  // 2.5 and 0.5.
  const InputMoments moments = {2, {5, -0.5f, -0.5f, 2.5f}, {(1 * 1 - 3 * 3) / 2.0f, (1 * 2 + 3 * 1) / 2.0f}};
  const double with_w = (1 * 1 + 3 * 3) / 2.0, with_v = (0.5 * 0.5 + 0.5 * 0.5) / 2;
  EXPECT_NEAR(SumError(moments, 0, std::vector<float>{1, 0}, std::vector<float>{0.5f, 1}), with_v - with_w,
              1e-6);
}

TEST(AdaRound, OfFewWeightsComesCloseToTheBestOfAllRoundings) {
  constexpr size_t kDepth = 8;
  double all_best = 0, all_nearest = 0, all_own = 0;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const InputMoments moments = CorrelatedMoments(kDepth, seed);
    const std::vector<float> weights = Weights(kDepth, seed + 100);
    const float scale = 1.05f / 7;
    const RoundingGrid grid = {{scale, 0}, kFourBits};
    const std::vector<int32_t> chosen = AdaRound(moments, weights, std::span(&grid, 1));
    double best = INFINITY;
    for (int choice = 0; choice < 1 << kDepth; ++choice) {
      std::vector<int32_t> integers;
      for (size_t i = 0; i < kDepth; ++i)
        integers.push_back(static_cast<int32_t>(std::floor(weights[i] / scale)) + (choice >> i & 1));
      best = std::min(best, Error(moments, weights, integers, scale));
    }
    const double nearest = Error(moments, weights, Nearest(weights, scale), scale);
    const double own = Error(moments, weights, chosen, scale);
    EXPECT_LE(own, nearest) << seed;
    all_best += best, all_nearest += nearest, all_own += own;
  }
  EXPECT_LE(all_own, all_best + 0.25 * (all_nearest - all_best));
}

TEST(AdaRound, LeavesNoWeightThatOneMoveWouldImprove) {
  const InputMoments moments = CorrelatedMoments(60, 3);
  const std::vector<float> weights = Weights(60 * 11, 4);
  const float scale = 1.0f / 7;
  const RoundingGrid grid = {{scale, 0}, kFourBits};
  const std::vector<int32_t> chosen = AdaRound(moments, weights, std::span(&grid, 1));
  ASSERT_EQ(chosen.size(), weights.size());
  double nearest = 0, own = 0;
  for (size_t c = 0; c < 11; ++c) {
    const auto channel = std::span(weights).subspan(c * 60, 60);
    std::vector<int32_t> integers(chosen.begin() + static_cast<std::ptrdiff_t>(c * 60),
                                  chosen.begin() + static_cast<std::ptrdiff_t>(c * 60 + 60));
    const std::vector<int32_t> usual = Nearest(channel, scale);
    const double lost = Error(moments, channel, usual, scale),
                 lost_by_choice = Error(moments, channel, integers, scale);
    for (size_t i = 0; i < integers.size(); ++i) {
      EXPECT_LE(std::abs(integers[i]), 7);
      EXPECT_LE(std::abs(static_cast<float>(integers[i]) - channel[i] / scale), 2) << i;
      for (const int by : {-1, 1}) {
        if (std::abs(usual[i]) == 7 || std::abs(integers[i] + by) > 7) continue;
        std::vector<int32_t> moved = integers;
        moved[i] += by;
        EXPECT_GE(Error(moments, channel, moved, scale), lost_by_choice * 0.999) << c << " " << i;
      }
    }
    EXPECT_LE(lost_by_choice, lost * 1.0001) << "channel " << c;
    nearest += lost;
    own += lost_by_choice;
  }
  EXPECT_LT(own, 0.3 * nearest);
}

TEST(AdaRound, FollowsAPullToOtherWeights) {
  constexpr size_t kDepth = 30;
  InputMoments moments = CorrelatedMoments(kDepth, 7);
  const std::vector<float> weights = Weights(kDepth, 8);
  const float scale = 1.0f / 127;
  std::vector<float> wanted = weights;
  for (float& weight : wanted) weight *= 0.97f;
  // What has the sums of the other weights is pulled by gram (wanted - w).
  moments.pull.assign(kDepth, 0);
  for (size_t i = 0; i < kDepth; ++i) {
    for (size_t j = 0; j < kDepth; ++j)
      moments.pull[i] += moments.gram[i * kDepth + j] * (wanted[j] - weights[j]);
  }
  const RoundingGrid grid = {{scale, 0}, {-127, 127}};
  const std::vector<int32_t> chosen = AdaRound(moments, weights, std::span(&grid, 1));
  InputMoments plain = moments;
  plain.pull.clear();
  EXPECT_LT(Error(plain, wanted, chosen, scale), 0.02 * Error(plain, wanted, Nearest(weights, scale), scale));
}

// So many weights are moved one by one only.
TEST(AdaRound, OfALargeLayerLosesLessThanTheNearest) {
  constexpr size_t kDepth = 2000, kChannels = 100;
  InputMoments moments = {kDepth, std::vector<float>(kDepth * kDepth, 1)};
  for (size_t i = 0; i < kDepth; ++i) moments.gram[i * kDepth + i] = 1.1f;
  const std::vector<float> weights = Weights(kDepth * kChannels, 9);
  const RoundingGrid grid = {{1.0f / 7, 0}, kFourBits};
  const std::vector<int32_t> chosen = AdaRound(moments, weights, std::span(&grid, 1));
  for (const size_t c : {size_t{0}, kChannels - 1}) {
    const auto own = std::span(weights).subspan(c * kDepth, kDepth);
    EXPECT_LT(Error(moments, own, std::span(chosen).subspan(c * kDepth, kDepth), 1.0f / 7),
              1.1 * 0.1 * kDepth / 49 / 4)
        << "less than an error of half a step each, which do not add up";
  }
}

TEST(AdaRound, WeightsThatMakeTheScaleStay) {
  const InputMoments moments = CorrelatedMoments(20, 5);
  std::vector<float> weights = Weights(20, 6);
  weights[3] = 1, weights[9] = -1;
  const RoundingGrid grid = {{1.0f / 7, 0}, kFourBits};
  const std::vector<int32_t> chosen = AdaRound(moments, weights, std::span(&grid, 1));
  EXPECT_EQ(chosen[3], 7);
  EXPECT_EQ(chosen[9], -7);
}

// Weight 0 reaches 1.2, the others 0.5; inputs are independent.
std::vector<float> OneLargeWeight() {
  std::vector<float> weights = Weights(40, 11);
  for (float& weight : weights) weight *= 0.5f;
  weights[0] = 1.2f;
  return weights;
}

InputMoments IndependentMoments(size_t depth, float of_the_first) {
  InputMoments moments = {depth, std::vector<float>(depth * depth)};
  for (size_t i = 0; i < depth; ++i) moments.gram[i * depth + i] = i == 0 ? of_the_first : 1;
  return moments;
}

TEST(GridOfLeastError, IsThatOfTheLeastErrorAmongRangesFromHalfOn) {
  const std::vector<float> weights = OneLargeWeight();
  const InputMoments moments = IndependentMoments(weights.size(), 0.25f);
  const float chosen = GridOfLeastError(moments, weights, kFourBits).params.scale;
  double least = INFINITY;
  float best = 0;
  for (float part = 1; part > 0.499f; part -= 0.05f) {
    const float scale = 1.2f * part / 7;
    double error = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      const float integer = std::clamp(std::round(weights[i] / scale), -7.0f, 7.0f);
      error += std::pow(double{integer * scale - weights[i]}, 2) * (i == 0 ? 0.25 : 1);
    }
    if (error < least) least = error, best = scale;
  }
  EXPECT_LT(best, 0.96f * 1.2f / 7) << "the case is one in which it pays";
  EXPECT_FLOAT_EQ(chosen, best);
}

TEST(GridOfLeastError, IsThatOfTheLargestWeightWhereItsInputIsLarge) {
  const std::vector<float> weights = OneLargeWeight();
  const RoundingGrid grid = GridOfLeastError(IndependentMoments(weights.size(), 400), weights, kFourBits);
  EXPECT_FLOAT_EQ(grid.params.scale, 1.2f / 7);
  EXPECT_EQ(grid.limits, kFourBits);
}

TEST(AdaRound, MakesUpForWhatLiesBeyondTheGrid) {
  const InputMoments moments = CorrelatedMoments(40, 12);
  const std::vector<float> weights = OneLargeWeight();
  const float scale = 0.7f / 7;
  const RoundingGrid grid = {{scale, 0}, kFourBits};
  const std::vector<int32_t> chosen = AdaRound(moments, weights, std::span(&grid, 1));
  EXPECT_EQ(chosen[0], 7) << "it still makes the scale";
  std::vector<int32_t> nearest = Nearest(weights, scale);
  nearest[0] = 7;
  EXPECT_LT(Error(moments, weights, chosen, scale), 0.1 * Error(moments, weights, nearest, scale));
}

TEST(AdaRound, OfInputsThatAreZeroKeepsTheNearest) {
  const InputMoments moments = {4, std::vector<float>(16)};
  const std::vector<float> weights = {0.1f, -0.26f, 0.4f, 0.9f};
  const RoundingGrid grid = {{0.2f, 128}, {1, 255}};
  EXPECT_EQ(AdaRound(moments, weights, std::span(&grid, 1)), (std::vector<int32_t>{129, 127, 130, 133}));
}

}  // namespace
}  // namespace qat
