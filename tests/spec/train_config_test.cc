#include "spec/train_config.h"

#include <map>
#include <set>

#include "support/test_util.h"

namespace qat {
namespace {

TEST(TrainConfig, SurvivesItsToml) {
  TrainConfig config;
  config.network =
      "dir/with \"quotes\" and \\ and \n, \x01, \x7f and \u00e9" + std::string(1, '\0') + ".toml";
  config.learning_rate = 1e-5;
  config.epochs = 3;
  config.seed = 12345678901234567u;
  const auto back = ParseTrainConfig(ToToml(config), "config.toml", {});
  QAT_ASSERT_OK(back);
  EXPECT_EQ(*back, config);
}

TEST(TrainConfig, ThePortableFormLeavesOutWhereThingsLie) {
  TrainConfig here, there;
  there.data = "/elsewhere";
  there.network = "copy.toml";
  there.data_cache = 7;
  there.teacher = "elsewhere/run";
  there.threads = 3;
  EXPECT_EQ(PortableToml(here), PortableToml(there));
  there.seed = 2;
  EXPECT_NE(PortableToml(here), PortableToml(there));
}

TEST(TrainConfig, TheArticlesPresetIsTheArticle) {
  const auto preset = LoadPreset("lenet-article");
  QAT_ASSERT_OK(preset);
  EXPECT_EQ(preset->batch_size, 30);
  EXPECT_EQ(preset->steps, 100000);
  EXPECT_EQ(preset->quant_delay_fraction, 0.8) << "80,000 steps of 100,000";
  EXPECT_EQ(preset->learning_rate, 1e-5);
  EXPECT_EQ(preset->schedule, "constant");
  EXPECT_EQ(preset->holdout, 0);
  EXPECT_EQ(LoadPreset("lenet")->holdout, kAutomaticHoldout);
  EXPECT_EQ(preset->log_every, 100);
  EXPECT_EQ(preset->eval_every, 500);
  EXPECT_EQ(preset->preset, "lenet-article");
}

TEST(TrainConfig, EveryPresetIsValid) {
  for (const std::string& name : PresetNames()) {
    const auto preset = LoadPreset(name);
    QAT_ASSERT_OK(preset);
    if (name != "auto") QAT_ASSERT_OK(Validate(*preset));
  }
  EXPECT_EQ(PresetNames()[0], "auto");
  EXPECT_EQ(LoadPreset("auto")->network, "auto");
  QAT_EXPECT_ERROR(LoadPreset("lenet-artikel"), ErrorCode::kInvalidArgument, "did you mean 'lenet-article'?");
}

TEST(TrainConfig, TakesMeanAndStdAsOneNumberAListOrFromTheData) {
  const auto config =
      ParseTrainConfig("mean = [125.3, 123, 113.9]\nstd = \"dataset\"\nflip = true\n", "c.toml", {});
  QAT_ASSERT_OK(config);
  EXPECT_EQ(config->mean.values, (std::vector<double>{125.3, 123, 113.9}));
  EXPECT_TRUE(config->std.values.empty());
  EXPECT_TRUE(config->flip);
  EXPECT_EQ(*ParseTrainConfig(ToToml(*config), "c.toml", {}), *config);
  EXPECT_NE(ToToml(*config).find("mean = [125.3, 123.0, 113.9]\nstd = \"dataset\"\n"), std::string::npos);
  QAT_EXPECT_ERROR(ParseTrainConfig("std = [1, 0]\n", "c.toml", {}), ErrorCode::kInvalidArgument,
                   "c.toml:1:7: 'std' is");
  QAT_EXPECT_ERROR(ParseTrainConfig("steps = [1, 2]\n", "c.toml", {}), ErrorCode::kInvalidArgument,
                   "'steps' is");
}

TEST(TrainConfig, HoldsOutANumberOrATenth) {
  EXPECT_EQ(ParseTrainConfig("holdout = 7\n", "c.toml", {})->holdout, 7);
  EXPECT_EQ(ParseTrainConfig("holdout = \"auto\"\n", "c.toml", {})->holdout, kAutomaticHoldout);
  EXPECT_NE(ToToml(TrainConfig()).find("\nholdout = \"auto\"\n"), std::string::npos);
  TrainConfig config;
  QAT_ASSERT_OK(SetKey(config, "holdout", "0"));
  EXPECT_EQ(config.holdout, 0);
  QAT_ASSERT_OK(SetKey(config, "holdout", "auto"));
  EXPECT_EQ(config.holdout, kAutomaticHoldout);
  QAT_EXPECT_ERROR(SetKey(config, "holdout", "-1"), ErrorCode::kInvalidArgument,
                   "value '-1', expected a whole number from 0 or \"auto\"");
}

TEST(TrainConfig, ErrorsNamePlaceKeyValueAndExpectation) {
  QAT_EXPECT_ERROR(ParseTrainConfig("steps = 5\nbatch_size = 0\n", "c.toml", {}), ErrorCode::kInvalidArgument,
                   "c.toml:2:14: 'batch_size' is 0, expected a whole number in [1, 65536]");
  QAT_EXPECT_ERROR(ParseTrainConfig("learning_rat = 1\n", "c.toml", {}), ErrorCode::kInvalidArgument,
                   "c.toml:1:1: unknown key 'learning_rat'; did you mean 'learning_rate'?");
  QAT_EXPECT_ERROR(ParseTrainConfig("optimizer = \"lamb\"\n", "c.toml", {}), ErrorCode::kInvalidArgument,
                   "is \"lamb\", expected \"adam\" or \"sgd\"");
}

TEST(TrainConfig, RefusesALearningRateOfZero) {
  TrainConfig config;
  config.steps = 100;
  config.learning_rate = 0;
  QAT_EXPECT_ERROR(Validate(config), ErrorCode::kInvalidArgument,
                   "learning-rate is 0, expected more: no parameter would ever change");
  config.learning_rate = 1e-30;
  QAT_ASSERT_OK(Validate(config));
}

TEST(TrainConfig, RefusesADelayThatNeverEnds) {
  TrainConfig config;
  config.steps = 100;
  config.quant_delay = 100;
  QAT_EXPECT_ERROR(Validate(config), ErrorCode::kInvalidArgument,
                   "quant-delay is 100, expected less than the 100 steps");
  config.scheme = "float32";
  QAT_ASSERT_OK(Validate(config));
  config.steps = 0;
  QAT_EXPECT_ERROR(Validate(config), ErrorCode::kInvalidArgument, "both 0");
}

TEST(TrainConfig, LearnedRangesNeedSymmetricFilters) {
  TrainConfig config;
  config.steps = 100;
  QAT_ASSERT_OK(SetKey(config, "filter-ranges", "learned"));
  for (const char* scheme : {"uint8", "float32"}) {
    config.scheme = scheme;
    QAT_EXPECT_ERROR(Validate(config), ErrorCode::kInvalidArgument,
                     std::string("filter-ranges is learned and scheme is ") + scheme +
                         ", expected a scheme whose filters are symmetric around 0");
  }
  for (const char* scheme : {"int8", "int8-per-tensor", "w4a8"}) {
    config.scheme = scheme;
    QAT_ASSERT_OK(Validate(config));
  }
  QAT_EXPECT_ERROR(SetKey(config, "filter-ranges", "lsq"), ErrorCode::kInvalidArgument,
                   "value 'lsq', expected \"observed\"");
}

TEST(TrainConfig, LearnedRangesOfActivationsNeedIntegers) {
  TrainConfig config;
  config.steps = 100;
  QAT_ASSERT_OK(SetKey(config, "activation-ranges", "learned"));
  for (const char* scheme : {"uint8", "int8", "w4a8"}) {
    config.scheme = scheme;
    QAT_ASSERT_OK(Validate(config));
  }
  config.scheme = "float32";
  QAT_EXPECT_ERROR(
      Validate(config), ErrorCode::kInvalidArgument,
      "activation-ranges is learned and scheme is float32, expected a scheme of integers: float32 has "
      "no ranges");
}

TEST(SetKey, TakesWhatAFlagSays) {
  TrainConfig config;
  QAT_ASSERT_OK(SetKey(config, "batch-size", "8"));
  QAT_ASSERT_OK(SetKey(config, "learning_rate", "1e-5"));
  QAT_ASSERT_OK(SetKey(config, "data", "5"));  // a directory may be called so
  EXPECT_EQ(config.batch_size, 8);
  EXPECT_EQ(config.learning_rate, 1e-5);
  EXPECT_EQ(config.data, "5");
  QAT_ASSERT_OK(SetKey(config, "mean", "125.3,123,113.9"));
  QAT_ASSERT_OK(SetKey(config, "std", "58"));
  QAT_ASSERT_OK(SetKey(config, "flip", "true"));
  EXPECT_EQ(config.mean.values, (std::vector<double>{125.3, 123, 113.9}));
  EXPECT_EQ(config.std.values, std::vector<double>{58});
  EXPECT_TRUE(config.flip);
  QAT_EXPECT_ERROR(SetKey(config, "mean", "1,,2"), ErrorCode::kInvalidArgument,
                   "value '1,,2', expected a number in [-1e+09, 1e+09], a list of them");
  QAT_EXPECT_ERROR(SetKey(config, "batch-size", "0"), ErrorCode::kInvalidArgument,
                   "value '0', expected a whole number in [1, 65536]");
  QAT_EXPECT_ERROR(SetKey(config, "steps", "1e5"), ErrorCode::kInvalidArgument,
                   "value '1e5', expected a whole number");
  QAT_EXPECT_ERROR(SetKey(config, "scheme", "int4"), ErrorCode::kInvalidArgument,
                   "value 'int4', expected \"uint8\"");
}

TEST(TrainConfig, AFileOverridesTheOtherWayToSayTheSame) {
  TrainConfig base;
  base.epochs = 24;
  base.quant_delay_fraction = 0.6;
  base.warmup_fraction = 0.1;
  std::set<std::string> given;
  const auto config = ParseTrainConfig("steps = 5\nwarmup_steps = 0\n", "c.toml", base, &given);
  QAT_ASSERT_OK(config);
  EXPECT_EQ(config->epochs, 0);
  EXPECT_EQ(config->warmup_fraction, 0);
  EXPECT_EQ(config->quant_delay_fraction, 0.6);
  EXPECT_EQ(given, (std::set<std::string>{"steps", "warmup_steps"}));
  EXPECT_EQ(AlternativeOf("eval_every_fraction"), "eval_every");
  EXPECT_EQ(AlternativeOf("seed"), "");
}

TEST(TrainConfig, ABudgetIsATime) {
  TrainConfig config;
  for (const auto& [text, seconds] :
       std::map<std::string, int64_t>{{"90s", 90}, {"10m", 600}, {"1.5h", 5400}, {"45", 45}, {"none", 0}}) {
    QAT_ASSERT_OK(SetKey(config, "budget", text));
    EXPECT_EQ(config.budget, seconds) << text;
    EXPECT_EQ(ParseTrainConfig(ToToml(config), "c.toml", {})->budget, seconds) << BudgetText(seconds);
  }
  for (const char* text : {"-1s", "m", "10 minutes", "", "0s", "0", "0m", "0.2s", "nan", "inf", "nanh"}) {
    QAT_EXPECT_ERROR(SetKey(config, "budget", text), ErrorCode::kInvalidArgument,
                     "expected a time of at least a second, as \"90s\"");
  }
}

// Else "--quant-delay 0" on a preset with a fraction, or "--epochs 1" on one with steps, would do nothing.
TEST(SetKey, OverridesTheOtherWayToSayTheSame) {
  TrainConfig config;
  config.steps = 100;
  config.quant_delay_fraction = 0.6;
  QAT_ASSERT_OK(SetKey(config, "epochs", "2"));
  QAT_ASSERT_OK(SetKey(config, "quant-delay", "0"));
  EXPECT_EQ(config.steps, 0);
  EXPECT_EQ(config.quant_delay_fraction, 0);
}

TEST(SetKey, KnowsEveryKey) {
  TrainConfig config;
  // names that may be empty
  const std::set<std::string> texts = {"preset",    "network", "data",         "label",
                                       "leave_out", "teacher", "freeze_layers"};
  for (const std::string& key : TrainConfigKeys())
    EXPECT_EQ(SetKey(config, key, "").ok(), texts.contains(key)) << key;
  EXPECT_EQ(TrainConfigKeys().size(), 67u);
}

TEST(TrainConfig, WeightsOfClassesAreAWordOrAList) {
  TrainConfig config;
  QAT_ASSERT_OK(SetKey(config, "class-weights", "balanced"));
  EXPECT_TRUE(config.class_weights.balanced);
  EXPECT_NE(ToToml(config).find("class_weights = \"balanced\"\n"), std::string::npos);
  QAT_ASSERT_OK(SetKey(config, "class-weights", "1,2.5"));
  EXPECT_EQ(config.class_weights, (ClassWeights{false, {1, 2.5}}));
  EXPECT_NE(ToToml(config).find("class_weights = [1.0, 2.5]\n"), std::string::npos);
  EXPECT_EQ(ParseTrainConfig(ToToml(config), "c", TrainConfig())->class_weights, config.class_weights);
  QAT_ASSERT_OK(SetKey(config, "class-weights", "none"));
  EXPECT_EQ(config.class_weights, ClassWeights());
  for (const char* wrong : {"0,1", "-1", "heavy", "1,,2", ""})
    QAT_EXPECT_ERROR(SetKey(config, "class-weights", wrong), ErrorCode::kInvalidArgument,
                     "expected \"none\", \"balanced\"");
}

TEST(TrainConfig, MilestonesAreRisingPartsOfTheRun) {
  TrainConfig config;
  QAT_ASSERT_OK(SetKey(config, "milestones", "0.3,0.6,0.8"));
  EXPECT_EQ(config.milestones, (std::vector<double>{0.3, 0.6, 0.8}));
  EXPECT_NE(ToToml(config).find("milestones = [0.3, 0.6, 0.8]\n"), std::string::npos);
  EXPECT_EQ(ParseTrainConfig(ToToml(config), "c", TrainConfig())->milestones, config.milestones);
  QAT_ASSERT_OK(SetKey(config, "milestones", "0.9"));
  EXPECT_EQ(config.milestones, std::vector<double>{0.9});
  for (const char* wrong :
       {"0.6,0.3", "0.5,0.5", "0", "1", "1.5", "0.5,,0.7", "none", "nan", "0.3,nan,0.5", "-0.1"})
    QAT_EXPECT_ERROR(SetKey(config, "milestones", wrong), ErrorCode::kInvalidArgument,
                     "expected a number between 0 and 1, or a list");
  QAT_EXPECT_ERROR(ParseTrainConfig("milestones = [0.75, 0.5]\n", "c.toml", {}), ErrorCode::kInvalidArgument,
                   "c.toml:1:14: 'milestones' is");
}

TEST(TrainConfig, RefusesACycleThatOnlyRises) {
  TrainConfig config;
  config.steps = 100;
  config.schedule = "one-cycle";
  QAT_ASSERT_OK(Validate(config));
  config.warmup_steps = 100;
  QAT_EXPECT_ERROR(Validate(config), ErrorCode::kInvalidArgument,
                   "the learning rate of one-cycle would never fall");
  config.schedule = "cosine";
  QAT_ASSERT_OK(Validate(config));
}

TEST(TrainConfig, RefusesNesterovsStepWithoutMomentum) {
  TrainConfig config;
  config.steps = 100;
  config.optimizer = "sgd";
  config.nesterov = true;
  QAT_ASSERT_OK(Validate(config));
  config.momentum = 0;
  QAT_EXPECT_ERROR(Validate(config), ErrorCode::kInvalidArgument,
                   "nesterov is true and momentum is 0, expected a momentum above 0");
}

TEST(TrainConfig, RefusesATeacherWithoutWeight) {
  TrainConfig config;
  config.steps = 100;
  config.teacher_weight = 0;
  QAT_ASSERT_OK(Validate(config));
  config.teacher = "run";
  QAT_EXPECT_ERROR(Validate(config), ErrorCode::kInvalidArgument,
                   "teacher-weight is 0, expected more: nothing would be learned from the teacher");
}

TEST(TrainConfig, TheLabelToIgnoreIsANumberOrAuto) {
  TrainConfig config;
  QAT_ASSERT_OK(SetKey(config, "ignore-label", "0"));
  EXPECT_EQ(config.ignore_label, 0);
  QAT_ASSERT_OK(SetKey(config, "ignore-label", "auto"));
  EXPECT_EQ(config.ignore_label, kAutomaticIgnoreLabel);
  QAT_EXPECT_ERROR(SetKey(config, "ignore-label", "-1"), ErrorCode::kInvalidArgument,
                   "expected a whole number");
}

}  // namespace
}  // namespace qat
