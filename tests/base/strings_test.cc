#include "base/strings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/ending.h"
#include "base/random.h"

namespace qat {
namespace {

TEST(NumberText, IsTheShortestThatReadsBack) {
  EXPECT_EQ(NumberText(0.1), "0.1");
  EXPECT_EQ(NumberText(0.1f), "0.1");
  EXPECT_EQ(NumberText(1e-5), "1e-05");
  EXPECT_EQ(NumberText(7.0), "7");
  EXPECT_EQ(NumberText(-0.0), "-0");
  EXPECT_EQ(NumberText(static_cast<double>(0.1f)), "0.10000000149011612");
}

TEST(NumberText, ReadsBackExactlyForRandomBits) {
  Random random(MixKey(1, 2));
  for (int i = 0; i < 20000; ++i) {
    const uint32_t bits = random.Next();
    float value;
    static_assert(sizeof(value) == sizeof(bits));
    std::memcpy(&value, &bits, sizeof(value));
    if (!std::isfinite(value)) continue;
    EXPECT_EQ(std::strtof(NumberText(value).c_str(), nullptr), value);
  }
}

TEST(StrCat, JoinsTextsAndNumbers) {
  EXPECT_EQ(StrCat("scale[", 3, "] is ", 0.5f, ' ', int64_t{-7}), "scale[3] is 0.5 -7");
  EXPECT_EQ(StrCat(), "");
}

TEST(Split, KeepsEmptyPieces) {
  EXPECT_EQ(SplitText("a,,b,", ','), (std::vector<std::string>{"a", "", "b", ""}));
  EXPECT_EQ(SplitText("", ','), std::vector<std::string>{""});
}

TEST(Join, PutsTheSeparatorBetween) {
  const std::vector<std::string> pieces = {"a", "b", "c"};
  EXPECT_EQ(Join(pieces), "a, b, c");
  EXPECT_EQ(Join(pieces, "|"), "a|b|c");
  EXPECT_EQ(Join(std::vector<std::string>{}), "");
}

TEST(ParseNumber, IsTheWholeTextOrNothing) {
  EXPECT_EQ(ParseNumber<int>("-12"), -12);
  EXPECT_EQ(ParseNumber<int64_t>("4294967296"), int64_t{1} << 32);
  EXPECT_EQ(ParseNumber<double>("1e-05"), 1e-5);
  EXPECT_EQ(ParseNumber<float>("0.1"), 0.1f);
  for (const char* wrong : {"", " 1", "1 ", "+1", "1.5", "1x", "4294967296", "one"})
    EXPECT_FALSE(ParseNumber<int>(wrong)) << wrong;
  for (const char* wrong : {"", " 1", "+1", "1.5x", "1e999"})
    EXPECT_FALSE(ParseNumber<double>(wrong)) << wrong;
  EXPECT_FALSE(ParseNumber<size_t>("-1"));
}

TEST(HasEnding, AsksForNoCase) {
  EXPECT_TRUE(HasEnding("DATA.CSV", ".csv") && HasEnding("a.Csv", ".csv") && HasEnding(".csv", ".csv"));
  EXPECT_FALSE(HasEnding("csv", ".csv") || HasEnding("a.csv.gz", ".csv") || HasEnding("", ".csv"));
}

TEST(LowerCase, LeavesWhatIsNoLetterOfAscii) { EXPECT_EQ(LowerCase("ABC-xyz_9 Ä"), "abc-xyz_9 Ä"); }

TEST(Nearest, FindsTypingMistakesAndNothingElse) {
  const std::vector<std::string> flags = {"batch-size", "learning-rate", "steps", "seed"};
  EXPECT_EQ(Nearest("batchsize", flags), "batch-size");
  EXPECT_EQ(Nearest("Learning_Rate", flags), "learning-rate");
  EXPECT_EQ(Nearest("step", flags), "steps");
  EXPECT_EQ(Nearest("sede", flags), "seed");
  EXPECT_EQ(Nearest("quantization", flags), "");
  EXPECT_EQ(Nearest("steps", std::vector<std::string>{}), "");
}

TEST(Nearest, TakesTheBeginningOfANameForTheName) {
  const std::vector<std::string> flags = {"batch-size", "learning-rate", "log-every"};
  EXPECT_EQ(Nearest("batch", flags), "batch-size");
  EXPECT_EQ(Nearest("Learning", flags), "learning-rate");
  EXPECT_EQ(Nearest("lo", flags), "");
}

TEST(UnknownName, SuggestsOnlyWhereThereIsSomethingToSuggest) {
  const std::vector<std::string> keys = {"filters", "stride"};
  EXPECT_EQ(UnknownName("key", "filterz", keys), "unknown key 'filterz'; did you mean 'filters'?");
  EXPECT_EQ(UnknownName("key", "momentum", keys), "unknown key 'momentum'");
}

}  // namespace
}  // namespace qat
