// ReverseV2: the axes that the second input lists backwards.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ConstantIndices(inputs[1], "axes"));
  for (const int64_t axis : axes) QAT_RETURN_IF_ERROR(ResolveAxis(axis, inputs[0].shape.size()));
  return inputs[0].shape;
}

using A = ReverseAttributes;
constexpr std::string_view kAxesText = "a list of axes without the batch (0); negative: from the last one";

Expected<std::vector<int32_t>> ToAxes(const AttributeValue& value) {
  return keys::ToList(value, 7, -7, 7, kAxesText);
}

constexpr AttributeKey kKeys[] = {{"axes", kAxesText, "", keys::Member<&A::axes, ToAxes>}};

std::vector<IndexOperand> IndexOperands(const OpAttributes& attributes, const Shape&) {
  const auto& axes = std::get<A>(attributes).axes;
  return {{"axes", {static_cast<int32_t>(axes.size())}, axes}};
}

// Version 3 brought int8, which the reference kernels run under version 1 only.
constexpr std::string_view kReleases[] = {"2.5.0"};

}  // namespace

const OpDefinition& ReverseV2Definition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Written(RunOp(OpType::kReverseV2, "reverse_v2", "REVERSE_V2",
                                    tflite::BuiltinOperator_REVERSE_V2, 2, "some axes backwards", InferShape),
                              {FirstVersion, kReleases}, IntegerKernels::kBoth);
    op.keys = kKeys;
    op.default_attributes = A();
    op.index_operands = IndexOperands;
    op.read_options = [](const OptionsReader&) { return Expected<OpAttributes>(A()); };
    op.output_quantization = OutputQuantization::kSameAsInput;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
