// random_models.h: small random .tflite files: single operators and short chains, with odd sizes, strides,
// paddings, dilations, extreme zero points and scales that saturate. The same seed gives the same model on
// every machine.
#ifndef QAT_TESTS_SUPPORT_RANDOM_MODELS_H_
#define QAT_TESTS_SUPPORT_RANDOM_MODELS_H_

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/strings.h"
#include "ops/op.h"
#include "ops/padding.h"
#include "support/model_builder.h"

namespace qat::testing {

struct RandomModel {
  std::vector<uint8_t> bytes;
  std::vector<uint8_t> input;  ///< raw bytes of the first input
  std::string description;     ///< "uint8 [1, 5, 7, 3] conv_2d 3x3 …"
  bool exact = false;          ///< floats too must be TFLite's, bit for bit
};

class RandomModelMaker {
 public:
  explicit RandomModelMaker(uint64_t seed) : random_(seed) {}

  RandomModel Make() {
    ChooseElement();
    switch (random_.Below(9)) {
      case 0:
      case 1:
        Start(ImageShape());
        AppendConv2D();
        break;
      case 2:
        Start(RowsShape());
        AppendFullyConnected();
        break;
      case 3:
        Start(ImageShape());
        AppendPool2D(tflite::BuiltinOperator_MAX_POOL_2D);
        break;
      case 4:
        Start(ImageShape());
        AppendPool2D(tflite::BuiltinOperator_AVERAGE_POOL_2D);
        break;
      case 5:
        Start(AnyShape());
        AppendSoftmax();
        break;
      case 6:
        Start(AnyShape());
        AppendArgMax();
        break;
      case 7:
        Start(AnyShape());
        AppendReshape();
        break;
      default:
        MakeChain();
        break;
    }
    return Finish();
  }

  /// A uint8 or int8 convolution with a max pool behind it.
  RandomModel MakePooled() {
    quantized_ = true;
    element_ = random_.Below(2) == 0 ? DType::kUInt8 : DType::kInt8;
    const int32_t depth = Pick({1, 1, 2, 3, 3, 4, 6, 8, 17});
    Start({random_.Between(1, 2), random_.Between(1, 17), random_.Between(1, 17), depth});
    AppendConv2D();
    AppendPool2D(tflite::BuiltinOperator_MAX_POOL_2D, MaxPool());
    return Finish();
  }

  /// One uint8 or int8 convolution or fully connected layer whose depth and units lie around the widths of
  /// registers.
  RandomModel MakeWide() {
    quantized_ = wide_ = true;
    element_ = random_.Below(2) == 0 ? DType::kUInt8 : DType::kInt8;
    const int32_t depth = Pick({1, 3, 4, 7, 8, 12, 16, 20, 31, 32, 33, 63, 64, 65, 100});
    if (random_.Below(3) == 0) {
      Start({random_.Between(1, 14), depth * Pick({1, 2, 4, 7})});
      AppendFullyConnected();
    } else {
      Start({random_.Between(1, 2), random_.Between(1, 8), random_.Between(1, 8), depth});
      AppendConv2D();
    }
    return Finish();
  }

  /// One convolution of any type on several images, of which threads take whole ones.
  RandomModel MakeBatch() {
    ChooseElement();
    wide_ = quantized_;
    Start({Pick({2, 3, 4, 6, 8, 12, 13}), random_.Between(8, 14), random_.Between(8, 14), Pick({7, 16, 20})});
    AppendConv2D();
    return Finish();
  }

  /// One convolution or fully connected layer of any type with few rows and many units, which threads share
  /// by units.
  RandomModel MakeFewRows() {
    ChooseElement();
    const int32_t units = Pick({128, 130, 192, 199, 257, 320});
    if (random_.Below(3) == 0) {
      few_rows_units_ = units;
      Start({random_.Between(1, 5), Pick({900, 1024, 1801})});
      AppendFullyConnected();
    } else {
      const int32_t kernel = random_.Between(1, 2);
      Start({1, random_.Between(2, 7), random_.Between(2, 7), Pick({12, 50, 128, 300})});
      Conv2DAttributes a;
      a.padding = AnyPadding();
      a.activation = AnyActivation();
      AppendConv2D(a, kernel, kernel, units);
    }
    return Finish();
  }

  /// One convolution of bytes, mostly int8, whose windows are three columns wide and one apart, over wide
  /// images.
  RandomModel MakeColumns() {
    quantized_ = true;
    element_ = random_.Below(4) == 0 ? DType::kUInt8 : DType::kInt8;
    Start({random_.Between(1, 2), random_.Between(1, 9), random_.Between(3, 40),
           Pick({1, 4, 8, 12, 16, 20, 24})});
    Conv2DAttributes a;
    a.padding = AnyPadding();
    a.stride_h = random_.Between(1, 2);
    a.stride_w = 1;
    a.activation = AnyActivation();
    AppendConv2D(a, random_.Between(1, std::min(3, shape_[1])), 3,
                 Pick({1, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33}));
    return Finish();
  }

 protected:
  // int16 activations, int8 filters, biases of 64 bits or of 32.
  void ChooseInt16() {
    quantized_ = true;
    element_ = DType::kInt16;
    if (random_.Below(3) == 0) bias_type_ = DType::kInt32;
  }

  void ChooseElement() {
    const uint32_t type = random_.Below(5);
    quantized_ = type != 0;
    element_ = type == 0 ? DType::kFloat32 : type < 3 ? DType::kUInt8 : DType::kInt8;
  }

  RandomModel Finish() {
    RandomModel model;
    model.bytes = builder_.Finish({input_}, outputs_.empty() ? std::vector<int32_t>{current_} : outputs_);
    model.input = input_bytes_;
    model.description = description_;
    return model;
  }
  int32_t Units(std::initializer_list<int32_t> choices) {
    if (few_rows_units_ > 0) return few_rows_units_;
    return wide_ ? Pick({1, 7, 8, 9, 15, 16, 17, 24, 31, 33, 47, 48, 49, 63, 64, 65, 79, 96, 130})
                 : Pick(choices);
  }

  int32_t Pick(std::initializer_list<int32_t> choices) {
    return choices.begin()[random_.Below(static_cast<uint32_t>(choices.size()))];
  }
  float Real(float low, float high) { return low + (high - low) * random_.Uniform(); }
  DType Element() const { return element_; }
  // int8 values are those of uint8 less 128.
  int32_t Shift() const { return element_ == DType::kInt8 ? -128 : 0; }
  // Mostly inside, now and then at an end.
  int32_t ZeroPoint() {
    if (element_ == DType::kInt16) return 0;
    return Shift() + (random_.Below(4) == 0 ? Pick({0, 255, 128, 1}) : random_.Between(0, 255));
  }
  TensorQuantization Quantization(float scale) {
    return quantized_ ? Quantized(scale, ZeroPoint()) : TensorQuantization();
  }
  Activation AnyActivation() { return static_cast<Activation>(random_.Below(4)); }
  Padding AnyPadding() { return static_cast<Padding>(random_.Below(2)); }

  Shape ImageShape() {
    const int32_t depth = Pick({1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33});
    return {random_.Between(1, 2), random_.Between(1, 13), random_.Between(1, 13), depth};
  }
  Shape RowsShape() {
    if (random_.Below(3) == 0)
      return {random_.Between(1, 2), random_.Between(1, 4), random_.Between(1, 3), random_.Between(1, 9)};
    return {random_.Between(1, 4), Pick({1, 3, 7, 8, 15, 16, 17, 64, 100, 257, 1000})};
  }
  Shape AnyShape() {
    Shape shape;
    for (int32_t rank = random_.Between(1, 4); rank > 0; --rank) shape.push_back(random_.Between(1, 6));
    shape.back() = Pick({1, 2, 5, 10, 16, 100, 300});
    return shape;
  }

  void Start(const Shape& shape) {
    shape_ = shape;
    quantization_ = Quantization(Real(0.003f, 0.1f));
    if (restart_scale_ > 0) quantization_.scale[0] = restart_scale_;
    input_ = current_ = builder_.AddTensor("input", shape, Element(), quantization_);
    description_ = StrCat(NameOf(Element()), " ", ToString(shape));
    const auto count = static_cast<size_t>(FlatSize(shape));
    if (quantized_) {
      input_bytes_ = RandomBytes(count * SizeOf(element_));
    } else {
      const std::vector<float> values = RandomReals(count, Real(0.1f, 8.0f));
      input_bytes_.resize(count * sizeof(float));
      std::memcpy(input_bytes_.data(), values.data(), input_bytes_.size());
    }
  }

  std::vector<uint8_t> RandomBytes(size_t count) {
    // Sometimes only the ends of the range: the largest sums.
    const bool ends = random_.Below(6) == 0;
    std::vector<uint8_t> bytes(count);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(ends ? Pick({0, 255}) : random_.Between(0, 255));
    return bytes;
  }
  std::vector<float> RandomReals(size_t count, float largest) {
    std::vector<float> values(count);
    for (float& value : values) value = Real(-largest, largest);
    return values;
  }

  // The output channels of an int8 filter, which lie along `axis`, have one scale or one each.
  int32_t AddFilter(const Shape& shape, int32_t axis = 0) {
    filter_scale_ = Real(0.001f, 0.02f);
    const auto count = static_cast<size_t>(FlatSize(shape));
    if (!quantized_) return builder_.AddConstant("filter", shape, RandomReals(count, 0.5f));
    if (element_ == DType::kUInt8)
      return builder_.AddConstant("filter", shape, RandomBytes(count), Quantization(filter_scale_));
    const std::vector<uint8_t> bytes = RandomBytes(count);
    std::vector<int8_t> values(count);
    for (size_t i = 0; i < count; ++i) values[i] = static_cast<int8_t>(std::max(bytes[i] - 128, -127));
    if (four_bits_) {
      for (int8_t& value : values) value = static_cast<int8_t>(random_.Between(-8, 7));
      description_ += " of 4 bits";
    }
    const auto add = [&](const TensorQuantization& scales) {
      return four_bits_ ? builder_.AddInt4Constant("filter", shape, values, scales)
                        : builder_.AddConstant("filter", shape, values, scales);
    };
    if (random_.Below(3) == 0 || shape[static_cast<size_t>(axis)] == 1)
      return add(Quantized(filter_scale_, 0));
    TensorQuantization per_axis{{}, {}, axis};
    for (int32_t c = 0; c < shape[static_cast<size_t>(axis)]; ++c) {
      per_axis.scale.push_back(filter_scale_ * Real(0.05f, 2.0f));
      per_axis.zero_point.push_back(0);
    }
    description_ += " per axis";
    return add(per_axis);
  }

  int32_t AddBias(int32_t units, int64_t acc_depth) {
    const auto count = static_cast<size_t>(units);
    if (!quantized_) return builder_.AddConstant("bias", {units}, RandomReals(count, 1.0f));
    const auto spread = static_cast<int32_t>(5000 * std::sqrt(static_cast<double>(acc_depth))) + 1;
    std::vector<int32_t> values(count);
    for (int32_t& value : values) value = random_.Between(-spread, spread);
    const TensorQuantization quantization = Quantized(quantization_.scale[0] * filter_scale_, 0);
    if (element_ != DType::kInt16) return builder_.AddConstant("bias", {units}, values, quantization);
    for (int32_t& value : values) value *= 128;
    if (bias_type_ == DType::kInt32) return builder_.AddConstant("bias", {units}, values, quantization);
    return builder_.AddConstant("bias", {units}, std::vector<int64_t>(values.begin(), values.end()),
                                quantization);
  }

  // An output scale under which the sums fill the range, saturate it or hardly move.
  void AddMacOutput(const Shape& shape, int64_t acc_depth, bool may_be_dead = false) {
    if (quantized_) {
      const float spread = quantization_.scale[0] * filter_scale_ * 8000 *
                           std::sqrt(static_cast<float>(acc_depth)) *
                           (element_ == DType::kInt16 ? 0.5f : 1.0f);
      const float fill[] = {0.05f, 0.5f, 1.0f, 1.5f, 10.0f, 0.0001f};
      // Of int16 also one of a layer that is always 0, as other quantizers write it: TFLite's shift has no
      // meaning in C++ then, and convolutions alone answer as the processor does. Else not under what a
      // softmax behind it can take.
      const bool dead = may_be_dead && element_ == DType::kInt16 && random_.Below(4) == 0;
      quantization_ =
          Quantization(dead ? Real(1e-11f, 1e-8f) : std::max(spread / 64 * fill[random_.Below(6)], 1e-6f));
    }
    shape_ = shape;
    current_ = builder_.AddTensor("output", shape, Element(), quantization_);
  }

  void AppendConv2D() {
    Conv2DAttributes a;
    a.padding = AnyPadding();
    a.stride_h = random_.Between(1, 3);
    a.stride_w = random_.Between(1, 3);
    a.dilation_h = Pick({1, 1, 1, 2, 3});
    a.dilation_w = Pick({1, 1, 1, 2, 3});
    a.activation = AnyActivation();
    a.quantized_bias_type = bias_type_;
    const int32_t height = FilterSize(a.padding, shape_[1], a.dilation_h);
    const int32_t width = FilterSize(a.padding, shape_[2], a.dilation_w);
    AppendConv2D(a, height, width, Units({1, 2, 3, 4, 5, 6, 8, 9, 16, 19}));
  }

  void AppendConv2D(const Conv2DAttributes& a, int32_t height, int32_t width, int32_t units) {
    const Shape filter_shape = {units, height, width, shape_[3]};
    const int64_t acc_depth = int64_t{height} * width * shape_[3];
    const int32_t input = current_;
    const int32_t filter = AddFilter(filter_shape);
    const int32_t bias = AddBias(filter_shape[0], acc_depth);
    const Shape output = {
        shape_[0], ComputeWindow(a.padding, shape_[1], height, a.stride_h, a.dilation_h).output,
        ComputeWindow(a.padding, shape_[2], width, a.stride_w, a.dilation_w).output, filter_shape[0]};
    AddMacOutput(output, acc_depth, a.activation == Activation::kNone || a.activation == Activation::kRelu);
    builder_.AddConv2D(input, filter, bias, current_, a);
    description_ += StrCat(" conv_2d filter ", ToString(filter_shape), " ", Describe(a));
  }

  int32_t FilterSize(Padding padding, int32_t input, int32_t dilation) {
    const int32_t largest = padding == Padding::kValid ? (input - 1) / dilation + 1 : 6;
    return random_.Between(1, std::min(largest, 6));
  }

  // Windows mostly side by side, of up to 25 values.
  Pool2DAttributes MaxPool() {
    Pool2DAttributes a;
    a.filter_h = Pick({2, 2, 2, 2, 1, 3, 4, 5});
    a.filter_w = Pick({2, 2, 2, 2, 1, 3, 4, 5});
    a.stride_h = random_.Below(10) == 0 ? random_.Between(1, 3) : a.filter_h;
    a.stride_w = random_.Below(10) == 0 ? random_.Between(1, 3) : a.filter_w;
    const bool fits = a.filter_h <= shape_[1] && a.filter_w <= shape_[2];
    a.padding = fits ? AnyPadding() : Padding::kSame;
    a.activation = random_.Below(2) == 0 ? Activation::kNone : AnyActivation();
    return a;
  }

  void AppendFullyConnected() {
    const bool keep = random_.Below(4) == 0;
    const int32_t depth =
        keep || random_.Below(2) == 0 ? shape_.back() : static_cast<int32_t>(FlatSize(shape_));
    const int32_t units = Units({1, 2, 3, 4, 5, 7, 10, 16, 31});
    const Activation activation = AnyActivation();
    const int32_t input = current_;
    const int32_t filter = AddFilter({units, depth});
    const int32_t bias = random_.Below(4) == 0 ? -1 : AddBias(units, depth);
    Shape output = {static_cast<int32_t>(FlatSize(shape_) / depth), units};
    if (keep) {
      output = shape_;
      output.back() = units;
    }
    AddMacOutput(output, depth);
    builder_.AddFullyConnected(input, filter, bias, current_, activation, keep, bias_type_);
    description_ += StrCat(" fully_connected filter [", units, ", ", depth, "] activation ",
                           NameOf(activation), bias < 0 ? " no bias" : "");
  }

  void AppendPool2D(tflite::BuiltinOperator code) {
    Pool2DAttributes a;
    a.padding = AnyPadding();
    a.stride_h = random_.Between(1, 3);
    a.stride_w = random_.Between(1, 3);
    a.filter_h = FilterSize(a.padding, shape_[1], 1);
    a.filter_w = FilterSize(a.padding, shape_[2], 1);
    a.activation = AnyActivation();
    AppendPool2D(code, a);
  }
  void AppendPool2D(tflite::BuiltinOperator code, const Pool2DAttributes& a) {
    const int32_t input = current_;
    shape_ = {shape_[0], ComputeWindow(a.padding, shape_[1], a.filter_h, a.stride_h).output,
              ComputeWindow(a.padding, shape_[2], a.filter_w, a.stride_w).output, shape_[3]};
    current_ = builder_.AddTensor("output", shape_, Element(), quantization_);
    builder_.AddPool2D(code, input, current_, a);
    description_ += StrCat(" ", tflite::EnumNameBuiltinOperator(code), " ", Describe(a));
  }

  void AppendSoftmax() {
    const float beta = random_.Below(3) == 0 ? Real(0.1f, 3.0f) : 1.0f;
    const int32_t input = current_;
    if (quantized_)
      quantization_ = element_ == DType::kInt16 ? Quantized(1.0f / 32768, 0) : Quantized(1.0f / 256, Shift());
    current_ = builder_.AddTensor("output", shape_, Element(), quantization_);
    builder_.AddSoftmax(input, current_, beta);
    description_ += StrCat(" softmax beta ", beta);
  }

  void AppendArgMax() {
    const auto rank = static_cast<int32_t>(shape_.size());
    const int32_t axis = random_.Between(-rank, rank - 1);
    const DType type = random_.Below(2) == 0 ? DType::kInt32 : DType::kInt64;
    const int32_t input = current_;
    shape_.erase(shape_.begin() + (axis < 0 ? axis + rank : axis));
    current_ = builder_.AddTensor("output", shape_, type);
    builder_.AddArgMax(input, axis, current_, type);
    description_ += StrCat(" arg_max axis ", axis, " ", NameOf(type));
  }

  void AppendReshape() {
    const auto count = static_cast<int32_t>(FlatSize(shape_));
    const int32_t rows = count % 2 == 0 ? 2 : 1;
    const int32_t input = current_;
    shape_ = {rows, count / rows};
    current_ = builder_.AddTensor("output", shape_, Element(), quantization_);
    builder_.AddReshape(input, {rows, random_.Below(2) == 0 ? -1 : count / rows}, current_);
    description_ += StrCat(" reshape ", ToString(shape_));
  }

  void MakeChain() {
    Start({1, random_.Between(5, 13), random_.Between(5, 13), random_.Between(1, 4)});
    AppendConv2D();
    AppendPool2D(random_.Below(2) == 0 ? tflite::BuiltinOperator_MAX_POOL_2D
                                       : tflite::BuiltinOperator_AVERAGE_POOL_2D);
    if (random_.Below(2) == 0) AppendConv2D();
    if (random_.Below(2) == 0) AppendReshape();
    AppendFullyConnected();
    if (random_.Below(2) == 0) AppendFullyConnected();
    const uint32_t end = random_.Below(3);
    if (end == 0) AppendSoftmax();
    if (end == 1) AppendArgMax();
  }

  Random random_;
  ModelBuilder builder_;
  bool quantized_ = false;
  DType element_ = DType::kFloat32;
  bool wide_ = false;
  int32_t few_rows_units_ = 0;  // 0: as ever
  Shape shape_;
  int32_t input_ = -1;
  int32_t current_ = -1;
  std::vector<int32_t> outputs_;  // of the model; empty: the current tensor
  TensorQuantization quantization_;
  float filter_scale_ = 1;
  float restart_scale_ = 0;            // of the input, where it starts once more
  bool four_bits_ = false;             // filters
  DType bias_type_ = DType::kFloat32;  // of int16: what the options say; kFloat32: nothing
  std::vector<uint8_t> input_bytes_;
  std::string description_;
};

inline RandomModel MakeRandomModel(uint64_t seed) { return RandomModelMaker(seed).Make(); }
inline RandomModel MakePooledRandomModel(uint64_t seed) { return RandomModelMaker(seed).MakePooled(); }
inline RandomModel MakeWideRandomModel(uint64_t seed) { return RandomModelMaker(seed).MakeWide(); }
inline RandomModel MakeBatchRandomModel(uint64_t seed) { return RandomModelMaker(seed).MakeBatch(); }
inline RandomModel MakeFewRowsRandomModel(uint64_t seed) { return RandomModelMaker(seed).MakeFewRows(); }
inline RandomModel MakeColumnsRandomModel(uint64_t seed) { return RandomModelMaker(seed).MakeColumns(); }

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_RANDOM_MODELS_H_
