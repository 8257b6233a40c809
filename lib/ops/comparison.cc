// Equal, NotEqual, Greater, GreaterEqual, Less, LessEqual, LogicalAnd, LogicalOr: a truth value for every
// pair, shapes broadcast.
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

constexpr std::string_view kReleases[] = {"1.14.0", "1.14.0"};

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  OpDefinition op = RunOp(type, name, tflite_name, builtin_code, 2, summary, InferBroadcast);
  op.output_quantization = OutputQuantization::kNone;
  op.output_type = [](const OpAttributes&) { return DType::kBool; };
  return Written(op, {VersionTwoForInt8, kReleases}, IntegerKernels::kBoth);
}

}  // namespace

const OpDefinition& EqualDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kEqual, "equal", "EQUAL", tflite::BuiltinOperator_EQUAL, "a = b");
  return kDefinition;
}
const OpDefinition& NotEqualDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kNotEqual, "not_equal", "NOT_EQUAL", tflite::BuiltinOperator_NOT_EQUAL, "a is not b");
  return kDefinition;
}
const OpDefinition& GreaterDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kGreater, "greater", "GREATER", tflite::BuiltinOperator_GREATER, "a > b");
  return kDefinition;
}
const OpDefinition& GreaterEqualDefinition() {
  static const OpDefinition kDefinition = Define(OpType::kGreaterEqual, "greater_equal", "GREATER_EQUAL",
                                                 tflite::BuiltinOperator_GREATER_EQUAL, "a >= b");
  return kDefinition;
}
const OpDefinition& LessDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kLess, "less", "LESS", tflite::BuiltinOperator_LESS, "a < b");
  return kDefinition;
}
const OpDefinition& LessEqualDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kLessEqual, "less_equal", "LESS_EQUAL", tflite::BuiltinOperator_LESS_EQUAL, "a <= b");
  return kDefinition;
}
const OpDefinition& LogicalAndDefinition() {
  static const OpDefinition kDefinition = Define(OpType::kLogicalAnd, "logical_and", "LOGICAL_AND",
                                                 tflite::BuiltinOperator_LOGICAL_AND, "a and b");
  return kDefinition;
}
const OpDefinition& LogicalOrDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kLogicalOr, "logical_or", "LOGICAL_OR", tflite::BuiltinOperator_LOGICAL_OR, "a or b");
  return kDefinition;
}

}  // namespace qat
