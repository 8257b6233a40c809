// Fill: a tensor of the shape that the first input says, all of the value of the second. ZerosLike: zeros in
// the shape of the input. Range: the numbers from the first input to before the second, by the third.
#include <cmath>
#include <cstring>

#include "base/strings.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

Expected<Shape> InferFill(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[0], 1, "shape operand"));
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, ConstantIndices(inputs[0], "shape operand"));
  if (FlatSize(inputs[1].shape) != 1)
    return InvalidArgument(StrCat("value is ", ToString(inputs[1].shape), ", expected one"));
  Shape output;
  for (const int64_t size : sizes) {
    if (size < 0 || size > (1 << 30)) return InvalidArgument(StrCat("a size is ", size));
    output.push_back(static_cast<int32_t>(size));
  }
  return output;
}

// Whole numbers up to 2^53 and reals alike.
Expected<double> ReadNumber(const Operand& operand, std::string_view what) {
  if (operand.type != DType::kFloat32) {
    QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> values, ConstantIndices(operand, what));
    if (values.size() != 1) return InvalidArgument(StrCat(what, " is ", ToString(operand.shape)));
    return static_cast<double>(values[0]);
  }
  float value;
  if (FlatSize(operand.shape) != 1) return InvalidArgument(StrCat(what, " is ", ToString(operand.shape)));
  if (operand.constant.size() != sizeof(value))
    return Unsupported(StrCat(what, " is computed, expected a constant"));
  std::memcpy(&value, operand.constant.data(), sizeof(value));
  return static_cast<double>(value);
}

Expected<Shape> InferRange(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const double start, ReadNumber(inputs[0], "start"));
  QAT_ASSIGN_OR_RETURN(const double limit, ReadNumber(inputs[1], "limit"));
  QAT_ASSIGN_OR_RETURN(const double delta, ReadNumber(inputs[2], "delta"));
  const double count = std::ceil((limit - start) / delta);
  if (delta == 0 || !(count >= 0 && count <= (1 << 30)))
    return InvalidArgument(StrCat("there are no numbers from ", start, " to ", limit, " by ", delta));
  return Shape{static_cast<int32_t>(count)};
}

}  // namespace

const OpDefinition& FillDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = RunOp(OpType::kFill, "fill", "FILL", tflite::BuiltinOperator_FILL, 2,
                            "one value in a given shape", InferFill);
    op.data_input = 1;
    op.output_quantization = OutputQuantization::kSameAsInput;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& ZerosLikeDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = RunOp(OpType::kZerosLike, "zeros_like", "ZEROS_LIKE",
                            tflite::BuiltinOperator_ZEROS_LIKE, 1, "zeros in the shape of the input");
    op.reads_shapes_only = true;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& RangeDefinition() {
  static const OpDefinition kDefinition = RunOp(
      OpType::kRange, "range", "RANGE", tflite::BuiltinOperator_RANGE, 3, "equidistant numbers", InferRange);
  return kDefinition;
}

}  // namespace qat
