// qat-train --network model.tflite: a trained model of float32 comes in with its weights, learns with fake
// quantization and goes out.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "data/npy.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ProcessResult;
using testing::RunTool;

class ModelNetwork : public ::testing::Test {
 protected:
  void SetUp() override {
    // A network of ours, as anybody's float model: the import knows nothing of where it came from.
    Do("qat-train", {"--data", "digits", "--network", "lenet", "--scheme", "float32", "--steps", "60",
                     "--progress", "none", "-o", At("source")});
    Do("qat-freeze", {At("source"), "-o", At("source.qgraph")});
    Do("qat-convert", {At("source.qgraph"), "-o", At("model.tflite")});
  }

  std::string At(const std::string& name) const { return folder_ / name; }

  ProcessResult Do(const std::string& tool, const std::vector<std::string>& arguments) {
    const ProcessResult result = RunTool(tool, arguments);
    EXPECT_EQ(result.exit_code, 0) << tool << ": " << result.err;
    return result;
  }

  std::vector<std::string> Training(const std::string& run, std::vector<std::string> more) const {
    std::vector<std::string> all = {"--data",     "digits", "--network", At("model.tflite"),
                                    "--progress", "none",   "-o",        At(run)};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  /// Outputs of a float model, or of a run frozen as one, on the same noise.
  std::vector<float> Outputs(const std::string& model) {
    NpyArray x{DType::kUInt8, {3, 28, 28, 1}, {}};
    Random random(5);
    for (int i = 0; i < 3 * 28 * 28; ++i) x.values.push_back(static_cast<uint8_t>(random.Between(0, 255)));
    std::vector<uint8_t> reals;
    for (const uint8_t byte : x.values) {
      const float real = static_cast<float>(byte) / 255;
      const auto* bytes = reinterpret_cast<const uint8_t*>(&real);
      reals.insert(reals.end(), bytes, bytes + sizeof(real));
    }
    EXPECT_TRUE(WriteFile(At("x.npy"), Serialize(NpyArray{DType::kFloat32, {3, 28, 28, 1}, reals})).ok());
    Do("qat-eval", {"run", At(model), "--input", At("x.npy"), "-o", At("y.npy")});
    const auto y = ReadNpy(At("y.npy"));
    EXPECT_TRUE(y.ok());
    std::vector<float> values(y->values.size() / sizeof(float));
    std::memcpy(values.data(), y->values.data(), y->values.size());
    return values;
  }

  double LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
    EXPECT_EQ(a.size(), b.size());
    double largest = 0;
    for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(double{a[i]} - b[i]));
    return largest;
  }

  testing::TempDir folder_;
};

TEST_F(ModelNetwork, StartsFromItsWeightsUnlessToldNotTo) {
  const auto float_of = [&](const std::string& run) {
    Do("qat-freeze", {At(run), "-o", At("g.qgraph")});
    Do("qat-convert", {At("g.qgraph"), "--type", "float32", "-o", At("g.tflite")});
    return Outputs("g.tflite");
  };
  const std::vector<float> expected = Outputs("model.tflite");
  const std::vector<std::string> still = {"--steps", "1", "--learning-rate", "1e-30", "--scheme", "float32"};
  Do("qat-train", Training("kept", still));
  EXPECT_LT(LargestDifference(float_of("kept"), expected), 1e-5);
  std::vector<std::string> anew = still;
  anew.push_back("--reinitialize");
  Do("qat-train", Training("anew", anew));
  EXPECT_GT(LargestDifference(float_of("anew"), expected), 0.01);
}

TEST_F(ModelNetwork, LearnsWithFakeQuantizationAndResumesWithoutTheModel) {
  const auto trained =
      Do("qat-train", Training("run", {"--steps", "40", "--scheme", "int8", "--checkpoint-every", "20"}));
  EXPECT_NE(trained.out.find("scheme      int8"), std::string::npos) << trained.out;
  std::filesystem::rename(At("model.tflite"), At("moved.tflite"));
  std::filesystem::remove(At("run/checkpoints/0000000040.ckpt"));
  std::filesystem::remove(At("run/checkpoints/0000000040.state"));
  Do("qat-train", {"--resume", "--progress", "none", "-o", At("run")});
  Do("qat-freeze", {At("run"), "-o", At("g.qgraph")});
  Do("qat-convert", {At("g.qgraph"), "-o", At("out.tflite")});
  const auto compared =
      Do("qat-eval", {"--data", "digits", "--limit", "50", "--checkpoint", At("run"), "--model",
                      At("out.tflite"), "--litert", "off", "--repeat", "0", "--progress", "none"});
  EXPECT_NE(compared.out.find("every byte as in the simulation"), std::string::npos) << compared.out;
}

// A table whose columns are far from 0 and 1, and its answer.
std::string Table() {
  std::string text = "a,b,c,target\n";
  Random random(3);
  for (int row = 0; row < 500; ++row) {
    const double a = random.Uniform(), b = random.Uniform(), c = random.Uniform();
    text += std::to_string(900 + 40 * a) + "," + std::to_string(b / 50) + "," + std::to_string(c - 30) + "," +
            std::to_string(70 + 8 * a - 5 * b * c) + "\n";
  }
  return text;
}

// A model that normalizes by itself takes values as measured, one whose integers stand for normalized values
// takes these: either starts where its run ended.
TEST_F(ModelNetwork, StartsWithTheInputsThatTheModelTakes) {
  testing::WriteText(At("table.csv"), Table());
  const auto train = [&](const std::string& run, std::vector<std::string> more) {
    more.insert(more.end(), {"--data", At("table.csv"), "--progress", "none", "--json", At("report.json"),
                             "-o", At(run)});
    Do("qat-train", more);
    const std::string report = ReadTextFile(At("report.json")).value();
    const std::string key = "\"holdout_rmse\": ";
    const size_t at = report.find(key);
    EXPECT_NE(at, std::string::npos) << report;
    return std::stod(report.substr(at + key.size()));
  };
  const double source = train("values", {"--steps", "300", "--scheme", "int8"});
  EXPECT_LT(source, 1.0) << "the deviation of the answers is 2.6";
  Do("qat-freeze", {At("values"), "-o", At("values.qgraph")});
  Do("qat-convert", {At("values.qgraph"), "--type", "float32", "-o", At("inside.tflite")});
  Do("qat-convert", {At("values.qgraph"), "--input-type", "int8", "-o", At("outside.tflite")});
  EXPECT_LT(train("inside", {"--network", At("inside.tflite"), "--no-training"}), 1.1 * source);
  EXPECT_LT(train("outside", {"--network", At("outside.tflite"), "--no-training"}), 1.1 * source);
}

// A pretrained network for other classes: its last layer is learned afresh, the others may stay.
TEST_F(ModelNetwork, GetsALastLayerForOtherClasses) {
  const ProcessResult trained = Do(
      "qat-train",
      Training("run", {"--steps", "40", "--scheme", "int8", "--classes", "12", "--freeze-layers", "conv.*"}));
  EXPECT_NE(trained.err.find("fresh: logits"), std::string::npos) << trained.err;
  EXPECT_NE(trained.err.find("--freeze-layers: 3 layers stay as they are: conv1, conv2, conv3"),
            std::string::npos)
      << trained.err;
  Do("qat-freeze", {At("run"), "-o", At("g.qgraph")});
  const ProcessResult converted = Do("qat-convert", {At("g.qgraph"), "-o", At("out.tflite")});
  EXPECT_NE(converted.out.find("int8 [1, 12]"), std::string::npos) << converted.out;
  const auto as_many =
      Do("qat-train", Training("same", {"--steps", "1", "--classes", "10", "--scheme", "float32"}));
  EXPECT_NE(as_many.err.find("has 10 outputs already"), std::string::npos) << as_many.err;
  const auto fewer = RunTool("qat-train", Training("no", {"--classes", "4"}));
  EXPECT_EQ(fewer.exit_code, 2);
  EXPECT_NE(fewer.err.find("--classes 10 gives a network out of a model a last layer that is learned afresh"),
            std::string::npos)
      << fewer.err;
}

TEST_F(ModelNetwork, RefusesWhatOnlyASpecCanDo) {
  const auto width = RunTool("qat-train", Training("no", {"--width", "0.5"}));
  EXPECT_EQ(width.exit_code, 2);
  EXPECT_NE(width.err.find("--width: changes a network spec"), std::string::npos) << width.err;
  const auto lost =
      RunTool("qat-train", {"--data", "digits", "--network", "lenet", "--reinitialize", "-o", At("no")});
  EXPECT_EQ(lost.exit_code, 2);
  EXPECT_NE(lost.err.find("--reinitialize: expected --network with a model"), std::string::npos) << lost.err;
  const auto missing =
      RunTool("qat-train", {"--data", "digits", "--network", At("none.tflite"), "-o", At("no")});
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_FALSE(std::filesystem::exists(At("no")));
}

}  // namespace
}  // namespace qat
