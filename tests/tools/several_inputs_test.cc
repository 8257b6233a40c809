// Two inputs, a picture of bytes and a row of real numbers, through all four programs.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "data/npy.h"
#include "support/onnx_file.h"
#include "support/subprocess.h"
#include "support/test_util.h"
#include "support/two_inputs.h"

#ifdef QAT_HAS_TRAIN
namespace qat {
namespace {

using testing::ProcessResult;
using testing::ReadText;
using testing::RunTool;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

class SeveralInputs : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(dir_ / "data");
    testing::WriteText(dir_ / "two.toml", testing::kTwoInputsSpec);
    for (const auto& [split, count, seed] :
         {std::tuple<const char*, int, uint64_t>{"train", 600, 5}, {"test", 120, 6}}) {
      testing::TwoInputExamples made = testing::MakeTwoInputExamples(count, seed);
      const NpyArray camera{
          DType::kUInt8, {count, testing::kCameraSide, testing::kCameraSide, 1}, std::move(made.camera)};
      const NpyArray sensor{DType::kFloat32, {count, testing::kSensorFeatures}, std::move(made.sensor)};
      const NpyArray y{DType::kUInt8, {count}, std::move(made.labels)};
      const auto write = [&](const std::string& name, const NpyArray& array) {
        QAT_ASSERT_OK(WriteFile(dir_ / ("data/" + name + split + ".npy"), Serialize(array)));
      };
      write("x_camera_", camera);
      write("sensor_", sensor);
      write("y_", y);
    }
  }
  ProcessResult Train(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"--data",     dir_ / "data", "--network", dir_ / "two.toml",
                                          "--steps",    "200",         "--threads", "1",
                                          "--progress", "none",        "-o",        dir_ / "run"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunTool("qat-train", arguments);
  }
  nlohmann::json Compare(const std::vector<std::string>& rows) {
    std::vector<std::string> arguments = {
        "--data", dir_ / "data", "--repeat", "0",      "--litert",
        "off",    "--progress",  "none",     "--json", dir_ / "report.json"};
    arguments.insert(arguments.end(), rows.begin(), rows.end());
    const ProcessResult result = RunTool("qat-eval", arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(ReadText(dir_ / "report.json"));
  }

  /// A trained network of others: bright above 0, high above 10.25, both as measured but for the (byte -
  /// 127.5) / 127.5 of the picture.
  std::string WriteOnnx() {
    testing::OnnxFile file;
    file.Input("camera", {1, 1, testing::kCameraSide, testing::kCameraSide})
        .Input("sensor", {1, testing::kSensorFeatures});
    file.Node("GlobalAveragePool", {"camera"}, {"light"}).Node("Flatten", {"light"}, {"bright"});
    file.Node("Concat", {"bright", "sensor"}, {"both"}, {testing::OnnxInt("axis", 1)});
    std::vector<float> filter, bias;
    for (int label = 0; label < 4; ++label) {
      const float bright = label / 2 == 1 ? 10 : -10, high = label % 2 == 1 ? 1 : -1;
      filter.insert(filter.end(), {bright, high, high, high});
      bias.push_back(-high * 3 * 10.25f);
    }
    file.Constant("filter", {4, 4}, filter).Constant("bias", {4}, bias);
    file.Node("Gemm", {"both", "filter", "bias"}, {"scores"}, {testing::OnnxInt("transB", 1)})
        .Output("scores");
    const std::string path = dir_ / "two.onnx";
    EXPECT_TRUE(WriteFile(path, file.Bytes()).ok());
    return path;
  }

  testing::TempDir dir_;
};

TEST_F(SeveralInputs, ComeThroughAllFourProgramsByName) {
  const ProcessResult trained = Train();
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_HOLDS(trained.err, "input 'camera': bytes");
  EXPECT_HOLDS(trained.err, "input 'sensor': real numbers");
  const std::string graph = dir_ / "g.qgraph", floats = dir_ / "m.tflite", integers = dir_ / "i.tflite",
                    after = dir_ / "c.tflite";
  ASSERT_EQ(RunTool("qat-freeze", {dir_ / "run", "-o", graph}).exit_code, 0);
  const ProcessResult converted = RunTool("qat-convert", {graph, "-o", floats});
  ASSERT_EQ(converted.exit_code, 0) << converted.err;
  EXPECT_HOLDS(converted.out, "float32 [1, 3]");
  ASSERT_EQ(
      RunTool("qat-convert", {graph, "--input-type", "camera=uint8,sensor=int8", "-o", integers}).exit_code,
      0);
  const ProcessResult calibrated =
      RunTool("qat-convert", {graph, "--calibrate", dir_ / "data", "--type", "int8", "-o", after});
  ASSERT_EQ(calibrated.exit_code, 0) << calibrated.err;

  const nlohmann::json report =
      Compare({"--checkpoint", dir_ / "run", "--graph", graph, floats, integers, after});
  for (const auto& model : report["models"])
    EXPECT_GT(model["accuracy"]["top1"].get<double>(), 90) << model["name"];
  int exact = 0;
  for (const auto& pair : report["pairs"]) {
    const bool simulated = pair["a"] == "simulated" && (pair["b"] == floats || pair["b"] == integers);
    if (simulated && pair["max_abs_lsb"] == 0) ++exact;
  }
  EXPECT_EQ(exact, 2) << report["pairs"].dump(1);

  const std::string camera = dir_ / "data/x_camera_test.npy", sensor = dir_ / "data/sensor_test.npy";
  const ProcessResult by_name =
      RunTool("qat-eval", {"run", floats, "--input", "sensor=" + sensor, "--input", "camera=" + camera});
  ASSERT_EQ(by_name.exit_code, 0) << by_name.err;
  EXPECT_EQ(by_name.out, RunTool("qat-eval", {"run", floats, "--input", camera, "--input", sensor}).out);
  EXPECT_HOLDS(
      RunTool("qat-eval", {"run", floats, "--input", "sensr=" + sensor, "--input", "camera=" + camera}).err,
      "unknown input 'sensr'; did you mean 'sensor'?");
  EXPECT_HOLDS(RunTool("qat-eval", {"run", floats, "--input", "sensor=" + sensor}).err, "none for 'camera'");
  EXPECT_EQ(RunTool("qat-eval", {"bench", floats}).exit_code, 0);
}

TEST_F(SeveralInputs, SayWhatIsMissing) {
  const ProcessResult digits =
      RunTool("qat-train", {"--data", "digits", "--network", dir_ / "two.toml", "-o", dir_ / "r"});
  EXPECT_EQ(digits.exit_code, 3);
  EXPECT_HOLDS(digits.err,
               "digits: holds one input, the network takes 2, expected an .npz file or a directory with an "
               "array for each");
  std::filesystem::remove(std::string(dir_ / "data/sensor_train.npy"));
  const ProcessResult missing = Train();
  EXPECT_NE(missing.exit_code, 0);
  EXPECT_HOLDS(
      missing.err,
      "expected an array for each of the network's 2 inputs: x_camera_train, x_sensor_train, and y_train");
  std::filesystem::remove(std::string(dir_ / "data/sensor_test.npy"));
  EXPECT_HOLDS(
      Train().err,
      "holds no values for an input of the network, expected an array named x_sensor (or with _train "
      "at the end); found ");
}

TEST_F(SeveralInputs, TakeNumbersByName) {
  const ProcessResult trained =
      Train({"--steps", "10", "--mean", "camera=100,sensor=dataset", "--std", "camera=50,sensor=2,3,4"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_HOLDS(trained.err, "input 'camera': bytes, (byte - mean) / std with mean 100, std 50");
  EXPECT_HOLDS(trained.err, "std [2, 3, 4]");
  EXPECT_HOLDS(ReadText(dir_ / "run/config.toml"), "std = \"camera=50.0,sensor=2.0,3.0,4.0\"");
  std::filesystem::remove_all(std::string(dir_ / "run"));
  EXPECT_HOLDS(Train({"--mean", "left=1"}).err, "names the input 'left', expected camera, sensor");
}

TEST_F(SeveralInputs, ThatAreNotNamedAreAsWithoutNumbers) {
  const std::vector<std::string> no_training = {"--network", WriteOnnx(), "--no-training"};
  const auto with = [&](std::vector<std::string> more) {
    std::filesystem::remove_all(std::string(dir_ / "run"));
    more.insert(more.begin(), no_training.begin(), no_training.end());
    more.insert(more.end(), {"--data", dir_ / "data", "--progress", "none", "-o", dir_ / "run"});
    const ProcessResult result = RunTool("qat-train", more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result;
  };
  // As the network takes it.
  const ProcessResult both = with({"--mean", "camera=127.5", "--std", "camera=127.5"});
  EXPECT_HOLDS(both.out, "100.00 %");
  EXPECT_HOLDS(both.err, "'camera' 6x6x1, real = (value - 127.5) / 127.5");
  EXPECT_HOLDS(
      both.err,
      "input 'sensor': real numbers, per channel (value - mean) / std with mean [0, 0, 0], std [1, 1, 1];");
  EXPECT_HOLDS(ReadText(dir_ / "run/config.toml"), "mean = \"camera=127.5,sensor=0.0,0.0,0.0\"");
  EXPECT_HOLDS(with({"--mean", "camera=127.5"}).err,
               "input 'camera': bytes, (byte - mean) / std with mean 127.5, std 1");
  EXPECT_HOLDS(with({"--mean", "camera=127.5,sensor=dataset"}).err, "mean [10.2");
  // Of a network that learns from the start, and of one that has learned.
  std::filesystem::remove_all(std::string(dir_ / "run"));
  EXPECT_HOLDS(Train({"--steps", "10", "--mean", "sensor=7", "--std", "sensor=2"}).err,
               "'camera': bytes, (byte - mean) / std with mean 12");
  std::filesystem::rename(std::string(dir_ / "run"), std::string(dir_ / "first"));
  const ProcessResult further =
      Train({"--steps", "10", "--init", dir_ / "first", "--mean", "camera=100", "--std", "camera=50"});
  EXPECT_HOLDS(further.err, "input 'camera': bytes, (byte - mean) / std with mean 100, std 50");
  EXPECT_HOLDS(further.err, "mean [7, 7, 7], std [2, 2, 2]");
}

TEST_F(SeveralInputs, AreBytesOrRealNumbersAsTheirArraysAre) {
  const std::string model = WriteOnnx(), integers = dir_ / "i.tflite";
  const auto convert = [&](const std::string& from, std::vector<std::string> more) {
    more.insert(more.begin(), {from, "--calibrate", dir_ / "data", "--type", "int8", "-o", integers});
    const ProcessResult result = RunTool("qat-convert", more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result;
  };
  const ProcessResult named = convert(model, {"--mean", "camera=127.5", "--std", "camera=127.5"});
  EXPECT_HOLDS(named.err, "input 'camera' holds bytes, 6x6x1, real = (byte - 127.5) / 127.5\n");
  EXPECT_HOLDS(named.out, "camera int8 [1, 6, 6, 1], scale 0.007843138, zero point 0");
  EXPECT_HOLDS(named.out, "sensor float32 [1, 3]");
  EXPECT_EQ(named.out.find("-1 to 1"), std::string::npos) << named.out;
  EXPECT_GT(Compare({"--model", integers})["models"][0]["accuracy"]["top1"].get<double>(), 99);
  // Nobody measured the reals of a conversion without data.
  const std::string reals = dir_ / "r.tflite";
  const ProcessResult without = RunTool("qat-convert", {model, "--type", "float32", "-o", reals});
  ASSERT_EQ(without.exit_code, 0) << without.err;
  EXPECT_EQ(without.out.find("-1 to 1"), std::string::npos) << without.out;
  const ProcessResult inspected = RunTool("qat-eval", {"inspect", reals});
  EXPECT_EQ(inspected.exit_code, 0) << inspected.err;
  EXPECT_EQ(inspected.out.find("min -1"), std::string::npos) << inspected.out;
  EXPECT_EQ(inspected.out.find("-1 to 1"), std::string::npos) << inspected.out;
  const ProcessResult unnamed = convert(model, {});
  EXPECT_HOLDS(unnamed.err,
               "real = (byte - 0) / 1; what a byte means is not said, and so assumed (--mean and --std say "
               "otherwise)");
  EXPECT_HOLDS(unnamed.out, "camera int8 [1, 6, 6, 1], scale 1, zero point -128");
  // Labels that do not fit are not needed, but they are there.
  const NpyArray few{DType::kUInt8, {1}, {0}};
  QAT_ASSERT_OK(WriteFile(dir_ / "data/y_train.npy", Serialize(few)));
  EXPECT_HOLDS(
      convert(model, {}).err,
      "'x_camera_train.npy', 'sensor_train.npy' are taken without labels, which are not needed here");
}

}  // namespace
}  // namespace qat
#endif
