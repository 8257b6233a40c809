// qat-eval debug: a layer that was spoilt on purpose is named first, and the plan that is suggested repairs
// it, with the programs alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/file.h"
#include "data/dataset.h"
#include "data/npy.h"
#include "model/model.h"
#include "support/digit_classifier.h"
#include "support/onnx_file.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::DigitClassifier;
using testing::ProcessResult;
using testing::ReadText;
using testing::RunTool;
using testing::WriteText;
using Json = nlohmann::json;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

class DebugCommand : public ::testing::Test {
 protected:
  void Write(const Graph& graph) {
    QAT_ASSERT_OK(Verify(graph));
    QAT_ASSERT_OK(WriteFile(dir_ / "g.qgraph", Serialize(graph)));
  }

  ProcessResult Debug(std::vector<std::string> arguments) {
    std::vector<std::string> all = {"debug", dir_ / "g.qgraph", "--limit",      "300", "--calibration-limit",
                                    "150",   "--json",          dir_ / "d.json"};
    if (std::find(arguments.begin(), arguments.end(), "--data") == arguments.end())
      all.insert(all.end(), {"--data", "digits"});
    all.insert(all.end(), arguments.begin(), arguments.end());
    return RunTool("qat-eval", all);
  }

  Json Document() const { return Json::parse(ReadText(dir_ / "d.json")); }

  /// Points of accuracy on the test split that the model of a plan loses, by the programs that users have.
  double DropOf(const std::string& plan) {
    const ProcessResult converted =
        RunTool("qat-convert", {dir_ / "g.qgraph", "--plan", plan, "-o", dir_ / "m.tflite"});
    EXPECT_EQ(converted.exit_code, 0) << converted.err;
    const ProcessResult compared = RunTool(
        "qat-eval", {"--data", "digits", "--graph", dir_ / "g.qgraph", dir_ / "m.tflite", "--repeat", "0",
                     "--litert", "off", "--max-changed-ranges", "-1", "--json", dir_ / "c.json"});
    EXPECT_EQ(compared.exit_code, 0) << compared.err;
    const Json report = Json::parse(ReadText(dir_ / "c.json"));
    double graph = 0, model = 0;
    for (const Json& each : report["models"])
      (each["kind"] == "graph" ? graph : model) = each["accuracy"]["top1"];
    return graph - model;
  }

  const testing::TempDir dir_;
};

TEST_F(DebugCommand, ARangeTimes100IsNamedFirstAndRepairedByThePlan) {
  Write(DigitClassifier());
  const ProcessResult planned =
      RunTool("qat-convert", {dir_ / "g.qgraph", "--type", "int8", "--calibrate", "digits",
                              "--calibration-limit", "150", "--write-plan", dir_ / "good.toml"});
  ASSERT_EQ(planned.exit_code, 0) << planned.err;
  std::string text = ReadText(dir_ / "good.toml");
  const size_t line = text.find("\"conv2\" = { range = [0, ");
  ASSERT_NE(line, std::string::npos) << text;
  const size_t begin = line + std::string("\"conv2\" = { range = [0, ").size();
  const size_t end = text.find(']', begin);
  text.replace(begin, end - begin, std::to_string(100 * std::stod(text.substr(begin, end - begin))));
  WriteText(dir_ / "bad.toml", text);
  ASSERT_GT(DropOf(dir_ / "bad.toml"), 4);

  const ProcessResult found =
      Debug({"--plan", dir_ / "bad.toml", "--suggest", dir_ / "fixed.toml", "--max-drop", "2"});
  ASSERT_EQ(found.exit_code, 0) << found.out << found.err;
  const Json document = Document();
  EXPECT_EQ(document["schema"], "qat-debug/1");
  EXPECT_EQ(document["layers"][0]["layer"], "conv2");
  EXPECT_EQ(document["layers"][0]["rank"], 1);
  EXPECT_EQ(document["suggestion"]["edits"].size(), 1u);
  EXPECT_EQ(document["suggestion"]["edits"][0]["kind"], "range");
  EXPECT_EQ(document["suggestion"]["met"], true);
  EXPECT_HOLDS(found.out, "edit       range of 'conv2'");
  EXPECT_HOLDS(found.out, "price      0 bytes");
  const std::string tried = std::to_string(document["suggestion"]["tried"].get<int>());
  EXPECT_HOLDS(found.err, "edits tried: " + tried + "/" + tried + " (100 %)");
  const double drop = DropOf(dir_ / "fixed.toml");
  EXPECT_LT(drop, 2);
  EXPECT_NEAR(drop, document["suggestion"]["test"]["loss"].get<double>(), 1e-9)
      << "the figure that was verified";

  // Its biases have other steps than those of a fresh conversion, but nothing was repaired.
  const ProcessResult converted =
      RunTool("qat-convert", {dir_ / "g.qgraph", "--plan", dir_ / "bad.toml", "-o", dir_ / "bad.tflite"});
  ASSERT_EQ(converted.exit_code, 0) << converted.err;
  const ProcessResult of_model =
      Debug({dir_ / "bad.tflite", "--suggest", dir_ / "again.toml", "--max-drop", "2"});
  ASSERT_EQ(of_model.exit_code, 0) << of_model.out << of_model.err;
  EXPECT_EQ(of_model.err.find("--repair again"), std::string::npos) << of_model.err;
}

TEST_F(DebugCommand, AStretchedChannelOfAConvertedModelIsEqualized) {
  Graph graph = DigitClassifier();
  testing::StretchChannel(graph, 5, 300);
  Write(graph);
  const ProcessResult converted =
      RunTool("qat-convert", {dir_ / "g.qgraph", "--type", "int8", "--calibrate", "digits",
                              "--calibration-limit", "150", "-o", dir_ / "bad.tflite"});
  ASSERT_EQ(converted.exit_code, 0) << converted.err;
  const ProcessResult found = Debug({dir_ / "bad.tflite", "--suggest", dir_ / "fixed.toml", "--max-drop", "2",
                                     "--reproducer", dir_ / "cut"});
  ASSERT_EQ(found.exit_code, 0) << found.out << found.err;
  const Json document = Document();
  EXPECT_EQ(document["layers"][0]["layer"], "conv1");
  EXPECT_EQ(document["layers"][0]["coarse_channels"], 7);
  EXPECT_EQ(document["suggestion"]["edits"][0]["kind"], "equalize");
  EXPECT_LT(DropOf(dir_ / "fixed.toml"), 2);

  const ProcessResult run = RunTool("qat-eval", {"run", dir_ / "cut/layer.tflite", "--input",
                                                 dir_ / "cut/input.npy", "-o", dir_ / "y.npy"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(ReadText(dir_ / "y.npy"), ReadText(dir_ / "cut/output.npy"));
}

// Of a model that was made by rounding otherwise, nothing is repeated from the network.
TEST_F(DebugCommand, OfARepairedModelItsOwnFiltersAndBiasesAreExamined) {
  Write(DigitClassifier());
  const auto answers = [&](const std::string& repair) {
    const ProcessResult converted = RunTool(
        "qat-convert", {dir_ / "g.qgraph", "--type", "w4a8", "--calibrate", "digits", "--calibration-limit",
                        "150", "--repair", repair, "-o", dir_ / (repair + ".tflite")});
    EXPECT_EQ(converted.exit_code, 0) << converted.err;
    const ProcessResult found =
        Debug({dir_ / (repair + ".tflite"), "--reproducer", dir_ / repair, "--layer", "conv2"});
    EXPECT_EQ(found.exit_code, 0) << found.err;
    EXPECT_EQ(found.err.find("this model"), std::string::npos) << found.err;
    EXPECT_EQ(found.err.find("could not be taken"), std::string::npos) << found.err;
    return Document()["output_sqnr_db"].get<double>();
  };
  const double plain = answers("none");
  EXPECT_GT(answers("adaround"), plain + 2);
  EXPECT_NE(answers("bias"), plain);
  EXPECT_HOLDS(Debug({dir_ / "bias.tflite", "--suggest", dir_ / "s.toml", "--max-drop", "100"}).err,
               "give qat-convert --repair again");
  // The layer that is cut out has the model's integers: its filter lies in both files.
  const auto holds = [&](const std::string& cut, const std::string& model) {
    const auto layer = *Model::Load(dir_ / (cut + "/layer.tflite")),
               whole = *Model::Load(dir_ / (model + ".tflite"));
    for (const ModelTensor& tensor : whole->tensors()) {
      if (tensor.name != "conv2/filter") continue;
      for (const ModelTensor& each : layer->tensors()) {
        if (each.shape == tensor.shape && std::ranges::equal(each.constant, tensor.constant)) return true;
      }
    }
    return false;
  };
  EXPECT_TRUE(holds("none", "none"));
  EXPECT_TRUE(holds("adaround", "adaround"));
  EXPECT_FALSE(holds("none", "adaround")) << "adaround rounds otherwise";
}

// As of a network of others, which does not say what its outputs mean.
TEST_F(DebugCommand, OfSeveralOutputsTheLabelsOfTheFirstAreJudged) {
  Graph graph = DigitClassifier();
  graph.outputs.push_back(graph.nodes.front().output());
  graph.contract.outputs.clear();
  Write(graph);
  const auto write = [&](const std::string& folder, const std::string& labels) {
    std::filesystem::create_directories(dir_ / folder);
    for (const auto& [split, name] : {std::pair(Split::kTrain, "train"), std::pair(Split::kTest, "test")}) {
      OpenOptions options;
      options.limit = 450;
      const Dataset digits = *OpenDataset("digits", split, options);
      const auto count = static_cast<int32_t>(digits.size());
      Bytes images(static_cast<size_t>(digits.size() * digits.ImageSize()));
      std::vector<int32_t> all(static_cast<size_t>(count));
      std::iota(all.begin(), all.end(), 0);
      QAT_ASSERT_OK(digits.Read(all, images));
      const auto put = [&](const std::string& array, Shape shape, Bytes values) {
        const std::string path = dir_ / (folder + "/" + array + "_" + name + ".npy");
        QAT_ASSERT_OK(
            WriteFile(path, Serialize(NpyArray{DType::kUInt8, std::move(shape), std::move(values)})));
      };
      put("x", {count, digits.input().height, digits.input().width, 1}, std::move(images));
      put(labels, {count}, Bytes(digits.labels.begin(), digits.labels.end()));
    }
  };
  write("named", "y_logits");
  write("plain", "y");
  write("other", "y_place");
  for (const char* folder : {"named", "plain"}) {
    const ProcessResult found =
        Debug({"--data", dir_ / folder, "--suggest", dir_ / "plan.toml", "--max-drop", "100"});
    ASSERT_EQ(found.exit_code, 0) << found.err;
    EXPECT_HOLDS(found.err, "of the 2 outputs, the answers of the first, 'logits', are judged");
    EXPECT_EQ(Document()["task"], "classes");
    EXPECT_GT(Document()["float"].get<double>(), 60) << folder;
  }
  const ProcessResult refused = Debug({"--data", dir_ / "other"});
  EXPECT_EQ(refused.exit_code, 3) << refused.err;
  EXPECT_HOLDS(refused.err, "labels of the first output, which is judged, would be called y_logits");
}

// A plan that loses nothing of nothing is no advice, so the reason comes with it.
TEST_F(DebugCommand, ANetworkThatAnswersNothingItselfIsWarnedOf) {
  std::vector<float> weights(14 * 14 * 10), biases(10);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = i % 10 == 3 ? 0.01f : 0.001f;  // always 3
  const Bytes onnx =
      testing::OnnxFile()
          .Input("input", {1, 1, 28, 28})
          .Node("MaxPool", {"input"}, {"pool"},
                {testing::OnnxInts("kernel_shape", {2, 2}), testing::OnnxInts("strides", {2, 2})})
          .Node("Flatten", {"pool"}, {"flat"})
          .Constant("w", {14 * 14, 10}, weights)
          .Constant("b", {10}, biases)
          .Node("Gemm", {"flat", "w", "b"}, {"scores"})
          .Output("scores", {1, 10})
          .Bytes();
  QAT_ASSERT_OK(WriteFile(dir_ / "n.onnx", onnx));
  const std::vector<std::string> command = {"debug", dir_ / "n.onnx",       "--data", "digits",     "--limit",
                                            "300",   "--calibration-limit", "150",    "--progress", "none"};
  const ProcessResult guessed = RunTool("qat-eval", command);
  EXPECT_EQ(guessed.exit_code, 0) << guessed.err;
  EXPECT_HOLDS(guessed.err, "n.onnx: --input-stats MEAN,STD says what a byte means to it");
  EXPECT_HOLDS(guessed.err, "warning: " + (dir_ / "n.onnx") +
                                ": the answers of the float network itself are no better than guessing");
  EXPECT_HOLDS(guessed.err,
               "a byte probably means something else than real = byte to it, give --input-stats MEAN,STD");
  std::vector<std::string> said = command;
  said.insert(said.end(), {"--input-stats", "0,255"});
  const ProcessResult stated = RunTool("qat-eval", said);
  EXPECT_EQ(stated.exit_code, 0) << stated.err;
  EXPECT_HOLDS(stated.err,
               "says anything about quantization; expected the data and labels that it was made for");
  EXPECT_EQ(stated.err.find("--input-stats"), std::string::npos) << stated.err;
  Write(DigitClassifier());
  EXPECT_EQ(Debug({}).err.find("guessing"), std::string::npos);
}

TEST_F(DebugCommand, ALimitThatNothingMeetsIsAFailedGateWithoutAPlan) {
  Write(DigitClassifier());
  WriteText(dir_ / "old.toml", "old");
  const ProcessResult found = Debug({"--suggest", dir_ / "fixed.toml", "--max-drop", "0", "--type", "uint8"});
  const Json document = Document();
  EXPECT_EQ(found.exit_code == 0,
            document["suggestion"]["met"] == true && document["suggestion"]["test"]["loss"] <= 0)
      << found.out;
  EXPECT_EQ(std::filesystem::exists(dir_ / "fixed.toml"), document["suggestion"]["met"] == true);
}

TEST_F(DebugCommand, WhatCannotBeIsRefusedInOneSentence) {
  Write(DigitClassifier());
  WriteText(dir_ / "p.toml", "version = 1\ntype = \"int8\"\n[activations]\n\"conv9\" = { range = [0, 1] }\n");
  WriteText(dir_ / "q.toml", "version = 1\ntype = \"int8\"\nequalize = [\"conv2\"]\n");
  const auto expect = [&](std::vector<std::string> arguments, int code, const char* text) {
    const ProcessResult refused = Debug(std::move(arguments));
    EXPECT_EQ(refused.exit_code, code) << refused.err;
    EXPECT_HOLDS(refused.err, text);
  };
  expect({"--suggest", dir_ / "f.toml"}, 2, "--suggest: expected --max-drop X");
  expect({"--max-drop", "1"}, 2, "expected --suggest OUT.toml too");
  expect({"--layer", "conv1"}, 2, "--layer: chooses what --reproducer cuts out");
  expect({"--type", "int3"}, 2, "--type: value 'int3', expected one of uint8");
  expect({"--limit", "-1"}, 2, "--limit: value -1");
  expect({"--plan", dir_ / "p.toml"}, 2, "unknown activation 'conv9'; did you mean 'conv1'?");
  expect({"--plan", dir_ / "q.toml"}, 0, "");
  WriteText(dir_ / "r.toml", "version = 1\ntype = \"int8\"\nequalize = [\"logits\"]\n");
  expect({"--plan", dir_ / "r.toml"}, 2, "equalize: unknown layer to equalize 'logits'");
  const ProcessResult convert =
      RunTool("qat-convert", {dir_ / "g.qgraph", "--plan", dir_ / "r.toml", "-o", dir_ / "r.tflite"});
  EXPECT_EQ(convert.exit_code, 2);
  EXPECT_HOLDS(convert.err, "expected of: conv1, conv2");
  expect({"--reproducer", dir_ / "cut", "--layer", "konv2"}, 2,
         "unknown layer 'konv2'; did you mean 'conv2'?");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "cut")) << "an empty folder is left";
  expect({"--suggest", dir_ / "f.toml", "--max-error-rise", "1"}, 2, "--max-error-rise: judges real numbers");
  EXPECT_EQ(Debug({"--suggest", dir_ / "f.toml", "--max-error-rise", "1"}).err.find("answers of float"),
            std::string::npos)
      << "before anything is run";
  expect({"--suggest", dir_ / "f.json", "--max-drop", "1"}, 2, "f.json");
  expect({dir_ / "g.qgraph"}, 3, "g.qgraph");
  EXPECT_EQ(RunTool("qat-eval", {"debug", "--data", "digits"}).exit_code, 2);
}

}  // namespace
}  // namespace qat
