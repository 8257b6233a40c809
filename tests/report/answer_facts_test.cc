#include "report/answer_facts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace qat {
namespace {

using Names = std::vector<std::string>;
using Steps = std::vector<double>;

// counts[label][answer] examples of each kind.
ClassFacts Filled(const std::vector<std::vector<int>>& counts) {
  ClassFacts facts;
  for (size_t label = 0; label < counts.size(); ++label) {
    for (size_t answer = 0; answer < counts[label].size(); ++answer) {
      const auto n = static_cast<size_t>(counts[label][answer]);
      facts.Add(std::vector<int32_t>(n, static_cast<int32_t>(label)),
                std::vector<int32_t>(n, static_cast<int32_t>(answer)));
    }
  }
  return facts;
}

TEST(ClassFacts, CountsPerClass) {
  const ClassFacts facts = Filled({{8, 2, 0}, {1, 4, 0}, {0, 0, 0}, {3, 0, 2}});
  EXPECT_EQ(facts.total(), 20);
  ASSERT_EQ(facts.counts().size(), 4u);
  EXPECT_EQ(facts.counts()[0].correct, 8);
  EXPECT_EQ(facts.counts()[1].total, 5);
  EXPECT_EQ(facts.counts()[2].total, 0);
  EXPECT_EQ(facts.counts()[2].answers, 2);
  EXPECT_EQ(facts.counts()[0].answers, 12);
}

// A model that is right in 80 % of two equally frequent classes, on small sets drawn again and again.
TEST(ClassFacts, RaisesNoFalseAlarmOnSmallSets) {
  std::mt19937 random(1);
  std::bernoulli_distribution right(0.8), label(0.5);
  for (const int count : {3, 5, 10, 20, 40, 72}) {
    int alarms = 0;
    for (int trial = 0; trial < 2000; ++trial) {
      ClassFacts facts;
      for (int i = 0; i < count; ++i) {
        const int32_t wanted = label(random);
        facts.Add(std::vector{wanted}, std::vector{right(random) ? wanted : 1 - wanted});
      }
      alarms += !Warnings(facts, {}, count, "the holdout").empty();
    }
    EXPECT_LE(alarms, 4) << count << " examples: a fifth of a percent";
  }
}

TEST(ClassFacts, SaysItInPlainSentences) {
  const auto warnings = Warnings(Filled({{576, 0}, {24, 0}}), Names{"well", "ill"}, 600, "the holdout");
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_EQ(
      warnings[0],
      "answers on the holdout are no better than guessing, which has a balanced accuracy of 50.00 % "
      "(balanced "
      "accuracy 50.00 %, accuracy 96.00 %); check the labels, or try another learning rate or a longer run");
  EXPECT_EQ(warnings[1],
            "never answered on the holdout: class 'ill' (24 examples); train longer, or with equally many "
            "examples of each class");
  EXPECT_TRUE(Warnings(Filled({{90, 10}, {10, 90}}), {}, 200, "the holdout").empty());
  // Less accurate than always answering the frequent class, yet half of the rare one is found.
  EXPECT_TRUE(Warnings(Filled({{900, 60}, {20, 20}}), {}, 1000, "the holdout").empty());
}

TEST(NumberFacts, R2IsOneForPerfectAndZeroForTheMean) {
  NumberFacts facts(2);
  for (int i = 0; i < 100; ++i) {
    const auto x = static_cast<float>(i);
    facts.Add(std::vector{x, 1e6f + 49.5f}, std::vector{x, 1e6f + x});
  }
  const auto targets = facts.targets();
  EXPECT_DOUBLE_EQ(targets[0].R2(), 1);
  EXPECT_NEAR(targets[1].R2(), 0, 1e-3) << "far from zero, too";
  EXPECT_NEAR(targets[1].mean, 1e6 + 49.5, 1e-6);
  EXPECT_NEAR(targets[1].variance, (100.0 * 100 - 1) / 12, 1e-6);
  EXPECT_TRUE(Warnings(facts, {Steps{0}}, "the holdout").empty());
}

TEST(NumberFacts, WarnsWhereAnswersAreWorseThanTheMean) {
  NumberFacts facts(1);
  for (int i = 0; i < 21; ++i) facts.Add(std::vector{0.f}, std::vector{290 + static_cast<float>(i)});
  const auto warnings = Warnings(facts, {Steps{0}}, "the holdout");
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("R2 of the target on the holdout is -2.45e+03"), std::string::npos)
      << warnings[0];
  EXPECT_NE(warnings[0].find("learn it normalized (`scale_to_targets` true), or subtract 300 and divide by "
                             "6.06 before training"),
            std::string::npos)
      << warnings[0];
}

// A sigmoid at the end cannot give 290.
TEST(NumberFacts, SaysThatAnActivationAtTheEndBoundsTheAnswers) {
  NumberFacts facts(1);
  for (int i = 0; i < 21; ++i) facts.Add(std::vector{1.f}, std::vector{290 + static_cast<float>(i)});
  const auto warnings = Warnings(facts, {Steps{10}, false, {}, true}, "the holdout");
  ASSERT_EQ(warnings.size(), 2u);
  for (const std::string& each : warnings) {
    EXPECT_NE(each.find("the network ends in an activation"), std::string::npos) << each;
    EXPECT_EQ(each.find("scale_to_targets"), std::string::npos) << each;
  }
}

TEST(NumberFacts, TellsNobodyToNormalizeWhatWasLearnedNormalized) {
  NumberFacts facts(2);
  for (int i = 0; i < 21; ++i) {
    const auto x = static_cast<float>(i);
    facts.Add(std::vector{0.f, 10 * x}, std::vector{290 + x, 10 * x});
  }
  const Names names = {"heat", "flow"};
  const auto warnings = Warnings(facts, {Steps{10, 0.1}, true, names}, "the holdout");
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find("R2 of target 'heat' on the holdout"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[0].find("it was learned normalized, so check"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[1].find("target 'heat' spans 2 of"), std::string::npos) << warnings[1];
  EXPECT_NE(warnings[1].find("look for outliers"), std::string::npos) << warnings[1];
  for (const std::string& each : warnings) EXPECT_EQ(each.find("subtract"), std::string::npos) << each;
}

TEST(NumberFacts, JudgesNoR2OnAHandfulNorOnEqualTargets) {
  NumberFacts few(1), equal(1);
  few.Add(std::vector{9.f, 9.f, 9.f}, std::vector{1.f, 2.f, 3.f});
  equal.Add(std::vector<float>(50, 1), std::vector<float>(50, 2));
  EXPECT_TRUE(Warnings(few, {Steps{0}}, "the holdout").empty());
  EXPECT_TRUE(std::isnan(equal.targets()[0].R2()));
  EXPECT_TRUE(Warnings(equal, {Steps{1}}, "the holdout").empty());
}

TEST(NumberFacts, NamesTheTargetThatSpansFewSteps) {
  NumberFacts facts(2);
  for (int i = 0; i <= 20; ++i) {
    const auto x = static_cast<float>(i);
    facts.Add(std::vector{290 + x, 10 * x}, std::vector{290 + x, 10 * x});
  }
  const auto warnings = Warnings(facts, {Steps{310.0 / 255}}, "the holdout");
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0],
            "target 0 spans 16.5 of the 255 steps of the quantized output (290 to 310, a step is 1.22), so "
            "answers are "
            "coarse; learn them normalized (`scale_to_targets` true), or bring all to mean 0 and similar "
            "deviations before training");
  EXPECT_TRUE(Warnings(facts, {Steps{0.1}}, "the holdout").empty());
}

}  // namespace
}  // namespace qat
