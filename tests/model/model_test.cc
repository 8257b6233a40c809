#include "model/model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

#include "base/file.h"
#include "base/file_kind.h"
#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "support/model_builder.h"
#include "support/random_models.h"
#include "support/random_operators.h"
#include "support/test_util.h"
#include "support/tiny_files.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Quantized;
using testing::TensorQuantization;

// x [1, 4] -> reshape -> y [2, 2]; `edit` may spoil the builder before, between or after.
std::vector<uint8_t> ReshapeModel(const std::function<void(ModelBuilder&)>& edit = {}) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 4}, DType::kFloat32);
  const int32_t output = builder.AddTensor("y", {2, 2}, DType::kFloat32);
  builder.AddReshape(input, {2, 2}, output);
  if (edit) edit(builder);
  return builder.Finish({input}, {output});
}

Expected<std::shared_ptr<const Model>> Parse(std::vector<uint8_t> bytes) {
  return RunnableFromBytes(std::move(bytes), "m.tflite");
}

TEST(Model, HoldsWhatTheFileSays) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 3}, DType::kUInt8, Quantized(0.5f, 7));
  const int32_t filter =
      builder.AddConstant<uint8_t>("w", {2, 3}, {1, 2, 3, 4, 5, 6}, {{0.25f, 0.5f}, {3, 4}, 0});
  const int32_t output = builder.AddTensor("y", {1, 2}, DType::kUInt8, Quantized(1, 0));
  builder.AddFullyConnected(input, filter, -1, output, Activation::kRelu6);
  const auto model = Parse(builder.Finish({input}, {output}));
  QAT_ASSERT_OK(model);
  ASSERT_EQ((*model)->nodes().size(), 1u);
  const ModelNode& node = (*model)->nodes()[0];
  EXPECT_EQ(node.type, OpType::kFullyConnected);
  EXPECT_EQ(node.inputs, (std::vector<int32_t>{input, filter})) << "the bias left out is not listed";
  EXPECT_EQ(FusedActivation(node.attributes), Activation::kRelu6);
  const ModelTensor& tensor = (*model)->tensors()[static_cast<size_t>(filter)];
  EXPECT_TRUE(tensor.is_constant);
  EXPECT_EQ(tensor.constant[5], 6);
  EXPECT_EQ(tensor.scale, (std::vector<float>{0.25f, 0.5f}));
  EXPECT_EQ(tensor.zero_point, (std::vector<int64_t>{3, 4}));
  EXPECT_FALSE((*model)->tensors()[0].is_constant);
  EXPECT_FALSE((*model)->contract().has_value());
}

// As TensorFlow's converter writes Keras' outputs. A name that something else has, a tensor that is not there
// and another signature's output change nothing.
TEST(Model, OutputsCalledAfterACallHaveTheirNamesInTheSignature) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 4}, DType::kFloat32);
  std::vector<int32_t> outputs;
  for (const char* name :
       {"StatefulPartitionedCall_1:1", "StatefulPartitionedCall_1:0", "own", "PartitionedCall:2"}) {
    outputs.push_back(builder.AddTensor(name, {2, 2}, DType::kFloat32));
    builder.AddReshape(input, {2, 2}, outputs.back());
  }
  const auto at = [&](size_t i) { return static_cast<uint32_t>(outputs[i]); };
  builder.signature_outputs = {
      {"level", at(0)}, {"kind", at(1)}, {"other", at(2)}, {"x", at(3)}, {"nowhere", 1000}};
  const auto model = Parse(builder.Finish({input}, outputs));
  QAT_ASSERT_OK(model);
  std::vector<std::string> names;
  for (const int32_t output : outputs) names.push_back((*model)->tensors()[static_cast<size_t>(output)].name);
  EXPECT_EQ(names, (std::vector<std::string>{"level", "kind", "own", "PartitionedCall:2"}));
}

TEST(Model, TakesAnOpenBatchAsTheOneInItsShape) {
  ModelBuilder builder;
  const int32_t input = builder.Add("x", {1, 4}, tflite::TensorType_FLOAT32, {}, 0, {-1, 4});
  const int32_t output = builder.Add("y", {1, 4}, tflite::TensorType_FLOAT32, {}, 0, {-1, 4});
  builder.AddReshape(input, {-1, 4}, output);
  const auto model = Parse(builder.Finish({input}, {output}));
  QAT_ASSERT_OK(model);
  const auto interpreter = Interpreter::Create(*model);
  QAT_ASSERT_OK(interpreter);
  EXPECT_EQ((*interpreter)->input(0).size(), 4 * sizeof(float));
}

// Weights behind the FlatBuffer, at an odd place: the float there is read all the same.
std::vector<uint8_t> ModelWithDataOutside(uint64_t offset, uint64_t size) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 1}, DType::kFloat32);
  const int32_t filter =
      builder.Add("w", {1, 1}, tflite::TensorType_FLOAT32, {}, builder.AddBufferOutside(offset, size));
  const int32_t output = builder.AddTensor("y", {1, 1}, DType::kFloat32);
  builder.AddFullyConnected(input, filter, -1, output, Activation::kNone);
  return builder.Finish({input}, {output});
}

TEST(Model, ReadsConstantsBehindTheFlatBuffer) {
  const size_t offset = ModelWithDataOutside(1000, 4).size() + 3;
  std::vector<uint8_t> bytes = ModelWithDataOutside(offset, 4);
  bytes.resize(offset + 4);
  const float weight = 1.5f;
  std::memcpy(bytes.data() + offset, &weight, sizeof(weight));
  const auto model = Parse(bytes);
  QAT_ASSERT_OK(model);
  const ModelTensor& filter = (*model)->tensors()[1];
  EXPECT_EQ(reinterpret_cast<uintptr_t>(filter.constant.data()) % sizeof(float), 0u) << "kernels read floats";
  EXPECT_EQ(std::memcmp(filter.constant.data(), &weight, sizeof(weight)), 0);
  bytes.pop_back();
  QAT_EXPECT_ERROR(Parse(bytes), ErrorCode::kCorrupt, "behind the end of the file");
}

TEST(Model, ReadsTheEmbeddedContract) {
  const Contract contract = {2, 3, 1, {10}, {20}, {"no", "yes"}};
  const auto model =
      Parse(ReshapeModel([&](ModelBuilder& b) { b.metadata[kContractMetadataName] = Serialize(contract); }));
  QAT_ASSERT_OK(model);
  EXPECT_EQ((*model)->contract(), contract);
}

TEST(Model, RefusesADamagedContract) {
  const auto bytes = ReshapeModel([](ModelBuilder& b) { b.metadata[kContractMetadataName] = {1, 2, 3}; });
  QAT_EXPECT_ERROR(Parse(bytes), ErrorCode::kCorrupt, "m.tflite: metadata 'qat.input_contract': ");
}

TEST(Model, NamesAFileOfAnotherKind) {
  QAT_EXPECT_ERROR(Parse({}), ErrorCode::kCorrupt, "m.tflite: is an empty file, expected a .tflite model");
  std::vector<uint8_t> graph = ReshapeModel();
  std::copy(kGraphIdentifier.begin(), kGraphIdentifier.end(), graph.begin() + 4);
  QAT_EXPECT_ERROR(Parse(graph), ErrorCode::kCorrupt, "frozen graph");
}

TEST(Model, LoadsAFileAndNamesAMissingOne) {
  const testing::TempDir directory;
  const std::string path = directory / "m.tflite";
  QAT_ASSERT_OK(WriteFile(path, ReshapeModel()));
  const auto model = LoadRunnable(path);
  QAT_ASSERT_OK(model);
  EXPECT_EQ((*model)->file_bytes().size(), ReshapeModel().size());
  EXPECT_EQ((*model)->source(), path);
  QAT_EXPECT_ERROR(LoadRunnable(directory / "none.tflite"), ErrorCode::kNotFound, "none.tflite");
}

TEST(Model, KeepsOperatorsThatItDoesNotKnowForThoseWhoLook) {
  const auto bytes = ReshapeModel([](ModelBuilder& b) {
    const int32_t output = b.AddTensor("state", {1, 4}, DType::kFloat32);
    b.AddOperator(tflite::BuiltinOperator_LSTM, {0, -1}, {output}, tflite::BuiltinOptions_NONE, 0, 2);
  });
  const auto model = Model::FromBytes(bytes, "m.tflite");
  QAT_ASSERT_OK(model);
  EXPECT_EQ((*model)->nodes().size(), 1u);
  ASSERT_EQ((*model)->operators().size(), 2u);
  EXPECT_EQ((*model)->operators()[0].name, "RESHAPE");
  EXPECT_EQ((*model)->operators()[0].node, 0);
  EXPECT_EQ((*model)->operators()[1].name, "LSTM");
  EXPECT_EQ((*model)->operators()[1].version, 2);
  EXPECT_EQ((*model)->operators()[1].inputs, (std::vector<int32_t>{0, -1}));
  EXPECT_EQ((*model)->operators()[1].node, -1);
  EXPECT_EQ((*model)->unsupported().Text(), "LSTM version 2 (operator 1)");
  QAT_EXPECT_ERROR(Interpreter::Create(*model), ErrorCode::kUnsupported, "LSTM version 2 (operator 1)");
}

// Without a limit every version is read as the operator that it is; who has kernels refuses it by its
// version.
TEST(Model, ReadsNewerVersionsWhereNoLimitIsGiven) {
  const auto bytes = ReshapeModel([](ModelBuilder& b) {
    const int32_t output = b.AddTensor("z", {1, 4}, DType::kFloat32);
    b.AddOperator(tflite::BuiltinOperator_RELU, {0}, {output}, tflite::BuiltinOptions_NONE, 0, 99);
    const int32_t other = b.AddTensor("no", {1, 4}, DType::kFloat32);
    b.AddOperator(tflite::BuiltinOperator_RELU, {0, 0, 0}, {other}, tflite::BuiltinOptions_NONE, 0, 99);
  });
  const auto model = Model::FromBytes(bytes, "m.tflite");
  QAT_ASSERT_OK(model);
  ASSERT_EQ((*model)->nodes().size(), 2u);
  EXPECT_EQ((*model)->nodes()[1].version, 99);
  EXPECT_EQ((*model)->operators()[2].node, -1);
  EXPECT_EQ((*model)->unsupported().Text(), "RELU version 99: has 3 inputs, expected 1 to 1 (operator 2)");
  QAT_EXPECT_ERROR(Interpreter::Create(*model), ErrorCode::kUnsupported,
                   "RELU version 99: known up to version 3 (operator 1)");
}

TEST(Model, ListsEveryMissingOperatorByNameAndVersionOnce) {
  const auto bytes = ReshapeModel([](ModelBuilder& b) {
    const auto add = [&](tflite::BuiltinOperator code, int32_t version) {
      const int32_t output = b.AddTensor("missing", {1, 4}, DType::kFloat32);
      b.AddOperator(code, {0}, {output}, tflite::BuiltinOptions_NONE, 0, version);
    };
    add(tflite::BuiltinOperator_LSTM, 2);
    add(tflite::BuiltinOperator_LSTM, 2);
    add(tflite::BuiltinOperator_SVDF, 1);
    add(tflite::BuiltinOperator_CONV_2D, 99);
    add(tflite::BuiltinOperator_CUSTOM, 1);
    add(static_cast<tflite::BuiltinOperator>(206), 1);
    add(static_cast<tflite::BuiltinOperator>(1000), 1);
  });
  QAT_EXPECT_ERROR(
      Parse(bytes), ErrorCode::kUnsupported,
      "m.tflite: not supported: LSTM version 2 (operators 1, 2); SVDF version 1 (operator 3); "
      "CONV_2D version 99, known up to version 8 (operator 4); custom operator '' version 1 "
      "(operator 5); STABLEHLO_COMPOSITE version 1 (operator 6); builtin operator 1000 version 1 "
      "(operator 7)");
}

struct Malformed {
  const char* name;
  std::function<void(ModelBuilder&)> edit;
  const char* message;
};

void AddUInt8(ModelBuilder& b, const Shape& shape, const TensorQuantization& quantization) {
  b.AddTensor("bad", shape, DType::kUInt8, quantization);
}

const std::vector<Malformed>& MalformedModels() {
  static const std::vector<Malformed> kAll = {
      {"Version", [](ModelBuilder& b) { b.version = 4; }, "schema version is 4, expected 3"},
      {"NegativeSize",
       [](ModelBuilder& b) {
         AddUInt8(b, {1, -2}, {});
       },
       "tensor 3 'bad': shape is [1, -2]"},
      {"TooLarge",
       [](ModelBuilder& b) {
         AddUInt8(b, {65536, 65536, 65536, 65536}, {});
       },
       "expected at most 2 GiB"},
      {"Type", [](ModelBuilder& b) { b.Add("bad", {}, static_cast<tflite::TensorType>(77), {}, 0); },
       "type is 77"},
      {"Buffer", [](ModelBuilder& b) { b.Add("bad", {1}, tflite::TensorType_UINT8, {}, 50); },
       "buffer is 50, expected below"},
      {"ShortConstant",
       [](ModelBuilder& b) {
         b.AddConstant<float>("bad", {3}, {1, 2});
       },
       "its buffer has 8 bytes, expected 12 for float32 [3]"},
      {"LongConstant",
       [](ModelBuilder& b) {
         b.AddConstant<float>("bad", {1}, {1, 2});
       },
       "its buffer has 8 bytes, expected 4"},
      {"EmptyConstant", [](ModelBuilder& b) { b.AddConstant<float>("bad", {1}, {}); },
       "its buffer has 0 bytes"},
      {"ZeroPointsMissing",
       [](ModelBuilder& b) {
         AddUInt8(b, {1}, {{0.5f}, {}, 0});
       },
       "has 1 scales and 0 zero points"},
      {"ScaleCount",
       [](ModelBuilder& b) {
         AddUInt8(b, {3, 1}, {{1, 1}, {0, 0}, 0});
       },
       "has 2 scales, expected 1 or one per slice of dimension 0 of [3, 1]"},
      {"QuantizedDimension",
       [](ModelBuilder& b) {
         AddUInt8(b, {3, 1}, {{1}, {0}, 2});
       },
       "quantized dimension is 2"},
      {"NegativeScale", [](ModelBuilder& b) { AddUInt8(b, {1}, Quantized(-1, 0)); }, "scale is -1"},
      {"ZeroPoint", [](ModelBuilder& b) { AddUInt8(b, {1}, Quantized(1, int64_t{1} << 40)); },
       "zero point is 1099511627776, expected an int32"},
      {"InfiniteScale", [](ModelBuilder& b) { AddUInt8(b, {1}, Quantized(HUGE_VALF, 0)); }, "scale is inf"},
      {"InputIndex", [](ModelBuilder& b) { b.AddSoftmax(100, 1, 1); },
       "operator 1 (SOFTMAX): inputs hold tensor 100"},
      {"OutputIndex", [](ModelBuilder& b) { b.AddSoftmax(0, -1, 1); },
       "operator 1 (SOFTMAX): outputs hold tensor -1"},
      {"InputCount",
       [](ModelBuilder& b) {
         b.AddOperator(tflite::BuiltinOperator_SOFTMAX, {0, 0}, {1});
       },
       "operator 1 (SOFTMAX): has 2 inputs, expected 1 to 1"},
      {"OutputCount", [](ModelBuilder& b) { b.AddOperator(tflite::BuiltinOperator_SOFTMAX, {0}, {}); },
       "operator 1 (SOFTMAX): has 0 outputs, expected 1"},
      {"MissingInput", [](ModelBuilder& b) { b.AddFullyConnected(-1, 0, 0, 1, Activation::kNone); },
       "operator 1 (FULLY_CONNECTED): lacks an input"},
      {"ProducedTwice",
       [](ModelBuilder& b) {
         b.AddReshape(0, {2, 2}, 1);
       },
       "operator 1 (RESHAPE): output tensor 1 already has a value"},
      {"OverwritesInput",
       [](ModelBuilder& b) {
         b.AddReshape(1, {1, 4}, 0);
       },
       "output tensor 0 already has a value"},
      {"OverwritesConstant",
       [](ModelBuilder& b) {
         b.AddReshape(0, {1, 4}, 2);
       },
       "output tensor 2 already has a value"},
      {"NotProduced",
       [](ModelBuilder& b) {
         const int32_t never = b.AddTensor("never", {1, 4}, DType::kFloat32);
         b.AddReshape(never, {2, 2}, b.AddTensor("z", {2, 2}, DType::kFloat32));
       },
       "operator 1 (RESHAPE): input tensor 3 is not produced before"},
      {"OperatorVersion",
       [](ModelBuilder& b) {
         b.AddOperator(tflite::BuiltinOperator_SOFTMAX, {0}, {1}, tflite::BuiltinOptions_NONE, 0, 0);
       },
       "builtin code 25, version 0"},
      {"NegativeCode",
       [](ModelBuilder& b) { b.AddOperator(static_cast<tflite::BuiltinOperator>(-5), {0}, {1}); },
       "builtin code -5"},
      {"OptionsMissing",
       [](ModelBuilder& b) {
         b.AddOperator(tflite::BuiltinOperator_CONV_2D, {0, 0, 0}, {1});
       },
       "operator 1 (CONV_2D): options are missing"},
  };
  return kAll;
}

class MalformedModel : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedModel, IsRefusedWithWhatIsWrong) {
  QAT_EXPECT_ERROR(Parse(ReshapeModel(GetParam().edit)), ErrorCode::kCorrupt, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Model, MalformedModel, ::testing::ValuesIn(MalformedModels()),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(Model, RefusesOutputsThatNobodyProduces) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1}, DType::kFloat32);
  const int32_t output = builder.AddTensor("y", {1}, DType::kFloat32);
  QAT_EXPECT_ERROR(Parse(builder.Finish({input}, {output})), ErrorCode::kCorrupt,
                   "output tensor 1 is not produced");
}

TEST(Model, RefusesAConstantAsInput) {
  ModelBuilder builder;
  const int32_t input = builder.AddConstant<float>("x", {1}, {1});
  QAT_EXPECT_ERROR(Parse(builder.Finish({input}, {input})), ErrorCode::kCorrupt,
                   "input tensor 0 is a constant");
}

TEST(Model, TakesTheOnlyDimensionOfABiasThatNamesItsFilters) {
  const auto model = Parse(ReshapeModel([](ModelBuilder& b) { AddUInt8(b, {2}, {{1, 2}, {0, 0}, 3}); }));
  QAT_ASSERT_OK(model);
  EXPECT_EQ((*model)->tensors().back().quantized_dimension, 0);
}

class ModelOfOthers : public ::testing::TestWithParam<const char*> {};

TEST_P(ModelOfOthers, IsReadOrItsMissingOperatorsAreListed) {
  const std::string path = testing::DataDir() + "/tflite-models/" + GetParam() + ".tflite";
  QAT_NEEDS_FILE(path);
  const auto model = LoadRunnable(path);
  if (!model.ok()) {
    EXPECT_EQ(model.error().code, ErrorCode::kUnsupported) << model.error().message;
  }
}

INSTANTIATE_TEST_SUITE_P(Model, ModelOfOthers,
                         ::testing::Values("mobilenet_v1_0.25_128_quant", "person_detect",
                                           "tf2_mobilenet_v2_1.0_224_ptq"));

// Runs whatever of `bytes` is accepted. The claim is made by the sanitizers: no access outside the arena
// and the file.
void ReadAndRun(std::vector<uint8_t> bytes) {
  const auto model = Parse(std::move(bytes));
  if (!model.ok()) {
    ASSERT_TRUE(model.error().message.starts_with("m.tflite: ")) << model.error().message;
    return;
  }
  for (KernelSet kernels : {KernelSet::kReference, KernelSet::kFast}) {
    InterpreterOptions options;
    options.kernels = kernels;
    auto interpreter = Interpreter::Create(*model, options);
    if (!interpreter.ok()) {
      ASSERT_TRUE(interpreter.error().message.starts_with("m.tflite: ")) << interpreter.error().message;
      return;
    }
    // A changed size can be valid and ask for gigabytes of work.
    if ((*interpreter)->arena_size() < (size_t{1} << 24)) (*interpreter)->Invoke();
  }
}

class DamagedModel : public ::testing::TestWithParam<uint64_t> {};

TEST_P(DamagedModel, IsRefusedOrRunsWhereverOneByteIsWrong) {
  const std::vector<uint8_t> bytes = testing::MakeRandomModel(GetParam()).bytes;
  // Every position in small models; weights apart, larger ones are made of the same tables.
  const size_t step = bytes.size() / 4000 + 1;
  for (size_t i = 0; i < bytes.size(); i += step) {
    for (const uint8_t flip : {0x01, 0x80, 0xff}) {
      std::vector<uint8_t> damaged = bytes;
      damaged[i] ^= flip;
      ReadAndRun(std::move(damaged));
    }
  }
}

TEST_P(DamagedModel, IsRefusedWhereverItIsCutOff) {
  const std::vector<uint8_t> bytes = testing::MakeRandomModel(GetParam()).bytes;
  const size_t step = bytes.size() / 4000 + 1;
  for (size_t size = 0; size < bytes.size(); size += step)
    ReadAndRun({bytes.begin(), bytes.begin() + static_cast<int64_t>(size)});
}

TEST_P(DamagedModel, OfAnyOtherOperatorIsRefusedOrRuns) {
  for (uint64_t seed = 20 * GetParam(); seed < 20 * GetParam() + 20; ++seed) {
    const std::vector<uint8_t> bytes = testing::MakeRandomOperator(seed).bytes;
    const size_t step = bytes.size() / 400 + 1;
    for (size_t i = seed % step; i < bytes.size(); i += step) {
      for (const uint8_t flip : {0x01, 0x80, 0xff}) {
        std::vector<uint8_t> damaged = bytes;
        damaged[i] ^= flip;
        ReadAndRun(std::move(damaged));
      }
    }
  }
}

// With both descriptions of the input and a label file behind the tables, as qat-convert writes them.
TEST(Model, OfOurWriterIsRefusedOrRunsWhereverOneByteIsWrong) {
  const std::vector<uint8_t> bytes = testing::TinyModel(DType::kUInt8);
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const uint8_t flip : {0x01, 0x80, 0xff}) {
      std::vector<uint8_t> damaged = bytes;
      damaged[i] ^= flip;
      ReadAndRun(std::move(damaged));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Model, DamagedModel, ::testing::Range<uint64_t>(500, 512));

}  // namespace
}  // namespace qat
