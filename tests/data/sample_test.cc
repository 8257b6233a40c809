#include "data/sample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace qat {
namespace {

using Sample = std::vector<int32_t>;

TEST(StratifiedSample, GivesEveryClassItsShareByLargestRemainders) {
  Sample labels(70, 0);
  labels.insert(labels.end(), 25, 1);
  labels.insert(labels.end(), 5, 2);
  const auto counts = [&](int64_t count, int64_t keep) {
    std::map<int32_t, int> of;
    for (const int32_t i : StratifiedSample(labels, count, keep, 7)) ++of[labels[static_cast<size_t>(i)]];
    return of;
  };
  EXPECT_EQ(counts(20, 0), (std::map<int32_t, int>{{0, 14}, {1, 5}, {2, 1}}));
  EXPECT_EQ(counts(10, 0), (std::map<int32_t, int>{{0, 7}, {1, 2}, {2, 1}}))
      << "2.5 and 0.5: whole parts first";
  EXPECT_EQ(counts(100, 0), (std::map<int32_t, int>{{0, 70}, {1, 25}, {2, 5}}));
  EXPECT_EQ(counts(100, 1), (std::map<int32_t, int>{{0, 69}, {1, 24}, {2, 4}}));
}

TEST(StratifiedSample, DrawsFromAllOfAClass) {
  const Sample labels(1000, 0);
  const Sample sample = StratifiedSample(labels, 100, 0, 1);
  EXPECT_TRUE(std::is_sorted(sample.begin(), sample.end()));
  EXPECT_LT(sample.front(), 100);
  EXPECT_GT(sample.back(), 900);
  EXPECT_NE(sample, StratifiedSample(labels, 100, 0, 2));
}

TEST(EvenSample, TakesOneOfEachEqualPartOfTheSortedValues) {
  std::vector<float> values;
  for (int i = 0; i < 90; ++i) values.push_back(static_cast<float>((i * 7) % 90));
  std::vector<int> parts;
  for (const int32_t i : EvenSample(values, 30, 3))
    parts.push_back(static_cast<int>(values[static_cast<size_t>(i)]) / 3);
  std::sort(parts.begin(), parts.end());
  for (int i = 0; i < 30; ++i) EXPECT_EQ(parts[static_cast<size_t>(i)], i);
}

TEST(SpacedSample, TakesOneOfEachEqualPartOfTheOrder) {
  const Sample sample = SpacedSample(100, 10, 5);
  ASSERT_EQ(sample.size(), 10u);
  for (int32_t i = 0; i < 10; ++i) EXPECT_EQ(sample[static_cast<size_t>(i)] / 10, i);
  EXPECT_EQ(SpacedSample(3, 3, 1), (Sample{0, 1, 2}));
}

}  // namespace
}  // namespace qat
