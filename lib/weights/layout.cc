#include "weights/layout.h"

#include <functional>
#include <numeric>

#include "base/check.h"
#include "base/strings.h"

namespace qat {
namespace {

using Axes = std::vector<int32_t>;

bool IsRank(const Shape& shape, size_t rank) { return shape.size() == rank; }

Shape Permuted(const Shape& shape, const Axes& axes) {
  Shape out;
  for (const int32_t axis : axes) out.push_back(shape[static_cast<size_t>(axis)]);
  return out;
}

// `visit(theirs, ours)` with the place of each value in both.
void ForEach(const Arrangement& a, const std::function<void(size_t, size_t)>& visit) {
  const size_t rank = a.view.size();
  std::vector<size_t> strides(rank, 1);
  for (size_t i = rank; i-- > 1;) strides[i - 1] = strides[i] * static_cast<size_t>(a.view[i]);
  const Shape shape = Permuted(a.view, a.axes);
  const auto count = static_cast<size_t>(FlatSize(shape));
  Shape at(rank, 0);
  size_t from = 0;
  for (size_t to = 0; to < count; ++to) {
    visit(from, to);
    for (size_t i = rank; i-- > 0;) {
      const size_t stride = strides[static_cast<size_t>(a.axes[i])];
      from += stride;
      if (++at[i] < shape[i]) break;
      from -= stride * static_cast<size_t>(shape[i]);
      at[i] = 0;
    }
  }
}

// The layer's filter as the four sizes that it has in `layout`.
struct Candidate {
  Shape view;
  Axes axes;
};

// Views of a filter over one axis: as a filter of one column, and of one row. `axis` is where its length
// stands.
std::vector<Shape> AsMaps(const Shape& shape, size_t axis) {
  Shape column = shape, row = shape;
  column.insert(column.begin() + static_cast<ptrdiff_t>(axis) + 1, 1);
  row.insert(row.begin() + static_cast<ptrdiff_t>(axis), 1);
  return {column, row};
}

std::vector<Shape> PyTorchViews(const Shape& shape) {
  if (IsRank(shape, 4)) return {shape};
  if (IsRank(shape, 3)) return AsMaps(shape, 2);
  if (IsRank(shape, 2)) return {{shape[0], shape[1], 1, 1}};
  return {};
}

std::vector<Shape> KerasViews(const Shape& shape) {
  if (IsRank(shape, 4)) return {shape};
  if (IsRank(shape, 3)) return AsMaps(shape, 0);
  if (IsRank(shape, 2)) return {{1, 1, shape[0], shape[1]}};
  return {};
}

// The axes that bring a four-dimensional filter into TFLite's layout.
Axes FilterAxes(WeightsLayout layout, OpType type) {
  if (layout == WeightsLayout::kPyTorch) return type == OpType::kConv2D ? Axes{0, 2, 3, 1} : Axes{1, 2, 3, 0};
  if (layout == WeightsLayout::kTflite) return {0, 1, 2, 3};
  if (type == OpType::kConv2D) return {3, 0, 1, 2};
  return type == OpType::kTransposeConv ? Axes{2, 0, 1, 3} : Axes{0, 1, 2, 3};
}

// Keras's depthwise filters [H, W, C, M] are TFLite's [1, H, W, C*M]: both are in the same order.
bool Fits(WeightsLayout layout, const NetworkLayer& layer, const Candidate& candidate) {
  if (FlatSize(candidate.view) != FlatSize(layer.filter)) return false;
  if (layout == WeightsLayout::kKeras && layer.type == OpType::kDepthwiseConv2D) {
    return candidate.view[0] == layer.filter[1] && candidate.view[1] == layer.filter[2];
  }
  return Permuted(candidate.view, candidate.axes) == layer.filter;
}

// A fully connected layer that read the whole map, as a convolution of the map's size: the order of its
// columns is the map's.
std::vector<Candidate> WholeMapCandidates(WeightsLayout layout, bool channels_last, const NetworkLayer& layer,
                                          const Shape& shape) {
  const Shape& ours = layer.filter;
  if (layer.type != OpType::kConv2D || !IsRank(shape, 2) || FlatSize(shape) != FlatSize(ours)) return {};
  if (layout == WeightsLayout::kKeras) return {{{ours[1], ours[2], ours[3], shape[1]}, {3, 0, 1, 2}}};
  if (layout == WeightsLayout::kTflite || channels_last)
    return {{{shape[0], ours[1], ours[2], ours[3]}, {0, 1, 2, 3}}};
  return {{{shape[0], ours[3], ours[1], ours[2]}, {0, 2, 3, 1}}};
}

std::vector<Candidate> MapCandidates(WeightsLayout layout, bool channels_last, const NetworkLayer& layer,
                                     const Shape& shape) {
  std::vector<Candidate> found = WholeMapCandidates(layout, channels_last, layer, shape);
  const std::vector<Shape> views = layout == WeightsLayout::kPyTorch ? PyTorchViews(shape)
                                   : layout == WeightsLayout::kKeras ? KerasViews(shape)
                                                                     : std::vector<Shape>{shape};
  for (const Shape& view : views) {
    if (IsRank(view, 4)) found.push_back({view, FilterAxes(layout, layer.type)});
  }
  return found;
}

// A fully connected layer's filter [O, I].
std::optional<Arrangement> ArrangeMatrix(WeightsLayout layout, bool channels_last, const NetworkLayer& layer,
                                         const Shape& shape) {
  const int32_t outputs = layer.filter[0], inputs = layer.filter[1];
  if (FlatSize(shape) != FlatSize(layer.filter) || shape.empty()) return std::nullopt;
  if (layout == WeightsLayout::kKeras) {
    // A dense layer, or a convolution of the whole map.
    if (shape.back() != outputs || (!IsRank(shape, 2) && !IsRank(shape, 4))) return std::nullopt;
    return Arrangement{{inputs, outputs}, {1, 0}};
  }
  if (shape[0] != outputs || (!IsRank(shape, 2) && !IsRank(shape, 4))) return std::nullopt;
  const Shape& map = layer.flattened;
  if (layout == WeightsLayout::kPyTorch && !channels_last && !map.empty()) {
    return Arrangement{{outputs, map[2], map[0], map[1]}, {0, 2, 3, 1}, true};
  }
  return Arrangement{{outputs, inputs}, {0, 1}};
}

// Columns of a matrix that are a map in the order C, H, W.
bool IsReordered(const Candidate& candidate, const Shape& shape) {
  const Axes from_chw = {0, 2, 3, 1};
  return IsRank(shape, 2) && candidate.axes == from_chw && candidate.view[2] * candidate.view[3] > 1 &&
         candidate.view[1] > 1;
}

}  // namespace

std::string_view NameOf(WeightsLayout layout) {
  switch (layout) {
    case WeightsLayout::kPyTorch:
      return "PyTorch";
    case WeightsLayout::kKeras:
      return "Keras";
    case WeightsLayout::kTflite:
      return "TFLite";
  }
  return "";
}

std::optional<WeightsLayout> WeightsLayoutFromName(std::string_view name) {
  if (name == "pytorch") return WeightsLayout::kPyTorch;
  if (name == "keras") return WeightsLayout::kKeras;
  if (name == "tflite") return WeightsLayout::kTflite;
  return std::nullopt;
}

std::string Arrangement::Text() const {
  Axes identity(axes.size());
  std::iota(identity.begin(), identity.end(), 0);
  if (axes == identity) return "as it is";
  if (reordered_columns) return "columns from C, H, W to H, W, C";
  std::string text = "axes";
  for (const int32_t axis : axes) text += StrCat(" ", axis);
  return text;
}

std::optional<Arrangement> Arrange(WeightsLayout layout, bool channels_last, const NetworkLayer& layer,
                                   const Shape& shape) {
  if (layer.type == OpType::kFullyConnected) return ArrangeMatrix(layout, channels_last, layer, shape);
  for (const Candidate& candidate : MapCandidates(layout, channels_last, layer, shape)) {
    if (Fits(layout, layer, candidate))
      return Arrangement{candidate.view, candidate.axes, IsReordered(candidate, shape)};
  }
  return std::nullopt;
}

Shape TheirShape(WeightsLayout layout, const NetworkLayer& layer) {
  const Shape& ours = layer.filter;
  if (layer.type == OpType::kFullyConnected)
    return layout == WeightsLayout::kKeras ? Shape{ours[1], ours[0]} : ours;
  if (layout == WeightsLayout::kKeras && layer.type == OpType::kDepthwiseConv2D)
    return {ours[1], ours[2], layer.inputs, ours[3] / layer.inputs};
  const Axes axes = FilterAxes(layout, layer.type);
  Shape theirs(ours.size());
  for (size_t i = 0; i < axes.size(); ++i) theirs[static_cast<size_t>(axes[i])] = ours[i];
  return theirs;
}

std::vector<float> ToOurs(const Arrangement& arrangement, const std::vector<float>& theirs) {
  QAT_CHECK(static_cast<int64_t>(theirs.size()) == FlatSize(arrangement.view));
  std::vector<float> ours(theirs.size());
  ForEach(arrangement, [&](size_t from, size_t to) { ours[to] = theirs[from]; });
  return ours;
}

std::vector<float> FromOurs(const Arrangement& arrangement, const std::vector<float>& ours) {
  QAT_CHECK(static_cast<int64_t>(ours.size()) == FlatSize(arrangement.view));
  std::vector<float> theirs(ours.size());
  ForEach(arrangement, [&](size_t from, size_t to) { theirs[from] = ours[to]; });
  return theirs;
}

}  // namespace qat
