// Transpose: axis i of the output is axis permutation[i] of the input; the permutation is the second input.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = TransposeAttributes;
constexpr std::string_view kPermText = "a list of the input's axes, the batch (0) first";

Expected<std::vector<int32_t>> ToPermutation(const AttributeValue& value) {
  QAT_ASSIGN_OR_RETURN(std::vector<int32_t> axes, keys::ToList(value, 8, 0, 7, kPermText));
  if (axes[0] != 0) return keys::Mismatch(value, kPermText);
  return axes;
}

constexpr AttributeKey kKeys[] = {{"perm", kPermText, "", keys::Member<&A::permutation, ToPermutation>}};

std::vector<IndexOperand> IndexOperands(const OpAttributes& attributes, const Shape&) {
  const auto& axes = std::get<A>(attributes).permutation;
  return {{"perm", {static_cast<int32_t>(axes.size())}, axes}};
}

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  const Shape& input = inputs[0].shape;
  if (input.size() > 8)
    return InvalidArgument(StrCat("input is ", ToString(input), ", expected at most 8 dimensions"));
  if (inputs[1].shape != Shape{static_cast<int32_t>(input.size())}) {
    return InvalidArgument(
        StrCat("permutation is ", ToString(inputs[1].shape), ", expected [", input.size(), "]"));
  }
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> permutation, ConstantIndices(inputs[1], "permutation"));
  std::vector<bool> seen(input.size());
  Shape output;
  for (const int64_t entry : permutation) {
    QAT_ASSIGN_OR_RETURN(const size_t axis, ResolveAxis(entry, input.size()));
    if (seen[axis]) return InvalidArgument(StrCat("permutation lists axis ", axis, " twice"));
    seen[axis] = true;
    output.push_back(input[axis]);
  }
  return output;
}

constexpr std::string_view kReleases[] = {"1.6.0", "1.14.0"};

}  // namespace

const OpDefinition& TransposeDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op{};
    op.type = OpType::kTranspose;
    op.name = "transpose";
    op.tflite_name = "TRANSPOSE";
    op.builtin_code = tflite::BuiltinOperator_TRANSPOSE;
    op.summary = "axes in another order";
    op.min_inputs = 2;
    op.max_inputs = 2;
    op.output_quantization = OutputQuantization::kSameAsInput;
    op.keys = kKeys;
    op.default_attributes = A();
    op.index_operands = IndexOperands;
    op.infer_shape = InferShape;
    op.version = VersionTwoForInt8;
    op.releases = kReleases;
    op.read_options = [](const OptionsReader&) { return Expected<OpAttributes>(A()); };
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
