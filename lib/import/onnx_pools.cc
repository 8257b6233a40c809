// Pools.
#include <algorithm>

#include "base/strings.h"
#include "import/onnx_windows.h"

namespace qat {
namespace {

/// A mirrored border changes no maximum where what it mirrors lies in the window.
bool MirrorsInside(const Window& w) {
  for (int32_t i = 0; i < w.output; ++i) {
    const int32_t first = i * w.stride - w.before, last = first + w.kernel - 1;
    if (first < 0 && (last < -first - 1 || -first > w.input)) return false;
    const int32_t beyond = last - (w.input - 1);
    if (beyond > 0 && (first > w.input - beyond || beyond > w.input)) return false;
  }
  return true;
}

/// Every window has a value of the input in it.
bool ReachesInside(const Window& w) {
  for (int32_t i = 0; i < w.output; ++i) {
    const int32_t first = i * w.stride - w.before;
    bool inside = false;
    for (int32_t tap = 0; tap < w.kernel && !inside; ++tap) {
      const int32_t at = first + tap * w.dilation;
      inside = at >= 0 && at < w.input;
    }
    if (!inside) return false;
  }
  return true;
}

bool IsDilated(const Windows& windows) { return windows[0].dilation != 1 || windows[1].dilation != 1; }

/// Whether windows span one value along an axis, each its own.
bool IsTrivial(const Window& w) { return w.kernel == 1 && w.stride == 1 && w.before == 0 && w.after == 0; }

Expected<OnnxValue> EmitPool(OnnxConversion& c, OpType type, const OnnxValue& image, const Windows& windows,
                             Padding padding) {
  Pool2DAttributes attributes;
  attributes.filter_h = windows[0].kernel;
  attributes.filter_w = windows[1].kernel;
  attributes.stride_h = windows[0].stride;
  attributes.stride_w = windows[1].stride;
  attributes.padding = padding;
  QAT_ASSIGN_OR_RETURN(const int32_t output, c.build.Emit(type, attributes, {image.tensor}));
  return ImageOf(c, output, image);
}

/// True for tensors that a ReLU, ReLU6 or a pool of one made: zeros around them change no maximum.
bool IsNeverNegative(const OnnxConversion& c, int32_t tensor) {
  const Graph& graph = c.build.graph();
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const GraphNode& node = graph.nodes[i];
    if (node.outputs[0] != tensor) continue;
    if (node.type == OpType::kMaxPool2D || node.type == OpType::kReshape || node.type == OpType::kTranspose)
      return IsNeverNegative(c, node.inputs[0]);
    return node.type == OpType::kRelu || node.type == OpType::kRelu6 || node.type == OpType::kLogistic;
  }
  return false;
}

/// `list`, one entry per axis of the volume and side, as that of an image of the `kept` axes. Lists that are
/// not given stay so.
void KeepEntries(std::string_view list, const std::vector<size_t>& kept, size_t sides, onnx::Node& node) {
  for (onnx::Attribute& attribute : node.attributes) {
    if (attribute.name != list || attribute.integers.size() != 3 * sides) continue;
    std::vector<int64_t> entries;
    for (size_t side = 0; side < sides; ++side) {
      for (const size_t axis : kept) entries.push_back(attribute.integers[side * 3 + axis]);
    }
    attribute.integers = std::move(entries);
  }
}

/// A pool over a volume [N, C, D, H, W] whose windows span one value along D, or along H and W, as pools over
/// channels have it: that over the image [N, C * D, H, W] or [N, C, D, H * W].
Converted FlatVolume(OnnxConversion& c, const OnnxNode& node,
                     Converted (*pool)(OnnxConversion&, const OnnxNode&)) {
  const Shape& s = node.In(0).shape;
  Windows windows(3);
  const std::vector<int64_t> kernel = node.Ints("kernel_shape");
  for (size_t i = 0; i < 3; ++i) {
    QAT_ASSIGN_OR_RETURN(windows[i].kernel, PositiveAt(kernel, i, "kernel_shape"));
    QAT_ASSIGN_OR_RETURN(windows[i].stride, PositiveAt(node.Ints("strides"), i, "strides"));
    windows[i].input = s[2 + i];
  }
  QAT_RETURN_IF_ERROR(SetPads(node, 3, windows));
  const bool over_depth = IsTrivial(windows[1]) && IsTrivial(windows[2]);
  if (!over_depth && !IsTrivial(windows[0]))
    return Unsupported(
        StrCat("input is ", ToString(s), ": volumes do not come in; use layers over images or series"));
  onnx::Node flat = node.node;
  const std::vector<size_t> kept = over_depth ? std::vector<size_t>{0, 2} : std::vector<size_t>{1, 2};
  for (const std::string_view list : {"kernel_shape", "strides", "dilations"})
    KeepEntries(list, kept, 1, flat);
  KeepEntries("pads", kept, 2, flat);
  const Shape image =
      over_depth ? Shape{s[0], s[1], s[2], s[3] * s[4]} : Shape{s[0], s[1] * s[2], s[3], s[4]};
  QAT_ASSIGN_OR_RETURN(const OnnxValue x, c.build.Reshape(node.In(0), image));
  QAT_ASSIGN_OR_RETURN(const std::vector<OnnxValue> pooled, pool(c, OnnxNode{flat, node.opset, {x}}));
  const Shape& p = pooled[0].shape;
  return One(c.build.Reshape(
      pooled[0], over_depth ? Shape{s[0], s[1], p[2], s[3], s[4]} : Shape{s[0], s[1], s[2], p[2], p[3]}));
}

/// The largest of the values that a window with gaps has along an axis: where one of them lies in the pads,
/// another one of the same window takes its place.
Expected<OnnxValue> LargestAlong(OnnxConversion& c, const OnnxValue& x, int32_t axis, const Window& w) {
  const auto is_inside = [&](int32_t at) { return at >= 0 && at < w.input; };
  OnnxValue largest;
  for (int32_t tap = 0; tap < w.kernel; ++tap) {
    std::vector<int32_t> places;
    for (int32_t i = 0; i < w.output; ++i) {
      const int32_t first = i * w.stride - w.before;
      int32_t at = first + tap * w.dilation;
      for (int32_t other = 0; !is_inside(at); ++other) at = first + other * w.dilation;
      places.push_back(at);
    }
    QAT_ASSIGN_OR_RETURN(const OnnxValue part, c.build.Gather(x, axis, places));
    if (tap == 0) {
      largest = part;
    } else {
      QAT_ASSIGN_OR_RETURN(largest, c.build.Binary(OpType::kMaximum, largest, part));
    }
  }
  return largest;
}

Converted MaxPool(OnnxConversion& c, const OnnxNode& node) {
  if (node.node.outputs.size() > 1 && c.readers[node.node.outputs[1]] > 0)
    return Unsupported("its second output, the places of the maxima, has no kernel in TFLite; leave it out");
  const OnnxValue& x = node.In(0);
  if (x.rank() == 5) return FlatVolume(c, node, MaxPool);
  QAT_ASSIGN_OR_RETURN(Windows windows, WindowsOf(node, x, node.Ints("kernel_shape")));
  if (!ReachesInside(windows[0]) || !ReachesInside(windows[1]))
    return Unsupported("a window lies in its pads alone; use smaller pads");
  if (IsDilated(windows)) {
    OnnxValue y = x;
    const size_t first = x.rank() == 3 ? 1 : 0;  // a series has no rows
    for (size_t i = first; i < 2; ++i) {
      QAT_ASSIGN_OR_RETURN(y, LargestAlong(c, y, static_cast<int32_t>(x.rank() - 2 + i), windows[i]));
    }
    return One(y);
  }
  QAT_ASSIGN_OR_RETURN(OnnxValue image, c.build.ToImage(x));
  const bool mirrors = MirrorsInside(windows[0]) && MirrorsInside(windows[1]);
  // The border again and again changes no maximum: a window that reaches over it has it inside.
  const auto mode = IsNeverNegative(c, image.tensor) ? OnnxBuilder::PadMode::kConstant
                    : mirrors                        ? OnnxBuilder::PadMode::kSymmetric
                                                     : OnnxBuilder::PadMode::kEdge;
  Padding padding;
  QAT_ASSIGN_OR_RETURN(image, Padded(c, image, windows, mode, false, padding));
  return One(EmitPool(c, OpType::kMaxPool2D, image, windows, padding));
}

/// By how many values each window divides its sum; `counts_pads`: those inside the pads count, too.
std::vector<float> Divisors(const Window& w, bool counts_pads) {
  std::vector<float> counts;
  for (int32_t i = 0; i < w.output; ++i) {
    const int32_t first = i * w.stride - w.before, end = first + w.kernel;
    const int32_t low = counts_pads ? -w.before : 0, high = counts_pads ? w.input + w.after : w.input;
    counts.push_back(static_cast<float>(std::min(end, high) - std::max(first, low)));
  }
  return counts;
}

Converted AveragePool(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  if (x.rank() == 5) return FlatVolume(c, node, AveragePool);
  QAT_ASSIGN_OR_RETURN(Windows windows, WindowsOf(node, x, node.Ints("kernel_shape")));
  if (IsDilated(windows))
    return Unsupported(
        "averages with dilations have no kernel in TFLite; use a depthwise convolution with equal weights");
  const bool counts_pads = node.Int("count_include_pad", 0) != 0;
  const std::vector<float> rows = Divisors(windows[0], counts_pads),
                           columns = Divisors(windows[1], counts_pads);
  QAT_ASSIGN_OR_RETURN(OnnxValue image, c.build.ToImage(x));
  const bool same = windows[0].IsSame() && windows[1].IsSame();
  // TFLite divides by what lies inside of the input where it pads, and by the whole window where the pads are
  // in the input.
  const bool exact = same && !counts_pads;
  Padding padding = Padding::kSame;
  const Windows asked = windows;
  if (!exact) {
    QAT_ASSIGN_OR_RETURN(image, Padded(c, image, windows, OnnxBuilder::PadMode::kConstant, true, padding));
  }
  QAT_ASSIGN_OR_RETURN(const OnnxValue average, EmitPool(c, OpType::kAveragePool2D, image, windows, padding));
  if (exact) return One(average);
  const auto whole = static_cast<float>(windows[0].kernel * windows[1].kernel);
  std::vector<float> factors;
  bool differs = false;
  for (const float row : rows) {
    for (const float column : columns) {
      if (row < 1 || column < 1) return Unsupported("a window lies in its pads alone; use smaller pads");
      factors.push_back(whole / (row * column));
      differs = differs || row * column != whole;
    }
  }
  if (!differs) return One(average);
  Shape shape = {asked[0].output, asked[1].output};
  if (x.rank() == 3) shape = {asked[1].output};
  return One(c.build.Binary(OpType::kMul, average, MakeReals(shape, factors)));
}

Converted GlobalPool(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  if (x.rank() < 3) return InvalidArgument(StrCat("input is ", ToString(x.shape)));
  std::vector<int32_t> axes;
  for (size_t i = 2; i < x.rank(); ++i) axes.push_back(static_cast<int32_t>(i));
  return One(
      c.build.Reduce(node.node.op == "GlobalMaxPool" ? OpType::kReduceMax : OpType::kMean, x, axes, true));
}

constexpr OnnxConverter kConverters[] = {{"MaxPool", 1, MaxPool},
                                         {"AveragePool", 1, AveragePool},
                                         {"GlobalAveragePool", 1, GlobalPool},
                                         {"GlobalMaxPool", 1, GlobalPool}};

}  // namespace

std::span<const OnnxConverter> PoolConverters() { return kConverters; }

}  // namespace qat
