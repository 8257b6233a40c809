// Constants moved, cut, joined and made.
#include "import/onnx_fold_parts.h"

#include <algorithm>
#include <cmath>

#include "base/slices.h"
#include "base/strings.h"
#include "import/onnx_builder.h"

namespace qat::fold {

using onnx::ElementType;
using onnx::Tensor;

Status ExpectSize(const Shape& shape, int64_t read) {
  if (FlatSize(shape) <= read + kMostMadeValues) return {};
  return Unsupported(
      StrCat("makes a constant of ", ToString(shape), " out of ", read, read == 1 ? " value" : " values"));
}

Expected<Tensor> Empty(ElementType type, const Shape& shape, int64_t read) {
  QAT_RETURN_IF_ERROR(ExpectSize(shape, read));
  Tensor tensor;
  tensor.type = type;
  tensor.dims.assign(shape.begin(), shape.end());
  const auto count = static_cast<size_t>(FlatSize(shape));
  if (onnx::IsReal(type))
    tensor.reals.resize(count);
  else
    tensor.integers.resize(count);
  return tensor;
}

std::vector<size_t> BroadcastPlaces(const Shape& from, const Shape& shape) {
  std::vector<size_t> places(static_cast<size_t>(FlatSize(shape)));
  const size_t skip = shape.size() - from.size();
  for (size_t i = 0; i < places.size(); ++i) {
    size_t rest = i, place = 0, stride = 1;
    for (size_t axis = shape.size(); axis-- > 0;) {
      const auto size = static_cast<size_t>(shape[axis]);
      const size_t index = rest % size;
      rest /= size;
      if (axis < skip) continue;
      const auto own = static_cast<size_t>(from[axis - skip]);
      place += own == 1 ? 0 : index * stride;
      stride *= own;
    }
    places[i] = place;
  }
  return places;
}

Expected<Tensor> Picked(const Tensor& from, const std::vector<size_t>& places, const Shape& shape) {
  QAT_ASSIGN_OR_RETURN(Tensor result, Empty(from.type, shape, from.size()));
  for (size_t i = 0; i < places.size(); ++i) {
    if (IsReal(from))
      result.reals[i] = from.reals[places[i]];
    else
      result.integers[i] = from.integers[places[i]];
  }
  return result;
}

namespace {

Results FoldReshaped(const OnnxValue& x, const Shape& shape) {
  Tensor tensor = *x.constant;
  tensor.dims.assign(shape.begin(), shape.end());
  return One(std::move(tensor));
}

Results FoldGather(const OnnxNode& node) {
  const OnnxValue &x = node.In(0), &indices = node.In(1);
  QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(node.Int("axis", 0), x.rank()));
  const auto at = static_cast<size_t>(axis);
  Shape shape(x.shape.begin(), x.shape.begin() + axis);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), x.shape.begin() + axis + 1, x.shape.end());
  QAT_RETURN_IF_ERROR(ExpectSize(shape, x.constant->size()));
  if (IsReal(*indices.constant)) return InvalidArgument("has real numbers as indices");
  const size_t inner = InnerSize(x.shape, at),
               rows = inner == 0
                          ? 0
                          : static_cast<size_t>(FlatSize(Shape(x.shape.begin(), x.shape.begin() + axis)));
  std::vector<size_t> places;
  for (size_t row = 0; row < rows; ++row) {
    for (const int64_t given : indices.constant->integers) {
      const int64_t index = given < 0 ? given + x.shape[at] : given;
      if (index < 0 || index >= x.shape[at])
        return InvalidArgument(StrCat("index ", given, " of an axis of ", x.shape[at]));
      for (size_t i = 0; i < inner; ++i)
        places.push_back((row * static_cast<size_t>(x.shape[at]) + static_cast<size_t>(index)) * inner + i);
    }
  }
  QAT_ASSIGN_OR_RETURN(Tensor result, Picked(*x.constant, places, shape));
  return One(std::move(result));
}

Results FoldConcat(const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(node.Int("axis", 0), node.In(0).rank()));
  const auto at = static_cast<size_t>(axis);
  Shape shape = node.In(0).shape;
  shape[at] = 0;
  for (const OnnxValue& part : node.inputs) {
    Shape expected = shape;
    if (part.rank() != shape.size()) return InvalidArgument("joins tensors of different ranks");
    expected[at] = part.shape[at];
    if (expected != part.shape || IsReal(*part.constant) != IsReal(*node.In(0).constant))
      return InvalidArgument("joins tensors that do not fit");
    shape[at] += part.shape[at];
  }
  QAT_ASSIGN_OR_RETURN(Tensor result, Empty(node.In(0).constant->type, shape, FlatSize(shape)));
  const size_t rows = static_cast<size_t>(FlatSize(Shape(shape.begin(), shape.begin() + axis)));
  size_t out = 0;
  for (size_t row = 0; row < rows; ++row) {
    for (const OnnxValue& part : node.inputs) {
      const size_t count = static_cast<size_t>(part.shape[at]) * InnerSize(part.shape, at);
      for (size_t i = 0; i < count; ++i, ++out) {
        if (IsReal(result))
          result.reals[out] = part.constant->reals[row * count + i];
        else
          result.integers[out] = part.constant->integers[row * count + i];
      }
    }
  }
  return One(std::move(result));
}

Expected<Tensor> Sliced(const OnnxValue& x, const AxisSlices& slices) {
  std::vector<size_t> places(static_cast<size_t>(FlatSize(slices.size)));
  for (size_t i = 0; i < places.size(); ++i) {
    size_t rest = i, stride = 1;
    int64_t place = 0;
    for (size_t axis = x.rank(); axis-- > 0;) {
      const auto size = static_cast<size_t>(slices.size[axis]);
      place += (slices.begin[axis] + static_cast<int64_t>(rest % size) * slices.step[axis]) *
               static_cast<int64_t>(stride);
      rest /= size;
      stride *= static_cast<size_t>(x.shape[axis]);
    }
    places[i] = static_cast<size_t>(place);
  }
  return Picked(*x.constant, places, slices.size);
}

Results FoldSlice(const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const AxisSlices slices, SlicesOf(node));
  QAT_ASSIGN_OR_RETURN(Tensor result, Sliced(node.In(0), slices));
  return One(std::move(result));
}

Results FoldSplit(const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(node.Int("axis", 0), x.rank()));
  QAT_ASSIGN_OR_RETURN(const std::vector<int32_t> parts, PartsOf(node, axis));
  std::vector<OnnxValue> values;
  AxisSlices slices = {Shape(x.rank(), 0), x.shape, Shape(x.rank(), 1)};
  for (const int32_t part : parts) {
    slices.size[static_cast<size_t>(axis)] = part;
    QAT_ASSIGN_OR_RETURN(Tensor result, Sliced(x, slices));
    values.push_back(MakeConstant(std::move(result)));
    slices.begin[static_cast<size_t>(axis)] += part;
  }
  return values;
}

Results FoldTranspose(const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  std::vector<int64_t> given = node.Ints("perm");
  if (given.empty()) {
    for (size_t i = x.rank(); i > 0; --i) given.push_back(static_cast<int64_t>(i) - 1);
  }
  if (given.size() != x.rank()) return InvalidArgument("has another number of axes than its input");
  QAT_ASSIGN_OR_RETURN(const std::vector<int32_t> order, AxesOf(given, x.rank()));
  Tensor result = *x.constant;
  result.reals = Permuted(result.reals, x.shape, order);
  result.integers = Permuted(result.integers, x.shape, order);
  const Shape shape = InOrder(x.shape, order);
  result.dims.assign(shape.begin(), shape.end());
  return One(std::move(result));
}

Results FoldExpand(const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, node.Integers(1, "shape"));
  QAT_ASSIGN_OR_RETURN(const Shape wanted, ToShape(sizes));
  QAT_ASSIGN_OR_RETURN(const Shape shape, Broadcast(node.In(0).shape, wanted));
  QAT_RETURN_IF_ERROR(ExpectSize(shape, node.In(0).constant->size()));
  QAT_ASSIGN_OR_RETURN(Tensor result,
                       Picked(*node.In(0).constant, BroadcastPlaces(node.In(0).shape, shape), shape));
  return One(std::move(result));
}

Results FoldTile(const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> repeats, node.Integers(1, "repeats"));
  if (repeats.size() != x.rank()) return InvalidArgument("has another number of repeats than axes");
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < x.rank(); ++i)
    sizes.push_back(x.shape[i] * std::clamp<int64_t>(repeats[i], 0, 1 << 20));
  QAT_ASSIGN_OR_RETURN(const Shape shape, ToShape(sizes));
  QAT_ASSIGN_OR_RETURN(Tensor result, Empty(x.constant->type, shape, x.constant->size()));
  for (size_t i = 0; i < static_cast<size_t>(FlatSize(shape)); ++i) {
    size_t rest = i, place = 0, stride = 1;
    for (size_t axis = x.rank(); axis-- > 0;) {
      const auto size = static_cast<size_t>(shape[axis]), own = static_cast<size_t>(x.shape[axis]);
      place += rest % size % own * stride;
      rest /= size;
      stride *= own;
    }
    if (IsReal(result))
      result.reals[i] = x.constant->reals[place];
    else
      result.integers[i] = x.constant->integers[place];
  }
  return One(std::move(result));
}

Results FoldWhere(const OnnxNode& node) {
  if (IsReal(*node.In(0).constant)) return InvalidArgument("has real numbers as its condition");
  QAT_ASSIGN_OR_RETURN(Shape shape, Broadcast(node.In(0).shape, node.In(1).shape));
  QAT_ASSIGN_OR_RETURN(shape, Broadcast(shape, node.In(2).shape));
  QAT_ASSIGN_OR_RETURN(Tensor result, Empty(node.In(1).constant->type, shape, node.In(1).constant->size()));
  const std::vector<size_t> c = BroadcastPlaces(node.In(0).shape, shape),
                            a = BroadcastPlaces(node.In(1).shape, shape),
                            b = BroadcastPlaces(node.In(2).shape, shape);
  if (IsReal(result) != IsReal(*node.In(2).constant)) return InvalidArgument("has operands of two types");
  for (size_t i = 0; i < c.size(); ++i) {
    const bool first = node.In(0).constant->integers[c[i]] != 0;
    if (IsReal(result))
      result.reals[i] = first ? node.In(1).constant->reals[a[i]] : node.In(2).constant->reals[b[i]];
    else
      result.integers[i] = first ? node.In(1).constant->integers[a[i]] : node.In(2).constant->integers[b[i]];
  }
  return One(std::move(result));
}

Results FoldRange(const OnnxNode& node) {
  const Tensor &start = *node.In(0).constant, &limit = *node.In(1).constant, &delta = *node.In(2).constant;
  if (start.size() != 1 || limit.size() != 1 || delta.size() != 1)
    return InvalidArgument("takes three numbers");
  const auto number = [](const Tensor& t) {
    return IsReal(t) ? double{t.reals[0]} : static_cast<double>(t.integers[0]);
  };
  if (number(delta) == 0) return InvalidArgument("has a step of 0");
  const double count = std::max(std::ceil((number(limit) - number(start)) / number(delta)), 0.0);
  if (!(count <= static_cast<double>(kMostMadeValues)))
    return Unsupported(StrCat("makes a constant of ", count, " values"));
  QAT_ASSIGN_OR_RETURN(Tensor result, Empty(start.type, {static_cast<int32_t>(count)}, 3));
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const double value = number(start) + static_cast<double>(i) * number(delta);
    if (IsReal(result))
      result.reals[i] = static_cast<float>(value);
    else
      result.integers[i] = static_cast<int64_t>(value);
  }
  return One(std::move(result));
}

Results FoldConstantOfShape(const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, node.Integers(0, "shape"));
  QAT_ASSIGN_OR_RETURN(const Shape shape, ToShape(sizes));
  const onnx::Attribute* value = node.node.Find("value");
  const bool given = value != nullptr && value->tensor && value->tensor->size() == 1;
  const ElementType type = given ? value->tensor->type : ElementType::kFloat;
  QAT_ASSIGN_OR_RETURN(Tensor result, Empty(type, shape, std::ssize(sizes)));
  if (!given) return One(std::move(result));
  if (IsReal(result))
    std::fill(result.reals.begin(), result.reals.end(), value->tensor->reals[0]);
  else
    std::fill(result.integers.begin(), result.integers.end(), value->tensor->integers[0]);
  return One(std::move(result));
}

Results FoldNonZero(const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  std::vector<std::vector<int64_t>> found(x.rank());
  for (size_t i = 0; i < static_cast<size_t>(FlatSize(x.shape)); ++i) {
    if (IsReal(*x.constant) ? x.constant->reals[i] == 0 : x.constant->integers[i] == 0) continue;
    size_t rest = i;
    for (size_t axis = x.rank(); axis-- > 0;) {
      found[axis].push_back(static_cast<int64_t>(rest % static_cast<size_t>(x.shape[axis])));
      rest /= static_cast<size_t>(x.shape[axis]);
    }
  }
  Tensor result;
  result.type = ElementType::kInt64;
  result.dims = {static_cast<int64_t>(x.rank()), found.empty() ? 0 : std::ssize(found[0])};
  for (const auto& axis : found) result.integers.insert(result.integers.end(), axis.begin(), axis.end());
  return One(std::move(result));
}

Results FoldTrilu(const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  int64_t k = 0;
  if (node.Has(1)) {
    QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> given, node.Integers(1, "k"));
    k = given.size() == 1 ? given[0] : 0;
  }
  if (x.rank() < 2) return InvalidArgument("takes matrices");
  Tensor result = *x.constant;
  const int64_t columns = x.shape.back(), rows = x.shape[x.rank() - 2];
  const bool upper = node.Int("upper", 1) != 0;
  for (int64_t i = 0; i < FlatSize(x.shape); ++i) {
    const int64_t column = i % columns, row = i / columns % rows;
    if (upper ? column - row >= k : column - row <= k) continue;
    if (IsReal(result))
      result.reals[static_cast<size_t>(i)] = 0;
    else
      result.integers[static_cast<size_t>(i)] = 0;
  }
  return One(std::move(result));
}

Results FoldRestored(const OnnxNode& node) {
  const std::string& op = node.node.op;
  const OnnxValue& x = node.In(0);
  if (op == "Reshape") {
    QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, node.Integers(1, "shape"));
    QAT_ASSIGN_OR_RETURN(const Shape shape, ReshapedShape(x.shape, sizes, node.Int("allowzero", 0) != 0));
    return FoldReshaped(x, shape);
  }
  if (op == "Flatten") {
    const int64_t axis = node.Int("axis", 1);
    const int64_t at = axis < 0 ? axis + std::ssize(x.shape) : axis;
    if (at < 0 || at > std::ssize(x.shape)) return InvalidArgument(StrCat("axis ", axis));
    return FoldReshaped(x, FlattenedShape(x.shape, static_cast<int32_t>(at)));
  }
  QAT_ASSIGN_OR_RETURN(const auto axes, node.IntsOrInput("axes", 1));
  if (op == "Squeeze") {
    QAT_ASSIGN_OR_RETURN(const Shape shape, SqueezedShape(x.shape, axes));
    return FoldReshaped(x, shape);
  }
  QAT_ASSIGN_OR_RETURN(const Shape shape, UnsqueezedShape(x.shape, axes.value_or(std::vector<int64_t>())));
  return FoldReshaped(x, shape);
}

Results FoldSame(const OnnxNode& node) { return std::vector<OnnxValue>{node.In(0)}; }

constexpr Entry kEntries[] = {
    {"Gather", 2, FoldGather},       {"Concat", 1, FoldConcat},
    {"Slice", 1, FoldSlice},         {"Split", 1, FoldSplit},
    {"Transpose", 1, FoldTranspose}, {"Expand", 2, FoldExpand},
    {"Tile", 2, FoldTile},           {"Where", 3, FoldWhere},
    {"Range", 3, FoldRange},         {"ConstantOfShape", 1, FoldConstantOfShape},
    {"NonZero", 1, FoldNonZero},     {"Trilu", 1, FoldTrilu},
    {"Reshape", 1, FoldRestored},    {"Flatten", 1, FoldRestored},
    {"Squeeze", 1, FoldRestored},    {"Unsqueeze", 1, FoldRestored},
    {"Identity", 1, FoldSame},       {"Dropout", 1, FoldSame},
};

}  // namespace

std::span<const Entry> MovingFolds() { return kEntries; }

}  // namespace qat::fold
