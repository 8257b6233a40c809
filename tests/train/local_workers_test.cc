#include "train/local_workers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "train/in_threads.h"
#include "train/tiny_run.h"

namespace qat {
namespace {

using testing::Quarters;
using testing::TempDir;

TEST(TrainTogether, SumsInTheOrderOfRanksWhateverTheSize) {
  for (const int size : {2, 3, 5}) {
    for (const size_t count : {size_t{1}, size_t{3}, size_t{64}, size_t{5000}}) {
      std::vector<std::vector<float>> sums(static_cast<size_t>(size));
      std::atomic<int> rounds = 0;
      TrainTogether(size, [&](std::shared_ptr<Workers> workers) {
        const int rank = workers->place().rank;
        EXPECT_EQ(workers->place().size, size);
        for (int round = 0; round < 50; ++round) {
          std::vector<float> values(count);
          std::iota(values.begin(), values.end(), static_cast<float>(rank * 1000 + round) / 7);
          workers->Sum(values);
          sums[static_cast<size_t>(rank)] = values;
          std::vector<double> exact = {static_cast<double>(rank + 1)};
          workers->Sum(exact);
          EXPECT_EQ(exact[0], size * (size + 1) / 2);
          std::vector<float> least = {static_cast<float>(-rank), static_cast<float>(rank)};
          workers->Minimum(least);
          EXPECT_EQ(least, (std::vector<float>{static_cast<float>(1 - size), 0}));
          EXPECT_EQ(workers->Broadcast(rank == 0 ? "the recipe" : ""), "the recipe");
          ++rounds;
        }
      });
      EXPECT_EQ(rounds, 50 * size);
      std::vector<float> expected(count);
      for (int rank = 0; rank < size; ++rank) {
        std::vector<float> own(count);
        std::iota(own.begin(), own.end(), static_cast<float>(rank * 1000 + 49) / 7);
        for (size_t i = 0; i < count; ++i) expected[i] = rank == 0 ? own[i] : expected[i] + own[i];
      }
      for (const auto& each : sums) EXPECT_EQ(each, expected);
    }
  }
}

TEST(TrainTogether, WhoLeavesIsLostToThoseThatGoOn) {
  std::atomic<int> lost = 0, whole = 0;
  TrainTogether(3, [&](std::shared_ptr<Workers> workers) {
    std::vector<float> values = {1};
    workers->Sum(values);
    ++whole;
    if (workers->place().rank == 1) return;
    try {
      for (int i = 0; i < 1000; ++i) workers->Sum(values);
    } catch (const WorkerLost&) {
      ++lost;
    }
  });
  EXPECT_EQ(whole, 3);
  EXPECT_EQ(lost, 2);
}

TEST(TrainTogether, AnExceptionOfTheCallerEndsTheOthers) {
  std::atomic<int> lost = 0;
  EXPECT_THROW(TrainTogether(2,
                             [&](std::shared_ptr<Workers> workers) {
                               if (workers->place().rank == 0) throw std::runtime_error("no memory");
                               std::vector<float> values = {1};
                               try {
                                 workers->Sum(values);
                               } catch (const WorkerLost&) {
                                 ++lost;
                               }
                             }),
               std::runtime_error);
  EXPECT_EQ(lost, 1);
}

// Of a network with batch normalization, whose statistics are those of whole batches.
class Threads : public ::testing::TestWithParam<std::string> {
 protected:
  TrainConfig Recipe(int threads) const {
    TrainConfig config = testing::TinyConfig();
    config.scheme = GetParam();
    config.batch_size = 32;
    config.threads = threads;
    // Sums in another order round now and then to the next integer; Adam makes a whole step of a gradient
    // that is nearly 0.
    config.optimizer = "sgd";
    config.learning_rate = 0.05;
    config.steps = 20;
    config.quant_delay = 6;
    return config;
  }
  Checkpoint After(const TrainConfig& config, const std::string& run) {
    const auto result =
        Train(testing::TinyNormed("0.9"), config, Quarters(300, 1), Quarters(80, 2), run, {}, {});
    EXPECT_TRUE(result.ok()) << result.error().message;
    return *ReadCheckpoint(CheckpointPath(run, config.steps));
  }
};

// The oracle is one thread: the same function of the same batches, summed in another order.
TEST_P(Threads, LearnWhatOneThreadLearns) {
  TempDir dir;
  const Checkpoint one = After(Recipe(1), dir / "one");
  for (const int threads : {2, 3, 4}) {
    const Checkpoint several = After(Recipe(threads), dir / std::to_string(threads));
    float largest = 0;
    for (const auto& [name, tensor] : one.tensors) {
      const auto& other = several.tensors.at(name);
      for (size_t i = 0; i < tensor.values.size(); ++i)
        largest = std::max(largest, std::abs(tensor.values[i] - other.values[i]));
    }
    // Where a value lies between two integers, the last bit of a sum decides.
    EXPECT_LT(largest, GetParam() == "float32" ? 1e-6 : 5e-4) << threads << " threads";
  }
}

TEST_P(Threads, ResumeToTheBytesOfARunNeverStopped) {
  TempDir dir;
  TrainConfig config = Recipe(2);
  config.weight_average_decay = GetParam() == "int8" ? 0.9 : 0;
  const Graph network = testing::TinyNormed("0.9");
  const Dataset train = Quarters(300, 1), test = Quarters(80, 2);
  QAT_ASSERT_OK(Train(network, config, train, test, dir / "straight", {}, {}));
  for (const int64_t step : {int64_t{3}, int64_t{11}}) {
    const std::string run = dir / std::to_string(step);
    const auto stopped = Train(network, config, train, test, run, {}, testing::InterruptAt(step));
    ASSERT_FALSE(stopped.ok());
    EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted) << stopped.error().message;
    QAT_ASSERT_OK(Train(network, config, train, test, run, {true, nullptr}, {}));
    testing::ExpectSameRun(dir / "straight", run);
  }
}

INSTANTIATE_TEST_SUITE_P(Schemes, Threads, ::testing::Values("float32", "uint8", "int8"),
                         [](const auto& each) { return each.param; });

TEST(InThreads, TheReasonOfTheFirstThatFailedComesFirst) {
  const auto result = InThreads<int>(2, 2, [](const std::shared_ptr<Workers>& workers) -> Expected<int> {
    if (workers->place().rank == 1) return SystemError("out of memory");
    std::vector<float> values = {1};
    workers->Sum(values);
    return 0;
  });
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kSystem);
  EXPECT_EQ(result.error().message.rfind("out of memory; ", 0), 0U) << result.error().message;
}

TEST(InThreads, OneThatFailsByItselfSaysNothingOfTheOthers) {
  const auto result = InThreads<int>(2, 2, [](const std::shared_ptr<Workers>& workers) -> Expected<int> {
    if (workers->place().rank == 0) throw std::runtime_error("no such operator");
    std::vector<float> values = {1};
    workers->Sum(values);
    return 0;
  });
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, TorchError(std::runtime_error("no such operator")).message);
}

TEST(TrainInThreads, SaysOnceWhyARunDiverges) {
  TempDir dir;
  TrainConfig config = testing::TinyConfig();
  config.threads = 2;
  config.learning_rate = 1e9;
  config.optimizer = "sgd";
  const auto result = Train(testing::Parsed(testing::kTinySpec), config, Quarters(300, 1), Quarters(80, 2),
                            dir / "run", {}, {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kNumerical);
  EXPECT_EQ(result.error().message.find("thread"), std::string::npos) << result.error().message;
}

}  // namespace
}  // namespace qat
