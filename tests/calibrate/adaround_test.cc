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
  return SumError(moments, weights, reals);
}

std::vector<int32_t> Nearest(std::span<const float> weights, float scale) {
  std::vector<int32_t> integers;
  for (const float weight : weights) integers.push_back(static_cast<int32_t>(std::lround(weight / scale)));
  return integers;
}

TEST(SumError, IsTheMeanSquareOfTheDifferenceOfSums) {
  // x is (1, 2) or (3, -1), the difference of the weights (0.5, -1): sums differ by -1.5 and by 2.5.
  const InputMoments moments = {2, {5, -0.5f, -0.5f, 2.5f}};
  EXPECT_NEAR(SumError(moments, std::vector<float>{1, 0}, std::vector<float>{0.5f, 1}),
              (1.5 * 1.5 + 2.5 * 2.5) / 2, 1e-6);
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

TEST(AdaRound, RoundsUpOrDownAndNowhereElse) {
  const InputMoments moments = CorrelatedMoments(60, 3);
  const std::vector<float> weights = Weights(60 * 11, 4);
  const float scale = 1.0f / 7;
  const RoundingGrid grid = {{scale, 0}, kFourBits};
  const std::vector<int32_t> chosen = AdaRound(moments, weights, std::span(&grid, 1));
  ASSERT_EQ(chosen.size(), weights.size());
  for (size_t i = 0; i < chosen.size(); ++i) {
    EXPECT_LE(std::abs(static_cast<float>(chosen[i]) - weights[i] / scale), 1.001f) << i;
    EXPECT_LE(std::abs(chosen[i]), 7);
  }
  double nearest = 0, own = 0;
  for (size_t c = 0; c < 11; ++c) {
    const auto channel = std::span(weights).subspan(c * 60, 60);
    const double lost = Error(moments, channel, Nearest(channel, scale), scale);
    const double lost_by_choice = Error(moments, channel, std::span(chosen).subspan(c * 60, 60), scale);
    EXPECT_LE(lost_by_choice, lost * 1.0001) << "channel " << c;
    nearest += lost;
    own += lost_by_choice;
  }
  EXPECT_LT(own, 0.5 * nearest);
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

TEST(AdaRound, OfInputsThatAreZeroKeepsTheNearest) {
  const InputMoments moments = {4, std::vector<float>(16)};
  const std::vector<float> weights = {0.1f, -0.26f, 0.4f, 0.9f};
  const RoundingGrid grid = {{0.2f, 128}, {1, 255}};
  EXPECT_EQ(AdaRound(moments, weights, std::span(&grid, 1)), (std::vector<int32_t>{129, 127, 130, 133}));
}

}  // namespace
}  // namespace qat
