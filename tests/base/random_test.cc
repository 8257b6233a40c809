#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

namespace qat {
namespace {

TEST(MixBits, IsSplitMix64) {
  // The first outputs of the published generator seeded with 0 and with 1234567.
  EXPECT_EQ(MixBits(0), 0xe220a8397b1dcdafu);
  EXPECT_EQ(MixBits(1234567), 6457827717110365317u);
  EXPECT_EQ(MixBits(1234567 + 0x9e3779b97f4a7c15u), 3203168211198807973u);
}

TEST(MixKey, TellsOrderAndCountApart) {
  const std::set<uint64_t> keys = {MixKey(1),    MixKey(1, 0), MixKey(0, 1),
                                   MixKey(1, 2), MixKey(2, 1), MixKey(1, 2, 0)};
  EXPECT_EQ(keys.size(), 6u);
}

TEST(Random, GivesTheSameNumbersOnEveryMachine) {
  // Values of an independent model of the formula, in Python's unbounded integers.
  Random random(1);
  for (const uint32_t expected : {0xb4f05906u, 0xe0f363ddu, 0xd1a964e0u, 0x0b669cdau}) {
    EXPECT_EQ(random.Next(), expected);
  }
}

TEST(Random, BelowIsUniform) {
  Random random(3);
  constexpr int kDraws = 60000;
  std::array<int, 6> counts{};
  for (int i = 0; i < kDraws; ++i) ++counts.at(random.Below(6));
  double chi_squared = 0;
  for (int count : counts) chi_squared += (count - kDraws / 6.0) * (count - kDraws / 6.0) / (kDraws / 6.0);
  EXPECT_LT(chi_squared, 20.5);  // 5 degrees of freedom: exceeded once in a thousand keys
}

TEST(Random, BetweenReachesBothEndsAndNothingBeyond) {
  Random random(4);
  std::set<int32_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random.Between(-2, 2));
  EXPECT_EQ(seen, (std::set<int32_t>{-2, -1, 0, 1, 2}));
  EXPECT_EQ(random.Between(5, 5), 5);
}

TEST(Random, BetweenTakesTheWholeRangeOfInt32) {
  constexpr int32_t kLowest = std::numeric_limits<int32_t>::min();
  constexpr int32_t kHighest = std::numeric_limits<int32_t>::max();
  Random random(5);
  int negative = 0;
  for (int i = 0; i < 1000; ++i) negative += random.Between(kLowest, kHighest) < 0 ? 1 : 0;
  EXPECT_GT(negative, 400);
  EXPECT_LT(negative, 600);
  for (int i = 0; i < 1000; ++i) EXPECT_GE(random.Between(kLowest + 1, kHighest), kLowest + 1);
}

TEST(Random, UniformIsInTheHalfOpenInterval) {
  Random random(6);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const float value = random.Uniform();
    ASSERT_GE(value, 0.0f);
    ASSERT_LT(value, 1.0f);
    sum += static_cast<double>(value);
  }
  EXPECT_NEAR(sum / 100000, 0.5, 0.005);  // five standard deviations
}

TEST(Shuffle, IsTheSamePermutationOnEveryMachine) {
  std::vector<int> values(10);
  std::iota(values.begin(), values.end(), 0);
  Random random(7);
  Shuffle(std::span(values), random);
  EXPECT_EQ(values, (std::vector<int>{8, 9, 0, 4, 3, 1, 2, 7, 6, 5}));  // the same model as above
}

}  // namespace
}  // namespace qat
