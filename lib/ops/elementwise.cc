// Exp, Log, Sqrt, Rsqrt, Square, Abs, Neg, Floor, Ceil, Round, Sin, Cos, Sign, Elu, Gelu, LogicalNot:
// functions that converters use for layers without an operator of their own. Each value of the input gives
// one of the output.
#include "ops/keys.h"
#include "ops/run_op.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  return RunOp(type, name, tflite_name, builtin_code, 1, summary);
}

// Of reals only: TFLite has no kernel of it for 8 bits.
OpDefinition DefineReal(OpType type, std::string_view name, std::string_view tflite_name,
                        int32_t builtin_code, std::string_view summary,
                        std::span<const std::string_view> releases, std::string_view instead = "") {
  return Written(Define(type, name, tflite_name, builtin_code, summary), {FirstVersion, releases},
                 IntegerKernels::kNone, instead);
}

// Version 2 brought int8.
OpDefinition DefineInt8(OpType type, std::string_view name, std::string_view tflite_name,
                        int32_t builtin_code, std::string_view summary,
                        std::span<const std::string_view> releases) {
  return Written(Define(type, name, tflite_name, builtin_code, summary), {VersionTwoForInt8, releases},
                 IntegerKernels::kInt8);
}

constexpr std::string_view kExpReleases[] = {"1.7.0", "2.12.0"};
constexpr std::string_view kLogReleases[] = {"1.14.0", "2.15.0"};
constexpr std::string_view kSqrtReleases[] = {"1.10.0", "2.21.0"};
constexpr std::string_view kRsqrtReleases[] = {"1.10.0", "2.5.0"};
constexpr std::string_view kSquareReleases[] = {"1.12.0"};
constexpr std::string_view kAbsReleases[] = {"1.13.0", "2.4.0"};
constexpr std::string_view kSinReleases[] = {"1.9.0"};
constexpr std::string_view kCosReleases[] = {"1.14.0"};
constexpr std::string_view kSignReleases[] = {"2.12.0"};
constexpr std::string_view kLogicalNotReleases[] = {"1.11.0"};
constexpr std::string_view kGeluReleases[] = {"2.9.0", "2.9.0"};

int32_t GeluVersion(const VersionQuery& query) { return query.input == DType::kFloat32 ? 1 : 2; }

constexpr AttributeKey kGeluKeys[] = {
    {"approximate", keys::kFlag, "false", keys::Member<&GeluAttributes::approximate, keys::ToFlag>},
};

void WriteGelu(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_GeluOptions;
  writer.table =
      tflite::CreateGeluOptions(writer.builder, std::get<GeluAttributes>(attributes).approximate).Union();
}

Expected<OpAttributes> ReadGelu(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::GeluOptions>();
  return OpAttributes(GeluAttributes{table != nullptr && table->approximate()});
}

}  // namespace

const OpDefinition& ExpDefinition() {
  static const OpDefinition kDefinition = DefineInt8(OpType::kExp, "exp", "EXP", tflite::BuiltinOperator_EXP,
                                                     "e to the power of x", kExpReleases);
  return kDefinition;
}
const OpDefinition& LogDefinition() {
  static const OpDefinition kDefinition =
      DefineInt8(OpType::kLog, "log", "LOG", tflite::BuiltinOperator_LOG, "natural logarithm", kLogReleases);
  return kDefinition;
}
const OpDefinition& SqrtDefinition() {
  static const OpDefinition kDefinition =
      DefineInt8(OpType::kSqrt, "sqrt", "SQRT", tflite::BuiltinOperator_SQRT, "square root", kSqrtReleases);
  return kDefinition;
}
const OpDefinition& RsqrtDefinition() {
  static const OpDefinition kDefinition = DefineInt8(
      OpType::kRsqrt, "rsqrt", "RSQRT", tflite::BuiltinOperator_RSQRT, "1 / sqrt(x)", kRsqrtReleases);
  return kDefinition;
}
const OpDefinition& SquareDefinition() {
  static const OpDefinition kDefinition =
      DefineReal(OpType::kSquare, "square", "SQUARE", tflite::BuiltinOperator_SQUARE, "x * x",
                 kSquareReleases, "write mul of the layer with itself");
  return kDefinition;
}
const OpDefinition& AbsDefinition() {
  static const OpDefinition kDefinition =
      DefineInt8(OpType::kAbs, "abs", "ABS", tflite::BuiltinOperator_ABS, "x without its sign", kAbsReleases);
  return kDefinition;
}
const OpDefinition& NegDefinition() {
  static const OpDefinition kDefinition =
      DefineReal(OpType::kNeg, "neg", "NEG", tflite::BuiltinOperator_NEG, "-x", kSinReleases,
                 "write sub where the next layer adds, or let the next filter take the sign");
  return kDefinition;
}
const OpDefinition& FloorDefinition() {
  static const OpDefinition kDefinition =
      DefineReal(OpType::kFloor, "floor", "FLOOR", tflite::BuiltinOperator_FLOOR,
                 "largest whole number <= x; trained as if it were x", kSinReleases);
  return kDefinition;
}
const OpDefinition& CeilDefinition() {
  static const OpDefinition kDefinition =
      DefineReal(OpType::kCeil, "ceil", "CEIL", tflite::BuiltinOperator_CEIL,
                 "smallest whole number >= x; trained as if it were x", kCosReleases);
  return kDefinition;
}
const OpDefinition& RoundDefinition() {
  static const OpDefinition kDefinition =
      DefineReal(OpType::kRound, "round", "ROUND", tflite::BuiltinOperator_ROUND,
                 "nearest whole number, the even one of two; trained as if it were x", kCosReleases);
  return kDefinition;
}
const OpDefinition& SinDefinition() {
  static const OpDefinition kDefinition =
      DefineReal(OpType::kSin, "sin", "SIN", tflite::BuiltinOperator_SIN, "sine", kSinReleases);
  return kDefinition;
}
const OpDefinition& CosDefinition() {
  static const OpDefinition kDefinition =
      DefineReal(OpType::kCos, "cos", "COS", tflite::BuiltinOperator_COS, "cosine", kCosReleases);
  return kDefinition;
}
const OpDefinition& SignDefinition() {
  static const OpDefinition kDefinition =
      DefineReal(OpType::kSign, "sign", "SIGN", tflite::BuiltinOperator_SIGN, "-1, 0 or 1", kSignReleases);
  return kDefinition;
}
const OpDefinition& EluDefinition() {
  static const OpDefinition kDefinition =
      Written(Define(OpType::kElu, "elu", "ELU", tflite::BuiltinOperator_ELU, "x >= 0 ? x : exp(x) - 1"),
              {FirstVersion, kCosReleases}, IntegerKernels::kInt8);
  return kDefinition;
}
const OpDefinition& GeluDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Written(Define(OpType::kGelu, "gelu", "GELU", tflite::BuiltinOperator_GELU,
                                     "x times the normal distribution at x; approximate: by tanh"),
                              {GeluVersion, kGeluReleases, WriteGelu}, IntegerKernels::kBoth);
    op.keys = kGeluKeys;
    op.default_attributes = GeluAttributes();
    op.read_options = ReadGelu;
    return op;
  }();
  return kDefinition;
}
const OpDefinition& LogicalNotDefinition() {
  static const OpDefinition kDefinition = Written(
      Define(OpType::kLogicalNot, "logical_not", "LOGICAL_NOT", tflite::BuiltinOperator_LOGICAL_NOT, "not x"),
      {FirstVersion, kLogicalNotReleases}, IntegerKernels::kBoth);
  return kDefinition;
}

}  // namespace qat
