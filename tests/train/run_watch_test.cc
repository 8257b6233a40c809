#include "train/run_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace qat {
namespace {

using Warnings = std::vector<std::string>;

constexpr int64_t kSteps = 1000;
constexpr int64_t kDelay = 600;

// Ten classes of 50 images each, of which so many are answered rightly; the others are taken for the next
// class.
std::vector<ClassCount> Answers(int64_t correct) {
  std::vector<ClassCount> counts(10);
  for (ClassCount& count : counts) {
    count.total = 50;
    count.correct = correct;
    count.answers = 50;
  }
  return counts;
}

RunWatch::Seen Good(int64_t step) {
  RunWatch::Seen seen;
  seen.step = step;
  seen.quantized = step > kDelay;
  seen.loss = 2 * std::exp(-static_cast<double>(step) / 300) + 0.1;
  seen.counts = Answers(step < 200 ? 5 : 45);
  seen.examples = 500;
  seen.ranges["conv"] = {0, 4.0f + static_cast<float>(step) / 1000};
  return seen;
}

Schedule Timetable(double steps_per_epoch) {
  Schedule schedule;
  schedule.steps = kSteps;
  schedule.quant_delay = kDelay;
  schedule.steps_per_epoch = steps_per_epoch;
  return schedule;
}

// A run with an evaluation every 50 steps, which `change` makes a bad one. `resumed`: from its state, before
// every evaluation.
Warnings WarningsOf(
    const std::function<void(RunWatch::Seen&)>& change, bool resumed = false,
    const std::function<double(int64_t)>& training =
        [](int64_t step) { return 2 * std::exp(-static_cast<double>(step) / 250); },
    double epoch = 100) {
  RunWatch watch(Timetable(epoch), "holdout");
  Warnings all;
  for (int64_t step = 1; step <= kSteps; ++step) {
    watch.Count(training(step));
    if (step % 50 != 0) continue;
    RunWatch::Seen seen = Good(step);
    change(seen);
    if (resumed) {
      TrainerState state;
      watch.Save(state);
      watch = RunWatch(Timetable(epoch), "holdout");
      watch.Load(state);
    }
    for (const std::string& warning : watch.Look(seen)) all.push_back(warning);
  }
  return all;
}

void Dead(RunWatch::Seen& seen) {
  if (seen.step >= 300) seen.constant = "fc1";
}
void Guesses(RunWatch::Seen& seen) { seen.counts = Answers(5); }
void RunsAway(RunWatch::Seen& seen) {
  if (seen.step > 750)
    seen.ranges["logits"] = {
        -10.0f * static_cast<float>(std::exp(static_cast<double>(seen.step - 750) / 150)), 20};
  if (seen.step <= 750) seen.ranges["logits"] = {-10, 20};
}
// The bottom is at 300; quantization begins long after.
void Overfits(RunWatch::Seen& seen) {
  if (seen.step > 300) seen.loss = Good(300).loss + static_cast<double>(seen.step - 300) / 400;
}

TEST(RunWatch, AGoodRunWarnsOfNothing) {
  EXPECT_EQ(WarningsOf([](RunWatch::Seen&) {}), Warnings());
}

TEST(RunWatch, EachFaultIsToldOnceAndNothingElse) {
  const Warnings dead = WarningsOf(Dead);
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_TRUE(dead[0].starts_with(
      "layer 'fc1' is dead: after step 350 its output is the same for all 500 examples of the holdout"))
      << dead[0];
  const Warnings guesses = WarningsOf(Guesses);
  ASSERT_EQ(guesses.size(), 1u);
  EXPECT_TRUE(
      guesses[0].starts_with("after step 350 of 1000 the answers on the holdout are no better than guessing"))
      << guesses[0];
  const Warnings away = WarningsOf(RunsAway);
  ASSERT_EQ(away.size(), 1u);
  EXPECT_TRUE(away[0].starts_with("the range of 'logits' runs away: after step 1000 ")) << away[0];
  const Warnings overfits = WarningsOf(Overfits);
  ASSERT_EQ(overfits.size(), 1u);
  EXPECT_TRUE(overfits[0].starts_with(
      "the loss on the holdout rose from 0.836 at step 300 to 1.46 at step 550 while"))
      << overfits[0];
}

TEST(RunWatch, EachSaysWhatToTry) {
  for (const auto& fault : {Dead, Guesses, RunsAway, Overfits}) {
    const std::string warning = WarningsOf(fault).at(0);
    EXPECT_NE(warning.find("try "), std::string::npos) << warning;
    EXPECT_NE(warning.find('`'), std::string::npos) << warning;
  }
}

TEST(RunWatch, AResumedRunWarnsAsOneNeverStopped) {
  for (const auto& fault : {Dead, Guesses, RunsAway, Overfits})
    EXPECT_EQ(WarningsOf(fault, true), WarningsOf(fault));
}

TEST(RunWatch, ADeadMomentIsNoDeadLayerUnlessItIsTheLast) {
  EXPECT_EQ(WarningsOf([](RunWatch::Seen& seen) {
              seen.constant = seen.step == 500 || seen.step == 600 ? "fc1" : "";
            }),
            Warnings());
  EXPECT_EQ(WarningsOf([](RunWatch::Seen& seen) { seen.constant = seen.step == 1000 ? "fc1" : ""; }).size(),
            1u);
}

// A dead layer explains answers at chance, and ranges that go wherever biases go.
TEST(RunWatch, ADeadNetworkIsNotToldTwice) {
  const Warnings warnings = WarningsOf([](RunWatch::Seen& seen) {
    Dead(seen);
    if (seen.step >= 300) Guesses(seen);
    RunsAway(seen);
  });
  EXPECT_EQ(warnings.size(), 1u);
}

TEST(RunWatch, RangesOfTheBeginningAndOfAFloatNetworkMayGrow) {
  EXPECT_EQ(WarningsOf([](RunWatch::Seen& seen) {
              if (seen.step <= kDelay) seen.ranges["logits"] = {-static_cast<float>(seen.step), 1};
            }),
            Warnings());
}

// Quantization costs, and then nothing rises any more.
TEST(RunWatch, ALossThatRoundingLiftsDoesNotRise) {
  EXPECT_EQ(WarningsOf([](RunWatch::Seen& seen) {
              if (seen.quantized) seen.loss += 1;
            }),
            Warnings());
}

TEST(RunWatch, ALossThatRisesWithThatOfTrainingIsNoOverfitting) {
  EXPECT_EQ(WarningsOf(Overfits, false,
                       [](int64_t step) { return 1 + std::abs(static_cast<double>(step) - 300) / 300; }),
            Warnings());
}

// By heart is what was seen again: 700 steps after the least loss are 1.4 epochs of 500.
TEST(RunWatch, ALossThatRisesBeforeExamplesComeAgainIsNoOverfitting) {
  const auto training = [](int64_t step) { return 2 * std::exp(-static_cast<double>(step) / 250); };
  EXPECT_EQ(WarningsOf(Overfits, false, training, 500), Warnings());
  EXPECT_EQ(WarningsOf(Overfits, false, training, 150).size(), 1u);
}

TEST(RunWatch, FewExamplesRiseByChance) {
  const auto rises = [](int64_t examples) {
    return [examples](RunWatch::Seen& seen) {
      seen.loss = seen.step <= 300 ? 0.1 : 0.4;
      seen.examples = examples;
    };
  };
  EXPECT_EQ(WarningsOf(rises(27)), Warnings());
  EXPECT_EQ(WarningsOf(rises(500)).size(), 1u);
}

TEST(RunWatch, OneEvaluationThatRisesIsNoOverfitting) {
  EXPECT_EQ(WarningsOf([](RunWatch::Seen& seen) {
              seen.loss = seen.step == 800 ? 3 : seen.step > 300 ? 0.9 : Good(seen.step).loss;
            }),
            Warnings());
}

TEST(RunWatch, ATinyLossMayDouble) {
  EXPECT_EQ(WarningsOf([](RunWatch::Seen& seen) { seen.loss = seen.step <= 300 ? 0.01 : 0.03; }), Warnings());
}

// One that was trained before begins at a loss that is tiny by itself.
TEST(RunWatch, ATinyLossOfAFineTunedNetworkMayRise) {
  const auto training = [](int64_t step) { return 0.02 * std::exp(-static_cast<double>(step) / 250); };
  const auto rises = [](double end) {
    return [end](RunWatch::Seen& seen) {
      seen.loss = seen.step <= 300 ? 0.01 : 0.01 + (end - 0.01) * static_cast<double>(seen.step - 300) / 700;
    };
  };
  EXPECT_EQ(WarningsOf(rises(0.05), false, training), Warnings());
  EXPECT_EQ(WarningsOf(rises(1), false, training).size(), 1u);
  EXPECT_EQ(WarningsOf([&](RunWatch::Seen& seen) { rises(0.05)(seen), seen.several = true; }, false, training)
                .size(),
            1u);
}

TEST(RunWatch, AnswersThatAreAllRightAreNoOverfitting) {
  const auto all_right = [](RunWatch::Seen& seen) {
    Overfits(seen);
    seen.counts = Answers(50);
  };
  EXPECT_EQ(WarningsOf(all_right), Warnings());
  EXPECT_EQ(WarningsOf([&](RunWatch::Seen& seen) { all_right(seen), seen.several = true; }).size(), 1u)
      << "of another output";
}

TEST(RunWatch, AStateOfAnEarlierVersionBeginsAnew) {
  RunWatch watch(Timetable(100), "test");
  watch.Load(TrainerState());
  RunWatch::Seen seen = Good(1000);
  Guesses(seen);
  const Warnings warnings = watch.Look(seen);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("the answers on the test set are"), std::string::npos);
}

}  // namespace
}  // namespace qat
