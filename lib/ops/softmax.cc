// Softmax over the last axis: y[i] = exp(beta * x[i]) / sum over j of exp(beta * x[j]).
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = SoftmaxAttributes;

Expected<float> ToBeta(const AttributeValue& value) {
  constexpr std::string_view kExpected = "a positive number";
  QAT_ASSIGN_OR_RETURN(const double beta, keys::ToNumber(value, kExpected));
  if (!(beta > 0) || beta > 1e6) return keys::Mismatch(value, kExpected);
  return static_cast<float>(beta);
}

constexpr AttributeKey kKeys[] = {{"beta", "a positive number", "1", keys::Member<&A::beta, ToBeta>}};

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  if (inputs[0].shape.empty()) return InvalidArgument("input has no dimensions");
  return inputs[0].shape;
}

constexpr std::string_view kReleases[] = {"1.5.0", "1.14.0"};

int32_t Version(const VersionQuery& query) { return query.input == DType::kInt8 ? 2 : 1; }

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_SoftmaxOptions;
  writer.table = tflite::CreateSoftmaxOptions(writer.builder, std::get<A>(attributes).beta).Union();
}

// Without a table beta has the schema's default, 0: a uniform output, as TFLite's kernel computes it.
Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::SoftmaxOptions>();
  return OpAttributes(A{table == nullptr ? 0.0f : table->beta()});
}

}  // namespace

const OpDefinition& SoftmaxDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op{};
    op.type = OpType::kSoftmax;
    op.name = "softmax";
    op.tflite_name = "SOFTMAX";
    op.builtin_code = tflite::BuiltinOperator_SOFTMAX;
    op.summary = "probabilities over the last axis";
    op.output_quantization = OutputQuantization::kFixed;
    op.fixed_uint8 = {1.0f / 256, 0};
    op.keys = kKeys;
    op.default_attributes = A();
    op.infer_shape = InferShape;
    op.version = Version;
    op.releases = kReleases;
    op.write_options = WriteOptions;
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
