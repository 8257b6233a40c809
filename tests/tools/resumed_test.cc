// A run that goes on elsewhere: with other threads, from another folder, with data that are no longer the
// same.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/random.h"
#include "data/npy.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ProcessResult;
using testing::RunTool;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

constexpr char kSpec[] = R"(name = "small"
[input]
height = 4
width = 4
channels = 1
[[layer]]
name = "scores"
op = "fully_connected"
units = 2
)";

class Resumed : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::WriteText(dir_ / "small.toml", kSpec);
    WriteData("data", 0);
    const ProcessResult trained =
        RunTool("qat-train", {"--data", dir_ / "data", "--network", dir_ / "small.toml", "--steps", "40",
                              "--checkpoint-every", "20", "--batch-size", "16", "--holdout", "40",
                              "--threads", "1", "--progress", "none", "-o", dir_ / "run"});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    for (const char* ending : {"ckpt", "state"})
      ASSERT_TRUE(std::filesystem::remove(dir_ / "run/checkpoints/0000000040." + ending)) << ending;
  }

  // The same pictures; bright ones are of class 1, and `turned` swaps the classes of so many.
  void WriteData(const std::string& folder, int turned) const {
    std::filesystem::create_directories(dir_ / folder);
    Random random(5);
    for (const char* split : {"train", "test"}) {
      NpyArray x{DType::kUInt8, {200, 4, 4, 1}, {}}, y{DType::kUInt8, {200}, {}};
      for (int i = 0; i < 200; ++i) {
        const int bright = random.Between(0, 255);
        x.values.insert(x.values.end(), 16, static_cast<uint8_t>(bright));
        y.values.push_back(static_cast<uint8_t>((bright > 127) != (i < turned)));
      }
      QAT_ASSERT_OK(WriteFile(dir_ / (folder + "/x_" + split + ".npy"), Serialize(x)));
      QAT_ASSERT_OK(WriteFile(dir_ / (folder + "/y_" + split + ".npy"), Serialize(y)));
    }
  }

  ProcessResult Resume(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"--resume", "--progress", "none", "-o", dir_ / "run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunTool("qat-train", arguments);
  }

  testing::TempDir dir_;
};

TEST_F(Resumed, TakesOtherThreadsAndSaysSo) {
  const ProcessResult resumed = Resume({"--threads", "2"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_HOLDS(resumed.err, "goes on with --threads 2 instead of 1");
  EXPECT_TRUE(std::filesystem::exists(dir_ / "run/checkpoints/0000000040.ckpt"));
}

TEST_F(Resumed, SaysWhichFileOfItsRecipeIsNotHere) {
  std::filesystem::create_directory(dir_ / "moved");
  std::filesystem::rename(dir_ / "small.toml", dir_ / "moved/small.toml");
  const ProcessResult network = Resume({});
  EXPECT_EQ(network.exit_code, 3);
  EXPECT_HOLDS(network.err, "run/config.toml: network is '");
  EXPECT_HOLDS(network.err, "expected --network with its place now");
  std::filesystem::rename(dir_ / "data", dir_ / "moved/data");
  EXPECT_HOLDS(Resume({"--network", dir_ / "moved/small.toml"}).err, "expected --data with its place now");
  const ProcessResult resumed =
      Resume({"--network", dir_ / "moved/small.toml", "--data", dir_ / "moved/data"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
}

TEST_F(Resumed, OtherLabelsAreAnotherTrainingSet) {
  WriteData("turned", 30);
  const ProcessResult resumed = Resume({"--data", dir_ / "turned"});
  EXPECT_EQ(resumed.exit_code, 2);
  EXPECT_HOLDS(resumed.err, "was trained with another training set: SHA-256 ");
}

}  // namespace
}  // namespace qat
