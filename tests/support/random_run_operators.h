// random_run_operators.h: random .tflite files of one operator each, of those that run but are in no spec.
#ifndef QAT_TESTS_SUPPORT_RANDOM_RUN_OPERATORS_H_
#define QAT_TESTS_SUPPORT_RANDOM_RUN_OPERATORS_H_

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "support/random_models.h"

namespace qat::testing {

class RandomRunOperatorMaker : private RandomModelMaker {
 public:
  explicit RandomRunOperatorMaker(uint64_t seed) : RandomModelMaker(seed) {}

  RandomModel Make() {
    quantized_ = random_.Below(3) == 0;
    element_ = quantized_ ? DType::kInt8 : DType::kFloat32;
    return MakeOf();
  }

  /// One operator of int16 activations.
  RandomModel MakeInt16() {
    ChooseInt16();
    void (RandomRunOperatorMaker::*const kAll[])() = {
        &RandomRunOperatorMaker::AppendElementwise, &RandomRunOperatorMaker::AppendElementwise,
        &RandomRunOperatorMaker::AppendComparison,  &RandomRunOperatorMaker::AppendReduction,
        &RandomRunOperatorMaker::AppendMirrorPad,   &RandomRunOperatorMaker::AppendUnpack,
        &RandomRunOperatorMaker::AppendBatches,     &RandomRunOperatorMaker::AppendBatchMatMul,
        &RandomRunOperatorMaker::AppendBatchMatMul, &RandomRunOperatorMaker::AppendReverse,
        &RandomRunOperatorMaker::AppendGather,      &RandomRunOperatorMaker::AppendStridedSlice,
    };
    (this->*kAll[random_.Below(std::size(kAll))])();
    return Finish();
  }

 private:
  RandomModel MakeOf() {
    void (RandomRunOperatorMaker::*const kAll[])() = {
        &RandomRunOperatorMaker::AppendElementwise,  &RandomRunOperatorMaker::AppendElementwise,
        &RandomRunOperatorMaker::AppendPairwise,     &RandomRunOperatorMaker::AppendComparison,
        &RandomRunOperatorMaker::AppendReduction,    &RandomRunOperatorMaker::AppendNormalization,
        &RandomRunOperatorMaker::AppendMirrorPad,    &RandomRunOperatorMaker::AppendUnpack,
        &RandomRunOperatorMaker::AppendBlocks,       &RandomRunOperatorMaker::AppendBatches,
        &RandomRunOperatorMaker::AppendBatchMatMul,  &RandomRunOperatorMaker::AppendTile,
        &RandomRunOperatorMaker::AppendReverse,      &RandomRunOperatorMaker::AppendGather,
        &RandomRunOperatorMaker::AppendStridedSlice, &RandomRunOperatorMaker::AppendArgMin,
        &RandomRunOperatorMaker::AppendDensify,
    };
    (this->*kAll[random_.Below(std::size(kAll))])();
    return Finish();
  }

  bool Is16() const { return element_ == DType::kInt16; }

  // Constant values of the element type of the model.
  int32_t AddQuantized(const Shape& shape, const TensorQuantization& quantization) {
    const auto count = static_cast<size_t>(FlatSize(shape));
    const std::vector<uint8_t> bytes = RandomBytes(count * SizeOf(element_));
    if (!Is16())
      return builder_.AddConstant("second", shape, std::vector<int8_t>(bytes.begin(), bytes.end()),
                                  quantization);
    std::vector<int16_t> values(count);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return builder_.AddConstant("second", shape, values, quantization);
  }

  // The reference kernels know blocks and reversals by their first version only.
  int32_t Version() const { return quantized_ && !first_version_ && !Is16() ? 2 : 1; }

  void AddOutput(const Shape& shape, const TensorQuantization& quantization) {
    shape_ = shape;
    quantization_ = quantization;
    current_ = builder_.AddTensor("output", shape, element_, quantization);
  }

  void Add(tflite::BuiltinOperator code, std::vector<int32_t> inputs,
           tflite::BuiltinOptions type = tflite::BuiltinOptions_NONE, flatbuffers::Offset<void> table = 0) {
    builder_.AddOperator(code, inputs, outputs_.empty() ? std::vector<int32_t>{current_} : outputs_, type,
                         table, Version());
    description_ += StrCat(" ", tflite::EnumNameBuiltinOperator(code));
  }

  int32_t AddList(const std::vector<int32_t>& values) {
    return builder_.AddConstant("list", {static_cast<int32_t>(values.size())}, values);
  }

  // Of float functions that have no value for negative numbers: the input without its sign.
  void MakePositive() {
    for (size_t i = 3; i < input_bytes_.size(); i += sizeof(float)) input_bytes_[i] &= 0x7f;
  }

  void AppendElementwise() {
    // ELU, CEIL and ROUND are not among the reference kernels.
    constexpr tflite::BuiltinOperator kFloat[] = {
        tflite::BuiltinOperator_EXP,    tflite::BuiltinOperator_ABS,   tflite::BuiltinOperator_GELU,
        tflite::BuiltinOperator_LOG,    tflite::BuiltinOperator_RSQRT, tflite::BuiltinOperator_SQRT,
        tflite::BuiltinOperator_SQUARE, tflite::BuiltinOperator_NEG,   tflite::BuiltinOperator_FLOOR,
        tflite::BuiltinOperator_SIN,    tflite::BuiltinOperator_COS};
    constexpr tflite::BuiltinOperator kInt16[] = {tflite::BuiltinOperator_EXP, tflite::BuiltinOperator_ABS,
                                                  tflite::BuiltinOperator_LOG, tflite::BuiltinOperator_RSQRT,
                                                  tflite::BuiltinOperator_SQRT};
    const tflite::BuiltinOperator code =
        Is16() ? kInt16[random_.Below(5)] : kFloat[random_.Below(quantized_ ? 6 : std::size(kFloat))];
    if (Is16()) restart_scale_ = random_.Below(2) == 0 ? Real(1e-5f, 1e-3f) : Real(1e-3f, 0.1f);
    Start(AnyShape());
    const bool positive = code == tflite::BuiltinOperator_LOG || code == tflite::BuiltinOperator_RSQRT ||
                          code == tflite::BuiltinOperator_SQRT;
    if (!quantized_ && positive) MakePositive();
    const int32_t input = current_;
    if (quantized_ && (code == tflite::BuiltinOperator_RSQRT || code == tflite::BuiltinOperator_SQRT)) {
      // TFLite's kernels stop at values below zero.
      for (size_t i = 1; Is16() && i < input_bytes_.size(); i += 2) input_bytes_[i] &= 0x7f;
      const int32_t zero_point = static_cast<int32_t>(quantization_.zero_point[0]);
      for (uint8_t& byte : input_bytes_)
        byte = Is16() ? byte : static_cast<uint8_t>(std::max<int32_t>(static_cast<int8_t>(byte), zero_point));
    }
    AddOutput(shape_, Quantization(Is16() ? Real(1e-5f, 2e-3f) : Real(0.005f, 0.2f)));
    if (code == tflite::BuiltinOperator_GELU) {
      Add(code, {input}, tflite::BuiltinOptions_GeluOptions,
          tflite::CreateGeluOptions(builder_.fbb, random_.Below(2) == 0).Union());
    } else {
      Add(code, {input});
    }
  }

  void AppendPairwise() {
    constexpr tflite::BuiltinOperator kFloat[] = {
        tflite::BuiltinOperator_SQUARED_DIFFERENCE, tflite::BuiltinOperator_DIV,
        tflite::BuiltinOperator_FLOOR_DIV, tflite::BuiltinOperator_FLOOR_MOD};
    const tflite::BuiltinOperator code = kFloat[random_.Below(quantized_ ? 2 : std::size(kFloat))];
    const bool divides = quantized_ && code == tflite::BuiltinOperator_DIV;
    if (divides) element_ = random_.Below(2) == 0 ? DType::kInt8 : DType::kUInt8;
    first_version_ = divides;
    Start(AnyShape());
    Shape other = shape_;
    for (int32_t& size : other) size = random_.Below(2) == 0 ? 1 : size;
    const auto count = static_cast<size_t>(FlatSize(other));
    int32_t second;
    if (divides) {
      second = AddDivisor(other);
    } else if (quantized_) {
      const std::vector<uint8_t> bytes = RandomBytes(count);
      second = builder_.AddConstant("second", other, std::vector<int8_t>(bytes.begin(), bytes.end()),
                                    Quantization(Real(0.003f, 0.1f)));
    } else {
      std::vector<float> values = RandomReals(count, 3);
      for (float& value : values) value += value < 0 ? -0.5f : 0.5f;
      second = builder_.AddConstant("second", other, values);
    }
    const int32_t input = current_;
    AddOutput(shape_, Quantization(Real(0.02f, 0.2f)));
    Add(code, {input, second});
  }

  // TFLite's kernel stops where one is zero.
  int32_t AddDivisor(const Shape& shape) {
    const TensorQuantization quantization = Quantization(Real(0.003f, 0.1f));
    std::vector<uint8_t> bytes = RandomBytes(static_cast<size_t>(FlatSize(shape)));
    const auto zero = static_cast<uint8_t>(quantization.zero_point[0]);
    for (uint8_t& byte : bytes) byte = byte == zero ? static_cast<uint8_t>(zero + 1) : byte;
    if (element_ == DType::kUInt8) return builder_.AddConstant("second", shape, bytes, quantization);
    return builder_.AddConstant("second", shape, std::vector<int8_t>(bytes.begin(), bytes.end()),
                                quantization);
  }

  void AppendComparison() {
    constexpr tflite::BuiltinOperator kAll[] = {
        tflite::BuiltinOperator_EQUAL,   tflite::BuiltinOperator_NOT_EQUAL,
        tflite::BuiltinOperator_GREATER, tflite::BuiltinOperator_GREATER_EQUAL,
        tflite::BuiltinOperator_LESS,    tflite::BuiltinOperator_LESS_EQUAL};
    Start(AnyShape());
    const Shape row = {shape_.back()};
    int32_t second;
    if (quantized_) {
      second = AddQuantized(row, random_.Below(2) == 0 ? quantization_ : Quantization(Real(0.003f, 0.1f)));
    } else {
      second = builder_.AddConstant("second", row, RandomReals(static_cast<size_t>(shape_.back()), 3));
    }
    const int32_t input = current_;
    current_ = builder_.AddTensor("output", shape_, DType::kBool);
    // Of int16 there are two.
    Add(kAll[random_.Below(Is16() ? 2 : std::size(kAll))], {input, second});
  }

  void AppendReduction() {
    constexpr tflite::BuiltinOperator kAll[] = {
        tflite::BuiltinOperator_SUM, tflite::BuiltinOperator_REDUCE_MIN, tflite::BuiltinOperator_REDUCE_PROD};
    // TFLite's reference kernel for sums of 8 bits answers with one value whatever the input is.
    const tflite::BuiltinOperator code = quantized_ ? kAll[1] : kAll[random_.Below(3)];
    Start(AnyShape());
    const auto rank = static_cast<int32_t>(shape_.size());
    const int32_t axis = random_.Between(0, rank - 1);
    const bool keep = random_.Below(2) == 0;
    Shape output = shape_;
    output[static_cast<size_t>(axis)] = 1;
    if (!keep) output.erase(output.begin() + axis);
    const int32_t input = current_;
    const int32_t axes = AddList({random_.Below(2) == 0 ? axis : axis - rank});
    const bool moves = code == tflite::BuiltinOperator_REDUCE_MIN;
    AddOutput(output, moves ? quantization_ : Quantization(Real(0.05f, 0.5f)));
    Add(code, {input, axes}, tflite::BuiltinOptions_ReducerOptions,
        tflite::CreateReducerOptions(builder_.fbb, keep).Union());
  }

  void AppendNormalization() {
    Start(AnyShape());
    const int32_t input = current_;
    const bool l2 = random_.Below(2) == 0;
    AddOutput(shape_, !quantized_ ? TensorQuantization()
                      : l2        ? Quantized(1.0f / 128, 0)
                                  : Quantized(1.0f / 16, 127));
    if (l2) {
      Add(tflite::BuiltinOperator_L2_NORMALIZATION, {input}, tflite::BuiltinOptions_L2NormOptions,
          tflite::CreateL2NormOptions(builder_.fbb).Union());
    } else {
      Add(tflite::BuiltinOperator_LOG_SOFTMAX, {input});
    }
  }

  void AppendMirrorPad() {
    Start(AnyShape());
    const bool symmetric = random_.Below(2) == 0;
    std::vector<int32_t> paddings;
    Shape output = shape_;
    for (int32_t& size : output) {
      const int32_t most = std::min(3, symmetric ? size : size - 1);
      paddings.insert(paddings.end(), {random_.Between(0, most), random_.Between(0, most)});
      size += paddings[paddings.size() - 2] + paddings.back();
    }
    const int32_t input = current_;
    const int32_t operand =
        builder_.AddConstant("paddings", {static_cast<int32_t>(shape_.size()), 2}, paddings);
    AddOutput(output, quantization_);
    const auto mode = symmetric ? tflite::MirrorPadMode_SYMMETRIC : tflite::MirrorPadMode_REFLECT;
    Add(tflite::BuiltinOperator_MIRROR_PAD, {input, operand}, tflite::BuiltinOptions_MirrorPadOptions,
        tflite::CreateMirrorPadOptions(builder_.fbb, mode).Union());
  }

  void AppendUnpack() {
    Start(AnyShape());
    const auto rank = static_cast<int32_t>(shape_.size());
    const int32_t axis = random_.Between(0, rank - 1);
    Shape part = shape_;
    const int32_t count = part[static_cast<size_t>(axis)];
    part.erase(part.begin() + axis);
    const int32_t input = current_;
    for (int32_t i = 0; i < count; ++i)
      outputs_.push_back(builder_.AddTensor(StrCat("output", i), part, element_, quantization_));
    Add(tflite::BuiltinOperator_UNPACK, {input}, tflite::BuiltinOptions_UnpackOptions,
        tflite::CreateUnpackOptions(builder_.fbb, count, axis - (random_.Below(2) == 0 ? rank : 0)).Union());
  }

  void AppendBlocks() {
    first_version_ = true;
    const int32_t block = random_.Between(1, 3);
    const Shape wide = {random_.Between(1, 2), block * random_.Between(1, 4), block * random_.Between(1, 4),
                        random_.Between(1, 5)};
    const Shape deep = {wide[0], wide[1] / block, wide[2] / block, wide[3] * block * block};
    const bool to_depth = random_.Below(2) == 0;
    Start(to_depth ? wide : deep);
    const int32_t input = current_;
    AddOutput(to_depth ? deep : wide, quantization_);
    if (to_depth) {
      Add(tflite::BuiltinOperator_SPACE_TO_DEPTH, {input}, tflite::BuiltinOptions_SpaceToDepthOptions,
          tflite::CreateSpaceToDepthOptions(builder_.fbb, block).Union());
    } else {
      Add(tflite::BuiltinOperator_DEPTH_TO_SPACE, {input}, tflite::BuiltinOptions_DepthToSpaceOptions,
          tflite::CreateDepthToSpaceOptions(builder_.fbb, block).Union());
    }
  }

  void AppendBatches() {
    const int32_t axes = random_.Between(1, 2);
    const bool to_batch = random_.Below(2) == 0;
    std::vector<int32_t> blocks, borders;
    Shape whole = {random_.Between(1, 2)}, dealt = {whole[0]};
    for (int32_t i = 0; i < axes; ++i) {
      blocks.push_back(random_.Between(1, 3));
      dealt.push_back(random_.Between(1, 4));
      dealt[0] *= blocks.back();
      const int32_t all = dealt.back() * blocks.back();
      borders.push_back(random_.Between(0, std::min(all - 1, 2)));
      borders.push_back(random_.Between(0, std::min(all - 1 - borders.back(), 2)));
      whole.push_back(all - borders[borders.size() - 2] - borders.back());
    }
    whole.push_back(random_.Between(1, 5));
    dealt.push_back(whole.back());
    Start(to_batch ? whole : dealt);
    const int32_t input = current_;
    const int32_t block = AddList(blocks);
    const int32_t border = builder_.AddConstant("borders", {axes, 2}, borders);
    AddOutput(to_batch ? dealt : whole, quantization_);
    Add(to_batch ? tflite::BuiltinOperator_SPACE_TO_BATCH_ND : tflite::BuiltinOperator_BATCH_TO_SPACE_ND,
        {input, block, border});
  }

  void AppendBatchMatMul() {
    const int32_t rows = random_.Between(1, 6), depth = Pick({1, 3, 8, 17, 40}),
                  columns = random_.Between(1, 7);
    const bool adjoint_a = random_.Below(2) == 0, adjoint_b = random_.Below(2) == 0;
    Shape a = adjoint_a ? Shape{depth, rows} : Shape{rows, depth};
    Shape b = adjoint_b ? Shape{columns, depth} : Shape{depth, columns};
    const int32_t batch = random_.Between(1, 3);
    a.insert(a.begin(), {batch, 2});
    b.insert(b.begin(), {random_.Below(2) == 0 ? 1 : batch, 2});
    Start(a);
    const int32_t input = current_;
    const auto count = static_cast<size_t>(FlatSize(b));
    int32_t second;
    float second_scale = 1;
    if (quantized_) {
      second_scale = Real(0.003f, 0.1f);
      const bool narrow = Is16() && random_.Below(2) == 0;
      if (narrow) element_ = DType::kInt8;
      second = AddQuantized(b, narrow ? Quantized(second_scale, 0) : Quantization(second_scale));
      if (narrow) element_ = DType::kInt16;
    } else {
      second = builder_.AddConstant("second", b, RandomReals(count, 2));
    }
    const float scale = quantized_ ? quantization_.scale[0] * second_scale * (Is16() ? 2e4f : 200.0f) : 1;
    AddOutput({batch, 2, rows, columns}, Quantization(scale * Real(0.1f, 3)));
    Add(tflite::BuiltinOperator_BATCH_MATMUL, {input, second}, tflite::BuiltinOptions_BatchMatMulOptions,
        tflite::CreateBatchMatMulOptions(builder_.fbb, adjoint_a, adjoint_b).Union());
  }

  void AppendTile() {
    first_version_ = true;
    Start(AnyShape());
    const int32_t input = current_;
    std::vector<int32_t> multiples;
    Shape output = shape_;
    for (int32_t& size : output) size *= multiples.emplace_back(random_.Between(1, 3));
    const int32_t operand = AddList(multiples);
    AddOutput(output, quantization_);
    Add(tflite::BuiltinOperator_TILE, {input, operand});
  }

  void AppendReverse() {
    first_version_ = true;
    Start(AnyShape());
    const int32_t input = current_;
    const int32_t axes = AddList({random_.Between(0, static_cast<int32_t>(shape_.size()) - 1)});
    AddOutput(shape_, quantization_);
    Add(tflite::BuiltinOperator_REVERSE_V2, {input, axes});
  }

  void AppendGather() {
    Start(AnyShape());
    const auto rank = static_cast<int32_t>(shape_.size());
    const int32_t axis = random_.Between(0, rank - 1);
    const int32_t batch_dims = axis > 0 ? random_.Between(0, 1) : 0;
    Shape indices = batch_dims == 1 ? Shape{shape_[0], 2} : Shape{random_.Between(1, 4)};
    std::vector<int32_t> values(static_cast<size_t>(FlatSize(indices)));
    for (int32_t& value : values) value = random_.Between(0, shape_[static_cast<size_t>(axis)] - 1);
    Shape output(shape_.begin(), shape_.begin() + axis);
    output.insert(output.end(), indices.begin() + batch_dims, indices.end());
    output.insert(output.end(), shape_.begin() + axis + 1, shape_.end());
    const int32_t input = current_;
    const int32_t operand = builder_.AddConstant("indices", indices, values);
    AddOutput(output, quantization_);
    Add(tflite::BuiltinOperator_GATHER, {input, operand}, tflite::BuiltinOptions_GatherOptions,
        tflite::CreateGatherOptions(builder_.fbb, axis, batch_dims).Union());
  }

  // x[…, a:b:c], x[:, None, a]: an ellipsis, a new axis, fewer entries than axes.
  void AppendStridedSlice() {
    Start({random_.Between(1, 4), random_.Between(2, 6), random_.Between(2, 6)});
    const int32_t input = current_;
    const int32_t first = random_.Between(0, shape_[2] - 1);
    if (random_.Below(2) == 0) {
      const int32_t begin = AddList({0, first}), end = AddList({0, shape_[2]}), strides = AddList({1, 2});
      AddOutput({shape_[0], shape_[1], (shape_[2] - first + 1) / 2}, quantization_);
      Add(tflite::BuiltinOperator_STRIDED_SLICE, {input, begin, end, strides},
          tflite::BuiltinOptions_StridedSliceOptions,
          tflite::CreateStridedSliceOptions(builder_.fbb, 0, 0, 1, 0, 0).Union());
      return;
    }
    const int32_t row = random_.Between(0, shape_[1] - 1);
    const int32_t begin = AddList({0, 0, row}), end = AddList({0, 0, row + 1}), strides = AddList({1, 1, 1});
    AddOutput({shape_[0], 1, shape_[2]}, quantization_);
    Add(tflite::BuiltinOperator_STRIDED_SLICE, {input, begin, end, strides},
        tflite::BuiltinOptions_StridedSliceOptions,
        tflite::CreateStridedSliceOptions(builder_.fbb, 1, 1, 0, 2, 4).Union());
  }

  void AppendArgMin() {
    Start(AnyShape());
    const int32_t input = current_;
    const int32_t axis = builder_.AddConstant<int32_t>("axis", {}, {static_cast<int32_t>(shape_.size()) - 1});
    shape_.pop_back();
    current_ = builder_.AddTensor("output", shape_, DType::kInt32);
    Add(tflite::BuiltinOperator_ARG_MIN, {input, axis}, tflite::BuiltinOptions_ArgMinOptions,
        tflite::CreateArgMinOptions(builder_.fbb, tflite::TensorType_INT32).Union());
  }

  // x + a constant whose rows, or blocks of 2 x 2, are stored where they are not zeros.
  void AppendDensify() {
    quantized_ = false;
    element_ = DType::kFloat32;
    const bool blocks = random_.Below(2) == 0;
    const int32_t block = blocks ? 2 : 1, rows = random_.Between(1, 5), columns = random_.Between(1, 5);
    Start({rows * block, columns * block});
    std::vector<int32_t> segments = {0}, indices;
    for (int32_t row = 0; row < rows; ++row) {
      for (int32_t column = 0; column < columns; ++column) {
        if (random_.Below(2) == 0) indices.push_back(column);
      }
      segments.push_back(static_cast<int32_t>(indices.size()));
    }
    flatbuffers::FlatBufferBuilder& fbb = builder_.fbb;
    const auto compressed_segments = tflite::CreateInt32Vector(fbb, fbb.CreateVector(segments)).Union();
    const auto compressed_indices = tflite::CreateInt32Vector(fbb, fbb.CreateVector(indices)).Union();
    std::vector<flatbuffers::Offset<tflite::DimensionMetadata>> levels = {
        tflite::CreateDimensionMetadata(fbb, tflite::DimensionType_DENSE, rows),
        tflite::CreateDimensionMetadata(fbb, tflite::DimensionType_SPARSE_CSR, 0,
                                        tflite::SparseIndexVector_Int32Vector, compressed_segments,
                                        tflite::SparseIndexVector_Int32Vector, compressed_indices)};
    std::vector<int32_t> order = {0, 1}, map;
    for (int32_t i = 0; i < 2 && blocks; ++i) {
      levels.push_back(tflite::CreateDimensionMetadata(fbb, tflite::DimensionType_DENSE, 2));
      order.push_back(2 + i);
      map.push_back(i);
    }
    const auto order_list = fbb.CreateVector(order), map_list = fbb.CreateVector(map);
    const auto sparsity =
        tflite::CreateSparsityParameters(fbb, order_list, map_list, fbb.CreateVector(levels));
    const std::vector<float> values = RandomReals(indices.size() * static_cast<size_t>(block * block), 3);
    std::vector<uint8_t> bytes(values.size() * sizeof(float));
    if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    const uint32_t buffer = builder_.AddBuffer(&bytes);
    const int32_t sparse = builder_.AddSparse("sparse", shape_, tflite::TensorType_FLOAT32, buffer, sparsity);
    const int32_t dense = builder_.AddTensor("dense", shape_, DType::kFloat32), input = current_;
    outputs_ = {dense};
    Add(tflite::BuiltinOperator_DENSIFY, {sparse});
    outputs_.clear();
    AddOutput(shape_, quantization_);
    Add(tflite::BuiltinOperator_ADD, {input, dense}, tflite::BuiltinOptions_AddOptions,
        tflite::CreateAddOptions(fbb).Union());
  }

  bool first_version_ = false;
};

inline RandomModel MakeRandomInt16RunOperator(uint64_t seed) {
  return RandomRunOperatorMaker(seed).MakeInt16();
}
inline RandomModel MakeRandomRunOperator(uint64_t seed) { return RandomRunOperatorMaker(seed).Make(); }

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_RANDOM_RUN_OPERATORS_H_
