// Squeeze drops axes of size 1, ExpandDims puts one in at the axis that the second input says. The values
// stay.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = SqueezeAttributes;
constexpr std::string_view kAxesText = "a list of axes without the batch (0); negative: from the last one";

Expected<std::vector<int32_t>> ToAxes(const AttributeValue& value) {
  return keys::ToList(value, 7, -7, 7, kAxesText);
}

// TFLite's default, all axes of size 1, would drop a batch of 1.
constexpr AttributeKey kSqueezeKeys[] = {{"axes", kAxesText, "", keys::Member<&A::axes, ToAxes>}};
constexpr AttributeKey kExpandDimsKeys[] = {
    {"axis", keys::kAxis, "", keys::Member<&ExpandDimsAttributes::axis, keys::ToAxis>},
};

std::vector<IndexOperand> ExpandDimsOperands(const OpAttributes& attributes, const Shape&) {
  return {{"axis", {}, {std::get<ExpandDimsAttributes>(attributes).axis}}};
}

Expected<Shape> InferSqueeze(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const Shape& input = inputs[0].shape;
  const auto& axes = std::get<A>(attributes).axes;
  std::vector<bool> dropped(input.size());
  for (size_t i = 0; i < input.size() && axes.empty(); ++i) dropped[i] = input[i] == 1;
  for (const int32_t entry : axes) {
    QAT_ASSIGN_OR_RETURN(const size_t axis, ResolveAxis(entry, input.size()));
    if (input[axis] != 1) return InvalidArgument(StrCat("axis ", axis, " of ", ToString(input), " is not 1"));
    dropped[axis] = true;
  }
  Shape output;
  for (size_t i = 0; i < input.size(); ++i) {
    if (!dropped[i]) output.push_back(input[i]);
  }
  return output;
}

Expected<Shape> InferExpandDims(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ConstantIndices(inputs[1], "axis"));
  if (axes.size() != 1)
    return InvalidArgument(StrCat("axis is ", ToString(inputs[1].shape), ", expected one value"));
  Shape output = inputs[0].shape;
  QAT_ASSIGN_OR_RETURN(const size_t axis, ResolveAxis(axes[0], output.size() + 1));
  output.insert(output.begin() + static_cast<int64_t>(axis), 1);
  return output;
}

void WriteSqueeze(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto axes = writer.builder.CreateVector(std::get<A>(attributes).axes);
  writer.type = tflite::BuiltinOptions_SqueezeOptions;
  writer.table = tflite::CreateSqueezeOptions(writer.builder, axes).Union();
}

Expected<OpAttributes> ReadSqueeze(const OptionsReader& reader) {
  A a;
  const auto* table = reader.As<tflite::SqueezeOptions>();
  if (table != nullptr && table->squeeze_dims() != nullptr)
    a.axes.assign(table->squeeze_dims()->begin(), table->squeeze_dims()->end());
  return OpAttributes(a);
}

constexpr std::string_view kSqueezeReleases[] = {"1.6.0"};
constexpr std::string_view kExpandDimsReleases[] = {"1.10.0"};

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  OpDefinition op{};
  op.type = type;
  op.name = name;
  op.tflite_name = tflite_name;
  op.builtin_code = builtin_code;
  op.summary = summary;
  op.output_quantization = OutputQuantization::kSameAsInput;
  op.version = [](const VersionQuery&) { return int32_t{1}; };
  return op;
}

}  // namespace

const OpDefinition& SqueezeDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kSqueeze, "squeeze", "SQUEEZE", tflite::BuiltinOperator_SQUEEZE,
                             "removes axes of size 1");
    op.keys = kSqueezeKeys;
    op.default_attributes = A();
    op.infer_shape = InferSqueeze;
    op.releases = kSqueezeReleases;
    op.write_options = WriteSqueeze;
    op.read_options = ReadSqueeze;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& ExpandDimsDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kExpandDims, "expand_dims", "EXPAND_DIMS",
                             tflite::BuiltinOperator_EXPAND_DIMS, "inserts an axis of size 1");
    op.min_inputs = 2;
    op.max_inputs = 2;
    op.keys = kExpandDimsKeys;
    op.default_attributes = ExpandDimsAttributes();
    op.infer_shape = InferExpandDims;
    op.index_operands = ExpandDimsOperands;
    op.releases = kExpandDimsReleases;
    op.read_options = [](const OptionsReader&) { return Expected<OpAttributes>(ExpandDimsAttributes()); };
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
