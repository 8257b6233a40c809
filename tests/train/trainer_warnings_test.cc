// What whole runs warn of while they run: good ones of nothing, bad ones of their fault.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/file.h"
#include "support/test_util.h"
#include "train/run_store.h"
#include "train/tiny_run.h"

namespace qat {
namespace {

using testing::ExpectSameRun;
using testing::InterruptAt;
using testing::kTinySpec;
using testing::Parsed;
using testing::Quarters;
using testing::RunTiny;
using testing::TempDir;
using testing::TinyConfig;

using Warnings = std::vector<std::string>;

Warnings WarningsOf(const TrainConfig& config, const Dataset& train, const std::string& run,
                    const Checkpoint* init = nullptr) {
  Warnings all;
  TrainCallbacks callbacks;
  callbacks.on_warning = [&](const std::string& warning) { all.push_back(warning); };
  EXPECT_TRUE((Train(Parsed(kTinySpec), config, train, Quarters(80, 2), run, {false, init}, callbacks)).ok());
  return all;
}

// A network whose fc1 gives 0 for everything, and has no gradient that could change that.
Checkpoint DeadNetwork(const TempDir& dir) {
  EXPECT_TRUE((RunTiny(TinyConfig(), dir / "alive")).ok());
  Checkpoint checkpoint = *ReadCheckpoint(CheckpointPath(dir / "alive", 60));
  std::vector<float>& bias = checkpoint.tensors.at("fc1/bias").values;
  std::fill(bias.begin(), bias.end(), -1000.0f);
  return checkpoint;
}

int64_t CountOf(const std::string& text, const std::string& piece) {
  int64_t count = 0;
  for (size_t at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++count;
  return count;
}

TEST(TrainWarnings, AGoodRunHasNone) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.steps = 300;
  config.quant_delay = 150;
  EXPECT_EQ(WarningsOf(config, Quarters(300, 1), dir / "run"), Warnings());
  EXPECT_EQ(ReadTextFile(dir / "run/metrics.ndjson")->find("\"event\":\"warning\""), std::string::npos);
}

TEST(TrainWarnings, ADeadLayerIsNamedWhileTheRunGoesOnAndLogged) {
  TempDir dir;
  const Checkpoint dead = DeadNetwork(dir);
  const Warnings warnings = WarningsOf(TinyConfig(), Quarters(300, 1), dir / "run", &dead);
  ASSERT_FALSE(warnings.empty());
  EXPECT_TRUE(warnings[0].starts_with("layer 'fc1' is dead: after step 20 ")) << warnings[0];
  const std::string log = *ReadTextFile(dir / "run/metrics.ndjson");
  EXPECT_EQ(CountOf(log, R"({"event":"warning","step":20,"text":"layer 'fc1' is dead)"), 1);
  EXPECT_EQ(CountOf(log, "\"event\":\"warning\""), 1);
}

TEST(TrainWarnings, ARunThatIsResumedLogsThemAsOneNeverStopped) {
  TempDir dir;
  const Checkpoint dead = DeadNetwork(dir);
  const Dataset train = Quarters(300, 1), test = Quarters(80, 2);
  WarningsOf(TinyConfig(), train, dir / "straight", &dead);
  for (const int64_t step : {int64_t{14}, int64_t{20}, int64_t{37}}) {
    const std::string run = dir / ("stopped" + std::to_string(step));
    EXPECT_FALSE(
        Train(Parsed(kTinySpec), TinyConfig(), train, test, run, {false, &dead}, InterruptAt(step)).ok());
    QAT_ASSERT_OK(Train(Parsed(kTinySpec), TinyConfig(), train, test, run, {true, nullptr}, {}));
    ExpectSameRun(dir / "straight", run);
  }
}

TEST(TrainWarnings, LabelsThatMeanNothingAreAnsweredByChance) {
  TempDir dir;
  Dataset train = Quarters(600, 1);
  Random random(3);
  for (int32_t& label : train.labels) label = random.Between(0, 3);
  TrainConfig config = TinyConfig();
  config.holdout = 300;
  const Warnings warnings = WarningsOf(config, train, dir / "run");
  const auto chance = std::count_if(warnings.begin(), warnings.end(), [](const std::string& warning) {
    return warning.find("of 60 the answers on the holdout are no better than guessing") != std::string::npos;
  });
  EXPECT_EQ(chance, 1);
  EXPECT_EQ(ReadTextFile(dir / "run/metrics.ndjson")->find(" is dead"), std::string::npos);
}

}  // namespace
}  // namespace qat
