#include "base/await_change.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace qat {
namespace {

// Looks: none, so that it sleeps at once; a few; so many that it hardly ever sleeps.
class AwaitedValue : public testing::TestWithParam<int> {};

TEST_P(AwaitedValue, IsSeenByTheOtherThreadEachTime) {
  constexpr uint32_t kRounds = 50;
  std::atomic<uint32_t> asked = 0, answered = 0;
  std::jthread other([&] {
    for (uint32_t seen = 0; seen < kRounds;) {
      seen = AwaitChange(asked, seen, GetParam());
      answered.store(seen);
      answered.notify_one();
    }
  });
  PatientWait wait(GetParam());
  for (uint32_t round = 1; round <= kRounds; ++round) {
    asked.store(round);
    asked.notify_one();
    ASSERT_EQ(wait.AwaitChange(answered, round - 1), round);
  }
}

INSTANTIATE_TEST_SUITE_P(Looks, AwaitedValue, testing::Values(0, 10, 1000));

TEST(AwaitChange, IsReturnedAtOnceWhereItHasChangedBefore) {
  const std::atomic<int> value = 7;
  EXPECT_TRUE(ChangesSoon(value, 6, 1));
  EXPECT_FALSE(ChangesSoon(value, 7, 100));
  EXPECT_EQ(AwaitChange(value, 6, 0), 7);
  EXPECT_EQ(PatientWait(1).AwaitChange(value, 6), 7);
}

}  // namespace
}  // namespace qat
