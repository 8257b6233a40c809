#include "cli/progress.h"

#include <gtest/gtest.h>

#include "support/test_util.h"

namespace qat {
namespace {

// What a progress of this style shows for the steps 1, 2, …, `steps` of 100.
std::string Shown(Progress::Style style, int64_t steps, const std::string& detail = "loss 0.5") {
  std::FILE* file = std::tmpfile();
  {
    Progress progress(style, "train", 100, file);
    for (int64_t step = 1; step <= steps; ++step) progress.Update(step, detail);
    progress.Finish();
    progress.Update(99, "after the end");
  }
  std::rewind(file);
  std::string text(4096, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

TEST(Progress, WritesPlainLinesWhereThereIsNoTerminal) {
  const std::string text = Shown(Progress::Style::kAuto, 100);
  EXPECT_EQ(text, "train: 1/100 (1 %)  0:00  loss 0.5\ntrain: 100/100 (100 %)  0:00  loss 0.5\n");
}

TEST(Progress, EndsABarWithItsLastState) {
  const std::string text = Shown(Progress::Style::kBar, 50);
  EXPECT_NE(text.find("train [##########..........] 50/100 (50 %)"), std::string::npos) << text;
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(text.find("after"), std::string::npos);
}

TEST(Progress, WritesOneJsonObjectPerLine) {
  const std::string text = Shown(Progress::Style::kNdjson, 100, "layer \"a\"");
  EXPECT_EQ(text.substr(0, text.find(",\"elapsed_s\"")),
            "{\"event\":\"progress\",\"what\":\"train\",\"done\":1,\"total\":100");
  EXPECT_NE(text.find("\"detail\":\"layer \\\"a\\\"\"}\n"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(Progress, ShowsNothingWhenAskedToOrWhenNothingHappened) {
  EXPECT_EQ(Shown(Progress::Style::kNone, 100), "");
  EXPECT_EQ(Shown(Progress::Style::kBar, 0), "");
}

TEST(Progress, TellsWhichStyleIsMeant) {
  EXPECT_TRUE(Progress::ParseStyle("ndjson").ok());
  QAT_EXPECT_ERROR(Progress::ParseStyle("bra"), ErrorCode::kInvalidArgument, "did you mean 'bar'?");
}

TEST(DurationText, ReadsAsAClock) {
  EXPECT_EQ(DurationText(7.4), "0:07");
  EXPECT_EQ(DurationText(750), "12:30");
  EXPECT_EQ(DurationText(11100), "3:05:00");
}

}  // namespace
}  // namespace qat
