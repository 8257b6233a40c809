// Exp, Log, Sqrt, Rsqrt, Square, Abs, Neg, Floor, Ceil, Round, Sin, Cos, Sign, Elu, Gelu, LogicalNot: functions that converters
// use for layers without an operator of their own. Each value of the input gives one of the output.
#include "ops/run_op.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  return RunOp(type, name, tflite_name, builtin_code, 1, summary);
}

Expected<OpAttributes> ReadGelu(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::GeluOptions>();
  return OpAttributes(GeluAttributes{table != nullptr && table->approximate()});
}

}  // namespace

const OpDefinition& ExpDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kExp, "exp", "EXP", tflite::BuiltinOperator_EXP, "e to the power of x");
  return kDefinition;
}
const OpDefinition& LogDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kLog, "log", "LOG", tflite::BuiltinOperator_LOG, "natural logarithm");
  return kDefinition;
}
const OpDefinition& SqrtDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kSqrt, "sqrt", "SQRT", tflite::BuiltinOperator_SQRT, "square root");
  return kDefinition;
}
const OpDefinition& RsqrtDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kRsqrt, "rsqrt", "RSQRT", tflite::BuiltinOperator_RSQRT, "1 / sqrt(x)");
  return kDefinition;
}
const OpDefinition& SquareDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kSquare, "square", "SQUARE", tflite::BuiltinOperator_SQUARE, "x * x");
  return kDefinition;
}
const OpDefinition& AbsDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kAbs, "abs", "ABS", tflite::BuiltinOperator_ABS, "x without its sign");
  return kDefinition;
}
const OpDefinition& NegDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kNeg, "neg", "NEG", tflite::BuiltinOperator_NEG, "-x");
  return kDefinition;
}
const OpDefinition& FloorDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kFloor, "floor", "FLOOR", tflite::BuiltinOperator_FLOOR, "largest whole number <= x");
  return kDefinition;
}
const OpDefinition& CeilDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kCeil, "ceil", "CEIL", tflite::BuiltinOperator_CEIL, "smallest whole number >= x");
  return kDefinition;
}
const OpDefinition& RoundDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kRound, "round", "ROUND", tflite::BuiltinOperator_ROUND,
             "nearest whole number, the even one of two");
  return kDefinition;
}
const OpDefinition& SinDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kSin, "sin", "SIN", tflite::BuiltinOperator_SIN, "sine");
  return kDefinition;
}
const OpDefinition& CosDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kCos, "cos", "COS", tflite::BuiltinOperator_COS, "cosine");
  return kDefinition;
}
const OpDefinition& SignDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kSign, "sign", "SIGN", tflite::BuiltinOperator_SIGN, "-1, 0 or 1");
  return kDefinition;
}
const OpDefinition& EluDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kElu, "elu", "ELU", tflite::BuiltinOperator_ELU, "x >= 0 ? x : exp(x) - 1");
  return kDefinition;
}
const OpDefinition& GeluDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kGelu, "gelu", "GELU", tflite::BuiltinOperator_GELU,
                             "x times the normal distribution at x");
    op.default_attributes = GeluAttributes();
    op.read_options = ReadGelu;
    return op;
  }();
  return kDefinition;
}
const OpDefinition& LogicalNotDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kLogicalNot, "logical_not", "LOGICAL_NOT", tflite::BuiltinOperator_LOGICAL_NOT, "not x");
  return kDefinition;
}

}  // namespace qat
