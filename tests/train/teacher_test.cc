#include "train/teacher.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "support/free_port.h"
#include "support/test_util.h"
#include "train/tiny_run.h"

namespace qat {
namespace {

using testing::kTinySpec;
using testing::Parsed;
using testing::Quarters;
using testing::TempDir;
using testing::TinyConfig;

// A teacher that was trained, and what learns from it.
class Distilled : public ::testing::Test {
 protected:
  void SetUp() override {
    TrainConfig config = TinyConfig();
    config.scheme = "float32";
    config.steps = 200;
    config.eval_every = config.checkpoint_every = 100;
    QAT_ASSERT_OK(Train(Wide(), config, train_, test_, dir_ / "teacher", {}, {}));
    teacher_ = *ReadCheckpoint(CheckpointPath(dir_ / "teacher", 200));
  }
  static Graph Wide() {
    std::string text = kTinySpec;
    text.replace(text.find("filters = 4"), 11, "filters = 16");
    return Parsed(text);
  }
  static TrainConfig Config() {
    TrainConfig config = TinyConfig();
    config.teacher = "teacher";
    config.teacher_weight = 0.7;
    config.teacher_temperature = 3;
    config.mixup = 0.2;
    return config;
  }
  Expected<TrainResult> Learn(const std::string& run, const TrainConfig& config, const Checkpoint* teacher,
                              bool resume = false, const TrainCallbacks& callbacks = {},
                              WorkerPlace place = {}) {
    return Train(network_, config, train_, test_, run, {resume, nullptr, false, place, teacher}, callbacks);
  }

  const TempDir dir_;
  const Dataset train_ = Quarters(300, 1), test_ = Quarters(80, 2);
  const Graph network_ = Parsed(kTinySpec);
  Checkpoint teacher_;
};

// With nothing but the teacher's answers to learn from, labels say nothing; those that are wrong do no harm.
TEST_F(Distilled, LearnsFromTheTeacherWhereLabelsAreWrong) {
  TrainConfig config = Config();
  config.teacher_weight = 1;
  config.mixup = 0;
  config.steps = 300;
  config.eval_every = config.checkpoint_every = 300;
  config.holdout = 0;
  Dataset wrong = train_;
  for (int32_t& label : wrong.labels) label = (label + 1) % 4;
  const auto taught =
      Train(network_, config, wrong, test_, dir_ / "run", {false, nullptr, false, {}, &teacher_}, {});
  QAT_ASSERT_OK(taught);
  EXPECT_GT(taught->holdout_accuracy, 80) << "of the test set, whose labels are right";
  EXPECT_TRUE(ReadCheckpoint(taught->checkpoint)->provenance.contains("teacher_sha256"));
}

TEST_F(Distilled, ResumesToTheSameBytes) {
  QAT_ASSERT_OK(Learn(dir_ / "whole", Config(), &teacher_));
  EXPECT_FALSE(Learn(dir_ / "parts", Config(), &teacher_, false, testing::InterruptAt(33)).ok());
  QAT_ASSERT_OK(Learn(dir_ / "parts", Config(), &teacher_, true));
  testing::ExpectSameRun(dir_ / "whole", dir_ / "parts");
}

TEST_F(Distilled, IsNotResumedWithoutItsTeacher) {
  EXPECT_FALSE(Learn(dir_ / "run", Config(), &teacher_, false, testing::InterruptAt(12)).ok());
  QAT_EXPECT_ERROR(Learn(dir_ / "run", Config(), nullptr, true), ErrorCode::kInvalidArgument,
                   "was trained with another teacher: `teacher` with SHA-256 ");
  Checkpoint other = teacher_;
  other.tensors.begin()->second.values[0] += 1;
  QAT_EXPECT_ERROR(Learn(dir_ / "run", Config(), &other, true), ErrorCode::kInvalidArgument,
                   "was trained with another teacher");
}

TEST_F(Distilled, IsTheSameInSeveralProcesses) {
  TrainConfig config = Config();
  config.steps = 20;
  config.quant_delay = 6;
  config.optimizer = "sgd";
  config.learning_rate = 0.02;
  config.batch_size = 31;
  const std::string alone = dir_ / "alone", together = dir_ / "together";
  QAT_ASSERT_OK(Learn(alone, config, &teacher_));
  const int port = testing::FreePort();
  const auto learn = [&](int rank) {
    const auto result = Learn(together, config, &teacher_, false, {}, {rank, 2, 2, "127.0.0.1", port});
    EXPECT_TRUE(result.ok()) << result.error().message;
  };
  std::thread other([&] { learn(1); });
  learn(0);
  other.join();
  const Checkpoint a = *ReadCheckpoint(CheckpointPath(alone, 20)),
                   b = *ReadCheckpoint(CheckpointPath(together, 20));
  for (const auto& [name, tensor] : a.tensors) {
    for (size_t i = 0; i < tensor.values.size(); ++i)
      EXPECT_NEAR(tensor.values[i], b.tensors.at(name).values[i], 1e-4) << name;
  }
}

TEST_F(Distilled, RefusesATeacherOfSomethingElse) {
  const auto refused = [&](const Checkpoint& teacher, ErrorCode code, const std::string& message) {
    QAT_EXPECT_ERROR(Learn(dir_ / "run", Config(), &teacher), code, message);
  };
  Checkpoint brighter = teacher_;
  brighter.contract.input().mean = {128};
  refused(brighter, ErrorCode::kInvalidArgument,
          "`teacher`: the teacher's input is normalized with mean 128 and std 255, that of this run with 0 "
          "and 255");
  refused(brighter, ErrorCode::kInvalidArgument, "`mean` 128 and `std` 255 make it so");
  Checkpoint renamed = teacher_;
  renamed.contract.set_labels({"a", "b", "x", "d"});
  refused(renamed, ErrorCode::kInvalidArgument,
          "`teacher`: class 2 of the teacher is 'x', expected 'c' as in the data");
  Checkpoint numbers = teacher_;
  numbers.contract.outputs[0].task = Task::kNumbers;
  refused(numbers, ErrorCode::kUnsupported, "`teacher`: the teacher's task is numbers, expected classes");
  std::string text = kTinySpec;
  text.replace(text.find("units = 4"), 9, "units = 6");
  Checkpoint more = teacher_;
  more.network = Parsed(text);
  refused(more, ErrorCode::kInvalidArgument,
          "`teacher`: the teacher ends in [1, 6], expected [1, 4] as network 'tiny' does");
  EXPECT_FALSE(FileExists(dir_ / "run")) << "nothing is written before";
}

}  // namespace
}  // namespace qat
