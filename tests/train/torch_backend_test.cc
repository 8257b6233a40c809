// The module as qat-eval opens it, and its claim: what it simulates is what the deployed model computes.
#include "predict/torch_backend.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "freeze/freeze.h"
#include "passes/passes.h"
#include "runtime/model_predictor.h"
#include "runtime/runnable_model.h"
#include "support/places.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"
#include "train/networks.h"
#include "train/run_store.h"
#include "train/tiny.h"
#include "train/trainer.h"

namespace qat {
namespace {

using testing::Parsed;
using testing::Quarters;
using testing::TempDir;
using testing::TinyConfig;

// Uneven padding, every pool, every activation, a network that is no chain.
constexpr char kVariedSpec[] = R"(
name = "varied"
[input]
height = 8
width = 8
channels = 1
[[layer]]
name = "conv1"
op = "conv_2d"
filters = 5
kernel = [3, 2]
stride = 2
activation = "relu6"
[[layer]]
name = "average"
op = "average_pool_2d"
window = 3
stride = 1
padding = "same"
[[layer]]
name = "conv2"
op = "conv_2d"
filters = 6
kernel = 3
dilation = 2
batch_norm = true
activation = "none"
[[layer]]
name = "largest"
op = "max_pool_2d"
window = 3
padding = "same"
[[layer]]
name = "drop"
op = "dropout"
[[layer]]
name = "logits"
op = "fully_connected"
units = 4
)";

TorchPredictorFactory Factory() {
  void* module = dlopen((std::string(testing::kBinaryDir) + "/lib/qat/qat_torch_backend.so").c_str(),
                        RTLD_NOW | RTLD_LOCAL);
  QAT_CHECK(module != nullptr);
  return reinterpret_cast<TorchPredictorFactory>(dlsym(module, kTorchPredictorFactorySymbol));
}

std::unique_ptr<Predictor> Open(const Checkpoint& checkpoint, TorchMode mode) {
  Error error;
  std::unique_ptr<Predictor> predictor(Factory()(checkpoint, "row", mode, 1, error));
  EXPECT_NE(predictor, nullptr) << error.message;
  return predictor;
}

// Quarters as the network takes them: a signal reads the image's rows one behind the other.
Dataset ImagesFor(const char* spec, int64_t count, uint64_t seed) {
  Dataset data = Quarters(count, seed);
  const Graph network = Parsed(spec);
  const Shape input = testing::InputShape(network);
  data.input().height = input[1];
  data.input().width = input[2];
  return data;
}

Checkpoint TrainTiny(const char* spec, const std::string& scheme) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.scheme = scheme;
  const auto result =
      Train(Parsed(spec), config, ImagesFor(spec, 300, 1), ImagesFor(spec, 80, 2), dir / "run", {}, {});
  QAT_CHECK(result.ok());
  return *ReadCheckpoint(result->checkpoint);
}

// Each network is trained once.
const Checkpoint& Trained(const char* spec, const std::string& scheme) {
  static std::map<std::pair<const char*, std::string>, Checkpoint> all;
  const auto [entry, added] = all.try_emplace({spec, scheme});
  if (added) entry->second = TrainTiny(spec, scheme);
  return entry->second;
}

// The checkpoint through freezing, converting and our runtime.
std::unique_ptr<Predictor> Deployed(const Checkpoint& checkpoint, Scheme scheme) {
  std::vector<std::string> warnings;
  auto graph = Freeze(checkpoint, {}, warnings);
  QuantizationOptions options;
  options.precisions = PrecisionsOf(scheme);
  QAT_CHECK(graph.ok() && ChooseQuantization(*graph, options, warnings).ok());
  auto bytes = WriteTflite(*graph, {});
  QAT_CHECK(bytes.ok());
  auto model = RunnableFromBytes(*bytes, "test.tflite");
  QAT_CHECK(model.ok());
  auto predictor = MakeModelPredictor(*model, "model", "tflite", {});
  QAT_CHECK(predictor.ok());
  return *std::move(predictor);
}

class TorchBackend : public ::testing::TestWithParam<std::tuple<const char*, Scheme>> {
 protected:
  const char* spec() const { return std::get<0>(GetParam()); }
  Scheme scheme() const { return std::get<1>(GetParam()); }
  const Checkpoint& checkpoint() const { return Trained(spec(), std::string(NameOf(scheme()))); }
};
INSTANTIATE_TEST_SUITE_P(
    Specs, TorchBackend,
    ::testing::Combine(::testing::Values(testing::kTinySpec, kVariedSpec, testing::kResidualSpec,
                                         testing::kInceptionSpec, testing::kUShapedSpec, testing::kSignalSpec,
                                         testing::kSqueezeExciteSpec, testing::kPartsSpec),
                       ::testing::Values(Scheme::kUInt8, Scheme::kInt8)),
    [](const auto& trial) {
      return Parsed(std::get<0>(trial.param)).name + "_" + std::string(NameOf(std::get<1>(trial.param)));
    });

TEST_P(TorchBackend, SimulatesTheDeployedModelToTheLastStep) {
  const Dataset images = ImagesFor(spec(), 700, 5);
  const auto simulated = Open(checkpoint(), TorchMode::kSimulated)->Predict(images.images, 700);
  const auto deployed = Deployed(checkpoint(), scheme())->Predict(images.images, 700);
  QAT_ASSERT_OK(simulated);
  QAT_ASSERT_OK(deployed);
  EXPECT_EQ(simulated->step, deployed->step);
  EXPECT_EQ(simulated->scores, deployed->scores);
  EXPECT_EQ(simulated->labels, deployed->labels);
}

TEST_P(TorchBackend, FloatEqualsTheFrozenFloatModel) {
  const Dataset images = ImagesFor(spec(), 300, 6);
  const auto torch = Open(checkpoint(), TorchMode::kFloat)->Predict(images.images, 300);
  const auto deployed = Deployed(checkpoint(), Scheme::kFloat32)->Predict(images.images, 300);
  QAT_ASSERT_OK(torch);
  QAT_ASSERT_OK(deployed);
  for (size_t i = 0; i < torch->scores.size(); ++i) {
    ASSERT_NEAR(torch->scores[i], deployed->scores[i], 1e-4 * std::max(1.0f, std::abs(deployed->scores[i])));
  }
}

// A layer of the simulation, by the tensor's name in the model; the input is called otherwise there.
const LayerOutput* LayerNamed(const std::vector<LayerOutput>& layers, const std::string& name) {
  const auto found = std::find_if(layers.begin(), layers.end(),
                                  [&](const LayerOutput& layer) { return layer.layer == name; });
  return found == layers.end() ? nullptr : &*found;
}

TEST_P(TorchBackend, EveryLayerOfTheSimulationIsThatOfTheDeployedModel) {
  const Dataset images = ImagesFor(spec(), 1, 8);
  const auto simulated = Open(checkpoint(), TorchMode::kSimulated)->Layers(images.images);
  const auto deployed = Deployed(checkpoint(), scheme())->Layers(images.images);
  QAT_ASSERT_OK(simulated);
  QAT_ASSERT_OK(deployed);
  size_t compared = 0;
  for (const LayerOutput& layer : *deployed) {
    const LayerOutput* same = LayerNamed(*simulated, layer.layer);
    if (same == nullptr) continue;
    ++compared;
    EXPECT_EQ(same->step, layer.step) << layer.layer;
    EXPECT_EQ(same->zero_point, layer.zero_point) << layer.layer;
    EXPECT_EQ(same->quant_min, layer.quant_min) << layer.layer;
    EXPECT_EQ(same->values, layer.values) << layer.layer;
  }
  EXPECT_GE(compared, Parsed(spec()).nodes.size()) << "every layer of the spec has a tensor of its name";
}

TEST_P(TorchBackend, EveryLayerInFloatIsThatOfTheFrozenFloatModel) {
  const Dataset images = ImagesFor(spec(), 1, 9);
  const auto torch = Open(checkpoint(), TorchMode::kFloat)->Layers(images.images);
  const auto deployed = Deployed(checkpoint(), Scheme::kFloat32)->Layers(images.images);
  QAT_ASSERT_OK(torch);
  QAT_ASSERT_OK(deployed);
  size_t compared = 0;
  for (const LayerOutput& layer : *deployed) {
    const LayerOutput* same = LayerNamed(*torch, layer.layer);
    if (same == nullptr) continue;
    ++compared;
    ASSERT_EQ(same->values.size(), layer.values.size()) << layer.layer;
    for (size_t i = 0; i < layer.values.size(); ++i) {
      ASSERT_NEAR(same->values[i], layer.values[i], 1e-4 * std::max(1.0f, std::abs(layer.values[i])))
          << layer.layer;
    }
  }
  EXPECT_GE(compared, Parsed(spec()).nodes.size());
}

TEST_P(TorchBackend, FakeQuantizationIsWithinAFewStepsOfTheIntegers) {
  const Dataset images = ImagesFor(spec(), 300, 7);
  const auto fake = Open(checkpoint(), TorchMode::kFakeQuantized)->Predict(images.images, 300);
  const auto simulated = Open(checkpoint(), TorchMode::kSimulated)->Predict(images.images, 300);
  QAT_ASSERT_OK(fake);
  QAT_ASSERT_OK(simulated);
  double signed_sum = 0;
  for (size_t i = 0; i < fake->scores.size(); ++i) {
    const double steps = (fake->scores[i] - simulated->scores[i]) / simulated->step;
    ASSERT_LE(std::abs(steps), 6) << i;
    signed_sum += steps;
  }
  EXPECT_LT(std::abs(signed_sum / static_cast<double>(fake->scores.size())), 0.25) << "no rounding is biased";
}

// Three channels, each shifted and scaled in its own way, so that bytes no longer pass straight into the
// input tensor.
Dataset Coloured(int64_t count, uint64_t seed) {
  Dataset data = Quarters(count, seed);
  data.input().channels = 3;
  Bytes grey = std::move(data.images);
  data.images.clear();
  for (const uint8_t byte : grey) {
    data.images.insert(data.images.end(),
                       {byte, static_cast<uint8_t>(255 - byte), static_cast<uint8_t>(byte / 2)});
  }
  return data;
}

TEST(TorchPredictor, SimulatesTheDeployedModelWithAMeanAndAStdAChannel) {
  TempDir dir;
  std::string spec = testing::kTinySpec;
  spec.replace(spec.find("channels = 1"), 12, "channels = 3");
  TrainConfig config = TinyConfig();
  config.mean.values = {};  // of the training set
  config.std.values = {30, 41.5, 20};
  config.flip = true;
  config.cutout = 3;
  const auto result = Train(Parsed(spec), config, Coloured(300, 1), Coloured(80, 2), dir / "run", {}, {});
  QAT_ASSERT_OK(result);
  const Checkpoint checkpoint = *ReadCheckpoint(result->checkpoint);
  EXPECT_EQ(checkpoint.contract.input().std, (std::vector<float>{30, 41.5, 20}));
  EXPECT_NEAR(checkpoint.contract.input().mean[0] + checkpoint.contract.input().mean[1], 255, 1e-4);
  const Dataset images = Coloured(700, 5);
  const auto simulated = Open(checkpoint, TorchMode::kSimulated)->Predict(images.images, 700);
  const auto deployed = Deployed(checkpoint, Scheme::kUInt8)->Predict(images.images, 700);
  QAT_ASSERT_OK(simulated);
  QAT_ASSERT_OK(deployed);
  EXPECT_EQ(simulated->scores, deployed->scores);
}

TEST(TorchPredictor, RunsOneImageAtATime) {
  const Checkpoint checkpoint = Trained(testing::kTinySpec, "uint8");
  const Dataset images = Quarters(1, 8);
  for (const TorchMode mode : {TorchMode::kFloat, TorchMode::kFakeQuantized, TorchMode::kSimulated}) {
    const auto predictor = Open(checkpoint, mode);
    QAT_ASSERT_OK(predictor->Load(images.images));
    QAT_ASSERT_OK(predictor->Invoke());
  }
}

TEST(TorchPredictor, TellsWhatACheckpointLacks) {
  Checkpoint checkpoint = Trained(testing::kTinySpec, "float32");
  Error error;
  EXPECT_EQ(Factory()(checkpoint, "row", TorchMode::kSimulated, 1, error), nullptr);
  EXPECT_NE(error.message.find("has no ranges"), std::string::npos) << error.message;
  checkpoint.tensors.erase("fc1/bias");
  EXPECT_EQ(Factory()(checkpoint, "row", TorchMode::kFloat, 1, error), nullptr);
  EXPECT_EQ(error.message, "tensor 'fc1/bias' is missing, which the network needs");
}

}  // namespace
}  // namespace qat
