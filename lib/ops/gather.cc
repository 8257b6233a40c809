// Gather: slices of the first input, along an axis, that the second input names by their indices.
#include "base/strings.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = GatherAttributes;

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const Shape& input = inputs[0].shape;
  QAT_ASSIGN_OR_RETURN(const size_t axis, ResolveAxis(std::get<A>(attributes).axis, input.size()));
  const auto at = input.begin() + static_cast<int64_t>(axis);
  Shape output(input.begin(), at);
  output.insert(output.end(), inputs[1].shape.begin(), inputs[1].shape.end());
  output.insert(output.end(), at + 1, input.end());
  return output;
}

constexpr std::string_view kReleases[] = {"1.6.0", "1.14.0"};

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::GatherOptions>();
  if (table == nullptr) return OpAttributes(A());
  if (table->batch_dims() != 0) return Unsupported(StrCat(table->batch_dims(), " batch dimensions"));
  return OpAttributes(A{table->axis()});
}

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_GatherOptions;
  writer.table = tflite::CreateGatherOptions(writer.builder, std::get<A>(attributes).axis).Union();
}

}  // namespace

const OpDefinition& GatherDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op{};
    op.type = OpType::kGather;
    op.name = "gather";
    op.tflite_name = "GATHER";
    op.builtin_code = tflite::BuiltinOperator_GATHER;
    op.summary = "slices of an input, by their indices";
    op.min_inputs = op.max_inputs = 2;
    op.output_quantization = OutputQuantization::kSameAsInput;
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
