// The programs on a terminal that is standard output and standard error at once, as a user has it.
#include "support/terminal.h"

#include <gtest/gtest.h>

#include "support/subprocess.h"
#include "support/tiny_files.h"

namespace qat {
namespace {

using testing::PseudoTerminal;
using testing::Screen;

constexpr size_t kColumns = 100;

class OnATerminal : public ::testing::Test {
 protected:
  testing::TinyFiles files_;
  PseudoTerminal terminal_{kColumns};
  Screen screen_{kColumns};
};

bool HasABar(const std::string& text) {
  return text.find("[#") != std::string::npos || text.find(" %)  0:") != std::string::npos;
}

TEST_F(OnATerminal, TheTableStandsAloneWhereBarsWere) {
  std::string text;
  const int code = terminal_.Run({testing::ToolPath("qat-eval"), "--data", files_.data(), "--litert", "off",
                                  "--graph", files_.graph(), "--model", files_.uint8_model()},
                                 text);
  EXPECT_EQ(code, 0) << text;
  EXPECT_TRUE(HasABar(text)) << "the test sees no bar at all";
  screen_.Show(text);
  EXPECT_FALSE(HasABar(screen_.Text())) << screen_.Text();
  EXPECT_EQ(screen_.Lines().front().rfind(files_.data() + ": 60 images", 0), 0u) << screen_.Text();
}

TEST_F(OnATerminal, AnErrorStandsAloneWhereABarWas) {
  std::string text;
  const std::string broken = files_ / "broken.tflite";
  testing::WriteText(broken, "no model");
  const int code =
      terminal_.Run({testing::ToolPath("qat-eval"), "--data", files_.data(), "--model", broken}, text);
  EXPECT_EQ(code, 3) << text;
  screen_.Show(text);
  EXPECT_EQ(screen_.Lines().front().rfind("qat-eval: ", 0), 0u) << screen_.Text();
  EXPECT_FALSE(HasABar(screen_.Text())) << screen_.Text();
}

TEST_F(OnATerminal, ControlCTakesTheBarAway) {
  testing::WriteTinyData(files_ / "many", 20000, 20000);
  std::string text;
  const int code = terminal_.Run({testing::ToolPath("qat-eval"), "--data", files_ / "many", "--model",
                                  files_.uint8_model(), "--litert", "off", "--repeat", "1000"},
                                 text, "latency [", "\x03");
  EXPECT_EQ(code, 130) << text;
  screen_.Show(text);
  EXPECT_FALSE(HasABar(screen_.Text())) << screen_.Text();
  EXPECT_NE(screen_.Text().find("interrupted"), std::string::npos) << screen_.Text();
}

}  // namespace
}  // namespace qat
