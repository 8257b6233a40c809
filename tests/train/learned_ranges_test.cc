// Learned ranges of filters in whole networks: what is trained is what is deployed, in runs of every kind.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/strings.h"
#include "ir/range_groups.h"
#include "support/test_util.h"
#include "train/deployed.h"
#include "train/input_tensor.h"
#include "train/network.h"
#include "train/networks.h"
#include "train/tensor_span.h"
#include "train/tiny_run.h"

namespace qat {
namespace {

using testing::Quarters;
using testing::RunTiny;
using testing::TempDir;
using testing::TinyConfig;
using testing::TinyNormed;

TrainConfig Learned(const std::string& scheme = "w4a8") {
  TrainConfig config = TinyConfig();
  config.scheme = scheme;
  config.filter_ranges = kLearnedRanges;
  return config;
}

float LargestIn(std::span<const float> values) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

struct Simulation {
  const char* name;
  const char* spec;
};

class LearnedNetwork : public ::testing::TestWithParam<std::tuple<Simulation, std::string>> {
 protected:
  void SetUp() override {
    const auto& [each, scheme] = GetParam();
    options_.precisions = *PrecisionsFromName(scheme);
    options_.learn_filter_ranges = true;
    checkpoint_.scheme = scheme;
    checkpoint_.network = testing::Parsed(each.spec);
    const Shape& input = checkpoint_.network.tensor(checkpoint_.network.inputs[0]).shape;
    checkpoint_.contract = {
        input[1], input[2], input[3], std::vector<float>(input[3], 100), std::vector<float>(input[3], 60),
        {}};
    bytes_.resize(static_cast<size_t>(4 * FlatSize(input)));
    for (uint8_t& byte : bytes_) byte = static_cast<uint8_t>(random_.Between(0, 255));
  }

  /// Statistics, ranges and ends of some steps, ends moved anywhere between a third and more than all of
  /// their filters.
  void Train() {
    auto network = Network::Create(checkpoint_.network, options_);
    QAT_ASSERT_OK(network);
    (*network)->SetInputs(checkpoint_.contract);
    const at::NoGradGuard no_gradients;
    const at::Tensor images =
        RealImages(checkpoint_.contract.input(), MakeRealTable(checkpoint_.contract.input()), bytes_);
    for (int step = 0; step < 3; ++step) {
      (*network)->Forward({images}, {.training = true, .observe = true, .fake_quantize = true});
      for (const Parameter& parameter : (*network)->parameters()) {
        if (parameter.role != ParameterSpec::Role::kGamma && !parameter.is_range()) continue;
        for (float& value : SpanOf(parameter.value))
          value *= static_cast<float>(random_.Between(30, 120)) / 100;
      }
    }
    (*network)->Forward({images}, {.observe = true, .fake_quantize = true});
    (*network)->Save(checkpoint_);
  }

  Random random_{5};
  ModuleOptions options_;
  Checkpoint checkpoint_;
  Bytes bytes_;
};

TEST_P(LearnedNetwork, SimulatesTheDeployedBytes) {
  Train();
  ASSERT_FALSE(checkpoint_.filter_ranges.empty());
  const auto read = ParseCheckpoint(Serialize(checkpoint_), "learned.ckpt");
  QAT_ASSERT_OK(read);
  const auto network = Network::FromCheckpoint(*read);
  QAT_ASSERT_OK(network);
  const SimulatedTensor images =
      QuantizedImages(checkpoint_.contract.input(), options_.precisions.activations, bytes_);
  const auto interpreter = testing::Deploy(*read, options_.precisions);
  QAT_ASSERT_OK(interpreter);
  const std::vector<double> deployed = testing::RunImages<int8_t>(**interpreter, images);
  EXPECT_EQ(testing::ValuesInNhwc((*network)->Simulate({images}).front().values), deployed);
  EXPECT_GT(std::set<double>(deployed.begin(), deployed.end()).size(), 3u) << "answers differ";
}

// The step of each channel in the file, by the formula: r of the unfolded filter times the factor of its
// batch normalization, in 7 or 127 steps, unless no value reaches r.
TEST_P(LearnedNetwork, DeploysTheTrainedSteps) {
  Train();
  std::vector<std::string> warnings;
  auto graph = Freeze(checkpoint_, {}, warnings);
  QAT_ASSERT_OK(graph);
  QuantizationOptions options;
  options.precisions = options_.precisions;
  QAT_ASSERT_OK(ChooseQuantization(*graph, options, warnings));
  int clipping = 0;
  for (const GraphNode& node : checkpoint_.network.nodes) {
    if (node.definition().filter_input != 1 || node.definition().filter_channel_axis != 0) continue;
    const std::string name = checkpoint_.network.tensor(node.inputs[1]).name;
    const NamedTensor& filter = checkpoint_.tensors.at(name);
    const std::vector<float>& ends = checkpoint_.filter_ranges.at(name).values;
    const auto quantized = std::find_if(graph->tensors.begin(), graph->tensors.end(),
                                        [&](const GraphTensor& t) { return t.name == name; });
    ASSERT_NE(quantized, graph->tensors.end());
    const double steps = quantized->type == DType::kInt4 ? 7 : 127;
    if (ends.size() == 1 && checkpoint_.scheme == "int8-per-tensor") {
      EXPECT_FLOAT_EQ(quantized->quantization->scale.at(0), checkpoint_.ranges.at(name).range.max / 127);
      continue;
    }
    const size_t inner = filter.values.size() / ends.size();
    for (size_t c = 0; c < ends.size(); ++c) {
      double factor = 1;
      if (node.batch_norm) {
        const auto value = [&](int32_t tensor) {
          return double{checkpoint_.tensors.at(checkpoint_.network.tensor(tensor).name).values[c]};
        };
        factor = std::abs(value(node.batch_norm->gamma)) /
                 std::sqrt(value(node.batch_norm->moving_variance) + node.batch_norm->epsilon);
      }
      const float largest = LargestIn(std::span(filter.values).subspan(c * inner, inner));
      clipping += ends[c] < largest;
      const double expected = std::max(std::min(ends[c], largest) * factor / steps, 1e-9);
      EXPECT_NEAR(quantized->quantization->scale.at(c), expected, 1e-6 * expected) << name << " " << c;
    }
  }
  EXPECT_TRUE(clipping > 0 || checkpoint_.scheme == "int8-per-tensor");
}

INSTANTIATE_TEST_SUITE_P(
    Networks, LearnedNetwork,
    ::testing::Combine(::testing::Values(Simulation{"plain", testing::kTinySpec},
                                         Simulation{"residual", testing::kResidualSpec},
                                         Simulation{"inception", testing::kInceptionSpec},
                                         Simulation{"u_shaped", testing::kUShapedSpec},
                                         Simulation{"signal", testing::kSignalSpec},
                                         Simulation{"squeeze", testing::kSqueezeExciteSpec}),
                       ::testing::Values("w4a8", "int8", "int8-per-tensor")),
    [](const auto& each) {
      std::string scheme = std::get<1>(each.param);
      std::replace(scheme.begin(), scheme.end(), '-', '_');
      return std::string(std::get<0>(each.param).name) + "_" + scheme;
    });

class LearnedActivations : public LearnedNetwork {
 protected:
  void SetUp() override {
    LearnedNetwork::SetUp();
    options_.learn_activation_ranges = true;
    options_.learn_filter_ranges = std::get<1>(GetParam()) == "w4a8";
  }

  std::vector<double> Deployed(const Checkpoint& checkpoint, const SimulatedTensor& images) {
    const auto interpreter = testing::Deploy(checkpoint, options_.precisions);
    EXPECT_TRUE(interpreter.ok()) << interpreter.error().message;
    if (checkpoint.scheme == "uint8") return testing::RunImages<uint8_t>(**interpreter, images);
    return testing::RunImages<int8_t>(**interpreter, images);
  }
};

TEST_P(LearnedActivations, SimulateTheDeployedBytes) {
  Train();
  const auto network = Network::FromCheckpoint(checkpoint_);
  QAT_ASSERT_OK(network);
  const SimulatedTensor images =
      QuantizedImages(checkpoint_.contract.input(), options_.precisions.activations, bytes_);
  const std::vector<double> deployed = Deployed(checkpoint_, images);
  EXPECT_EQ(testing::ValuesInNhwc((*network)->Simulate({images}).front().values), deployed);
  EXPECT_GT(std::set<double>(deployed.begin(), deployed.end()).size(), 3u) << "answers differ";
}

INSTANTIATE_TEST_SUITE_P(
    Networks, LearnedActivations,
    ::testing::Combine(::testing::Values(Simulation{"plain", testing::kTinySpec},
                                         Simulation{"residual", testing::kResidualSpec},
                                         Simulation{"inception", testing::kInceptionSpec},
                                         Simulation{"u_shaped", testing::kUShapedSpec},
                                         Simulation{"squeeze", testing::kSqueezeExciteSpec}),
                       ::testing::Values("uint8", "int8", "w4a8")),
    [](const auto& each) { return StrCat(std::get<0>(each.param).name, "_", std::get<1>(each.param)); });

// Inception has a concatenation, whose inputs share its range.
TEST(LearnedActivationRanges, AreOfGroupsAndDeployedAsTheyAre) {
  ModuleOptions options;
  options.learn_activation_ranges = true;
  auto network = Network::Create(testing::Parsed(testing::kInceptionSpec), options);
  QAT_ASSERT_OK(network);
  Checkpoint checkpoint;
  checkpoint.scheme = "uint8";
  checkpoint.network = (*network)->graph();
  const Shape& input = checkpoint.network.tensor(checkpoint.network.inputs[0]).shape;
  checkpoint.contract = {
      input[1], input[2], input[3], std::vector<float>(input[3], 100), std::vector<float>(input[3], 60), {}};
  (*network)->SetInputs(checkpoint.contract);
  Bytes bytes(static_cast<size_t>(4 * FlatSize(input)));
  Random random(6);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Between(0, 255));
  const at::Tensor images =
      RealImages(checkpoint.contract.input(), MakeRealTable(checkpoint.contract.input()), bytes);
  for (int step = 0; step < 3; ++step)
    (*network)->Forward({images}, {.training = true, .observe = true, .fake_quantize = true});
  std::map<std::string, Range> learned;
  for (const Parameter& each : (*network)->parameters()) {
    if (each.kind != ParameterKind::kOutputEnds) continue;
    for (float& end : SpanOf(each.value)) end *= 0.75f;
    learned[RangedTensor(each.name)] = {SpanOf(each.value)[0], SpanOf(each.value)[1]};
  }
  (*network)->Forward({images}, {.observe = true, .fake_quantize = true});
  (*network)->Save(checkpoint);
  EXPECT_TRUE(checkpoint.filter_ranges.empty());
  const RangeGroups groups = FindRangeGroups(checkpoint.network);
  std::map<int32_t, int> observed;
  for (const NamedObserver& each : (*network)->observers()) {
    if (each.name.ends_with("/filter")) continue;
    const auto tensor =
        std::find_if(checkpoint.network.tensors.begin(), checkpoint.network.tensors.end(),
                     [&](const GraphTensor& candidate) { return candidate.name == each.name; });
    const int32_t group = groups.of_tensor[static_cast<size_t>(tensor - checkpoint.network.tensors.begin())];
    ++observed[group];
    const auto own = learned.find(each.name);
    if (own == learned.end()) continue;
    EXPECT_EQ(checkpoint.ranges.at(each.name).range, own->second) << each.name;
  }
  EXPECT_EQ(observed.size(), learned.size()) << "one parameter for each group";
  EXPECT_TRUE(std::any_of(observed.begin(), observed.end(), [](const auto& each) { return each.second > 1; }))
      << "no group has two observed tensors";
}

// A range that was observed too wide narrows, and one that freezes stands still.
TEST(LearnedActivationRanges, LearnUntilTheyFreeze) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.activation_ranges = kLearnedRanges;
  QAT_ASSERT_OK(RunTiny(config, dir / "moving"));
  config.freeze_ranges_fraction = 0.5;  // step 30, five after fake quantization began
  QAT_ASSERT_OK(RunTiny(config, dir / "frozen"));
  const auto range = [&](const std::string& run, int64_t step) {
    return ReadCheckpoint(CheckpointPath(dir / run, step))->ranges.at("conv1").range;
  };
  EXPECT_NE(range("moving", 40), range("moving", 60));
  EXPECT_EQ(range("moving", 60).min, 0) << "behind a relu";
  EXPECT_EQ(range("frozen", 40), range("frozen", 60));
}

TEST(LearnedRanges, ClipWhatPaysAndStayWithinTheirFilters) {
  TempDir dir;
  QAT_ASSERT_OK(RunTiny(Learned(), dir / "run"));
  const auto early = ReadCheckpoint(CheckpointPath(dir / "run", 20)),
             late = ReadCheckpoint(CheckpointPath(dir / "run", 60));
  QAT_ASSERT_OK(early);
  QAT_ASSERT_OK(late);
  EXPECT_EQ(early->filter_ranges.at("conv1/filter").values, std::vector<float>(4, 0.0f))
      << "before fake quantization";
  ASSERT_EQ(late->filter_ranges.size(), 3u);
  int clipping = 0;
  for (const auto& [name, ends] : late->filter_ranges) {
    const std::vector<float>& filter = late->tensors.at(name).values;
    ASSERT_EQ(ends.values.size(), static_cast<size_t>(late->tensors.at(name).shape[0]));
    for (size_t c = 0; c < ends.values.size(); ++c) {
      const size_t inner = filter.size() / ends.values.size();
      EXPECT_GT(ends.values[c], 0) << name;
      clipping += ends.values[c] < LargestIn(std::span(filter).subspan(c * inner, inner));
    }
  }
  EXPECT_GT(clipping, 3);
}

TEST(LearnedRanges, LearnAndFreezeWithTheRangesOfActivations) {
  TempDir dir;
  TrainConfig config = Learned();
  QAT_ASSERT_OK(RunTiny(config, dir / "moving"));
  config.freeze_ranges_fraction = 0.5;  // step 30, five after fake quantization began
  QAT_ASSERT_OK(RunTiny(config, dir / "frozen"));
  const auto ends = [&](const std::string& run, int64_t step) {
    return ReadCheckpoint(CheckpointPath(dir / run, step))->filter_ranges;
  };
  EXPECT_NE(ends("moving", 40), ends("moving", 60));
  EXPECT_EQ(ends("frozen", 30), ends("frozen", 60));
}

TEST(LearnedRanges, ResumeToTheBytesOfARunNeverStopped) {
  std::vector<TrainConfig> recipes(6, Learned());
  recipes[1].optimizer = "sgd";
  recipes[2].weight_average_decay = 0.9;
  recipes[2].freeze_ranges_fraction = 0.7;
  recipes[3].scheme = "int8-per-tensor";
  recipes[3].bn_convolutions = 2;
  recipes[4].activation_ranges = kLearnedRanges;
  recipes[5].activation_ranges = kLearnedRanges;
  recipes[5].weight_average_decay = 0.9;
  recipes[5].optimizer = "sgd";
  const Graph network = TinyNormed("0.9");
  const Dataset train = Quarters(300, 1), test = Quarters(80, 2);
  for (size_t i = 0; i < recipes.size(); ++i) {
    TempDir dir;
    recipes[i].bn_freeze = 40;
    recipes[i].bn_freeze_fraction = 0;
    QAT_ASSERT_OK(Train(network, recipes[i], train, test, dir / "straight", {}, {}));
    for (const int64_t step : {int64_t{12}, int64_t{25}, int64_t{33}, int64_t{52}}) {
      const std::string run = dir / ("stopped" + std::to_string(step));
      ASSERT_FALSE(Train(network, recipes[i], train, test, run, {}, testing::InterruptAt(step)).ok());
      QAT_ASSERT_OK(Train(network, recipes[i], train, test, run, {true, nullptr}, {}));
      SCOPED_TRACE("recipe " + std::to_string(i) + ", stopped at " + std::to_string(step));
      testing::ExpectSameRun(dir / "straight", run);
    }
  }
}

Checkpoint LastOf(const std::string& run) { return *ReadCheckpoint(CheckpointPath(run, 60)); }

// With a learning rate of next to nothing, the first checkpoint shows the start.
TEST(LearnedRanges, AreKeptByAFurtherRunOfTheSameIntegersAlone) {
  TempDir dir;
  QAT_ASSERT_OK(RunTiny(Learned(), dir / "first"));
  Checkpoint first = LastOf(dir / "first");
  std::fill(first.filter_ranges.at("fc1/filter").values.begin(),
            first.filter_ranges.at("fc1/filter").values.end(), 0.05f);
  TrainConfig further = Learned();
  further.learning_rate = 1e-12;
  further.quant_delay = 5;
  const Graph network = testing::Parsed(testing::kTinySpec);
  const auto after = [&](const std::string& run, const TrainConfig& config) {
    const Dataset train = Quarters(300, 1), test = Quarters(80, 2);
    EXPECT_TRUE(Train(network, config, train, test, dir / run, {false, &first}, {}).ok());
    return LastOf(dir / run);
  };
  const Checkpoint kept = after("kept", further);
  for (const float end : kept.filter_ranges.at("fc1/filter").values) EXPECT_NEAR(end, 0.05f, 1e-6);
  further.scheme = "int8";
  const Checkpoint other = after("other", further);
  for (const float end : other.filter_ranges.at("fc1/filter").values) EXPECT_GT(end, 0.06f);
  // Without ends to learn, the filters start as they were deployed.
  further.filter_ranges = "observed";
  const Checkpoint observed = after("observed", further);
  EXPECT_TRUE(observed.filter_ranges.empty());
  EXPECT_NEAR(LargestIn(observed.tensors.at("fc1/filter").values), 0.05f, 1e-6);
}

TEST(LearnedRanges, OfAveragedWeightsAreThoseThatTheWeightsLearnWith) {
  TempDir dir;
  TrainConfig config = Learned();
  config.weight_average_decay = 0.5;
  QAT_ASSERT_OK(RunTiny(config, dir / "run"));
  const auto state = ReadTrainerState(TrainerStatePath(dir / "run", 60));
  QAT_ASSERT_OK(state);
  const Checkpoint last = LastOf(dir / "run");
  EXPECT_EQ(last.filter_ranges.at("conv1/filter").values,
            state->tensors.at("parameter/conv1/filter/range").values);
  EXPECT_NE(last.tensors.at("conv1/bias").values, state->tensors.at("parameter/conv1/bias").values);
}

TEST(LearnedRanges, NeverDecayWithTheFilters) {
  TempDir dir;
  TrainConfig config = Learned();
  config.learning_rate = 1e-9;
  config.weight_decay = 2e6;  // at first 0.002 per step
  config.quant_delay = 0;
  QAT_ASSERT_OK(RunTiny(config, dir / "run"));
  const Checkpoint early = *ReadCheckpoint(CheckpointPath(dir / "run", 10)), late = LastOf(dir / "run");
  const float before = LargestIn(early.tensors.at("fc1/filter").values),
              after = LargestIn(late.tensors.at("fc1/filter").values);
  ASSERT_LT(after, 0.97f * before);
  int kept = 0;
  const auto &old_ends = early.filter_ranges.at("fc1/filter").values,
             &ends = late.filter_ranges.at("fc1/filter").values;
  for (size_t c = 0; c < ends.size(); ++c) kept += ends[c] == old_ends[c] || ends[c] > 0.999f * old_ends[c];
  EXPECT_GT(kept, 0) << "those that the shrinking filter has not reached";
}

}  // namespace
}  // namespace qat
