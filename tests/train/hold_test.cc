// Layers that stay as they are while the others learn.
#include <gtest/gtest.h>

#include "checkpoint/checkpoint.h"
#include "support/test_util.h"
#include "train/run_store.h"
#include "train/tiny_run.h"

namespace qat {
namespace {

using testing::Quarters;
using testing::TempDir;
using testing::TinyConfig;

class Hold : public ::testing::Test {
 protected:
  Expected<TrainResult> Run(const TrainConfig& config, const std::string& run, const Checkpoint* init) {
    return Train(network_, config, train_, test_, run, {false, init}, {});
  }
  static Checkpoint Last(const std::string& run) {
    return *ReadCheckpoint(CheckpointPath(run, ListCheckpoints(run)->back()));
  }

  const Graph network_ = testing::TinyNormed("0.9");
  const Dataset train_ = Quarters(300, 1), test_ = Quarters(80, 2);
  const TempDir dir_;
};

// To the bit: filter, batch normalization and its averages.
TEST_F(Hold, HeldLayersStayAndOthersLearn) {
  TrainConfig config = TinyConfig();
  config.steps = 30;
  config.quant_delay = 10;
  QAT_ASSERT_OK(Run(config, dir_ / "init", nullptr));
  const Checkpoint init = Last(dir_ / "init");
  config.freeze_layers = "conv.*";
  for (const char* how : {"plain", "averaged", "two threads", "sgd"}) {
    TrainConfig own = config;
    if (how == std::string("averaged")) own.weight_average_decay = 0.9;
    if (how == std::string("two threads")) own.threads = 2;
    if (how == std::string("sgd")) own.optimizer = "sgd", own.weight_decay = 0.1, own.clip_norm = 0.5;
    const std::string run = dir_ / how;
    QAT_ASSERT_OK(Run(own, run, &init));
    const Checkpoint last = Last(run);
    for (const auto& [name, tensor] : last.tensors) {
      const bool same = tensor.values == init.tensors.at(name).values;
      EXPECT_EQ(same, name.starts_with("conv1/")) << how << ": " << name;
    }
    EXPECT_TRUE(last.tensors.contains("conv1/moving_variance"));
  }
}

TEST_F(Hold, NamesThatAreNoneAndAllLayersAreRefused) {
  TrainConfig config = TinyConfig();
  config.freeze_layers = "conv";
  QAT_EXPECT_ERROR(
      Run(config, dir_ / "none", nullptr), ErrorCode::kInvalidArgument,
      "`freeze_layers`: no layer has a name that 'conv' describes from its beginning to its end, "
      "expected one of: conv1, fc1");
  config.freeze_layers = ".*";
  QAT_EXPECT_ERROR(Run(config, dir_ / "all", nullptr), ErrorCode::kInvalidArgument,
                   "describes all layers with parameters, expected one that learns");
  config.freeze_layers = "(";
  QAT_EXPECT_ERROR(Run(config, dir_ / "wrong", nullptr), ErrorCode::kInvalidArgument,
                   "is no regular expression");
  for (const char* run : {"none", "all", "wrong"}) EXPECT_FALSE(FileExists(dir_ / run)) << "nothing is left";
}

}  // namespace
}  // namespace qat
