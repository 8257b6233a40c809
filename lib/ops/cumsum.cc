// Cumsum: running sums along the axis that the second input says.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = CumsumAttributes;

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ConstantIndices(inputs[1], "axis"));
  if (axes.size() != 1)
    return InvalidArgument(StrCat("axis is ", ToString(inputs[1].shape), ", expected one value"));
  QAT_RETURN_IF_ERROR(ResolveAxis(axes[0], inputs[0].shape.size()));
  return inputs[0].shape;
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::CumsumOptions>();
  if (table == nullptr) return OpAttributes(A());
  return OpAttributes(A{table->exclusive(), table->reverse()});
}

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  writer.type = tflite::BuiltinOptions_CumsumOptions;
  writer.table = tflite::CreateCumsumOptions(writer.builder, a.exclusive, a.reverse).Union();
}

constexpr AttributeKey kKeys[] = {
    {"axis", keys::kAxis, "-1", keys::Member<&A::axis, keys::ToAxis>},
    {"exclusive", keys::kFlag, "false", keys::Member<&A::exclusive, keys::ToFlag>},
    {"reverse", keys::kFlag, "false", keys::Member<&A::reverse, keys::ToFlag>},
};

std::vector<IndexOperand> IndexOperands(const OpAttributes& attributes, const Shape&) {
  return {{"axis", {}, {std::get<A>(attributes).axis}}};
}

constexpr std::string_view kReleases[] = {"2.4.0"};

}  // namespace

const OpDefinition& CumsumDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op =
        Written(RunOp(OpType::kCumsum, "cumsum", "CUMSUM", tflite::BuiltinOperator_CUMSUM, 2,
                      "running sums along an axis, without the value itself (exclusive) or from "
                      "the end (reverse)",
                      InferShape),
                {FirstVersion, kReleases, WriteOptions}, IntegerKernels::kNone);
    op.keys = kKeys;
    op.index_operands = IndexOperands;
    op.default_attributes = A();
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
