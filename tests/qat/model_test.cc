#include "qat/model.h"

#include <gtest/gtest.h>

#include "passes/passes.h"
#include "support/model_builder.h"
#include "support/rows.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Quantized;

// y = (x0 + 2 * x1) per element of uint8 [1, 2], by one fully connected layer; scales as the comments of the
// tests say.
std::vector<uint8_t> Sum() {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 2}, DType::kUInt8, Quantized(0.5f, 10));
  const int32_t w = builder.AddConstant<uint8_t>("w", {1, 2}, {6, 7}, Quantized(1, 5));
  const int32_t output = builder.AddTensor("y", {1, 1}, DType::kUInt8, Quantized(0.25f, 20));
  builder.AddFullyConnected(input, w, -1, output, Activation::kNone);
  return builder.Finish({input}, {output});
}

std::unique_ptr<v1::Model> Open(std::vector<uint8_t> bytes, const v1::Options& options = {}) {
  v1::Error error;
  auto model = v1::Model::FromBytes(std::move(bytes), "sum.tflite", error, options);
  EXPECT_EQ(error.message, "");
  EXPECT_EQ(error.code, 0);
  return model;
}

TEST(PublicModel, SaysWhatAModelTakesAndGives) {
  const auto model = Open(Sum());
  ASSERT_NE(model, nullptr);
  ASSERT_EQ(model->inputs().size(), 1u);
  EXPECT_EQ(model->inputs()[0].name, "x");
  EXPECT_EQ(model->inputs()[0].shape, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(model->inputs()[0].type, v1::Type::kUInt8);
  EXPECT_EQ(model->inputs()[0].scale, std::vector<float>{0.5f});
  EXPECT_EQ(model->inputs()[0].zero_point, std::vector<int64_t>{10});
  EXPECT_EQ(model->outputs()[0].name, "y");
  EXPECT_TRUE(model->labels().empty());
}

TEST(PublicModel, RunsOnIntegers) {
  const auto model = Open(Sum());
  const std::span<uint8_t> x = model->Input<uint8_t>(0);
  ASSERT_EQ(x.size(), 2u);
  x[0] = 14;  // 2
  x[1] = 12;  // 1
  model->Run();
  // 2 + 2 * 1 = 4, in steps of a quarter from 20.
  EXPECT_EQ(model->Output<uint8_t>(0)[0], 36);
  EXPECT_TRUE(model->Input<int8_t>(0).empty()) << "another type";
  EXPECT_TRUE(model->Output<float>(0).empty());
}

TEST(PublicModel, RunsOnRealNumbers) {
  const auto model = Open(Sum());
  ASSERT_TRUE(model->SetReal(0, std::vector<float>{2.2f, 1}));  // 2.2 is nearest to 2
  model->Run();
  EXPECT_EQ(model->Real(0), std::vector<float>{4});
  EXPECT_FALSE(model->SetReal(0, std::vector<float>{1, 2, 3})) << "another count";
}

TEST(PublicModel, TakesAndGivesRealNumbersOf16Bits) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 3}, DType::kInt16, Quantized(0.5f, 0));
  const int32_t output = builder.AddTensor("y", {1, 1, 3}, DType::kInt16, Quantized(0.5f, 0));
  builder.AddReshape(input, {1, 1, 3}, output);
  const auto model = Open(builder.Finish({input}, {output}));
  ASSERT_NE(model, nullptr);
  ASSERT_TRUE(model->SetReal(0, std::vector<float>{2.2f, -1e6f, 1e6f}));
  model->Run();
  EXPECT_EQ(model->Real(0), (std::vector<float>{2, -16384, 16383.5f}));
  EXPECT_FALSE(model->SetReal(0, std::vector<float>{1, 2})) << "another count";
}

TEST(PublicModel, SaysWhatEachInputAndOutputMeans) {
  Graph graph = testing::RowGraph(2, -4, 4, "left");
  graph.contract.inputs.push_back(graph.contract.inputs[0]);
  graph.contract.inputs[0].name = "left";
  graph.contract.inputs[1].name = "right";
  graph.contract.inputs[1].mean = {5, 6};
  graph.contract.inputs[1].std = {7, 8};
  GraphTensor right = graph.tensor(graph.inputs[0]);
  right.name = "right";
  graph.inputs.push_back(graph.AddTensor(right));
  const int32_t filter = graph.AddConstant("filter", {2, 2}, std::vector<float>{1, 0, 0, 1});
  const int32_t bias = graph.AddConstant("bias", {2}, std::vector<float>{0, 0});
  for (const int32_t input : std::vector<int32_t>(graph.inputs)) {
    const std::string name = graph.tensor(input).name == "left" ? "kind" : "level";
    graph.outputs.push_back(
        *graph.AddNode(OpType::kFullyConnected, name, FullyConnectedAttributes(), {input, filter, bias}));
  }
  graph.contract.outputs.resize(2);
  graph.contract.outputs[0].name = "kind";
  graph.contract.outputs[0].labels = {"cat", "dog"};
  graph.contract.outputs[1].name = "level";
  graph.contract.outputs[1].task = Task::kNumbers;
  graph.contract.outputs[1].mean = {300};
  graph.contract.outputs[1].std = {20};
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kFloat32);
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(ChooseQuantization(graph, options, warnings));
  auto bytes = WriteTflite(graph, {});
  QAT_ASSERT_OK(bytes);
  const auto model = Open(*std::move(bytes));
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->labels(), (std::vector<std::string>{"cat", "dog"}));
  EXPECT_TRUE(model->labels(1).empty());
  EXPECT_FALSE(model->target_normalization(0).has_value());
  ASSERT_TRUE(model->target_normalization(1).has_value());
  EXPECT_EQ(model->target_normalization(1)->mean, std::vector<float>{300});
  ASSERT_TRUE(model->normalization(1).has_value());
  EXPECT_EQ(model->normalization(1)->std, (std::vector<float>{7, 8}));
}

TEST(PublicModel, ClonesHaveMemoryOfTheirOwn) {
  const auto model = Open(Sum());
  v1::Error error;
  const auto other = model->Clone(error);
  ASSERT_NE(other, nullptr) << error.message;
  ASSERT_TRUE(model->SetReal(0, std::vector<float>{1, 0}));
  ASSERT_TRUE(other->SetReal(0, std::vector<float>{0, 1}));
  model->Run();
  other->Run();
  EXPECT_EQ(model->Real(0), std::vector<float>{1});
  EXPECT_EQ(other->Real(0), std::vector<float>{2});
}

TEST(PublicModel, SaysInOneSentenceWhatIsWrong) {
  v1::Error error;
  EXPECT_EQ(v1::Model::Load("/nonexistent/model.tflite", error), nullptr);
  EXPECT_EQ(error.code, 3);
  EXPECT_NE(error.message.find("/nonexistent/model.tflite"), std::string::npos) << error.message;
  EXPECT_EQ(v1::Model::FromBytes({1, 2, 3}, "three.tflite", error), nullptr);
  EXPECT_EQ(error.code, 3);
  EXPECT_NE(error.message.find("three.tflite"), std::string::npos) << error.message;
  v1::Options options;
  options.threads = 0;
  EXPECT_EQ(v1::Model::FromBytes(Sum(), "sum.tflite", error, options), nullptr);
  EXPECT_EQ(error.code, 2);
  EXPECT_EQ(error.message, "threads is 0, expected 1 or more");
}

TEST(PublicModel, AcceptsReferenceKernelsAndThreads) {
  v1::Options options;
  options.threads = 2;
  options.reference_kernels = true;
  const auto model = Open(Sum(), options);
  ASSERT_TRUE(model->SetReal(0, std::vector<float>{3, 3}));
  model->Run();
  EXPECT_EQ(model->Real(0), std::vector<float>{9});
}

}  // namespace
}  // namespace qat
