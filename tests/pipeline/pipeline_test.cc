// The four programs one after the other, as in a Makefile: the claims of the project on a run of a few steps.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "report/report.h"
#include "support/places.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

using nlohmann::json;
using testing::RunTool;

// One short run for all cases: 60 steps on digits, quantized from step 30 on.
class Pipeline : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new testing::TempDir();
    Check(RunTool("qat-train", {"--data", "digits", "--steps", "60", "--quant-delay", "30", "--batch-size",
                                "32", "--holdout", "500", "--eval-every", "30", "--log-every", "10",
                                "--progress", "none", "-o", Path("run")}));
    Check(RunTool("qat-freeze", {Path("run"), "-o", Path("g.qgraph")}));
    Check(RunTool("qat-convert", {Path("g.qgraph"), "-o", Path("uint8.tflite")}));
    Check(RunTool("qat-convert", {Path("g.qgraph"), "--type", "float32", "-o", Path("float.tflite")}));
    Check(RunTool("qat-eval", {"--data",       "digits",
                               "--limit",      "1000",
                               "--checkpoint", Path("run"),
                               "--graph",      Path("g.qgraph"),
                               "--model",      Path("uint8.tflite"),
                               "--model",      Path("float.tflite"),
                               "--litert",     "off",
                               "--json",       Path("eval.json"),
                               "--html",       Path("report.html"),
                               "--progress",   "none"}));
    report_ = json::parse(testing::ReadText(Path("eval.json")));
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }

  static std::string Path(const std::string& name) { return *folder_ / name; }
  static void Check(const testing::ProcessResult& result) {
    ASSERT_EQ(result.exit_code, 0) << result.err << result.out;
  }

  static const json& PairOf(const std::string& a, const std::string& b) {
    for (const json& pair : report_["pairs"]) {
      if (pair["a"] == a && pair["b"] == b) return pair;
    }
    ADD_FAILURE() << "no pair " << a << ", " << b;
    return report_;
  }

  static testing::TempDir* folder_;
  static json report_;
};

testing::TempDir* Pipeline::folder_ = nullptr;
json Pipeline::report_;

TEST_F(Pipeline, TheIntegerModelDoesWhatTheSimulationDid) {
  const json& pair = PairOf("simulated", Path("uint8.tflite"));
  EXPECT_EQ(pair["flips"]["total"], 0);
  EXPECT_EQ(pair["max_abs_lsb"], 0);
}

TEST_F(Pipeline, FreezingAndConvertingToFloatChangeNoLabel) {
  EXPECT_EQ(PairOf("checkpoint", "graph")["flips"]["total"], 0);
  EXPECT_EQ(PairOf("checkpoint", Path("float.tflite"))["flips"]["total"], 0);
  EXPECT_LT(PairOf("checkpoint", "graph")["max_abs_error"], 1e-4);
}

TEST_F(Pipeline, HasARowAStageInTheOrderOfThePipeline) {
  std::vector<std::string> names;
  for (const json& model : report_["models"]) names.push_back(model["name"]);
  EXPECT_EQ(names, (std::vector<std::string>{"checkpoint", "simulated", "graph", Path("uint8.tflite"),
                                             Path("float.tflite")}));
  EXPECT_EQ(report_["models"][1]["type"], "simulated");
  EXPECT_TRUE(report_["models"][1]["latency_us"].is_null());
  EXPECT_EQ(report_["models"][0]["latency_us"]["runs"], 1000);
}

TEST_F(Pipeline, SpeedIsComparedWithOurOwnFloatModelOfTheRunNotWithLibTorch) {
  for (const auto& [flag, row] : {std::pair{"--float", "float-graph"}, {"--checkpoint", "graph"}}) {
    const auto result = RunTool(
        "qat-eval", {"--data", "digits", "--limit", "100", flag, Path("run"), "--model", Path("uint8.tflite"),
                     "--min-speedup", "0.001", "--litert", "off", "--json", "-", "--progress", "none"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const json report = json::parse(result.out);
    EXPECT_EQ(report["gates"][0]["name"], "min-speedup");
    EXPECT_EQ(report["gates"][0]["reference"], row);
    for (const json& model : report["models"]) {
      if (model["name"] != row) continue;
      EXPECT_TRUE(model["latency_us"].is_object());
      // As the file that qat-convert makes, but for the input contract and the names of classes in it.
      EXPECT_NEAR(model["model_bytes"], static_cast<double>(report_["models"][4]["bytes"]), 4000);
    }
    // It is the network of the checkpoint.
    for (const json& pair : report["pairs"]) {
      if (pair["b"] == row) {
        EXPECT_EQ(pair["flips"]["total"], 0);
      }
    }
  }
}

TEST_F(Pipeline, TheIntegerFileIsAboutAQuarter) {
  const double uint8_bytes = report_["models"][3]["bytes"], float_bytes = report_["models"][4]["bytes"];
  EXPECT_GE(float_bytes / uint8_bytes, 3.7);
  EXPECT_LE(uint8_bytes, 66000);
}

TEST_F(Pipeline, ThePageShowsTheRunsCurvesWithTheDelayMarked) {
  EXPECT_EQ(report_["quant_delay"], 30);
  EXPECT_FALSE(report_["curves"].empty());
  EXPECT_NE(testing::ReadText(Path("report.html")).find("fake quantization from step 30"), std::string::npos);
}

TEST_F(Pipeline, TheSameGraphGivesTheSameBytes) {
  Check(RunTool("qat-freeze", {Path("run"), "-o", Path("again.qgraph")}));
  Check(RunTool("qat-convert", {Path("again.qgraph"), "-o", Path("again.tflite")}));
  EXPECT_EQ(testing::ReadText(Path("again.qgraph")), testing::ReadText(Path("g.qgraph")));
  EXPECT_EQ(testing::ReadText(Path("again.tflite")), testing::ReadText(Path("uint8.tflite")));
}

TEST_F(Pipeline, TheReportHoldsItsSchema) {
  QAT_NEEDS_PYTHON("jsonschema");
  testing::WriteText(Path("schema.json"), std::string(ReportSchema()));
  const auto result = testing::Run({testing::kLitertPython, "-c",
                                    "import json, sys, jsonschema\n"
                                    "schema, report = (json.load(open(p)) for p in sys.argv[1:])\n"
                                    "jsonschema.Draft202012Validator(schema).validate(report)\n",
                                    Path("schema.json"), Path("eval.json")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(Pipeline, ACheckpointOfAnotherStepIsChosenByNumber) {
  const auto result =
      RunTool("qat-eval", {"--data", "digits", "--limit", "50", "--checkpoint", Path("run"), "--select", "30",
                           "--repeat", "0", "--progress", "none", "--json", "-"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string path = json::parse(result.out)["models"][0]["path"];
  EXPECT_TRUE(path.ends_with("0000000030.ckpt")) << path;
}

}  // namespace
}  // namespace qat
