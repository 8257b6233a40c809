#include "cli/arguments.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/sample_program.h"
#include "support/test_util.h"

namespace qat {
namespace {

using Words = std::vector<std::string>;

class Arguments : public ::testing::Test {
 protected:
  CommandLine Split(const Words& words) const {
    auto line = SplitCommand(program_, words);
    EXPECT_TRUE(line.ok()) << line.error().message;
    return line.ok() ? *line : CommandLine{&program_.commands[0], false, {}};
  }
  Expected<Words> Canonical(size_t command, const Words& words) {
    return CanonicalArguments(program_, program_.commands[command], words, ignored_);
  }

  testing::SampleValues values_;
  Program program_ = testing::SampleProgram(values_);
  Words ignored_;
};

TEST_F(Arguments, TheFirstWordNamesTheCommandElseTheFirstOneIsMeant) {
  const CommandLine named = Split({"bench", "a.tflite", "--batch", "2"});
  EXPECT_EQ(named.command->name, "bench");
  EXPECT_TRUE(named.named);
  EXPECT_EQ(named.words, (Words{"a.tflite", "--batch", "2"}));
  const CommandLine unnamed = Split({"--data", "digits", "a.tflite"});
  EXPECT_EQ(unnamed.command->name, "compare");
  EXPECT_FALSE(unnamed.named);
  EXPECT_EQ(Split({}).command->name, "compare");
}

TEST_F(Arguments, FlagsMayStandBeforeTheCommand) {
  const CommandLine line = Split({"--kernels", "reference", "bench", "a.tflite"});
  EXPECT_EQ(line.command->name, "bench");
  EXPECT_EQ(line.words, (Words{"--kernels", "reference", "a.tflite"}));
  // The value of a flag is no command.
  EXPECT_EQ(Split({"--data", "bench"}).command->name, "compare");
}

TEST_F(Arguments, OldSpellingsBecomeCommandsAndAreSaid) {
  const CommandLine dropped = Split({"--model", "a b", "--bench"});
  EXPECT_EQ(dropped.command->name, "bench");
  EXPECT_EQ(dropped.words, (Words{"--model", "a b"}));
  EXPECT_EQ(dropped.now_spelled, "qat-sample bench --model 'a b'");
  EXPECT_EQ(Split({"--trace", "m.tflite"}).words, (Words{"m.tflite"}));
  EXPECT_EQ(Split({"--trace=m.tflite"}).words, (Words{"m.tflite"}));
  // A flag that the command still has stays.
  EXPECT_EQ(Split({"a.tflite", "--batch", "3"}).words, (Words{"a.tflite", "--batch", "3"}));
  EXPECT_EQ(Split({"bench", "--batch", "3"}).now_spelled, "");
}

TEST_F(Arguments, HelpIsACommandToo) {
  EXPECT_EQ(Split({"help"}).words, (Words{"--help"}));
  EXPECT_FALSE(Split({"help"}).named);
  EXPECT_EQ(Split({"help", "bench"}).command->name, "bench");
  EXPECT_EQ(Split({"help", "bench"}).words, (Words{"--help"}));
}

TEST_F(Arguments, AMistypedCommandIsNamed) {
  QAT_EXPECT_ERROR(SplitCommand(program_, Words{"bnech", "a.tflite"}), ErrorCode::kInvalidArgument,
                   "unknown command 'bnech'; did you mean 'bench'?");
  QAT_EXPECT_ERROR(SplitCommand(program_, Words{"frobnicate", "a.tflite"}), ErrorCode::kInvalidArgument,
                   "'frobnicate' is no command (compare, bench");
  EXPECT_EQ(Split({"model.tflite"}).command->name, "compare")
      << "a file that is not there is its reader's business";
}

TEST_F(Arguments, AnUnknownFlagIsAnsweredWithTheNearestOneOrItsCommand) {
  const auto said = [&](size_t command, const std::string& flag) {
    const auto canonical = Canonical(command, {flag, "1"});
    return canonical.ok() ? "" : canonical.error().message;
  };
  EXPECT_EQ(said(0, "--modle"), "unknown flag '--modle'; did you mean '--model'? (--help lists all)");
  EXPECT_EQ(said(0, "--operators"),
            "--operators: is a flag of 'qat-sample bench', not of 'qat-sample compare'");
  EXPECT_EQ(said(1, "--max_drop"),
            "--max-drop: is a flag of 'qat-sample compare', not of 'qat-sample bench'");
  EXPECT_EQ(
      said(0, "--opertors"),
      "unknown flag '--opertors'; did you mean '--operators' of 'qat-sample bench'? (--help lists all)");
  EXPECT_EQ(said(0, "--trace"), "--trace: is a command now: qat-sample bench (--help lists all)");
  EXPECT_EQ(said(0, "-x"), "unknown flag '-x' (--help lists all)");
}

TEST_F(Arguments, FlagsWithoutEffectAreLeftOut) {
  const auto canonical = Canonical(1, {"--seed", "4", "a", "--seed=5", "-b3"});
  QAT_ASSERT_OK(canonical);
  EXPECT_EQ(*canonical, (Words{"a", "--batch=3"}));
  EXPECT_EQ(ignored_, (Words{"--seed", "--seed"}));
  EXPECT_FALSE(Canonical(0, {"--seed", "4"}).ok());
}

TEST_F(Arguments, AConfigurationIsForAllCommands) {
  testing::TempDir dir;
  QAT_ASSERT_OK(
      WriteFile(dir / "c.toml", std::string_view("batch = 2\nmax_drop = 0.5\nkernels = \"reference\"\n")));
  const auto compare = ConfigArguments(program_, program_.commands[0], dir / "c.toml", {});
  QAT_ASSERT_OK(compare);
  EXPECT_EQ(*compare, (Words{"--max-drop=0.5", "--kernels=reference"}));
  const auto bench = ConfigArguments(program_, program_.commands[1], dir / "c.toml", {});
  QAT_ASSERT_OK(bench);
  EXPECT_EQ(*bench, (Words{"--batch=2", "--kernels=reference"}));
  QAT_ASSERT_OK(WriteFile(dir / "c.toml", std::string_view("bacth = 2\n")));
  QAT_EXPECT_ERROR(ConfigArguments(program_, program_.commands[1], dir / "c.toml", {}),
                   ErrorCode::kInvalidArgument, "did you mean 'batch'?");
}

}  // namespace
}  // namespace qat
