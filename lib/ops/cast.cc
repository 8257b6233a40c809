// Cast: every value as another element type.
#include "base/strings.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = CastAttributes;

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) { return inputs[0].shape; }

constexpr std::string_view kReleases[] = {"1.5.0"};

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto type = static_cast<tflite::TensorType>(std::get<A>(attributes).output_type);
  writer.type = tflite::BuiltinOptions_CastOptions;
  writer.table = tflite::CreateCastOptions(writer.builder, tflite::TensorType_FLOAT32, type).Union();
}

// Converters leave the option out: the types of the tensors say it.
Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::CastOptions>();
  return OpAttributes(A{table == nullptr ? DType::kFloat32 : static_cast<DType>(table->out_data_type())});
}

}  // namespace

const OpDefinition& CastDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op{};
    op.type = OpType::kCast;
    op.name = "cast";
    op.tflite_name = "CAST";
    op.builtin_code = tflite::BuiltinOperator_CAST;
    op.summary = "the same values as another element type";
    op.output_quantization = OutputQuantization::kNone;
    op.default_attributes = A();
    op.infer_shape = InferShape;
    op.output_type = [](const OpAttributes& attributes) { return std::get<A>(attributes).output_type; };
    op.version = [](const VersionQuery&) { return int32_t{1}; };
    op.releases = kReleases;
    op.write_options = WriteOptions;
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
