// A network of a picture of bytes and a row of real numbers, from training to the deployed integers.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include "base/packed.h"
#include "checkpoint/checkpoint.h"
#include "freeze/freeze.h"
#include "passes/passes.h"
#include "predict/torch_backend.h"
#include "runtime/model_predictor.h"
#include "runtime/runnable_model.h"
#include "support/test_util.h"
#include "support/two_inputs.h"
#include "tflite/tflite_writer.h"
#include "train/tiny.h"
#include "train/trainer.h"

namespace qat {
namespace {

using testing::kTwoInputsSpec;

Dataset Examples(int64_t count, uint64_t seed) {
  const testing::TwoInputExamples made = testing::MakeTwoInputExamples(count, seed);
  Dataset data;
  data.name = "two";
  data.inputs = {{testing::kCameraSide, testing::kCameraSide, 1, ValueType::kByte, {}, "camera"},
                 {1, 1, testing::kSensorFeatures, ValueType::kReal, {testing::kSensorFeatures}, "sensor"}};
  data.labels.assign(made.labels.begin(), made.labels.end());
  data.images = Packed(std::vector<Bytes>{made.camera, made.sensor}, data.InputSizes());
  data.class_names = {"a", "b", "c", "d"};
  return data;
}

std::unique_ptr<Predictor> Simulated(const Checkpoint& checkpoint) {
  void* module = dlopen((std::string(testing::kBinaryDir) + "/lib/qat/qat_torch_backend.so").c_str(),
                        RTLD_NOW | RTLD_LOCAL);
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
  config.mean = {{0}, {{"sensor", {}}}};
  config.std = {{255}, {{"sensor", {}}}};
  const Dataset test = Examples(80, 2);
  const auto result =
      Train(testing::Parsed(kTwoInputsSpec), config, Examples(400, 1), test, dir / "run", {}, {});
  QAT_ASSERT_OK(result);
  EXPECT_GT(result->best_accuracy, 90) << "either input alone gives half";
  const auto checkpoint = ReadCheckpoint(result->checkpoint);
  QAT_ASSERT_OK(checkpoint);
  ASSERT_EQ(checkpoint->contract.inputs.size(), 2u);
  EXPECT_EQ(checkpoint->contract.inputs[1].name, "sensor");
  EXPECT_NEAR(checkpoint->contract.inputs[1].mean[0], 10.25, 0.2);
  EXPECT_EQ(checkpoint->contract.inputs[0].mean[0], 0);

  std::vector<std::string> warnings;
  auto graph = Freeze(*checkpoint, {}, warnings);
  QAT_ASSERT_OK(graph);
  QuantizationOptions options;
  options.precisions = PrecisionsOf(GetParam());
  QAT_ASSERT_OK(ChooseQuantization(*graph, options, warnings));
  EXPECT_NE(graph->tensor(graph->inputs[0]).quantization->scale,
            graph->tensor(graph->inputs[1]).quantization->scale);
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
  EXPECT_EQ(graph->tensor(graph->inputs[1]).shape, (Shape{1, testing::kSensorFeatures}));
  EXPECT_EQ(predict(*graph).scores, simulated->scores);
}

TEST(TwoInputsData, MustBeThoseOfTheNetwork) {
  testing::TempDir dir;
  Dataset data = Examples(40, 1);
  data.inputs[1].channels = 1;
  data.inputs[1].height = 3;
  const auto other =
      Train(testing::Parsed(kTwoInputsSpec), testing::TinyConfig(), data, data, dir / "run", {}, {});
  QAT_EXPECT_ERROR(other, ErrorCode::kInvalidArgument,
                   "the training values for input 'sensor' of two are [1, 3, 1, 1], expected [1, 1, 1, 3]");
  TrainConfig config = testing::TinyConfig();
  config.mean.of["senosr"] = {1};
  QAT_EXPECT_ERROR(
      Train(testing::Parsed(kTwoInputsSpec), config, Examples(40, 1), Examples(40, 2), dir / "run", {}, {}),
      ErrorCode::kInvalidArgument, "`mean`: names the input 'senosr', expected camera, sensor");
}

}  // namespace
}  // namespace qat
