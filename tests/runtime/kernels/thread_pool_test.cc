#include "runtime/kernels/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace qat {
namespace {

TEST(ThreadPool, CallsEveryPartOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    // Rounds of all sizes directly behind each other: a worker that is late must not touch the next one.
    for (int round = 0; round < 2000; ++round) {
      const int parts = round % 13;
      std::vector<int> calls(13);
      std::atomic<bool> thread_in_range = true;
      pool.Run(parts, [&](int part, int thread) {
        ++calls[static_cast<size_t>(part)];
        if (thread < 0 || thread >= threads) thread_in_range = false;
      });
      for (int part = 0; part < 13; ++part) ASSERT_EQ(calls[static_cast<size_t>(part)], part < parts);
      ASSERT_TRUE(thread_in_range);
    }
  }
}

TEST(ThreadPool, NoTwoCallsAtATimeShareAThreadNumber) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> busy(4);
  std::atomic<bool> shared = false;
  for (int round = 0; round < 200; ++round) {
    pool.Run(16, [&](int, int thread) {
      if (busy[static_cast<size_t>(thread)].fetch_add(1) != 0) shared = true;
      std::this_thread::yield();
      busy[static_cast<size_t>(thread)].fetch_sub(1);
    });
  }
  EXPECT_FALSE(shared);
}

TEST(ThreadPool, ASlowThreadLeavesItsPartsToTheOthers) {
  ThreadPool pool(2);
  std::atomic<int> others = 0;
  pool.Run(8, [&](int part, int) {
    // The first part does not end before all others have been called, its own share among them.
    if (part == 0) {
      while (others.load() < 7) std::this_thread::yield();
    } else {
      ++others;
    }
  });
  EXPECT_EQ(others, 7);
}

TEST(ForRuns, CoversTheRangeInGrains) {
  ThreadPool pool(3);
  for (ThreadPool* given : {static_cast<ThreadPool*>(nullptr), &pool}) {
    for (const int64_t count : {0, 1, 7, 8, 9, 100}) {
      std::vector<std::atomic<int>> covered(100);
      ForRuns(given, 1 << 30, count, 8, [&](int64_t begin, int64_t end, int) {
        EXPECT_EQ(begin % 8, 0);
        EXPECT_TRUE(end == count || end % 8 == 0);
        for (int64_t i = begin; i < end; ++i) covered[static_cast<size_t>(i)].fetch_add(1);
      });
      for (int64_t i = 0; i < 100; ++i) EXPECT_EQ(covered[static_cast<size_t>(i)], i < count) << i;
    }
  }
}

TEST(ForImages, EitherThreadsShareTheImagesOrEachImage) {
  ThreadPool pool(3);
  for (const int64_t batch : {0, 1, 2, 3, 5, 6, 11, 12, 13}) {
    const bool shares = batch == 3 || batch == 6 || batch >= 12;
    EXPECT_EQ(SharesImages(batch, 3), shares) << batch;
    std::vector<std::atomic<int>> calls(13);
    ForImages(&pool, 1 << 30, batch, [&](int64_t image, int thread, ThreadPool* of_image) {
      EXPECT_EQ(of_image, shares ? nullptr : &pool);
      EXPECT_TRUE(shares || thread == 0);
      calls[static_cast<size_t>(image)].fetch_add(1);
    });
    for (int64_t i = 0; i < 13; ++i) EXPECT_EQ(calls[static_cast<size_t>(i)], i < batch) << i;
  }
}

}  // namespace
}  // namespace qat
