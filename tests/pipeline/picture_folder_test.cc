// A folder of pictures through the four programs: class names travel, broken files are told, memory decides
// nothing.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/random.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::RunTool;

constexpr char kSpec[] = R"(name = "colours"
[input]
height = 8
width = 8
channels = 3
[[layer]]
name = "conv"
op = "conv_2d"
filters = 4
kernel = 3
stride = 2
activation = "relu"
[[layer]]
name = "flat"
op = "reshape"
[[layer]]
name = "logits"
op = "fully_connected"
units = 3
)";

constexpr char kRecipe[] = R"(steps = 60
batch_size = 16
learning_rate = 0.02
quant_delay = 20
holdout = 20
eval_every = 20
mean = "dataset"
std = [60, 61.5, 62]
flip = true
shift_pixels = 1
cutout = 2
threads = 1
)";

constexpr int kSide = 12;

// A BMP of noise in which one channel (blue, green, red) is bright.
Bytes Picture(size_t bright, Random& random) {
  Bytes bmp = {'B', 'M', 0, 0,     0, 0, 0, 0,     0, 0, 54, 0, 0, 0, 40,
               0,   0,   0, kSide, 0, 0, 0, kSide, 0, 0, 0,  1, 0, 24};
  bmp.resize(54);
  for (size_t i = 0; i < size_t{kSide} * kSide * 3; ++i) {
    bmp.push_back(static_cast<uint8_t>(random.Between(0, 150) + (i % 3 == bright ? 100 : 0)));
  }
  return bmp;
}

class PictureFolderPipeline : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TempDir();
    Random random(1);
    for (const auto& [split, count] : {std::pair{"train", 40}, std::pair{"test", 12}}) {
      for (size_t c = 0; c < 3; ++c) {
        const std::string folder = Path("data/") + split + "/" + kClasses[c];
        fs::create_directories(folder);
        for (int i = 0; i < count; ++i) {
          ASSERT_TRUE(WriteFile(folder + "/" + std::to_string(i) + ".bmp", Picture(c, random)).ok());
        }
      }
    }
    fs::resize_file(Path("data/train/azure/7.bmp"), 200);
    testing::WriteText(Path("colours.toml"), kSpec);
    testing::WriteText(Path("recipe.toml"), kRecipe);
    const auto trained = Train("run", {});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    training_messages_ = trained.err;
    Check(RunTool("qat-freeze", {Path("run"), "-o", Path("g.qgraph")}));
    Check(RunTool("qat-convert", {Path("g.qgraph"), "-o", Path("m.tflite")}));
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  static testing::ProcessResult Train(const std::string& run, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {
        "--config",           Path("recipe.toml"), "--data", Path("data"), "--network",
        Path("colours.toml"), "--progress",        "none",   "-o",         Path(run)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunTool("qat-train", arguments);
  }
  static json Eval(const std::string& data) {
    const auto result =
        RunTool("qat-eval", {"--data", data, "--checkpoint", Path("run"), "--model", Path("m.tflite"),
                             "--repeat", "0", "--progress", "none", "--json", "-"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out);
  }
  static std::string Path(const std::string& name) { return *folder_ / name; }
  static void Check(const testing::ProcessResult& result) {
    ASSERT_EQ(result.exit_code, 0) << result.err << result.out;
  }
  static std::string LastCheckpoint(const std::string& run) {
    return testing::ReadText(Path(run) + "/checkpoints/0000000060.ckpt");
  }

  static constexpr const char* kClasses[] = {"azure", "grass", "rose"};
  static testing::TempDir* folder_;
  static std::string training_messages_;
};

testing::TempDir* PictureFolderPipeline::folder_ = nullptr;
std::string PictureFolderPipeline::training_messages_;

TEST_F(PictureFolderPipeline, GivesAModelThatKnowsItsClassesByName) {
  const json report = Eval(Path("data"));
  EXPECT_EQ(report["class_names"], (std::vector<std::string>{"azure", "grass", "rose"}));
  EXPECT_EQ(report["data"]["examples"], 36);
  for (const json& model : report["models"]) EXPECT_GE(model["accuracy"]["top1"], 90) << model["name"];
}

TEST_F(PictureFolderPipeline, SimulatesTheDeployedModelToTheLastStep) {
  const json report = Eval(Path("data"));
  for (const json& pair : report["pairs"]) {
    if (pair["a"] != "simulated") continue;
    EXPECT_EQ(pair["flips"]["total"], 0);
    EXPECT_EQ(pair["max_abs_lsb"], 0);
  }
}

// Without the names inside the model, 'grass' and 'rose' would be classes 0 and 1 here.
TEST_F(PictureFolderPipeline, IsJudgedByNamesWhereAClassIsAbsent) {
  fs::create_directories(Path("two/test"));
  for (const char* name : {"grass", "rose"}) {
    fs::copy(Path(std::string("data/test/") + name), Path(std::string("two/test/") + name));
  }
  const json report = Eval(Path("two"));
  for (const json& model : report["models"]) EXPECT_GE(model["accuracy"]["top1"], 90) << model["name"];
}

TEST_F(PictureFolderPipeline, LeavesABrokenPictureOutWithAWarningOrStopsAtIt) {
  EXPECT_NE(training_messages_.find("warning: " + Path("data") +
                                    ": left out 1 of 120 pictures that cannot be read"),
            std::string::npos)
      << training_messages_;
  const auto strict = Train("strict", {"--strict"});
  EXPECT_EQ(strict.exit_code, 3);
  EXPECT_NE(strict.err.find("/train/azure/7.bmp: is a BMP picture cut off after 200 bytes"),
            std::string::npos)
      << strict.err;
}

TEST_F(PictureFolderPipeline, TellsOfOutputsThatNoClassHas) {
  std::string spec = kSpec;
  spec.replace(spec.find("units = 3"), 9, "units = 5");
  testing::WriteText(Path("spare.toml"), spec);
  const auto trained =
      RunTool("qat-train", {"--data", Path("data"), "--network", Path("spare.toml"), "--steps", "1",
                            "--scheme", "float32", "--progress", "none", "-o", Path("spare")});
  EXPECT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_NE(trained.err.find("has 5 outputs for the 3 classes of"), std::string::npos) << trained.err;
  EXPECT_EQ(training_messages_.find("outputs for the"), std::string::npos) << training_messages_;
}

TEST_F(PictureFolderPipeline, TrainsToTheSameBytesWhetherPicturesAreKeptOrStreamed) {
  Check(Train("streamed", {"--data-cache", "0"}));
  EXPECT_FALSE(LastCheckpoint("run").empty());
  EXPECT_TRUE(LastCheckpoint("streamed") == LastCheckpoint("run"));
}

TEST_F(PictureFolderPipeline, ResumesToTheSameBytesAfterAnInterruption) {
  fs::copy(Path("run"), Path("stopped"), fs::copy_options::recursive);
  for (const char* suffix : {"ckpt", "state"}) {
    ASSERT_TRUE(fs::remove(Path("stopped/checkpoints/0000000060.") + suffix));
  }
  Check(RunTool("qat-train", {"--resume", "--data-cache", "0", "--progress", "none", "-o", Path("stopped")}));
  EXPECT_TRUE(LastCheckpoint("stopped") == LastCheckpoint("run"));
}

}  // namespace
}  // namespace qat
