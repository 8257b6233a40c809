// Relu, Relu6, ReluN1To1, LeakyRelu, HardSwish, Logistic, Tanh: y = f(x) for every value on its own.
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) { return inputs[0].shape; }

constexpr std::string_view kReleases[] = {"1.5.0", "1.14.0"};
constexpr std::string_view kReluReleases[] = {"1.5.0", "2.1.0"};
constexpr std::string_view kLeakyReluReleases[] = {"1.13.1"};
constexpr std::string_view kHardSwishReleases[] = {"1.15.0"};

// Version 2 brought both 8-bit types.
int32_t ReluVersion(const VersionQuery& query) { return query.input == DType::kFloat32 ? 1 : 2; }
int32_t FirstVersion(const VersionQuery&) { return 1; }

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  OpDefinition op{};
  op.type = type;
  op.name = name;
  op.tflite_name = tflite_name;
  op.builtin_code = builtin_code;
  op.summary = summary;
  op.infer_shape = InferShape;
  op.version = VersionTwoForInt8;
  op.releases = kReleases;
  op.read_options = ReadNoOptions;
  return op;
}

OpDefinition WithFixedOutput(OpDefinition op, QuantizationParams uint8) {
  op.output_quantization = OutputQuantization::kFixed;
  op.fixed_uint8 = uint8;
  return op;
}

OpDefinition WithVersion(OpDefinition op, int32_t (*version)(const VersionQuery&),
                         std::span<const std::string_view> releases) {
  op.version = version;
  op.releases = releases;
  return op;
}

// A negative multiplier has no fixed-point form.
constexpr std::string_view kAlphaText = "a number in [0, 1]";

Expected<float> ToAlpha(const AttributeValue& value) {
  QAT_ASSIGN_OR_RETURN(const double alpha, keys::ToNumber(value, kAlphaText));
  if (!(alpha >= 0 && alpha <= 1)) return keys::Mismatch(value, kAlphaText);
  return static_cast<float>(alpha);
}

// Frameworks differ in their default (0.01, 0.2, 0.3): it must be said.
constexpr AttributeKey kLeakyReluKeys[] = {
    {"alpha", kAlphaText, "", keys::Member<&LeakyReluAttributes::alpha, ToAlpha>},
};

void WriteLeakyRelu(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_LeakyReluOptions;
  writer.table =
      tflite::CreateLeakyReluOptions(writer.builder, std::get<LeakyReluAttributes>(attributes).alpha).Union();
}

Expected<OpAttributes> ReadLeakyRelu(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::LeakyReluOptions>();
  return OpAttributes(LeakyReluAttributes{table == nullptr ? 0.0f : table->alpha()});
}

}  // namespace

const OpDefinition& ReluDefinition() {
  static const OpDefinition kDefinition =
      WithVersion(Define(OpType::kRelu, "relu", "RELU", tflite::BuiltinOperator_RELU, "max(x, 0)"),
                  ReluVersion, kReluReleases);
  return kDefinition;
}

const OpDefinition& Relu6Definition() {
  static const OpDefinition kDefinition =
      Define(OpType::kRelu6, "relu6", "RELU6", tflite::BuiltinOperator_RELU6, "min(max(x, 0), 6)");
  return kDefinition;
}

const OpDefinition& ReluN1To1Definition() {
  static const OpDefinition kDefinition =
      WithVersion(Define(OpType::kReluN1To1, "relu_n1_to_1", "RELU_N1_TO_1",
                         tflite::BuiltinOperator_RELU_N1_TO_1, "min(max(x, -1), 1)"),
                  FirstVersion, std::span(kReleases).first(1));
  return kDefinition;
}

const OpDefinition& LeakyReluDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = WithVersion(Define(OpType::kLeakyRelu, "leaky_relu", "LEAKY_RELU",
                                         tflite::BuiltinOperator_LEAKY_RELU, "x >= 0 ? x : alpha * x"),
                                  FirstVersion, kLeakyReluReleases);
    op.keys = kLeakyReluKeys;
    op.default_attributes = LeakyReluAttributes();
    op.write_options = WriteLeakyRelu;
    op.read_options = ReadLeakyRelu;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& HardSwishDefinition() {
  static const OpDefinition kDefinition =
      WithVersion(Define(OpType::kHardSwish, "hard_swish", "HARD_SWISH", tflite::BuiltinOperator_HARD_SWISH,
                         "x * min(max(x + 3, 0), 6) / 6"),
                  FirstVersion, kHardSwishReleases);
  return kDefinition;
}

const OpDefinition& LogisticDefinition() {
  static const OpDefinition kDefinition =
      WithFixedOutput(Define(OpType::kLogistic, "logistic", "LOGISTIC", tflite::BuiltinOperator_LOGISTIC,
                             "1 / (1 + exp(-x))"),
                      {1.0f / 256, 0});
  return kDefinition;
}

const OpDefinition& TanhDefinition() {
  static const OpDefinition kDefinition = WithFixedOutput(
      Define(OpType::kTanh, "tanh", "TANH", tflite::BuiltinOperator_TANH, "tanh(x)"), {1.0f / 128, 128});
  return kDefinition;
}

}  // namespace qat
