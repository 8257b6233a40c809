// qat-eval inspect: exit codes, and what --json and --dot carry.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "support/places.h"
#include "support/safetensors_file.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ProcessResult;
using testing::ReadText;
using testing::RunTool;
using testing::SafetensorsWriter;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

class InspectCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [name, value] : {std::pair("a", 1.0f), std::pair("b", 1.5f)}) {
      SafetensorsWriter writer;
      writer.Add("w", {2}, {value, 2});
      QAT_ASSERT_OK(WriteFile(dir_ / (std::string(name) + ".safetensors"), writer.Take()));
    }
  }
  const testing::TempDir dir_;
};

TEST_F(InspectCommand, EqualIsZeroAndDifferentIsOne) {
  const std::string a = dir_ / "a.safetensors", b = dir_ / "b.safetensors";
  EXPECT_EQ(RunTool("qat-eval", {"inspect", "--diff", a, a}).exit_code, 0);
  const ProcessResult differs = RunTool("qat-eval", {"inspect", "--diff", a, b, "--json", dir_ / "d.json"});
  EXPECT_EQ(differs.exit_code, 1);
  EXPECT_HOLDS(differs.out, "1 of 2 differ, by 0.5 at most");
  const auto document = nlohmann::json::parse(ReadText(dir_ / "d.json"));
  EXPECT_EQ(document["schema"], "qat-inspect-diff/1");
  EXPECT_EQ(document["equal"], false);
  EXPECT_EQ(document["differences"].size(), 1u);
}

TEST_F(InspectCommand, WritesJsonAndGraphviz) {
  const ProcessResult shown =
      RunTool("qat-eval", {"inspect", dir_ / "a.safetensors", "--json", "-", "--dot", dir_ / "a.dot"});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_EQ(nlohmann::json::parse(shown.out)["tensors"][0]["max"], 2.0);
  EXPECT_HOLDS(ReadText(dir_ / "a.dot"), "t0 [label=\"w\\nfloat32 [2]\", shape=note];");
}

TEST_F(InspectCommand, WhatCannotBeIsRefusedInOneSentence) {
  const std::string a = dir_ / "a.safetensors";
  EXPECT_EQ(RunTool("qat-eval", {"inspect"}).exit_code, 2);
  EXPECT_EQ(RunTool("qat-eval", {"inspect", a, a}).exit_code, 2);
  EXPECT_EQ(RunTool("qat-eval", {"inspect", "--diff", a}).exit_code, 2);
  EXPECT_EQ(RunTool("qat-eval", {"inspect", a, "--dot", a}).exit_code, 2);
  const ProcessResult missing =
      RunTool("qat-eval", {"inspect", dir_ / "none.tflite", "--json", dir_ / "e.json"});
  EXPECT_EQ(missing.exit_code, 3);
  EXPECT_EQ(nlohmann::json::parse(ReadText(dir_ / "e.json"))["status"], "error");
}

// ---- --spec, and qat-train --print-spec ---------------------------------------------------------

/// The last row of --print-network: parameters and multiply-accumulates.
std::string TotalOf(const std::string& network) {
  const ProcessResult printed = RunTool("qat-train", {"--network", network, "--print-network"});
  EXPECT_EQ(printed.exit_code, 0) << printed.err;
  std::istringstream row(printed.out.substr(printed.out.rfind("\ntotal ")));
  std::string total, parameters, products;
  row >> total >> parameters >> products;
  return parameters + " " + products;
}

TEST_F(InspectCommand, TheSpecOfAModelIsTheNetworkThatTrainingMakesOfIt) {
  std::vector<std::string> models = {
      std::string(testing::kSourceDir) + "/tests/import/onnx/script.onnx",
      std::string(testing::kSourceDir) + "/tests/import/onnx/batch_norms.onnx"};
  for (const char* name : {"person_detect.tflite", "tf2_mobilenet_v2_1.0_224_ptq.tflite"}) {
    const std::string model = JoinPath(JoinPath(testing::DataDir(), "tflite-models"), name);
    if (FileExists(model)) models.push_back(model);
  }
  for (const std::string& model : models) {
    const std::string spec = dir_ / "network.toml";
    const ProcessResult shown = RunTool("qat-eval", {"inspect", model, "--spec", spec});
    ASSERT_EQ(shown.exit_code, 0) << shown.err;
    EXPECT_HOLDS(shown.out, model);
    EXPECT_EQ(TotalOf(spec), TotalOf(model)) << model;
    const ProcessResult printed = RunTool("qat-train", {"--network", spec, "--print-spec"});
    EXPECT_EQ(printed.exit_code, 0) << printed.err;
    EXPECT_EQ(RunTool("qat-eval", {"inspect", model, "--spec", "-"}).out, ReadText(spec));
  }
}

TEST_F(InspectCommand, ASpecPrintedAgainIsTheSame) {
  const ProcessResult first = RunTool(
      "qat-train", {"--network", "mobilenet_v2", "--width", "0.35", "--resolution", "32", "--print-spec"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  QAT_ASSERT_OK(WriteFile(dir_ / "printed.toml", first.out));
  EXPECT_EQ(RunTool("qat-train", {"--network", dir_ / "printed.toml", "--print-spec"}).out, first.out);
  EXPECT_EQ(TotalOf(dir_ / "printed.toml").empty(), false);
}

TEST_F(InspectCommand, WhatHasNoSpecIsRefusedAndLeavesNothing) {
  const std::string a = dir_ / "a.safetensors";
  const ProcessResult weights = RunTool("qat-eval", {"inspect", a, "--spec", dir_ / "w.toml"});
  EXPECT_EQ(weights.exit_code, 3) << weights.err;
  EXPECT_HOLDS(weights.err, "a safetensors file");
  EXPECT_FALSE(FileExists(dir_ / "w.toml"));
  EXPECT_EQ(RunTool("qat-eval", {"inspect", "--diff", a, a, "--spec", dir_ / "w.toml"}).exit_code, 2);
  EXPECT_EQ(RunTool("qat-eval", {"inspect", a, "--spec", dir_ / "w.json"}).exit_code, 2);
}

}  // namespace
}  // namespace qat
