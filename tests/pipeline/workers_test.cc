// Several processes of qat-train, as a launcher starts them.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/free_port.h"
#include "support/subprocess.h"

namespace qat {
namespace {

using testing::Process;
using testing::ProcessResult;
using testing::RunTool;
using testing::ToolPath;

class WorkersOfARun : public ::testing::Test {
 protected:
  void Start(int size, const std::vector<std::string>& flags) {
    const std::string port = std::to_string(testing::FreePort());
    for (int rank = 0; rank < size; ++rank) StartOne(rank, size, port, flags);
  }

  // env(1) sets what a launcher sets.
  void StartOne(int rank, int size, const std::string& port, const std::vector<std::string>& flags) {
    std::vector<std::string> command = {"/usr/bin/env",
                                        "RANK=" + std::to_string(rank),
                                        "WORLD_SIZE=" + std::to_string(size),
                                        "LOCAL_WORLD_SIZE=" + std::to_string(size),
                                        "MASTER_ADDR=127.0.0.1",
                                        "MASTER_PORT=" + port,
                                        ToolPath("qat-train"),
                                        "--data",
                                        "digits",
                                        "--network",
                                        "lenet",
                                        "--batch-size",
                                        "30",
                                        "--threads",
                                        "1",
                                        "--holdout",
                                        "100",
                                        "--json",
                                        Report(rank),
                                        "-o",
                                        run_};
    command.insert(command.end(), flags.begin(), flags.end());
    workers_.push_back(std::make_unique<Process>(command));
  }
  std::string Report(int rank) const { return dir_ / ("report" + std::to_string(rank) + ".json"); }

  testing::TempDir dir_;
  std::string run_ = dir_ / "run";
  std::vector<std::unique_ptr<Process>> workers_;
};

TEST_F(WorkersOfARun, OneReportsAndWrites) {
  Start(2, {"--steps", "12"});
  const ProcessResult first = workers_[0]->Wait(), second = workers_[1]->Wait();
  EXPECT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_NE(first.err.find("2 processes"), std::string::npos) << first.err;
  EXPECT_NE(first.out.find("12 steps"), std::string::npos) << first.out;
  EXPECT_EQ(second.out + second.err, "");
  EXPECT_TRUE(std::filesystem::exists(Report(0)));
  EXPECT_FALSE(std::filesystem::exists(Report(1)));
}

TEST_F(WorkersOfARun, EndWithAUsableCheckpointWhenOneDies) {
  Start(3, {"--steps", "100000", "--progress", "ndjson", "--eval-every", "5"});
  ASSERT_TRUE(workers_[0]->WaitForMessage("\"what\":\"train\",\"done\":", 120)) << "no step was made";
  workers_[2]->Signal(SIGKILL);
  const ProcessResult first = workers_[0]->Wait(), second = workers_[1]->Wait();
  EXPECT_EQ(workers_[2]->Wait().exit_code, 128 + SIGKILL);
  EXPECT_EQ(first.exit_code, 6) << first.err;
  EXPECT_EQ(second.exit_code, 6) << second.err;
  EXPECT_NE(first.err.find("another of the 3 processes has ended"), std::string::npos) << first.err;
  EXPECT_NE(first.err.find("continue with --resume"), std::string::npos) << first.err;
  EXPECT_NE(second.err.find("process 1: another of the 3 processes has ended"), std::string::npos)
      << second.err;
  const ProcessResult frozen = RunTool("qat-freeze", {run_, "--select", "last", "-o", dir_ / "g.qgraph"});
  EXPECT_EQ(frozen.exit_code, 0) << frozen.err;
}

TEST_F(WorkersOfARun, EndTogetherWhenOneIsInterrupted) {
  Start(2, {"--steps", "100000", "--progress", "ndjson", "--eval-every", "5"});
  ASSERT_TRUE(workers_[0]->WaitForMessage("\"what\":\"train\",\"done\":", 120)) << "no step was made";
  workers_[1]->Signal(SIGINT);
  const ProcessResult first = workers_[0]->Wait(), second = workers_[1]->Wait();
  EXPECT_EQ(first.exit_code, 130) << first.err;
  EXPECT_EQ(second.exit_code, 130) << second.err;
  EXPECT_NE(first.err.find("continue with --resume"), std::string::npos) << first.err;
}

// Each would wait for one that never comes.
TEST_F(WorkersOfARun, OfDifferentSizesAreToldSo) {
  const std::string port = std::to_string(testing::FreePort());
  StartOne(0, 2, port, {"--steps", "12"});
  StartOne(1, 3, port, {"--steps", "12"});
  const ProcessResult first = workers_[0]->Wait(), second = workers_[1]->Wait();
  EXPECT_EQ(first.exit_code, 2) << first.err;
  EXPECT_NE(first.err.find("WORLD_SIZE: is 2 for process 0, and another at 127.0.0.1:"), std::string::npos)
      << first.err;
  EXPECT_NE(second.exit_code, 0) << second.err;
}

TEST_F(WorkersOfARun, OfTheSameRankAreToldSo) {
  const std::string port = std::to_string(testing::FreePort());
  StartOne(0, 3, port, {"--steps", "12"});
  StartOne(1, 3, port, {"--steps", "12"});
  ASSERT_TRUE(workers_[0]->WaitForMessage("waiting for 1 of 3 processes", 60));
  StartOne(1, 3, port, {"--steps", "12"});
  const ProcessResult again = workers_[2]->Wait();
  EXPECT_EQ(again.exit_code, 2) << again.err;
  EXPECT_NE(again.err.find("is process 1 too"), std::string::npos) << again.err;
  for (size_t i = 0; i < 2; ++i) workers_[i]->Signal(SIGTERM);
  EXPECT_EQ(workers_[0]->Wait().exit_code, 143) << "a signal ends what waits";
  EXPECT_NE(workers_[1]->Wait().exit_code, 0);
}

TEST(WorkersEnvironment, IsJudgedBeforeAnythingElse) {
  const ProcessResult result =
      testing::Run({"/usr/bin/env", "RANK=2", "WORLD_SIZE=2", ToolPath("qat-train"), "-o", "/nowhere/run"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("environment variable RANK: '2', expected a whole number from 0 to 1"),
            std::string::npos)
      << result.err;
}

}  // namespace
}  // namespace qat
