#include "cli/tool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/log.h"
#include "support/test_util.h"

namespace qat {
namespace {

struct Outcome {
  int code = 0;
  std::string out, err;
};

struct Values {
  int64_t batch_size = 64;
  std::string output;
  std::string input;
  std::string pair;
  bool strict = false;
  std::vector<std::string> models;
};

using Body = std::function<Status(Tool&, const Values&, Report&)>;

// A tool with one flag of each kind. It prints "result" unless `body` does something else.
int RunTool(const std::vector<std::string>& arguments, const Body& body) {
  Tool tool("qat-sample", "Does nothing, as a test asks.", "  qat-sample a -o b\n  qat-sample --help\n");
  Values values;
  tool.app().add_option("input", values.input, "what to read")->type_name("FILE");
  tool.app().add_option("-o,--output", values.output, "what to write")->type_name("FILE");
  tool.app().add_option("--batch-size", values.batch_size, "examples a step")->type_name("N");
  tool.app().add_option("--input-stats", values.pair, "of the input")->type_name("MEAN,STD");
  tool.app().add_option("--model", values.models, "repeatable")->type_name("FILE")->allow_extra_args(false);
  tool.app().add_flag("--strict", values.strict, "be strict");
  tool.SetUsual({"--model", "input", "--output"});
  std::vector<const char*> argv = {"qat-sample"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return tool.Main(static_cast<int>(argv.size()), argv.data(), [&](Report& report) {
    if (body) return body(tool, values, report);
    tool.Print("result\n");
    return Status();
  });
}

// Runs it as a process of its own: exit codes, streams and signals are the real ones. `out` replaces standard
// output.
Outcome RunProcess(const std::vector<std::string>& arguments, const Body& body = {},
                   const std::string& out = "") {
  testing::TempDir dir;
  const std::string out_path = out.empty() ? dir / "out" : out;
  const pid_t child = fork();
  if (child == 0) {
    const int out_descriptor = open(out_path.c_str(), O_WRONLY | O_CREAT, 0600);
    const int err_descriptor = open((dir / "err").c_str(), O_WRONLY | O_CREAT, 0600);
    dup2(out_descriptor, 1);
    dup2(err_descriptor, 2);
    _exit(RunTool(arguments, body));
  }
  int status = 0;
  waitpid(child, &status, 0);
  Outcome outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  if (out.empty()) outcome.out = *ReadTextFile(out_path);
  outcome.err = *ReadTextFile(dir / "err");
  return outcome;
}

// The batch size that the tool sees.
Outcome BatchSize(const std::vector<std::string>& arguments) {
  return RunProcess(arguments, [](Tool& tool, const Values& values, Report&) {
    tool.Print(std::to_string(values.batch_size));
    return Status();
  });
}

TEST(Tool, PrintsResultsOnStandardOutputAndEndsWithZero) {
  const Outcome outcome = RunProcess({});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "result\n");
  EXPECT_EQ(outcome.err, "");
}

TEST(Tool, TakesHyphensAndUnderscoresAndBothWaysToAttachAValue) {
  EXPECT_EQ(BatchSize({"--batch-size", "8"}).out, "8");
  EXPECT_EQ(BatchSize({"--batch_size", "8"}).out, "8");
  EXPECT_EQ(BatchSize({"--batch-size=8"}).out, "8");
  EXPECT_EQ(BatchSize({"--batch_size=8"}).out, "8");
}

TEST(Tool, LeavesUnderscoresOfValuesAlone) {
  const Outcome outcome =
      RunProcess({"--output=my_file", "in_put"}, [](Tool& tool, const Values& values, Report&) {
        tool.Print(values.output + " " + values.input);
        return Status();
      });
  EXPECT_EQ(outcome.out, "my_file in_put");
}

TEST(Tool, TakesAValueThatBeginsWithAMinus) {
  const Outcome outcome =
      RunProcess({"--input-stats", "-1,1"}, [](Tool& tool, const Values& values, Report&) {
        tool.Print(values.pair);
        return Status();
      });
  EXPECT_EQ(outcome.out, "-1,1");
}

TEST(Tool, TakesTheLastValueOfAFlagGivenTwiceAndCollectsRepeatableOnes) {
  EXPECT_EQ(BatchSize({"--batch-size", "8", "--batch-size", "9"}).out, "9");
  const Outcome outcome =
      RunProcess({"--model", "a", "--model=b", "in"}, [](Tool& tool, const Values& values, Report&) {
        for (const std::string& model : values.models) tool.Print(model + ";");
        tool.Print(values.input);
        return Status();
      });
  EXPECT_EQ(outcome.out, "a;b;in") << outcome.err;
}

TEST(Tool, NamesTheNearestFlagForAnUnknownOne) {
  const Outcome outcome = RunProcess({"--batchsize", "8"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err,
            "qat-sample: unknown flag '--batchsize'; did you mean '--batch-size'? (--help lists all)\n");
}

TEST(Tool, RefusesWrongUsageWithOneSentence) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--batch-size"}, "qat-sample: --batch-size: the value is missing (N)\n"},
      {{"--batch-size="}, "qat-sample: --batch-size: the value is missing\n"},
      {{"--output", "--strict"}, "qat-sample: --output: the value is missing (FILE)\n"},
      {{"--batch-size", "many"},
       "qat-sample: --batch-size: value 'many', expected a whole number in range\n"},
      {{"a", "b"}, "qat-sample: unexpected argument 'b' (--help shows the usage)\n"},
      {{"-x"}, "qat-sample: unknown flag '-x' (--help lists all)\n"},
      {{"--progress", "plan"},
       "qat-sample: --progress: unknown progress style 'plan'; did you mean 'plain'? (expected auto, bar, "
       "plain, "
       "ndjson, none)\n"},
  };
  for (const auto& [arguments, message] : cases) {
    const Outcome outcome = RunProcess(arguments);
    EXPECT_EQ(outcome.code, 2) << message;
    EXPECT_EQ(outcome.err, message);
  }
}

TEST(Tool, HelpStatesDefaultsAndEndsWithTheExamples) {
  const Outcome outcome = RunProcess({"--bogus=1", "--help"});
  EXPECT_EQ(outcome.code, 2) << "a wrong flag before --help is still wrong";
  const Outcome help = RunProcess({"--help", "--bogus"});
  EXPECT_EQ(help.code, 0);
  EXPECT_NE(help.out.find("usage: qat-sample [FILE] [flags]"), std::string::npos) << help.out;
  EXPECT_NE(help.out.find("examples a step (default 64)"), std::string::npos) << help.out;
  EXPECT_TRUE(help.out.ends_with("examples:\n  qat-sample a -o b\n  qat-sample --help\n")) << help.out;
}

TEST(Tool, ShortHelpShowsTheUsualFlagsInTheOrderAskedFor) {
  const std::string help = RunProcess({"-h"}).out;
  const size_t model = help.find("  --model FILE"), input = help.find("  FILE  ");
  EXPECT_LT(model, input) << help;
  EXPECT_NE(input, std::string::npos) << help;
  EXPECT_EQ(help.find("--strict"), std::string::npos) << help;
}

TEST(Tool, FlagsWithoutEffectAreTakenWithAWarning) {
  const Outcome outcome = RunProcess({"--threads", "3", "--seed=4", "--batch-size", "7"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "result\n");
  EXPECT_EQ(outcome.err,
            "qat-sample: warning: --threads has no effect on qat-sample\n"
            "qat-sample: warning: --seed has no effect on qat-sample\n");
}

TEST(Tool, TranslatesFieldsOfErrorsWarningsAndTheReport) {
  testing::TempDir dir;
  const Outcome outcome =
      RunProcess({"--json", dir / "r.json"}, [](Tool&, const Values&, Report& report) -> Status {
        report.warnings = {"`batch_size` is small", "`batch_size` is small", "other"};
        LogWarning("give `strict`");
        return InvalidArgument("--model: --model: `batch_size` and `steps` are wrong");
      });
  EXPECT_EQ(outcome.err,
            "qat-sample: warning: give --strict\n"
            "qat-sample: --model: --batch-size and steps are wrong\n");
  const auto json = nlohmann::json::parse(*ReadTextFile(dir / "r.json"));
  EXPECT_EQ(json["error"], "--model: --batch-size and steps are wrong");
  EXPECT_EQ(json["warnings"], (std::vector<std::string>{"--batch-size is small", "other"}));
}

TEST(Tool, VersionGoesToStandardOutput) {
  const Outcome outcome = RunProcess({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out.substr(0, 11), "qat-sample ");
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '.'), 2);
}

TEST(Tool, MapsEveryErrorClassToItsExitCode) {
  const std::vector<std::pair<ErrorCode, int>> cases = {
      {ErrorCode::kInvalidArgument, 2}, {ErrorCode::kNotFound, 3},      {ErrorCode::kCorrupt, 3},
      {ErrorCode::kUnsupported, 4},     {ErrorCode::kNumerical, 5},     {ErrorCode::kIoError, 6},
      {ErrorCode::kSystem, 6},          {ErrorCode::kInterrupted, 130}, {ErrorCode::kInternal, 70}};
  for (const auto& [code, exit_code] : cases) {
    const Outcome outcome = RunProcess({}, [code = code](Tool&, const Values&, Report&) -> Status {
      return Error{code, "a.ckpt: layer 'conv1': scale is 0"};
    });
    EXPECT_EQ(outcome.code, exit_code);
    EXPECT_EQ(outcome.err, "qat-sample: a.ckpt: layer 'conv1': scale is 0\n");
  }
}

TEST(Tool, AnExceptionIsAnInternalErrorAndNoCrash) {
  const Outcome outcome =
      RunProcess({}, [](Tool&, const Values&, Report&) -> Status { throw std::runtime_error("oops"); });
  EXPECT_EQ(outcome.code, 70);
  EXPECT_EQ(outcome.err, "qat-sample: unexpected failure (oops)\n");
}

TEST(Tool, AGateThatFailedIsExitOneWithAReport) {
  testing::TempDir dir;
  const Outcome outcome = RunProcess({"--json", dir / "r.json"}, [](Tool&, const Values&, Report& report) {
    report.status = "gate-failed";
    return Status();
  });
  EXPECT_EQ(outcome.code, 1);
  const auto json = nlohmann::json::parse(*ReadTextFile(dir / "r.json"));
  EXPECT_EQ(json["status"], "gate-failed");
  EXPECT_EQ(json["exit_code"], 1);
}

TEST(Tool, WritesTheReportOfAFailedRunToo) {
  testing::TempDir dir;
  const Outcome outcome = RunProcess({"--json", dir / "r.json"}, [](Tool&, const Values&, Report&) -> Status {
    return Corrupt("x: is cut");
  });
  EXPECT_EQ(outcome.code, 3);
  const auto json = nlohmann::json::parse(*ReadTextFile(dir / "r.json"));
  EXPECT_EQ(json["schema"], "qat-report/1");
  EXPECT_EQ(json["tool"], "qat-sample");
  EXPECT_EQ(json["status"], "error");
  EXPECT_EQ(json["exit_code"], 3);
  EXPECT_EQ(json["error"], "x: is cut");
}

TEST(Tool, WritesTheReportOfWrongUsageToo) {
  testing::TempDir dir;
  EXPECT_EQ(RunProcess({"--json", dir / "r.json", "--bogus"}).code, 2);
  EXPECT_EQ(nlohmann::json::parse(*ReadTextFile(dir / "r.json"))["exit_code"], 2);
}

TEST(Tool, JsonOnStandardOutputTakesThePlaceOfTheTable) {
  const Outcome outcome = RunProcess({"--json", "-"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["status"], "ok") << outcome.out;
}

TEST(Tool, AnOutputOnStandardOutputIsNotMixedWithResults) {
  EXPECT_EQ(RunProcess({"-o", "-"}).out, "");
  EXPECT_EQ(RunProcess({"-o", "-", "--json", "-"}).code, 2);
}

TEST(Tool, AReportThatCannotBeWrittenIsASystemError) {
  const Outcome outcome = RunProcess({"--json", "/no/such/dir/r.json"});
  EXPECT_EQ(outcome.out, "") << "the report is opened before the work";
  EXPECT_EQ(outcome.code, 6);
  EXPECT_NE(outcome.err.find("qat-sample: --json: /no/such/dir/r.json: "), std::string::npos) << outcome.err;
}

TEST(Tool, AFullStandardOutputIsASystemError) {
  const Outcome outcome = RunProcess({}, {}, "/dev/full");
  EXPECT_EQ(outcome.code, 6);
  EXPECT_EQ(outcome.err, "qat-sample: standard output: cannot be written (No space left on device)\n");
  EXPECT_EQ(RunProcess({"--json", "-"}, {}, "/dev/full").code, 6);
  EXPECT_EQ(RunProcess({"--help"}, {}, "/dev/full").code, 6);
}

TEST(Tool, AReaderThatWentAwayIsNoError) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], 1);
    _exit(RunTool({}, {}));
  }
  close(ends[1]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Tool, ASignalBecomesItsExitCodeAfterTheWorkWasSaved) {
  for (const int number : {SIGINT, SIGTERM}) {
    const Outcome outcome = RunProcess({}, [number](Tool& tool, const Values&, Report&) -> Status {
      CatchInterrupts();
      raise(number);
      if (Interrupted()) tool.Print("saved\n");
      return Error{ErrorCode::kInterrupted, "interrupted, saved as x.ckpt"};
    });
    EXPECT_EQ(outcome.code, 128 + number);
    EXPECT_EQ(outcome.err, "qat-sample: interrupted, saved as x.ckpt\n");
  }
}

TEST(Tool, ASecondSignalEndsTheProgramAtOnce) {
  const Outcome outcome = RunProcess({}, [](Tool&, const Values&, Report&) {
    CatchInterrupts();
    raise(SIGINT);
    raise(SIGINT);
    return Status();
  });
  EXPECT_EQ(outcome.code, 130);
}

TEST(ToolConfig, FillsFlagsThatTheCommandLineDoesNotGive) {
  testing::TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "c.toml", std::string_view("# ours\nbatch_size = 7\nstrict = true\n")));
  EXPECT_EQ(BatchSize({"--config", dir / "c.toml"}).out, "7");
  EXPECT_EQ(BatchSize({"--config", dir / "c.toml", "--batch-size", "9"}).out, "9");
  const Outcome outcome =
      RunProcess({"--config=" + (dir / "c.toml")}, [](Tool& tool, const Values& values, Report&) {
        tool.Print(values.strict && tool.Given("--strict") && !tool.Given("--output") ? "strict" : "not");
        return Status();
      });
  EXPECT_EQ(outcome.out, "strict");
}

TEST(ToolConfig, NamesFileAndKeyOfAMistake) {
  testing::TempDir dir;
  QAT_ASSERT_OK(WriteFile(dir / "c.toml", std::string_view("batch_sice = 7\n")));
  const Outcome outcome = BatchSize({"--config", dir / "c.toml"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err,
            "qat-sample: " + (dir / "c.toml") + ": unknown key 'batch_sice'; did you mean 'batch-size'?\n");
  EXPECT_EQ(BatchSize({"--config", dir / "absent.toml"}).code, 3);
}

TEST(ToolConfig, PrintsWhatItTakesBack) {
  testing::TempDir dir;
  const std::vector<std::string> given = {"--batch-size", "5", "--output", "a b", "--model", "x",
                                          "--model",      "y", "--strict"};
  std::vector<std::string> arguments = given;
  arguments.push_back("--print-config");
  const Outcome first = RunProcess(arguments);
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_NE(first.out.find("batch-size = 5\n"), std::string::npos) << first.out;
  EXPECT_NE(first.out.find("model = [\"x\", \"y\"]\n"), std::string::npos) << first.out;
  QAT_ASSERT_OK(WriteFile(dir / "c.toml", first.out));
  EXPECT_EQ(RunProcess({"--config", dir / "c.toml", "--print-config"}).out, first.out);
}

}  // namespace
}  // namespace qat
