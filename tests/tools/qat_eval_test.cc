#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "data/npy.h"
#include "report/report.h"
#include "support/bmp.h"
#include "support/subprocess.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_files.h"

namespace qat {
namespace {

using nlohmann::json;
using testing::ProcessResult;
using testing::ReadText;
using testing::RunTool;

class QatEvalTest : public ::testing::Test {
 protected:
  // On the tiny data, without progress.
  ProcessResult Eval(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--data", files_.data(), "--progress", "none", "--litert", "off"});
    return RunTool("qat-eval", arguments);
  }
  testing::TinyFiles files_;
};

TEST_F(QatEvalTest, PrintsTheTableOnStandardOutputOnly) {
  const auto result =
      Eval({"--graph", files_.graph(), "--model", files_.uint8_model(), "--repeat", "2", "--details"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  for (const char* text : {"graph", "uint8.tflite", "2 rounds", "accuracy", "p99 µs", "largest difference"}) {
    EXPECT_NE(result.out.find(text), std::string::npos) << text << " in " << result.out;
  }
}

TEST_F(QatEvalTest, JsonOnStandardOutputReplacesTheTable) {
  const auto result = Eval({"--model", files_.uint8_model(), "--json", "-"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto report = json::parse(result.out);
  EXPECT_EQ(report["schema"], "qat-report/1");
  EXPECT_EQ(report["tool"], "qat-eval");
  EXPECT_EQ(report["models"][0]["accuracy"]["total"], 60);
}

TEST_F(QatEvalTest, AFailedGateIsExitCodeOneWithTheReportWritten) {
  const auto result = Eval({"--model", files_.uint8_model(), "--max-size", "10", "--json", files_ / "r.json",
                            "--html", files_ / "r.html"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.out.find("FAIL  max-size"), std::string::npos) << result.out;
  const auto report = json::parse(ReadText(files_ / "r.json"));
  EXPECT_EQ(report["status"], "gate-failed");
  EXPECT_EQ(report["exit_code"], 1);
  EXPECT_EQ(report["gates"][0]["pass"], false);
  EXPECT_NE(ReadText(files_ / "r.html").find("1 of 1 gates failed"), std::string::npos);
}

TEST_F(QatEvalTest, CountsFlipsAgainstTheRowNamedAndSaysSo) {
  const auto result = Eval({"--graph", files_.graph(), "--model", files_.float_model(), "--max-flips",
                            "graph=0", "--max-latency", "1e9", "--json", files_ / "r.json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("pass  max-flips"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("against float (graph)"), std::string::npos);
  const auto report = json::parse(ReadText(files_ / "r.json"));
  EXPECT_EQ(report["gates"][1]["p"], 1.0);
  EXPECT_TRUE(report["gates"][0]["note"].is_null());
  EXPECT_EQ(Eval({"--graph", files_.graph(), "--max-flips", "graph=x"}).exit_code, 2);
}

TEST_F(QatEvalTest, WritesWhatContinuousIntegrationShows) {
  const auto result =
      Eval({"--model", files_.uint8_model(), "--max-size", "10", "--junit", files_ / "j.xml", "--markdown",
            files_ / "m.md", "--benchmark-json", files_ / "b.json", "--json", files_ / "r.json"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(ReadText(files_ / "j.xml").find("<failure type=\"max-size\""), std::string::npos);
  EXPECT_EQ(ReadText(files_ / "m.md").rfind("### qat-eval: 1 of 1 gates failed", 0), 0u);
  EXPECT_EQ(json::parse(ReadText(files_ / "b.json")).size(), 3u);
  EXPECT_EQ(json::parse(ReadText(files_ / "r.json"))["outputs"]["junit"], files_ / "j.xml");
  const auto again = RunTool("qat-eval", {"report", files_ / "r.json", "--junit", "-"});
  EXPECT_EQ(again.out, ReadText(files_ / "j.xml"));
  EXPECT_EQ(Eval({"--model", files_.uint8_model(), "--junit", "-", "--markdown", "-"}).exit_code, 2);
}

TEST_F(QatEvalTest, AnErrorIsWhatContinuousIntegrationShows) {
  const auto result = Eval({"--model", files_ / "none.tflite", "--junit", files_ / "j.xml",
                            "--benchmark-json", files_ / "b.json"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(ReadText(files_ / "j.xml").find("<error type=\"error\""), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(files_ / "b.json"));
}

TEST_F(QatEvalTest, TracesAModelBackAndEndsInOneWhereTheChainBreaks) {
  const std::string model = files_ / "m.tflite";
  ASSERT_EQ(RunTool("qat-convert", {files_.graph(), "-o", model}).exit_code, 0);
  const auto whole = RunTool("qat-eval", {"trace", model, "--json", files_ / "r.json"});
  EXPECT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_NE(whole.out.find("model, converted again  matches"), std::string::npos) << whole.out;
  const auto report = json::parse(ReadText(files_ / "r.json"));
  EXPECT_EQ(report["trace"][1]["what"], "graph");
  EXPECT_EQ(report["trace"][1]["expected"], report["trace"][1]["found"].get<std::string>().substr(0, 24));

  Graph graph = testing::TinyGraph();
  graph.tensors[2].data[0] ^= 1;
  QAT_ASSERT_OK(WriteFile(files_.graph(), Serialize(graph)));
  const auto broken = RunTool("qat-eval", {"trace", model, "--graph", files_.graph()});
  EXPECT_EQ(broken.exit_code, 1) << broken.err;
  EXPECT_NE(broken.out.find("the chain breaks at: graph"), std::string::npos) << broken.out;
  const auto shown =
      RunTool("qat-eval", {"trace", model, "--graph", files_.graph(), "--junit", files_ / "j.xml",
                           "--markdown", files_ / "m.md", "--json", files_ / "r.json"});
  EXPECT_EQ(shown.exit_code, 1) << shown.err;
  EXPECT_NE(ReadText(files_ / "j.xml").find("failures=\"1\" errors=\"0\""), std::string::npos)
      << ReadText(files_ / "j.xml");
  EXPECT_EQ(ReadText(files_ / "m.md").rfind("### qat-eval: the chain breaks at: graph\n", 0), 0u);
  for (const auto& [flag, file] : {std::pair("--junit", "j.xml"), std::pair("--markdown", "m.md")})
    EXPECT_EQ(RunTool("qat-eval", {"report", files_ / "r.json", flag, "-"}).out, ReadText(files_ / file));
  const auto figures =
      RunTool("qat-eval", {"report", files_ / "r.json", "--benchmark-json", files_ / "b.json"});
  EXPECT_EQ(figures.exit_code, 2);
  EXPECT_NE(figures.err.find("holds no figures of models"), std::string::npos) << figures.err;
  EXPECT_EQ(RunTool("qat-eval", {"trace", files_ / "none.tflite"}).exit_code, 3);
  EXPECT_EQ(RunTool("qat-eval", {"trace", model, "--model", model}).exit_code, 2);
}

TEST_F(QatEvalTest, NamesTheTypeOfAModelAsTheFlagThatMadeIt) {
  std::vector<std::string> models;
  // Its filters are too small to be stored in less: tests/report/ has float16 and dynamic.
  for (const std::string type : {"float32", "uint8", "int8"}) {
    models.push_back(files_ / (type + "-made.tflite"));
    ASSERT_EQ(RunTool("qat-convert", {files_.graph(), "--type", type, "-o", models.back()}).exit_code, 0);
  }
  std::vector<std::string> words = models;
  words.insert(words.end(), {"--repeat", "0", "--json", files_ / "r.json"});
  const auto result = Eval(words);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto report = json::parse(ReadText(files_ / "r.json"));
  for (const auto& model : report["models"]) {
    const std::string name = model["name"], type = model["type"];
    EXPECT_EQ(name, files_ / (type + "-made.tflite"));
  }
  EXPECT_EQ(report["models"].size(), models.size());
}

TEST_F(QatEvalTest, EveryCommandShowsItsErrorToContinuousIntegration) {
  testing::WriteText(files_ / "no.json", "{");
  const std::vector<std::pair<std::vector<std::string>, int>> cases = {
      {{"trace", files_ / "none.tflite"}, 3},
      {{"trace"}, 2},
      {{"bench", files_ / "none.tflite"}, 3},
      {{"bench", files_.uint8_model(), "--batch", "0"}, 2},
      {{"bench", files_.uint8_model(), "--kernels", "x"}, 2},
      {{"report", files_ / "no.json"}, 3},
      {{"compare", files_.uint8_model()}, 2},
  };
  for (auto [words, code] : cases) {
    std::filesystem::remove(files_ / "j.xml");
    words.insert(words.end(),
                 {"--junit", files_ / "j.xml", "--markdown", files_ / "m.md", "--progress", "none"});
    const auto result = RunTool("qat-eval", words);
    EXPECT_EQ(result.exit_code, code) << result.err;
    const std::string junit = ReadText(files_ / "j.xml");
    EXPECT_NE(junit.find("<testsuites name=\"qat-eval\" tests=\"1\" failures=\"0\" errors=\"1\">"),
              std::string::npos)
        << junit;
    EXPECT_EQ(ReadText(files_ / "m.md").rfind("### qat-eval: error: ", 0), 0u) << ReadText(files_ / "m.md");
  }
}

TEST_F(QatEvalTest, TheReportHoldsTheCommandAsAShellTakesIt) {
  const std::string odd = files_ / "it's $HOME; no model";
  const auto result = Eval({"--model", odd, "--limit", "1", "--json", files_ / "r.json"});
  EXPECT_EQ(result.exit_code, 3);
  const std::string command = json::parse(ReadText(files_ / "r.json"))["command"];
  EXPECT_EQ(command.substr(0, command.find(' ')), "qat-eval");
  // The shell's own reading of it: one word a line.
  const std::string words = files_ / "words";
  testing::WriteText(files_ / "read.sh", "set -- " + command + "\nprintf '%s\\n' \"$@\" > '" + words + "'\n");
  ASSERT_EQ(std::system(("sh '" + (files_ / "read.sh") + "'").c_str()), 0);
  EXPECT_NE(ReadText(words).find("\n--model\n" + odd + "\n--limit\n1\n"), std::string::npos) << command;
}

TEST_F(QatEvalTest, AnErrorIsInTheReportToo) {
  const auto result =
      Eval({"--model", files_ / "none.tflite", "--json", files_ / "r.json", "--html", files_ / "r.html"});
  EXPECT_EQ(result.exit_code, 3);
  const auto report = json::parse(ReadText(files_ / "r.json"));
  EXPECT_EQ(report["status"], "error");
  EXPECT_EQ("qat-eval: " + report["error"].get<std::string>() + "\n", result.err);
  EXPECT_FALSE(std::filesystem::exists(files_ / "r.html"));
}

TEST_F(QatEvalTest, HoldsAModelAgainstItsOwnEarlierReport) {
  ASSERT_EQ(Eval({"--model", files_.uint8_model(), "--json", files_ / "earlier.json"}).exit_code, 0);
  const auto result =
      Eval({"--model", files_.uint8_model(), "--baseline", files_ / "earlier.json", "--max-drop", "0"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("pass  max-drop"), std::string::npos);
  EXPECT_NE(result.out.find("against baseline"), std::string::npos);
}

TEST_F(QatEvalTest, ShowsAnEarlierReportAgain) {
  const auto first =
      Eval({"--graph", files_.graph(), "--model", files_.uint8_model(), "--json", files_ / "r.json"});
  const auto again = RunTool("qat-eval", {"report", files_ / "r.json"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out, first.out);
}

TEST_F(QatEvalTest, WritesPredictionsAsCsv) {
  const auto result = Eval({"--graph", files_.graph(), "--limit", "4", "--predictions", "-"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out.rfind("index,label,graph\n", 0), 0u) << result.out;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 5);
}

TEST_F(QatEvalTest, RunsGivenTensorsAndKeepsTheOutputs) {
  NpyArray input{DType::kUInt8, {5, 4, 4, 1}, Bytes(80, 200)};
  QAT_ASSERT_OK(WriteFile(files_ / "x.npy", Serialize(input)));
  const auto result = RunTool("qat-eval", {"run", files_.uint8_model(), "--input", files_ / "x.npy",
                                           "--save-outputs", files_ / "y.npy"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto output = ReadNpy(files_ / "y.npy");
  QAT_ASSERT_OK(output);
  EXPECT_EQ(output->shape, (Shape{5, 3}));
  EXPECT_EQ(output->type, DType::kUInt8);
}

TEST_F(QatEvalTest, MeasuresModelsInTurnsWithoutImages) {
  const auto result = RunTool(
      "qat-eval", {"bench", files_.uint8_model(), "--graph", files_.graph(), "--batch", "3", "--repeat", "2",
                   "--threads", "2", "--operators", "--json", files_ / "r.json", "--progress", "none"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("images/s"), std::string::npos) << result.out;
  const auto report = json::parse(ReadText(files_ / "r.json"));
  ASSERT_EQ(report["benchmarks"].size(), 4u);
  EXPECT_EQ(report["benchmarks"][2]["batch"], 3);
  EXPECT_EQ(report["benchmarks"][0]["threads"], 2);
  EXPECT_EQ(report["benchmarks"][0]["operators"].size(), 4u);
  const std::vector<std::pair<std::string, std::string>> forms = {
      {"--html", "made by</dt><dd>qat-eval 0"},
      {"--markdown", "uint8.tflite | 3 | 2 | "},
      {"--junit", "name=\"batch 3, 2 threads\""},
      {"--benchmark-json", "uint8.tflite, batch 3, 2 threads: latency p50"}};
  for (const auto& [flag, text] : forms) {
    const auto shown = RunTool("qat-eval", {"report", files_ / "r.json", flag, "-"});
    EXPECT_NE(shown.out.find(text), std::string::npos) << flag << ": " << shown.out;
  }
}

TEST_F(QatEvalTest, ThreadsChangeNoAnswer) {
  const auto one = Eval({"--model", files_.uint8_model(), "--predictions", files_ / "one.csv"});
  const auto three =
      Eval({"--model", files_.uint8_model(), "--threads", "3", "--predictions", files_ / "three.csv"});
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(three.exit_code, 0) << three.err;
  EXPECT_EQ(ReadText(files_ / "one.csv"), ReadText(files_ / "three.csv"));
}

TEST_F(QatEvalTest, InterruptedItEndsWith130AndLeavesNoFile) {
  testing::WriteTinyData(files_ / "many", 20000, 20000);
  const auto before = testing::FilesIn(files_.path());
  testing::Process process({testing::ToolPath("qat-eval"), "--data", files_ / "many", "--model",
                            files_.uint8_model(), "--repeat", "1000", "--progress", "ndjson", "--html",
                            files_ / "r.html"});
  ASSERT_TRUE(process.WaitForMessage("latency", 60));
  process.Signal(SIGINT);
  const auto result = process.Wait();
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_NE(result.err.find("interrupted"), std::string::npos);
  EXPECT_EQ(testing::FilesIn(files_.path()), before);
}

TEST_F(QatEvalTest, NamesWhatIsInPicturesAndSaysWhichItCannotRead) {
  testing::WriteText(files_ / "grey.bmp", testing::GreyBmp(4, 4, std::vector<uint8_t>(16, 200)));
  const auto result = RunTool("qat-eval", {"classify", files_.uint8_model(), files_ / "grey.bmp",
                                           files_.uint8_model(), "--topk", "2"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_TRUE(result.out.starts_with(StrCat(files_ / "grey.bmp", "\n  "))) << result.out;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '%'), 2) << result.out;
  EXPECT_NE(result.err.find("expected a JPEG, PNG or BMP picture"), std::string::npos) << result.err;
}

TEST(QatEval, PrintsItsSchema) {
  const auto result = RunTool("qat-eval", {"report", "--schema"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, std::string(ReportSchema()));
}

TEST(QatEval, WithoutTheModuleACheckpointIsUnsupported) {
  testing::TempDir folder;  // the program alone: nothing lies in ../lib
  std::filesystem::create_directories(folder / "bin");
  std::filesystem::copy_file(testing::ToolPath("qat-eval"), folder / "bin/qat-eval");
  Checkpoint checkpoint;
  checkpoint.scheme = "uint8";
  checkpoint.network = testing::NetworkOf(testing::kTinySpec);
  checkpoint.contract = testing::TinyGraph().contract;
  QAT_ASSERT_OK(WriteFile(folder / "a.ckpt", Serialize(checkpoint)));
  const auto result =
      testing::Run({folder / "bin/qat-eval", "--data", "digits", "--checkpoint", folder / "a.ckpt"});
  EXPECT_EQ(result.exit_code, 4) << result.err;
  EXPECT_NE(result.err.find("this build runs no checkpoints"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace qat
