// Whole runs on a tiny network: what is on disk afterwards, byte by byte.
#include "train/trainer.h"

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
using testing::kTinySpec;
using testing::Parsed;
using testing::Quarters;
using testing::RunTiny;
using testing::TempDir;
using testing::TinyConfig;

// The brightness of an 8x8 image, and another target that is 5000 less and a hundredth of it.
Dataset Brightness(int64_t count, uint64_t seed, bool scaled) {
  Dataset data = Quarters(count, seed);
  data.labels.clear();
  data.class_names.clear();
  data.task = Task::kNumbers;
  data.targets = 2;
  for (int64_t n = 0; n < count; ++n) {
    float sum = 0;
    for (const uint8_t byte : data.Image(n)) sum += byte;
    const float mean = sum / 64;
    data.numbers.push_back(scaled ? 1000 * mean : mean);
    data.numbers.push_back(scaled ? mean / 100 - 5000 : mean);
  }
  return data;
}

TEST(Train, LearnsWithFakeQuantization) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.steps = 200;
  const auto result = RunTiny(config, dir / "run");
  QAT_ASSERT_OK(result);
  EXPECT_EQ(result->step, 200);
  EXPECT_GT(result->holdout_accuracy, 60) << "guessing gives 25";
  EXPECT_GT(result->best_step, 25) << "one measured before the delay is never the best";
  QAT_ASSERT_OK(ReadCheckpoint(result->checkpoint));
}

TEST(Train, GivesTheSameBytesTwice) {
  TempDir dir;
  QAT_ASSERT_OK(RunTiny(TinyConfig(), dir / "a"));
  QAT_ASSERT_OK(RunTiny(TinyConfig(), dir / "b"));
  ExpectSameRun(dir / "a", dir / "b");
}

TEST(Train, FollowsItsSeed) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  QAT_ASSERT_OK(RunTiny(config, dir / "a"));
  config.seed = 2;
  QAT_ASSERT_OK(RunTiny(config, dir / "b"));
  EXPECT_NE(ReadCheckpoint(CheckpointPath(dir / "a", 60))->tensors,
            ReadCheckpoint(CheckpointPath(dir / "b", 60))->tensors);
}

TEST(Train, TargetsOfAnyScaleAreLearnedAlike) {
  const Graph network = testing::OneLayer(8, 8, 1, "op = \"fully_connected\"\nunits = 2");
  TrainConfig config = TinyConfig();
  config.steps = 200;
  config.scheme = "float32";
  config.scale_to_targets = true;
  config.shift_pixels = 0;
  std::vector<float> filters[2];
  OutputContract outputs[2];
  TrainResult results[2];
  for (const bool scaled : {false, true}) {
    TempDir dir;
    const Dataset train = Brightness(300, 1, scaled), test = Brightness(80, 2, scaled);
    const auto result = Train(network, config, train, test, dir / "run", {}, {});
    QAT_ASSERT_OK(result);
    results[scaled] = *result;
    filters[scaled] = ReadCheckpoint(result->checkpoint)->tensors.at("layer/filter").values;
    outputs[scaled] = ReadCheckpoint(result->checkpoint)->contract.outputs.at(0);
  }
  EXPECT_EQ(outputs[1].task, Task::kNumbers);
  ASSERT_EQ(outputs[1].mean.size(), 2u);
  EXPECT_NEAR(outputs[1].mean[0], 1000 * outputs[0].mean[0], 1e-3 * outputs[1].mean[0]);
  EXPECT_NEAR(outputs[1].mean[1], outputs[0].mean[1] / 100 - 5000, 1e-3);
  EXPECT_NEAR(outputs[1].std[1], outputs[0].std[1] / 100, 1e-3 * outputs[1].std[1]);
  // What decides on the best checkpoint counts both, whatever their units; each is told in its own.
  EXPECT_TRUE(results[0].in_deviations && results[1].in_deviations);
  EXPECT_NEAR(results[1].holdout_rmse, results[0].holdout_rmse, 0.02 * results[0].holdout_rmse);
  EXPECT_NEAR(results[1].best_rmse, results[0].best_rmse, 0.02 * results[0].best_rmse);
  ASSERT_EQ(results[1].target_rmse.size(), 2u);
  EXPECT_NEAR(results[1].target_rmse[0], 1000 * results[0].target_rmse[0], 0.02 * results[1].target_rmse[0]);
  EXPECT_NEAR(results[1].target_rmse[1], results[0].target_rmse[1] / 100, 0.05 * results[1].target_rmse[1]);
  double squares = 0;
  for (size_t i = 0; i < 2; ++i)
    squares += std::pow(results[1].target_rmse[i] / double{outputs[1].std[i]}, 2) / 2;
  EXPECT_NEAR(results[1].holdout_rmse, std::sqrt(squares), 1e-3 * results[1].holdout_rmse);
  ASSERT_EQ(filters[0].size(), 128u);
  for (size_t k = 0; k < 128; ++k) {
    // What float32 keeps of 5000 plus a hundredth is the limit of the second one.
    EXPECT_NEAR(filters[1][k], filters[0][k], k < 64 ? 1e-3 : 0.05) << k;
  }
}

// One answer in 400 is far from the others, and none of them is to be cut off. A pass has 50 batches, so
// the latest ones need not contain it.
TEST(Train, RangesOfNumbersHoldTheFarthestAnswers) {
  const Graph network = testing::OneLayer(8, 8, 1, "op = \"fully_connected\"\nunits = 2");
  Dataset train = Brightness(850, 1, /*scaled=*/false);
  for (size_t n = 0; n < 850; ++n) {
    const auto grey = static_cast<uint8_t>(n % 400 == 5 ? 255 : n % 120);
    std::fill_n(train.images.begin() + static_cast<std::ptrdiff_t>(n * 64), 64, grey);
    train.numbers[n * 2] = train.numbers[n * 2 + 1] = grey;
  }
  TrainConfig config = TinyConfig();
  config.steps = 400;
  config.quant_delay = 200;
  config.scheme = "int8";
  config.shift_pixels = 0;
  config.ema_decay = 0.999;
  config.eval_every = config.checkpoint_every = 200;
  for (const double average : {0.0, 0.9}) {
    TempDir dir;
    config.weight_average_decay = average;
    const auto result = Train(network, config, train, Brightness(80, 2, false), dir / "run", {}, {});
    QAT_ASSERT_OK(result);
    const auto last = ReadCheckpoint(CheckpointPath(dir / "run", 400));
    QAT_ASSERT_OK(last);
    const InputContract& input = last->contract.input();
    const float white = (255 - input.mean.at(0)) / input.std.at(0);
    float farthest = last->tensors.at("layer/bias").values.at(0);
    for (size_t k = 0; k < 64; ++k) farthest += white * last->tensors.at("layer/filter").values.at(k);
    EXPECT_GT(farthest, 2.5f) << "the others lie within 2";
    ASSERT_EQ(last->ranges.count("layer"), 1u);
    EXPECT_GT(last->ranges.at("layer").range.max, 0.93f * farthest) << average;
    EXPECT_LT(last->ranges.at("layer").range.max, 1.3f * farthest)
        << "what the first steps gave is forgotten";
  }
}

TEST(Train, TellsTheEvaluationOfAStepWithThatStep) {
  TempDir dir;
  std::vector<TrainProgress> seen;
  TrainCallbacks callbacks;
  callbacks.on_step = [&](const TrainProgress& at) { seen.push_back(at); };
  const auto result = RunTiny(TinyConfig(), dir / "run", false, callbacks);
  QAT_ASSERT_OK(result);
  ASSERT_EQ(seen.size(), 60u);
  EXPECT_FALSE(seen[8].evaluated);
  EXPECT_TRUE(seen[9].evaluated);
  EXPECT_EQ(seen[59].holdout_accuracy, result->holdout_accuracy) << "the last line says what the table does";
  EXPECT_GT(seen[6].training_accuracy, 0) << "logged at this step, told before it starts anew";
}

TEST(Train, Float32HasNoRanges) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.scheme = "float32";
  QAT_ASSERT_OK(RunTiny(config, dir / "run"));
  const auto checkpoint = ReadCheckpoint(CheckpointPath(dir / "run", 60));
  QAT_ASSERT_OK(checkpoint);
  EXPECT_TRUE(checkpoint->ranges.empty());
  EXPECT_EQ(checkpoint->metrics.at("fake_quantize"), 0);
  EXPECT_EQ(checkpoint->tensors.size(), 6u);
}

TEST(Train, RangesOfAveragedWeightsAreTheirOwn) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.weight_average_decay = 0.95;
  QAT_ASSERT_OK(RunTiny(config, dir / "run"));
  const auto checkpoint = ReadCheckpoint(CheckpointPath(dir / "run", 60));
  QAT_ASSERT_OK(checkpoint);
  for (const std::string layer : {"conv1", "fc1", "logits"}) {
    const std::vector<float>& values = checkpoint->tensors.at(layer + "/filter").values;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    EXPECT_EQ(checkpoint->ranges.at(layer + "/filter").range,
              (Range{std::min(*low, 0.f), std::max(*high, 0.f)}));
  }
}

TEST(Train, FrozenRangesStandStill) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.freeze_ranges_fraction = 0.5;
  QAT_ASSERT_OK(RunTiny(config, dir / "run"));
  const auto early = ReadCheckpoint(CheckpointPath(dir / "run", 30));
  const auto late = ReadCheckpoint(CheckpointPath(dir / "run", 60));
  EXPECT_EQ(early->ranges.at("fc1").range, late->ranges.at("fc1").range);
  EXPECT_EQ(late->ranges.at("fc1").drift, 0);
  EXPECT_GT(early->ranges.at("fc1").drift, 0);
}

TEST(Train, WritesTheEventsOfTheRun) {
  TempDir dir;
  QAT_ASSERT_OK(RunTiny(TinyConfig(), dir / "run"));
  const std::string log = *ReadTextFile(dir / "run/metrics.ndjson");
  EXPECT_TRUE(log.starts_with(
      R"({"event":"start","step":0,"steps":60,"quant_delay":25,"batch_size":16,"scheme":"uint8"})"));
  for (const char* text :
       {R"({"event":"train","step":7,"loss":)", R"({"event":"quantize","step":25})",
        R"({"event":"eval","step":10,"split":"holdout","accuracy":)",
        R"({"event":"range","step":10,"layer":"conv1","min":0,)", R"({"event":"checkpoint","step":60})",
        R"({"event":"end","step":60,"best_step":)"}) {
    EXPECT_NE(log.find(text), std::string::npos) << text;
  }
}

TEST(Train, LogsTheNormOfTheGradientThatTheStepTook) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.optimizer = "sgd";
  config.weight_decay = 0;
  config.log_every = config.eval_every = config.checkpoint_every = 1;
  config.quant_delay = 1;
  config.steps = 2;
  QAT_ASSERT_OK(RunTiny(config, dir / "run"));
  const auto after = ReadTrainerState(TrainerStatePath(dir / "run", 1));
  QAT_ASSERT_OK(after);
  // After one step, the momentum buffer holds its gradient.
  double squares = 0;
  for (const auto& [name, tensor] : after->tensors) {
    if (!name.starts_with("sgd/velocity/")) continue;
    for (const float value : tensor.values) squares += double{value} * value;
  }
  const std::string log = *ReadTextFile(dir / "run/metrics.ndjson");
  const std::string key = "\"gradient_norm\":";
  const size_t at = log.find(key, log.find(R"({"event":"train","step":1,)"));
  ASSERT_NE(at, std::string::npos);
  EXPECT_GT(squares, 0);
  EXPECT_NEAR(std::stod(log.substr(at + key.size())), std::sqrt(squares), 1e-6 * std::sqrt(squares));
}

TEST(Train, LogsWhenBatchNormsFreezeAndWhatRangesClip) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.bn_freeze = 40;
  QAT_ASSERT_OK(
      Train(testing::TinyNormed("0.9"), config, Quarters(300, 1), Quarters(80, 2), dir / "run", {}, {}));
  const std::string log = *ReadTextFile(dir / "run/metrics.ndjson");
  EXPECT_NE(log.find("{\"event\":\"freeze_batch_norm\",\"step\":40}\n"), std::string::npos) << log;
  // Of outputs; a filter's range holds all its values.
  const size_t output = log.find(R"({"event":"range","step":60,"layer":"fc1",)");
  EXPECT_NE(log.substr(output, log.find('\n', output) - output).find("\"clipped\":0"), std::string::npos);
  const size_t filter = log.find(R"({"event":"range","step":60,"layer":"fc1/filter",)");
  EXPECT_EQ(log.substr(filter, log.find('\n', filter) - filter).find("clipped"), std::string::npos);
  QAT_ASSERT_OK(RunTiny(config, dir / "plain"));
  EXPECT_EQ(ReadTextFile(dir / "plain/metrics.ndjson")->find("freeze_batch_norm"), std::string::npos);
}

TEST(Train, NamesShapesThatDoNotFit) {
  TempDir dir;
  Dataset wide = Quarters(100, 1);
  wide.input().height = 4;
  wide.input().width = 16;
  const Graph network = Parsed(kTinySpec);
  QAT_EXPECT_ERROR(Train(network, TinyConfig(), wide, Quarters(10, 2), dir / "run", {}, {}),
                   ErrorCode::kInvalidArgument, "[1, 4, 16, 1], expected [1, 8, 8, 1]");
  Dataset many = Quarters(100, 1);
  many.labels[3] = 4;
  QAT_EXPECT_ERROR(
      Train(network, TinyConfig(), many, Quarters(10, 2), dir / "run", {}, {}), ErrorCode::kInvalidArgument,
      "the training labels of quarters are of 5 classes, but the last layer 'logits' of network "
      "'tiny' has 4 outputs, expected one per class: write units = \"classes\" there and classes = 5 "
      "at the top");
  TrainConfig three = TinyConfig();
  three.std.values = {1, 2, 3};
  QAT_EXPECT_ERROR(Train(network, three, Quarters(100, 1), Quarters(10, 2), dir / "run", {}, {}),
                   ErrorCode::kInvalidArgument,
                   "std has 3 numbers, expected 1, or one for each of the 1 channels");
  TrainConfig config = TinyConfig();
  config.holdout = 100;
  QAT_EXPECT_ERROR(Train(network, config, Quarters(100, 1), Quarters(10, 2), dir / "run", {}, {}),
                   ErrorCode::kInvalidArgument,
                   "holdout is 100, expected less than the 100 training examples of quarters; without it, 10 "
                   "are held out");
}

}  // namespace
}  // namespace qat
