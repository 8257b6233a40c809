// Runs that are stopped, killed, damaged or out of patience, and go on.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "support/test_util.h"
#include "train/run_store.h"
#include "train/tiny_run.h"

namespace qat {
namespace {

using testing::ExpectSameRun;
using testing::Files;
using testing::InterruptAt;
using testing::RunTiny;
using testing::TempDir;
using testing::TinyConfig;

// The same recipe under several settings that each add state.
std::vector<TrainConfig> Recipes() {
  std::vector<TrainConfig> recipes(5, TinyConfig());
  recipes[1].optimizer = "sgd";
  recipes[1].eval_every = 7;
  recipes[1].rotate_degrees = 10;
  recipes[2].weight_average_decay = 0.9;
  recipes[2].freeze_ranges_fraction = 0.7;
  recipes[3].scheme = "float32";
  recipes[3].label_smoothing = 0.1;
  recipes[3].freeze_layers = "fc1";
  recipes[4].optimizer = "sgd";
  recipes[4].nesterov = true;
  recipes[4].schedule = "one-cycle";
  recipes[4].clip_norm = 0.5;
  recipes[4].mixup = 0.3;
  return recipes;
}

// Rewrites what the newest checkpoint of a run says of its holdout; empty: as the first versions, which said
// nothing.
void SayOfHoldout(const std::string& run, const std::string& sha256) {
  const std::string path = CheckpointPath(run, ListCheckpoints(run)->back());
  Checkpoint checkpoint = *ReadCheckpoint(path);
  ASSERT_EQ(checkpoint.provenance.erase("holdout_sha256"), 1u);
  if (!sha256.empty()) checkpoint.provenance["holdout_sha256"] = sha256;
  QAT_ASSERT_OK(WriteFile(path, Serialize(checkpoint)));
}

TEST(Train, ResumesToTheBytesOfARunNeverStopped) {
  Random random(9);
  int number = 0;
  for (const TrainConfig& config : Recipes()) {
    TempDir dir;
    QAT_ASSERT_OK(RunTiny(config, dir / "straight"));
    // Somewhere, on a checkpoint, and before the first one.
    for (int64_t step : {int64_t{random.Between(11, 58)}, int64_t{30}, int64_t{3}}) {
      const std::string run = dir / ("stopped" + std::to_string(step));
      const auto stopped = RunTiny(config, run, false, InterruptAt(step));
      ASSERT_FALSE(stopped.ok());
      EXPECT_EQ(static_cast<int>(stopped.error().code), static_cast<int>(ErrorCode::kInterrupted));
      EXPECT_NE(stopped.error().message.find(CheckpointPath(run, step)), std::string::npos);
      EXPECT_TRUE(FileExists(CheckpointPath(run, step)));
      QAT_ASSERT_OK(RunTiny(config, run, true));
      SCOPED_TRACE("recipe " + std::to_string(number) + ", stopped at " + std::to_string(step));
      ExpectSameRun(dir / "straight", run);
    }
    ++number;
  }
}

// Nothing is learned, so the first evaluation with fake quantization, of step 10, stays the best: three more
// are waited for.
TEST(Train, EndsWithItsPatienceAndResumesToTheSameBytes) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.learning_rate = 1e-12;
  config.quant_delay = 5;
  config.patience = 3;
  const auto straight = RunTiny(config, dir / "straight");
  QAT_ASSERT_OK(straight);
  EXPECT_EQ(straight->step, 40);
  EXPECT_EQ(straight->best_step, 10);
  EXPECT_TRUE(straight->out_of_patience);
  for (const int64_t step : {int64_t{3}, int64_t{20}, int64_t{33}}) {
    const std::string run = dir / ("stopped" + std::to_string(step));
    ASSERT_FALSE(RunTiny(config, run, false, InterruptAt(step)).ok());
    QAT_ASSERT_OK(RunTiny(config, run, true));
    ExpectSameRun(dir / "straight", run);
  }
  QAT_ASSERT_OK(RunTiny(config, dir / "straight", true));
  EXPECT_EQ(ListCheckpoints(dir / "straight")->back(), 40) << "a run that has ended stays so";
}

TEST(Train, PatienceWaitsForFakeQuantization) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.learning_rate = 1e-12;
  config.patience = 1;
  const auto late = RunTiny(config, dir / "late");
  QAT_ASSERT_OK(late);
  EXPECT_EQ(late->step, 40) << "the delay is 25: the evaluations of 30 and 40 count";
  config.scheme = "float32";
  const auto never = RunTiny(config, dir / "never");
  QAT_ASSERT_OK(never);
  EXPECT_EQ(never->step, 20);
}

// What kill -9 can leave: metrics that ran ahead, a .state without its .ckpt, a .ckpt cut in half.
TEST(Train, ResumesAfterBeingKilledAnywhere) {
  TempDir dir;
  QAT_ASSERT_OK(RunTiny(TinyConfig(), dir / "straight"));
  const std::string run = dir / "killed";
  ASSERT_FALSE(RunTiny(TinyConfig(), run, false, InterruptAt(40)).ok());
  const std::string log = *ReadTextFile(run + "/metrics.ndjson");
  QAT_ASSERT_OK(WriteFile(run + "/metrics.ndjson", log + "{\"event\":\"train\",\"step\":4"));
  QAT_ASSERT_OK(WriteFile(TrainerStatePath(run, 45), std::string_view("half of a sta")));
  const Bytes whole = *ReadFile(CheckpointPath(run, 40));
  QAT_ASSERT_OK(WriteFile(CheckpointPath(run, 40), std::span(whole).first(whole.size() / 2)));
  QAT_ASSERT_OK(RunTiny(TinyConfig(), run, true));
  ExpectSameRun(dir / "straight", run);
}

TEST(Train, ResumesWithTheSameHoldoutOrNotAtAll) {
  TempDir dir;
  QAT_EXPECT_ERROR(RunTiny(TinyConfig(), dir / "run", false, InterruptAt(15)), ErrorCode::kInterrupted, "");
  SayOfHoldout(dir / "run", "0123");
  QAT_EXPECT_ERROR(RunTiny(TinyConfig(), dir / "run", true), ErrorCode::kUnsupported,
                   "holds out other examples");
}

TEST(Train, ARunOfBeforeKeepsTheShuffledHoldoutThatItBegan) {
  TempDir dir;
  QAT_EXPECT_ERROR(RunTiny(TinyConfig(), dir / "run", false, InterruptAt(15)), ErrorCode::kInterrupted, "");
  SayOfHoldout(dir / "run", "");
  std::vector<int32_t> holdout;
  TrainCallbacks callbacks;
  callbacks.on_start = [&](const HoldoutSplit& split) { holdout = split.holdout; };
  QAT_ASSERT_OK(RunTiny(TinyConfig(), dir / "run", true, callbacks));
  EXPECT_EQ(holdout, ShuffledHoldout(300, 50, TinyConfig().seed).holdout);
  EXPECT_FALSE(ReadCheckpoint(CheckpointPath(dir / "run", 60))->provenance.contains("holdout_sha256"));
}

TEST(Train, ResumesFromTheCheckpointBeforeADamagedOneAndSaysSo) {
  TempDir dir;
  const std::string run = dir / "run";
  ASSERT_FALSE(RunTiny(TinyConfig(), run, false, InterruptAt(40)).ok());
  QAT_ASSERT_OK(WriteFile(TrainerStatePath(run, 40), std::string_view("damaged")));
  std::vector<std::string> warnings;
  TrainCallbacks callbacks;
  callbacks.on_warning = [&](const std::string& warning) { warnings.push_back(warning); };
  QAT_ASSERT_OK(RunTiny(TinyConfig(), run, true, callbacks));
  ASSERT_FALSE(warnings.empty());
  EXPECT_NE(warnings[0].find("0000000040.state"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[0].find("resuming from step 30 instead of 40"), std::string::npos) << warnings[0];
}

TEST(Train, NeverStartsAnewWhereTheOnlyStateIsDamaged) {
  TempDir dir;
  const std::string run = dir / "run";
  ASSERT_FALSE(RunTiny(TinyConfig(), run, false, InterruptAt(10)).ok());
  QAT_ASSERT_OK(WriteFile(TrainerStatePath(run, 10), std::string_view("damaged")));
  const auto before = Files(run);
  QAT_EXPECT_ERROR(RunTiny(TinyConfig(), run, true), ErrorCode::kCorrupt, "0000000010.state: ");
  EXPECT_EQ(Files(run), before);
}

TEST(Train, ResumingAFinishedRunChangesNothing) {
  TempDir dir;
  QAT_ASSERT_OK(RunTiny(TinyConfig(), dir / "run"));
  const auto before = Files(dir / "run");
  const auto again = RunTiny(TinyConfig(), dir / "run", true);
  QAT_ASSERT_OK(again);
  EXPECT_EQ(again->step, 60);
  EXPECT_EQ(Files(dir / "run"), before);
}

TEST(Train, RefusesToMixRuns) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  QAT_ASSERT_OK(RunTiny(config, dir / "run"));
  QAT_EXPECT_ERROR(RunTiny(config, dir / "run"), ErrorCode::kInvalidArgument,
                   "already contains a run, up to step 60");
  config.learning_rate = 0.125;
  QAT_EXPECT_ERROR(RunTiny(config, dir / "run", true), ErrorCode::kInvalidArgument,
                   "now 'learning_rate = 0.125'");
}

TEST(IsKept, KeepsAllOfAFewAndASpreadOfMany) {
  Schedule schedule;
  schedule.checkpoint_every = 10;
  const auto kept = [&](int64_t newest) {
    int64_t count = 0;
    for (int64_t step = 10; step <= newest; step += 10) count += IsKept(schedule, step, newest, 70);
    return count;
  };
  EXPECT_EQ(kept(200), 20);
  EXPECT_LE(kept(210), 16);
  EXPECT_LE(kept(100000), 16);
  EXPECT_TRUE(IsKept(schedule, 70, 100000, 70)) << "the best";
  EXPECT_TRUE(IsKept(schedule, 99960, 100000, 70)) << "a recent one";
  EXPECT_FALSE(IsKept(schedule, 45, 50, 70)) << "of an interruption";
}

TEST(IsKept, NeverWantsBackWhatWasRemoved) {
  Schedule schedule;
  schedule.checkpoint_every = 1;
  std::vector<bool> gone(2000, false);
  for (int64_t newest = 1; newest < 2000; ++newest) {
    for (int64_t step = 1; step <= newest; ++step) {
      const bool kept = IsKept(schedule, step, newest, 0);
      ASSERT_FALSE(kept && gone[static_cast<size_t>(step)]) << step << " at " << newest;
      gone[static_cast<size_t>(step)] = !kept;
    }
  }
}

}  // namespace
}  // namespace qat
