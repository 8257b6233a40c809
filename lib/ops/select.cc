// SelectV2: where the first input is true the value of the second, else that of the third; shapes broadcast.
// Select: the same without broadcasting, but for a condition that is one value, or one for each slice of the
// first axis.
#include "base/strings.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

Expected<Shape> InferSelectV2(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const Shape values, BroadcastShape(inputs[1].shape, inputs[2].shape));
  QAT_ASSIGN_OR_RETURN(Shape output, BroadcastShape(inputs[0].shape, values));
  if (output.size() > 6)
    return InvalidArgument(StrCat("output is ", ToString(output), ", expected at most 6 dimensions"));
  return output;
}

Expected<Shape> InferSelect(const OpAttributes&, std::span<const Operand> inputs) {
  const Shape& condition = inputs[0].shape;
  const Shape& values = inputs[1].shape;
  if (values != inputs[2].shape || values.size() > 6) {
    return InvalidArgument(StrCat("values are ", ToString(values), " and ", ToString(inputs[2].shape),
                                  ", expected one shape of at most 6 dimensions"));
  }
  const bool by_slice = condition.size() == 1 && !values.empty() && condition[0] == values[0];
  if (condition != values && FlatSize(condition) != 1 && !by_slice) {
    return InvalidArgument(
        StrCat("condition is ", ToString(condition), ", does not fit values ", ToString(values)));
  }
  return values;
}

constexpr std::string_view kReleases[] = {"2.2.0"};

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    Expected<Shape> (*infer_shape)(const OpAttributes&, std::span<const Operand>)) {
  OpDefinition op = RunOp(type, name, tflite_name, builtin_code, 3,
                          "values of one input where a condition is true, of another elsewhere", infer_shape);
  op.data_input = 1;
  op.output_quantization = OutputQuantization::kJoinsInputs;
  return Written(op, {FirstVersion, kReleases}, IntegerKernels::kBoth);
}

}  // namespace

const OpDefinition& SelectDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kSelect, "select", "SELECT", tflite::BuiltinOperator_SELECT, InferSelect);
  return kDefinition;
}
const OpDefinition& SelectV2Definition() {
  static const OpDefinition kDefinition =
      Define(OpType::kSelectV2, "select_v2", "SELECT_V2", tflite::BuiltinOperator_SELECT_V2, InferSelectV2);
  return kDefinition;
}

}  // namespace qat
