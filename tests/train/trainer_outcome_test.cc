// How runs start from others, and how they end where nothing is learned.
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

using testing::kTinySpec;
using testing::Parsed;
using testing::Quarters;
using testing::RunTiny;
using testing::TempDir;
using testing::TinyConfig;

TEST(Train, FineTunesFromAnotherRunsParameters) {
  TempDir dir;
  QAT_ASSERT_OK(RunTiny(TinyConfig(), dir / "first"));
  const auto first = ReadCheckpoint(CheckpointPath(dir / "first", 60));
  QAT_ASSERT_OK(first);
  TrainConfig config = TinyConfig();
  config.steps = 1;
  config.quant_delay = 0;
  config.learning_rate = 1e-30;
  config.scheme = "int8";
  const Graph network = Parsed(kTinySpec);
  const Dataset data = Quarters(300, 1);
  QAT_ASSERT_OK(Train(network, config, data, data, dir / "second", {false, &*first}, {}));
  const auto second = ReadCheckpoint(CheckpointPath(dir / "second", 1));
  QAT_ASSERT_OK(second);
  EXPECT_EQ(second->tensors, first->tensors);
  EXPECT_TRUE(second->provenance.contains("init_sha256"));
  EXPECT_TRUE(first->provenance.at("task") == "classes");
}

// Another head, and other filters in the middle: what fits by name and shape is kept, the rest is told.
TEST(Train, FineTunesWithAnotherHead) {
  TempDir dir;
  QAT_ASSERT_OK(RunTiny(TinyConfig(), dir / "first"));
  const auto first = ReadCheckpoint(CheckpointPath(dir / "first", 60));
  QAT_ASSERT_OK(first);
  TrainConfig config = TinyConfig();
  config.steps = 1;
  config.quant_delay = 0;
  config.learning_rate = 1e-30;
  std::string text = kTinySpec;
  text.replace(text.find("units = 4"), 9, "units = 3");
  Dataset data = Quarters(300, 1);
  for (int32_t& label : data.labels) label %= 3;
  data.class_names.pop_back();
  std::vector<std::string> notes;
  TrainCallbacks callbacks;
  callbacks.on_note = [&](const std::string& note) { notes.push_back(note); };
  QAT_ASSERT_OK(Train(Parsed(text), config, data, data, dir / "second", {false, &*first}, callbacks));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0],
            "`init`: 2 layers are taken over; fresh: logits (filter is [4, 12] there, [3, 12] here)");
  const auto second = ReadCheckpoint(CheckpointPath(dir / "second", 1));
  QAT_ASSERT_OK(second);
  for (const char* kept : {"conv1/filter", "conv1/bias", "fc1/filter", "fc1/bias"}) {
    EXPECT_EQ(second->tensors.at(kept), first->tensors.at(kept)) << kept;
  }
  EXPECT_EQ(second->tensors.at("logits/filter").shape, (Shape{3, 12}));

  Checkpoint other = *first;
  other.tensors.erase("fc1/bias");
  notes.clear();
  QAT_ASSERT_OK(
      Train(Parsed(kTinySpec), config, Quarters(300, 1), data, dir / "third", {false, &other}, callbacks));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("fresh: fc1 (no bias there)"), std::string::npos) << notes[0];
  EXPECT_NE(ReadCheckpoint(CheckpointPath(dir / "third", 1))->tensors.at("fc1/filter"),
            first->tensors.at("fc1/filter"))
      << "a layer is taken whole or not at all";
}

// Two numbers of very different magnitude that follow from the label.
Dataset TwoNumbers() {
  Dataset data = Quarters(300, 1);
  data.task = Task::kNumbers;
  data.targets = 2;
  for (const int32_t label : data.labels) {
    data.numbers.push_back(5000.0f + 300.0f * static_cast<float>(label));
    data.numbers.push_back(-0.25f * static_cast<float>(label));
  }
  data.labels.clear();
  data.class_names.clear();
  return data;
}

// Starts from a run that learned two numbers as they are; nothing is learned afterwards, so that what it
// starts with is seen.
class InitOfNumbers : public ::testing::Test {
 protected:
  void SetUp() override {
    config_.scheme = "float32";
    config_.scale_to_targets = false;
    text_.replace(text_.find("units = 4"), 9, "units = 2");
    QAT_ASSERT_OK(Train(Parsed(text_), config_, data_, data_, dir_ / "first", {}, {}));
    auto first = ReadCheckpoint(CheckpointPath(dir_ / "first", 60));
    QAT_ASSERT_OK(first);
    first_ = *std::move(first);
    config_.scale_to_targets = true;
    config_.steps = 1;
    config_.learning_rate = 1e-30;
    callbacks_.on_note = [&](const std::string& note) { notes_.push_back(note); };
  }

  TempDir dir_;
  const Dataset data_ = TwoNumbers();
  TrainConfig config_ = TinyConfig();
  std::string text_ = kTinySpec;
  Checkpoint first_;
  std::vector<std::string> notes_;
  TrainCallbacks callbacks_;
};

// A network that gives the numbers themselves, as those of others do, is not learned so just because it comes
// with weights.
TEST_F(InitOfNumbers, NormalizesTheTargetsOfANetworkThatGaveThemAsTheyAre) {
  ASSERT_TRUE(first_.contract.outputs.at(0).mean.empty());
  // Answers about the targets, which 60 steps are too few for.
  first_.tensors.at("logits/bias").values = {5450, -0.375f};
  for (float& weight : first_.tensors.at("logits/filter").values) weight *= 0.01f;
  QAT_ASSERT_OK(Train(Parsed(text_), config_, data_, data_, dir_ / "second", {false, &first_}, callbacks_));
  const auto second = ReadCheckpoint(CheckpointPath(dir_ / "second", 1));
  QAT_ASSERT_OK(second);
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_NE(notes_[0].find("starts with the answers that it gave"), std::string::npos) << notes_[0];
  const OutputContract& output = second->contract.outputs.at(0);
  ASSERT_EQ(output.mean.size(), 2u);
  const std::vector<float>&filter = second->tensors.at("logits/filter").values,
        &was = first_.tensors.at("logits/filter").values;
  ASSERT_EQ(filter.size(), 24u);
  for (size_t k = 0; k < 24; ++k)
    ASSERT_NEAR(filter[k] * output.std[k / 12], was[k], 1e-5 * std::abs(was[k])) << k;
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(second->tensors.at("logits/bias").values[i] * output.std[i] + output.mean[i],
                first_.tensors.at("logits/bias").values[i], 1e-3);
  }
  EXPECT_EQ(second->tensors.at("fc1/filter"), first_.tensors.at("fc1/filter"));

  text_.replace(text_.find("units = 2"), 9, "units = 2\nactivation = \"relu\"");
  notes_.clear();
  QAT_ASSERT_OK(Train(Parsed(text_), config_, data_, data_, dir_ / "third", {false, &first_}, callbacks_));
  EXPECT_TRUE(notes_.empty()) << notes_[0] << ": a network that cannot give every number is never scaled";
  EXPECT_TRUE(ReadCheckpoint(CheckpointPath(dir_ / "third", 1))->contract.outputs.at(0).mean.empty());
}

// From answers that are hundreds of deviations off, training would spend its steps on the way back.
TEST_F(InitOfNumbers, StartsALastLayerFreshWhoseAnswersAreFarOff) {
  first_.tensors.at("logits/bias").values = {-60000, 40};
  const auto result =
      Train(Parsed(text_), config_, data_, data_, dir_ / "second", {false, &first_}, callbacks_);
  QAT_ASSERT_OK(result);
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_NE(notes_[0].find("the last layer starts fresh, since the answers that the network gave are "),
            std::string::npos)
      << notes_[0];
  EXPECT_NE(notes_[0].find(" deviations off"), std::string::npos) << notes_[0];
  const auto second = ReadCheckpoint(CheckpointPath(dir_ / "second", 1));
  QAT_ASSERT_OK(second);
  for (const float bias : second->tensors.at("logits/bias").values) EXPECT_NEAR(bias, 0, 1e-6);
  EXPECT_NE(second->tensors.at("logits/filter"), first_.tensors.at("logits/filter"));
  EXPECT_EQ(second->tensors.at("fc1/filter"), first_.tensors.at("fc1/filter"));
  for (const float weight : second->tensors.at("logits/filter").values)
    EXPECT_LT(std::abs(weight), 3) << "answers within a deviation or two";
}

TEST(Train, RefusesAnInitOfWhichNothingFits) {
  TempDir dir;
  QAT_ASSERT_OK(RunTiny(TinyConfig(), dir / "first"));
  auto other = ReadCheckpoint(CheckpointPath(dir / "first", 60));
  QAT_ASSERT_OK(other);
  std::map<std::string, NamedTensor> renamed;
  for (const auto& [name, tensor] : other->tensors) renamed["other_" + name] = tensor;
  other->tensors = renamed;
  const Dataset data = Quarters(300, 1);
  QAT_EXPECT_ERROR(Train(Parsed(kTinySpec), TinyConfig(), data, data, dir / "second", {false, &*other}, {}),
                   ErrorCode::kCorrupt, "`init`: none of its layers fits network 'tiny'");
}

TEST(Train, ReportsALossThatIsNotFinite) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.optimizer = "sgd";
  config.learning_rate = 1e38;
  config.scheme = "float32";
  const auto result = RunTiny(config, dir / "run");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(static_cast<int>(result.error().code), static_cast<int>(ErrorCode::kNumerical))
      << result.error().message;
  EXPECT_NE(result.error().message.find("layer '"), std::string::npos) << result.error().message;
  config.scheme = "uint8";
  config.quant_delay = 0;
  EXPECT_FALSE(RunTiny(config, dir / "quantized").ok()) << "clamping to the range must not hide it";
}

TEST(Train, StopsWhereTheLossLeavesThatOfAnUntrainedNetworkFarBehind) {
  TempDir dir;
  for (const char* scheme : {"float32", "uint8", "int8"}) {
    TrainConfig config = TinyConfig();
    config.learning_rate = 100;
    config.scheme = scheme;
    config.steps = 400;
    const auto result = RunTiny(config, dir / scheme);
    ASSERT_FALSE(result.ok()) << scheme;
    EXPECT_EQ(static_cast<int>(result.error().code), static_cast<int>(ErrorCode::kNumerical));
    const std::string& message = result.error().message;
    EXPECT_NE(message.find("training diverges: the loss of steps "), std::string::npos) << message;
    EXPECT_NE(message.find("layer '"), std::string::npos) << message;
    EXPECT_NE(message.find("a smaller learning rate usually helps (it is 100)"), std::string::npos)
        << message;
    EXPECT_NE(message.find(" is kept, the best so far"), std::string::npos) << message;
    QAT_ASSERT_OK(ReadCheckpoint(*ResolveCheckpoint(dir / scheme, "best")));
  }
}

// Labels that have nothing to do with the images.
TEST(Train, WarnsOfARunThatEndsAtChanceAndOfDataThatTeachNothing) {
  TempDir dir;
  Dataset data = Quarters(800, 1);
  Random random(3);
  for (int32_t& label : data.labels) label = random.Between(0, 3);
  TrainConfig config = TinyConfig();
  config.holdout = 300;
  std::vector<std::string> warnings;
  TrainCallbacks callbacks;
  callbacks.on_warning = [&](const std::string& warning) { warnings.push_back(warning); };
  QAT_ASSERT_OK(Train(Parsed(kTinySpec), config, data, Quarters(80, 2), dir / "chance", {}, callbacks));
  ASSERT_FALSE(warnings.empty());
  EXPECT_NE(warnings[0].find("answers on the holdout are no better than guessing"), std::string::npos)
      << warnings[0];

  warnings.clear();
  std::fill(data.labels.begin(), data.labels.end(), 2);
  QAT_ASSERT_OK(Train(Parsed(kTinySpec), config, data, Quarters(80, 2), dir / "one", {}, callbacks));
  EXPECT_EQ(warnings, (std::vector<std::string>{
                          "all 500 training examples are of class 'c', so there is nothing to distinguish"}));

  warnings.clear();
  config.steps = 200;
  QAT_ASSERT_OK(
      Train(Parsed(kTinySpec), config, Quarters(800, 1), Quarters(80, 2), dir / "good", {}, callbacks));
  EXPECT_TRUE(warnings.empty()) << warnings[0];
}

}  // namespace
}  // namespace qat
