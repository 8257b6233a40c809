#include "train/workers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "support/free_port.h"
#include "train/tiny_run.h"

namespace qat {
namespace {

using testing::TempDir;

// The environment of one test.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& variables) {
    for (const char* name :
         {"RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "OMPI_COMM_WORLD_RANK",
          "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "TORCHELASTIC_USE_AGENT_STORE"}) {
      unsetenv(name);
      names_.push_back(name);
    }
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    for (const char* name : names_) unsetenv(name);
  }

 private:
  std::vector<const char*> names_;
};

TEST(PlaceFromEnvironment, IsThatOfTheLauncher) {
  {
    const Environment none({});
    EXPECT_TRUE(PlaceFromEnvironment()->alone());
  }
  {
    const Environment torchrun({{"RANK", "3"},
                                {"WORLD_SIZE", "4"},
                                {"LOCAL_WORLD_SIZE", "2"},
                                {"MASTER_ADDR", "node1"},
                                {"MASTER_PORT", "1234"},
                                {"TORCHELASTIC_USE_AGENT_STORE", "True"}});
    const WorkerPlace place = *PlaceFromEnvironment();
    EXPECT_EQ(place.rank, 3);
    EXPECT_EQ(place.size, 4);
    EXPECT_EQ(place.local_size, 2);
    EXPECT_EQ(place.address, "node1");
    EXPECT_EQ(place.port, 1235) << "the agent listens at 1234";
  }
  {
    const Environment mpirun(
        {{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}});
    const WorkerPlace place = *PlaceFromEnvironment();
    EXPECT_EQ(place.rank, 1);
    EXPECT_EQ(place.address, "127.0.0.1");
    EXPECT_EQ(place.port, 29500);
  }
}

TEST(PlaceFromEnvironment, NamesWhatIsWrong) {
  const std::vector<std::pair<std::map<std::string, std::string>, std::string>> cases = {
      {{{"RANK", "4"}, {"WORLD_SIZE", "4"}},
       "environment variable RANK: '4', expected a whole number from 0 to 3"},
      {{{"RANK", "x"}, {"WORLD_SIZE", "4"}}, "environment variable RANK: 'x'"},
      {{{"RANK", "0"}, {"WORLD_SIZE", "0"}}, "environment variable WORLD_SIZE: '0'"},
      {{{"RANK", "0"}}, "environment variable RANK is set, but WORLD_SIZE is not"},
      {{{"RANK", "0"}, {"WORLD_SIZE", "2"}}, "environment variable MASTER_ADDR is not set"},
      {{{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "99999"}},
       "environment variable MASTER_PORT: '99999'"}};
  for (const auto& [variables, message] : cases) {
    const Environment environment(variables);
    const auto place = PlaceFromEnvironment();
    ASSERT_FALSE(place.ok()) << message;
    EXPECT_EQ(place.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(place.error().message.find(message), std::string::npos) << place.error().message;
  }
}

TEST(ShareOf, CoversEveryExampleOnce) {
  for (const int64_t count : {4, 7, 30}) {
    int64_t next = 0;
    for (int rank = 0; rank < 4; ++rank) {
      WorkerPlace place;
      place.rank = rank;
      place.size = 4;
      const WorkerShare share = ShareOf(place, count);
      EXPECT_EQ(share.begin, next);
      EXPECT_GE(share.end - share.begin, count / 4);
      EXPECT_LE(share.end - share.begin, count / 4 + 1);
      next = share.end;
    }
    EXPECT_EQ(next, count);
  }
}

// Nothing else would end a process whose companions were never started.
TEST(Join, SaysForWhomItWaitsAndEndsWhenInterrupted) {
  for (const int rank : {0, 1}) {
    const WorkerPlace place = {rank, 3, 3, "127.0.0.1", testing::FreePort()};
    std::string note;
    const auto joined = Workers::Join(
        place, [&] { return !note.empty(); }, [&](const std::string& told) { note = told; });
    const std::string whom = rank == 0 ? "2 of 3 processes" : "rank 0";
    ASSERT_FALSE(joined.ok());
    EXPECT_EQ(joined.error().code, ErrorCode::kInterrupted);
    EXPECT_NE(joined.error().message.find("interrupted while it waited for " + whom + " at 127.0.0.1:"),
              std::string::npos)
        << joined.error().message;
    EXPECT_EQ(note.rfind("waiting for " + whom, 0), 0u) << note;
  }
}

// Ranks as threads: each of them is a whole Train. Results by rank.
std::vector<Expected<TrainResult>> TrainTogether(const Graph& network, const TrainConfig& config,
                                                 const std::string& run, int size, bool resume = false,
                                                 const TrainCallbacks& callbacks = {}) {
  static const Dataset train = testing::Quarters(300, 1);
  static const Dataset test = testing::Quarters(80, 2);
  const int port = testing::FreePort();
  std::vector<std::optional<Expected<TrainResult>>> results(static_cast<size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      const WorkerPlace place = {rank, size, size, "127.0.0.1", port};
      results[static_cast<size_t>(rank)] =
          Train(network, config, train, test, run, {resume, nullptr, false, place}, callbacks);
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<Expected<TrainResult>> all;
  for (auto& result : results) all.push_back(std::move(*result));
  return all;
}

Checkpoint LastOf(const std::string& run, int64_t step) { return *ReadCheckpoint(CheckpointPath(run, step)); }

double LargestDifference(const Checkpoint& a, const Checkpoint& b) {
  double largest = 0;
  EXPECT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) {
    const auto& other = b.tensors.at(name);
    for (size_t i = 0; i < tensor.values.size(); ++i)
      largest = std::max(largest, std::abs(double{tensor.values[i]} - other.values[i]));
  }
  EXPECT_EQ(a.filter_ranges.size(), b.filter_ranges.size());
  for (const auto& [name, ends] : a.filter_ranges) {
    const auto& other = b.filter_ranges.at(name);
    for (size_t i = 0; i < ends.values.size(); ++i)
      largest = std::max(largest, std::abs(double{ends.values[i]} - other.values[i]));
  }
  for (const auto& [name, range] : a.ranges) {
    largest = std::max<double>({largest, std::abs(range.range.min - b.ranges.at(name).range.min),
                                std::abs(range.range.max - b.ranges.at(name).range.max)});
  }
  return largest;
}

class Together : public ::testing::TestWithParam<std::tuple<std::string, bool, int>> {};

// The oracle is training in one process: the same function of the same batches, summed in another order.
TEST_P(Together, LearnsWhatOneProcessLearns) {
  const auto& [scheme, normed, size] = GetParam();
  TrainConfig config = testing::TinyConfig();
  config.scheme = scheme;
  if (scheme == "w4a8") config.filter_ranges = config.activation_ranges = kLearnedRanges;
  config.steps = 20;
  config.quant_delay = 6;
  // Sums in another order round now and then to the next integer; Adam makes a whole step of a gradient that
  // is nearly 0.
  config.optimizer = "sgd";
  config.learning_rate = 0.05;
  config.batch_size = 30;
  config.threads = 1;
  const Graph network = normed ? testing::TinyNormed("0.9") : testing::Parsed(testing::kTinySpec);
  const TempDir directory;
  const auto alone = TrainTogether(network, config, directory / "alone", 1);
  ASSERT_TRUE(alone[0].ok()) << alone[0].error().message;
  const auto together = TrainTogether(network, config, directory / "together", size);
  for (const auto& result : together) ASSERT_TRUE(result.ok()) << result.error().message;
  const Checkpoint one = LastOf(directory / "alone", 20), many = LastOf(directory / "together", 20);
  EXPECT_LT(LargestDifference(one, many), 1e-4);
  EXPECT_EQ(together[1]->step, 20);
}

INSTANTIATE_TEST_SUITE_P(Schemes, Together,
                         ::testing::Values(std::tuple("uint8", false, 2), std::tuple("uint8", true, 2),
                                           std::tuple("int8", true, 3), std::tuple("int8", false, 4),
                                           std::tuple("w4a8", false, 3), std::tuple("w4a8", true, 2)));

// The norm is that of the gradient of the whole batch, not of a share; examples are mixed with those of other
// processes.
TEST(Workers, ClipTheSummedGradientsOfMixedExamples) {
  TrainConfig config = testing::TinyConfig();
  config.steps = 20;
  config.quant_delay = 6;
  config.optimizer = "sgd";
  config.nesterov = true;
  config.schedule = "one-cycle";
  config.learning_rate = 0.2;
  config.clip_norm = 0.3;
  config.mixup = 1;
  config.class_weights.values = {1, 2, 3, 0.5};
  config.batch_size = 30;
  const Graph network = testing::Parsed(testing::kTinySpec);
  const TempDir directory;
  ASSERT_TRUE(TrainTogether(network, config, directory / "alone", 1)[0].ok());
  for (const auto& result : TrainTogether(network, config, directory / "together", 3))
    ASSERT_TRUE(result.ok()) << result.error().message;
  const Checkpoint one = LastOf(directory / "alone", 20);
  EXPECT_LT(LargestDifference(one, LastOf(directory / "together", 20)), 1e-4);
  config.clip_norm = 0;
  ASSERT_TRUE(TrainTogether(network, config, directory / "free", 1)[0].ok());
  EXPECT_GT(LargestDifference(one, LastOf(directory / "free", 20)), 1e-2)
      << "gradients are larger than the bound";
}

TEST(Workers, ResumeToTheSameBytes) {
  TrainConfig config = testing::TinyConfig();
  config.batch_size = 31;  // unequal shares
  const Graph network = testing::TinyNormed("0.9");
  const TempDir directory;
  for (const auto& result : TrainTogether(network, config, directory / "whole", 2))
    ASSERT_TRUE(result.ok()) << result.error().message;
  const auto stopped = TrainTogether(network, config, directory / "parts", 2, false, testing::InterruptAt(7));
  ASSERT_FALSE(stopped[0].ok());
  EXPECT_EQ(stopped[0].error().code, ErrorCode::kInterrupted) << stopped[0].error().message;
  EXPECT_EQ(stopped[1].error().code, ErrorCode::kInterrupted) << stopped[1].error().message;
  for (const auto& result : TrainTogether(network, config, directory / "parts", 2, true)) {
    ASSERT_TRUE(result.ok()) << result.error().message;
  }
  testing::ExpectSameRun(directory / "whole", directory / "parts");
}

TEST(Workers, RefuseABatchThatIsTooSmall) {
  TrainConfig config = testing::TinyConfig();
  config.batch_size = 1;
  const TempDir directory;
  for (const auto& result :
       TrainTogether(testing::Parsed(testing::kTinySpec), config, directory / "run", 2)) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument) << result.error().message;
  }
}

}  // namespace
}  // namespace qat
