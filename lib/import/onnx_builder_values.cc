// The part of OnnxBuilder that computes values from values.
#include <algorithm>

#include "base/strings.h"
#include "import/onnx_builder.h"

namespace qat {
namespace {

bool IsComparison(OpType type) {
  return type == OpType::kEqual || type == OpType::kNotEqual || type == OpType::kGreater ||
         type == OpType::kGreaterEqual || type == OpType::kLess || type == OpType::kLessEqual ||
         type == OpType::kLogicalAnd || type == OpType::kLogicalOr;
}

}  // namespace

AxisOrder OnnxBuilder::CommonOrder(std::span<const OnnxValue> values, size_t rank) const {
  const OnnxValue* best = nullptr;
  for (const OnnxValue& value : values) {
    if (value.is_constant()) continue;
    if (best == nullptr) best = &value;
    const int64_t size = FlatSize(value.shape), most = FlatSize(best->shape);
    const bool larger = size > most || (size == most && IsIdentity(best->order) && !IsIdentity(value.order));
    if (larger) best = &value;
  }
  QAT_CHECK(best != nullptr);
  return Shifted(best->order, static_cast<int32_t>(rank - best->rank()));
}

Expected<OnnxValue> OnnxBuilder::Unary(OpType type, const OpAttributes& attributes, const OnnxValue& x) {
  QAT_ASSIGN_OR_RETURN(const int32_t output, Emit(type, attributes, {x.tensor}));
  OnnxValue result = Computed(output, x.shape, x.order);
  result.flattened = x.flattened;
  return result;
}

Expected<OnnxValue> OnnxBuilder::Elementwise(OpType type, const OpAttributes& attributes,
                                             std::vector<OnnxValue> operands) {
  Shape shape;
  DType data = DType::kBool;
  std::shared_ptr<const FlattenedAxis> flattened;
  size_t computed = 0;
  bool same = true;
  for (const OnnxValue& operand : operands) {
    QAT_ASSIGN_OR_RETURN(shape, Broadcast(shape, operand.shape));
    if (operand.is_constant()) continue;
    if (computed++ == 0)
      flattened = operand.flattened;
    else
      same = same && flattened == operand.flattened;
    if (operand.type != DType::kBool) data = operand.type;
  }
  // A flattened axis stays so where nothing along it is repeated and every computed operand has it.
  for (const OnnxValue& operand : operands) {
    if (operand.is_constant() || !operand.flattened) continue;
    const auto axis = static_cast<size_t>(operand.flattened->axis);
    same = same && operand.rank() == shape.size() && operand.shape[axis] == shape[axis];
  }
  for (OnnxValue& operand : operands) {
    if (operand.is_constant() || !operand.flattened || same) continue;
    QAT_ASSIGN_OR_RETURN(operand, Unflatten(operand));
  }
  if (!same) flattened = nullptr;
  const AxisOrder order = CommonOrder(operands, shape.size());
  std::vector<int32_t> inputs;
  for (size_t i = 0; i < operands.size(); ++i) {
    OnnxValue& operand = operands[i];
    const bool condition = operands.size() == 3 && i == 0;
    if (operand.is_constant()) {
      DType wanted = condition ? DType::kBool : data;
      if (!condition && data == DType::kBool) wanted = operand.type;  // a choice between constants
      QAT_ASSIGN_OR_RETURN(const int32_t tensor, ConstantOperand(operand, order, wanted, flattened.get()));
      inputs.push_back(tensor);
      continue;
    }
    const bool aligned = IsIdentity(order) && IsIdentity(operand.order);
    if (!aligned) {
      QAT_ASSIGN_OR_RETURN(operand, WithRank(operand, shape.size()));
      if (!operand.flattened) {
        QAT_ASSIGN_OR_RETURN(operand, ToOrder(operand, order));
      }
    }
    inputs.push_back(operand.tensor);
  }
  QAT_ASSIGN_OR_RETURN(const int32_t output, Emit(type, attributes, std::move(inputs)));
  // Two operands of fewer axes than ONNX's result, or scalars, cannot give more: the sizes in front are 1.
  if (graph_.tensor(output).shape != InOrder(shape, order)) {
    OnnxValue raw;
    raw.tensor = output;
    return EmitReshape(raw, InOrder(shape, order), shape, order);
  }
  OnnxValue result = Computed(output, shape, order);
  result.flattened = flattened;
  return result;
}

Expected<OnnxValue> OnnxBuilder::Binary(OpType type, const OnnxValue& a, const OnnxValue& b) {
  OpAttributes attributes = DefinitionOf(type).default_attributes;
  if (IsComparison(type)) attributes = std::monostate();
  return Elementwise(type, attributes, {a, b});
}

Expected<OnnxValue> OnnxBuilder::Select(const OnnxValue& condition, const OnnxValue& a, const OnnxValue& b) {
  return Elementwise(OpType::kSelectV2, std::monostate(), {condition, a, b});
}

Expected<OnnxValue> OnnxBuilder::Reduce(OpType type, const OnnxValue& x, const std::vector<int32_t>& axes,
                                        bool keep) {
  if (axes.empty()) return x;
  const bool over_flat = x.flattened && std::find(axes.begin(), axes.end(), x.flattened->axis) != axes.end();
  if (x.flattened && !over_flat && !keep) {
    QAT_ASSIGN_OR_RETURN(const OnnxValue plain, Unflatten(x));
    return Reduce(type, plain, axes, keep);
  }
  std::vector<int32_t> places;
  for (const int32_t axis : axes) places.push_back(x.PlaceOf(axis));
  std::sort(places.begin(), places.end());
  const int32_t operand = AddIndices("axes", {static_cast<int32_t>(places.size())}, places);
  QAT_ASSIGN_OR_RETURN(const int32_t output,
                       Emit(type, MeanAttributes{.keep_dims = keep}, {x.tensor, operand}));
  const auto is_reduced = [&](int32_t axis) {
    return std::find(axes.begin(), axes.end(), axis) != axes.end();
  };
  Shape shape;
  std::vector<int32_t> renumbered(x.rank(), -2);
  for (int32_t axis = 0; axis < std::ssize(x.shape); ++axis) {
    if (is_reduced(axis) && !keep) continue;
    renumbered[static_cast<size_t>(axis)] = static_cast<int32_t>(shape.size());
    shape.push_back(is_reduced(axis) ? 1 : x.shape[static_cast<size_t>(axis)]);
  }
  AxisOrder order;
  for (const int32_t axis : x.order) {
    if (axis < 0)
      order.push_back(axis);
    else if (renumbered[static_cast<size_t>(axis)] >= 0)
      order.push_back(renumbered[static_cast<size_t>(axis)]);
  }
  OnnxValue result = Computed(output, shape, order);
  if (x.flattened && !over_flat) result.flattened = x.flattened;
  return result;
}

}  // namespace qat
