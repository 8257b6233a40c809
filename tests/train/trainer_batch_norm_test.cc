// Batch norms over a whole run: what is learned, frozen, saved and resumed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "quant/batch_norm.h"
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
using testing::TempDir;
using testing::TinyConfig;
using testing::TinyNormed;

// A batch norm with each of its phases: by the batch, corrected, frozen.
TEST(Train, ResumesBatchNormsInEveryPhase) {
  const Graph network = Parsed(std::string(kTinySpec).replace(std::string(kTinySpec).find("stride = 2"), 10,
                                                              "stride = 2\nbatch_norm = true"));
  const Dataset train = Quarters(300, 1);
  const Dataset test = Quarters(80, 2);
  for (const char* scheme : {"uint8", "int8", "float32", "averaged"}) {
    TempDir dir;
    TrainConfig config = TinyConfig();
    config.scheme = scheme;
    if (config.scheme == "averaged") {
      config.scheme = "uint8";
      config.weight_average_decay = 0.9;
    }
    config.bn_freeze = 40;
    config.bn_freeze_fraction = 0;
    QAT_ASSERT_OK(Train(network, config, train, test, dir / "straight", {}, {}));
    for (const int64_t step : {int64_t{15}, int64_t{33}, int64_t{52}}) {
      const std::string run = dir / ("stopped" + std::to_string(step));
      ASSERT_FALSE(Train(network, config, train, test, run, {}, InterruptAt(step)).ok());
      QAT_ASSERT_OK(Train(network, config, train, test, run, {true, nullptr}, {}));
      SCOPED_TRACE(std::string(scheme) + ", stopped at " + std::to_string(step));
      ExpectSameRun(dir / "straight", run);
    }
    const auto early = ReadCheckpoint(CheckpointPath(dir / "straight", 40));
    const auto late = ReadCheckpoint(CheckpointPath(dir / "straight", 60));
    QAT_ASSERT_OK(early);
    QAT_ASSERT_OK(late);
    EXPECT_TRUE(early->batch_norm_gaps.contains("conv1"));
    EXPECT_NE(early->tensors.at("conv1/gamma"), late->tensors.at("conv1/gamma")) << "still learning";
    if (config.weight_average_decay > 0 || config.scheme == "float32") continue;
    EXPECT_EQ(early->batch_norm_gaps, late->batch_norm_gaps) << "as they were frozen";
    EXPECT_EQ(early->tensors.at("conv1/moving_mean"), late->tensors.at("conv1/moving_mean")) << "frozen";
  }
}

// With plain moving averages a momentum of 0.999 left the initial 0 and 1 in a run of 150 steps: answers at
// chance.
TEST(Train, BatchNormsSettleInShortRunsWhateverTheMomentum) {
  const Dataset train = Quarters(1000, 1), test = Quarters(80, 2);
  std::vector<TrainConfig> recipes(4, TinyConfig());
  recipes[1].scheme = "float32";
  recipes[2].scheme = "int8";
  recipes[3].weight_average_decay = 0.99;
  for (TrainConfig& config : recipes) {
    config.steps = 150;
    config.holdout = 200;
    config.eval_every = config.checkpoint_every = 150;
    for (const char* momentum : {"0.9", "0.99", "0.999"}) {
      TempDir dir;
      SCOPED_TRACE(config.scheme + ", momentum " + momentum);
      const auto result = Train(TinyNormed(momentum), config, train, test, dir / "run", {}, {});
      QAT_ASSERT_OK(result);
      EXPECT_GT(result->holdout_accuracy, 70) << "guessing gives 25";
      const auto checkpoint = ReadCheckpoint(result->checkpoint);
      QAT_ASSERT_OK(checkpoint);
      EXPECT_LT(checkpoint->batch_norm_gaps.at("conv1"), 0.25) << "settled";
      EXPECT_GT(checkpoint->batch_norm_gaps.at("conv1"), 0) << "measured";
    }
  }
}

// What is saved while batch norms learn: filters folded with the statistics beside them, and the ranges of
// these filters.
TEST(Train, RangesOfFiltersFitTheStatisticsThatAreSavedWithThem) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.bn_freeze = 60;
  const Graph network = TinyNormed("0.99");
  QAT_ASSERT_OK(Train(network, config, Quarters(300, 1), Quarters(80, 2), dir / "run", {}, {}));
  for (const int64_t step : {20, 60}) {
    const auto checkpoint = ReadCheckpoint(CheckpointPath(dir / "run", step));
    QAT_ASSERT_OK(checkpoint);
    const auto values = [&](const std::string& name) -> const std::vector<float>& {
      return checkpoint->tensors.at("conv1/" + name).values;
    };
    const FoldedFilter folded =
        FoldBatchNorm(values("filter"), 9,
                      {values("gamma"), values("beta"), values("moving_mean"), values("moving_variance"),
                       network.nodes[0].batch_norm->epsilon});
    const auto [low, high] = std::minmax_element(folded.filter.begin(), folded.filter.end());
    const Range range = checkpoint->ranges.at("conv1/filter").range;
    EXPECT_NEAR(range.min, std::min(*low, 0.f), 1e-6) << step;
    EXPECT_NEAR(range.max, std::max(*high, 0.f), 1e-6) << step;
  }
}

// A layer with one value per channel and example, after one batch of two: their mean says little about the
// rest.
TEST(Train, MeasuresStatisticsThatHaveNotSettled) {
  const Dataset train = Quarters(300, 1), test = Quarters(80, 2);
  std::string text = kTinySpec;
  text.replace(text.find("units = 12"), 10, "units = 12\nbatch_norm = true");
  TrainConfig config = TinyConfig();
  config.batch_size = 2;
  config.scheme = "float32";
  std::map<int64_t, double> gaps;
  for (const int64_t steps : {1, 300}) {
    TempDir dir;
    config.steps = steps;
    config.eval_every = config.checkpoint_every = steps;
    const auto result = Train(Parsed(text), config, train, test, dir / "run", {}, {});
    QAT_ASSERT_OK(result);
    gaps[steps] = ReadCheckpoint(result->checkpoint)->batch_norm_gaps.at("fc1");
  }
  EXPECT_GT(gaps[1], 0.25) << "unsettled";
  EXPECT_LT(gaps[300], gaps[1] / 2);
}

}  // namespace
}  // namespace qat
