#include "eval/tensor_run.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/file.h"
#include "eval/rows.h"
#include "eval/tensor_values.h"
#include "model/model.h"
#include "passes/passes.h"
#include "runtime/runnable_model.h"
#include "support/model_builder.h"
#include "support/tiny_files.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

TEST(OutputPath, NumbersFurtherOutputsBeforeTheEnding) {
  EXPECT_EQ(OutputPath("out/Y.npy", 0), "out/Y.npy");
  EXPECT_EQ(OutputPath("out/Y.npy", 2), "out/Y.2.npy");
  EXPECT_EQ(OutputPath("Y", 1), "Y.1");
}

class RunExamplesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto model = RunnableFromBytes(testing::TinyModel(DType::kUInt8), "tiny.tflite");
    QAT_ASSERT_OK(model);
    model_ = *model;
    auto interpreter = Interpreter::Create(*model, {});
    QAT_ASSERT_OK(interpreter);
    interpreter_ = *std::move(interpreter);
  }
  Expected<ExampleShapes> ShapesOf(NpyArray array) {
    const std::vector<TensorFile> files = {{"x.npy", std::move(array)}};
    return ShapesOfExamples(*model_, files);
  }
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Interpreter> interpreter_;
};

TEST_F(RunExamplesTest, EachExampleGivesWhatItGivesAlone) {
  NpyArray all{DType::kUInt8, {3, 4, 4, 1}, {}};
  for (int i = 0; i < 48; ++i) all.values.push_back(static_cast<uint8_t>(i * 37));
  const std::vector<TensorFile> files = {{"x.npy", all}};
  const auto examples = ShapesOfExamples(*model_, files);
  QAT_ASSERT_OK(examples);
  EXPECT_EQ(examples->count, 3);
  const auto together = RunExamples(*interpreter_, files, *examples, {});
  QAT_ASSERT_OK(together);
  ASSERT_EQ(together->size(), 1u);
  EXPECT_EQ(together->at(0).shape, (Shape{3, 3}));
  Bytes one_by_one;
  for (size_t i = 0; i < 3; ++i) {
    std::memcpy(interpreter_->input(0).data(), all.values.data() + 16 * i, 16);
    interpreter_->Invoke();
    const auto output = interpreter_->output(0);
    one_by_one.insert(one_by_one.end(), output.begin(), output.end());
  }
  EXPECT_EQ(together->at(0).values, one_by_one);
}

TEST_F(RunExamplesTest, RefusesAnotherTypeAndAnotherShape) {
  QAT_EXPECT_ERROR(ShapesOf({DType::kInt8, {1, 4, 4, 1}, Bytes(16)}), ErrorCode::kCorrupt,
                   "x.npy: holds int8, expected uint8 (input 'input')");
  QAT_EXPECT_ERROR(ShapesOf({DType::kUInt8, {2, 4, 4}, Bytes(32)}), ErrorCode::kCorrupt,
                   "x.npy: has the shape [2, 4, 4], expected [N, 4, 4, 1] (input 'input')");
  const std::vector<TensorFile> two = {{"x.npy", {}}, {"y.npy", {}}};
  QAT_EXPECT_ERROR(ShapesOfExamples(*model_, two), ErrorCode::kInvalidArgument,
                   "`input`: 2 given, tiny.tflite has 1 inputs: 'input' uint8 [1, 4, 4, 1]");
}

TEST(OpenOnlyModel, WarnsOfSignaturesThatNothingRuns) {
  testing::ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 2}, DType::kFloat32);
  const int32_t y = builder.AddTensor("y", {1, 2}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_RELU, {x}, {y});
  builder.signatures = {{"dec", 0, {"z", 0}, {"w", 1}}, {"enc", 0, {"a", 0}, {"b", 1}}};
  const testing::TempDir files;
  QAT_ASSERT_OK(WriteFile(files / "m.tflite", builder.Finish({x}, {y})));
  RowRequest request;
  request.models = {files / "m.tflite"};
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(OpenOnlyModel(request, warnings));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("has 2 signatures: 'dec' is taken, 'enc' is left out"), std::string::npos)
      << warnings[0];
}

std::shared_ptr<const Model> SumModel(const Shape& shape) {
  testing::ModelBuilder builder;
  const int32_t a = builder.AddTensor("a", shape, DType::kFloat32);
  const int32_t b = builder.AddTensor("b", shape, DType::kFloat32);
  const int32_t output = builder.AddTensor("output", shape, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_SUB, {a, b}, {output});
  const auto model = RunnableFromBytes(builder.Finish({a, b}, {output}), "sub.tflite");
  EXPECT_TRUE(model.ok());
  return model.ok() ? *model : nullptr;
}

NpyArray Floats(const Shape& shape, float first) {
  NpyArray array{DType::kFloat32, shape, Bytes(static_cast<size_t>(FlatSize(shape)) * sizeof(float))};
  for (size_t i = 0; i < array.values.size() / sizeof(float); ++i) {
    const float value = first + static_cast<float>(i * i);
    std::memcpy(array.values.data() + i * sizeof(float), &value, sizeof(value));
  }
  return array;
}

TEST(RunExamples, TakesAFileForEachInput) {
  const auto model = SumModel({1, 2});
  ASSERT_NE(model, nullptr);
  const std::vector<TensorFile> files = {{"a.npy", Floats({3, 2}, 5)}, {"b.npy", Floats({3, 2}, 2)}};
  const auto examples = ShapesOfExamples(*model, files);
  QAT_ASSERT_OK(examples);
  const auto interpreter = Interpreter::Create(model, {});
  QAT_ASSERT_OK(interpreter);
  const auto outputs = RunExamples(**interpreter, files, *examples, {});
  QAT_ASSERT_OK(outputs);
  EXPECT_EQ(outputs->at(0).shape, (Shape{3, 2}));
  for (size_t i = 0; i < 6; ++i) {
    float value;
    std::memcpy(&value, outputs->at(0).values.data() + i * sizeof(value), sizeof(value));
    EXPECT_EQ(value, 3);
  }
  const std::vector<TensorFile> uneven = {files[0], {"b.npy", Floats({2, 2}, 2)}};
  QAT_EXPECT_ERROR(ShapesOfExamples(*model, uneven), ErrorCode::kInvalidArgument,
                   "b.npy: holds 2 examples, a.npy 3");
}

TEST(RunExamples, OneExampleMayHaveJustTheShapeOfTheInput) {
  const auto model = SumModel({4, 2});
  ASSERT_NE(model, nullptr);
  const std::vector<TensorFile> files = {{"a.npy", Floats({4, 2}, 5)}, {"b.npy", Floats({4, 2}, 2)}};
  const auto examples = ShapesOfExamples(*model, files);
  QAT_ASSERT_OK(examples);
  const auto interpreter = Interpreter::Create(model, {});
  QAT_ASSERT_OK(interpreter);
  const auto outputs = RunExamples(**interpreter, files, *examples, {});
  QAT_ASSERT_OK(outputs);
  EXPECT_EQ(outputs->at(0).shape, (Shape{4, 2}));
}

// 6 values behind a RESHAPE to [1, 6], which takes any order of the axes; `signature` is the input's.
Bytes FlattenedModel(const Shape& signature, bool integers) {
  testing::ModelBuilder builder;
  const int32_t input = builder.Add("input", {1, 3, 2}, tflite::TensorType_FLOAT32, {}, 0, signature);
  const int32_t flat = builder.AddTensor("flat", {1, 6}, DType::kFloat32);
  builder.AddReshape(input, {1, 6}, flat);
  int32_t output = flat;
  if (integers) {
    output = builder.AddTensor("q", {1, 6}, DType::kInt8, {{0.5f}, {0}});
    builder.AddOperator(tflite::BuiltinOperator_QUANTIZE, {flat}, {output});
  }
  return builder.Finish({input}, {output});
}

TEST(ShapesOfExamples, AnOpenBatchOpensNoOtherSize) {
  const auto model = RunnableFromBytes(FlattenedModel({-1, 3, 2}, false), "m.tflite");
  QAT_ASSERT_OK(model);
  const std::vector<TensorFile> right = {{"x.npy", Floats({2, 3, 2}, 1)}},
                                turned = {{"x.npy", Floats({2, 2, 3}, 1)}},
                                longer = {{"x.npy", Floats({2, 6, 1}, 1)}};
  EXPECT_TRUE(ShapesOfExamples(**model, right).ok());
  QAT_EXPECT_ERROR(ShapesOfExamples(**model, turned), ErrorCode::kCorrupt,
                   "x.npy: has the shape [2, 2, 3], expected [N, 3, 2] (input 'input'): transpose its axes");
  QAT_EXPECT_ERROR(ShapesOfExamples(**model, longer), ErrorCode::kCorrupt,
                   "x.npy: has the shape [2, 6, 1], expected [N, 3, 2] (input 'input')");
  // One size is open: it may be any, the other may not.
  const auto open = RunnableFromBytes(FlattenedModel({-1, -1, 2}, false), "m.tflite");
  QAT_ASSERT_OK(open);
  const std::vector<TensorFile> shorter = {{"x.npy", Floats({4, 2, 2}, 1)}};
  const auto examples = ShapesOfExamples(**open, shorter);
  QAT_ASSERT_OK(examples);
  EXPECT_EQ(examples->shapes.at(0), (Shape{1, 2, 2}));
  EXPECT_EQ(examples->count, 4);
  QAT_EXPECT_ERROR(ShapesOfExamples(**open, longer), ErrorCode::kCorrupt, "expected [N, any, 2]");
}

TEST(ForInput, RefusesWhatNoIntegerSaysAndLeavesItToNetworksOfRealNumbers) {
  for (const float value : {NAN, HUGE_VALF, -HUGE_VALF}) {
    NpyArray array = Floats({1, 3, 2}, 1);
    std::memcpy(array.values.data() + 16, &value, sizeof(value));
    std::vector<std::string> notes;
    const auto integers = RunnableFromBytes(FlattenedModel({}, true), "m.tflite"),
               reals = RunnableFromBytes(FlattenedModel({}, false), "m.tflite");
    QAT_ASSERT_OK(integers);
    QAT_ASSERT_OK(reals);
    QAT_EXPECT_ERROR(ForInput(array, "x.npy", **integers, 0, notes), ErrorCode::kCorrupt,
                     "x.npy: the value at [0, 2, 0] is ");
    const auto as_it_is = ForInput(array, "x.npy", **reals, 0, notes);
    QAT_ASSERT_OK(as_it_is);
    EXPECT_EQ(as_it_is->values, array.values);
  }
  const auto integers = RunnableFromBytes(FlattenedModel({}, true), "m.tflite");
  std::vector<std::string> notes;
  const NpyArray finite = Floats({1, 3, 2}, 1);
  const auto taken = ForInput(finite, "x.npy", **integers, 0, notes);
  QAT_ASSERT_OK(taken);
  EXPECT_EQ(taken->values, finite.values);
  EXPECT_EQ(taken->shape, finite.shape);
  EXPECT_TRUE(notes.empty());
}

// By hand: byte / 255, which int8 holds as byte - 128.
TEST(ForInput, BytesGoInAsTheContractSays) {
  NpyArray array{DType::kUInt8, {2, 4, 4, 1}, {}};
  for (int i = 0; i < 32; ++i) array.values.push_back(static_cast<uint8_t>(i * 8));
  for (const bool integers : {true, false}) {
    Graph graph = testing::TinyGraph();
    if (integers) {
      for (GraphTensor& tensor : graph.tensors) tensor.has_range = tensor.has_range && !tensor.is_constant();
      QuantizationOptions options;
      options.precisions = PrecisionsOf(Scheme::kInt8);
      std::vector<std::string> warnings;
      graph.scheme = "int8";
      QAT_ASSERT_OK(ChooseQuantization(graph, options, warnings));
    }
    const auto model = RunnableFromBytes(*WriteTflite(graph, {}), "m.tflite");
    QAT_ASSERT_OK(model);
    std::vector<std::string> notes;
    const auto taken = ForInput(array, "x.npy", **model, 0, notes);
    QAT_ASSERT_OK(taken);
    EXPECT_EQ(taken->type, integers ? DType::kInt8 : DType::kFloat32);
    ASSERT_EQ(taken->values.size(), integers ? 32u : 32u * sizeof(float));
    for (size_t i = 0; i < 32; ++i) {
      float real = static_cast<float>(static_cast<int8_t>(taken->values[i]) + 128) / 255;
      if (!integers) std::memcpy(&real, taken->values.data() + i * sizeof(real), sizeof(real));
      EXPECT_NEAR(real, static_cast<float>(i) * 8 / 255, 1e-6f);
    }
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_TRUE(notes[0].starts_with("x.npy: bytes, as 4x4x1, real = (byte - 0) / 255, in ")) << notes[0];
  }
}

// Into uint8 a tensor's bytes go as they are, as into TFLite's interpreter; of pictures they may mean others.
TEST(ForInput, SaysWhereBytesOfATensorAreNotThoseOfPictures) {
  for (const float mean : {0.0f, 20.0f}) {
    Graph graph = testing::TinyGraph();
    for (GraphTensor& tensor : graph.tensors) tensor.has_range = tensor.has_range && !tensor.is_constant();
    std::vector<std::string> warnings, notes;
    QAT_ASSERT_OK(ChooseQuantization(graph, {}, warnings));
    graph.contract.input().mean = {mean};
    const auto model = RunnableFromBytes(*WriteTflite(graph, {}), "m.tflite");
    QAT_ASSERT_OK(model);
    ASSERT_EQ((*model)->tensors()[static_cast<size_t>((*model)->inputs()[0])].type, DType::kUInt8);
    const NpyArray array{DType::kUInt8, {1, 4, 4, 1}, Bytes(16, 100)};
    const auto taken = ForInput(array, "x.npy", **model, 0, notes);
    QAT_ASSERT_OK(taken);
    EXPECT_EQ(taken->values, array.values);
    ASSERT_EQ(notes.size(), mean == 0 ? 0u : 1u);
    if (mean != 0) {
      EXPECT_NE(notes[0].find("goes in as it is"), std::string::npos) << notes[0];
    }
  }
}

TEST(ForInput, SaysThatRealNumbersLookLikeBytes) {
  const auto model = RunnableFromBytes(*WriteTflite(testing::TinyGraph(), {}), "m.tflite");
  QAT_ASSERT_OK(model);
  const auto notes_of = [&](float step) {
    NpyArray array{DType::kFloat32, {1, 4, 4, 1}, {}};
    for (int i = 0; i < 16; ++i) {
      const float value = step * static_cast<float>(i);
      const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
      array.values.insert(array.values.end(), bytes, bytes + sizeof(value));
    }
    std::vector<std::string> notes;
    const auto taken = ForInput(array, "x.npy", **model, 0, notes);
    EXPECT_TRUE(taken.ok());
    EXPECT_EQ(taken->values, array.values);
    return notes;
  };
  EXPECT_TRUE(notes_of(1.0f / 16).empty());
  ASSERT_EQ(notes_of(17).size(), 1u);
  EXPECT_NE(notes_of(17)[0].find("whole numbers from 0 to 255 look like bytes"), std::string::npos);
}

TEST(RunTensors, WantsOneModelAndItsInputs) {
  Report report;
  RowRequest rows;
  rows.models = {"a.tflite", "b.tflite"};
  QAT_EXPECT_ERROR(RunTensors({{}, "y.npy"}, rows, {}, report), ErrorCode::kInvalidArgument,
                   "`input`: is missing");
  QAT_EXPECT_ERROR(RunTensors({{"x.npy"}, "y.npy"}, rows, {}, report), ErrorCode::kInvalidArgument,
                   "expected one model");
}

TEST(TensorsText, ShowsNameTypeShapeAndTheFirstValuesOfEachExample) {
  const OutputTensor few{"scores", {DType::kInt8, {2, 3}, {1, 255, 3, 4, 5, 128}}};
  EXPECT_EQ(TensorsText(std::vector{few}), "scores  int8 [2, 3]\n  1 -1 3\n  4 5 -128\n");
  const OutputTensor many{"map", {DType::kUInt8, {25, 20}, Bytes(500, 7)}};
  const std::string text = TensorsText(std::vector{many});
  EXPECT_NE(text.find("\n  7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 … 4 more\n"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\n  … 5 more examples\n")) << text;
  const float half = 0.5f;
  OutputTensor scalar{"loss", {DType::kFloat32, {}, Bytes(4)}};
  std::memcpy(scalar.array.values.data(), &half, 4);
  EXPECT_EQ(TensorsText(std::vector{scalar}), "loss  float32 []\n  0.5\n");
  EXPECT_EQ(TensorsText(std::vector{OutputTensor{"none", {DType::kInt32, {0, 4}, {}}}}),
            "none  int32 [0, 4]\n");
}

}  // namespace
}  // namespace qat
