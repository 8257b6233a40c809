// Concatenation: its inputs joined along one axis.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = ConcatenationAttributes;

constexpr AttributeKey kKeys[] = {{"axis", keys::kAxis, "-1", keys::Member<&A::axis, keys::ToAxis>}};

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  Shape output = inputs[0].shape;
  QAT_ASSIGN_OR_RETURN(const size_t axis, ResolveAxis(std::get<A>(attributes).axis, output.size()));
  int64_t length = 0;
  for (const Operand& input : inputs) {
    Shape other = input.shape;
    if (other.size() == output.size()) other[axis] = output[axis];
    if (other != output) {
      return InvalidArgument(StrCat("inputs ", ToString(inputs[0].shape), " and ", ToString(input.shape),
                                    " differ in more than axis ", axis));
    }
    length += input.shape[axis];
  }
  if (length > (1 << 30)) return InvalidArgument(StrCat("axis ", axis, " would have ", length, " values"));
  output[axis] = static_cast<int32_t>(length);
  return output;
}

constexpr std::string_view kReleases[] = {"1.5.0", "1.14.0"};

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_ConcatenationOptions;
  writer.table = tflite::CreateConcatenationOptions(writer.builder, std::get<A>(attributes).axis).Union();
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::ConcatenationOptions>();
  if (table == nullptr) return Corrupt("options are missing, expected ConcatenationOptions");
  if (table->fused_activation_function() != tflite::ActivationFunctionType_NONE) {
    return Unsupported(
        StrCat("fused activation is ", int{table->fused_activation_function()}, ", expected none"));
  }
  return OpAttributes(A{table->axis()});
}

}  // namespace

const OpDefinition& ConcatenationDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op{};
    op.type = OpType::kConcatenation;
    op.name = "concatenation";
    op.tflite_name = "CONCATENATION";
    op.builtin_code = tflite::BuiltinOperator_CONCATENATION;
    op.summary = "inputs joined along an axis";
    op.max_inputs = 1 << 16;
    op.output_quantization = OutputQuantization::kJoinsInputs;
    op.min_layers = 2;
    op.max_layers = 1 << 16;
    op.keys = kKeys;
    op.default_attributes = A{.axis = -1};
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
