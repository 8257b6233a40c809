// Quantize: reals, or quantized values of other parameters, to the output's parameters. Dequantize: back to
// reals.
#include "ops/op.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) { return inputs[0].shape; }

constexpr std::string_view kQuantizeReleases[] = {"1.14.0"};
constexpr std::string_view kDequantizeReleases[] = {"1.13.1", "1.14.0", "1.15.0"};

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  OpDefinition op{};
  op.type = type;
  op.name = name;
  op.tflite_name = tflite_name;
  op.builtin_code = builtin_code;
  op.summary = summary;
  op.infer_shape = InferShape;
  op.read_options = ReadNoOptions;
  return op;
}

}  // namespace

const OpDefinition& QuantizeDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kQuantize, "quantize", "QUANTIZE", tflite::BuiltinOperator_QUANTIZE,
                             "the same real values with a scale and zero point of their own");
    op.version = [](const VersionQuery&) { return int32_t{1}; };
    op.releases = kQuantizeReleases;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& DequantizeDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kDequantize, "dequantize", "DEQUANTIZE",
                             tflite::BuiltinOperator_DEQUANTIZE, "quantized values as float32");
    op.output_quantization = OutputQuantization::kNone;
    op.output_type = [](const OpAttributes&) { return DType::kFloat32; };
    op.version = [](const VersionQuery& query) {
      return query.input == DType::kFloat16 ? 3 : VersionTwoForInt8(query);
    };
    op.releases = kDequantizeReleases;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
