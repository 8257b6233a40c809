// A network of a picture of bytes and a row of real numbers, from training to the deployed integers.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/packed.h"
#include "checkpoint/checkpoint.h"
#include "freeze/freeze.h"
#include "passes/passes.h"
#include "predict/torch_backend.h"
#include "runtime/model_predictor.h"
#include "runtime/runnable_model.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"
#include "train/tiny.h"
#include "train/trainer.h"

namespace qat {
namespace {

constexpr int32_t kSide = 6, kFeatures = 3;

constexpr char kSpec[] = R"(
name = "two"
[[input]]
name = "picture"
shape = [6, 6, 1]
[[input]]
name = "row"
shape = [3]
[[layer]]
name = "conv"
op = "conv_2d"
inputs = ["picture"]
filters = 4
kernel = 3
activation = "relu"
[[layer]]
name = "pixels"
op = "mean"
[[layer]]
name = "numbers"
op = "fully_connected"
inputs = ["row"]
units = 4
activation = "relu"
[[layer]]
name = "both"
op = "concatenation"
inputs = ["pixels", "numbers"]
[[layer]]
name = "logits"
op = "fully_connected"
units = 4
)";

// Bright or dark, and a first number above or below 10: four classes, for which both inputs are needed.
Dataset Examples(int64_t count, uint64_t seed) {
  Random random(seed);
  std::vector<Bytes> parts(2);
  Dataset data;
  data.name = "two";
  data.inputs = {{kSide, kSide, 1, ValueType::kByte, {}, "picture"},
                 {1, 1, kFeatures, ValueType::kReal, {kFeatures}, "row"}};
  for (int64_t i = 0; i < count; ++i) {
    const bool bright = random.Between(0, 1) == 1, high = random.Between(0, 1) == 1;
    for (int32_t p = 0; p < kSide * kSide; ++p)
      parts[0].push_back(static_cast<uint8_t>(random.Between(0, 127) + (bright ? 128 : 0)));
    for (int32_t f = 0; f < kFeatures; ++f) {
      const float value = (high ? 11.0f : 9.0f) + 0.5f * static_cast<float>(random.Uniform());
      uint8_t bytes[sizeof(float)];
      std::memcpy(bytes, &value, sizeof(float));
      parts[1].insert(parts[1].end(), bytes, bytes + sizeof(float));
    }
    data.labels.push_back(2 * bright + high);
  }
  data.images = Packed(parts, data.InputSizes());
  data.class_names = {"a", "b", "c", "d"};
  return data;
}

std::unique_ptr<Predictor> Simulated(const Checkpoint& checkpoint) {
  void* module = dlopen((std::string(testing::kBinaryDir) + "/lib/qat/qat_torch_backend.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  QAT_CHECK(module != nullptr);
  const auto make = reinterpret_cast<TorchPredictorFactory>(dlsym(module, kTorchPredictorFactorySymbol));
  Error error;
  std::unique_ptr<Predictor> predictor(make(checkpoint, "row", TorchMode::kSimulated, 1, error));
  EXPECT_NE(predictor, nullptr) << error.message;
  return predictor;
}

class TwoInputs : public ::testing::TestWithParam<Scheme> {};
INSTANTIATE_TEST_SUITE_P(Schemes, TwoInputs, ::testing::Values(Scheme::kUInt8, Scheme::kInt8),
                         [](const auto& scheme) { return std::string(NameOf(scheme.param)); });

TEST_P(TwoInputs, AreLearnedFromAndDeployedByteForByte) {
  testing::TempDir dir;
  TrainConfig config = testing::TinyConfig();
  config.scheme = NameOf(GetParam());
  config.steps = 240;
  config.mean = {{0}, {{"row", {}}}};
  config.std = {{255}, {{"row", {}}}};
  const Dataset test = Examples(80, 2);
  const auto result = Train(testing::Parsed(kSpec), config, Examples(400, 1), test, dir / "run", {}, {});
  QAT_ASSERT_OK(result);
  EXPECT_GT(result->best_accuracy, 90) << "either input alone gives half";
  const auto checkpoint = ReadCheckpoint(result->checkpoint);
  QAT_ASSERT_OK(checkpoint);
  ASSERT_EQ(checkpoint->contract.inputs.size(), 2u);
  EXPECT_EQ(checkpoint->contract.inputs[1].name, "row");
  EXPECT_NEAR(checkpoint->contract.inputs[1].mean[0], 10.25, 0.2);
  EXPECT_EQ(checkpoint->contract.inputs[0].mean[0], 0);

  std::vector<std::string> warnings;
  auto graph = Freeze(*checkpoint, {}, warnings);
  QAT_ASSERT_OK(graph);
  QuantizationOptions options;
  options.scheme = GetParam();
  QAT_ASSERT_OK(ChooseQuantization(*graph, options, warnings));
  EXPECT_NE(graph->tensor(graph->inputs[0]).quantization->scale, graph->tensor(graph->inputs[1]).quantization->scale);
  const auto predict = [&](const Graph& own) {
    const auto bytes = WriteTflite(own, {});
    QAT_CHECK(bytes.ok());
    const auto model = RunnableFromBytes(*bytes, "two.tflite");
    QAT_CHECK(model.ok());
    auto predictor = MakeModelPredictor(*model, "model", "tflite", {});
    EXPECT_TRUE(predictor.ok()) << predictor.error().message;
    const auto predictions = (*predictor)->Predict(test.images, test.size());
    EXPECT_TRUE(predictions.ok());
    return *predictions;
  };
  const auto simulated = Simulated(*checkpoint)->Predict(test.images, test.size());
  QAT_ASSERT_OK(simulated);
  EXPECT_EQ(predict(*graph).scores, simulated->scores);
  // Floats for the row, normalized inside: the same answers.
  QAT_ASSERT_OK(SetInputType(DType::kFloat32, 1, *graph));
  QAT_ASSERT_OK(Verify(*graph));
  EXPECT_EQ(graph->tensor(graph->inputs[1]).shape, (Shape{1, kFeatures}));
  EXPECT_EQ(predict(*graph).scores, simulated->scores);
}

TEST(TwoInputsData, MustBeThoseOfTheNetwork) {
  testing::TempDir dir;
  Dataset data = Examples(40, 1);
  data.inputs[1].channels = 1;
  data.inputs[1].height = 3;
  const auto other = Train(testing::Parsed(kSpec), testing::TinyConfig(), data, data, dir / "run", {}, {});
  QAT_EXPECT_ERROR(other, ErrorCode::kInvalidArgument,
                   "the training values for input 'row' of two are [1, 3, 1, 1], expected [1, 1, 1, 3]");
  TrainConfig config = testing::TinyConfig();
  config.mean.of["rwo"] = {1};
  QAT_EXPECT_ERROR(Train(testing::Parsed(kSpec), config, Examples(40, 1), Examples(40, 2), dir / "run", {}, {}),
                   ErrorCode::kInvalidArgument, "`mean`: names the input 'rwo', expected picture, row");
}

}  // namespace
}  // namespace qat
