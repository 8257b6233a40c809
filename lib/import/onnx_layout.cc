// What moves, cuts, joins and repeats values.
#include <algorithm>

#include "base/strings.h"
#include "import/onnx_convert.h"

namespace qat {
namespace {

Converted Reshape(OnnxConversion& c, const OnnxNode& node) {
  std::vector<int64_t> sizes = node.Ints("shape");  // before opset 5
  if (node.Has(1)) {
    QAT_ASSIGN_OR_RETURN(sizes, node.Integers(1, "shape"));
  }
  QAT_ASSIGN_OR_RETURN(const Shape shape,
                       ReshapedShape(node.In(0).shape, sizes, node.Int("allowzero", 0) != 0));
  return One(c.build.Reshape(node.In(0), shape));
}

Converted Flatten(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  const int64_t axis = node.Int("axis", 1), at = axis < 0 ? axis + std::ssize(x.shape) : axis;
  if (at < 0 || at > std::ssize(x.shape)) return InvalidArgument(StrCat("axis ", axis, " of ", x.rank()));
  return One(c.build.Reshape(x, FlattenedShape(x.shape, static_cast<int32_t>(at))));
}

Converted Squeeze(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const auto axes, node.IntsOrInput("axes", 1));
  QAT_ASSIGN_OR_RETURN(const Shape shape, SqueezedShape(node.In(0).shape, axes));
  return One(c.build.Reshape(node.In(0), shape));
}

Converted Unsqueeze(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const auto axes, node.IntsOrInput("axes", 1));
  if (!axes) return InvalidArgument("has no `axes`");
  QAT_ASSIGN_OR_RETURN(const Shape shape, UnsqueezedShape(node.In(0).shape, *axes));
  return One(c.build.Reshape(node.In(0), shape));
}

Converted Transpose(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  std::vector<int64_t> given = node.Ints("perm");
  if (given.empty()) {
    for (size_t i = x.rank(); i > 0; --i) given.push_back(static_cast<int64_t>(i) - 1);
  }
  if (given.size() != x.rank()) return InvalidArgument(StrCat("moves ", given.size(), " axes of ", x.rank()));
  QAT_ASSIGN_OR_RETURN(const std::vector<int32_t> permutation, AxesOf(given, x.rank()));
  return One(c.build.Transpose(x, permutation));
}

Converted Concat(OnnxConversion& c, const OnnxNode& node) {
  size_t rank = 0;
  for (const OnnxValue& part : node.inputs) rank = std::max(rank, part.rank());
  QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(node.Int("axis", 1), rank));
  std::vector<OnnxValue> parts;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!node.Has(i) || node.In(i).rank() != rank) return InvalidArgument("joins tensors of different ranks");
    if (FlatSize(node.In(i).shape) > 0) parts.push_back(node.In(i));
  }
  return One(c.build.Concat(std::move(parts), axis));
}

Converted Split(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(node.Int("axis", 0), node.In(0).rank()));
  QAT_ASSIGN_OR_RETURN(const std::vector<int32_t> parts, PartsOf(node, axis));
  return c.build.Split(node.In(0), axis, parts);
}

Converted Slice(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const AxisSlices slices, SlicesOf(node));
  for (const int32_t size : slices.size) {
    if (size < 1) return Unsupported(StrCat("takes nothing of ", ToString(node.In(0).shape)));
  }
  return One(c.build.Slice(node.In(0), slices.begin, slices.size, slices.step));
}

Converted Gather(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue &x = node.In(0), &indices = node.In(1);
  QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(node.Int("axis", 0), x.rank()));
  if (x.is_constant()) return One(c.build.Lookup(x, axis, indices, node.node.inputs[0]));
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> given, node.Integers(1, "indices"));
  std::vector<int32_t> rows;
  const int32_t size = x.shape[static_cast<size_t>(axis)];
  for (const int64_t index : given) {
    if (index < -size || index >= size)
      return InvalidArgument(StrCat("index ", index, " of an axis of ", size));
    rows.push_back(static_cast<int32_t>(index < 0 ? index + size : index));
  }
  if (rows.empty()) return Unsupported("takes nothing of its input");
  QAT_ASSIGN_OR_RETURN(const OnnxValue taken, c.build.Gather(x, axis, rows));
  Shape shape(x.shape.begin(), x.shape.begin() + axis);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), x.shape.begin() + axis + 1, x.shape.end());
  return One(c.build.Reshape(taken, shape));
}

Converted Pad(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  std::vector<int64_t> pads = node.Gives("pads") ? node.Ints("pads") : node.Ints("paddings");
  float value = node.Real("value", 0);
  if (node.opset >= 11) {
    QAT_ASSIGN_OR_RETURN(pads, node.Integers(1, "pads"));
    if (node.Has(2)) {
      QAT_ASSIGN_OR_RETURN(const std::vector<float> given, node.Reals(2, "constant_value"));
      if (given.size() == 1) value = given[0];
    }
  }
  std::vector<int32_t> axes = IdentityOrder(x.rank());
  if (node.Has(3)) {
    QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> given, node.Integers(3, "axes"));
    QAT_ASSIGN_OR_RETURN(axes, AxesOf(given, x.rank()));
  }
  if (pads.size() != 2 * axes.size())
    return InvalidArgument(StrCat("has ", pads.size(), " pads for ", axes.size(), " axes"));
  Shape before(x.rank(), 0), after(x.rank(), 0), begin(x.rank(), 0), size = x.shape;
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto at = static_cast<size_t>(axes[i]);
    for (const int64_t pad : {pads[i], pads[i + axes.size()]}) {
      if (pad < -(1 << 24) || pad > (1 << 24)) return InvalidArgument(StrCat("has a pad of ", pad));
    }
    const auto first = static_cast<int32_t>(pads[i]), last = static_cast<int32_t>(pads[i + axes.size()]);
    before[at] = std::max(first, 0);
    after[at] = std::max(last, 0);
    begin[at] = std::max(-first, 0);
    size[at] -= std::max(-first, 0) + std::max(-last, 0);
    if (size[at] < 1) return InvalidArgument("its negative pads take everything away");
  }
  const std::string mode = node.Text("mode", "constant");
  QAT_ASSIGN_OR_RETURN(const OnnxValue cropped, c.build.Slice(x, begin, size, Shape(x.rank(), 1)));
  if (mode == "constant")
    return One(c.build.Pad(cropped, before, after, OnnxBuilder::PadMode::kConstant, value));
  if (mode == "reflect") return One(c.build.Pad(cropped, before, after, OnnxBuilder::PadMode::kReflect, 0));
  if (mode == "edge") return One(c.build.Pad(cropped, before, after, OnnxBuilder::PadMode::kEdge, 0));
  if (mode != "wrap") return InvalidArgument(StrCat("`mode` is '", mode, "'"));
  OnnxValue value_of = cropped;
  for (size_t i = 0; i < x.rank(); ++i) {
    if (before[i] == 0 && after[i] == 0) continue;
    std::vector<int32_t> indices;
    for (int32_t k = -before[i]; k < size[i] + after[i]; ++k)
      indices.push_back((k % size[i] + size[i]) % size[i]);
    QAT_ASSIGN_OR_RETURN(value_of, c.build.Gather(value_of, static_cast<int32_t>(i), indices));
  }
  return One(value_of);
}

Converted Expand(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, node.Integers(1, "shape"));
  QAT_ASSIGN_OR_RETURN(const Shape shape, ToShape(sizes));
  return One(c.build.Expand(node.In(0), shape));
}

Converted Tile(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> repeats, node.Integers(1, "repeats"));
  if (repeats.size() != node.In(0).rank())
    return InvalidArgument(StrCat("has ", repeats.size(), " repeats for ", node.In(0).rank(), " axes"));
  QAT_ASSIGN_OR_RETURN(const Shape multiples, ToShape(repeats));
  return One(c.build.Tile(node.In(0), multiples));
}

Converted Same(OnnxConversion& c, const OnnxNode& node) {
  if (node.node.outputs.size() > 1 && c.readers[node.node.outputs[1]] > 0)
    return Unsupported(
        "its second output is read, which says what was dropped; export the network in eval mode");
  return std::vector<OnnxValue>{node.In(0)};
}

/// The part above or below a diagonal: a product with ones and zeros.
Converted Trilu(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  int64_t k = 0;
  if (node.Has(1)) {
    QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> given, node.Integers(1, "k"));
    if (given.size() == 1) k = given[0];
  }
  if (x.rank() < 2 || x.type != DType::kFloat32)
    return Unsupported(StrCat("takes matrices of real numbers, not ", ToString(x.shape)));
  const int32_t rows = x.shape[x.rank() - 2], columns = x.shape.back();
  if (int64_t{rows} * columns > kMostMadeValues)
    return Unsupported(StrCat("needs a mask of ", ToString({rows, columns}), ", expected ", kMostMadeValues,
                              " values at most"));
  std::vector<float> mask;
  for (int32_t row = 0; row < rows; ++row) {
    for (int32_t column = 0; column < columns; ++column)
      mask.push_back((node.Int("upper", 1) != 0 ? column - row >= k : column - row <= k) ? 1.0f : 0.0f);
  }
  return One(c.build.Binary(OpType::kMul, x, MakeReals({rows, columns}, std::move(mask))));
}

constexpr OnnxConverter kConverters[] = {
    {"Reshape", 1, Reshape},     {"Flatten", 1, Flatten},
    {"Squeeze", 1, Squeeze},     {"Unsqueeze", 1, Unsqueeze},
    {"Transpose", 1, Transpose}, {"Concat", 1, Concat},
    {"Split", 1, Split},         {"Slice", 1, Slice},
    {"Gather", 2, Gather},       {"Pad", 1, Pad},
    {"Expand", 2, Expand},       {"Tile", 2, Tile},
    {"Identity", 1, Same},       {"Dropout", 1, Same},
    {"Trilu", 1, Trilu},
};

}  // namespace

std::span<const OnnxConverter> LayoutConverters() { return kConverters; }

}  // namespace qat
