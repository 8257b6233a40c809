// The part of OnnxBuilder that joins, cuts, repeats and multiplies.
#include <algorithm>

#include "base/strings.h"
#include "import/onnx_builder.h"

namespace qat {

Expected<OnnxValue> OnnxBuilder::Concat(std::vector<OnnxValue> parts, int32_t axis) {
  for (OnnxValue& part : parts) {
    if (!part.is_constant() && part.flattened) {
      QAT_ASSIGN_OR_RETURN(part, Unflatten(part));
    }
  }
  const AxisOrder order = CommonOrder(parts, parts[0].rank());
  DType type = DType::kFloat32;
  for (const OnnxValue& part : parts) {
    if (!part.is_constant()) type = part.type;
  }
  Shape shape = parts[0].shape;
  shape[static_cast<size_t>(axis)] = 0;
  std::vector<int32_t> inputs;
  for (OnnxValue& part : parts) {
    shape[static_cast<size_t>(axis)] += part.shape[static_cast<size_t>(axis)];
    if (part.is_constant()) {
      if (part.constant->size() == 0) continue;
      QAT_ASSIGN_OR_RETURN(const int32_t tensor, ConstantOperand(part, order, type));
      graph_.tensor(tensor).shape = InOrder(part.shape, order);
      inputs.push_back(tensor);
    } else {
      QAT_ASSIGN_OR_RETURN(part, ToOrder(part, order));
      inputs.push_back(part.tensor);
    }
  }
  if (inputs.size() == 1 && parts.size() == 1) return parts[0];
  const auto place = static_cast<int32_t>(std::find(order.begin(), order.end(), axis) - order.begin());
  QAT_ASSIGN_OR_RETURN(const int32_t output,
                       Emit(OpType::kConcatenation, ConcatenationAttributes{place}, std::move(inputs)));
  return Computed(output, shape, order);
}

Expected<std::vector<OnnxValue>> OnnxBuilder::SliceApart(const OnnxValue& x, int32_t axis,
                                                         const std::vector<int32_t>& sizes) {
  Shape begin(x.shape.size(), 0), size = x.shape;
  const auto at = static_cast<size_t>(axis);
  std::vector<OnnxValue> parts;
  for (const int32_t each : sizes) {
    size[at] = each;
    QAT_ASSIGN_OR_RETURN(OnnxValue part, Slice(x, begin, size, Shape(x.shape.size(), 1)));
    begin[at] += each;
    parts.push_back(std::move(part));
  }
  return parts;
}

Expected<std::vector<OnnxValue>> OnnxBuilder::Split(const OnnxValue& given, int32_t axis,
                                                    const std::vector<int32_t>& sizes) {
  OnnxValue x = given;
  if (x.flattened) {
    QAT_ASSIGN_OR_RETURN(x, Unflatten(x));
  }
  if (sizes.size() == 1) return std::vector<OnnxValue>{x};
  // TFLite has no SPLIT of truth values.
  if (x.type == DType::kBool) return SliceApart(x, axis, sizes);
  const int32_t place = AddIndices("axis", {}, {x.PlaceOf(axis)});
  const bool equal = std::all_of(sizes.begin(), sizes.end(), [&](int32_t size) { return size == sizes[0]; });
  const SplitAttributes attributes = {.splits = static_cast<int32_t>(sizes.size())};
  int32_t first = -1;
  if (equal) {
    QAT_ASSIGN_OR_RETURN(first, Emit(OpType::kSplit, attributes, {place, x.tensor}));
  } else {
    const int32_t operand = AddIndices("sizes", {attributes.splits}, sizes);
    QAT_ASSIGN_OR_RETURN(first, Emit(OpType::kSplitV, attributes, {x.tensor, operand, place}));
  }
  std::vector<OnnxValue> parts;
  for (size_t i = 0; i < sizes.size(); ++i) {
    Shape shape = x.shape;
    shape[static_cast<size_t>(axis)] = sizes[i];
    parts.push_back(Computed(first + static_cast<int32_t>(i), shape, x.order));
  }
  return parts;
}

Expected<OnnxValue> OnnxBuilder::Slice(const OnnxValue& given, const Shape& begin, const Shape& size,
                                       const Shape& step) {
  OnnxValue x = given;
  if (size == x.shape && std::all_of(step.begin(), step.end(), [](int32_t s) { return s == 1; })) return x;
  if (x.flattened) {
    QAT_ASSIGN_OR_RETURN(x, Unflatten(x));
  }
  const auto rank = static_cast<int32_t>(x.order.size());
  std::vector<int32_t> from, sizes, to, steps;
  StridedSliceAttributes attributes;
  bool strided = false;
  for (int32_t k = 0; k < rank; ++k) {
    const int32_t axis = x.order[static_cast<size_t>(k)];
    const auto i = static_cast<size_t>(axis);
    from.push_back(axis < 0 ? 0 : begin[i]);
    steps.push_back(axis < 0 ? 1 : step[i]);
    const int32_t count = axis < 0 ? 1 : size[i], whole = axis < 0 ? 1 : x.shape[i];
    strided = strided || steps.back() != 1;
    sizes.push_back(steps.back() == 1 && from.back() + count == whole ? -1 : count);
    const int32_t end = from.back() + (count - 1) * steps.back() + (steps.back() > 0 ? 1 : -1);
    to.push_back(end);
    if (end < 0 || (from.back() == 0 && count == whole)) attributes.end_mask |= 1 << k;
    if (end < 0) to.back() = 0;
  }
  const Shape list = {rank};
  int32_t output = -1;
  if (strided) {
    const int32_t a = AddIndices("begin", list, from), b = AddIndices("end", list, to),
                  c = AddIndices("strides", list, steps);
    QAT_ASSIGN_OR_RETURN(output, Emit(OpType::kStridedSlice, attributes, {x.tensor, a, b, c}));
  } else {
    const int32_t a = AddIndices("begin", list, from), b = AddIndices("size", list, sizes);
    QAT_ASSIGN_OR_RETURN(output, Emit(OpType::kSlice, SliceAttributes{}, {x.tensor, a, b}));
  }
  return Computed(output, size, x.order);
}

Expected<OnnxValue> OnnxBuilder::Pad(const OnnxValue& given, const Shape& before, const Shape& after,
                                     PadMode mode, float value) {
  OnnxValue x = given;
  if (x.flattened) {
    QAT_ASSIGN_OR_RETURN(x, Unflatten(x));
  }
  Shape shape = x.shape;
  bool any = false;
  for (size_t i = 0; i < shape.size(); ++i) {
    shape[i] += before[i] + after[i];
    any = any || before[i] != 0 || after[i] != 0;
  }
  if (!any) return x;
  if (mode == PadMode::kEdge) {
    // The last value again and again: one at a time is a mirror with the border.
    for (size_t i = 0; i < shape.size(); ++i) {
      std::vector<int32_t> indices;
      if (before[i] == 0 && after[i] == 0) continue;
      for (int32_t k = -before[i]; k < x.shape[i] + after[i]; ++k)
        indices.push_back(std::clamp(k, 0, x.shape[i] - 1));
      if (before[i] <= 1 && after[i] <= 1) continue;
      QAT_ASSIGN_OR_RETURN(x, Gather(x, static_cast<int32_t>(i), indices));
    }
    Shape left = before, right = after;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (before[i] > 1 || after[i] > 1) left[i] = right[i] = 0;
    }
    return Pad(x, left, right, PadMode::kSymmetric, 0);
  }
  std::vector<int32_t> counts;
  for (const int32_t axis : x.order) {
    counts.push_back(axis < 0 ? 0 : before[static_cast<size_t>(axis)]);
    counts.push_back(axis < 0 ? 0 : after[static_cast<size_t>(axis)]);
  }
  const int32_t operand = AddIndices("paddings", {static_cast<int32_t>(x.order.size()), 2}, counts);
  int32_t output = -1;
  if (mode != PadMode::kConstant) {
    QAT_ASSIGN_OR_RETURN(output, Emit(OpType::kMirrorPad, MirrorPadAttributes{mode == PadMode::kSymmetric},
                                      {x.tensor, operand}));
  } else if (value == 0) {
    QAT_ASSIGN_OR_RETURN(output, Emit(OpType::kPad, PadAttributes{}, {x.tensor, operand}));
  } else {
    const int32_t constant = AddReals(StrCat(base_, "/value"), {}, {value});
    QAT_ASSIGN_OR_RETURN(output, Emit(OpType::kPadV2, std::monostate(), {x.tensor, operand, constant}));
  }
  return Computed(output, shape, x.order);
}

Expected<OnnxValue> OnnxBuilder::Gather(const OnnxValue& given, int32_t axis,
                                        const std::vector<int32_t>& indices) {
  OnnxValue x = given;
  if (x.flattened) {
    QAT_ASSIGN_OR_RETURN(x, Unflatten(x));
  }
  const auto at = static_cast<size_t>(axis);
  bool row = true;
  for (size_t i = 1; i < indices.size(); ++i) row = row && indices[i] == indices[i - 1] + 1;
  Shape shape = x.shape;
  shape[at] = static_cast<int32_t>(indices.size());
  if (row) {
    Shape begin(x.rank(), 0);
    begin[at] = indices[0];
    return Slice(x, begin, shape, Shape(x.rank(), 1));
  }
  const int32_t operand = AddIndices("indices", {shape[at]}, indices);
  QAT_ASSIGN_OR_RETURN(const int32_t output,
                       Emit(OpType::kGather, GatherAttributes{.axis = x.PlaceOf(axis)}, {x.tensor, operand}));
  return Computed(output, shape, x.order);
}

Expected<OnnxValue> OnnxBuilder::Lookup(const OnnxValue& table, int32_t axis, const OnnxValue& indices,
                                        const std::string& name) {
  if (!onnx::IsReal(table.constant->type) || (indices.type != DType::kInt32 && indices.type != DType::kInt64))
    return Unsupported("looks up whole numbers by numbers that are computed while the network runs");
  QAT_ASSIGN_OR_RETURN(const OnnxValue at, ToPlain(indices));
  const int32_t rows = AddReals(FreeName(name), table.shape, table.constant->reals);
  QAT_ASSIGN_OR_RETURN(const int32_t output,
                       Emit(OpType::kGather, GatherAttributes{.axis = axis}, {rows, at.tensor}));
  Shape shape(table.shape.begin(), table.shape.begin() + axis);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), table.shape.begin() + axis + 1, table.shape.end());
  return Computed(output, shape, IdentityOrder(shape.size()));
}

Expected<OnnxValue> OnnxBuilder::Expand(const OnnxValue& given, const Shape& wanted) {
  QAT_ASSIGN_OR_RETURN(const Shape shape, Broadcast(given.shape, wanted));
  if (shape == given.shape) return given;
  OnnxValue x = given;
  if (x.flattened) {
    QAT_ASSIGN_OR_RETURN(x, Unflatten(x));
  }
  QAT_ASSIGN_OR_RETURN(x, WithRank(x, shape.size()));
  if (shape == x.shape) return x;
  const Shape target = InOrder(shape, x.order);
  const int32_t operand = AddIndices("shape", {static_cast<int32_t>(target.size())}, target);
  QAT_ASSIGN_OR_RETURN(const int32_t output,
                       Emit(OpType::kBroadcastTo, BroadcastToAttributes{}, {x.tensor, operand}));
  return Computed(output, shape, x.order);
}

Expected<OnnxValue> OnnxBuilder::Tile(const OnnxValue& given, const std::vector<int32_t>& multiples) {
  OnnxValue x = given;
  if (x.flattened) {
    QAT_ASSIGN_OR_RETURN(x, Unflatten(x));
  }
  Shape shape = x.shape;
  for (size_t i = 0; i < shape.size(); ++i) shape[i] *= multiples[i];
  if (shape == x.shape) return x;
  std::vector<int32_t> counts;
  for (const int32_t axis : x.order) counts.push_back(axis < 0 ? 1 : multiples[static_cast<size_t>(axis)]);
  const int32_t operand = AddIndices("multiples", {static_cast<int32_t>(counts.size())}, counts);
  QAT_ASSIGN_OR_RETURN(const int32_t output, Emit(OpType::kTile, TileAttributes{}, {x.tensor, operand}));
  return Computed(output, shape, x.order);
}

Expected<OnnxValue> OnnxBuilder::AlongAxis(OpType type, const OpAttributes& attributes,
                                           const OnnxValue& given, int32_t axis) {
  OnnxValue x = given;
  if (x.order.empty() || x.order.back() != axis) {
    AxisOrder order;
    for (const int32_t each : x.order) {
      if (each != axis) order.push_back(each);
    }
    order.push_back(axis);
    QAT_ASSIGN_OR_RETURN(x, ToOrder(x, order));
  }
  return Unary(type, attributes, x);
}

Expected<OnnxValue> OnnxBuilder::Dense(const OnnxValue& given, const onnx::Tensor& filter,
                                       const std::vector<float>* bias, const std::string& name) {
  OnnxValue x = given;
  const auto outputs = static_cast<int32_t>(filter.dims[0]), inputs = static_cast<int32_t>(filter.dims[1]);
  const auto last = static_cast<int32_t>(x.rank()) - 1;
  if (x.shape.back() != inputs)
    return InvalidArgument(StrCat("rows of ", x.shape.back(), " do not fit a matrix that takes ", inputs));
  std::vector<float> values = filter.reals;
  if (x.flattened && x.flattened->axis == last) {
    // The columns in the order in which the values lie.
    const std::vector<int32_t> elements = x.flattened->Elements();
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = filter.reals[i / elements.size() * elements.size() +
                               static_cast<size_t>(elements[i % elements.size()])];
    x.flattened = nullptr;
  }
  AxisOrder order = x.order;
  if (order.back() != last) {
    order.erase(std::find(order.begin(), order.end(), last));
    order.push_back(last);
  }
  QAT_ASSIGN_OR_RETURN(x, ToOrder(x, order));
  FullyConnectedAttributes attributes;
  attributes.units = outputs;
  attributes.keep_num_dims = x.order.size() != 2;
  std::vector<int32_t> operands = {x.tensor, AddReals(name, {outputs, inputs}, values)};
  if (bias != nullptr) operands.push_back(AddReals(StrCat(name, "/bias"), {outputs}, *bias));
  QAT_ASSIGN_OR_RETURN(const int32_t output, Emit(OpType::kFullyConnected, attributes, std::move(operands)));
  Shape shape = x.shape;
  shape.back() = outputs;
  return Computed(output, shape, x.order);
}

namespace {

/// Whether all axes but the last two lie in front, in ONNX's order; then `swapped` says how the last two lie.
bool IsMatrixOrder(const AxisOrder& order, bool& swapped) {
  const auto rank = static_cast<int32_t>(order.size());
  AxisOrder plain = IdentityOrder(order.size());
  swapped = false;
  if (order == plain) return true;
  std::swap(plain[static_cast<size_t>(rank) - 1], plain[static_cast<size_t>(rank) - 2]);
  swapped = true;
  return order == plain;
}

}  // namespace

Expected<OnnxValue> OnnxBuilder::MatMul(const OnnxValue& a, const OnnxValue& b) {
  BatchMatMulAttributes attributes;
  std::vector<int32_t> inputs;
  for (const OnnxValue* each : {&a, &b}) {
    bool swapped = false;
    OnnxValue x = *each;
    if (x.is_constant()) {
      QAT_ASSIGN_OR_RETURN(const int32_t tensor, ConstantOperand(x, x.order, DType::kFloat32));
      graph_.tensor(tensor).shape = x.shape;
      inputs.push_back(tensor);
      continue;
    }
    if (x.flattened || !IsMatrixOrder(x.order, swapped)) {
      swapped = false;
      QAT_ASSIGN_OR_RETURN(x, ToPlain(x));
    }
    (each == &a ? attributes.adjoint_a : attributes.adjoint_b) = swapped;
    inputs.push_back(x.tensor);
  }
  QAT_ASSIGN_OR_RETURN(const int32_t output, Emit(OpType::kBatchMatMul, attributes, std::move(inputs)));
  const Shape shape = graph_.tensor(output).shape;
  return Computed(output, shape, IdentityOrder(shape.size()));
}

}  // namespace qat
