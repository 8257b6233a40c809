// Whole runs on a tiny network: what is on disk afterwards, byte by byte.
#include "train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "quant/batch_norm.h"
#include "support/test_util.h"
#include "train/run_store.h"
#include "train/tiny.h"

namespace qat {
namespace {

using testing::kTinySpec;
using testing::Parsed;
using testing::Quarters;
using testing::TempDir;
using testing::TinyConfig;

Expected<TrainResult> RunTiny(const TrainConfig& config, const std::string& run, bool resume = false,
                              const TrainCallbacks& callbacks = {}) {
  static const Dataset train = Quarters(300, 1);
  static const Dataset test = Quarters(80, 2);
  static const NetworkSpec spec = Parsed(kTinySpec);
  return Train(spec, config, train, test, run, {resume, nullptr}, callbacks);
}

// Every file of a run but the event files, which hold wall times.
std::map<std::string, Bytes> Files(const std::string& run) {
  std::map<std::string, Bytes> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(run)) {
    const std::string name = std::filesystem::relative(entry.path(), run).string();
    if (entry.is_regular_file() && !name.starts_with("events"))
      files[name] = *ReadFile(entry.path().string());
  }
  return files;
}

void ExpectSameRun(const std::string& a, const std::string& b) {
  const auto left = Files(a);
  const auto right = Files(b);
  for (const auto& [name, bytes] : left) {
    ASSERT_TRUE(right.contains(name)) << name << " is missing";
    EXPECT_TRUE(right.at(name) == bytes) << name << " differs";
  }
  EXPECT_EQ(left.size(), right.size());
}

// Interrupts after a step, once.
TrainCallbacks InterruptAt(int64_t step) {
  auto now = std::make_shared<int64_t>(0);
  return {.on_step = [now](const TrainProgress& progress) { *now = progress.step; },
          .interrupted = [now, step] { return *now == step; }};
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

// The same recipe under several settings that each add state.
std::vector<TrainConfig> Recipes() {
  std::vector<TrainConfig> recipes(4, TinyConfig());
  recipes[1].optimizer = "sgd";
  recipes[1].eval_every = 7;
  recipes[1].rotate_degrees = 10;
  recipes[2].weight_average_decay = 0.9;
  recipes[2].freeze_ranges_fraction = 0.7;
  recipes[3].scheme = "float32";
  recipes[3].label_smoothing = 0.1;
  return recipes;
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

// Nothing is learned, so the first evaluation with fake quantization, of step 10, stays the best: three more are waited for.
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

// The brightness of an 8x8 image, and another target that is 5000 less and a hundredth of it.
Dataset Brightness(int64_t count, uint64_t seed, bool scaled) {
  Dataset data = Quarters(count, seed);
  data.labels.clear();
  data.class_names.clear();
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

TEST(Train, TargetsOfAnyScaleAreLearnedAlike) {
  const NetworkSpec spec = testing::OneLayer(8, 8, 1, "op = \"fully_connected\"\nunits = 2");
  TrainConfig config = TinyConfig();
  config.steps = 200;
  config.scheme = "float32";
  config.scale_to_targets = true;
  config.shift_pixels = 0;
  std::vector<float> filters[2];
  for (const bool scaled : {false, true}) {
    TempDir dir;
    const Dataset train = Brightness(300, 1, scaled), test = Brightness(80, 2, scaled);
    const auto result = Train(spec, config, train, test, dir / "run", {}, {});
    QAT_ASSERT_OK(result);
    filters[scaled] = ReadCheckpoint(result->checkpoint)->tensors.at("layer/filter").values;
  }
  ASSERT_EQ(filters[0].size(), 128u);
  for (size_t k = 0; k < 128; ++k) {
    const float unit = k < 64 ? 1000 : 0.01f;
    // What float32 keeps of 5000 plus a hundredth is the limit of the second one.
    EXPECT_NEAR(filters[1][k] / unit, filters[0][k], k < 64 ? 1e-3 : 0.05) << k;
  }
}

// A batch norm with each of its phases: by the batch, corrected, frozen.
TEST(Train, ResumesBatchNormsInEveryPhase) {
  const NetworkSpec spec = Parsed(std::string(kTinySpec).replace(std::string(kTinySpec).find("stride = 2"),
                                                                 10, "stride = 2\nbatch_norm = true"));
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
    QAT_ASSERT_OK(Train(spec, config, train, test, dir / "straight", {}, {}));
    for (const int64_t step : {int64_t{15}, int64_t{33}, int64_t{52}}) {
      const std::string run = dir / ("stopped" + std::to_string(step));
      ASSERT_FALSE(Train(spec, config, train, test, run, {}, InterruptAt(step)).ok());
      QAT_ASSERT_OK(Train(spec, config, train, test, run, {true, nullptr}, {}));
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

NetworkSpec TinyNormed(const std::string& momentum) {
  std::string text = kTinySpec;
  text.replace(text.find("stride = 2"), 10, "stride = 2\nbatch_norm = {momentum = " + momentum + "}");
  return Parsed(text);
}

// With plain moving averages a momentum of 0.999 left the initial 0 and 1 in a run of 150 steps: answers at chance.
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

// What is saved while batch norms learn: filters folded with the statistics beside them, and the ranges of these filters.
TEST(Train, RangesOfFiltersFitTheStatisticsThatAreSavedWithThem) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.bn_freeze = 60;
  const NetworkSpec spec = TinyNormed("0.99");
  QAT_ASSERT_OK(Train(spec, config, Quarters(300, 1), Quarters(80, 2), dir / "run", {}, {}));
  for (const int64_t step : {20, 60}) {
    const auto checkpoint = ReadCheckpoint(CheckpointPath(dir / "run", step));
    QAT_ASSERT_OK(checkpoint);
    const auto values = [&](const std::string& name) -> const std::vector<float>& {
      return checkpoint->tensors.at("conv1/" + name).values;
    };
    const FoldedFilter folded = FoldBatchNorm(values("filter"), 9,
                                              {values("gamma"), values("beta"), values("moving_mean"),
                                               values("moving_variance"), spec.layers[0].batch_norm->epsilon});
    const auto [low, high] = std::minmax_element(folded.filter.begin(), folded.filter.end());
    const Range range = checkpoint->ranges.at("conv1/filter").range;
    EXPECT_NEAR(range.min, std::min(*low, 0.f), 1e-6) << step;
    EXPECT_NEAR(range.max, std::max(*high, 0.f), 1e-6) << step;
  }
}

// A layer with one value per channel and example, after one batch of two: their mean says little about the rest.
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
  const NetworkSpec spec = Parsed(kTinySpec);
  const Dataset data = Quarters(300, 1);
  QAT_ASSERT_OK(Train(spec, config, data, data, dir / "second", {false, &*first}, {}));
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
  EXPECT_EQ(notes[0], "`init`: 2 layers are taken over; fresh: logits (filter is [4, 12] there, [3, 12] here)");
  const auto second = ReadCheckpoint(CheckpointPath(dir / "second", 1));
  QAT_ASSERT_OK(second);
  for (const char* kept : {"conv1/filter", "conv1/bias", "fc1/filter", "fc1/bias"}) {
    EXPECT_EQ(second->tensors.at(kept), first->tensors.at(kept)) << kept;
  }
  EXPECT_EQ(second->tensors.at("logits/filter").shape, (Shape{3, 12}));

  Checkpoint other = *first;
  other.tensors.erase("fc1/bias");
  notes.clear();
  QAT_ASSERT_OK(Train(Parsed(kTinySpec), config, Quarters(300, 1), data, dir / "third", {false, &other}, callbacks));
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("fresh: fc1 (no bias there)"), std::string::npos) << notes[0];
  EXPECT_NE(ReadCheckpoint(CheckpointPath(dir / "third", 1))->tensors.at("fc1/filter"), first->tensors.at("fc1/filter"))
      << "a layer is taken whole or not at all";
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

// Rewrites what the newest checkpoint of a run says of its holdout; empty: as the first versions, which said nothing.
void SayOfHoldout(const std::string& run, const std::string& sha256) {
  const std::string path = CheckpointPath(run, ListCheckpoints(run)->back());
  Checkpoint checkpoint = *ReadCheckpoint(path);
  ASSERT_EQ(checkpoint.provenance.erase("holdout_sha256"), 1u);
  if (!sha256.empty()) checkpoint.provenance["holdout_sha256"] = sha256;
  QAT_ASSERT_OK(WriteFile(path, Serialize(checkpoint)));
}

TEST(Train, ResumesWithTheSameHoldoutOrNotAtAll) {
  TempDir dir;
  QAT_EXPECT_ERROR(RunTiny(TinyConfig(), dir / "run", false, InterruptAt(15)), ErrorCode::kInterrupted, "");
  SayOfHoldout(dir / "run", "0123");
  QAT_EXPECT_ERROR(RunTiny(TinyConfig(), dir / "run", true), ErrorCode::kUnsupported, "holds out other examples");
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
  QAT_EXPECT_ERROR(RunTiny(TinyConfig(), run, true), ErrorCode::kCorrupt,
                   "0000000010.state: ");
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
                   "holds a run already, up to step 60");
  config.learning_rate = 0.125;
  QAT_EXPECT_ERROR(RunTiny(config, dir / "run", true), ErrorCode::kInvalidArgument,
                   "now 'learning_rate = 0.125'");
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
    EXPECT_NE(message.find("a smaller learning rate usually helps (it is 100)"), std::string::npos) << message;
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
  EXPECT_NE(warnings[0].find("accuracy on the holdout is at chance: "), std::string::npos) << warnings[0];

  warnings.clear();
  std::fill(data.labels.begin(), data.labels.end(), 2);
  QAT_ASSERT_OK(Train(Parsed(kTinySpec), config, data, Quarters(80, 2), dir / "one", {}, callbacks));
  EXPECT_EQ(warnings, (std::vector<std::string>{
                          "all 500 training examples are of class 'c', so there is nothing to tell apart"}));

  warnings.clear();
  config.steps = 200;
  QAT_ASSERT_OK(Train(Parsed(kTinySpec), config, Quarters(800, 1), Quarters(80, 2), dir / "good", {}, callbacks));
  EXPECT_TRUE(warnings.empty()) << warnings[0];
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

TEST(Train, NamesShapesThatDoNotFit) {
  TempDir dir;
  Dataset wide = Quarters(100, 1);
  wide.height = 4;
  wide.width = 16;
  const NetworkSpec spec = Parsed(kTinySpec);
  QAT_EXPECT_ERROR(Train(spec, TinyConfig(), wide, Quarters(10, 2), dir / "run", {}, {}),
                   ErrorCode::kInvalidArgument, "[1, 4, 16, 1], expected [1, 8, 8, 1]");
  Dataset many = Quarters(100, 1);
  many.labels[3] = 4;
  QAT_EXPECT_ERROR(Train(spec, TinyConfig(), many, Quarters(10, 2), dir / "run", {}, {}),
                   ErrorCode::kInvalidArgument,
                   "the training labels of quarters are of 5 classes, but the last layer 'logits' of network "
                   "'tiny' has 4 outputs, expected one per class: write units = \"classes\" there and classes = 5 "
                   "at the top");
  TrainConfig three = TinyConfig();
  three.std.values = {1, 2, 3};
  QAT_EXPECT_ERROR(Train(spec, three, Quarters(100, 1), Quarters(10, 2), dir / "run", {}, {}),
                   ErrorCode::kInvalidArgument,
                   "std has 3 numbers, expected 1, or one for each of the 1 channels");
  TrainConfig config = TinyConfig();
  config.holdout = 100;
  QAT_EXPECT_ERROR(
      Train(spec, config, Quarters(100, 1), Quarters(10, 2), dir / "run", {}, {}),
      ErrorCode::kInvalidArgument,
      "holdout is 100, expected less than the 100 training examples of quarters; leave it out, and a tenth is held "
      "out");
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
