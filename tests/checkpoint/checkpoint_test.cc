#include "checkpoint/checkpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/envelope.h"
#include "base/file_kind.h"
#include "checkpoint/filter_ranges.h"
#include "support/network_of.h"
#include "support/test_util.h"

namespace qat {
namespace {

Checkpoint SmallCheckpoint() {
  Checkpoint c;
  c.step = 12000;
  c.scheme = "uint8";
  const Graph network = testing::NetworkOf(
      "name = \"tiny\"\n[input]\nheight = 2\nwidth = 2\nchannels = 1\n[[layer]]\nname = \"fc\"\nop = "
      "\"fully_connected\"\n"
      "units = 2\n");
  c.network = *ParseGraph(Serialize(network), "network");  // without what only a front end knows
  c.config_text = "batch_size = 2\n";
  c.contract = {2, 2, 1, {0.0f}, {255.0f}, {"no", "yes"}};
  c.tensors["fc/filter"] = {{2, 4}, {0.5f, -0.25f, 1e-30f, 0, 1, 2, 3, -4}};
  c.tensors["fc/bias"] = {{2}, {0.125f, -7}};
  c.ranges["fc"] = {{-1.5f, 2.25f}, 0.01f};
  c.ranges["fc/filter"] = {{-4, 3}, 0};
  c.metrics["holdout_accuracy"] = 97.25;
  c.provenance["tool_version"] = "0.1.0";
  return c;
}

TEST(Checkpoint, ComesBackAsItWasWritten) {
  const Checkpoint written = SmallCheckpoint();
  const auto read = ParseCheckpoint(Serialize(written), "a.ckpt");
  QAT_ASSERT_OK(read);
  EXPECT_EQ(*read, written);
}

TEST(Checkpoint, CarriesHowSettledItsBatchNormsAreAndReadsFilesWithout) {
  Checkpoint written = SmallCheckpoint();
  const size_t without = Serialize(written).size();
  written.batch_norm_gaps = {{"conv1", 0.03}, {"conv2", 1.5}};
  const auto read = ParseCheckpoint(Serialize(written), "a.ckpt");
  QAT_ASSERT_OK(read);
  EXPECT_EQ(*read, written);
  EXPECT_GT(Serialize(written).size(), without) << "networks without batch norms pay nothing";
}

// A reader of version 2 would deploy a filter without the ends that it was trained with.
TEST(Checkpoint, IsOfVersionThreeWhereRangesOfFiltersAreLearnedAlone) {
  Checkpoint written = SmallCheckpoint();
  EXPECT_EQ(Serialize(written)[0], 2);
  written.scheme = "w4a8";
  written.filter_ranges["fc/filter"] = {{2}, {0.5f, 3}};
  EXPECT_EQ(Serialize(written)[0], 3);
  const auto read = ParseCheckpoint(Serialize(written), "a.ckpt");
  QAT_ASSERT_OK(read);
  EXPECT_EQ(*read, written);
}

TEST(Checkpoint, HasTheSameBytesWhateverTheOrderOfInsertion) {
  Checkpoint other;
  const Checkpoint first = SmallCheckpoint();
  for (auto it = first.tensors.rbegin(); it != first.tensors.rend(); ++it) other.tensors.insert(*it);
  Checkpoint second = first;
  second.tensors = other.tensors;
  EXPECT_EQ(Serialize(first), Serialize(second));
}

TEST(Checkpoint, RefusesEveryTruncation) {
  const Bytes bytes = Serialize(SmallCheckpoint());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseCheckpoint(std::span(bytes).first(size), "a.ckpt").ok()) << size;
  }
}

TEST(Checkpoint, RefusesEveryChangedByte) {
  const Bytes bytes = Serialize(SmallCheckpoint());
  for (size_t i = 0; i < bytes.size(); ++i) {
    Bytes damaged = bytes;
    damaged[i] = static_cast<uint8_t>(~damaged[i]);
    EXPECT_FALSE(ParseCheckpoint(damaged, "a.ckpt").ok()) << i;
  }
}

// A hash is no proof of good will: damage that was sealed again must still be an error or a readable
// checkpoint.
TEST(Checkpoint, SurvivesEveryChangedByteUnderAMatchingHash) {
  const Bytes bytes = Serialize(SmallCheckpoint());
  const Bytes payload(bytes.begin() + kEnvelopeSize, bytes.end());
  for (size_t i = 0; i < payload.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      Bytes damaged = payload;
      damaged[i] = static_cast<uint8_t>(damaged[i] ^ flip);
      const auto read = ParseCheckpoint(SealEnvelope(kCheckpointIdentifier, 1, damaged), "a.ckpt");
      if (!read.ok()) continue;
      for (const auto& [name, tensor] : read->tensors) {
        EXPECT_EQ(CheckedFlatSize(tensor.shape), std::ssize(tensor.values)) << name;
      }
    }
  }
}

TEST(Checkpoint, RefusesANewerVersionWithBothNumbers) {
  Bytes bytes = Serialize(SmallCheckpoint());
  bytes[0] = 9;
  QAT_EXPECT_ERROR(ParseCheckpoint(bytes, "a.ckpt"), ErrorCode::kUnsupported,
                   "a.ckpt: has format version 9, this build reads up to 3");
}

TEST(Checkpoint, NamesAModelGivenInItsPlace) {
  const std::string model("\x1c\0\0\0TFL3\0\0\0\0", 12);
  QAT_EXPECT_ERROR(
      ParseCheckpoint({reinterpret_cast<const uint8_t*>(model.data()), model.size()}, "m.tflite"),
      ErrorCode::kCorrupt, "m.tflite: is a .tflite model, expected a checkpoint");
}

TEST(DeployedFilter, IsRoundedInTheRangesOfItsChannels) {
  Checkpoint c = SmallCheckpoint();
  c.scheme = "w4a8";
  c.filter_ranges["fc/filter"] = {{2}, {0.35f, 3.5f}};
  QAT_ASSERT_OK(CheckFilterRanges(c));
  const OpDefinition& op = DefinitionOf(OpType::kFullyConnected);
  // Steps of 0.05 and 0.5: 15 integers each.
  const std::vector<float> deployed = DeployedFilter(c, "fc/filter", op),
                           &raw = c.tensors.at("fc/filter").values;
  ASSERT_EQ(deployed.size(), 8u);
  for (size_t i = 0; i < 8; ++i) {
    const float step = i < 4 ? 0.05f : 0.5f;
    EXPECT_NEAR(deployed[i], step * std::clamp(std::round(raw[i] / step), -7.0f, 7.0f), 1e-6) << i;
  }
  c.scheme = "int8-per-tensor";
  c.filter_ranges["fc/filter"] = {{1}, {0.375f}};
  QAT_ASSERT_OK(CheckFilterRanges(c));
  EXPECT_EQ(DeployedFilter(c, "fc/filter", op), c.tensors.at("fc/filter").values) << "quantizing clamps it";
}

TEST(CheckFilterRanges, NamesWhatDoesNotFitTheNetwork) {
  Checkpoint c = SmallCheckpoint();
  c.filter_ranges["fc/filter"] = {{2}, {0.375f, 3}};
  QAT_EXPECT_ERROR(CheckFilterRanges(c), ErrorCode::kCorrupt,
                   "has learned ranges of filters, expected none with the scheme uint8");
  c.scheme = "w4a8";
  c.filter_ranges["fc/filter"] = {{3}, {1, 1, 1}};
  QAT_EXPECT_ERROR(CheckFilterRanges(c), ErrorCode::kCorrupt,
                   "filter range 'fc/filter' has 3 ends, expected 2");
  c.filter_ranges["fc/filter"] = {{2}, {1, -1}};
  QAT_EXPECT_ERROR(CheckFilterRanges(c), ErrorCode::kCorrupt,
                   "filter range 'fc/filter' ends at -1, expected at least 0");
  c.filter_ranges["fc/filter"] = {{2}, {1, 1}};
  c.filter_ranges["fc2/filter"] = {{2}, {1, 1}};
  QAT_EXPECT_ERROR(CheckFilterRanges(c), ErrorCode::kCorrupt,
                   "filter range 'fc2/filter' belongs to no layer of its network");
  c.filter_ranges.erase("fc/filter");
  QAT_EXPECT_ERROR(CheckFilterRanges(c), ErrorCode::kCorrupt,
                   "filter 'fc/filter' has no learned range, and others have");
}

TEST(TrainerState, ComesBackAsItWasWritten) {
  const qat::testing::TempDir dir;
  TrainerState written;
  written.step = 7;
  written.tensors["fc/filter/m"] = {{2, 1}, {0.1f, 0.2f}};
  written.tensors["empty"] = {{0}, {}};
  written.scalars["fc/decay_power"] = 0.1;
  QAT_ASSERT_OK(WriteFile(dir / "7.state", Serialize(written)));
  const auto read = ReadTrainerState(dir / "7.state");
  QAT_ASSERT_OK(read);
  EXPECT_EQ(*read, written);
}

TEST(TrainerState, IsNotACheckpoint) {
  QAT_EXPECT_ERROR(ParseCheckpoint(Serialize(TrainerState{}), "7.state"), ErrorCode::kCorrupt,
                   "is a trainer state, expected a checkpoint");
}

class RunDirectory : public ::testing::Test {
 protected:
  void Add(int64_t step, std::map<std::string, double> metrics) {
    Checkpoint c = SmallCheckpoint();
    c.step = step;
    c.metrics = std::move(metrics);
    std::filesystem::create_directories(dir_ / "checkpoints");
    ASSERT_TRUE(WriteFile(CheckpointPath(dir_.path(), step), Serialize(c)).ok());
  }
  Expected<int64_t> Resolve(const std::string& select) {
    QAT_ASSIGN_OR_RETURN(const std::string path, ResolveCheckpoint(dir_.path(), select));
    QAT_ASSIGN_OR_RETURN(const Checkpoint c, ReadCheckpoint(path));
    return c.step;
  }
  qat::testing::TempDir dir_;
};

TEST_F(RunDirectory, NamesFilesByTheStepInTenDigits) {
  EXPECT_EQ(CheckpointPath("run", 12000), "run/checkpoints/0000012000.ckpt");
  EXPECT_EQ(TrainerStatePath("run", 12000), "run/checkpoints/0000012000.state");
}

TEST_F(RunDirectory, ResolvesLastBestAndAStep) {
  Add(100, {{"holdout_accuracy", 90}});
  Add(200, {{"holdout_accuracy", 95}});
  Add(300, {{"holdout_accuracy", 95}});
  Add(400, {{"holdout_accuracy", 94}});
  EXPECT_EQ(*Resolve("last"), 400);
  EXPECT_EQ(*Resolve("best"), 200);
  EXPECT_EQ(*Resolve("300"), 300);
  EXPECT_EQ(*ListCheckpoints(dir_.path()), (std::vector<int64_t>{100, 200, 300, 400}));
}

TEST_F(RunDirectory, BestNeverPrefersAnAccuracyMeasuredWithoutFakeQuantization) {
  Add(100, {{"holdout_accuracy", 99}, {"fake_quantize", 0}});
  Add(200, {{"holdout_accuracy", 97}, {"fake_quantize", 1}});
  Add(300, {{"holdout_accuracy", 96}, {"fake_quantize", 1}});
  EXPECT_EQ(*Resolve("best"), 200);
}

TEST_F(RunDirectory, BestOfRealNumbersHasTheLeastLoss) {
  Add(100, {{"holdout_loss", 0.5}});
  Add(200, {{"holdout_loss", 0.25}});
  Add(300, {{"holdout_loss", 0.3}});
  EXPECT_EQ(*Resolve("best"), 200);
}

TEST_F(RunDirectory, BestOfUnmeasuredCheckpointsIsTheLast) {
  Add(100, {});
  Add(200, {});
  EXPECT_EQ(*Resolve("best"), 200);
}

TEST_F(RunDirectory, ByDefaultTakesTheBestOfWhatWasHeldOutAndSaysSo) {
  Add(100, {{"holdout_accuracy", 90}});
  Add(200, {{"holdout_accuracy", 95}});
  Add(300, {{"holdout_accuracy", 94}});
  const auto chosen = ChooseCheckpoint(dir_.path(), "");
  QAT_ASSERT_OK(chosen);
  EXPECT_EQ(chosen->path, CheckpointPath(dir_.path(), 200));
  EXPECT_EQ(chosen->note,
            dir_.path() +
                ": takes the checkpoint of step 200, the best on the holdout (95.00 %), not the last, of "
                "step 300 (94.00 %); `select` last takes that one");
  Add(400, {{"holdout_accuracy", 96}});
  EXPECT_EQ(ChooseCheckpoint(dir_.path(), "")->note, "") << "the last is the best";
  Add(500, {});
  EXPECT_NE(ChooseCheckpoint(dir_.path(), "")->note.find("step 500 (not measured)"), std::string::npos);
}

TEST_F(RunDirectory, ByDefaultTakesTheLastUnlessAnEarlierOneIsBetterBeyondChance) {
  Add(100, {{"holdout_accuracy", 100}, {"holdout_loss", 0.125}, {"holdout_standard_error", 8}});
  Add(200, {{"holdout_accuracy", 90}, {"holdout_loss", 0.25}, {"holdout_standard_error", 11}});
  EXPECT_EQ(*Resolve(""), 200);
  EXPECT_EQ(ChooseCheckpoint(dir_.path(), "")->note, "");
  EXPECT_EQ(*Resolve("best"), 100) << "who asks for the highest gets it";
  Add(300, {{"holdout_accuracy", 70}, {"holdout_loss", 0.5}, {"holdout_standard_error", 12}});
  EXPECT_EQ(*Resolve(""), 100);
  EXPECT_NE(ChooseCheckpoint(dir_.path(), "")
                ->note.find("(100.00 %, loss 0.125), not the last, of step 300 (70.00 %"),
            std::string::npos);
}

TEST_F(RunDirectory, AnUnmeasuredCheckpointNeverComesBeforeAMeasuredOne) {
  Add(100, {{"holdout_accuracy", 90}, {"fake_quantize", 0}});
  Add(200, {});
  EXPECT_EQ(*Resolve("best"), 100);
  EXPECT_EQ(*Resolve(""), 100);
}

TEST_F(RunDirectory, OfEqualAccuraciesTheLeastLossIsTheBest) {
  Add(100, {{"holdout_accuracy", 100}, {"holdout_loss", 0.25}});
  Add(200, {{"holdout_accuracy", 100}, {"holdout_loss", 0.125}});
  Add(300, {{"holdout_accuracy", 100}, {"holdout_loss", 0.5}});
  EXPECT_EQ(*Resolve(""), 200);
  EXPECT_NE(ChooseCheckpoint(dir_.path(), "")
                ->note.find("(100.00 %, loss 0.125), not the last, of step 300 (100.00 %"),
            std::string::npos);
}

TEST_F(RunDirectory, ByDefaultNeverChoosesOnTheTestSet) {
  Add(100, {{"test_accuracy", 95}});
  Add(200, {{"test_accuracy", 94}});
  EXPECT_EQ(*Resolve(""), 200);
  EXPECT_EQ(ChooseCheckpoint(dir_.path(), "")->note, "");
  EXPECT_EQ(*Resolve("best"), 100);
  EXPECT_NE(ChooseCheckpoint(dir_.path(), "best")->note.find("the best on the test set"), std::string::npos);
}

TEST_F(RunDirectory, SaysTheErrorOfRealNumbers) {
  Add(100, {{"holdout_loss", 0.25}});
  Add(200, {{"holdout_loss", 1}});
  EXPECT_NE(ChooseCheckpoint(dir_.path(), "")
                ->note.find("(an RMSE of 0.5), not the last, of step 200 (an RMSE of 1)"),
            std::string::npos);
}

TEST_F(RunDirectory, NamesACheckpointThatCannotBeCompared) {
  Add(100, {{"holdout_accuracy", 90}});
  Add(200, {{"holdout_accuracy", 95}});
  QAT_ASSERT_OK(WriteFile(CheckpointPath(dir_.path(), 100), std::string_view("damaged")));
  QAT_EXPECT_ERROR(Resolve("best"), ErrorCode::kCorrupt, "`select` last or a step needs no comparing");
  EXPECT_EQ(*Resolve("last"), 200);
}

// What a full disk or a power failure leaves behind is no reason to throw the run away, but one to speak.
TEST_F(RunDirectory, ByDefaultADamagedLastCheckpointFallsBackToTheOneBeforeAndSaysSo) {
  Add(100, {{"holdout_accuracy", 90}});
  Add(200, {{"holdout_accuracy", 95}});
  Add(300, {{"holdout_accuracy", 96}});
  auto bytes = ReadFile(CheckpointPath(dir_.path(), 300));
  QAT_ASSERT_OK(bytes);
  bytes->resize(bytes->size() / 2);
  QAT_ASSERT_OK(WriteFile(CheckpointPath(dir_.path(), 300), *bytes));
  const auto chosen = ChooseCheckpoint(dir_.path(), "");
  QAT_ASSERT_OK(chosen);
  EXPECT_EQ(chosen->path, CheckpointPath(dir_.path(), 200));
  EXPECT_NE(chosen->note.find("0000000300.ckpt: is cut short"), std::string::npos) << chosen->note;
  EXPECT_NE(chosen->note.find("; it is left out, and the checkpoint of step 200 taken"), std::string::npos)
      << chosen->note;
  EXPECT_EQ(ResolveCheckpoint(dir_.path(), "last").value(), CheckpointPath(dir_.path(), 300))
      << "who asks for it is told what is wrong with it";
}

TEST_F(RunDirectory, WhereNoCheckpointCanBeReadSaysWhatIsWrong) {
  for (const int64_t step : {100, 200}) {
    Add(step, {});
    QAT_ASSERT_OK(WriteFile(CheckpointPath(dir_.path(), step), std::string_view("damaged")));
  }
  QAT_EXPECT_ERROR(Resolve(""), ErrorCode::kCorrupt, "has no checkpoint that can be read: ");
}

TEST_F(RunDirectory, SaysWhatIsThereInstead) {
  QAT_EXPECT_ERROR(Resolve("last"), ErrorCode::kNotFound, "is a directory without checkpoints/");
  Add(100, {});
  Add(200, {});
  QAT_EXPECT_ERROR(Resolve("150"), ErrorCode::kNotFound, "has no checkpoint of step 150, only of 100, 200");
  QAT_EXPECT_ERROR(Resolve("bset"), ErrorCode::kInvalidArgument, "'bset', expected best, last or a step");
  QAT_EXPECT_ERROR(ResolveCheckpoint(dir_ / "nowhere", "last"), ErrorCode::kNotFound,
                   "nowhere: is neither a checkpoint nor a run directory");
}

TEST_F(RunDirectory, TakesAFileAsItIs) {
  Add(100, {});
  const std::string path = CheckpointPath(dir_.path(), 100);
  EXPECT_EQ(*ResolveCheckpoint(path, "best"), path);
}

}  // namespace
}  // namespace qat
