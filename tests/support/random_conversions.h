// random_conversions.h: random .tflite files of what converters write besides layers: arithmetic on shapes
// and indices, casts, weights stored in half their bytes, values quantized per axis, convolutions in groups.
#ifndef QAT_TESTS_SUPPORT_RANDOM_CONVERSIONS_H_
#define QAT_TESTS_SUPPORT_RANDOM_CONVERSIONS_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "support/random_models.h"

namespace qat::testing {

class RandomConversionMaker : private RandomModelMaker {
 public:
  explicit RandomConversionMaker(uint64_t seed) : RandomModelMaker(seed) {}

  RandomModel Make() {
    ChooseElement();
    switch (random_.Below(9)) {
      case 0:
      case 1:
        AppendGroups();
        break;
      case 2:
        AppendIndexArithmetic();
        break;
      case 3:
        AppendCast();
        break;
      case 4:
        AppendGather();
        break;
      case 5:
        AppendPack();
        break;
      case 6:
        AppendPerAxis();
        break;
      case 7:
        AppendHalves();
        break;
      default:
        AppendFlatten();
        break;
    }
    return Finish();
  }

 private:
  int32_t Version() const { return element_ == DType::kInt8 ? 2 : 1; }

  void AddOutput(const Shape& shape, DType type, const TensorQuantization& quantization = {}) {
    current_ = builder_.AddTensor("output", shape, type, quantization);
  }

  // Raw integers as the input, none of them quantized.
  template <class T>
  void StartIntegers(const Shape& shape, int32_t low, int32_t high) {
    shape_ = shape;
    input_ = current_ = builder_.AddTensor("input", shape, DTypeOf<T>::value);
    const std::vector<T> values = Integers<T>(FlatSize(shape), low, high);
    input_bytes_.resize(values.size() * sizeof(T));
    std::memcpy(input_bytes_.data(), values.data(), input_bytes_.size());
    description_ = StrCat(NameOf(DTypeOf<T>::value), " ", ToString(shape));
  }
  template <class T>
  std::vector<T> Integers(int64_t count, int32_t low, int32_t high) {
    std::vector<T> values(static_cast<size_t>(count));
    for (T& value : values) value = static_cast<T>(random_.Between(low, high));
    return values;
  }

  void AppendGroups() {
    const int32_t groups = random_.Between(2, 4), group_depth = Pick({1, 2, 3, 8});
    Start({random_.Between(1, 2), random_.Between(1, 9), random_.Between(1, 9), groups * group_depth});
    Conv2DAttributes a;
    a.padding = AnyPadding();
    a.stride_h = random_.Between(1, 2);
    a.stride_w = random_.Between(1, 2);
    a.activation = AnyActivation();
    const int32_t height = FilterSize(a.padding, shape_[1], 1), width = FilterSize(a.padding, shape_[2], 1);
    const Shape filter_shape = {groups * random_.Between(1, 3), height, width, group_depth};
    const int64_t acc_depth = int64_t{height} * width * group_depth;
    const int32_t input = current_;
    const int32_t filter = AddFilter(filter_shape);
    // TFLite refuses such convolutions without a bias.
    const std::vector<int32_t> inputs = {input, filter, AddBias(filter_shape[0], acc_depth)};
    AddMacOutput({shape_[0], ComputeWindow(a.padding, shape_[1], height, a.stride_h).output,
                  ComputeWindow(a.padding, shape_[2], width, a.stride_w).output, filter_shape[0]},
                 acc_depth);
    const auto options = tflite::CreateConv2DOptions(
        builder_.fbb, static_cast<tflite::Padding>(a.padding), a.stride_w, a.stride_h,
        static_cast<tflite::ActivationFunctionType>(a.activation), 1, 1);
    builder_.AddOperator(tflite::BuiltinOperator_CONV_2D, inputs, {current_},
                         tflite::BuiltinOptions_Conv2DOptions, options.Union(), 6);
    description_ +=
        StrCat(" conv_2d in ", groups, " groups, filter ", ToString(filter_shape), " ", Describe(a));
  }

  void AppendIndexArithmetic() {
    if (random_.Below(2) == 0) return AppendIndexArithmeticOf<int32_t>();
    AppendIndexArithmeticOf<int64_t>();
  }
  template <class T>
  void AppendIndexArithmeticOf() {
    constexpr int32_t kLargest = 30000;
    StartIntegers<T>(AnyShape(), -kLargest, kLargest);
    const Shape other = random_.Below(2) == 0 ? shape_ : Shape{1};
    const int32_t constant =
        builder_.AddConstant("other", other, Integers<T>(FlatSize(other), -kLargest, kLargest));
    const int32_t input = current_;
    AddOutput(shape_, DTypeOf<T>::value);
    auto& fbb = builder_.fbb;
    const uint32_t which = random_.Below(5);
    description_ += StrCat(" operator ", which, " with ", ToString(other));
    const std::vector<int32_t> inputs = {input, constant};
    switch (which) {
      case 0:
        return builder_.AddOperator(tflite::BuiltinOperator_ADD, inputs, {current_},
                                    tflite::BuiltinOptions_AddOptions, tflite::CreateAddOptions(fbb).Union(),
                                    4);
      case 1:
        return builder_.AddOperator(tflite::BuiltinOperator_SUB, inputs, {current_},
                                    tflite::BuiltinOptions_SubOptions, tflite::CreateSubOptions(fbb).Union(),
                                    4);
      case 2:
        return builder_.AddOperator(tflite::BuiltinOperator_MUL, inputs, {current_},
                                    tflite::BuiltinOptions_MulOptions, tflite::CreateMulOptions(fbb).Union(),
                                    5);
      default:
        return builder_.AddOperator(
            which == 3 ? tflite::BuiltinOperator_MAXIMUM : tflite::BuiltinOperator_MINIMUM, inputs,
            {current_}, tflite::BuiltinOptions_MaximumMinimumOptions,
            tflite::CreateMaximumMinimumOptions(fbb).Union());
    }
  }

  // To types that hold every value: what others become is left open by C++.
  void AppendCast() {
    if (random_.Below(3) == 0) {
      StartIntegers<int64_t>(AnyShape(), -100000, 100000);
    } else if (random_.Below(2) == 0) {
      StartIntegers<int32_t>(AnyShape(), -100000, 100000);
    } else {
      Start(AnyShape());
    }
    constexpr DType kTypes[] = {DType::kFloat32, DType::kInt32, DType::kInt64, DType::kBool};
    const DType type = kTypes[random_.Below(4)];
    const int32_t input = current_;
    AddOutput(shape_, type);
    const auto options = tflite::CreateCastOptions(builder_.fbb, tflite::TensorType_FLOAT32,
                                                   static_cast<tflite::TensorType>(type));
    builder_.AddOperator(tflite::BuiltinOperator_CAST, {input}, {current_},
                         tflite::BuiltinOptions_CastOptions, options.Union());
    description_ += StrCat(" cast to ", NameOf(type));
  }

  void AppendGather() {
    Start(AnyShape());
    const auto rank = static_cast<int32_t>(shape_.size());
    const int32_t axis = random_.Between(-rank, rank - 1);
    const auto index = static_cast<size_t>(axis < 0 ? axis + rank : axis);
    const Shape picked =
        random_.Below(3) == 0 ? Shape{} : Shape{random_.Between(1, 3), random_.Between(1, 2)};
    const int32_t indices =
        builder_.AddConstant("indices", picked, Integers<int32_t>(FlatSize(picked), 0, shape_[index] - 1));
    Shape output(shape_.begin(), shape_.begin() + static_cast<int64_t>(index));
    output.insert(output.end(), picked.begin(), picked.end());
    output.insert(output.end(), shape_.begin() + static_cast<int64_t>(index) + 1, shape_.end());
    const int32_t input = current_;
    AddOutput(output, element_, quantization_);
    builder_.AddOperator(tflite::BuiltinOperator_GATHER, {input, indices}, {current_},
                         tflite::BuiltinOptions_GatherOptions,
                         tflite::CreateGatherOptions(builder_.fbb, axis).Union(), Version());
    description_ += StrCat(" gather ", ToString(picked), " along ", axis);
  }

  void AppendPack() {
    Start(AnyShape());
    const auto rank = static_cast<int32_t>(shape_.size());
    const int32_t axis = random_.Between(-rank - 1, rank);
    const int32_t count = random_.Between(1, 3);
    const std::vector<int32_t> inputs(static_cast<size_t>(count), current_);
    Shape output = shape_;
    output.insert(output.begin() + (axis < 0 ? axis + rank + 1 : axis), count);
    AddOutput(output, element_, quantization_);
    builder_.AddOperator(tflite::BuiltinOperator_PACK, inputs, {current_}, tflite::BuiltinOptions_PackOptions,
                         tflite::CreatePackOptions(builder_.fbb, count, axis).Union(), Version());
    description_ += StrCat(" pack ", count, " along ", axis);
  }

  // Reals to values quantized per axis and back.
  void AppendPerAxis() {
    quantized_ = false;
    element_ = DType::kFloat32;
    Start(AnyShape());
    const auto axis = random_.Between(0, static_cast<int32_t>(shape_.size()) - 1);
    const DType type = random_.Below(2) == 0 ? DType::kUInt8 : DType::kInt8;
    TensorQuantization per_axis{{}, {}, axis};
    for (int32_t c = 0; c < shape_[static_cast<size_t>(axis)]; ++c) {
      per_axis.scale.push_back(Real(0.003f, 0.1f));
      per_axis.zero_point.push_back(random_.Between(0, 255) - (type == DType::kInt8 ? 128 : 0));
    }
    const int32_t input = current_;
    const int32_t middle = builder_.AddTensor("middle", shape_, type, per_axis);
    builder_.AddOperator(tflite::BuiltinOperator_QUANTIZE, {input}, {middle}, tflite::BuiltinOptions_NONE, 0,
                         3);
    AddOutput(shape_, DType::kFloat32);
    builder_.AddOperator(tflite::BuiltinOperator_DEQUANTIZE, {middle}, {current_},
                         tflite::BuiltinOptions_NONE, 0, 5);
    description_ += StrCat(" as ", NameOf(type), " per axis ", axis, " and back");
  }

  // A fully connected layer with weights of 16 bits: halves, or int16 with a scale.
  void AppendHalves() {
    quantized_ = false;
    element_ = DType::kFloat32;
    Start({random_.Between(1, 3), Pick({1, 3, 8, 17})});
    const Shape filter_shape = {random_.Between(1, 9), shape_[1]};
    const auto count = static_cast<size_t>(FlatSize(filter_shape));
    const bool halves = random_.Below(2) == 0;
    std::vector<uint8_t> bytes(2 * count);
    for (size_t i = 0; i < count; ++i) {
      // Up to 2^4, down to the smallest that have no full mantissa.
      const uint32_t half = random_.Below(2) << 15 | random_.Below(19) << 10 | random_.Below(1024);
      const auto bits = static_cast<uint16_t>(halves ? half : random_.Below(1 << 16));
      std::memcpy(bytes.data() + 2 * i, &bits, 2);
    }
    const int32_t stored =
        builder_.Add("stored", filter_shape, halves ? tflite::TensorType_FLOAT16 : tflite::TensorType_INT16,
                     halves ? TensorQuantization() : Quantized(0.001f, 0), builder_.AddBuffer(&bytes));
    const int32_t filter = builder_.AddTensor("filter", filter_shape, DType::kFloat32);
    builder_.AddOperator(tflite::BuiltinOperator_DEQUANTIZE, {stored}, {filter}, tflite::BuiltinOptions_NONE,
                         0, 3);
    const int32_t input = current_;
    AddOutput({shape_[0], filter_shape[0]}, DType::kFloat32);
    builder_.AddFullyConnected(input, filter, -1, current_, AnyActivation());
    description_ += StrCat(" fully_connected ", ToString(filter_shape), halves ? " of halves" : " of int16");
  }

  // As Keras flattens: the batch is taken from the input's shape.
  void AppendFlatten() {
    Start(ImageShape());
    const int32_t depth = shape_[1] * shape_[2] * shape_[3];
    const int32_t input = current_;
    const int32_t shape = builder_.AddTensor("shape", {4}, DType::kInt32);
    const int32_t batch = builder_.AddTensor("batch", {}, DType::kInt32);
    const int32_t wanted = builder_.AddTensor("wanted", {2}, DType::kInt32);
    const auto list = [&](const char* name, int32_t value) {
      return builder_.AddConstant<int32_t>(name, {1}, {value});
    };
    builder_.AddOperator(tflite::BuiltinOperator_SHAPE, {input}, {shape}, tflite::BuiltinOptions_ShapeOptions,
                         tflite::CreateShapeOptions(builder_.fbb, tflite::TensorType_INT32).Union());
    builder_.AddOperator(tflite::BuiltinOperator_STRIDED_SLICE,
                         {shape, list("begin", 0), list("end", 1), list("strides", 1)}, {batch},
                         tflite::BuiltinOptions_StridedSliceOptions,
                         tflite::CreateStridedSliceOptions(builder_.fbb, 0, 0, 0, 0, 1).Union());
    const int32_t rest = builder_.AddConstant<int32_t>("rest", {}, {random_.Below(2) == 0 ? -1 : depth});
    builder_.AddOperator(tflite::BuiltinOperator_PACK, {batch, rest}, {wanted},
                         tflite::BuiltinOptions_PackOptions,
                         tflite::CreatePackOptions(builder_.fbb, 2, 0).Union());
    AddOutput({shape_[0], depth}, element_, quantization_);
    builder_.AddOperator(tflite::BuiltinOperator_RESHAPE, {input, wanted}, {current_},
                         tflite::BuiltinOptions_ReshapeOptions,
                         tflite::CreateReshapeOptions(builder_.fbb).Union());
    description_ += " flattened";
  }
};

inline RandomModel MakeRandomConversion(uint64_t seed) { return RandomConversionMaker(seed).Make(); }

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_RANDOM_CONVERSIONS_H_
