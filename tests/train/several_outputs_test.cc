// A network of several outputs learns the weighted sum of what each of them alone would teach it.
#include <gtest/gtest.h>

#include <cmath>

#include "checkpoint/checkpoint.h"
#include "support/test_util.h"
#include "train/tiny_run.h"

namespace qat {
namespace {

using testing::Parsed;
using testing::Quarters;
using testing::TempDir;
using testing::TinyConfig;

constexpr char kBody[] = R"(
[input]
height = 8
width = 8
channels = 1
[[layer]]
name = "flat"
op = "reshape"
[[layer]]
name = "shared"
op = "fully_connected"
units = 6
activation = "relu"
)";
constexpr char kKind[] = R"([[layer]]
name = "kind"
op = "fully_connected"
inputs = ["shared"]
units = 4
)";
constexpr char kPlace[] = R"([[layer]]
name = "place"
op = "fully_connected"
inputs = ["shared"]
units = 2
)";

const std::string kBoth =
    std::string("name = \"both\"\noutputs = [\"kind\", \"place\"]") + kBody + kKind + kPlace;

// Where the bright quarter is, in units far from 1.
OutputLabels Places(const Dataset& data) {
  OutputLabels places;
  places.output = "place";
  places.task = Task::kNumbers;
  places.targets = 2;
  for (const int32_t label : data.labels) {
    places.numbers.push_back(500.0f + 80.0f * static_cast<float>(label % 2));
    places.numbers.push_back(-0.01f * static_cast<float>(label / 2));
  }
  return places;
}

Dataset OnlyPlaces(Dataset data) {
  OutputLabels places = Places(data);
  places.output.clear();
  static_cast<OutputLabels&>(data) = places;
  return data;
}

Dataset Both(Dataset data) {
  data.others = {Places(data)};
  data.output = "kind";
  return data;
}

TrainConfig OneStep() {
  TrainConfig config = TinyConfig();
  config.scheme = "float32";
  config.steps = config.eval_every = config.checkpoint_every = 1;
  config.optimizer = "sgd";
  config.schedule = "constant";
  config.weight_decay = config.weight_average_decay = 0;
  config.warmup_steps = 0;
  config.learning_rate = 0.01;
  config.holdout = 0;  // which examples are held out depends on the labels
  config.shift_pixels = 0;
  config.scale_to_targets = true;
  return config;
}

using Tensors = std::map<std::string, std::vector<float>>;

// What one step has made of the parameters.
Tensors AfterAStep(const std::string& spec, const Dataset& train, const Dataset& test,
                   const TrainConfig& config) {
  TempDir dir;
  const auto result = Train(Parsed(spec), config, train, test, dir / "run", {}, {});
  QAT_CHECK(result.ok());
  const auto checkpoint = ReadCheckpoint(result->checkpoint);
  QAT_CHECK(checkpoint.ok());
  Tensors tensors;
  for (const auto& [name, tensor] : checkpoint->tensors) tensors[name] = tensor.values;
  return tensors;
}

void ExpectNear(const Tensors& all, const std::string& name, const std::vector<double>& expected) {
  const std::vector<float>& values = all.at(name);
  ASSERT_EQ(values.size(), expected.size()) << name;
  for (size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(values[i], expected[i], 2e-6) << name << " " << i;
}

class SeveralOutputs : public ::testing::Test {
 protected:
  Tensors With(double kind, double place) const {
    TrainConfig config = OneStep();
    config.output_weights = {{"kind", kind}, {"place", place}};
    return AfterAStep(kBoth, Both(train_), Both(test_), config);
  }

  const Dataset train_ = Quarters(300, 1), test_ = Quarters(80, 2);
};

TEST_F(SeveralOutputs, TeachWhatEachWouldTeachAlone) {
  const Tensors kind = AfterAStep(std::string("name = \"one\"") + kBody + kKind, train_, test_, OneStep());
  const Tensors only_kind = With(1, 0);
  for (const char* name : {"shared/filter", "shared/bias", "kind/filter", "kind/bias"})
    ExpectNear(only_kind, name, {kind.at(name).begin(), kind.at(name).end()});
  const Tensors place = AfterAStep(std::string("name = \"one\"") + kBody + kPlace, OnlyPlaces(train_),
                                   OnlyPlaces(test_), OneStep());
  const Tensors only_place = With(0, 1);
  for (const char* name : {"shared/filter", "shared/bias", "place/filter", "place/bias"})
    ExpectNear(only_place, name, {place.at(name).begin(), place.at(name).end()});
  EXPECT_NE(kind.at("shared/filter"), place.at("shared/filter"));
}

// A step of SGD is linear in the gradient: start - rate * (a * kind + b * place).
TEST_F(SeveralOutputs, AreSummedByTheirWeights) {
  const Tensors a = With(1, 0), b = With(0, 1), sum = With(1, 1), weighted = With(0.5, 3);
  bool moved = false;
  for (const char* name : {"shared/filter", "kind/filter", "place/bias"}) {
    std::vector<double> expected;
    for (size_t i = 0; i < sum.at(name).size(); ++i) {
      const double of_a = a.at(name)[i], of_b = b.at(name)[i], start = of_a + of_b - sum.at(name)[i];
      expected.push_back(start + 0.5 * (of_a - start) + 3 * (of_b - start));
      moved |= std::abs(of_a - start) > 1e-4;
    }
    ExpectNear(weighted, name, expected);
  }
  EXPECT_TRUE(moved);
}

TEST_F(SeveralOutputs, AreEvaluatedEachInItsOwnUnit) {
  TempDir dir;
  TrainConfig config = OneStep();
  config.optimizer = "adam";
  config.holdout = 50;
  config.steps = 150;
  config.eval_every = config.checkpoint_every = 50;
  config.output_weights = {{"place", 0.25}};
  const Graph network = Parsed(kBoth);
  const auto result = Train(network, config, Both(train_), Both(test_), dir / "run", {}, {});
  QAT_ASSERT_OK(result);
  ASSERT_EQ(result->outputs.size(), 2u);
  EXPECT_EQ(result->outputs[0].name, "kind");
  EXPECT_GT(result->outputs[0].accuracy, 80);
  EXPECT_TRUE(std::isnan(result->outputs[1].accuracy));
  EXPECT_TRUE(std::isnan(result->holdout_accuracy));
  // Mean squared errors of two targets with deviations of 40 and 0.005: nothing but the first shows.
  EXPECT_LT(result->outputs[1].loss, 400);
  EXPECT_GT(result->outputs[1].loss, 0.1);
  const auto checkpoint = ReadCheckpoint(result->checkpoint);
  QAT_ASSERT_OK(checkpoint);
  ASSERT_EQ(checkpoint->contract.outputs.size(), 2u);
  EXPECT_EQ(checkpoint->contract.outputs[1].name, "place");
  EXPECT_NEAR(checkpoint->contract.outputs[1].mean[0], 540, 8);
  EXPECT_EQ(checkpoint->contract.outputs[0].labels.size(), 4u);
  EXPECT_NEAR(checkpoint->metrics.at("holdout_accuracy/kind"), result->outputs[0].accuracy, 1e-9);
}

TEST_F(SeveralOutputs, GoOnToTheSameBytes) {
  TempDir dir;
  TrainConfig config = OneStep();
  config.scheme = "int8";
  config.steps = 40;
  config.quant_delay = 10;
  config.eval_every = config.checkpoint_every = 10;
  const Graph network = Parsed(kBoth);
  QAT_ASSERT_OK(Train(network, config, Both(train_), Both(test_), dir / "whole", {}, {}));
  const auto stopped =
      Train(network, config, Both(train_), Both(test_), dir / "parts", {}, testing::InterruptAt(17));
  ASSERT_FALSE(stopped.ok());
  QAT_ASSERT_OK(Train(network, config, Both(train_), Both(test_), dir / "parts", {true, nullptr}, {}));
  testing::ExpectSameRun(dir / "whole", dir / "parts");
}

// A run of one step, from `init` where there is one.
Checkpoint Trained(const TrainConfig& config, const Dataset& train, const Dataset& test,
                   const Checkpoint* init, bool only, std::string* notes = nullptr,
                   const Graph* network = nullptr) {
  TempDir dir;
  TrainStart start;
  start.init = init;
  start.only = only;
  TrainCallbacks callbacks;
  if (notes != nullptr) callbacks.on_note = [&](const std::string& note) { *notes += note + "\n"; };
  const auto result = Train(network != nullptr ? *network : Parsed(kBoth), config, train, test, dir / "run",
                            start, callbacks);
  QAT_CHECK(result.ok());
  auto checkpoint = ReadCheckpoint(result->checkpoint);
  QAT_CHECK(checkpoint.ok());
  return *std::move(checkpoint);
}

TEST_F(SeveralOutputs, OfANetworkThatKnowsNoTargetsStartWithItsAnswers) {
  TrainConfig config = OneStep();
  Checkpoint foreign = Trained(config, Both(train_), Both(test_), nullptr, false);
  ASSERT_EQ(foreign.contract.outputs.at(1).mean.size(), 2u);
  // Answers about the targets: those that are far off are not kept.
  const OutputContract known = foreign.contract.outputs.at(1);
  foreign.tensors.at("place/bias").values.assign(known.mean.begin(), known.mean.end());
  std::vector<float>& filter = foreign.tensors.at("place/filter").values;
  for (size_t i = 0; i < filter.size(); ++i) filter[i] *= known.std[i * 2 / filter.size()] / 4;
  foreign.contract.outputs.clear();

  const Checkpoint kept = Trained(config, Both(train_), Both(test_), &foreign, /*only=*/true);
  EXPECT_TRUE(kept.contract.outputs.at(1).mean.empty()) << "no step is taken: the numbers are what they were";
  EXPECT_EQ(kept.tensors.at("place/bias").values, foreign.tensors.at("place/bias").values);

  config.learning_rate = 1e-30;
  std::string notes;
  const Checkpoint scaled = Trained(config, Both(train_), Both(test_), &foreign, /*only=*/false, &notes);
  const OutputContract& place = scaled.contract.outputs.at(1);
  ASSERT_EQ(place.mean.size(), 2u);
  for (const auto& [name, tensor] : foreign.tensors) {
    const std::vector<float>& now = scaled.tensors.at(name).values;
    const bool bias = name == "place/bias", of_place = name.starts_with("place/");
    for (size_t i = 0; i < now.size(); ++i) {
      const size_t target = i * 2 / now.size();
      const float restored = of_place ? now[i] * place.std[target] + (bias ? place.mean[target] : 0) : now[i];
      ASSERT_NEAR(restored, tensor.values[i], 1e-3) << name << " " << i;
    }
  }
  EXPECT_NE(notes.find("targets of 'place': learned as (target - mean) / std"), std::string::npos) << notes;

  Checkpoint weights;
  weights.tensors = foreign.tensors;
  const Checkpoint from_weights = Trained(config, Both(train_), Both(test_), &weights, /*only=*/false);
  EXPECT_EQ(from_weights.tensors.at("place/filter").values, scaled.tensors.at("place/filter").values)
      << "a file of weights alone";
}

TEST_F(SeveralOutputs, ThatAnotherLayerReadsStayAsTheyAre) {
  const Graph chained =
      Parsed(std::string("name = \"chain\"\noutputs = [\"place\", \"kind\"]") + kBody + kPlace +
             "[[layer]]\nname = \"kind\"\nop = \"fully_connected\"\ninputs = [\"place\"]\nunits = 4\n");
  const auto swapped = [](Dataset data) {
    Dataset both = OnlyPlaces(data);
    both.output = "place";
    OutputLabels kind = data;
    kind.output = "kind";
    both.others = {kind};
    return both;
  };
  TrainConfig config = OneStep();
  config.learning_rate = 1e-30;
  Checkpoint foreign = Trained(config, swapped(train_), swapped(test_), nullptr, false, nullptr, &chained);
  foreign.contract.outputs.clear();
  std::string notes;
  const Checkpoint kept = Trained(config, swapped(train_), swapped(test_), &foreign, false, &notes, &chained);
  EXPECT_TRUE(kept.contract.outputs.at(0).mean.empty());
  EXPECT_EQ(kept.tensors.at("place/filter").values, foreign.tensors.at("place/filter").values);
  EXPECT_NE(notes.find("targets of 'place': learned as they are"), std::string::npos) << notes;
}

TEST_F(SeveralOutputs, OfAnEarlierRunMeanWhatTheyDid) {
  const Checkpoint before = Trained(OneStep(), Both(train_), Both(test_), nullptr, false);
  Dataset moved = Both(train_);
  for (float& number : moved.others[0].numbers) number += 3;
  const Checkpoint after = Trained(OneStep(), moved, Both(test_), &before, false);
  EXPECT_EQ(after.contract.outputs.at(1).mean, before.contract.outputs.at(1).mean);
  EXPECT_EQ(after.contract.outputs.at(1).std, before.contract.outputs.at(1).std);
}

TEST_F(SeveralOutputs, NeedLabelsForEach) {
  TempDir dir;
  const Graph network = Parsed(kBoth);
  QAT_EXPECT_ERROR(Train(network, OneStep(), train_, test_, dir / "run", {}, {}), ErrorCode::kInvalidArgument,
                   "the training labels of quarters are for 1 output, expected 2 as network 'both' has");
}

}  // namespace
}  // namespace qat
