// .onnx files of PyTorch's exporters (scripts/make_onnx_fixtures.py) through all four programs: held against
// PyTorch's own answers, quantized, trained on, and refused with a sentence where something is wrong.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/random.h"
#include "data/npy.h"
#include "support/subprocess.h"
#include "support/test_util.h"
#include "support/two_inputs.h"

namespace qat {
namespace {

using testing::ProcessResult;
using testing::RunTool;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

class OnnxNetwork : public ::testing::Test {
 protected:
  std::string At(const std::string& name) const { return folder_ / name; }
  static std::string Fixture(const std::string& name) {
    return std::string(testing::kSourceDir) + "/tests/import/onnx/" + name;
  }

  ProcessResult Do(const std::string& tool, const std::vector<std::string>& arguments) {
    const ProcessResult result = RunTool(tool, arguments);
    EXPECT_EQ(result.exit_code, 0) << tool << ": " << result.err << result.out;
    return result;
  }

  ProcessResult Convert(const std::string& network, std::vector<std::string> more) {
    more.insert(more.begin(), Fixture(network));
    more.insert(more.end(), {"--progress", "none"});
    return RunTool("qat-convert", more);
  }

  void Write(const std::string& name, const NpyArray& array) {
    QAT_ASSERT_OK(WriteFile(At(name), Serialize(array)));
  }

  /// Pictures [12, 12, 3] whose brightest quarter is their class.
  void WritePictures() {
    std::filesystem::create_directories(At("pictures"));
    Random random(7);
    for (const auto& [split, count] : {std::tuple<const char*, int>{"train", 400}, {"test", 100}}) {
      NpyArray x{DType::kUInt8, {count, 12, 12, 3}, {}}, y{DType::kUInt8, {count}, {}};
      for (int n = 0; n < count; ++n) {
        const int label = random.Between(0, 3);
        for (int place = 0; place < 12 * 12; ++place) {
          const bool bright = place / 12 / 6 * 2 + place % 12 / 6 == label;
          for (int c = 0; c < 3; ++c)
            x.values.push_back(static_cast<uint8_t>(random.Between(0, 127) + (bright ? 128 : 0)));
        }
        y.values.push_back(static_cast<uint8_t>(label));
      }
      Write(std::string("pictures/x_") + split + ".npy", x);
      Write(std::string("pictures/y_") + split + ".npy", y);
    }
  }

  /// Examples of tests/support/two_inputs.h, with a class and two numbers as answers.
  void WriteTwoHeads() {
    std::filesystem::create_directories(At("two"));
    for (const auto& [split, count, seed] :
         {std::tuple<const char*, int, uint64_t>{"train", 600, 5}, {"test", 120, 6}}) {
      testing::TwoInputExamples made = testing::MakeTwoInputExamples(count, seed);
      NpyArray level{DType::kFloat32, {count, 2}, Bytes(static_cast<size_t>(count) * 2 * sizeof(float))};
      for (size_t i = 0; i < made.labels.size(); ++i) {
        const float values[] = {made.labels[i] % 2 == 0 ? 300.0f : 340.0f, made.labels[i] < 2 ? -2.0f : 2.0f};
        std::memcpy(&level.values[i * sizeof(values)], values, sizeof(values));
      }
      Write(std::string("two/x_camera_") + split + ".npy",
            {DType::kUInt8, {count, 6, 6, 1}, std::move(made.camera)});
      Write(std::string("two/sensor_") + split + ".npy",
            {DType::kFloat32, {count, 3}, std::move(made.sensor)});
      Write(std::string("two/y_kind_") + split + ".npy", {DType::kUInt8, {count}, std::move(made.labels)});
      Write(std::string("two/level_") + split + ".npy", level);
    }
  }

  /// Pictures [8, 6, 3] with a label for each pixel.
  void WriteMaps() {
    std::filesystem::create_directories(At("maps"));
    Random random(9);
    for (const std::string split : {"train", "test"}) {
      NpyArray x{DType::kUInt8, {20, 8, 6, 3}, {}}, y{DType::kUInt8, {20, 8, 6}, {}};
      for (int i = 0; i < 20 * 8 * 6; ++i) {
        for (int c = 0; c < 3; ++c) x.values.push_back(static_cast<uint8_t>(random.Between(0, 255)));
        y.values.push_back(static_cast<uint8_t>(random.Between(0, 1)));
      }
      Write("maps/x_" + split + ".npy", x);
      Write("maps/y_" + split + ".npy", y);
    }
  }

  static std::vector<float> FloatsOf(const std::string& path) {
    const auto array = ReadNpy(path);
    EXPECT_TRUE(array.ok());
    std::vector<float> values(array->values.size() / sizeof(float));
    std::memcpy(values.data(), array->values.data(), array->values.size());
    return values;
  }

  testing::TempDir folder_;
};

class EveryExport : public OnnxNetwork, public ::testing::WithParamInterface<const char*> {};

TEST_P(EveryExport, ConvertsAsPyTorchAnswersAndToIntegers) {
  WritePictures();
  const std::string network = std::string(GetParam()) + ".onnx";
  const ProcessResult real =
      Convert(network, {"--verify", Fixture("x.npy"), Fixture("y.npy"), "--verify-tolerance", "1e-5",
                        "--type", "float32", "-o", At("f.tflite")});
  ASSERT_EQ(real.exit_code, 0) << real.err;
  EXPECT_HOLDS(real.out, ": 2 examples, differs by at most ");
  EXPECT_HOLDS(real.out, "float32 [1, 12, 12, 3]");
  const ProcessResult integers = Convert(network, {"--calibrate", At("pictures"), "--mean", "127.5", "--std",
                                                   "127.5", "--type", "int8", "-o", At("i.tflite")});
  ASSERT_EQ(integers.exit_code, 0) << integers.err;
  EXPECT_HOLDS(integers.out, "int8 [1, 12, 12, 3]");
  Do("qat-eval", {"--data", At("pictures"), At("i.tflite"), "--repeat", "0", "--progress", "none"});
}

INSTANTIATE_TEST_SUITE_P(Files, EveryExport, ::testing::Values("script", "dynamo", "batch_norms"));

TEST_F(OnnxNetwork, OtherAnswersAreRefusedAndNothingIsWritten) {
  const ProcessResult result = Convert("script.onnx", {"--verify", Fixture("x.npy"), Fixture("x.npy"),
                                                       "--type", "float32", "-o", At("m.tflite")});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_HOLDS(result.err, "is [2, 3, 12, 12], expected ");
  NpyArray wrong = *ReadNpy(Fixture("y.npy"));
  wrong.values[2] ^= 0x40;  // a bit of the first number
  Write("wrong.npy", wrong);
  const ProcessResult differs = Convert("script.onnx", {"--verify", Fixture("x.npy"), At("wrong.npy"),
                                                        "--type", "float32", "-o", At("m.tflite")});
  EXPECT_EQ(differs.exit_code, 3);
  EXPECT_HOLDS(differs.err, "is the first tensor that differs");
  EXPECT_HOLDS(differs.err, "at value 0 of example 0");
  EXPECT_EQ(testing::FilesIn(At("")), std::vector<std::string>{"wrong.npy"});
}

TEST_F(OnnxNetwork, BatchNormsTrainOnAndEveryByteIsThatOfTheSimulation) {
  WritePictures();
  const ProcessResult trained =
      Do("qat-train", {"--network", Fixture("batch_norms.onnx"), "--data", At("pictures"), "--mean", "127.5",
                       "--std", "127.5", "--scheme", "int8", "--steps", "120", "--threads", "1", "--progress",
                       "none", "-o", At("run")});
  EXPECT_HOLDS(trained.err,
               "2 batch normalizations went into the filters before; training takes them apart again");
  const ProcessResult frozen = Do("qat-freeze", {At("run"), "-o", At("g.qgraph")});
  EXPECT_HOLDS(frozen.out, "folded  2 batch norms");
  Do("qat-convert", {At("g.qgraph"), "-o", At("m.tflite")});
  const ProcessResult compared =
      Do("qat-eval",
         {"--data", At("pictures"), "--checkpoint", At("run"), "--graph", At("g.qgraph"), At("m.tflite"),
          "--min-accuracy", "60", "--litert", "off", "--repeat", "0", "--progress", "none"});
  EXPECT_HOLDS(compared.out, "every byte as in the simulation");
}

TEST_F(OnnxNetwork, SizesThatAreOpenAreSaidByTheUser) {
  const std::vector<std::string> to_float = {"--type", "float32", "-o", At("m.tflite")};
  const auto convert = [&](std::vector<std::string> more) {
    more.insert(more.end(), to_float.begin(), to_float.end());
    return Convert("maps.onnx", more);
  };
  const ProcessResult open = convert({});
  EXPECT_EQ(open.exit_code, 4);
  EXPECT_HOLDS(
      open.err,
      "input 'x': leaves axis 2 open ('height'); export the network with fixed sizes, or say --input-shape");
  const ProcessResult other = convert({"--input-shape", "z=1,3,8,6"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_HOLDS(other.err, "--input-shape: names the input 'z', expected x");
  EXPECT_FALSE(std::filesystem::exists(At("m.tflite")));
  const ProcessResult said =
      convert({"--input-shape", "x=1,3,8,6", "--verify", Fixture("maps_x.npy"), Fixture("maps_y.npy")});
  ASSERT_EQ(said.exit_code, 0) << said.err;
  EXPECT_HOLDS(said.out, "input      x float32 [1, 8, 6, 3]");
  EXPECT_HOLDS(said.out, "output     y float32 [1, 8, 6, 2]");
}

TEST_F(OnnxNetwork, ChannelsStayFirstWhereAskedAndAnswersAreTheSame) {
  const std::vector<std::string> sizes = {"--input-shape", "1,3,8,6"};
  const auto convert = [&](const std::string& layout, const std::string& model,
                           std::vector<std::string> more) {
    more.insert(more.end(), sizes.begin(), sizes.end());
    more.insert(more.end(), {"--input-layout", layout, "-o", At(model)});
    return Convert("maps.onnx", more);
  };
  const ProcessResult first = convert("nchw", "float.tflite", {"--type", "float32"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_HOLDS(first.out, "input      x float32 [1, 3, 8, 6]");
  EXPECT_HOLDS(first.out, "output     y float32 [1, 2, 8, 6]");
  EXPECT_HOLDS(first.err, "'x' [1, 3, 8, 6], 'y' [1, 2, 8, 6]; 2 transposes were added");
  Do("qat-eval", {"run", At("float.tflite"), "--input", Fixture("maps_x.npy"), "-o", At("y.npy")});
  const std::vector<float> found = FloatsOf(At("y.npy")), expected = FloatsOf(Fixture("maps_y.npy"));
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-5) << i;

  WriteMaps();
  const std::vector<std::string> integers = {"--calibrate", At("maps"),  "--mean", "127.5",
                                             "--std",       "100,50,25", "--type", "int8"};
  ASSERT_EQ(convert("nhwc", "last.tflite", integers).exit_code, 0);
  ASSERT_EQ(convert("nchw", "first.tflite", integers).exit_code, 0);
  Do("qat-eval", {"--data", At("maps"), At("last.tflite"), At("first.tflite"), "--litert", "off", "--repeat",
                  "0", "--progress", "none", "--json", At("report.json")});
  const auto report = nlohmann::json::parse(testing::ReadText(At("report.json")));
  ASSERT_EQ(report["pairs"].size(), 1u);
  EXPECT_EQ(report["pairs"][0]["max_abs_lsb"], 0);
  EXPECT_EQ(report["models"][0]["accuracy"], report["models"][1]["accuracy"]);
}

TEST_F(OnnxNetwork, IndicesHaveNoChannelsToPutFirst) {
  WriteMaps();
  const ProcessResult converted =
      Convert("maps.onnx", {"--input-shape", "1,3,8,6", "--calibrate", At("maps"), "--type", "int8",
                            "--append", "argmax", "--input-layout", "nchw", "-o", At("m.tflite")});
  ASSERT_EQ(converted.exit_code, 0) << converted.err;
  EXPECT_HOLDS(converted.out, "output     y/argmax int32 [1, 8, 6]");
}

// Else the reals that the network was made for would be refused by everything behind it.
TEST_F(OnnxNetwork, WhatIsAssumedOfAPictureIsNotWrittenDown) {
  for (const char* type : {"float32", "float16", "dynamic"}) {
    const std::vector<std::string> common = {"--type",  type, "--input-shape",
                                             "1,3,8,6", "-o", At("m.tflite")};
    const ProcessResult assumed = Convert("maps.onnx", common);
    ASSERT_EQ(assumed.exit_code, 0) << assumed.err;
    EXPECT_HOLDS(assumed.out, "contract   none: nobody says what its pictures hold");
    const ProcessResult shown = RunTool("qat-eval", {"inspect", At("m.tflite")});
    EXPECT_EQ(shown.out.find("input says"), std::string::npos) << shown.out;
    EXPECT_EQ(shown.out.find("qat.input_contract"), std::string::npos) << shown.out;
    std::vector<std::string> said = common;
    said.insert(said.end(), {"--mean", "127.5", "--std", "127.5"});
    const ProcessResult stated = Convert("maps.onnx", said);
    ASSERT_EQ(stated.exit_code, 0) << stated.err;
    EXPECT_HOLDS(RunTool("qat-eval", {"inspect", At("m.tflite")}).out, "input says  mean 127.5, std 127.5");
  }
}

TEST_F(OnnxNetwork, LayoutsThatCannotBeAreRefused) {
  const std::vector<std::string> common = {"--type",  "float32", "--input-shape",
                                           "1,3,8,6", "-o",      At("m.tflite")};
  const auto convert = [&](const std::string& layout) {
    std::vector<std::string> all = common;
    all.insert(all.end(), {"--input-layout", layout});
    return Convert("maps.onnx", all);
  };
  EXPECT_HOLDS(convert("chw").err, "--input-layout: value 'chw', expected nhwc or nchw");
  ASSERT_EQ(convert("NCHW").exit_code, 0);
  const ProcessResult again = RunTool(
      "qat-convert", {At("m.tflite"), "--type", "float32", "--input-layout", "nchw", "-o", At("n.tflite")});
  EXPECT_EQ(again.exit_code, 4);
  EXPECT_HOLDS(again.err, "was written with its channels first (--input-layout nchw)");
  EXPECT_FALSE(std::filesystem::exists(At("n.tflite")));
}

TEST_F(OnnxNetwork, IsShownWithoutBeingConverted) {
  const ProcessResult shown = Do("qat-eval", {"inspect", Fixture("two.onnx")});
  EXPECT_HOLDS(shown.out, "an ONNX model");
  EXPECT_HOLDS(shown.out, "input       camera float32 [1, 1, 6, 6]*");
  EXPECT_HOLDS(shown.out, "output      level float32 [1, 2]*");
}

TEST_F(OnnxNetwork, DamagedAndOtherFilesAreRefusedInOneSentence) {
  Bytes bytes = *ReadFile(Fixture("script.onnx"));
  bytes.resize(bytes.size() / 2);
  QAT_ASSERT_OK(WriteFile(At("half.onnx"), bytes));
  testing::WriteText(At("text.onnx"), "this is no network\n");
  const std::vector<std::string> before = testing::FilesIn(At(""));
  for (const std::string name : {"half.onnx", "text.onnx", "none.onnx"}) {
    const ProcessResult converted =
        RunTool("qat-convert", {At(name), "--type", "float32", "-o", At("m.tflite")});
    EXPECT_EQ(converted.exit_code, 3) << name << ": " << converted.err;
    EXPECT_EQ(std::count(converted.err.begin(), converted.err.end(), '\n'), 1) << converted.err;
    EXPECT_HOLDS(converted.err, name);
    EXPECT_EQ(RunTool("qat-train", {"--network", At(name), "--data", "digits", "-o", At("run")}).exit_code, 3)
        << name;
  }
  EXPECT_EQ(testing::FilesIn(At("")), before);
}

TEST_F(OnnxNetwork, TwoInputsAndTwoOutputsGoThroughAllFourProgramsByName) {
  WriteTwoHeads();
  const ProcessResult integers =
      Convert("two.onnx", {"--verify", Fixture("two_x.npz"), Fixture("two_y.npz"), "--calibrate", At("two"),
                           "--type", "int8", "-o", At("i.tflite")});
  ASSERT_EQ(integers.exit_code, 0) << integers.err;
  EXPECT_HOLDS(integers.out, "verified   kind: 3 examples");
  EXPECT_HOLDS(integers.out, "verified   level: 3 examples");
  // The fixture's answers are noise, many deviations from these numbers: nothing to start from.
  Do("qat-train", {"--network", Fixture("two.onnx"), "--reinitialize", "--data", At("two"), "--mean",
                   "camera=127.5,sensor=10", "--std", "camera=64,sensor=1", "--scheme", "int8", "--steps",
                   "300", "--threads", "1", "--progress", "none", "-o", At("run")});
  Do("qat-freeze", {At("run"), "-o", At("g.qgraph")});
  Do("qat-convert", {At("g.qgraph"), "-o", At("m.tflite")});
  const ProcessResult compared =
      Do("qat-eval", {"--data", At("two"), "--checkpoint", At("run"), At("m.tflite"), "--min-accuracy", "90",
                      "--max-rmse", "5", "--litert", "off", "--repeat", "0", "--progress", "none"});
  EXPECT_HOLDS(compared.out, "output 'kind' (classes)");
  EXPECT_HOLDS(compared.out, "output 'level' (numbers)");
  EXPECT_HOLDS(compared.out, "every byte as in the simulation");
}

// A model that was only converted does not say what its outputs mean: the names of labels do.
TEST_F(OnnxNetwork, OutputsOfUnknownMeaningAreJudgedByTheNamesOfLabels) {
  WriteTwoHeads();
  ASSERT_EQ(Convert("two.onnx", {"--type", "float32", "-o", At("f.tflite")}).exit_code, 0);
  const auto compare = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--data", At("two"), At("f.tflite"), "--litert", "off", "--repeat", "0",
                               "--progress", "none", "--json", At("report.json")});
    return RunTool("qat-eval", more);
  };
  const auto report = [&] { return nlohmann::json::parse(testing::ReadText(At("report.json"))); };
  ASSERT_EQ(compare({}).exit_code, 0);
  const auto both = report();
  EXPECT_EQ(both["task"], "classes");
  EXPECT_EQ(both["other_outputs"][0]["output"], "level");
  EXPECT_EQ(both["other_outputs"][0]["task"], "numbers");
  const auto rmse = both["other_outputs"][0]["models"][0]["regression"];

  ASSERT_EQ(compare({"--judge", "level"}).exit_code, 0);
  const auto level = report();
  EXPECT_EQ(level["task"], "numbers");
  EXPECT_EQ(level["models"][0]["regression"]["targets"], rmse["targets"]);
  EXPECT_HOLDS(compare({"--judge", "levl"}).err,
               "qat-eval: --judge: names the output 'levl', expected one of kind, level");

  for (const std::string split : {"train", "test"}) {
    std::filesystem::rename(At("two/level_" + split + ".npy"), At("two/y_" + split + ".npy"));
    std::filesystem::remove(At("two/y_kind_" + split + ".npy"));
  }
  ASSERT_EQ(compare({"--judge", "level"}).exit_code, 0);
  EXPECT_EQ(report()["models"][0]["regression"]["targets"], rmse["targets"]);
  const ProcessResult first = compare({});
  EXPECT_NE(first.exit_code, 0) << "two numbers are no labels of 'kind'";
  for (const std::string split : {"train", "test"}) std::filesystem::remove(At("two/y_" + split + ".npy"));
  EXPECT_HOLDS(compare({}).err, "the model has 2 outputs, whose labels would be called y_kind, y_level");
}

TEST_F(OnnxNetwork, ATfliteOfTwoInputsAndTwoOutputsTrainsOnByName) {
  WriteTwoHeads();
  ASSERT_EQ(Convert("two.onnx", {"--type", "float32", "-o", At("f.tflite")}).exit_code, 0);
  const std::vector<std::string> norms = {"--mean", "camera=127.5,sensor=10", "--std", "camera=64,sensor=1"};
  std::vector<std::string> calibrate = {At("f.tflite"), "--calibrate",  At("two"),    "--type", "int8",
                                        "-o",           At("i.tflite"), "--progress", "none"};
  calibrate.insert(calibrate.end(), norms.begin(), norms.end());
  const ProcessResult integers = Do("qat-convert", calibrate);
  EXPECT_HOLDS(integers.out, "input      camera float32 [1, 6, 6, 1]");
  EXPECT_HOLDS(integers.out, "output     level int8 [1, 2]");
  std::vector<std::string> train = {"--network",  At("f.tflite"), "--data", At("two"),   "--scheme",
                                    "int8",       "--steps",      "200",    "--threads", "1",
                                    "--progress", "none",         "-o",     At("run")};
  train.insert(train.end(), norms.begin(), norms.end());
  Do("qat-train", train);
  Do("qat-freeze", {At("run"), "-o", At("g.qgraph")});
  Do("qat-convert", {At("g.qgraph"), "-o", At("m.tflite")});
  const ProcessResult compared =
      Do("qat-eval", {"--data", At("two"), "--checkpoint", At("run"), At("m.tflite"), "--min-accuracy", "80",
                      "--litert", "off", "--repeat", "0", "--progress", "none"});
  EXPECT_HOLDS(compared.out, "output 'level' (numbers)");
  EXPECT_HOLDS(compared.out, "every byte as in the simulation");
}

}  // namespace
}  // namespace qat
