// random_operators.h: random .tflite files of one operator each, of those that random_models.h does not make.
#ifndef QAT_TESTS_SUPPORT_RANDOM_OPERATORS_H_
#define QAT_TESTS_SUPPORT_RANDOM_OPERATORS_H_

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "support/random_models.h"

namespace qat::testing {

class RandomOperatorMaker : private RandomModelMaker {
 public:
  explicit RandomOperatorMaker(uint64_t seed) : RandomModelMaker(seed) {}

  /// One 8-bit depthwise convolution whose channels lie around the widths of registers.
  RandomModel MakeDepthwise() {
    quantized_ = true;
    element_ = random_.Below(2) == 0 ? DType::kUInt8 : DType::kInt8;
    const int32_t depth =
        Pick({1, 2, 3, 5, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 96, 130});
    Start({random_.Between(1, 2), random_.Between(1, 9), random_.Between(1, 12), depth});
    AppendDepthwiseConv2D();
    return Finish();
  }

  /// The same on floats.
  RandomModel MakeFloatDepthwise() {
    quantized_ = false;
    element_ = DType::kFloat32;
    const int32_t depth = Pick({3, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 40, 63, 64, 65, 72, 96, 130});
    Start({random_.Between(1, 2), random_.Between(1, 9), random_.Between(1, 17), depth});
    AppendDepthwiseConv2D();
    return Finish();
  }

  /// One operator of int16 activations, of those that are made here or in random_models.h.
  RandomModel MakeInt16() {
    ChooseInt16();
    switch (random_.Below(12)) {
      case 0:
      case 1:
        Start(ImageShape());
        AppendConv2D();
        return Finish();
      case 2:
      case 3:
        Start(RowsShape());
        AppendFullyConnected();
        return Finish();
      case 4:
        Start(ImageShape());
        AppendPool2D(random_.Below(2) == 0 ? tflite::BuiltinOperator_MAX_POOL_2D
                                           : tflite::BuiltinOperator_AVERAGE_POOL_2D);
        return Finish();
      case 5:
        Start(AnyShape());
        AppendSoftmax();
        return Finish();
      default:
        return MakeOf();
    }
  }

  /// One layer with a filter of 4 bits.
  RandomModel MakeInt4() {
    ChooseInt16();
    four_bits_ = true;
    if (random_.Below(3) != 0) {
      element_ = DType::kInt8;
      bias_type_ = DType::kFloat32;
    }
    // TFLite has none on int16 in depthwise convolutions.
    switch (random_.Below(element_ == DType::kInt8 ? 3 : 2)) {
      case 0:
        Start(ImageShape());
        AppendConv2D();
        break;
      case 1:
        Start(RowsShape());
        AppendFullyConnected();
        break;
      default:
        Start(ImageShape());
        AppendDepthwiseConv2D();
        break;
    }
    return Finish();
  }

  RandomModel Make() {
    ChooseElement();
    return MakeOf();
  }

 private:
  RandomModel MakeOf() {
    switch (random_.Below(15)) {
      case 0:
      case 1:
        Start(ImageShape());
        AppendDepthwiseConv2D();
        break;
      case 2:
      case 3:
        AppendBinary();
        break;
      case 4:
        Start(AnyShape());
        AppendUnary();
        break;
      case 5:
        Start(AnyShape());
        AppendQuantize();
        break;
      case 6:
        Start(AnyShape());
        AppendPad();
        break;
      case 7:
        Start(AnyShape());
        AppendMean();
        break;
      case 8:
        Start(AnyShape());
        AppendConcatenation();
        break;
      case 9:
        Start(AnyShape());
        AppendSlice();
        break;
      case 10:
        Start(AnyShape());
        AppendTransposed();
        break;
      case 11:
        Start(AnyShape());
        AppendAxes();
        break;
      case 12:
        Start(ImageShape());
        AppendResize();
        break;
      case 13:
        AppendSplit();
        break;
      default:
        AppendTransposeConv();
        break;
    }
    return Finish();
  }

  // Of the operator that is added next: 8-bit types came with version 2 in most.
  int32_t Version() const { return element_ == DType::kInt8 ? 2 : 1; }

  void AddOutput(const Shape& shape, const TensorQuantization& quantization) {
    shape_ = shape;
    quantization_ = quantization;
    current_ = builder_.AddTensor("output", shape, element_, quantization);
  }

  int32_t AddValues(const std::string& name, const Shape& shape, const TensorQuantization& quantization) {
    const auto count = static_cast<size_t>(FlatSize(shape));
    if (!quantized_) return builder_.AddConstant(name, shape, RandomReals(count, 3.0f));
    const std::vector<uint8_t> bytes = RandomBytes(count * SizeOf(element_));
    if (element_ == DType::kInt16) {
      std::vector<int16_t> values(count);
      std::memcpy(values.data(), bytes.data(), bytes.size());
      return builder_.AddConstant(name, shape, values, quantization);
    }
    if (element_ == DType::kUInt8) return builder_.AddConstant(name, shape, bytes, quantization);
    return builder_.AddConstant(name, shape, std::vector<int8_t>(bytes.begin(), bytes.end()), quantization);
  }

  void AppendDepthwiseConv2D() {
    DepthwiseConv2DAttributes a;
    a.padding = AnyPadding();
    a.depth_multiplier = Pick({1, 1, 1, 2, 3});
    a.stride_h = a.stride_w = random_.Between(1, 3);
    a.dilation_h = Pick({1, 1, 1, 2, 3});
    a.dilation_w = Pick({1, 1, 1, 2, 3});
    a.activation = AnyActivation();
    const int32_t height = FilterSize(a.padding, shape_[1], a.dilation_h);
    const int32_t width = FilterSize(a.padding, shape_[2], a.dilation_w);
    const int32_t channels = shape_[3] * a.depth_multiplier;
    const int32_t input = current_;
    if (element_ == DType::kInt16) bias_type_ = DType::kFloat32;  // it has 64-bit biases only
    const int32_t filter = AddFilter({1, height, width, channels}, 3);
    const int32_t bias = AddBias(channels, int64_t{height} * width);
    AddMacOutput({shape_[0], ComputeWindow(a.padding, shape_[1], height, a.stride_h, a.dilation_h).output,
                  ComputeWindow(a.padding, shape_[2], width, a.stride_w, a.dilation_w).output, channels},
                 int64_t{height} * width);
    const auto options = tflite::CreateDepthwiseConv2DOptions(
        builder_.fbb, static_cast<tflite::Padding>(a.padding), a.stride_w, a.stride_h, a.depth_multiplier,
        static_cast<tflite::ActivationFunctionType>(a.activation), a.dilation_w, a.dilation_h);
    builder_.AddOperator(tflite::BuiltinOperator_DEPTHWISE_CONV_2D, {input, filter, bias}, {current_},
                         tflite::BuiltinOptions_DepthwiseConv2DOptions, options.Union(),
                         element_ == DType::kInt8 ? 3 : 2);
    description_ += StrCat(" depthwise_conv_2d ", height, "x", width, " ", Describe(a));
  }

  // A shape that broadcasts with `shape`: fewer axes, some of size 1.
  Shape Broadcastable(const Shape& shape) {
    Shape other = shape;
    if (random_.Below(3) == 0) return other;
    for (int32_t& size : other) size = random_.Below(2) == 0 ? 1 : size;
    other.erase(other.begin(), other.begin() + random_.Between(0, static_cast<int32_t>(other.size())));
    return other;
  }

  void AppendBinary() {
    constexpr tflite::BuiltinOperator kCodes[] = {
        tflite::BuiltinOperator_ADD,     tflite::BuiltinOperator_SUB,     tflite::BuiltinOperator_MUL,
        tflite::BuiltinOperator_MAXIMUM, tflite::BuiltinOperator_MINIMUM, tflite::BuiltinOperator_PRELU};
    const bool int16 = element_ == DType::kInt16;
    const tflite::BuiltinOperator code = kCodes[random_.Below(int16 ? 5 : 6)];
    const bool moves = code == tflite::BuiltinOperator_MAXIMUM || code == tflite::BuiltinOperator_MINIMUM;
    Shape whole = AnyShape();
    const bool prelu = code == tflite::BuiltinOperator_PRELU;
    // TFLite's prelu wants as many axes of alpha as of its input, less the batch.
    if (prelu) whole.insert(whole.begin(), 1);
    if (prelu && whole.size() > 4) whole.pop_back();
    Start(whole);
    Shape other = prelu ? Shape(whole.begin() + 1, whole.end()) : Broadcastable(whole);
    if (prelu && random_.Below(2) == 0) std::fill(other.begin(), other.end() - 1, 1);
    TensorQuantization second = Quantization(Real(0.003f, 0.1f));
    TensorQuantization output = Quantization(Real(0.002f, 0.2f));
    shifts_ = int16 && random_.Below(3) == 0;
    if (shifts_) {
      const float steps = std::ldexp(1.0f, -random_.Between(3, 9));
      const bool first = random_.Below(2) == 0;
      second = Quantized(first ? steps : std::ldexp(steps, -random_.Between(0, 4)), 0);
      restart_scale_ = first ? std::ldexp(steps, -random_.Between(0, 4)) : steps;
      output = Quantized(steps, 0);
      if (code == tflite::BuiltinOperator_ADD) other = whole;
      Start(whole);
    }
    const int32_t constant = AddValues("second", other, second);
    std::vector<int32_t> inputs = {current_, constant};
    if (!prelu && random_.Below(2) == 0) std::swap(inputs[0], inputs[1]);
    AddOutput(whole, output);
    const auto activation = prelu || moves ? tflite::ActivationFunctionType_NONE
                                           : static_cast<tflite::ActivationFunctionType>(AnyActivation());
    AddBinaryOperator(code, inputs, activation);
    description_ += StrCat(" ", tflite::EnumNameBuiltinOperator(code), " with ", ToString(other),
                           " activation ", int{activation});
  }

  void AddBinaryOperator(tflite::BuiltinOperator code, const std::vector<int32_t>& inputs,
                         tflite::ActivationFunctionType activation) {
    auto& fbb = builder_.fbb;
    switch (code) {
      case tflite::BuiltinOperator_ADD:
        return builder_.AddOperator(code, inputs, {current_}, tflite::BuiltinOptions_AddOptions,
                                    tflite::CreateAddOptions(fbb, activation, shifts_).Union(), Version());
      case tflite::BuiltinOperator_SUB:
        return builder_.AddOperator(code, inputs, {current_}, tflite::BuiltinOptions_SubOptions,
                                    tflite::CreateSubOptions(fbb, activation, shifts_).Union(), Version());
      case tflite::BuiltinOperator_MUL:
        return builder_.AddOperator(code, inputs, {current_}, tflite::BuiltinOptions_MulOptions,
                                    tflite::CreateMulOptions(fbb, activation).Union(), Version());
      case tflite::BuiltinOperator_PRELU:
        return builder_.AddOperator(code, inputs, {current_});
      default:
        return builder_.AddOperator(code, inputs, {current_}, tflite::BuiltinOptions_MaximumMinimumOptions,
                                    tflite::CreateMaximumMinimumOptions(fbb).Union(), Version());
    }
  }

  void AppendUnary() {
    constexpr tflite::BuiltinOperator kCodes[] = {
        tflite::BuiltinOperator_RELU,       tflite::BuiltinOperator_RELU6,
        tflite::BuiltinOperator_LEAKY_RELU, tflite::BuiltinOperator_RELU_N1_TO_1,
        tflite::BuiltinOperator_HARD_SWISH, tflite::BuiltinOperator_LOGISTIC,
        tflite::BuiltinOperator_TANH};
    constexpr tflite::BuiltinOperator kInt16[] = {
        tflite::BuiltinOperator_RELU, tflite::BuiltinOperator_RELU6, tflite::BuiltinOperator_LEAKY_RELU,
        tflite::BuiltinOperator_LOGISTIC, tflite::BuiltinOperator_TANH};
    const bool int16 = element_ == DType::kInt16;
    const tflite::BuiltinOperator code = int16 ? kInt16[random_.Below(5)] : kCodes[random_.Below(7)];
    const bool sigmoid = code == tflite::BuiltinOperator_LOGISTIC || code == tflite::BuiltinOperator_TANH;
    if (int16 && sigmoid) {
      // Scales of practice; now and then those that are shifted, and those that saturate.
      const float scales[] = {1.0f / 4096, 1.0f / 2048, Real(1e-5f, 1e-3f), Real(1e-5f, 1e-3f),
                              Real(1e-3f, 2.0f)};
      restart_scale_ = scales[random_.Below(5)];
      Start(shape_);
    }
    const int32_t input = current_;
    TensorQuantization output = Quantization(Real(0.003f, 0.2f));
    if (int16 && sigmoid) output = Quantized(1.0f / 32768, 0);
    if (quantized_ && !int16 && code == tflite::BuiltinOperator_LOGISTIC)
      output = Quantized(1.0f / 256, Shift());
    if (quantized_ && !int16 && code == tflite::BuiltinOperator_TANH)
      output = Quantized(1.0f / 128, 128 + Shift());
    AddOutput(shape_, output);
    auto options = tflite::BuiltinOptions_NONE;
    flatbuffers::Offset<void> table = 0;
    const float alpha = Real(-0.4f, 0.9f);
    if (code == tflite::BuiltinOperator_LEAKY_RELU) {
      options = tflite::BuiltinOptions_LeakyReluOptions;
      table = tflite::CreateLeakyReluOptions(builder_.fbb, alpha).Union();
    } else if (code == tflite::BuiltinOperator_HARD_SWISH) {
      options = tflite::BuiltinOptions_HardSwishOptions;
      table = tflite::CreateHardSwishOptions(builder_.fbb).Union();
    }
    const bool only_first = code == tflite::BuiltinOperator_LEAKY_RELU ||
                            code == tflite::BuiltinOperator_HARD_SWISH ||
                            code == tflite::BuiltinOperator_RELU_N1_TO_1;
    const bool relu = code == tflite::BuiltinOperator_RELU && quantized_;
    builder_.AddOperator(code, {input}, {current_}, options, table, only_first ? 1 : relu ? 2 : Version());
    description_ += StrCat(" ", tflite::EnumNameBuiltinOperator(code), " alpha ", alpha);
  }

  // From any type to any, whatever the input is.
  void AppendQuantize() {
    const int32_t input = current_;
    const bool to_reals = quantized_ && random_.Below(2) == 0;
    const auto code = to_reals ? tflite::BuiltinOperator_DEQUANTIZE : tflite::BuiltinOperator_QUANTIZE;
    const int32_t version = to_reals ? Version() : 1;
    if (to_reals) {
      current_ = builder_.AddTensor("output", shape_, DType::kFloat32);
      element_ = DType::kFloat32;
    } else {
      quantized_ = true;
      const bool from_int16 = element_ == DType::kInt16;
      element_ = random_.Below(2) == 0 ? from_int16 ? DType::kInt16 : DType::kUInt8 : DType::kInt8;
      if (random_.Below(4) == 0) element_ = DType::kInt16;
      AddOutput(shape_, Quantization(Real(0.003f, 0.2f)));
    }
    builder_.AddOperator(code, {input}, {current_}, tflite::BuiltinOptions_NONE, 0, version);
    description_ += StrCat(" to ", NameOf(element_));
  }

  void AppendPad() {
    const auto rank = static_cast<int32_t>(shape_.size());
    std::vector<int32_t> paddings;
    Shape output = shape_;
    for (int32_t& size : output) {
      paddings.push_back(random_.Between(0, 3));
      paddings.push_back(random_.Between(0, 3));
      size += paddings[paddings.size() - 2] + paddings.back();
    }
    const bool given = random_.Below(2) == 0;
    std::vector<int32_t> inputs = {current_, builder_.AddConstant("paddings", {rank, 2}, paddings)};
    if (given) inputs.push_back(AddValues("value", {1}, quantization_));
    AddOutput(output, quantization_);
    builder_.AddOperator(given ? tflite::BuiltinOperator_PADV2 : tflite::BuiltinOperator_PAD, inputs,
                         {current_}, tflite::BuiltinOptions_NONE, 0, Version());
    description_ += StrCat(given ? " pad_v2 to " : " pad to ", ToString(output));
  }

  int32_t AddIndices(const std::string& name, const std::vector<int32_t>& values) {
    return builder_.AddConstant(name, {static_cast<int32_t>(values.size())}, values);
  }

  // Two or three inputs; uint8 ones may each have parameters of their own.
  void AppendConcatenation() {
    const auto rank = static_cast<int32_t>(shape_.size());
    const int32_t axis = random_.Between(-rank, rank - 1);
    const auto index = static_cast<size_t>(axis < 0 ? axis + rank : axis);
    const bool equal = element_ == DType::kInt8 || element_ == DType::kInt16 || random_.Below(3) == 0;
    std::vector<int32_t> inputs = {current_};
    Shape output = shape_;
    for (int32_t i = random_.Between(1, 2); i > 0; --i) {
      Shape other = shape_;
      other[index] = random_.Between(1, 5);
      output[index] += other[index];
      inputs.push_back(AddValues("other", other, equal ? quantization_ : Quantization(Real(0.003f, 0.1f))));
    }
    if (random_.Below(2) == 0) std::swap(inputs[0], inputs[1]);
    AddOutput(output, equal ? quantization_ : Quantization(Real(0.003f, 0.1f)));
    builder_.AddOperator(tflite::BuiltinOperator_CONCATENATION, inputs, {current_},
                         tflite::BuiltinOptions_ConcatenationOptions,
                         tflite::CreateConcatenationOptions(builder_.fbb, axis).Union(), Version());
    description_ += StrCat(" concatenation along ", axis, " to ", ToString(output));
  }

  // Equal parts, or parts of given sizes of which one is open. All of them are outputs.
  void AppendSplit() {
    Shape whole = AnyShape();
    const auto rank = static_cast<int32_t>(whole.size());
    const int32_t axis = random_.Between(-rank, rank - 1);
    const auto index = static_cast<size_t>(axis < 0 ? axis + rank : axis);
    const int32_t parts = random_.Between(1, 4);
    const bool equal = random_.Below(2) == 0;
    std::vector<int32_t> sizes(static_cast<size_t>(parts), random_.Between(1, 3));
    if (!equal) {
      for (int32_t& size : sizes) size = random_.Between(1, 4);
    }
    whole[index] = std::accumulate(sizes.begin(), sizes.end(), 0);
    Start(whole);
    const int32_t input = current_;
    const int32_t axis_input = builder_.AddConstant<int32_t>("axis", {}, {axis});
    for (const int32_t size : sizes) {
      Shape part = whole;
      part[index] = size;
      AddOutput(part, quantization_);
      outputs_.push_back(current_);
    }
    description_ += StrCat(equal ? " split " : " split_v ", axis, " into ", ToString(sizes));
    if (equal) {
      return builder_.AddOperator(tflite::BuiltinOperator_SPLIT, {axis_input, input}, outputs_,
                                  tflite::BuiltinOptions_SplitOptions,
                                  tflite::CreateSplitOptions(builder_.fbb, parts).Union(), Version());
    }
    sizes[static_cast<size_t>(random_.Between(0, parts - 1))] = -1;
    builder_.AddOperator(tflite::BuiltinOperator_SPLIT_V, {input, AddIndices("sizes", sizes), axis_input},
                         outputs_, tflite::BuiltinOptions_SplitVOptions,
                         tflite::CreateSplitVOptions(builder_.fbb, parts).Union(), Version());
  }

  void AppendSlice() {
    std::vector<int32_t> begin, end, strides, size;
    const int32_t input = current_;
    Shape output;
    const bool strided = random_.Below(2) == 0;
    int32_t open_begin = 0, open_end = 0, shrink = 0;
    for (size_t i = 0; i < shape_.size(); ++i) {
      const int32_t extent = shape_[i];
      const int32_t first = random_.Between(0, extent - 1), last = random_.Between(first, extent - 1);
      const int32_t bit = 1 << i;
      const bool backwards = strided && random_.Below(3) == 0;
      strides.push_back(strided ? random_.Between(1, 3) * (backwards ? -1 : 1) : 1);
      begin.push_back(backwards ? last : first);
      end.push_back(backwards ? first - 1 : last + 1);
      if (backwards && first == 0) open_end |= bit;  // -1 would be the last
      size.push_back(last - first + 1);
      if (strided && random_.Below(5) == 0) {
        shrink |= bit;
        strides.back() = 1;
        open_end &= ~bit;
        end.back() = begin.back() + 1;
        continue;
      }
      if (strided && random_.Below(5) == 0) begin.back() -= extent;
      output.push_back((size.back() - 1) / std::abs(strides.back()) + 1);
    }
    description_ += StrCat(strided ? " strided_slice " : " slice ", ToString(begin), " ", ToString(end), " ",
                           ToString(strides), " to ", ToString(output));
    std::vector<int32_t> inputs = {input, AddIndices("begin", begin),
                                   AddIndices("end", strided ? end : size)};
    if (strided) inputs.push_back(AddIndices("strides", strides));
    AddOutput(output, quantization_);
    if (strided) {
      const auto options =
          tflite::CreateStridedSliceOptions(builder_.fbb, open_begin, open_end, 0, 0, shrink);
      builder_.AddOperator(tflite::BuiltinOperator_STRIDED_SLICE, inputs, {current_},
                           tflite::BuiltinOptions_StridedSliceOptions, options.Union(), Version());
    } else {
      builder_.AddOperator(tflite::BuiltinOperator_SLICE, inputs, {current_}, tflite::BuiltinOptions_NONE, 0,
                           Version());
    }
  }

  void AppendTransposed() {
    std::vector<int32_t> permutation, left;
    Shape output;
    for (size_t i = 0; i < shape_.size(); ++i) left.push_back(static_cast<int32_t>(i));
    while (!left.empty()) {
      const auto at = left.begin() + random_.Below(static_cast<uint32_t>(left.size()));
      permutation.push_back(*at);
      output.push_back(shape_[static_cast<size_t>(*at)]);
      left.erase(at);
    }
    const std::vector<int32_t> inputs = {current_, AddIndices("permutation", permutation)};
    AddOutput(output, quantization_);
    builder_.AddOperator(tflite::BuiltinOperator_TRANSPOSE, inputs, {current_}, tflite::BuiltinOptions_NONE,
                         0, Version());
    description_ += StrCat(" transpose ", ToString(permutation));
  }

  // An axis of size 1 put in, or those there are taken out.
  void AppendAxes() {
    const int32_t input = current_;
    Shape output = shape_;
    if (random_.Below(2) == 0) {
      const auto rank = static_cast<int32_t>(shape_.size());
      const int32_t axis = random_.Between(-rank - 1, rank);
      output.insert(output.begin() + (axis < 0 ? axis + rank + 1 : axis), 1);
      const int32_t operand = builder_.AddConstant<int32_t>("axis", {}, {axis});
      AddOutput(output, quantization_);
      builder_.AddOperator(tflite::BuiltinOperator_EXPAND_DIMS, {input, operand}, {current_});
      description_ += StrCat(" expand_dims ", axis);
      return;
    }
    output.erase(std::remove(output.begin(), output.end(), 1), output.end());
    AddOutput(output, quantization_);
    builder_.AddOperator(tflite::BuiltinOperator_SQUEEZE, {input}, {current_},
                         tflite::BuiltinOptions_SqueezeOptions,
                         tflite::CreateSqueezeOptions(builder_.fbb).Union());
    description_ += " squeeze";
  }

  void AppendResize() {
    const uint32_t centers = random_.Below(3);
    const bool aligned = centers == 1, half = centers == 2;
    const Shape output = {shape_[0], random_.Between(1, 20), random_.Between(1, 20), shape_[3]};
    const std::vector<int32_t> inputs = {current_, AddIndices("size", {output[1], output[2]})};
    AddOutput(output, quantization_);
    if (random_.Below(2) == 0) {
      builder_.AddOperator(tflite::BuiltinOperator_RESIZE_BILINEAR, inputs, {current_},
                           tflite::BuiltinOptions_ResizeBilinearOptions,
                           tflite::CreateResizeBilinearOptions(builder_.fbb, aligned, half).Union(), 3);
      description_ += " resize_bilinear";
    } else {
      builder_.AddOperator(tflite::BuiltinOperator_RESIZE_NEAREST_NEIGHBOR, inputs, {current_},
                           tflite::BuiltinOptions_ResizeNearestNeighborOptions,
                           tflite::CreateResizeNearestNeighborOptions(builder_.fbb, aligned, half).Union(),
                           3);
      description_ += " resize_nearest_neighbor";
    }
    description_ += StrCat(" to ", ToString(output), aligned ? " aligned" : "", half ? " half-pixel" : "");
  }

  void AppendTransposeConv() {
    TransposeConvAttributes a;
    a.padding = AnyPadding();
    a.stride_h = random_.Between(1, 3);
    a.stride_w = random_.Between(1, 3);
    a.activation = AnyActivation();
    const int32_t units = Pick({1, 2, 3, 8, 9});
    const Shape output = {random_.Between(1, 2), random_.Between(1, 12), random_.Between(1, 12), units};
    const int32_t height = FilterSize(a.padding, output[1], 1), width = FilterSize(a.padding, output[2], 1);
    const int32_t depth = Pick({1, 2, 3, 7, 16});
    Start({output[0], ComputeWindow(a.padding, output[1], height, a.stride_h).output,
           ComputeWindow(a.padding, output[2], width, a.stride_w).output, depth});
    const int64_t acc_depth = int64_t{height} * width * depth;
    std::vector<int32_t> inputs = {AddIndices("shape", output), AddFilter({units, height, width, depth}),
                                   current_};
    if (random_.Below(3) != 0) inputs.push_back(AddBias(units, acc_depth));
    AddMacOutput(output, acc_depth);
    const auto options = tflite::CreateTransposeConvOptions(
        builder_.fbb, static_cast<tflite::Padding>(a.padding), a.stride_w, a.stride_h,
        static_cast<tflite::ActivationFunctionType>(a.activation),
        static_cast<tflite::TensorType>(bias_type_));
    builder_.AddOperator(tflite::BuiltinOperator_TRANSPOSE_CONV, inputs, {current_},
                         tflite::BuiltinOptions_TransposeConvOptions, options.Union(), 4);
    description_ +=
        StrCat(" transpose_conv ", height, "x", width, " to ", ToString(output), " ", Describe(a));
  }

  void AppendMean() {
    const auto rank = static_cast<int32_t>(shape_.size());
    const bool keep = random_.Below(2) == 0;
    std::vector<int32_t> axes;
    Shape output;
    for (int32_t i = 0; i < rank; ++i) {
      const bool reduced = random_.Below(2) == 0;
      if (reduced) axes.push_back(random_.Below(2) == 0 ? i : i - rank);
      if (!reduced) output.push_back(shape_[static_cast<size_t>(i)]);
      if (reduced && keep) output.push_back(1);
    }
    if (axes.empty()) axes.push_back(0), output = shape_, output[0] = 1;
    if (!keep && output.size() == shape_.size()) output.erase(output.begin());
    const int32_t input = current_;
    const int32_t axis = builder_.AddConstant("axes", {static_cast<int32_t>(axes.size())}, axes);
    const bool largest = random_.Below(3) == 0;
    AddOutput(output, largest ? quantization_ : Quantization(Real(0.003f, 0.1f)));
    builder_.AddOperator(largest ? tflite::BuiltinOperator_REDUCE_MAX : tflite::BuiltinOperator_MEAN,
                         {input, axis}, {current_}, tflite::BuiltinOptions_ReducerOptions,
                         tflite::CreateReducerOptions(builder_.fbb, keep).Union(), Version());
    description_ +=
        StrCat(largest ? " reduce_max over " : " mean over ", ToString(axes), keep ? " keeping them" : "");
  }

  bool shifts_ = true;  // add and sub of int16: what their options say
};

inline RandomModel MakeRandomDepthwise(uint64_t seed) { return RandomOperatorMaker(seed).MakeDepthwise(); }
inline RandomModel MakeRandomFloatDepthwise(uint64_t seed) {
  return RandomOperatorMaker(seed).MakeFloatDepthwise();
}
inline RandomModel MakeRandomInt4Operator(uint64_t seed) { return RandomOperatorMaker(seed).MakeInt4(); }
inline RandomModel MakeRandomInt16Operator(uint64_t seed) { return RandomOperatorMaker(seed).MakeInt16(); }
inline RandomModel MakeRandomOperator(uint64_t seed) { return RandomOperatorMaker(seed).Make(); }

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_RANDOM_OPERATORS_H_
