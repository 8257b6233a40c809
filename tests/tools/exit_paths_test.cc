// Every way out of the programs leaves a report, and every report holds its schema: judged by Python's
// jsonschema, which knows nothing of our writer.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>

#include "checkpoint/checkpoint.h"
#include "data/npy.h"
#include "report/report.h"
#include "support/places.h"
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
        {"bench", 0, {"qat-eval", "bench", model, "--repeat", "2", "--operators"}},
        {"tensors", 0, {"qat-eval", "run", model, "--input", At("x.npy"), "--save-outputs", At("y.npy")}},
        {"trace", 0, {"qat-eval", "trace", model}},
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
        {"bad report", 3, {"qat-eval", "report", At("bad.json")}},
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

  // Those of qat-train: a tiny network on tiny arrays.
  std::vector<WayOut> WaysOfTraining() const {
    const std::vector<std::string> train = {
        "qat-train", "--data", At("arrays"), "--network", At("tiny.toml"), "--batch-size", "4",
        "--holdout", "2",      "--threads",  "1",         "--progress",    "none"};
    const auto with = [&train](std::vector<std::string> flags) {
      flags.insert(flags.begin(), train.begin(), train.end());
      return flags;
    };
    return {
        {"train", 0, with({"--steps", "4", "-o", At("run")})},
        {"train flag", 2, with({"--stesp", "4", "-o", At("run2")})},
        {"train again", 2, with({"--steps", "4", "-o", At("run")})},
        {"train value", 2, with({"--steps", "0", "-o", At("run2")})},
        {"train no data", 3, {"qat-train", "--data", At("none"), "--network", "lenet", "-o", At("run2")}},
        {"train operator", 4, with({"--network", At("cast.toml"), "--steps", "4", "-o", At("run2")})},
        {"train diverges", 5,
         with({"--data", At("reals"), "--steps", "100", "--optimizer", "sgd", "--learning-rate", "100", "-o",
               At("run3")})},
        {"train no folder", 6, with({"--steps", "4", "-o", "/dev/null/run"})},
    };
  }

  void WriteTrainingData() const {
    WriteText(At("tiny.toml"), testing::kTinySpec);
    WriteText(At("cast.toml"),
              std::string(testing::kTinySpec) + "[[layer]]\nname = \"cast\"\nop = \"cast\"\n");
    // Real numbers, whose squared error has no bound.
    for (const char* folder : {"arrays", "reals"}) std::filesystem::create_directory(At(folder));
    for (const std::string split : {"train", "test"}) {
      NpyArray x{DType::kUInt8, {12, 4, 4, 1}, Bytes(12 * 16, 100)}, y{DType::kUInt8, {12}, {}};
      for (uint8_t i = 0; i < 12; ++i) y.values.push_back(i % 3);
      EXPECT_TRUE(WriteFile(At("arrays/x_" + split + ".npy"), Serialize(x)).ok());
      EXPECT_TRUE(WriteFile(At("arrays/y_" + split + ".npy"), Serialize(y)).ok());
      std::vector<float> reals;
      for (int i = 0; i < 36; ++i) reals.push_back(static_cast<float>(i * i % 11));
      NpyArray numbers{DType::kFloat32, {12, 3}, Bytes(reals.size() * sizeof(float))};
      std::memcpy(numbers.values.data(), reals.data(), numbers.values.size());
      EXPECT_TRUE(WriteFile(At("reals/x_" + split + ".npy"), Serialize(x)).ok());
      EXPECT_TRUE(WriteFile(At("reals/y_" + split + ".npy"), Serialize(numbers)).ok());
    }
  }

  void RunAndCheck(const std::vector<WayOut>& ways) {
    for (const WayOut& way : ways) {
      std::vector<std::string> arguments(way.command.begin() + 1, way.command.end());
      arguments.insert(arguments.end(), {"--json", ReportOf(way.name)});
      const auto result = testing::RunTool(way.command[0], arguments);
      Check(way.name, way.code, result.exit_code, result.err);
    }
  }

  // By the schema that the program itself prints.
  void ValidateAll() {
    WriteText(At("schema.json"), std::string(ReportSchema()));
    std::vector<std::string> command = {testing::kLitertPython, "-c", kValidate, At("schema.json")};
    command.insert(command.end(), reports_.begin(), reports_.end());
    const auto result = testing::Run(command);
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
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

  // Waits until the work has begun and said so; then the signal is no longer the default's to answer.
  void Interrupt(const std::string& name, int signal, int code, std::vector<std::string> command,
                 const std::string& message) {
    command[0] = testing::ToolPath(command[0]);
    command.insert(command.end(), {"--progress", "plain", "--json", ReportOf(name)});
    const testing::Process process(command);
    ASSERT_TRUE(process.WaitForMessage(message, 60));
    process.Signal(signal);
    const auto result = process.Wait();
    Check(name, code, result.exit_code, result.err);
  }

  testing::TinyFiles files_;
  std::vector<std::string> reports_;
};

TEST_F(ExitPaths, EachLeavesAReportThatHoldsItsSchema) {
  QAT_NEEDS_PYTHON("jsonschema");
  RunAndCheck(Ways());
  const std::vector<std::string> bench = {"qat-eval", "bench", files_.uint8_model(), "--repeat", "1000"};
  Interrupt("interrupted", SIGINT, 130, bench, "rounds");
  Interrupt("terminated", SIGTERM, 143, bench, "rounds");
  ValidateAll();
}

#ifdef QAT_HAS_TRAIN
TEST_F(ExitPaths, OfTrainingToo) {
  QAT_NEEDS_PYTHON("jsonschema");
  WriteTrainingData();
  RunAndCheck(WaysOfTraining());
  std::vector<std::string> long_run = WaysOfTraining()[0].command;
  long_run.resize(long_run.size() - 6);  // without --progress none, --steps and -o
  for (const auto& [name, signal, code] :
       {std::tuple("stopped", SIGINT, 130), std::tuple("ended", SIGTERM, 143)}) {
    std::vector<std::string> command = long_run;
    command.insert(command.end(), {"--steps", "1000000", "--eval-every", "1000000", "-o", At(name)});
    Interrupt(name, signal, code, command, "train");
    EXPECT_NE(ReadText(ReportOf(name)).find("continue with --resume"), std::string::npos);
  }
  ValidateAll();
}
#endif

TEST_F(ExitPaths, WhereTheReportCannotBeWrittenTheExitCodeSaysSo) {
  const std::string graph = files_.graph();
  const auto no_folder =
      testing::RunTool("qat-convert", {graph, "-o", At("c.tflite"), "--json", At("none/r.json")});
  EXPECT_EQ(no_folder.exit_code, 6) << no_folder.err;
  EXPECT_NE(no_folder.err.find("--json: " + At("none/r.json")), std::string::npos) << no_folder.err;
  EXPECT_FALSE(FileExists(At("c.tflite"))) << "found out before the work, not after it";
  const auto full = testing::RunTool("qat-convert", {graph, "-o", At("c.tflite"), "--json", "/dev/full"});
  EXPECT_EQ(full.exit_code, 6) << full.err;
  EXPECT_NE(full.err.find("/dev/full"), std::string::npos) << full.err;
  const auto folder = testing::RunTool("qat-convert", {graph, "-o", At("c.tflite"), "--json", files_.data()});
  EXPECT_EQ(folder.exit_code, 6) << folder.err;
  // A failed run keeps its own code.
  const auto failed =
      testing::RunTool("qat-convert", {At("none"), "-o", At("d.tflite"), "--json", "/dev/full"});
  EXPECT_EQ(failed.exit_code, 3) << failed.err;
}

TEST_F(ExitPaths, AReaderThatWentAwayIsNoFailure) {
  const std::string command = "trap '' PIPE; { sleep 0.2; " + testing::ToolPath("qat-eval") + " trace " +
                              files_.uint8_model() + " --json - ; echo $? > " + At("code") + "; } | true";
  testing::Run({"/bin/sh", "-c", command});
  EXPECT_EQ(ReadText(At("code")), "0\n");
}

}  // namespace
}  // namespace qat
