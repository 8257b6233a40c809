// ReverseV2: the axes that the second input lists backwards.
#include "base/strings.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ConstantIndices(inputs[1], "axes"));
  for (const int64_t axis : axes) QAT_RETURN_IF_ERROR(ResolveAxis(axis, inputs[0].shape.size()));
  return inputs[0].shape;
}

}  // namespace

const OpDefinition& ReverseV2Definition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = RunOp(OpType::kReverseV2, "reverse_v2", "REVERSE_V2",
                            tflite::BuiltinOperator_REVERSE_V2, 2, "some axes backwards", InferShape);
    op.output_quantization = OutputQuantization::kSameAsInput;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
