// Pack: inputs of one shape side by side along a new axis.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = PackAttributes;

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  Shape output = inputs[0].shape;
  for (const Operand& input : inputs) {
    if (input.shape != output) {
      return InvalidArgument(
          StrCat("inputs are ", ToString(output), " and ", ToString(input.shape), ", expected one shape"));
    }
  }
  QAT_ASSIGN_OR_RETURN(const size_t axis, ResolveAxis(std::get<A>(attributes).axis, output.size() + 1));
  output.insert(output.begin() + static_cast<int64_t>(axis), static_cast<int32_t>(inputs.size()));
  return output;
}

constexpr AttributeKey kKeys[] = {{"axis", keys::kAxis, "", keys::Member<&A::axis, keys::ToAxis>}};

constexpr std::string_view kReleases[] = {"1.11.0", "1.14.0"};

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::PackOptions>();
  return OpAttributes(A{table == nullptr ? 0 : table->axis()});
}

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_PackOptions;
  writer.table =
      tflite::CreatePackOptions(writer.builder, writer.inputs, std::get<A>(attributes).axis).Union();
}

}  // namespace

const OpDefinition& PackDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op{};
    op.type = OpType::kPack;
    op.name = "pack";
    op.tflite_name = "PACK";
    op.builtin_code = tflite::BuiltinOperator_PACK;
    op.summary = "inputs of one shape side by side along a new axis";
    op.max_inputs = 1 << 16;
    op.min_layers = 2;
    op.max_layers = 1 << 16;
    op.keys = kKeys;
    op.output_quantization = OutputQuantization::kJoinsInputs;
    op.default_attributes = A();
    op.infer_shape = InferShape;
    op.version = VersionTwoForInt8;
    op.releases = kReleases;
    op.write_options = WriteOptions;
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
