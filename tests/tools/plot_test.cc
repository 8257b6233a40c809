// `qat-train plot`: runs of every age as pages, and what is refused.
#include <gtest/gtest.h>

#include <filesystem>

#include "support/subprocess.h"
#include "support/test_util.h"

#ifdef QAT_HAS_TRAIN
namespace qat {
namespace {

using testing::ProcessResult;
using testing::ReadText;
using testing::RunTool;
using testing::WriteText;

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

// As the first versions logged, up to the middle of a line.
constexpr char kOldLog[] =
    R"({"event":"start","step":0,"steps":1000,"quant_delay":600,"batch_size":30,"scheme":"uint8"}
{"event":"train","step":100,"loss":0.31,"training_accuracy":90.5,"learning_rate":0.001}
{"event":"eval","step":500,"split":"holdout","accuracy":98.1,"loss":0.06}
{"event":"range","step":500,"layer":"conv1","min":0,"max":3.2}
{"event":"quantize","step":600}
{"event":"train","step":700,"lo)";

class Plot : public ::testing::Test {
 protected:
  std::string Run(const std::string& name, const std::string& log) const {
    std::filesystem::create_directories(dir_ / name);
    WriteText(dir_ / (name + "/metrics.ndjson"), log);
    return dir_ / name;
  }
  testing::TempDir dir_;
};

TEST_F(Plot, DrawsWhatARunHasLoggedAndSaysWhatToLookAt) {
  const ProcessResult trained =
      RunTool("qat-train", {"--data", "digits", "--holdout", "200", "--steps", "40", "--quant-delay", "20",
                            "--progress", "none", "-o", dir_ / "run"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const ProcessResult drawn = RunTool("qat-train", {"plot", dir_ / "run"});
  EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
  EXPECT_HOLDS(drawn.out, "page        " + (dir_ / "run/plot.html"));
  const std::string page = ReadText(dir_ / "run/plot.html");
  for (const char* piece :
       {"Training of run", "Gradient norm", "fake quantization from step 20", "<h4>logits/filter</h4>"})
    EXPECT_HOLDS(page, piece);
  // The run goes on and is used as before.
  EXPECT_EQ(RunTool("qat-freeze", {dir_ / "run", "-o", dir_ / "g.qgraph"}).exit_code, 0);
}

TEST_F(Plot, DrawsRunsOfEarlierVersionsAndUnfinishedOnes) {
  const std::string old = Run("old", kOldLog);
  const ProcessResult drawn = RunTool("qat-train", {"plot", old, "-o", "-"});
  EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
  EXPECT_TRUE(drawn.out.starts_with("<!doctype html>")) << drawn.out.substr(0, 80);
  EXPECT_HOLDS(drawn.out, "at step 600 of 1,000: running, or interrupted");
  EXPECT_FALSE(std::filesystem::exists(old + "/plot.html"));
}

TEST_F(Plot, OverlaysRunsUnderNamesThatDiffer) {
  std::filesystem::create_directories(dir_ / "a");
  std::filesystem::create_directories(dir_ / "b");
  const std::string a = Run("a/run", kOldLog), b = Run("b/run", kOldLog);
  const ProcessResult drawn =
      RunTool("qat-train", {"plot", a, b, "--output", dir_ / "both.html", "--json", dir_ / "r.json"});
  EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
  const std::string page = ReadText(dir_ / "both.html");
  EXPECT_HOLDS(page, "<h1>2 training runs</h1>");
  EXPECT_HOLDS(page, a + ": training");
  EXPECT_HOLDS(ReadText(dir_ / "r.json"), "both.html");
}

TEST_F(Plot, SaysInOneSentenceWhatIsWrong) {
  const std::string run = Run("run", kOldLog),
                    bad = Run("bad", "{\"event\":\"start\",\"step\":0}\nno event\n");
  struct Case {
    std::vector<std::string> words;
    int exit_code;
    std::string message;
  };
  const std::vector<Case> cases = {
      {{"plot"}, 2, "expected the directory of a training run"},
      {{"plot", dir_ / "none"},
       3,
       "none/metrics.ndjson: does not exist, expected the directory of a training run"},
      {{"plot", bad}, 3, "metrics.ndjson:2: is no event"},
      {{"plot", run, "-o", dir_ / "page.json"}, 2, "the name says JSON, but an HTML page is written"},
      {{"plot", run, "-o", run + "/metrics.ndjson"}, 2, "metrics.ndjson"},
      {{"plot", run, "-o", dir_ / "no/such/page.html"}, 6, "--output: "},
      {{"plot", run, run, run, run, run, run, run}, 2, "7 runs, expected at most 6"},
      {{"plot", run, "--steps", "3"}, 2, "--steps: is a flag of 'qat-train train', not of 'qat-train plot'"},
      {{"plto", run}, 2, "plot"},
  };
  for (const Case& each : cases) {
    const ProcessResult result = RunTool("qat-train", each.words);
    EXPECT_EQ(result.exit_code, each.exit_code) << each.message << result.err;
    EXPECT_HOLDS(result.err, each.message);
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
  EXPECT_EQ(ReadText(run + "/metrics.ndjson"), kOldLog);
}

}  // namespace
}  // namespace qat
#endif
