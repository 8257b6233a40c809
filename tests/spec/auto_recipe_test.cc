// What the automatic recipe promises, for every kind of data and network that it may meet.
#include "spec/auto_recipe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "spec/schedule.h"
#include "support/test_util.h"

namespace qat {
namespace {

DataFacts Facts(int64_t examples, int32_t classes) {
  DataFacts data;
  data.examples = examples;
  data.held_out = examples / 9;
  data.height = data.width = 32;
  data.channels = 3;
  data.classes = classes;
  data.targets = classes == 0 ? 1 : 0;
  data.task = classes == 0 ? Task::kNumbers : Task::kClasses;
  data.mean = 117.4;
  data.std = 61.7;
  return data;
}

void ExpectPromises(const AutoRecipe& recipe, const DataFacts& data) {
  const TrainConfig& config = recipe.config;
  QAT_ASSERT_OK(Validate(config));
  const Schedule schedule = MakeSchedule(config, data.examples);
  EXPECT_GE(config.batch_size, 1);
  EXPECT_LE(config.batch_size, data.examples);
  if (schedule.steps >= 3) {
    EXPECT_LT(WarmupSteps(config, schedule.steps), std::max<int64_t>(schedule.quant_delay, 1));
    EXPECT_LE(schedule.quant_delay, schedule.freeze_batch_norm_at);
    EXPECT_LT(schedule.quant_delay, schedule.steps);
  }
  if (schedule.steps >= 10) {
    EXPECT_GE(schedule.steps / schedule.eval_every, 10);
  }
  EXPECT_LE(schedule.steps / schedule.eval_every, 40) << "evaluations cost time";
  EXPECT_EQ(schedule.steps % schedule.eval_every, 0) << "the last step is evaluated by the schedule";
  EXPECT_GT(config.learning_rate, 0);
  EXPECT_LE(config.learning_rate, 0.1);
  ASSERT_EQ(config.mean.values.size(), 1u);
  EXPECT_EQ(config.mean.values[0], std::round(config.mean.values[0])) << "raw bytes pass into the model";
  EXPECT_GE(config.std.values.at(0), 1);
  EXPECT_EQ(config.threads, 3);
  EXPECT_TRUE(config.scale_to_targets);
  // Ranges of real numbers start again before rounding does; what one pass shows lasts until the next.
  if (data.targets > 0) {
    EXPECT_LE(config.ema_decay, 0.9999);
    const double pass = static_cast<double>(data.examples) / config.batch_size;
    EXPECT_GE(std::pow(config.ema_decay, std::min(pass, 500.0)), 0.93);
  }
  for (const double decay : {data.targets > 0 ? 0 : config.ema_decay, config.weight_average_decay}) {
    EXPECT_GE(decay, 0);
    EXPECT_LE(decay, 0.999);
    // What a moving average still holds of a time before the last tenth of a run of useful length.
    if (schedule.steps >= 100) {
      EXPECT_LT(std::pow(decay, static_cast<double>(schedule.steps) / 10), 0.02);
    }
  }
  EXPECT_EQ(config.shift_pixels, 0);
  EXPECT_EQ(config.rotate_degrees, 0);
  EXPECT_EQ(config.scale_percent, 0);
  EXPECT_FALSE(config.flip);
  EXPECT_EQ(config.cutout, 0);
  EXPECT_EQ(config.preset, "auto");
}

const NetworkFacts kNetworks[] = {{1, 0, false},
                                  {337, 300, false},
                                  {61'706, 416'000, false},
                                  {78'000, 12'500'000, true},
                                  {4'200'000, 569'000'000, true}};

TEST(AutoRecipe, KeepsItsPromisesForAnyData) {
  for (const int64_t examples : {1, 2, 10, 11, 60, 499, 500, 1800, 19'999, 54'000, 100'000, 3'000'000}) {
    for (const int32_t classes : {0, 2, 10, 1000}) {
      for (const NetworkFacts& network : kNetworks) {
        SCOPED_TRACE(::testing::Message() << examples << " examples, " << classes << " classes, "
                                          << network.parameters << " parameters");
        const DataFacts data = Facts(examples, classes);
        const AutoRecipe recipe = DeriveRecipe({}, {}, data, network, 3);
        ExpectPromises(recipe, data);
        EXPECT_GE(recipe.config.steps, 200);
        EXPECT_EQ(recipe.lines.size(), 3u);
      }
    }
  }
}

// Classes of a few dozen examples are learned by heart soon; real numbers are learned ever more exactly.
TEST(AutoRecipe, FewExamplesOfClassesAreNotRepeatedForEver) {
  const auto steps = [](int64_t examples, int32_t classes) {
    return DeriveRecipe({}, {}, Facts(examples, classes), {100'000, 1'100'000, true}, 3).config.steps;
  };
  EXPECT_EQ(steps(32, 4), 1200);
  EXPECT_EQ(steps(60, 4), 1900) << "500 epochs of 3.75 steps, rounded";
  EXPECT_GT(steps(60, 0), 9000);
  EXPECT_GT(steps(400, 4), 9000);
}

TEST(AutoRecipe, FollowsAnyGivenNumberOfSteps) {
  const DataFacts data = Facts(1800, 4);
  for (const int64_t steps : {1, 2, 3, 10, 20, 60, 1000, 40'000}) {
    TrainConfig config;
    config.steps = steps;
    const AutoRecipe recipe = DeriveRecipe(config, {"steps"}, data, kNetworks[3], 3);
    EXPECT_EQ(recipe.config.steps, steps);
    ExpectPromises(recipe, data);
  }
  TrainConfig config;
  config.epochs = 2;
  const AutoRecipe recipe = DeriveRecipe(config, {"epochs"}, data, kNetworks[3], 3);
  EXPECT_EQ(recipe.config.steps, 0);
  EXPECT_EQ(recipe.config.epochs, 2);
  EXPECT_GT(recipe.config.eval_every_fraction, 0);
}

// Learning rate times decay, summed over the run: what filters forget in it.
double Forgotten(const AutoRecipe& recipe, const DataFacts& data) {
  return recipe.config.learning_rate * recipe.config.weight_decay *
         static_cast<double>(MakeSchedule(recipe.config, data.examples).steps);
}

TEST(AutoRecipe, AShortRunForgetsAsMuchAsOneOfFullLengthWithinBounds) {
  for (const NetworkFacts& network : {kNetworks[1], kNetworks[2], kNetworks[3]}) {
    for (const int64_t examples : {600, 3600, 54'000}) {
      const DataFacts data = Facts(examples, 2);
      const AutoRecipe full = DeriveRecipe({}, {}, data, network, 3);
      TrainConfig config;
      for (const double epochs : {2.0, 3.0, 10.0}) {
        config.epochs = epochs;
        const AutoRecipe part = DeriveRecipe(config, {"epochs"}, data, network, 3);
        const double wanted = std::min(Forgotten(full, data), 4.0);
        const double usual = Forgotten(full, data) *
                             static_cast<double>(MakeSchedule(part.config, data.examples).steps) /
                             static_cast<double>(full.config.steps);
        const double most = std::min(0.05, 10 * part.config.learning_rate) *
                            static_cast<double>(MakeSchedule(part.config, data.examples).steps);
        EXPECT_NEAR(Forgotten(part, data), std::max(usual, std::min(wanted, most)), 0.06 * wanted);
      }
      config.epochs = 1.5;
      EXPECT_EQ(DeriveRecipe(config, {"epochs"}, data, network, 3).config.weight_decay,
                full.config.weight_decay)
          << "few examples are seen twice";
      config.epochs = 1000;
      EXPECT_EQ(DeriveRecipe(config, {"epochs"}, data, network, 3).config.weight_decay,
                full.config.weight_decay);
      config.epochs = 3;
      EXPECT_EQ(DeriveRecipe(config, {"epochs"}, Facts(examples, 0), network, 3).config.weight_decay,
                full.config.weight_decay)
          << "real numbers";
    }
  }
}

TEST(AutoRecipe, AStepForgetsAtMostATwentieth) {
  for (const NetworkFacts& network : kNetworks) {
    TrainConfig config;
    config.steps = 8;
    const AutoRecipe recipe = DeriveRecipe(config, {"steps"}, Facts(60, 2), network, 3);
    EXPECT_LE(recipe.config.learning_rate * recipe.config.weight_decay, 0.0526);
    QAT_ASSERT_OK(Validate(recipe.config));
  }
}

TEST(AutoRecipe, AShortRunOfTrainedParametersForgetsNoMoreThanAnyOther) {
  NetworkFacts network = kNetworks[0];
  TrainConfig config;
  config.steps = 300;
  const double fresh = DeriveRecipe(config, {"steps"}, Facts(1800, 4), network, 3).config.weight_decay;
  network.trained = true;
  EXPECT_LT(DeriveRecipe(config, {"steps"}, Facts(1800, 4), network, 3).config.weight_decay, 0.051);
  EXPECT_GT(fresh, 0.1) << "this is what it is about";
}

TEST(AutoRecipe, TrainedParametersLearnAtAThirdOfTheRateAndTheLineSaysSo) {
  NetworkFacts network = kNetworks[3];
  const AutoRecipe fresh = DeriveRecipe({}, {}, Facts(1800, 4), network, 3);
  EXPECT_EQ(fresh.lines[1].find("a third"), std::string::npos) << fresh.lines[1];
  network.trained = true;
  const AutoRecipe tuned = DeriveRecipe({}, {}, Facts(1800, 4), network, 3);
  EXPECT_NEAR(tuned.config.learning_rate, fresh.config.learning_rate / 3, 0.05 * fresh.config.learning_rate);
  EXPECT_NE(tuned.lines[1].find(" (a third, as layers are trained already) falling"), std::string::npos)
      << tuned.lines[1];
  TrainConfig config;
  config.learning_rate = 0.5;
  const AutoRecipe given = DeriveRecipe(config, {"learning_rate"}, Facts(1800, 4), network, 3);
  EXPECT_EQ(given.config.learning_rate, 0.5);
  EXPECT_EQ(given.lines[1].find("a third"), std::string::npos) << given.lines[1];
}

TEST(AutoRecipe, LeavesWhatIsGivenAlone) {
  TrainConfig config;
  config.batch_size = 7;
  config.learning_rate = 0.5;
  config.optimizer = "sgd";
  config.mean.values = {1, 2, 3};
  config.std.values = {4, 5, 6};
  config.warmup_steps = 3;
  config.quant_delay = 40;
  config.bn_freeze = 50;
  config.eval_every = 25;
  config.ema_decay = 0.5;
  config.weight_average_decay = 0.25;
  config.weight_decay = 0.125;
  config.schedule = "constant";
  config.flip = true;
  config.threads = 2;
  config.log_every = 9;
  const AutoRecipe recipe = DeriveRecipe(
      config,
      {"batch_size", "learning_rate", "optimizer", "mean", "std", "warmup_steps", "quant_delay", "bn_freeze",
       "eval_every", "ema_decay", "weight_average_decay", "weight_decay", "schedule", "flip", "log_every"},
      Facts(1800, 4), kNetworks[3], 3);
  TrainConfig expected = config;
  expected.preset = "auto";
  expected.steps = recipe.config.steps;
  expected.scale_to_targets = true;  // of classes it means nothing
  expected.eval_every_fraction = recipe.config.eval_every_fraction;
  EXPECT_EQ(recipe.config, expected);
  EXPECT_EQ(recipe.config.quant_delay_fraction, 0) << "the steps speak";
  EXPECT_EQ(recipe.config.warmup_fraction, 0);
}

TEST(AutoRecipe, AFloatRunHasTheRecipeOfItsQuantizedRun) {
  TrainConfig config;
  config.scheme = "float32";
  const DataFacts data = Facts(1800, 4);
  TrainConfig floating = DeriveRecipe(config, {"scheme"}, data, kNetworks[2], 2).config;
  EXPECT_EQ(floating.scheme, "float32");
  floating.scheme = "uint8";
  EXPECT_EQ(floating, DeriveRecipe({}, {}, data, kNetworks[2], 2).config);
}

TEST(AutoRecipe, BatchNormsOfFourBitFiltersLearnToTheEnd) {
  TrainConfig config;
  const DataFacts data = Facts(1800, 4);
  const auto freezes_at = [&](const std::string& scheme) {
    config.scheme = scheme;
    const AutoRecipe recipe = DeriveRecipe(config, {"scheme"}, data, kNetworks[3], 2);
    const Schedule schedule = MakeSchedule(recipe.config, data.examples);
    return static_cast<double>(schedule.freeze_batch_norm_at) / static_cast<double>(schedule.steps);
  };
  EXPECT_EQ(freezes_at("w4a8"), 1);
  EXPECT_NEAR(freezes_at("int8"), 0.8, 0.01);
}

// An hour is the promise for data of any size: at the speed that the recipe assumes, on one core, it stays
// below.
TEST(AutoRecipe, LargeSetsAreBoundedUnlessThereIsABudget) {
  const DataFacts data = Facts(3'000'000, 1000);
  const AutoRecipe bounded = DeriveRecipe({}, {}, data, kNetworks[3], 2);
  const double seconds = static_cast<double>(bounded.config.steps) * bounded.config.batch_size * 3 *
                         static_cast<double>(kNetworks[3].multiply_accumulates) / 3e10;
  EXPECT_LT(seconds, 2000);
  TrainConfig config;
  config.budget = 36'000;
  EXPECT_GT(DeriveRecipe(config, {"budget"}, data, kNetworks[3], 2).config.steps, bounded.config.steps);
}

TEST(AutoRecipe, ImagesOfOneSingleValueHaveAStd) {
  DataFacts data = Facts(100, 2);
  data.std = 0;
  data.mean = 0.3;
  const AutoRecipe recipe = DeriveRecipe({}, {}, data, kNetworks[2], 2);
  EXPECT_EQ(recipe.config.mean.values, std::vector<double>{0});
  EXPECT_EQ(recipe.config.std.values, std::vector<double>{1});
}

TEST(AutoRecipe, SaysWhatItChose) {
  const DataFacts data = Facts(1800, 4);
  const AutoRecipe recipe = DeriveRecipe({}, {}, data, kNetworks[2], 2);
  EXPECT_EQ(recipe.lines[0], "1800 examples to train on, 200 held out; 4 classes; input 32x32x3");
  EXPECT_NE(recipe.lines[1].find(" steps of 32 examples ("), std::string::npos);
  EXPECT_NE(recipe.lines[1].find("adam, learning rate "), std::string::npos);
  EXPECT_NE(recipe.lines[2].find("uint8 from step "), std::string::npos);
  EXPECT_NE(recipe.lines[2].find("; no random changes; 2 threads"), std::string::npos);
}

}  // namespace
}  // namespace qat
