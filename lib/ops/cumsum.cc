// Cumsum: running sums along the axis that the second input says.
#include "base/strings.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = CumsumAttributes;

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ConstantIndices(inputs[1], "axis"));
  if (axes.size() != 1)
    return InvalidArgument(StrCat("axis is ", ToString(inputs[1].shape), ", expected one value"));
  QAT_RETURN_IF_ERROR(ResolveAxis(axes[0], inputs[0].shape.size()));
  return inputs[0].shape;
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::CumsumOptions>();
  if (table == nullptr) return OpAttributes(A());
  return OpAttributes(A{table->exclusive(), table->reverse()});
}

}  // namespace

const OpDefinition& CumsumDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = RunOp(OpType::kCumsum, "cumsum", "CUMSUM", tflite::BuiltinOperator_CUMSUM, 2,
                            "running sums", InferShape);
    op.default_attributes = A();
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
