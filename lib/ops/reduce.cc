// Sum, ReduceMin, ReduceProd, ReduceAny, ReduceAll: one value for all those along the axes that the second input lists.
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = MeanAttributes;

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  return ReducedShape(inputs[0].shape, inputs[1], std::get<A>(attributes).keep_dims);
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::ReducerOptions>();
  return OpAttributes(A{.keep_dims = table != nullptr && table->keep_dims()});
}

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  OpDefinition op = RunOp(type, name, tflite_name, builtin_code, 2, summary, InferShape);
  op.default_attributes = A();
  op.read_options = ReadOptions;
  if (type == OpType::kReduceMin) op.output_quantization = OutputQuantization::kSameAsInput;
  return op;
}

}  // namespace

const OpDefinition& SumDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kSum, "sum", "SUM", tflite::BuiltinOperator_SUM, "sum over some axes");
  return kDefinition;
}
const OpDefinition& ReduceMinDefinition() {
  static const OpDefinition kDefinition = Define(OpType::kReduceMin, "reduce_min", "REDUCE_MIN",
                                                 tflite::BuiltinOperator_REDUCE_MIN, "least over some axes");
  return kDefinition;
}
const OpDefinition& ReduceProdDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kReduceProd, "reduce_prod", "REDUCE_PROD", tflite::BuiltinOperator_REDUCE_PROD,
             "product over some axes");
  return kDefinition;
}
const OpDefinition& ReduceAnyDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kReduceAny, "reduce_any", "REDUCE_ANY", tflite::BuiltinOperator_REDUCE_ANY,
             "whether one is true over some axes");
  return kDefinition;
}
const OpDefinition& ReduceAllDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kReduceAll, "reduce_all", "REDUCE_ALL", tflite::BuiltinOperator_REDUCE_ALL,
             "whether all are true over some axes");
  return kDefinition;
}

}  // namespace qat
