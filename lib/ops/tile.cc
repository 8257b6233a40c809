// Tile: the input repeated along each axis, as often as the second input says. BroadcastTo: axes of size 1 repeated up to
// the shape that the second input says.
#include "base/strings.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

constexpr int64_t kLargest = 1 << 30;

Expected<Shape> InferTile(const OpAttributes&, std::span<const Operand> inputs) {
  Shape output = inputs[0].shape;
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> multiples, ConstantIndices(inputs[1], "multiples"));
  if (multiples.size() != output.size() || output.size() > 8) {
    return InvalidArgument(
        StrCat("multiples are ", ToString(inputs[1].shape), ", the input is ", ToString(inputs[0].shape)));
  }
  for (size_t i = 0; i < output.size(); ++i) {
    if (multiples[i] < 0 || multiples[i] > kLargest || output[i] * multiples[i] > kLargest)
      return InvalidArgument(StrCat("multiple of axis ", i, " is ", multiples[i]));
    output[i] = static_cast<int32_t>(output[i] * multiples[i]);
  }
  return output;
}

Expected<Shape> InferBroadcastTo(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, ConstantIndices(inputs[1], "shape"));
  Shape output;
  for (const int64_t size : sizes) {
    if (size < 0 || size > kLargest || sizes.size() > 8)
      return InvalidArgument(StrCat("cannot broadcast to a size of ", size));
    output.push_back(static_cast<int32_t>(size));
  }
  const Shape& input = inputs[0].shape;
  QAT_ASSIGN_OR_RETURN(const Shape both, BroadcastShape(input, output));
  if (both != output)
    return InvalidArgument(StrCat("input ", ToString(input), " does not broadcast to ", ToString(output)));
  return output;
}

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary,
                    Expected<Shape> (*infer_shape)(const OpAttributes&, std::span<const Operand>)) {
  OpDefinition op = RunOp(type, name, tflite_name, builtin_code, 2, summary, infer_shape);
  op.output_quantization = OutputQuantization::kSameAsInput;
  return op;
}

}  // namespace

const OpDefinition& TileDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kTile, "tile", "TILE", tflite::BuiltinOperator_TILE, "the input repeated", InferTile);
  return kDefinition;
}

const OpDefinition& BroadcastToDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kBroadcastTo, "broadcast_to", "BROADCAST_TO", tflite::BuiltinOperator_BROADCAST_TO,
             "the input repeated up to a shape", InferBroadcastTo);
  return kDefinition;
}

}  // namespace qat
