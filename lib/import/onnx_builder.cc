#include "import/onnx_builder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/slices.h"
#include "base/strings.h"
#include "import/onnx_reshape.h"

namespace qat {
namespace {

/// The axes of more than one element, as they lie.
AxisOrder MovingAxes(const Shape& shape, const AxisOrder& order) {
  AxisOrder moving;
  for (const int32_t axis : order) {
    if (axis >= 0 && shape[static_cast<size_t>(axis)] != 1) moving.push_back(axis);
  }
  return moving;
}

}  // namespace

Expected<Shape> Broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < result.size(); ++i) {
    const int32_t of_a = i < a.size() ? a[a.size() - 1 - i] : 1,
                  of_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (of_a != of_b && of_a != 1 && of_b != 1)
      return InvalidArgument(StrCat("shapes ", ToString(a), " and ", ToString(b), " do not broadcast"));
    result[result.size() - 1 - i] = of_a == 1 ? of_b : of_a;
  }
  return result;
}

std::string OnnxBuilder::FreeName(const std::string& wanted) {
  const std::string base = wanted.empty() ? std::string("tensor") : wanted;
  std::string name = base;
  for (int i = 1; !names_.insert(name).second; ++i) name = StrCat(base, "_", i);
  return name;
}

void OnnxBuilder::NameResult(const OnnxValue& value, const std::string& name) {
  if (value.is_constant() || static_cast<size_t>(value.tensor) < first_tensor_ || names_.count(name) > 0)
    return;
  GraphTensor& tensor = graph_.tensor(value.tensor);
  if (tensor.is_constant()) return;
  for (GraphNode& node : graph_.nodes) {
    if (node.outputs.size() == 1 && node.outputs[0] == value.tensor) node.name = name;
  }
  names_.erase(tensor.name);
  tensor.name = name;
  names_.insert(name);
}

void OnnxBuilder::Rename(int32_t tensor, const std::string& name) {
  if (graph_.tensor(tensor).name == name) return;
  for (size_t i = 0; i < graph_.tensors.size(); ++i) {
    GraphTensor& other = graph_.tensors[i];
    if (other.name != name) continue;
    other.name = FreeName(StrCat(name, "/before"));
    for (GraphNode& node : graph_.nodes) {
      if (node.outputs.size() == 1 && node.outputs[0] == static_cast<int32_t>(i)) node.name = other.name;
    }
  }
  for (GraphNode& node : graph_.nodes) {
    if (node.outputs.size() == 1 && node.outputs[0] == tensor) node.name = name;
  }
  graph_.tensor(tensor).name = name;
  names_.insert(name);
}

void OnnxBuilder::RemoveUnusedNodes() {
  std::vector<bool> read(graph_.tensors.size());
  for (const int32_t output : graph_.outputs) read[static_cast<size_t>(output)] = true;
  std::vector<GraphNode> kept;
  for (size_t i = graph_.nodes.size(); i-- > 0;) {
    GraphNode& node = graph_.nodes[i];
    if (std::none_of(node.outputs.begin(), node.outputs.end(),
                     [&](int32_t output) { return read[static_cast<size_t>(output)]; }))
      continue;
    for (const int32_t input : node.inputs) read[static_cast<size_t>(input)] = true;
    kept.push_back(std::move(node));
  }
  std::reverse(kept.begin(), kept.end());
  graph_.nodes = std::move(kept);
}

OnnxValue OnnxBuilder::Computed(int32_t tensor, Shape shape, AxisOrder order) const {
  OnnxValue value;
  value.tensor = tensor;
  value.type = graph_.tensor(tensor).type;
  QAT_CHECK(InOrder(shape, order) == graph_.tensor(tensor).shape);
  value.shape = std::move(shape);
  value.order = std::move(order);
  return value;
}

OnnxValue OnnxBuilder::AddInput(const std::string& name, const Shape& shape, const AxisOrder& order) {
  GraphTensor tensor;
  tensor.name = FreeName(name);
  tensor.shape = InOrder(shape, order);
  graph_.inputs.push_back(graph_.AddTensor(std::move(tensor)));
  return Computed(graph_.inputs.back(), shape, order);
}

Expected<int32_t> OnnxBuilder::Emit(OpType type, const OpAttributes& attributes,
                                    std::vector<int32_t> inputs) {
  if (DefinitionOf(type).version == nullptr)
    return Unsupported(StrCat("needs ", DefinitionOf(type).tflite_name,
                              ", which runs here but is not written to models yet"));
  const std::string name = FreeName(StrCat(base_, "/", DefinitionOf(type).name));
  QAT_ASSIGN_OR_RETURN(const int32_t output, graph_.AddNode(type, name, attributes, std::move(inputs)));
  for (const int32_t each : graph_.nodes.back().outputs) {
    for (const int32_t size : graph_.tensor(each).shape) {
      if (size < 1)
        return Unsupported(
            StrCat("its result is ", ToString(graph_.tensor(each).shape), ", expected sizes above 0"));
      if (size > kMostMadeValues)
        return Unsupported(StrCat("its result is ", ToString(graph_.tensor(each).shape), ", expected ",
                                  kMostMadeValues, " at most along an axis"));
    }
    names_.insert(graph_.tensor(each).name);
  }
  return output;
}

int32_t OnnxBuilder::AddReals(const std::string& name, const Shape& shape, const std::vector<float>& values) {
  return graph_.AddConstant(FreeName(name), shape, values);
}

int32_t OnnxBuilder::AddIndices(const std::string& suffix, const Shape& shape,
                                const std::vector<int32_t>& values) {
  return graph_.AddConstant(FreeName(StrCat(base_, "/", suffix)), shape, values);
}

Expected<OnnxValue> OnnxBuilder::EmitReshape(const OnnxValue& x, const Shape& tensor_shape, Shape shape,
                                             AxisOrder order) {
  int32_t from = x.tensor;
  const auto known = reshape_of_.find(from);
  if (known != reshape_of_.end()) from = known->second;
  OnnxValue result;
  if (graph_.tensor(from).shape == tensor_shape) {
    result = Computed(from, std::move(shape), std::move(order));
  } else {
    const Shape& input = graph_.tensor(from).shape;
    Shape sizes = tensor_shape;
    if (!input.empty() && !sizes.empty() && input[0] == 1 && sizes[0] == 1) sizes[0] = -1;  // any batch
    std::vector<int32_t> inputs = {from};
    if (!sizes.empty()) inputs.push_back(AddIndices("shape", {static_cast<int32_t>(sizes.size())}, sizes));
    QAT_ASSIGN_OR_RETURN(const int32_t output,
                         Emit(OpType::kReshape, ReshapeAttributes{sizes}, std::move(inputs)));
    reshape_of_[output] = from;
    result = Computed(output, std::move(shape), std::move(order));
  }
  return result;
}

Expected<OnnxValue> OnnxBuilder::Copied(const OnnxValue& x) {
  Shape sizes = graph_.tensor(x.tensor).shape;
  if (!sizes.empty() && sizes[0] == 1) sizes[0] = -1;
  const int32_t operand = AddIndices("shape", {static_cast<int32_t>(sizes.size())}, sizes);
  QAT_ASSIGN_OR_RETURN(const int32_t output,
                       Emit(OpType::kReshape, ReshapeAttributes{sizes}, {x.tensor, operand}));
  OnnxValue result = Computed(output, x.shape, x.order);
  result.flattened = x.flattened;
  return result;
}

Expected<OnnxValue> OnnxBuilder::ToOrder(const OnnxValue& x, const AxisOrder& order) {
  if (x.is_constant()) {
    QAT_ASSIGN_OR_RETURN(const int32_t tensor, ConstantOperand(x, order, x.type));
    return Computed(tensor, x.shape, order);
  }
  if (x.flattened) {
    QAT_ASSIGN_OR_RETURN(const OnnxValue plain, Unflatten(x));
    return ToOrder(plain, order);
  }
  if (x.order == order) return x;
  const Shape target = InOrder(x.shape, order);
  if (MovingAxes(x.shape, x.order) == MovingAxes(x.shape, order))
    return EmitReshape(x, target, x.shape, order);
  const AxisOrder from = WithoutUnitAxes(x.order), to = WithoutUnitAxes(order);
  QAT_ASSIGN_OR_RETURN(const OnnxValue bare, EmitReshape(x, InOrder(x.shape, from), x.shape, from));
  const auto [first, last] = turned_.equal_range(bare.tensor);
  for (auto known = first; known != last; ++known) {
    if (known->second.from == from && known->second.to == to)
      return EmitReshape(Computed(known->second.tensor, x.shape, to), target, x.shape, order);
  }
  std::vector<int32_t> permutation;
  for (const int32_t axis : to) permutation.push_back(bare.PlaceOf(axis));
  const int32_t operand = AddIndices("perm", {static_cast<int32_t>(permutation.size())}, permutation);
  QAT_ASSIGN_OR_RETURN(const int32_t moved,
                       Emit(OpType::kTranspose, TransposeAttributes{}, {bare.tensor, operand}));
  transposed_.push_back(base_);
  turned_.insert({bare.tensor, {from, to, moved}});
  return EmitReshape(Computed(moved, x.shape, to), target, x.shape, order);
}

Expected<OnnxValue> OnnxBuilder::Unflatten(const OnnxValue& x) {
  const FlattenedAxis& flat = *x.flattened;
  // The axis as the axes that it flattens, then these in ONNX's order, then one axis again.
  Shape open;
  AxisOrder order;
  const auto count = static_cast<int32_t>(flat.sizes.size());
  for (int32_t axis = 0; axis < std::ssize(x.shape); ++axis) {
    if (axis == flat.axis)
      open.insert(open.end(), flat.sizes.begin(), flat.sizes.end());
    else
      open.push_back(x.shape[static_cast<size_t>(axis)]);
  }
  for (const int32_t axis : x.order) {
    if (axis == flat.axis) {
      for (const int32_t inner : flat.order) order.push_back(flat.axis + inner);
    } else {
      order.push_back(axis > flat.axis ? axis + count - 1 : axis);
    }
  }
  OnnxValue bare = x;
  bare.flattened = nullptr;
  QAT_ASSIGN_OR_RETURN(const OnnxValue apart, EmitReshape(bare, InOrder(open, order), open, order));
  AxisOrder sorted = order;
  std::sort(sorted.begin(), sorted.end());
  AxisOrder target;
  for (const int32_t axis : x.order) {
    if (axis != flat.axis) {
      target.push_back(axis > flat.axis ? axis + count - 1 : axis);
    } else {
      for (int32_t inner = 0; inner < count; ++inner) target.push_back(flat.axis + inner);
    }
  }
  QAT_ASSIGN_OR_RETURN(const OnnxValue moved, ToOrder(apart, target));
  return EmitReshape(moved, InOrder(x.shape, x.order), x.shape, x.order);
}

Expected<OnnxValue> OnnxBuilder::WithRank(const OnnxValue& x, size_t rank) {
  if (x.rank() >= rank || x.is_constant()) return x;
  const auto more = static_cast<int32_t>(rank - x.rank());
  Shape shape(static_cast<size_t>(more), 1);
  shape.insert(shape.end(), x.shape.begin(), x.shape.end());
  const AxisOrder order = Shifted(x.order, more);
  QAT_ASSIGN_OR_RETURN(OnnxValue result, EmitReshape(x, InOrder(shape, order), shape, order));
  if (x.flattened) {
    auto flat = std::make_shared<FlattenedAxis>(*x.flattened);
    flat->axis += more;
    result.flattened = std::move(flat);
  }
  return result;
}

Expected<int32_t> OnnxBuilder::ConstantOperand(const OnnxValue& x, const AxisOrder& order, DType type,
                                               const FlattenedAxis* flattened) {
  const onnx::Tensor& source = *x.constant;
  const size_t rank = WithoutUnitAxes(order).size();
  QAT_CHECK(rank >= x.rank());
  Shape shape(rank - x.rank(), 1);
  shape.insert(shape.end(), x.shape.begin(), x.shape.end());
  std::vector<float> reals = source.reals;
  std::vector<int64_t> integers = source.integers;
  if (source.size() == 0) return Unsupported(StrCat("constant '", source.name, "' is empty"));
  for (const float value : reals) {
    if (std::isfinite(value)) continue;
    return Unsupported(
        StrCat("constant '", source.name, "' holds ", value,
               ", which no integer can stand for; use a large number instead, in a mask -1e4"));
  }
  const auto reorder = [&](auto& values) {
    if (flattened != nullptr && shape[static_cast<size_t>(flattened->axis)] != 1) {
      const auto axis = static_cast<size_t>(flattened->axis);
      const std::vector<int32_t> elements = flattened->Elements();
      const size_t inner = InnerSize(shape, axis);
      auto moved = values;
      for (size_t i = 0; i < values.size(); ++i) {
        const size_t row = i / inner / elements.size(), column = i / inner % elements.size();
        moved[i] =
            values[(row * elements.size() + static_cast<size_t>(elements[column])) * inner + i % inner];
      }
      values = std::move(moved);
    }
    values = Permuted(values, shape, order);
  };
  const bool is_real = onnx::IsReal(source.type);
  if (is_real)
    reorder(reals);
  else
    reorder(integers);
  const std::string name = FreeName(source.name.empty() ? StrCat(base_, "/constant") : source.name);
  GraphTensor tensor;
  tensor.name = name;
  tensor.shape = source.size() == 1 ? Shape{} : InOrder(shape, order);
  tensor.type = type;
  const auto put = [&](const auto& values) {
    tensor.data.resize(values.size() * sizeof(values[0]));
    std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  };
  switch (type) {
    case DType::kFloat32:
      if (!is_real) reals.assign(integers.begin(), integers.end());
      put(reals);
      break;
    case DType::kInt32:
      put(std::vector<int32_t>(integers.begin(), integers.end()));
      break;
    case DType::kInt64:
      put(integers);
      break;
    case DType::kBool: {
      std::vector<uint8_t> bits;
      for (const int64_t value : integers) bits.push_back(value != 0 ? 1 : 0);
      put(bits);
      break;
    }
    default:
      return Unsupported(StrCat("constant '", source.name, "' is ", NameOf(type)));
  }
  return graph_.AddTensor(std::move(tensor));
}

Expected<OnnxValue> OnnxBuilder::Reshape(const OnnxValue& x, const Shape& shape) {
  if (FlatSize(shape) != FlatSize(x.shape))
    return InvalidArgument(StrCat(ToString(x.shape), " cannot be reshaped to ", ToString(shape)));
  if (shape == x.shape) return x;
  if (x.flattened) {
    QAT_ASSIGN_OR_RETURN(const OnnxValue plain, Unflatten(x));
    return Reshape(plain, shape);
  }
  const ReshapePlan plan = PlanReshape(x.shape, x.order, shape);
  OnnxValue source = x;
  if (plan.source_order != x.order) {
    QAT_ASSIGN_OR_RETURN(source, ToOrder(x, plan.source_order));
  }
  QAT_ASSIGN_OR_RETURN(OnnxValue result, EmitReshape(source, InOrder(shape, plan.order), shape, plan.order));
  if (plan.flattened) result.flattened = std::make_shared<const FlattenedAxis>(*plan.flattened);
  return result;
}

OnnxValue OnnxBuilder::Transpose(const OnnxValue& x, const std::vector<int32_t>& permutation) {
  OnnxValue result = x;
  result.shape.clear();
  std::vector<int32_t> place(permutation.size());
  for (size_t i = 0; i < permutation.size(); ++i) {
    result.shape.push_back(x.shape[static_cast<size_t>(permutation[i])]);
    place[static_cast<size_t>(permutation[i])] = static_cast<int32_t>(i);
  }
  for (int32_t& axis : result.order) {
    if (axis >= 0) axis = place[static_cast<size_t>(axis)];
  }
  if (x.flattened) {
    auto flat = std::make_shared<FlattenedAxis>(*x.flattened);
    flat->axis = place[static_cast<size_t>(flat->axis)];
    result.flattened = std::move(flat);
  }
  return result;
}

}  // namespace qat
