// Every way out of the programs leaves a report, and every report holds its schema: judged by Python's jsonschema, which knows
// nothing of our writer.
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint.h"
#include "data/npy.h"
#include "report/report.h"
#include "support/subprocess.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_files.h"

namespace qat {
namespace {

using nlohmann::json;
using testing::ReadText;
using testing::WriteText;

struct WayOut {
  std::string name;
  int code;
  std::vector<std::string> command;  // program, then its arguments
};

constexpr char kValidate[] =
    "import json, sys, jsonschema\n"
    "validator = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))\n"
    "bad = 0\n"
    "for path in sys.argv[2:]:\n"
    "    for error in validator.iter_errors(json.load(open(path))):\n"
    "        bad += 1\n"
    "        print(path, error.json_path, error.message)\n"
    "sys.exit(bad > 0)\n";

class ExitPaths : public ::testing::Test {
 protected:
  ExitPaths() {
    Checkpoint unsettled = testing::TinyCheckpoint();
    unsettled.ranges["conv"].drift = 0.5f;
    WriteFileOrFail("good.ckpt", Serialize(testing::TinyCheckpoint()));
    WriteFileOrFail("unsettled.ckpt", Serialize(unsettled));
    WriteFileOrFail("no_ranges.qgraph", Serialize(testing::TinyGraph(false)));
    Bytes newer = Serialize(testing::TinyGraph());
    newer[0] = 99;  // the format's version
    WriteFileOrFail("newer.qgraph", newer);
    Bytes damaged = Serialize(testing::TinyGraph());
    damaged.back() ^= 1;
    WriteFileOrFail("damaged.qgraph", damaged);
    NpyArray tensors{DType::kUInt8, {5, 4, 4, 1}, Bytes(80, 200)};
    WriteFileOrFail("x.npy", Serialize(tensors));
    WriteText(At("bad.json"), "{\"schema\": ");
  }

  std::string At(const std::string& name) const { return files_ / name; }
  void WriteFileOrFail(const std::string& name, const Bytes& bytes) {
    EXPECT_TRUE(WriteFile(At(name), bytes).ok());
  }

  std::vector<WayOut> Ways() const {
    const std::string data = files_.data(), model = files_.uint8_model(), graph = files_.graph();
    return {
        {"eval", 0, {"qat-eval", "--data", data, "--graph", graph, "--model", model, "--min-accuracy", "0"}},
        {"bench", 0, {"qat-eval", "--bench", "--model", model, "--repeat", "2", "--operators"}},
        {"tensors", 0, {"qat-eval", "--model", model, "--input", At("x.npy"), "--save-outputs", At("y.npy")}},
        {"trace", 0, {"qat-eval", "--trace", model}},
        {"freeze", 0, {"qat-freeze", At("good.ckpt"), "-o", At("f.qgraph")}},
        {"convert", 0, {"qat-convert", graph, "-o", At("c.tflite")}},
        {"gate", 1, {"qat-eval", "--data", data, "--model", model, "--max-size", "10"}},
        {"flag", 2, {"qat-eval", "--modle", model}},
        {"value", 2, {"qat-eval", "--data", data, "--model", model, "--repeat", "-1"}},
        {"number", 2, {"qat-eval", "--data", data, "--model", model, "--limit", "many"}},
        {"nothing", 2, {"qat-eval"}},
        {"no output", 2, {"qat-convert", graph}},
        {"missing", 3, {"qat-eval", "--data", data, "--model", At("none.tflite")}},
        {"no data", 3, {"qat-eval", "--data", At("none"), "--model", model}},
        {"other kind", 3, {"qat-eval", "--data", data, "--model", graph}},
        {"bad report", 3, {"qat-eval", "--report", At("bad.json")}},
        {"bad baseline",
         3,
         {"qat-eval", "--data", data, "--model", model, "--max-drop", "1", "--baseline", At("bad.json")}},
        {"damaged", 3, {"qat-convert", At("damaged.qgraph"), "-o", At("d.tflite")}},
        {"no run", 3, {"qat-freeze", At("none"), "-o", At("d.qgraph")}},
        {"newer", 4, {"qat-convert", At("newer.qgraph"), "-o", At("n.tflite")}},
        {"no ranges", 4, {"qat-convert", At("no_ranges.qgraph"), "--type", "uint8", "-o", At("n.tflite")}},
        {"unsettled", 5, {"qat-freeze", At("unsettled.ckpt"), "--strict", "-o", At("u.qgraph")}},
        {"full disk", 6, {"qat-convert", graph, "-o", "/dev/full"}},
        {"no folder", 6, {"qat-freeze", At("good.ckpt"), "-o", At("none/f.qgraph")}},
    };
  }

  std::string ReportOf(const std::string& name) const { return At(name + ".report.json"); }

  void Check(const std::string& name, int code, int exit_code, const std::string& said) {
    EXPECT_EQ(exit_code, code) << name << ": " << said;
    const json report = json::parse(ReadText(ReportOf(name)), nullptr, false);
    ASSERT_FALSE(report.is_discarded()) << name << " left no report; " << said;
    EXPECT_EQ(report["exit_code"], code) << name;
    EXPECT_EQ(report["status"], code == 0 ? "ok" : code == 1 ? "gate-failed" : "error") << name;
    ASSERT_EQ(report["error"].is_string(), code > 1) << name;
    if (code > 1) {
      EXPECT_NE(said.find(report["error"].get<std::string>()), std::string::npos) << name;
    }
    reports_.push_back(ReportOf(name));
  }

  // Waits until the work has begun; then the signal is no longer the default's to answer.
  void Interrupt(const std::string& name, int signal, int code) {
    const testing::Process process({testing::ToolPath("qat-eval"), "--bench", "--model", files_.uint8_model(),
                                    "--repeat", "1000", "--progress", "plain", "--json", ReportOf(name)});
    ASSERT_TRUE(process.WaitForMessage("rounds", 60));
    process.Signal(signal);
    const auto result = process.Wait();
    Check(name, code, result.exit_code, result.err);
  }

  testing::TinyFiles files_;
  std::vector<std::string> reports_;
};

TEST_F(ExitPaths, EachLeavesAReportThatHoldsItsSchema) {
  QAT_NEEDS_PYTHON("jsonschema");
  for (const WayOut& way : Ways()) {
    std::vector<std::string> arguments(way.command.begin() + 1, way.command.end());
    arguments.insert(arguments.end(), {"--json", ReportOf(way.name)});
    const auto result = testing::RunTool(way.command[0], arguments);
    Check(way.name, way.code, result.exit_code, result.err);
  }
  Interrupt("interrupted", SIGINT, 130);
  Interrupt("terminated", SIGTERM, 143);
  WriteText(At("schema.json"), std::string(ReportSchema()));
  std::vector<std::string> command = {QAT_LITERT_PYTHON, "-c", kValidate, At("schema.json")};
  command.insert(command.end(), reports_.begin(), reports_.end());
  const auto result = testing::Run(command);
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

}  // namespace
}  // namespace qat
