// Threads change no byte: layers large enough to be split over them, by type, kernels and instruction set.
#include <gtest/gtest.h>

#include "base/random.h"
#include "support/model_builder.h"
#include "support/run_model.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Open;
using testing::Quantized;
using testing::TensorQuantization;

constexpr int32_t kDepth = 24;

// Two images of 31x33: 3x3 convolution, depthwise 3x3 with stride 2, 1x1 convolution, the sum of that with
// itself, and a fully connected layer over its pixels.
class LargeModel {
 public:
  explicit LargeModel(DType type) : type_(type) {}

  std::vector<uint8_t> Make() {
    const int32_t x = Tensor("x", {2, 31, 33, 16});
    const int32_t wide = Tensor("wide", {2, 31, 33, kDepth}), half = Tensor("half", {2, 16, 17, kDepth});
    const int32_t mixed = Tensor("mixed", {2, 16, 17, kDepth}), sum = Tensor("sum", {2, 16, 17, kDepth});
    const int32_t y = Tensor("y", {2 * 16 * 17, 40});
    builder_.AddConv2D(x, Filter({kDepth, 3, 3, 16}), Bias(kDepth), wide, {});
    const auto options = tflite::CreateDepthwiseConv2DOptions(builder_.fbb, tflite::Padding_SAME, 2, 2, 1);
    builder_.AddOperator(tflite::BuiltinOperator_DEPTHWISE_CONV_2D,
                         {wide, Filter({1, 3, 3, kDepth}), Bias(kDepth)}, {half},
                         tflite::BuiltinOptions_DepthwiseConv2DOptions, options.Union(), 3);
    builder_.AddConv2D(half, Filter({kDepth, 1, 1, kDepth}), Bias(kDepth), mixed, {});
    builder_.AddOperator(tflite::BuiltinOperator_ADD, {mixed, half}, {sum}, tflite::BuiltinOptions_AddOptions,
                         tflite::CreateAddOptions(builder_.fbb).Union(), 2);
    builder_.AddFullyConnected(sum, Filter({40, kDepth}), Bias(40), y, Activation::kRelu);
    return builder_.Finish({x}, {y});
  }

 private:
  TensorQuantization Params(float scale, int32_t zero_point) const {
    if (type_ == DType::kFloat32) return {};
    return Quantized(scale, type_ == DType::kInt8 ? zero_point - 128 : zero_point);
  }
  int32_t Tensor(const char* name, const Shape& shape) {
    return builder_.AddTensor(name, shape, type_, Params(0.05f, 120));
  }
  int32_t Filter(const Shape& shape) {
    const auto count = static_cast<size_t>(FlatSize(shape));
    if (type_ == DType::kFloat32) {
      std::vector<float> values(count);
      for (float& value : values) value = random_.Uniform() - 0.5f;
      return builder_.AddConstant("filter", shape, values);
    }
    std::vector<uint8_t> bytes(count);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_.Between(1, 255));
    if (type_ == DType::kUInt8) return builder_.AddConstant("filter", shape, bytes, Quantized(0.004f, 131));
    std::vector<int8_t> values(count);
    for (size_t i = 0; i < count; ++i) values[i] = static_cast<int8_t>(bytes[i] - 128);
    return builder_.AddConstant("filter", shape, values, Quantized(0.004f, 0));
  }
  int32_t Bias(int32_t units) {
    const auto count = static_cast<size_t>(units);
    if (type_ == DType::kFloat32)
      return builder_.AddConstant("bias", {units}, std::vector<float>(count, 0.5f));
    return builder_.AddConstant("bias", {units}, std::vector<int32_t>(count, 700),
                                Quantized(0.05f * 0.004f, 0));
  }

  DType type_;
  ModelBuilder builder_;
  Random random_{17};
};

// Two images of 63x65 through operators without filters, each of which is an output of the model.
class LargeChain {
 public:
  explicit LargeChain(DType type) : type_(type) {}

  std::vector<uint8_t> Make() {
    const int32_t x = Tensor({2, 63, 65, 32}, 0.05f, 120);
    const int32_t largest = Pool(tflite::BuiltinOperator_MAX_POOL_2D, x, 3);
    const int32_t averages = Pool(tflite::BuiltinOperator_AVERAGE_POOL_2D, x, 2);
    const int32_t both = Output({2, 63, 65, 64}, 0.05f, 120);
    builder_.AddOperator(tflite::BuiltinOperator_CONCATENATION, {largest, averages}, {both},
                         tflite::BuiltinOptions_ConcatenationOptions,
                         tflite::CreateConcatenationOptions(builder_.fbb, 3).Union(), 2);
    const int32_t nearest = Output({2, 70, 71, 64}, 0.05f, 120),
                  between = Output({2, 62, 61, 64}, 0.05f, 120);
    builder_.AddOperator(tflite::BuiltinOperator_RESIZE_NEAREST_NEIGHBOR, {both, Size(70, 71)}, {nearest},
                         tflite::BuiltinOptions_ResizeNearestNeighborOptions,
                         tflite::CreateResizeNearestNeighborOptions(builder_.fbb, false, false).Union(), 3);
    builder_.AddOperator(tflite::BuiltinOperator_RESIZE_BILINEAR, {nearest, Size(62, 61)}, {between},
                         tflite::BuiltinOptions_ResizeBilinearOptions,
                         tflite::CreateResizeBilinearOptions(builder_.fbb, false, true).Union(), 3);
    const int32_t twice = Output({2, 62, 61, 64}, 0.1f, 110);
    builder_.AddOperator(tflite::BuiltinOperator_ADD, {between, between}, {twice},
                         tflite::BuiltinOptions_AddOptions, tflite::CreateAddOptions(builder_.fbb).Union(),
                         2);
    const int32_t logistic = Output({2, 62, 61, 64}, 1 / 256.0f, 0);
    builder_.AddOperator(tflite::BuiltinOperator_LOGISTIC, {twice}, {logistic}, tflite::BuiltinOptions_NONE,
                         0, 2);
    builder_.AddSoftmax(twice, Output({2, 62, 61, 64}, 1 / 256.0f, 0), 1);
    if (type_ != DType::kFloat32) {
      outputs_.push_back(builder_.AddTensor("real", {2, 62, 61, 64}, DType::kFloat32));
      builder_.AddOperator(tflite::BuiltinOperator_DEQUANTIZE, {twice}, {outputs_.back()},
                           tflite::BuiltinOptions_NONE, 0, 2);
    }
    return builder_.Finish({x}, outputs_);
  }

 private:
  int32_t Tensor(const Shape& shape, float scale, int32_t zero_point) {
    const int32_t shifted = type_ == DType::kInt8 ? zero_point - 128 : zero_point;
    return builder_.AddTensor("t", shape, type_,
                              type_ == DType::kFloat32 ? TensorQuantization{} : Quantized(scale, shifted));
  }
  int32_t Output(const Shape& shape, float scale, int32_t zero_point) {
    outputs_.push_back(Tensor(shape, scale, zero_point));
    return outputs_.back();
  }
  int32_t Pool(tflite::BuiltinOperator code, int32_t input, int32_t filter) {
    const int32_t output = Output({2, 63, 65, 32}, 0.05f, 120);
    builder_.AddPool2D(code, input, output, {filter, filter, 1, 1, Padding::kSame});
    return output;
  }
  int32_t Size(int32_t height, int32_t width) {
    return builder_.AddConstant<int32_t>("size", {2}, {height, width});
  }

  DType type_;
  ModelBuilder builder_;
  std::vector<int32_t> outputs_;
};

std::vector<uint8_t> OutputsOf(const std::vector<uint8_t>& model, DType type,
                               const InterpreterOptions& options) {
  const auto interpreter = Open(model, options);
  Random random(5);
  const std::span<uint8_t> input = interpreter->input(0);
  for (size_t i = 0; i < input.size(); i += SizeOf(type)) {
    if (type == DType::kFloat32) {
      const float value = random.Uniform() - 0.5f;
      std::memcpy(input.data() + i, &value, sizeof(value));
    } else {
      input[i] = static_cast<uint8_t>(random.Below(256));
    }
  }
  interpreter->Invoke();
  std::vector<uint8_t> outputs;
  for (size_t i = 0; i < interpreter->model().outputs().size(); ++i) {
    const auto output = interpreter->output(i);
    outputs.insert(outputs.end(), output.begin(), output.end());
  }
  return outputs;
}

class Threads : public ::testing::TestWithParam<DType> {};

void ExpectTheSameOnAnyThreads(const std::vector<uint8_t>& model, DType type) {
  for (const KernelSet kernels : {KernelSet::kReference, KernelSet::kFast}) {
    for (const Isa isa : AvailableIsas()) {
      InterpreterOptions options;
      options.kernels = kernels;
      options.isa = isa;
      const std::vector<uint8_t> alone = OutputsOf(model, type, options);
      for (const int threads : {2, 3, 5}) {
        options.threads = threads;
        EXPECT_EQ(OutputsOf(model, type, options), alone) << NameOf(isa) << ", " << threads << " threads";
      }
      if (kernels == KernelSet::kReference) break;
    }
  }
}

TEST_P(Threads, ChangeNoByteUnderAnyKernels) {
  ExpectTheSameOnAnyThreads(LargeModel(GetParam()).Make(), GetParam());
}

TEST_P(Threads, ChangeNoByteOfOperatorsWithoutFilters) {
  ExpectTheSameOnAnyThreads(LargeChain(GetParam()).Make(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Types, Threads, ::testing::Values(DType::kFloat32, DType::kUInt8, DType::kInt8),
                         [](const auto& instance) { return std::string(NameOf(instance.param)); });

}  // namespace
}  // namespace qat
