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

Status RefuseDilation(const Windows& windows) {
  if (windows[0].dilation == 1 && windows[1].dilation == 1) return {};
  return Unsupported("pools with dilations have no kernel in TFLite; use a pool without them");
}

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

Converted MaxPool(OnnxConversion& c, const OnnxNode& node) {
  if (node.node.outputs.size() > 1 && c.readers[node.node.outputs[1]] > 0)
    return Unsupported("its second output, the places of the maxima, has no kernel in TFLite; leave it out");
  const OnnxValue& x = node.In(0);
  QAT_ASSIGN_OR_RETURN(Windows windows, WindowsOf(node, x, node.Ints("kernel_shape")));
  QAT_RETURN_IF_ERROR(RefuseDilation(windows));
  QAT_ASSIGN_OR_RETURN(OnnxValue image, c.build.ToImage(x));
  const bool mirrors = MirrorsInside(windows[0]) && MirrorsInside(windows[1]);
  const bool zeros = IsNeverNegative(c, image.tensor);
  const bool pads =
      !(windows[0].IsSame() && windows[1].IsSame()) && !(windows[0].IsValid() && windows[1].IsValid());
  if (pads && !mirrors && !zeros)
    return Unsupported(
        "its windows lie outside of the input by more than half, which cannot be padded exactly; use smaller "
        "pads");
  Padding padding;
  const auto mode = zeros ? OnnxBuilder::PadMode::kConstant : OnnxBuilder::PadMode::kSymmetric;
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
  QAT_ASSIGN_OR_RETURN(Windows windows, WindowsOf(node, x, node.Ints("kernel_shape")));
  QAT_RETURN_IF_ERROR(RefuseDilation(windows));
  const bool counts_pads = node.Int("count_include_pad", 0) != 0;
  const std::vector<float> rows = Divisors(windows[0], counts_pads),
                           columns = Divisors(windows[1], counts_pads);
  QAT_ASSIGN_OR_RETURN(OnnxValue image, c.build.ToImage(x));
  const bool same = windows[0].IsSame() && windows[1].IsSame();
  // TFLite divides by what lies inside of the input where it pads, and by the whole window where the pads are in the input.
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
