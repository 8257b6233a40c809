// Repairs of a network with two layers: the means of channels, the sums of layers, and what is chosen of
// them.
#include "calibrate/repair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "calibrate/channel_reach.h"
#include "calibrate/float_run.h"
#include "calibrate/repair_filters.h"
#include "data/dataset.h"
#include "ir/constants.h"
#include "passes/passes.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"

namespace qat {
namespace {

using qat::testing::TinyGraph;

const WorkHooks kQuiet;

Dataset RandomImages(int64_t count) {
  Random random(5);
  Bytes pixels;
  for (int64_t i = 0; i < count * 16; ++i) pixels.push_back(static_cast<uint8_t>(random.Between(0, 255)));
  Dataset data;
  data.name = "random";
  data.input().height = 4, data.input().width = 4, data.input().channels = 1;
  data.images = std::move(pixels);
  data.labels.assign(static_cast<size_t>(count), 0);
  return data;
}

Graph Calibrated(const Dataset& data, std::string_view type) {
  Graph graph = TinyGraph(/*with_ranges=*/false);
  std::vector<std::string> warnings;
  EXPECT_TRUE(Calibrate(data, {*IntegersFromName(type)}, kQuiet, graph, warnings).ok());
  return graph;
}

QuantizationOptions OptionsFor(std::string_view type) {
  QuantizationOptions options;
  options.precisions = *IntegersFromName(type);
  return options;
}

RepairTask TaskFor(const Dataset& data, std::string_view type) {
  CalibrationOptions calibration;
  calibration.precisions = *IntegersFromName(type);
  return {data, calibration, OptionsFor(type)};
}

RepairedFilters Repaired(const FilterRepairs& repairs, const Dataset& data, std::string_view type,
                         Graph& graph) {
  std::vector<std::string> warnings;
  const auto plan = MakePlan(graph, OptionsFor(type), warnings);
  EXPECT_TRUE(plan.ok());
  const Graph source = graph;
  auto result = RepairFilters(repairs, *plan, data, nullptr, kQuiet, source, graph);
  EXPECT_TRUE(result.ok());
  return *std::move(result);
}

const GraphTensor& Find(const Graph& graph, std::string_view name) {
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.name == name) return tensor;
  }
  ADD_FAILURE() << name;
  return graph.tensors[0];
}

/// One output of the first layer before its activation, by plain loops: 3x3, padding same.
double ConvAt(const Dataset& data, const std::vector<float>& filter, float bias, size_t channel, size_t image,
              int y, int x) {
  double sum = bias;
  for (int ky = 0; ky < 3; ++ky) {
    for (int kx = 0; kx < 3; ++kx) {
      const int row = y + ky - 1, column = x + kx - 1;
      if (row < 0 || row > 3 || column < 0 || column > 3) continue;
      const double pixel = data.images[image * 16 + static_cast<size_t>(row * 4 + column)] / 255.0;
      sum += pixel * filter[channel * 9 + static_cast<size_t>(ky * 3 + kx)];
    }
  }
  return sum;
}

/// The same of all images and places of a channel.
std::vector<double> ConvOf(const Dataset& data, const std::vector<float>& filter, float bias,
                           size_t channel) {
  std::vector<double> sums;
  for (size_t n = 0; n < static_cast<size_t>(data.size()); ++n) {
    for (int place = 0; place < 16; ++place)
      sums.push_back(ConvAt(data, filter, bias, channel, n, place / 4, place % 4));
  }
  return sums;
}

double MeanOfConv(const Dataset& data, const std::vector<float>& filter, float bias, size_t channel) {
  const std::vector<double> sums = ConvOf(data, filter, bias, channel);
  return std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(sums.size());
}

/// What the filter's integers stand for.
std::vector<float> RoundedFilter(Graph graph, std::string_view type) {
  std::vector<std::string> warnings;
  const auto plan = MakePlan(graph, OptionsFor(type), warnings);
  const GraphTensor& filter = Find(graph, "conv/filter");
  std::vector<float> rounded;
  for (const TensorPlan& each : plan->tensors) {
    if (graph.tensor(each.tensor).name != "conv/filter") continue;
    const std::vector<float> reals = RealValues(filter);
    for (size_t i = 0; i < reals.size(); ++i) {
      const QuantizationParams params = each.params[i / 9 % each.params.size()];
      rounded.push_back(Dequantize(QuantizeFakeQuant(reals[i], params, LimitsOf(each.precision)), params));
    }
  }
  return rounded;
}

TEST(RepairFilters, CorrectedBiasesKeepTheMeanOfEachChannel) {
  const Dataset data = RandomImages(20);
  Graph graph = Calibrated(data, "w4a8");
  const std::vector<float> reals = RealValues(Find(graph, "conv/filter"));
  const std::vector<float> bias = RealValues(Find(graph, "conv/bias"));
  const auto result = Repaired({.correct_bias = true}, data, "w4a8", graph);
  EXPECT_EQ(result.repaired, (std::vector<std::string>{"conv", "fc"}));
  EXPECT_EQ(RealValues(Find(graph, "conv/filter")), reals) << "filters are left alone";
  const std::vector<float> corrected = RealValues(Find(graph, "conv/bias"));
  const std::vector<float> rounded = RoundedFilter(graph, "w4a8");
  for (size_t c = 0; c < 2; ++c) {
    const double wanted = MeanOfConv(data, reals, bias[c], c);
    EXPECT_NEAR(MeanOfConv(data, rounded, corrected[c], c), wanted, 1e-5) << c;
    EXPECT_GT(std::abs(MeanOfConv(data, rounded, bias[c], c) - wanted), 1e-4)
        << "there was something to correct";
  }
}

/// The graph with the values of its filters' integers.
Graph WithRoundedFilters(Graph graph, std::string_view type) {
  std::vector<std::string> warnings;
  const auto plan = MakePlan(graph, OptionsFor(type), warnings);
  EXPECT_TRUE(plan.ok());
  for (const TensorPlan& each : plan->tensors) {
    if (each.role != PlannedRole::kFilter) continue;
    std::vector<float> values = RealValues(graph.tensor(each.tensor));
    const size_t block = values.size() / each.params.size();
    for (size_t i = 0; i < values.size(); ++i) {
      const QuantizationParams params = each.params[i / block];
      values[i] = Dequantize(QuantizeFakeQuant(values[i], params, LimitsOf(each.precision)), params);
    }
    SetValues(graph.tensor(each.tensor), DType::kFloat32, values);
  }
  return graph;
}

struct Difference {
  std::vector<double> mean;
  double square = 0;
};

/// Of the outputs of two networks.
Difference OutputDifference(const Graph& a, const Graph& b, const Dataset& data) {
  auto run_a = FloatRun::Create(a), run_b = FloatRun::Create(b);
  EXPECT_TRUE(run_a.ok() && run_b.ok());
  Difference difference;
  const auto add = [&](int64_t) -> Status {
    run_b->Repeat(*run_a);
    const auto of_a = run_a->Values(a.outputs[0]), of_b = run_b->Values(b.outputs[0]);
    difference.mean.resize(of_a.size());
    for (size_t i = 0; i < of_a.size(); ++i) {
      const double off = double{of_a[i]} - of_b[i];
      difference.mean[i] += off / static_cast<double>(data.size());
      difference.square += off * off / static_cast<double>(data.size());
    }
    return {};
  };
  EXPECT_TRUE(run_a->ForEach(data, nullptr, kQuiet, add).ok());
  return difference;
}

// The second layer reads what the first one has lost, and its bias makes up for it.
TEST(RepairFilters, LayersMakeUpForThoseBeforeThem) {
  const Dataset data = RandomImages(200);
  const Graph source = Calibrated(data, "w4a8");
  const Difference usual = OutputDifference(source, WithRoundedFilters(source, "w4a8"), data);
  Graph biased = source;
  Repaired({.correct_bias = true}, data, "w4a8", biased);
  const Difference corrected = OutputDifference(source, WithRoundedFilters(biased, "w4a8"), data);
  Graph adapted = source;
  Repaired({.adaround = true}, data, "w4a8", adapted);
  const Difference rounded = OutputDifference(source, WithRoundedFilters(adapted, "w4a8"), data);
  for (size_t i = 0; i < usual.mean.size(); ++i) {
    EXPECT_GT(std::abs(usual.mean[i]), 1e-3) << "there was something to correct";
    EXPECT_NEAR(corrected.mean[i], 0, 1e-5);
    EXPECT_NEAR(rounded.mean[i], 0, 1e-5);
  }
  EXPECT_LT(corrected.square, usual.square);
  EXPECT_LT(rounded.square, 0.8 * corrected.square);
}

TEST(RepairFilters, AdaRoundCorrectsTheBiasOfALayerThatIsTooDeepForIt) {
  constexpr int32_t kHeight = 82, kWidth = 100, kDepth = kHeight * kWidth;
  Random random(8);
  Dataset data;
  data.name = "random";
  data.input().height = kHeight, data.input().width = kWidth, data.input().channels = 1;
  for (int i = 0; i < 10 * kDepth; ++i) data.images.push_back(static_cast<uint8_t>(random.Between(0, 255)));
  data.labels.assign(10, 0);
  Graph graph;
  graph.name = "deep";
  graph.scheme = "float32";
  graph.contract = {kHeight, kWidth, 1, {0.0f}, {255.0f}, {"zero", "one"}};
  GraphTensor input;
  input.name = "input";
  input.shape = {1, kHeight, kWidth, 1};
  graph.inputs = {graph.AddTensor(input)};
  const int32_t shape = graph.AddConstant("flat/shape", {2}, std::vector<int32_t>{-1, kDepth});
  const int32_t flat =
      *graph.AddNode(OpType::kReshape, "flat", ReshapeAttributes{{1, -1}}, {graph.inputs[0], shape});
  std::vector<float> weights;
  for (int i = 0; i < 2 * kDepth; ++i) weights.push_back(random.Uniform() - 0.4f);
  const int32_t filter = graph.AddConstant("fc/filter", {2, kDepth}, weights);
  const int32_t bias = graph.AddConstant("fc/bias", {2}, std::vector<float>(2));
  graph.outputs = {
      *graph.AddNode(OpType::kFullyConnected, "fc", FullyConnectedAttributes(), {flat, filter, bias})};
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(Calibrate(data, {*IntegersFromName("w4a8")}, kQuiet, graph, warnings));
  const Graph source = graph;
  const auto result = Repaired({.adaround = true}, data, "w4a8", graph);
  EXPECT_EQ(result.left, std::vector<std::string>{"fc"});
  EXPECT_EQ(RealValues(Find(graph, "fc/filter")), weights) << "the nearest integers stay";
  const Difference usual = OutputDifference(source, WithRoundedFilters(source, "w4a8"), data);
  const Difference corrected = OutputDifference(source, WithRoundedFilters(graph, "w4a8"), data);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_GT(std::abs(usual.mean[i]), 0.1) << "there was something to correct";
    EXPECT_NEAR(corrected.mean[i], 0, 2e-3);
  }
}

std::vector<float> ScalesOf(Graph graph, std::string_view type) {
  std::vector<std::string> warnings;
  QAT_CHECK(ChooseQuantization(graph, OptionsFor(type), warnings).ok());
  return Find(graph, "conv/filter").quantization->scale;
}

TEST(RepairFilters, AdaRoundLeavesValuesOfTheGridThatIsPlannedAgain) {
  const Dataset data = RandomImages(20);
  Graph graph = Calibrated(data, "w4a8");
  const std::vector<float> reals = RealValues(Find(graph, "conv/filter"));
  const auto result = Repaired({.adaround = true}, data, "w4a8", graph);
  EXPECT_LT(result.error_after, result.error_before);
  const std::vector<float> scales = ScalesOf(graph, "w4a8");
  const std::vector<float> adapted = RealValues(Find(graph, "conv/filter"));
  for (size_t i = 0; i < reals.size(); ++i) {
    const double steps = adapted[i] / scales[i / 9];
    EXPECT_NEAR(steps, std::round(steps), 1e-4) << i;
    EXPECT_LE(std::abs(adapted[i] - reals[i]), 2 * scales[i / 9]) << i;
  }
  // Quantized again: the same integers, so nothing is lost any more.
  const std::vector<float> rounded = RoundedFilter(graph, "w4a8");
  for (size_t i = 0; i < adapted.size(); ++i) EXPECT_NEAR(rounded[i], adapted[i], 1e-5f * scales[i / 9]) << i;
}

// In channel 0, nine tenths of the largest weight make steps of 0.1, on which the others lie; those of 1/9
// are halved by them. Of 8 bits, the largest weight is never cut.
TEST(RepairFilters, AdaRoundNarrowsTheRangeOfAFilterOfFourBitsAlone) {
  const Dataset data = RandomImages(40);
  Graph graph = Calibrated(data, "w4a8");
  std::vector<float> filter = RealValues(Find(graph, "conv/filter"));
  for (size_t i = 0; i < 9; ++i) filter[i] = i % 2 == 0 ? 0.5f : -0.5f;
  filter[4] = 7.0f / 9;
  SetValues(const_cast<GraphTensor&>(Find(graph, "conv/filter")), DType::kFloat32, filter);
  Graph coarse = graph, fine = graph;
  Repaired({.adaround = true}, data, "w4a8", coarse);
  EXPECT_NEAR(ScalesOf(coarse, "w4a8")[0], 0.1f, 1e-6f);
  Repaired({.adaround = true}, data, "int8", fine);
  EXPECT_NEAR(ScalesOf(fine, "int8")[0], 7.0f / 9 / 127, 1e-6f);
}

TEST(RepairFilters, GivesTheSameBytesForTheSameData) {
  const Dataset data = RandomImages(30);
  Graph once = Calibrated(data, "int8"), twice = once;
  Repaired({.adaround = true, .correct_bias = true}, data, "int8", once);
  Repaired({.adaround = true, .correct_bias = true}, data, "int8", twice);
  EXPECT_EQ(Serialize(once), Serialize(twice));
}

TEST(FindChannelReach, IsTheLargestOfEachChannelUpToTheClip) {
  const Dataset data = RandomImages(20);
  Graph graph = TinyGraph(/*with_ranges=*/false);
  const auto none = FindChannelReach(graph, data, nullptr, kQuiet);
  QAT_ASSERT_OK(none);
  EXPECT_TRUE(none->empty()) << "a relu clips nothing";
  std::get<Conv2DAttributes>(graph.nodes[0].attributes).activation = Activation::kRelu6;
  std::vector<float> filter = RealValues(Find(graph, "conv/filter"));
  for (size_t i = 9; i < 18; ++i) filter[i] = 4;  // channel 1 is clipped
  SetValues(const_cast<GraphTensor&>(Find(graph, "conv/filter")), DType::kFloat32, filter);
  const std::vector<float> bias = RealValues(Find(graph, "conv/bias"));
  const auto reach = FindChannelReach(graph, data, nullptr, kQuiet);
  QAT_ASSERT_OK(reach);
  ASSERT_EQ(reach->size(), 1u);
  ASSERT_EQ(reach->at("conv").size(), 2u);
  for (size_t channel = 0; channel < 2; ++channel) {
    const std::vector<double> sums = ConvOf(data, filter, bias[channel], channel);
    const double largest = std::clamp(*std::max_element(sums.begin(), sums.end()), 0.0, 6.0);
    EXPECT_NEAR(reach->at("conv")[channel], largest, 1e-5) << channel;
  }
  EXPECT_EQ(reach->at("conv")[1], 6);
}

TEST(ChooseRepairs, KeepsNothingThatDoesNotLowerTheErrorOnExamplesHeldOut) {
  const Dataset data = RandomImages(50);
  const Graph graph = TinyGraph(/*with_ranges=*/false);
  const RepairTask task = TaskFor(data, "w4a8");
  const auto chosen = ChooseRepairs(graph, task, kQuiet);
  QAT_ASSERT_OK(chosen);
  ASSERT_EQ(chosen->trials.size(), 4u);
  EXPECT_EQ(chosen->trials[0].name, "none");
  double least = INFINITY;
  for (const RepairTrial& trial : chosen->trials) {
    EXPECT_GT(trial.error, 0) << trial.name;
    EXPECT_EQ(trial.kept, trial.error < least) << trial.name;
    if (trial.kept) least = trial.error;
  }
  EXPECT_LT(least, chosen->trials[0].error) << "of 4 bits something helps";
  EXPECT_EQ(chosen->repairs,
            (Repairs{chosen->trials[1].kept, chosen->trials[2].kept, chosen->trials[3].kept}));
  EXPECT_EQ(Serialize(graph), Serialize(TinyGraph(false))) << "it is only tried";
}

/// What was shown, in order: never back, never beyond the total.
struct Shown {
  std::vector<std::string> steps;
  int64_t done = 0, total = 0;

  WorkHooks Hooks(std::function<bool()> interrupted = {}) {
    return {[this](const std::string& what, int64_t now, int64_t of) {
              EXPECT_GE(now, done) << what;
              EXPECT_LE(now, of) << what;
              done = now, total = of;
              if (steps.empty() || steps.back() != what) steps.push_back(what);
            },
            std::move(interrupted)};
  }
};

// Rounding takes longer than the examples: it is shown, and ends where asked, layer by layer.
TEST(RepairFilters, ShowsRunsAndRoundingOfEachLayer) {
  const Dataset data = RandomImages(20);
  Graph graph = Calibrated(data, "int8");
  const Graph source = graph;
  std::vector<std::string> warnings;
  const auto plan = MakePlan(graph, OptionsFor("int8"), warnings);
  QAT_ASSERT_OK(plan);
  Shown shown;
  QAT_ASSERT_OK(RepairFilters({.adaround = true}, *plan, data, nullptr, shown.Hooks(), source, graph));
  EXPECT_EQ(shown.steps, (std::vector<std::string>{"inputs of 'conv'", "rounding 'conv'", "inputs of 'fc'",
                                                   "rounding 'fc'"}));
  EXPECT_EQ(shown.done, shown.total);
  EXPECT_EQ(shown.total, 4 * data.size());
  Shown stopped;
  Graph other = source;
  const auto hooks = stopped.Hooks([&] { return stopped.steps.size() == 2; });
  const auto result = RepairFilters({.adaround = true}, *plan, data, nullptr, hooks, source, other);
  QAT_EXPECT_ERROR(result, ErrorCode::kInterrupted,
                   "interrupted while rounding 'conv': no output was written");
}

TEST(ChooseRepairs, ShowsEachTrial) {
  const Dataset data = RandomImages(50);
  Shown shown;
  QAT_ASSERT_OK(ChooseRepairs(TinyGraph(/*with_ranges=*/false), TaskFor(data, "w4a8"), shown.Hooks()));
  EXPECT_EQ(shown.steps, (std::vector<std::string>{"float32", "trying none", "trying equalize",
                                                   "trying adaround", "trying bias"}));
  EXPECT_EQ(shown.done, shown.total);
}

// One bright image among dark ones makes the range of minmax ten times as wide as the examples held out need.
TEST(ChooseObserver, LeavesOutWhatOnlyOneExampleReaches) {
  Dataset data = RandomImages(50);
  for (size_t i = 0; i < data.images.size(); ++i)
    data.images[i] = static_cast<uint8_t>(i < 16 ? 255 : data.images[i] / 12);
  const Graph graph = TinyGraph(/*with_ranges=*/false);
  const auto chosen = ChooseObserver(graph, TaskFor(data, "int8"), kQuiet);
  QAT_ASSERT_OK(chosen);
  ASSERT_EQ(chosen->trials.size(), 5u);
  EXPECT_EQ(chosen->trials[0].name, "minmax");
  EXPECT_FALSE(chosen->trials[0].kept);
  double least = INFINITY;
  for (const RepairTrial& trial : chosen->trials) least = std::min(least, trial.error);
  for (const RepairTrial& trial : chosen->trials) {
    EXPECT_EQ(trial.kept, trial.name == NameOf(chosen->observer)) << trial.name;
    EXPECT_EQ(trial.kept, trial.error == least) << trial.name;
  }
  EXPECT_LT(least, 0.5 * chosen->trials[0].error);
  EXPECT_EQ(Serialize(graph), Serialize(TinyGraph(false))) << "it is only tried";
  const Dataset few = RandomImages(9);
  QAT_EXPECT_ERROR(ChooseObserver(graph, TaskFor(few, "int8"), kQuiet), ErrorCode::kInvalidArgument,
                   "`observer`: auto holds one of 5");
}

// What is better on a few examples by chance is no reason to clip the others.
TEST(ChooseObserver, KeepsMinMaxWhereOthersAreBetterByChanceAlone) {
  for (const int count : {12, 24, 60, 200}) {
    const auto chosen =
        ChooseObserver(TinyGraph(/*with_ranges=*/false), TaskFor(RandomImages(count), "int8"), kQuiet);
    QAT_ASSERT_OK(chosen);
    const auto least = std::min_element(chosen->trials.begin(), chosen->trials.end(),
                                        [](const auto& a, const auto& b) { return a.error < b.error; });
    if (least->error > 0.9 * chosen->trials[0].error || count < 25) {
      EXPECT_EQ(chosen->observer, Observer::kMinMax)
          << count << ": " << least->name << " " << least->error << " of " << chosen->trials[0].error;
    }
  }
}

TEST(ChooseRepairs, NeedsExamplesToHoldOut) {
  const Dataset data = RandomImages(9);
  const RepairTask task = TaskFor(data, "int8");
  QAT_EXPECT_ERROR(ChooseRepairs(TinyGraph(false), task, kQuiet), ErrorCode::kInvalidArgument,
                   "expected 10 or more");
}

}  // namespace
}  // namespace qat
