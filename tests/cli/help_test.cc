#include "cli/help.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "cli/manual.h"
#include "cli/sample_program.h"

namespace qat {
namespace {

bool Holds(const std::string& text, const std::string& piece) {
  return text.find(piece) != std::string::npos;
}

class Help : public ::testing::Test {
 protected:
  testing::SampleValues values_;
  Program program_ = testing::SampleProgram(values_);
};

TEST_F(Help, EveryFlagHasARowWithItsDefault) {
  const std::string help = FullHelp(program_, program_.commands[1]);
  EXPECT_TRUE(Holds(help, "usage: qat-sample bench [MODEL...] [flags]\nMeasures models.\n")) << help;
  EXPECT_TRUE(Holds(help, "\nArguments:\n  MODEL...                    the models\n")) << help;
  EXPECT_TRUE(Holds(help, "\n  -b, --batch N               images at once (default 8)\n")) << help;
  EXPECT_TRUE(Holds(help, "\n  --kernels fast|reference    which loops compute (default fast)\n")) << help;
  EXPECT_TRUE(Holds(help, "\n  --note TEXT                 any text (default that of the file)\n")) << help;
  EXPECT_TRUE(Holds(help, "\n  --operators                 every operator, too\n")) << help;
  EXPECT_FALSE(Holds(help, "--max-drop")) << help;
}

TEST_F(Help, ShortHelpHasTheUsualFlagsOnly) {
  EXPECT_EQ(ShortHelp(program_, program_.commands[1]),
            "usage: qat-sample bench [MODEL...] [flags]\nMeasures models.\n\n"
            "  MODEL...                    the models\n"
            "  -b, --batch N               images at once (default 8)\n"
            "  --help                      all flags\n"
            "\nexamples:\n  qat-sample bench a.tflite\n");
}

TEST_F(Help, WithoutACommandTheCommandsAreListed) {
  for (const std::string& help : {ShortHelp(program_), FullHelp(program_)}) {
    EXPECT_TRUE(Holds(help, "usage: qat-sample [COMMAND] [flags]\n")) << help;
    EXPECT_TRUE(Holds(help, "  bench                       Measures models.\n")) << help;
    EXPECT_TRUE(Holds(help, "  --data DATA                 the images\n")) << help;
  }
  EXPECT_TRUE(Holds(FullHelp(program_), "--strict"));
  EXPECT_FALSE(Holds(ShortHelp(program_), "--strict"));
}

TEST_F(Help, ReferencePagesHoldEveryFlagOnce) {
  const std::string page = ReferencePage(program_);
  EXPECT_TRUE(Holds(page, "### qat-sample bench\n\nMeasures models.\n")) << page;
  EXPECT_TRUE(Holds(page, "| `-b, --batch N` | images at once | 8 |\n")) << page;
  EXPECT_TRUE(Holds(page, "| `--kernels fast\\|reference` | which loops compute | fast |\n")) << page;
}

TEST_F(Help, ManualPagesEscapeWhatRoffWouldTake) {
  program_.commands[0].description = ".Compares\\models'";
  const std::string page = ManualPage(program_);
  EXPECT_TRUE(Holds(page, ".TH QAT-SAMPLE 1 ")) << page;
  EXPECT_TRUE(Holds(page, ".SS qat\\-sample bench [MODEL...] [flags]\n")) << page;
  EXPECT_TRUE(Holds(page, "\n\\&.Compares\\emodels' This is the default command.\n")) << page;
  EXPECT_TRUE(Holds(page, ".TP\n\\fB\\-b\\fR, \\fB\\-\\-batch\\fR \\fIN\\fR\nimages at once (default 8)\n"))
      << page;
  EXPECT_TRUE(Holds(page, ".SH EXIT STATUS\n")) << page;
}

TEST_F(Help, AnUnknownFormIsAnsweredWithTheNearest) {
  const auto form = HelpAs(program_, "mam");
  ASSERT_FALSE(form.ok());
  EXPECT_TRUE(Holds(form.error().message, "did you mean 'man'?")) << form.error().message;
}

}  // namespace
}  // namespace qat
