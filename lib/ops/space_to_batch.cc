// SpaceToBatchNd: pads the axes after the batch and moves their blocks into the batch; BatchToSpaceNd: the
// other way round, and crops. Old converters write dilated convolutions as one of each around a plain one.
#include <algorithm>

#include "base/strings.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

struct Operands {
  std::vector<int64_t> block;
  std::vector<int64_t> borders;  // two an axis
};

Expected<Operands> ReadOperands(std::span<const Operand> inputs) {
  const Shape& input = inputs[0].shape;
  if (input.size() != 3 && input.size() != 4)
    return InvalidArgument(StrCat("input is ", ToString(input), ", expected 3 or 4 dimensions"));
  const auto axes = static_cast<int32_t>(input.size()) - 2;
  if (inputs[1].shape != Shape{axes} || inputs[2].shape != Shape{axes, 2}) {
    return InvalidArgument(StrCat("operands are ", ToString(inputs[1].shape), " and ",
                                  ToString(inputs[2].shape), ", expected [", axes, "] and [", axes, ", 2]"));
  }
  Operands operands;
  QAT_ASSIGN_OR_RETURN(operands.block, ConstantIndices(inputs[1], "block"));
  QAT_ASSIGN_OR_RETURN(operands.borders, ConstantIndices(inputs[2], "borders"));
  constexpr int64_t kMost = 1 << 20;
  const auto outside = [](int64_t least) {
    return [least](int64_t value) { return value < least || value > kMost; };
  };
  if (std::any_of(operands.block.begin(), operands.block.end(), outside(1)) ||
      std::any_of(operands.borders.begin(), operands.borders.end(), outside(0))) {
    return InvalidArgument("blocks are below 1, or borders below 0");
  }
  return operands;
}

constexpr int64_t kLargest = 1 << 30;

Expected<Shape> InferSpaceToBatch(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const Operands operands, ReadOperands(inputs));
  Shape output = inputs[0].shape;
  for (size_t i = 0; i < operands.block.size(); ++i) {
    const int64_t size = output[i + 1] + operands.borders[2 * i] + operands.borders[2 * i + 1];
    if (size % operands.block[i] != 0)
      return InvalidArgument(
          StrCat("axis ", i + 1, " of size ", size, " has no blocks of ", operands.block[i]));
    if (output[0] * operands.block[i] > kLargest || size > kLargest)
      return InvalidArgument(StrCat("blocks of ", operands.block[i], " make too many examples"));
    output[0] = static_cast<int32_t>(output[0] * operands.block[i]);
    output[i + 1] = static_cast<int32_t>(size / operands.block[i]);
  }
  return output;
}

Expected<Shape> InferBatchToSpace(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const Operands operands, ReadOperands(inputs));
  Shape output = inputs[0].shape;
  for (size_t i = 0; i < operands.block.size(); ++i) {
    const int64_t size =
        output[i + 1] * operands.block[i] - operands.borders[2 * i] - operands.borders[2 * i + 1];
    if (output[0] % operands.block[i] != 0 || size < 0 || size > kLargest) {
      return InvalidArgument(StrCat("input ", ToString(inputs[0].shape), " has no blocks of ",
                                    operands.block[i], ", or crops take more than there is"));
    }
    output[0] = static_cast<int32_t>(output[0] / operands.block[i]);
    output[i + 1] = static_cast<int32_t>(size);
  }
  return output;
}

constexpr std::string_view kReleases[] = {"1.6.0", "1.14.0"};

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary,
                    Expected<Shape> (*infer_shape)(const OpAttributes&, std::span<const Operand>)) {
  OpDefinition op = RunOp(type, name, tflite_name, builtin_code, 3, summary, infer_shape);
  op.output_quantization = OutputQuantization::kSameAsInput;
  return Written(op, {VersionTwoForInt8, kReleases}, IntegerKernels::kBoth);
}

}  // namespace

const OpDefinition& SpaceToBatchNdDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kSpaceToBatchNd, "space_to_batch_nd", "SPACE_TO_BATCH_ND",
             tflite::BuiltinOperator_SPACE_TO_BATCH_ND, "blocks of pixels as examples", InferSpaceToBatch);
  return kDefinition;
}

const OpDefinition& BatchToSpaceNdDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kBatchToSpaceNd, "batch_to_space_nd", "BATCH_TO_SPACE_ND",
             tflite::BuiltinOperator_BATCH_TO_SPACE_ND, "examples as blocks of pixels", InferBatchToSpace);
  return kDefinition;
}

}  // namespace qat
