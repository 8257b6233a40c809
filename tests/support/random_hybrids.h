// random_hybrids.h: random .tflite files of one float layer each whose filter is 8 bits.
#ifndef QAT_TESTS_SUPPORT_RANDOM_HYBRIDS_H_
#define QAT_TESTS_SUPPORT_RANDOM_HYBRIDS_H_

#include <algorithm>
#include <vector>

#include "support/random_models.h"

namespace qat::testing {

class RandomHybridMaker : private RandomModelMaker {
 public:
  explicit RandomHybridMaker(uint64_t seed) : RandomModelMaker(seed) {}

  RandomModel Make() {
    if (random_.Below(3) == 0) {
      AppendFullyConnected();
    } else {
      AppendConvolution(random_.Below(2) == 0);
    }
    RandomModel model = Finish();
    model.exact = true;
    return model;
  }

 private:
  void AddOutput(const Shape& shape) {
    shape_ = shape;
    current_ = builder_.AddTensor("output", shape, DType::kFloat32);
  }
  tflite::ActivationFunctionType AnyFused() {
    return static_cast<tflite::ActivationFunctionType>(AnyActivation());
  }
  int32_t AddFloatBias(int32_t units) {
    return builder_.AddConstant("bias", {units}, RandomReals(static_cast<size_t>(units), 1));
  }

  // One scale for each of the channels along `axis`, or one for all.
  int32_t AddInt8Filter(const Shape& shape, int32_t axis, bool per_axis) {
    std::vector<int8_t> values(static_cast<size_t>(FlatSize(shape)));
    const bool four_bits = axis == 0 && random_.Below(4) == 0;  // TFLite runs none in depthwise convolutions
    for (int8_t& value : values)
      value = static_cast<int8_t>(four_bits ? random_.Between(-8, 7) : random_.Between(-127, 127));
    if (four_bits) description_ += " of 4 bits";
    TensorQuantization scales{{}, {}, axis};
    for (int32_t c = 0; c < (per_axis ? shape[static_cast<size_t>(axis)] : 1); ++c) {
      scales.scale.push_back(Real(0.002f, 0.02f));
      scales.zero_point.push_back(0);
    }
    description_ += per_axis ? " per axis" : "";
    return four_bits ? builder_.AddInt4Constant("filter", shape, values, scales)
                     : builder_.AddConstant("filter", shape, values, scales);
  }

  void AppendFullyConnected() {
    Start(RowsShape());
    const int32_t input = current_, units = random_.Between(1, 9), depth = shape_.back();
    const bool asymmetric = random_.Below(2) == 0;
    const int32_t filter = AddInt8Filter({units, depth}, 0, random_.Below(2) == 0);
    const int32_t bias = AddFloatBias(units);
    AddOutput({static_cast<int32_t>(FlatSize(shape_)) / depth, units});
    const auto options = tflite::CreateFullyConnectedOptions(
        builder_.fbb, AnyFused(), tflite::FullyConnectedOptionsWeightsFormat_DEFAULT, false, asymmetric);
    builder_.AddOperator(tflite::BuiltinOperator_FULLY_CONNECTED, {input, filter, bias}, {current_},
                         tflite::BuiltinOptions_FullyConnectedOptions, options.Union(), 9);
    description_ += StrCat(" fully_connected ", units, asymmetric ? " asymmetric" : "");
  }

  void AppendConvolution(bool depthwise) {
    Start(ImageShape());
    const int32_t input = current_, depth = shape_[3];
    const Padding padding = AnyPadding();
    const int32_t size = FilterSize(padding, std::min(shape_[1], shape_[2]), 1);
    const int32_t units = depthwise ? depth : random_.Between(1, 9);
    const Shape shape = depthwise ? Shape{1, size, size, units} : Shape{units, size, size, depth};
    const int32_t filter = AddInt8Filter(shape, depthwise ? 3 : 0, depthwise || random_.Below(3) != 0);
    const int32_t bias = AddFloatBias(units);
    AddOutput({shape_[0], ComputeWindow(padding, shape_[1], size, 1).output,
               ComputeWindow(padding, shape_[2], size, 1).output, units});
    const auto pad = static_cast<tflite::Padding>(padding);
    if (depthwise) {
      builder_.AddOperator(
          tflite::BuiltinOperator_DEPTHWISE_CONV_2D, {input, filter, bias}, {current_},
          tflite::BuiltinOptions_DepthwiseConv2DOptions,
          tflite::CreateDepthwiseConv2DOptions(builder_.fbb, pad, 1, 1, 1, AnyFused()).Union(), 6);
    } else {
      builder_.AddOperator(tflite::BuiltinOperator_CONV_2D, {input, filter, bias}, {current_},
                           tflite::BuiltinOptions_Conv2DOptions,
                           tflite::CreateConv2DOptions(builder_.fbb, pad, 1, 1, AnyFused()).Union(), 5);
    }
    description_ += StrCat(depthwise ? " depthwise" : "", " conv_2d filter ", ToString(shape));
  }
};

inline RandomModel MakeRandomHybrid(uint64_t seed) { return RandomHybridMaker(seed).Make(); }

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_RANDOM_HYBRIDS_H_
