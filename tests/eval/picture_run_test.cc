#include "eval/picture_run.h"
#include "runtime/runnable_model.h"

#include <gtest/gtest.h>

#include "model/model_contract.h"
#include "support/bmp.h"
#include "support/model_builder.h"
#include "support/subprocess.h"
#include "support/tiny_files.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::WriteText;

Predictions Scores(std::vector<float> scores) {
  Predictions predictions;
  predictions.classes = static_cast<int32_t>(scores.size());
  predictions.labels = {ArgMaxOf(scores)};
  predictions.scores = std::move(scores);
  return predictions;
}

TEST(BestGuesses, OrdersByScoreAndEqualsByTheirNumber) {
  const std::vector<std::string> names = {"a", "b"};
  const auto guesses = BestGuesses(Scores({0.25f, 0.5f, 0.25f}), true, Task::kClasses, 5, names);
  ASSERT_EQ(guesses.size(), 3u);
  EXPECT_EQ(guesses[0].name, "b");
  EXPECT_EQ(guesses[1].label, 0);
  EXPECT_EQ(guesses[2].name, "") << "there is no third name";
  EXPECT_DOUBLE_EQ(*guesses[0].probability, 0.5);
}

TEST(BestGuesses, TakesTheSoftmaxOfScoresThatAreNoProbabilities) {
  // e^0 : e^1 : e^2 of 1 + 2.718282 + 7.389056.
  const auto guesses = BestGuesses(Scores({1000, 1001, 1002}), false, Task::kClasses, 2, {});
  ASSERT_EQ(guesses.size(), 2u);
  EXPECT_NEAR(*guesses[0].probability, 0.665241, 1e-6);
  EXPECT_NEAR(*guesses[1].probability, 0.244728, 1e-6);
}

TEST(BestGuesses, OfAnIndexIsThatIndexWithoutAProbability) {
  Predictions predictions;
  predictions.labels = {1};
  const std::vector<std::string> names = {"a", "b"};
  const auto guesses = BestGuesses(predictions, false, Task::kClasses, 5, names);
  ASSERT_EQ(guesses.size(), 1u);
  EXPECT_EQ(guesses[0].name, "b");
  EXPECT_FALSE(guesses[0].probability);
}

TEST(BestGuesses, OfYesOrNoAreBothByOneScore) {
  const std::vector<std::string> names = {"fine", "broken"};
  const auto yes = BestGuesses(Scores({2}), false, Task::kYesNo, 5, names);
  ASSERT_EQ(yes.size(), 2u);
  EXPECT_EQ(yes[0].name, "broken");
  EXPECT_NEAR(*yes[0].probability, 0.880797, 1e-6);
  EXPECT_NEAR(*yes[0].probability + *yes[1].probability, 1, 1e-12);
  EXPECT_EQ(BestGuesses(Scores({0.25f}), true, Task::kYesNo, 5, names)[0].name, "fine")
      << "a probability under a half";
}

TEST(BestGuesses, OfSeveralLabelsEachHasItsOwnProbability) {
  const auto guesses = BestGuesses(Scores({0, 2}), false, Task::kMultiLabel, 5, {});
  ASSERT_EQ(guesses.size(), 2u);
  EXPECT_NEAR(*guesses[0].probability, 0.880797, 1e-6);
  EXPECT_DOUBLE_EQ(*guesses[1].probability, 0.5);
}

std::shared_ptr<const Model> Flat(bool with_softmax, bool reshaped) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 1, 2, 2}, DType::kFloat32);
  int32_t last = builder.AddTensor("flat", {1, 4}, DType::kFloat32);
  builder.AddReshape(input, {1, 4}, last);
  if (with_softmax) {
    const int32_t output = builder.AddTensor("softmax", {1, 4}, DType::kFloat32);
    builder.AddSoftmax(last, output, 1);
    last = output;
  }
  if (reshaped) {
    const int32_t output = builder.AddTensor("again", {1, 4}, DType::kFloat32);
    builder.AddReshape(last, {1, 4}, output);
    last = output;
  }
  return *RunnableFromBytes(builder.Finish({input}, {last}), "m.tflite");
}

TEST(EndsInProbabilities, LooksThroughWhatKeepsValues) {
  EXPECT_FALSE(EndsInProbabilities(*Flat(false, true)));
  EXPECT_TRUE(EndsInProbabilities(*Flat(true, false)));
  EXPECT_TRUE(EndsInProbabilities(*Flat(true, true)));
}

class RunPicturesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    rows_.models = {files_.uint8_model()};
    std::vector<uint8_t> pixels;
    for (int i = 0; i < 16; ++i) pixels.push_back(static_cast<uint8_t>(i * 17));
    pixels_ = pixels;
    WriteText(files_ / "ramp.bmp", testing::GreyBmp(4, 4, pixels));
  }
  Status Run(std::vector<std::string> files) {
    return RunPictures({std::move(files), 3}, rows_, {}, report_);
  }

  testing::TinyFiles files_;
  RowRequest rows_;
  std::vector<uint8_t> pixels_;
  Report report_;
};

// The picture has the size of the input: the network must see its bytes and nothing else.
TEST_F(RunPicturesTest, FeedsThePixelsThroughTheContract) {
  QAT_ASSERT_OK(Run({files_ / "ramp.bmp"}));
  const auto model = LoadRunnable(files_.uint8_model());
  QAT_ASSERT_OK(model);
  const auto interpreter = Interpreter::Create(*model);
  QAT_ASSERT_OK(interpreter);
  std::copy(pixels_.begin(), pixels_.end(), (*interpreter)->input(0).begin());
  (*interpreter)->Invoke();
  const auto scores = (*interpreter)->output(0);
  ASSERT_EQ(report_.pictures.size(), 1u);
  const auto& best = report_.pictures[0].best;
  ASSERT_EQ(best.size(), 3u);
  for (size_t i = 1; i < 3; ++i) {
    EXPECT_GE(scores[static_cast<size_t>(best[i - 1].label)], scores[static_cast<size_t>(best[i].label)]);
  }
  EXPECT_EQ(report_.class_names.at(static_cast<size_t>(best[0].label)), best[0].name);
}

TEST_F(RunPicturesTest, ShowsTheOthersWhereOneFileIsNoPicture) {
  WriteText(files_ / "empty.png", "");
  QAT_EXPECT_ERROR(Run({files_ / "empty.png", files_ / "ramp.bmp", files_ / "absent.jpg"}),
                   ErrorCode::kCorrupt, "2 of 3 pictures cannot be used: ");
  ASSERT_EQ(report_.pictures.size(), 1u);
  EXPECT_EQ(report_.pictures[0].file, files_ / "ramp.bmp");
}

TEST_F(RunPicturesTest, WantsOneModel) {
  rows_.models.clear();
  QAT_EXPECT_ERROR(Run({files_ / "ramp.bmp"}), ErrorCode::kInvalidArgument, "expected one model");
}

// A float model that says nothing of itself.
class SilentModel : public RunPicturesTest {
 protected:
  void SetUp() override {
    RunPicturesTest::SetUp();
    ModelBuilder builder;
    const int32_t input = builder.AddTensor("x", {1, 4, 4, 1}, DType::kFloat32);
    const int32_t output = builder.AddTensor("y", {1, 16}, DType::kFloat32);
    builder.AddReshape(input, {1, 16}, output);
    const std::vector<uint8_t> bytes = builder.Finish({input}, {output});
    WriteText(files_ / "silent.tflite", std::string(bytes.begin(), bytes.end()));
    rows_.models = {files_ / "silent.tflite"};
  }
};

TEST_F(SilentModel, AsksWhatAByteMeans) {
  QAT_EXPECT_ERROR(Run({files_ / "ramp.bmp"}), ErrorCode::kCorrupt, "has no input contract");
  QAT_EXPECT_ERROR(Run({files_ / "ramp.bmp"}), ErrorCode::kCorrupt,
                   "give `input_stats` MEAN,STD (127.5,127.5 for values of -1 to 1;");
}

TEST_F(SilentModel, TakesMeanAndStdFromTheUser) {
  rows_.input_stats = InputStats{0, 17};  // real values 0 to 15
  QAT_ASSERT_OK(Run({files_ / "ramp.bmp"}));
  EXPECT_TRUE(report_.warnings.empty());
  EXPECT_EQ(report_.pictures.at(0).best.at(0).label, 15);
  // Scores that are a step of 1 apart: each probability is e times the next.
  const auto& best = report_.pictures[0].best;
  EXPECT_NEAR(*best[0].probability / *best[1].probability, 2.718282, 1e-5);
}

// What the photographs show, anybody can see.
TEST(Photos, AreRecognizedByAMobileNetOfOthers) {
  const std::string model = testing::DataDir() + "/tflite-models/mobilenet_v1_0.25_128_quant.tflite";
  QAT_NEEDS_FILE(model);
  RowRequest rows;
  rows.models = {model};
  Report report;
  const std::string photos = testing::DataDir() + "/photos/";
  QAT_ASSERT_OK(RunPictures({{photos + "cat.bmp", photos + "bird.bmp"}, 1}, rows, {}, report));
  EXPECT_EQ(report.pictures.at(0).best.at(0).name, "Egyptian cat");
  EXPECT_EQ(report.pictures.at(1).best.at(0).name, "chickadee");
}

}  // namespace
}  // namespace qat
