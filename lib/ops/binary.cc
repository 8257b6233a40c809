// Add, Sub, Mul, Maximum, Minimum: one value of each input makes one of the output, shapes broadcast. PRelu:
// y = x >= 0 ? x : alpha * x, where alpha broadcasts to x.
#include <type_traits>

#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = BinaryAttributes;

constexpr AttributeKey kKeys[] = {
    {"activation", keys::kActivation, "\"none\"", keys::Member<&A::activation, keys::ToActivation>},
};

constexpr std::string_view kSlopeText = "a number in [-1, 1]";

Expected<float> ToSlope(const AttributeValue& value) {
  QAT_ASSIGN_OR_RETURN(const double slope, keys::ToNumber(value, kSlopeText));
  if (!(slope >= -1 && slope <= 1)) return keys::Mismatch(value, kSlopeText);
  return static_cast<float>(slope);
}

constexpr AttributeKey kPReluKeys[] = {
    {"slope", kSlopeText, "0.25", keys::Member<&PReluAttributes::slope, ToSlope>},
};

// One slope per channel: the axes between batch and channels are shared.
std::vector<ParameterSpec> PReluParameters(const OpAttributes&, const Shape& input) {
  if (input.size() < 2) return {};
  Shape shape(input.size() - 1, 1);
  shape.back() = input.back();
  return {{"slope", ParameterSpec::Role::kSlope, shape, 0, 0}};
}

Expected<Shape> InferPReluShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(Shape shape, InferBroadcast(attributes, inputs));
  if (shape == inputs[0].shape) return shape;
  return InvalidArgument(StrCat("alpha is ", ToString(inputs[1].shape), ", expected to broadcast to ",
                                ToString(inputs[0].shape)));
}

constexpr std::string_view kReleases[] = {"1.5.0", "1.14.0"};
constexpr std::string_view kPReluReleases[] = {"1.8.0"};

// TensorFlow 1.x ran MUL only where the product of the scales is below that of the output, which no version
// query can see; readers of today do not ask.
template <class Options>
Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  A a;
  if (const auto* table = reader.As<Options>()) {
    QAT_ASSIGN_OR_RETURN(a.activation, ToActivation(table->fused_activation_function()));
    if constexpr (!std::is_same_v<Options, tflite::MulOptions>)
      a.power_of_two_scales = table->pot_scale_int16();
  }
  return OpAttributes(a);
}

template <class Options>
void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const A& a = std::get<A>(attributes);
  const auto activation = static_cast<tflite::ActivationFunctionType>(a.activation);
  writer.type = tflite::BuiltinOptionsTraits<Options>::enum_value;
  if constexpr (std::is_same_v<Options, tflite::AddOptions>) {
    writer.table = tflite::CreateAddOptions(writer.builder, activation, a.power_of_two_scales).Union();
  } else if constexpr (std::is_same_v<Options, tflite::SubOptions>) {
    writer.table = tflite::CreateSubOptions(writer.builder, activation, a.power_of_two_scales).Union();
  } else {
    writer.table = tflite::CreateMulOptions(writer.builder, activation).Union();
  }
}

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  OpDefinition op{};
  op.type = type;
  op.name = name;
  op.tflite_name = tflite_name;
  op.builtin_code = builtin_code;
  op.summary = summary;
  op.min_inputs = 2;
  op.max_inputs = 2;
  op.min_layers = 2;
  op.max_layers = 2;
  op.infer_shape = InferBroadcast;
  op.version = VersionTwoForInt8;
  op.releases = kReleases;
  op.read_options = ReadNoOptions;
  return op;
}

template <class Options>
OpDefinition WithActivation(OpDefinition op) {
  op.keys = kKeys;
  op.default_attributes = A();
  op.write_options = WriteOptions<Options>;
  op.read_options = ReadOptions<Options>;
  return op;
}

OpDefinition OnRawValues(OpDefinition op) {
  op.output_quantization = OutputQuantization::kJoinsInputs;
  return op;
}

}  // namespace

const OpDefinition& AddDefinition() {
  static const OpDefinition kDefinition = WithActivation<tflite::AddOptions>(
      Define(OpType::kAdd, "add", "ADD", tflite::BuiltinOperator_ADD, "sum of two inputs, broadcast"));
  return kDefinition;
}

const OpDefinition& SubDefinition() {
  static const OpDefinition kDefinition = WithActivation<tflite::SubOptions>(
      Define(OpType::kSub, "sub", "SUB", tflite::BuiltinOperator_SUB, "difference of two inputs, broadcast"));
  return kDefinition;
}

const OpDefinition& MulDefinition() {
  static const OpDefinition kDefinition = WithActivation<tflite::MulOptions>(
      Define(OpType::kMul, "mul", "MUL", tflite::BuiltinOperator_MUL, "product of two inputs, broadcast"));
  return kDefinition;
}

const OpDefinition& MaximumDefinition() {
  static const OpDefinition kDefinition =
      OnRawValues(Define(OpType::kMaximum, "maximum", "MAXIMUM", tflite::BuiltinOperator_MAXIMUM,
                         "larger of two inputs, broadcast"));
  return kDefinition;
}

const OpDefinition& MinimumDefinition() {
  static const OpDefinition kDefinition =
      OnRawValues(Define(OpType::kMinimum, "minimum", "MINIMUM", tflite::BuiltinOperator_MINIMUM,
                         "smaller of two inputs, broadcast"));
  return kDefinition;
}

const OpDefinition& PReluDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kPRelu, "prelu", "PRELU", tflite::BuiltinOperator_PRELU,
                             "the input, its negative values times a slope");
    op.min_layers = 1;
    op.max_layers = 1;
    op.keys = kPReluKeys;
    op.default_attributes = PReluAttributes();
    op.read_options = [](const OptionsReader&) { return Expected<OpAttributes>(PReluAttributes()); };
    op.infer_shape = InferPReluShape;
    op.parameters = PReluParameters;
    op.version = [](const VersionQuery&) { return int32_t{1}; };
    op.releases = kPReluReleases;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
