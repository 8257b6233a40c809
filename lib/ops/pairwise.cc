// Div, SquaredDifference, Pow, FloorDiv, FloorMod: one value of each input makes one of the output, shapes
// broadcast.
#include "ops/keys.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

Expected<OpAttributes> ReadDiv(const OptionsReader& reader) {
  BinaryAttributes a;
  if (const auto* table = reader.As<tflite::DivOptions>()) {
    QAT_ASSIGN_OR_RETURN(a.activation, ToActivation(table->fused_activation_function()));
  }
  return OpAttributes(a);
}

void WriteDiv(OptionsWriter& writer, const OpAttributes& attributes) {
  const Activation activation = std::get<BinaryAttributes>(attributes).activation;
  writer.type = tflite::BuiltinOptions_DivOptions;
  writer.table =
      tflite::CreateDivOptions(writer.builder, static_cast<tflite::ActivationFunctionType>(activation))
          .Union();
}

constexpr AttributeKey kDivKeys[] = {
    {"activation", keys::kActivation, "\"none\"",
     keys::Member<&BinaryAttributes::activation, keys::ToActivation>},
};

constexpr std::string_view kDivReleases[] = {"1.6.0"};
constexpr std::string_view kSquaredDifferenceReleases[] = {"1.13.1", "2.5.0"};
constexpr std::string_view kPowReleases[] = {"1.10.0"};

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  OpDefinition op = RunOp(type, name, tflite_name, builtin_code, 2, summary, InferBroadcast);
  op.min_layers = op.max_layers = 2;
  return op;
}

}  // namespace

const OpDefinition& DivDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Written(
        Define(OpType::kDiv, "div", "DIV", tflite::BuiltinOperator_DIV, "quotient of two inputs, broadcast"),
        {FirstVersion, kDivReleases, WriteDiv}, IntegerKernels::kBoth);
    op.keys = kDivKeys;
    op.default_attributes = BinaryAttributes();
    op.read_options = ReadDiv;
    return op;
  }();
  return kDefinition;
}
const OpDefinition& SquaredDifferenceDefinition() {
  static const OpDefinition kDefinition = Written(
      Define(OpType::kSquaredDifference, "squared_difference", "SQUARED_DIFFERENCE",
             tflite::BuiltinOperator_SQUARED_DIFFERENCE, "square of the difference of two inputs, broadcast"),
      {VersionTwoForInt8, kSquaredDifferenceReleases}, IntegerKernels::kInt8,
      "write sub, then mul of that layer with itself");
  return kDefinition;
}
const OpDefinition& PowDefinition() {
  static const OpDefinition kDefinition = Written(
      Define(OpType::kPow, "pow", "POW", tflite::BuiltinOperator_POW, "power of two inputs, broadcast"),
      {FirstVersion, kPowReleases}, IntegerKernels::kNone);
  return kDefinition;
}
const OpDefinition& FloorDivDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kFloorDiv, "floor_div", "FLOOR_DIV", tflite::BuiltinOperator_FLOOR_DIV,
             "quotient rounded down, broadcast");
  return kDefinition;
}
const OpDefinition& FloorModDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kFloorMod, "floor_mod", "FLOOR_MOD", tflite::BuiltinOperator_FLOOR_MOD,
             "what floor_div leaves, broadcast");
  return kDefinition;
}

}  // namespace qat
