#include "cli/messages.h"

#include <gtest/gtest.h>

#include "cli/sample_program.h"

namespace qat {
namespace {

class Messages : public ::testing::Test {
 protected:
  Messages() { program_.commands[0].fields = {{"reference_run", "--data"}}; }
  std::string Named(std::string_view message) const {
    return NameFlags(program_, program_.commands[0], message);
  }

  testing::SampleValues values_;
  Program program_ = testing::SampleProgram(values_);
};

TEST_F(Messages, FieldsBecomeFlags) {
  EXPECT_EQ(Named("`max_drop`: value -1, expected 0 or more"), "--max-drop: value -1, expected 0 or more");
  EXPECT_EQ(Named("give `reference_run` or `data`"), "give --data or --data");
  EXPECT_EQ(Named("no field"), "no field");
  EXPECT_EQ(Named(""), "");
}

TEST_F(Messages, AnArgumentIsCalledAsUsageCallsIt) { EXPECT_EQ(Named("give `models`"), "give MODEL..."); }

TEST_F(Messages, AFlagOfAnotherCommandIsStillAFlagAndAnythingElseAWord) {
  EXPECT_EQ(Named("`operators` and `scheme`"), "--operators and scheme");
}

TEST_F(Messages, HintsOfFlagsThatAreNotThereAreLeftOut) {
  EXPECT_EQ(Named("no label 7 (`ignore_label` names another one), expected 0 to 5"),
            "no label 7, expected 0 to 5");
  EXPECT_EQ(Named("drops (`max_drop` allows more), here"), "drops (--max-drop allows more), here");
  EXPECT_EQ(Named("is real (`scheme`)"), "is real (scheme)");
  EXPECT_EQ(Named("open (`scheme` ends"), "open (scheme ends");
}

TEST_F(Messages, NotesOfDataAreNamedAsWarningsAre) {
  Report report;
  report.warnings = {"too coarse; learn it anew (`scheme` true), or not"};
  report.data_notes = {"yes or no (`max_drop` judges more)", "features (`layout` series reads 4 steps)"};
  NameFlags(program_, program_.commands[0], report);
  EXPECT_EQ(report.warnings, (std::vector<std::string>{"too coarse; learn it anew, or not"}));
  EXPECT_EQ(report.data_notes, (std::vector<std::string>{"yes or no (--max-drop judges more)", "features"}));
}

TEST_F(Messages, OtherBackquotesStay) {
  EXPECT_EQ(Named("a `b c` `"), "a `b c` `");
  EXPECT_EQ(Named("``"), "``");
  EXPECT_EQ(Named("my`max_drop`.tflite`"), "my--max-drop.tflite`");
}

TEST(WithoutDoubledPhrases, KeepsOneOfEach) {
  EXPECT_EQ(WithoutDoubledPhrases("--append: --append: is 'x'"), "--append: is 'x'");
  EXPECT_EQ(WithoutDoubledPhrases("a: a: a: b"), "a: b");
  EXPECT_EQ(WithoutDoubledPhrases("--data: d.npz: d.npz: is cut"), "--data: d.npz: is cut");
  EXPECT_EQ(WithoutDoubledPhrases("--data: d.npz: --data: d.npz: is cut"), "--data: d.npz: is cut");
  EXPECT_EQ(WithoutDoubledPhrases("a: b: a: c"), "a: b: a: c");
  EXPECT_EQ(WithoutDoubledPhrases("layer 'a': aa: a: b"), "layer 'a': aa: a: b");
  EXPECT_EQ(WithoutDoubledPhrases(""), "");
}

}  // namespace
}  // namespace qat
