// Weights of other frameworks through qat-train --init and qat-freeze --weights.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "base/hash.h"
#include "data/npy.h"
#include "support/safetensors_file.h"
#include "support/subprocess.h"
#include "support/test_util.h"
#include "weights/weights_file.h"

#ifdef QAT_HAS_TRAIN
namespace qat {
namespace {

using testing::ProcessResult;
using testing::RunTool;
using testing::SafetensorsWriter;

constexpr char kSpec[] = R"(
name = "small"
[input]
height = 4
width = 4
channels = 1
[[layer]]
name = "conv"
op = "conv_2d"
filters = 2
kernel = 3
batch_norm = {epsilon = 1e-5, momentum = 0.9}
activation = "relu"
[[layer]]
name = "flatten"
op = "reshape"
[[layer]]
name = "fc"
op = "fully_connected"
units = 3
)";

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

std::vector<float> Ramp(size_t count, float from, float step) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = from + step * static_cast<float>(i);
  return values;
}

class WeightsOfOthers : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [split, count] : {std::pair<const char*, int>{"train", 60}, {"test", 12}}) {
      NpyArray x{DType::kUInt8, {count, 4, 4, 1}, {}}, y{DType::kUInt8, {count}, {}};
      for (int i = 0; i < count; ++i) {
        for (int p = 0; p < 16; ++p) x.values.push_back(static_cast<uint8_t>(37 * i + 11 * p * (i % 3)));
        y.values.push_back(static_cast<uint8_t>(i % 3));
      }
      QAT_ASSERT_OK(WriteFile(dir_ / (std::string("x_") + split + ".npy"), Serialize(x)));
      QAT_ASSERT_OK(WriteFile(dir_ / (std::string("y_") + split + ".npy"), Serialize(y)));
    }
    QAT_ASSERT_OK(WriteFile(dir_ / "net.toml", kSpec));
    SafetensorsWriter writer;
    writer.Add("bn.bias", {2}, {0.5f, -0.25f})
        .Add("bn.running_mean", {2}, {0.125f, 0.75f})
        .Add("bn.running_var", {2}, {1, 2});
    writer.Add("bn.weight", {2}, {1, 0.5f}).Add("conv.weight", {2, 1, 3, 3}, Ramp(18, -0.53125f, 0.0625f));
    writer.Add("fc.bias", {3}, {0.5f, 1, -1}).Add("fc.weight", {3, 32}, Ramp(96, -1.01f, 0.015625f));
    QAT_ASSERT_OK(WriteFile(dir_ / "in.safetensors", writer.Take()));
  }

  ProcessResult Train(const std::string& init, std::vector<std::string> more) {
    std::vector<std::string> arguments = {"--data",    dir_.path(), "--network", dir_ / "net.toml", "--init",
                                          dir_ / init, "--mean",    "0",         "--std",           "255"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunTool("qat-train", arguments);
  }

  const testing::TempDir dir_;
};

// One step at a rate that is lost in rounding: what comes out is what went in.
TEST_F(WeightsOfOthers, ComeInAndGoOutUnchanged) {
  const ProcessResult trained = Train("in.safetensors", {"--steps", "1", "--learning-rate", "1e-30",
                                                         "--bn-freeze-fraction", "0", "-o", dir_ / "run"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_HOLDS(trained.err, "7 tensors for 2 layers from");
  const ProcessResult shown =
      RunTool("qat-eval", {"inspect", dir_ / "run", "--select", "last", "--json", "-"});
  EXPECT_HOLDS(shown.out, Sha256(ReadFile(dir_ / "in.safetensors").value()));  // what the run started from
  EXPECT_HOLDS(trained.err, "columns of fc brought from PyTorch's order");
  const ProcessResult given = RunTool("qat-freeze", {dir_ / "run", "--weights", dir_ / "out.safetensors",
                                                     "--weights-like", dir_ / "in.safetensors"});
  ASSERT_EQ(given.exit_code, 0) << given.err;
  const WeightsFile in = WeightsFile::Read(dir_ / "in.safetensors").value(),
                    out = WeightsFile::Read(dir_ / "out.safetensors").value();
  ASSERT_EQ(in.tensors().size(), out.tensors().size());
  for (size_t i = 0; i < in.tensors().size(); ++i) {
    EXPECT_EQ(in.tensors()[i].name, out.tensors()[i].name);
    EXPECT_EQ(in.tensors()[i].shape, out.tensors()[i].shape);
    EXPECT_EQ(in.Values(i).value(), out.Values(i).value()) << in.tensors()[i].name;
  }
  const ProcessResult named =
      RunTool("qat-freeze", {dir_ / "run", "--weights", dir_ / "named.npz", "--weights-layout", "keras"});
  ASSERT_EQ(named.exit_code, 0) << named.err;
  const WeightsFile keras = WeightsFile::Read(dir_ / "named.npz").value();
  EXPECT_EQ(keras.tensors()[0].name, "conv/kernel");
  EXPECT_EQ(keras.tensors()[0].shape, (Shape{3, 3, 1, 2}));
}

TEST_F(WeightsOfOthers, TheMatchIsPrintedWithoutTraining) {
  const ProcessResult printed = Train("in.safetensors", {"--print-init"});
  ASSERT_EQ(printed.exit_code, 0) << printed.err;
  EXPECT_HOLDS(printed.out,
               "conv/filter           [2, 3, 3, 1]  conv.weight      [2, 1, 3, 3]  axes 0 2 3 1");
  EXPECT_HOLDS(printed.out,
               "fc/filter             [3, 32]       fc.weight        [3, 32]       columns from C, H, W to "
               "H, W, C  name");
}

TEST_F(WeightsOfOthers, TheAutomaticRecipeTakesAThirdOfItsRate) {
  const auto rate_of = [](const ProcessResult& printed) {
    const size_t at = printed.out.find("learning_rate = ");
    EXPECT_NE(at, std::string::npos) << printed.err;
    return std::stod(printed.out.substr(at + 16));
  };
  const double fresh = rate_of(RunTool("qat-train", {"--data", dir_.path(), "--network", dir_ / "net.toml",
                                                     "--steps", "500", "--print-config"}));
  EXPECT_NEAR(rate_of(Train("in.safetensors", {"--steps", "500", "--print-config"})), fresh / 3, fresh / 30);
}

TEST_F(WeightsOfOthers, ARefusalLeavesNoRun) {
  SafetensorsWriter writer;
  writer.Add("conv.weight", {2, 1, 5, 5}, Ramp(50, 0, 1))
      .Add("fc.weight", {3, 32}, Ramp(96, -1.01f, 0.015625f));
  QAT_ASSERT_OK(WriteFile(dir_ / "other.safetensors", writer.Take()));
  QAT_ASSERT_OK(WriteFile(dir_ / "cut.npz", std::string_view("PK\x03\x04....")));
  QAT_ASSERT_OK(WriteFile(dir_ / "text.safetensors", std::string_view("conv = 1\n")));
  const std::tuple<const char*, int, const char*> cases[] = {
      {"other.safetensors", 2, "known to belong to conv/batch_norm [2]"},
      {"cut.npz", 3, "is cut off"},
      {"text.safetensors", 3, "is TOML text, expected weights"},
      {"missing.safetensors", 3, "missing.safetensors"},
  };
  for (const auto& [file, code, message] : cases) {
    const ProcessResult refused = Train(file, {"--steps", "1", "-o", dir_ / "run"});
    EXPECT_EQ(refused.exit_code, code) << refused.err;
    EXPECT_HOLDS(refused.err, message);
    EXPECT_FALSE(std::filesystem::exists(dir_ / "run"));
  }
}

TEST_F(WeightsOfOthers, FlagsWithoutTheirFileAreRefused) {
  const ProcessResult layout = RunTool("qat-train", {"--init-layout", "keras", "-o", dir_ / "run"});
  EXPECT_EQ(layout.exit_code, 2);
  EXPECT_HOLDS(layout.err, "--init-layout: expected --init with weights");
  const ProcessResult like = RunTool(
      "qat-freeze", {dir_ / "run", "-o", dir_ / "g.qgraph", "--weights-like", dir_ / "in.safetensors"});
  EXPECT_EQ(like.exit_code, 2);
  EXPECT_HOLDS(like.err, "--weights-like: expected --weights FILE beside it");
}

}  // namespace
}  // namespace qat
#endif
