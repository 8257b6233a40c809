#include "import/onnx_node.h"

#include <algorithm>
#include <limits>

#include "base/strings.h"

namespace qat {

int64_t OnnxNode::Int(std::string_view attribute, int64_t otherwise) const {
  const onnx::Attribute* found = node.Find(attribute);
  return found == nullptr ? otherwise : found->integer;
}

float OnnxNode::Real(std::string_view attribute, float otherwise) const {
  const onnx::Attribute* found = node.Find(attribute);
  return found == nullptr ? otherwise : found->real;
}

std::string OnnxNode::Text(std::string_view attribute, std::string otherwise) const {
  const onnx::Attribute* found = node.Find(attribute);
  return found == nullptr ? otherwise : found->text;
}

std::vector<int64_t> OnnxNode::Ints(std::string_view attribute) const {
  const onnx::Attribute* found = node.Find(attribute);
  return found == nullptr ? std::vector<int64_t>() : found->integers;
}

Expected<std::vector<int64_t>> OnnxNode::Integers(size_t input, std::string_view what) const {
  if (!Has(input)) return InvalidArgument(StrCat("has no `", what, "`"));
  if (!In(input).is_constant()) {
    return Unsupported(
        StrCat("its `", what,
               "` is computed from values while the network runs; export the network with fixed sizes and "
               "without branches that depend on the input"));
  }
  return In(input).constant->integers;
}

Expected<std::vector<float>> OnnxNode::Reals(size_t input, std::string_view what) const {
  if (!Has(input)) return InvalidArgument(StrCat("has no `", what, "`"));
  if (!In(input).is_constant())
    return Unsupported(StrCat("its `", what, "` is computed while the network runs, expected a constant"));
  const onnx::Tensor& tensor = *In(input).constant;
  if (onnx::IsReal(tensor.type)) return tensor.reals;
  return std::vector<float>(tensor.integers.begin(), tensor.integers.end());
}

Expected<std::optional<std::vector<int64_t>>> OnnxNode::IntsOrInput(std::string_view name,
                                                                    size_t input) const {
  if (Gives(name)) return std::optional(Ints(name));
  if (!Has(input)) return std::optional<std::vector<int64_t>>();
  QAT_ASSIGN_OR_RETURN(std::vector<int64_t> values, Integers(input, name));
  return std::optional(std::move(values));
}

Expected<int32_t> AxisOf(int64_t axis, size_t rank) {
  const auto count = static_cast<int64_t>(rank);
  const int64_t found = axis < 0 ? axis + count : axis;
  if (found < 0 || found >= count) return InvalidArgument(StrCat("axis ", axis, " of ", rank));
  return static_cast<int32_t>(found);
}

Expected<std::vector<int32_t>> AxesOf(const std::vector<int64_t>& axes, size_t rank) {
  std::vector<int32_t> result;
  for (const int64_t axis : axes) {
    QAT_ASSIGN_OR_RETURN(const int32_t found, AxisOf(axis, rank));
    if (std::find(result.begin(), result.end(), found) != result.end())
      return InvalidArgument(StrCat("lists axis ", axis, " twice"));
    result.push_back(found);
  }
  return result;
}

Expected<Shape> ToShape(const std::vector<int64_t>& sizes) {
  Shape shape;
  for (const int64_t size : sizes) {
    if (size < 0 || size > (1 << 30)) return InvalidArgument(StrCat("a size is ", size));
    shape.push_back(static_cast<int32_t>(size));
  }
  if (CheckedFlatSize(shape) < 0)
    return Unsupported(StrCat("a tensor of ", ToString(shape), " has too many values"));
  return shape;
}

Expected<Shape> ReshapedShape(const Shape& from, const std::vector<int64_t>& wanted, bool zero_is_zero) {
  std::vector<int64_t> sizes = wanted;
  int64_t known = 1, open = -1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0 && !zero_is_zero) {
      if (i >= from.size())
        return InvalidArgument(
            StrCat("size ", i, " is that of ", ToString(from), ", which has no such axis"));
      sizes[i] = from[i];
    }
    if (sizes[i] < -1 || sizes[i] > (1 << 30)) return InvalidArgument(StrCat("a size is ", sizes[i]));
    if (sizes[i] == -1 && open >= 0) return InvalidArgument("two sizes are -1");
    if (sizes[i] == -1)
      open = static_cast<int64_t>(i);
    else if (known <= (int64_t{1} << 31))
      known *= sizes[i];
  }
  const int64_t size = FlatSize(from);
  if (open >= 0) {
    if (known < 1 || size % known != 0)
      return InvalidArgument(StrCat(ToString(from), " cannot be cut into rows of ", known));
    sizes[static_cast<size_t>(open)] = size / known;
  }
  QAT_ASSIGN_OR_RETURN(Shape shape, ToShape(sizes));
  if (FlatSize(shape) != size)
    return InvalidArgument(StrCat(ToString(from), " cannot be reshaped to ", ToString(shape)));
  return shape;
}

Expected<Shape> SqueezedShape(const Shape& from, const std::optional<std::vector<int64_t>>& axes) {
  Shape shape;
  std::vector<int32_t> dropped;
  if (axes) {
    QAT_ASSIGN_OR_RETURN(dropped, AxesOf(*axes, from.size()));
  }
  for (size_t i = 0; i < from.size(); ++i) {
    const bool listed = std::find(dropped.begin(), dropped.end(), static_cast<int32_t>(i)) != dropped.end();
    if (listed && from[i] != 1)
      return InvalidArgument(StrCat("axis ", i, " of ", ToString(from), " is not 1"));
    if (axes ? !listed : from[i] != 1) shape.push_back(from[i]);
  }
  return shape;
}

Expected<Shape> UnsqueezedShape(const Shape& from, const std::vector<int64_t>& axes) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int32_t> added, AxesOf(axes, from.size() + axes.size()));
  Shape shape;
  size_t next = 0;
  for (size_t i = 0; i < from.size() + axes.size(); ++i) {
    const bool is_new = std::find(added.begin(), added.end(), static_cast<int32_t>(i)) != added.end();
    shape.push_back(is_new ? 1 : from[next++]);
  }
  return shape;
}

Shape FlattenedShape(const Shape& from, int32_t axis) {
  const auto middle = from.begin() + axis;
  return {static_cast<int32_t>(FlatSize(Shape(from.begin(), middle))),
          static_cast<int32_t>(FlatSize(Shape(middle, from.end())))};
}

Expected<AxisSlices> SlicesOf(const OnnxNode& node) {
  const Shape& shape = node.In(0).shape;
  std::vector<int64_t> begins, ends, axes, steps;
  if (node.opset < 10) {
    begins = node.Ints("starts");
    ends = node.Ints("ends");
    axes = node.Ints("axes");
  } else {
    QAT_ASSIGN_OR_RETURN(begins, node.Integers(1, "starts"));
    QAT_ASSIGN_OR_RETURN(ends, node.Integers(2, "ends"));
    if (node.Has(3)) {
      QAT_ASSIGN_OR_RETURN(axes, node.Integers(3, "axes"));
    }
    if (node.Has(4)) {
      QAT_ASSIGN_OR_RETURN(steps, node.Integers(4, "steps"));
    }
  }
  for (size_t i = axes.size(); i < begins.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  steps.resize(begins.size(), 1);
  if (ends.size() != begins.size() || axes.size() != begins.size() || steps.size() != begins.size())
    return InvalidArgument(
        StrCat("has ", begins.size(), " starts, ", ends.size(), " ends, ", axes.size(), " axes"));
  AxisSlices slices = {Shape(shape.size(), 0), shape, Shape(shape.size(), 1)};
  for (size_t i = 0; i < begins.size(); ++i) {
    QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(axes[i], shape.size()));
    const auto at = static_cast<size_t>(axis);
    const int64_t size = shape[at];
    const int64_t step = std::clamp<int64_t>(steps[i], -(1 << 30), 1 << 30);
    if (step == 0) return InvalidArgument("has a step of 0");
    const auto resolve = [&](int64_t index, int64_t low, int64_t high) {
      index = std::clamp<int64_t>(index, -(int64_t{1} << 40), int64_t{1} << 40);
      return std::clamp(index < 0 ? index + size : index, low, high);
    };
    const int64_t begin = step > 0 ? resolve(begins[i], 0, size) : resolve(begins[i], 0, size - 1);
    const int64_t end = step > 0 ? resolve(ends[i], 0, size) : resolve(ends[i], -1, size - 1);
    const int64_t distance = step > 0 ? end - begin : begin - end, by = step > 0 ? step : -step;
    slices.begin[at] = static_cast<int32_t>(begin);
    slices.size[at] = static_cast<int32_t>(std::max<int64_t>((distance + by - 1) / by, 0));
    slices.step[at] = slices.size[at] == 1 ? 1 : static_cast<int32_t>(step);
  }
  return slices;
}

Expected<std::vector<int32_t>> PartsOf(const OnnxNode& node, int32_t axis) {
  const int32_t size = node.In(0).shape[static_cast<size_t>(axis)];
  QAT_ASSIGN_OR_RETURN(const auto given, node.IntsOrInput("split", 1));
  std::vector<int32_t> parts;
  if (given) {
    int64_t sum = 0;
    for (const int64_t part : *given) {
      if (part < 0 || part > size) return InvalidArgument(StrCat("a part has ", part, " of ", size));
      parts.push_back(static_cast<int32_t>(part));
      sum += part;
    }
    if (sum != size || parts.size() < node.node.outputs.size())
      return InvalidArgument(StrCat("parts of ", sum, " in all, expected ", size));
    return parts;
  }
  const auto count = static_cast<int32_t>(node.Int("num_outputs", std::ssize(node.node.outputs)));
  if (count < 1 || count > size) return InvalidArgument(StrCat("an axis of ", size, " in ", count, " parts"));
  const int32_t each = (size + count - 1) / count;
  for (int32_t left = size; left > 0; left -= each) parts.push_back(std::min(each, left));
  if (std::ssize(parts) < std::ssize(node.node.outputs))
    return InvalidArgument(StrCat("an axis of ", size, " in ", count, " parts"));
  return parts;
}

}  // namespace qat
