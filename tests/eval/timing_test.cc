#include "eval/timing.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <vector>

#include "eval/peak_memory.h"

namespace qat {
namespace {

int Allowed() {
  cpu_set_t set;
  EXPECT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  return CPU_COUNT(&set);
}

TEST(TimingSession, StaysOnOneProcessorAndLetsTheThreadGoAfterwards) {
  const int before = Allowed();
  {
    TimingSession session(true);
    EXPECT_EQ(Allowed(), 1);
    EXPECT_EQ(session.Conditions().pinned_cpu.value(), sched_getcpu());
  }
  EXPECT_EQ(Allowed(), before);
  TimingSession several(false);
  EXPECT_EQ(Allowed(), before) << "work of several threads needs several processors";
  EXPECT_FALSE(several.Conditions().pinned_cpu.has_value());
}

TEST(TimingSession, WhatTheThreadSleepsIsNotItsOwnTime) {
  TimingSession session(true);
  session.Start();
  usleep(20000);
  const RunTime time = session.Stop();
  EXPECT_GE(time.wall, 20000);
  EXPECT_LT(time.own, 10000);
  EXPECT_EQ(session.Conditions().preempted, 1);
}

TEST(TimingSession, OfSeveralThreadsOnlyTheWallCounts) {
  TimingSession session(false);
  session.Start();
  usleep(20000);
  const RunTime time = session.Stop();
  EXPECT_EQ(time.own, time.wall);
}

TEST(TimingSession, CalibratesAndSaysHowMuchMemoryIsTaken) {
  TimingSession session(true);
  EXPECT_EQ(session.Conditions().calibration_us, 0);
  session.Calibrate();
  EXPECT_GT(session.Conditions().calibration_us, 0);
  EXPECT_GT(session.Conditions().peak_rss_bytes, 1 << 20);
}

TEST(PeakMemory, CountsWhatTheWorkTouchedAndLeavesNothingHere) {
  constexpr int64_t kBytes = int64_t{64} << 20;
  int touched = 0;
  const int64_t little = PeakMemoryOf([] {});
  const int64_t much = PeakMemoryOf([&] {
    std::vector<char> block(static_cast<size_t>(kBytes), 1);
    for (char value : block) touched += value;
  });
  EXPECT_GT(little, 1 << 20);
  EXPECT_GE(much, little + kBytes / 2);
  EXPECT_EQ(touched, 0) << "the work was another process's";
}

TEST(PeakMemory, OfWorkThatDiesIsNotKnown) {
  EXPECT_EQ(PeakMemoryOf([] { _exit(3); }), 0);
}

}  // namespace
}  // namespace qat
