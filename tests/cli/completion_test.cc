// Completion as shells run it; zsh and fish check the syntax where they are installed (scripts/setup.sh
// --tests).
#include "cli/completion.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/strings.h"
#include "cli/manual.h"
#include "cli/sample_program.h"
#include "support/subprocess.h"

namespace qat {
namespace {

class Completion : public ::testing::Test {
 protected:
  void SetUp() override { testing::WriteText(dir_ / "c.bash", BashCompletion(program_)); }

  // What bash offers for the last of `words`, in a folder with the files a.tflite and b.tflite; sorted.
  std::vector<std::string> Offered(const std::vector<std::string>& words) const {
    testing::WriteText(dir_ / "folder.sh", "");
    std::string line;
    for (const std::string& word : words) line += StrCat(" '", word, "'");
    const std::string script = StrCat(
        "set -eu; source '", dir_ / "c.bash", "'; mkdir -p '", dir_ / "files", "'; cd '", dir_ / "files",
        "'; touch a.tflite b.tflite; COMP_WORDS=(", line, "); COMP_CWORD=", words.size() - 1,
        "; _qat_sample; ((${#COMPREPLY[@]} == 0)) || printf '%s\\n' \"${COMPREPLY[@]}\" | sort");
    const auto result = testing::Run({"/bin/bash", "--noprofile", "--norc", "-c", script});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    std::vector<std::string> offered = SplitText(result.out, '\n');
    offered.pop_back();
    return offered;
  }

  // The exit code of a program found by PATH; -1: there is none.
  int Check(const std::string& program, const std::vector<std::string>& arguments, std::string& said) const {
    if (std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) != 0) return -1;
    std::string command = "exec " + program;
    for (const std::string& argument : arguments) command += StrCat(" '", argument, "'");
    const auto result = testing::Run({"/bin/sh", "-c", command});
    said = result.out + result.err;
    return result.exit_code;
  }

  using Words = std::vector<std::string>;
  testing::TempDir dir_;
  testing::SampleValues values_;
  Program program_ = testing::SampleProgram(values_);
};

#define QAT_NEEDS_PROGRAM(code, name)                                                         \
  if (code == -1) {                                                                           \
    if (qat::testing::RequireEverything()) FAIL() << name << " is missing: setup.sh --tests"; \
    GTEST_SKIP() << name << " is missing: setup.sh --tests";                                  \
  }

TEST_F(Completion, BashOffersCommandsFirst) {
  EXPECT_EQ(Offered({"qat-sample", ""}), (Words{"a.tflite", "b.tflite", "bench", "compare"}));
  EXPECT_EQ(Offered({"qat-sample", "be"}), (Words{"bench"}));
}

TEST_F(Completion, BashOffersTheFlagsOfTheCommand) {
  EXPECT_EQ(Offered({"qat-sample", "bench", "--"}),
            (Words{"--batch", "--help", "--kernels", "--model", "--note", "--operators"}));
  EXPECT_EQ(Offered({"qat-sample", "--s"}), (Words{"--strict"}));
}

TEST_F(Completion, BashOffersValues) {
  EXPECT_EQ(Offered({"qat-sample", "bench", "--kernels", ""}), (Words{"fast", "reference"}));
  EXPECT_EQ(Offered({"qat-sample", "bench", "--kernels", "=", "r"}), (Words{"reference"}));
  EXPECT_EQ(Offered({"qat-sample", "--model", "a"}), (Words{"a.tflite"}));
  EXPECT_EQ(Offered({"qat-sample", "bench", "b"}), (Words{"b.tflite"}));
  EXPECT_EQ(Offered({"qat-sample", "bench", "--batch", ""}), (Words{})) << "a number is typed";
}

TEST_F(Completion, ZshTakesIt) {
  testing::WriteText(dir_ / "_qat-sample", ZshCompletion(program_));
  std::string said;
  const int code = Check("zsh", {"-f", "-n", dir_ / "_qat-sample"}, said);
  QAT_NEEDS_PROGRAM(code, "zsh");
  EXPECT_EQ(code, 0) << said;
  EXPECT_EQ(said, "");
}

TEST_F(Completion, FishTakesItAndOffersTheFlagsOfTheCommand) {
  testing::WriteText(dir_ / "qat-sample.fish", FishCompletion(program_));
  std::string said;
  const std::string script =
      StrCat("source ", dir_ / "qat-sample.fish",
             "; complete -C \"qat-sample bench --ba\"; complete -C \"qat-sample bench --kernels r\"; "
             "complete -C \"qat-sample --stri\"");
  const int code = Check("fish", {"--no-config", "-c", script}, said);
  QAT_NEEDS_PROGRAM(code, "fish");
  EXPECT_EQ(code, 0) << said;
  EXPECT_EQ(said,
            "--batch\timages at once\nreference\twhich loops compute\n--strict\tstop at the first [broken] "
            "picture: don't go on\n");
}

TEST_F(Completion, ManualPagesAreWithoutFault) {
  testing::WriteText(dir_ / "p.1", ManualPage(program_));
  std::string said;
  const int code = Check("mandoc", {"-T", "lint", "-W", "warning", dir_ / "p.1"}, said);
  QAT_NEEDS_PROGRAM(code, "mandoc");
  EXPECT_LE(code, 2) << said;
  // The pages have no date, so that the same sources give the same bytes.
  for (const std::string& line : SplitText(said, '\n'))
    EXPECT_TRUE(line.empty() || line.find("missing date") != std::string::npos) << line;
}

}  // namespace
}  // namespace qat
