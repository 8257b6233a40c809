#include "eval/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "base/random.h"
#include "base/strings.h"
#include "support/places.h"
#include "support/subprocess.h"

namespace qat {
namespace {

// Of the oracle: a line of numbers for every line of `questions`.
std::vector<std::vector<double>> Ask(const std::string& questions) {
  const testing::TempDir folder;
  testing::WriteText(folder / "questions", questions);
  const auto result = testing::Run({"/usr/bin/env", "python3",
                                    std::string(testing::kSourceDir) + "/tests/eval/statistics_oracle.py",
                                    folder / "questions"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::vector<std::vector<double>> answers;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream numbers(line);
    answers.emplace_back();
    for (double number; numbers >> number;) answers.back().push_back(number);
  }
  return answers;
}

TEST(McNemar, IsTheBinomialTailOfSmallNumbers) {
  EXPECT_EQ(McNemarP(0, 0), 1);
  EXPECT_EQ(McNemarP(4, 4), 1);
  EXPECT_NEAR(McNemarP(0, 5), 2.0 / 32, 1e-12);
  EXPECT_NEAR(McNemarP(6, 0), 2.0 / 64, 1e-12);
  EXPECT_NEAR(McNemarP(2, 8), 2.0 * (1 + 10 + 45) / 1024, 1e-12);
  EXPECT_EQ(McNemarP(3, 11), McNemarP(11, 3));
}

TEST(McNemar, IsExactForLargeNumbersToo) {
  const std::vector<std::pair<int64_t, int64_t>> cases = {{5, 15},      {100, 140}, {1000, 1100},
                                                          {2500, 2501}, {0, 900},   {4000, 4300}};
  std::string questions;
  for (const auto& [b, c] : cases) questions += StrCat("mcnemar ", b, " ", c, "\n");
  const auto answers = Ask(questions);
  ASSERT_EQ(answers.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    const double expected = answers[i].at(0);
    EXPECT_NEAR(McNemarP(cases[i].first, cases[i].second), expected, 1e-9 * expected) << i;
  }
}

TEST(Wilson, IsWhatTheScoreTestDoesNotReject) {
  const std::vector<std::pair<int64_t, int64_t>> cases = {{0, 10},       {10, 10},       {7, 10},     {1, 3},
                                                          {9931, 10000}, {59999, 60000}, {500, 1000}, {1, 1}};
  std::string questions;
  for (const auto& [k, n] : cases) questions += StrCat("wilson ", k, " ", n, "\n");
  const auto answers = Ask(questions);
  ASSERT_EQ(answers.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    const Interval interval = WilsonInterval(cases[i].first, cases[i].second);
    EXPECT_NEAR(interval.low, answers[i].at(0), 1e-10) << i;
    EXPECT_NEAR(interval.high, answers[i].at(1), 1e-10) << i;
  }
}

TEST(PairedDifference, IsTheExampleOfThePaper) {
  // Newcombe 1998, table II, method 10.
  const Interval a = PairedDifferenceInterval({36, 12, 2, 0});
  EXPECT_NEAR(a.low, 0.0569, 5e-5);
  EXPECT_NEAR(a.high, 0.3404, 5e-5);
}

TEST(PairedDifference, AgreesWithTheLawOfCosines) {
  const std::vector<PairedCounts> cases = {{9900, 15, 5, 80}, {54, 0, 0, 0}, {0, 30, 0, 0},
                                           {20, 5, 5, 20},    {2, 1, 30, 3}, {9990, 0, 0, 10}};
  std::string questions;
  for (const PairedCounts& c : cases) {
    questions += StrCat("newcombe ", c.both_right, " ", c.right_to_wrong, " ", c.wrong_to_right, " ",
                        c.both_wrong, "\n");
  }
  const auto answers = Ask(questions);
  ASSERT_EQ(answers.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    const Interval interval = PairedDifferenceInterval(cases[i]);
    EXPECT_NEAR(interval.low, answers[i].at(0), 1e-9) << i;
    EXPECT_NEAR(interval.high, answers[i].at(1), 1e-9) << i;
  }
}

TEST(PairedDifference, CoversTheTruthNineteenTimesInTwenty) {
  // Two models, right on 90 % and 87 %, that share most of their errors.
  Random random(5);
  int covered = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    PairedCounts counts;
    for (int i = 0; i < 400; ++i) {
      const float draw = random.Uniform();
      ++(draw < 0.85f   ? counts.both_right
         : draw < 0.90f ? counts.right_to_wrong
         : draw < 0.92f ? counts.wrong_to_right
                        : counts.both_wrong);
    }
    const Interval interval = PairedDifferenceInterval(counts);
    covered += interval.low <= 0.03 && 0.03 <= interval.high;
  }
  EXPECT_NEAR(covered / 2000.0, 0.95, 0.015);  // three standard errors
}

}  // namespace
}  // namespace qat
