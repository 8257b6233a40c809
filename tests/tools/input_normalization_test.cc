// A trained network that normalizes its input by itself, on features of very different size: calibrated, and
// trained on.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "data/npy.h"
#include "support/bytes_of.h"
#include "support/subprocess.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using testing::ProcessResult;
using testing::ReadText;
using testing::RunTool;

constexpr std::array<float, 3> kMean = {0.002f, -1, 40000};
constexpr std::array<float, 3> kStd = {0.001f, 1, 10000};

class InputNormalization : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(dir_ / "data");
    WriteExamples("train", 600, 1);
    WriteExamples("test", 300, 2);
    WriteModel();
  }

  // The class is what the first two features say; the third is the largest, and says nothing.
  void WriteExamples(const std::string& split, int count, uint64_t seed) const {
    Random random(seed);
    std::vector<float> values;
    Bytes labels;
    for (int i = 0; i < count; ++i) {
      std::array<float, 3> normal{};
      for (float& value : normal) value = static_cast<float>(random.Between(-1000, 1000)) / 500;
      labels.push_back(normal[0] > normal[1] ? 1 : 0);
      for (size_t c = 0; c < 3; ++c) values.push_back(normal[c] * kStd[c] + kMean[c]);
    }
    const NpyArray x{DType::kFloat32, {count, 3}, testing::BytesOf(values)};
    const NpyArray y{DType::kUInt8, {count}, labels};
    QAT_ASSERT_OK(WriteFile(dir_ / ("data/x_" + split + ".npy"), Serialize(x)));
    QAT_ASSERT_OK(WriteFile(dir_ / ("data/y_" + split + ".npy"), Serialize(y)));
  }

  // (x - mean) / std, then the difference of the first two both ways: right for every example.
  void WriteModel() const {
    Graph graph;
    graph.name = "scores";
    graph.scheme = "float32";
    graph.contract.input() = {1, 1, 3, {0, 0, 0}, {1, 1, 1}, ValueType::kReal, {3}, -1, 1};
    GraphTensor input;
    input.name = "x";
    input.shape = {1, 3};
    graph.inputs = {graph.AddTensor(input)};
    const int32_t mean = graph.AddConstant("mean", {3}, std::span<const float>(kMean));
    const int32_t std = graph.AddConstant("std", {3}, std::span<const float>(kStd));
    int32_t last = *graph.AddNode(OpType::kSub, "centred", BinaryAttributes(), {graph.inputs[0], mean});
    last = *graph.AddNode(OpType::kDiv, "scaled", BinaryAttributes(), {last, std});
    const int32_t filter = graph.AddConstant("fc/filter", {2, 3}, std::vector<float>{-1, 1, 0, 1, -1, 0});
    const int32_t bias = graph.AddConstant("fc/bias", {2}, std::vector<float>{0, 0});
    graph.outputs = {
        *graph.AddNode(OpType::kFullyConnected, "fc", FullyConnectedAttributes(), {last, filter, bias})};
    const auto bytes = WriteTflite(graph, {});
    QAT_ASSERT_OK(bytes);
    QAT_ASSERT_OK(WriteFile(dir_ / "model.tflite", *bytes));
  }

  ProcessResult Do(const std::string& tool, const std::vector<std::string>& arguments) const {
    ProcessResult result = RunTool(tool, arguments);
    EXPECT_EQ(result.exit_code, 0) << tool << ": " << result.err;
    return result;
  }

  double Accuracy(const std::string& model) const {
    Do("qat-eval", {"--data", dir_ / "data", "--model", dir_ / model, "--litert", "off", "--repeat", "0",
                    "--progress", "none", "--json", dir_ / "r.json"});
    return nlohmann::json::parse(ReadText(dir_ / "r.json"))["models"][0]["accuracy"]["top1"];
  }

  testing::TempDir dir_;
};

TEST_F(InputNormalization, IsNotQuantizedInFrontWhenCalibrated) {
  const ProcessResult converted = Do("qat-convert", {dir_ / "model.tflite", "--calibrate", dir_ / "data",
                                                     "--type", "int8", "-o", dir_ / "m.tflite"});
  EXPECT_NE(converted.err.find("the input is normalized by centred, scaled: computed in float32"),
            std::string::npos)
      << converted.err;
  EXPECT_GE(Accuracy("m.tflite"), 97);
  // Left out, the loss is told.
  const ProcessResult without =
      Do("qat-convert", {dir_ / "model.tflite", "--calibrate", dir_ / "data", "--type", "int8", "--skip-pass",
                         "input-normalization", "-o", dir_ / "w.tflite"});
  EXPECT_NE(without.err.find("channels 0, 1 of the input span fewer than 8 steps of 255"), std::string::npos)
      << without.err;
  EXPECT_LT(Accuracy("w.tflite"), 80);
  // By hand: kept in float they read the numbers as measured.
  Do("qat-convert", {dir_ / "model.tflite", "--calibrate", dir_ / "data", "--type", "int8", "--skip-pass",
                     "input-normalization", "--keep-float", "centred|scaled", "-o", dir_ / "k.tflite"});
  EXPECT_GE(Accuracy("k.tflite"), 97);
}

// What it became in the model, float32 in front of QUANTIZE, has no range; that of QUANTIZE is the one of the
// input.
TEST_F(InputNormalization, IsTakenFromAModelOfIntegersWithoutData) {
  Do("qat-convert",
     {dir_ / "model.tflite", "--calibrate", dir_ / "data", "--type", "int8", "-o", dir_ / "m.tflite"});
  const ProcessResult again =
      Do("qat-convert", {dir_ / "m.tflite", "--type", "int8", "-o", dir_ / "again.tflite"});
  EXPECT_NE(again.err.find(": computed in float32, in front of the first integers"), std::string::npos)
      << again.err;
  const ProcessResult compared =
      Do("qat-eval", {"--data", dir_ / "data", "--model", dir_ / "m.tflite", "--model", dir_ / "again.tflite",
                      "--litert", "off", "--repeat", "0", "--progress", "none", "--json", dir_ / "r.json"});
  const nlohmann::json report = nlohmann::json::parse(ReadText(dir_ / "r.json"));
  ASSERT_FALSE(report["pairs"].empty()) << report.dump();
  EXPECT_EQ(report["pairs"][0]["equal_outputs"], 300) << report["pairs"].dump();
  for (const std::string type : {"uint8", "w4a8", "int16x8"}) {
    Do("qat-convert", {dir_ / "m.tflite", "--type", type, "-o", dir_ / "other.tflite"});
    EXPECT_GE(Accuracy("other.tflite"), 97) << type;
  }
  const ProcessResult left = RunTool("qat-convert", {dir_ / "m.tflite", "--type", "int8", "--skip-pass",
                                                     "input-normalization", "-o", dir_ / "x.tflite"});
  EXPECT_EQ(left.exit_code, 4) << left.err;
  EXPECT_NE(left.err.find("missing: "), std::string::npos) << left.err;
}

// The plan does not name the layers that are gone.
TEST_F(InputNormalization, IsTakenByThePlanAsByTheData) {
  Do("qat-convert", {dir_ / "model.tflite", "--calibrate", dir_ / "data", "--type", "int8", "--write-plan",
                     dir_ / "p.toml", "-o", dir_ / "m.tflite"});
  Do("qat-convert", {dir_ / "model.tflite", "--plan", dir_ / "p.toml", "-o", dir_ / "again.tflite"});
  Do("qat-eval", {"--data", dir_ / "data", "--model", dir_ / "m.tflite", "--model", dir_ / "again.tflite",
                  "--litert", "off", "--repeat", "0", "--progress", "none", "--json", dir_ / "r.json"});
  const nlohmann::json report = nlohmann::json::parse(ReadText(dir_ / "r.json"));
  ASSERT_FALSE(report["pairs"].empty()) << report.dump();
  EXPECT_EQ(report["pairs"][0]["equal_outputs"], 300) << report["pairs"].dump();
}

#ifdef QAT_HAS_TRAIN
TEST_F(InputNormalization, IsNotQuantizedInFrontWhenTrained) {
  const ProcessResult trained =
      Do("qat-train", {"--network", dir_ / "model.tflite", "--data", dir_ / "data", "--scheme", "int8",
                       "--steps", "60", "--threads", "1", "--progress", "none", "-o", dir_ / "run"});
  EXPECT_NE(trained.err.find("the input is normalized by centred, scaled: computed in float32"),
            std::string::npos)
      << trained.err;
  Do("qat-freeze", {dir_ / "run", "-o", dir_ / "g.qgraph"});
  Do("qat-convert", {dir_ / "g.qgraph", "-o", dir_ / "m.tflite"});
  EXPECT_GE(Accuracy("m.tflite"), 97);
  // A float model of ours comes in again, with the normalization inside.
  Do("qat-convert", {dir_ / "g.qgraph", "--type", "float32", "-o", dir_ / "f.tflite"});
  Do("qat-convert",
     {dir_ / "f.tflite", "--calibrate", dir_ / "data", "--type", "int8", "-o", dir_ / "c.tflite"});
  EXPECT_GE(Accuracy("c.tflite"), 97);
}
#endif

}  // namespace
}  // namespace qat
