#include "cli/terminal.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/screen.h"
#include "base/strings.h"
#include "cli/progress.h"
#include "support/terminal.h"

namespace qat {
namespace {

using testing::PseudoTerminal;
using testing::Screen;

// A bar on a terminal of the test's own, which is standard error, too: log lines go there.
class BarOnATerminal : public ::testing::Test {
 protected:
  static constexpr size_t kColumns = 60;

  BarOnATerminal() : saved_error_(dup(2)) {
    setenv("TERM", "xterm", 1);
    InitLog("qat-test", LogLevel::kInfo);
    dup2(terminal_.end(), 2);
  }
  ~BarOnATerminal() override {
    dup2(saved_error_, 2);
    close(saved_error_);
  }

  std::string Shown() {
    screen_.Show(terminal_.Read());
    return screen_.Text();
  }

  PseudoTerminal terminal_{kColumns};
  Screen screen_{kColumns};
  int saved_error_;
};

TEST_F(BarOnATerminal, StandsOnTheLastLineBelowMessages) {
  Progress bar(Progress::Style::kAuto, "train", 100);
  bar.Update(25, "loss 0.5");
  EXPECT_EQ(Shown(), "train [#####...............] 25/100 (25 %)  0:00  loss 0.5\n");
  EXPECT_EQ(screen_.column(), 0u);
  LogWarning("a picture is broken");
  EXPECT_EQ(Shown(),
            "qat-test: warning: a picture is broken\n"
            "train [#####...............] 25/100 (25 %)  0:00  loss 0.5\n");
  bar.Finish();
  LogInfo("done");
  EXPECT_EQ(Shown(),
            "qat-test: warning: a picture is broken\n"
            "train [#####...............] 25/100 (25 %)  0:00  loss 0.5\n"
            "qat-test: done\n");
}

TEST_F(BarOnATerminal, LeavesNothingWhereItIsCleared) {
  {
    Progress bar(Progress::Style::kBar, "accuracy of a", 100);
    bar.Update(100, "");
    EXPECT_NE(Shown(), "");
    bar.Clear();
    bar.Update(100, "after the end");
  }
  EXPECT_EQ(Shown(), "");
  const ScreenTurn turn;
  EXPECT_EQ(Shown(), "");
}

TEST_F(BarOnATerminal, SharesTheLineWithTheNextStage) {
  Progress first(Progress::Style::kBar, "a rather long name of a stage", 10);
  first.Update(1, "");
  Progress second(Progress::Style::kBar, "b", 10);
  second.Update(1, "");
  EXPECT_EQ(Shown(), "b [##..................] 1/10 (10 %)  0:00\n");
  first.Clear();
  second.Clear();
  EXPECT_EQ(Shown(), "");
}

TEST_F(BarOnATerminal, FitsTerminalsOfEveryWidth) {
  for (size_t columns : {200, 60, 45, 30, 20, 8, 2, 1}) {
    terminal_.SetColumns(columns);
    Screen screen(columns);
    Progress bar(Progress::Style::kBar, "Genauigkeit für größer", 1000);
    bar.Update(250, "loss 0.125  accuracy 97.25 %");
    screen.Show(terminal_.Read());
    EXPECT_FALSE(screen.wrapped()) << columns;
    EXPECT_LE(screen.Lines().size(), 1u) << columns;
    bar.Clear();
    screen.Show(terminal_.Read());
    EXPECT_EQ(screen.Text(), "") << columns;
  }
}

TEST_F(BarOnATerminal, GivesUpTimesThenCellsBeforeTheCounts) {
  const auto shown = [&](size_t columns) {
    terminal_.SetColumns(columns);
    Screen screen(columns);
    Progress bar(Progress::Style::kBar, "train", 100);
    bar.Update(50, "loss 0.5");
    screen.Show(terminal_.Read());
    bar.Clear();
    terminal_.Read();
    return screen.Text();
  };
  EXPECT_EQ(shown(59), "train [##########..........] 50/100 (50 %)  0:00  loss 0.5\n");
  EXPECT_EQ(shown(58), "train [##########..........] 50/100 (50 %)  loss 0.5\n");
  EXPECT_EQ(shown(52), "train 50/100 (50 %)  loss 0.5\n");
  EXPECT_EQ(shown(29), "train 50/100 (50 %)\n");
  EXPECT_EQ(shown(12), "train 50/10\n");
}

TEST_F(BarOnATerminal, ANarrowerWindowLeavesNoRestOfIt) {
  Progress bar(Progress::Style::kBar, "train", 100);
  bar.Update(50, "loss 0.5");
  LogInfo("line");
  Shown();
  terminal_.SetColumns(30);
  screen_.Narrow(30);
  EXPECT_EQ(screen_.Lines().size(), 3u) << "the window has wrapped the bar";
  LogInfo("next");
  EXPECT_EQ(Shown(), "qat-test: line\nqat-test: next\ntrain [##########..........]\n");
  bar.Clear();
  EXPECT_EQ(Shown(), "qat-test: line\nqat-test: next\n");
}

TEST_F(BarOnATerminal, ShowsNoEscapeSequenceOfAFileName) {
  Progress bar(Progress::Style::kBar, "accuracy of \x1b[31mred\a.tflite", 10);
  bar.Update(5, "a\tb");
  const std::string text = terminal_.Read();
  EXPECT_EQ(text.find("\x1b[31m"), std::string::npos);
  EXPECT_NE(text.find("accuracy of \\x1b[31mred\\x07.tflite"), std::string::npos) << text;
  bar.Clear();
}

TEST(Terminal, CutsWholeCharacters) {
  EXPECT_EQ(FrontOf("größer", 3), "grö");
  EXPECT_EQ(FrontOf("größer", 9), "größer");
  EXPECT_EQ(FrontOf("模型 a", 4), "模型");
  EXPECT_EQ(FrontOf("模型 a", 3), "模");
  EXPECT_EQ(FrontOf("", 0), "");
  EXPECT_EQ(ColumnsOf("µs 模"), 5u);
}

TEST(Terminal, IsColouredOnlyWhereItIsOneAndNobodyObjects) {
  PseudoTerminal terminal(80);
  std::FILE* out = fdopen(dup(terminal.end()), "w");
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  EXPECT_TRUE(WantsColour(out));
  setenv("NO_COLOR", "", 1);
  EXPECT_TRUE(WantsColour(out));
  setenv("NO_COLOR", "1", 1);
  EXPECT_FALSE(WantsColour(out));
  EXPECT_TRUE(CanRedraw(out));
  unsetenv("NO_COLOR");
  setenv("TERM", "dumb", 1);
  EXPECT_FALSE(WantsColour(out));
  EXPECT_FALSE(CanRedraw(out));
  setenv("TERM", "xterm", 1);
  std::fclose(out);
  std::FILE* file = std::tmpfile();
  EXPECT_FALSE(WantsColour(file));
  std::fclose(file);
}

}  // namespace
}  // namespace qat
