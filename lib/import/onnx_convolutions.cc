// Convolutions and their transposes.
#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "import/onnx_windows.h"

namespace qat {
namespace {

/// A filter [O, I, …] with two sizes of its kernel.
Expected<std::pair<Shape, const onnx::Tensor*>> FilterOf(const OnnxNode& node, const OnnxValue& x) {
  const OnnxValue& w = node.In(1);
  if (!w.is_constant())
    return Unsupported(
        "its filter is computed while the network runs; export it as a constant (in eval mode, without a "
        "parametrization)");
  if (w.rank() != x.rank() || !onnx::IsReal(w.constant->type))
    return InvalidArgument(StrCat("a filter of ", ToString(w.shape), " for an input of ", ToString(x.shape)));
  Shape shape = w.shape;
  if (shape.size() == 3) shape.insert(shape.begin() + 2, 1);
  if (shape.size() != 4)
    return Unsupported(
        StrCat("input is ", ToString(x.shape),
               ": volumes do not come in; let the network take the depth apart into images, or as channels"));
  for (const int32_t size : shape) {
    if (size < 1) return InvalidArgument(StrCat("the filter is ", ToString(w.shape)));
  }
  return std::pair(shape, w.constant.get());
}

std::string FilterName(const OnnxNode& node, const onnx::Tensor& filter) {
  if (!filter.name.empty()) return filter.name;
  return node.node.inputs.size() > 1 && !node.node.inputs[1].empty()
             ? node.node.inputs[1]
             : StrCat(node.node.outputs[0], "/filter");
}

/// The bias as constants; nothing: there is none.
Expected<std::optional<std::vector<float>>> BiasOf(const OnnxNode& node, int32_t channels) {
  if (!node.Has(2)) return std::optional<std::vector<float>>();
  QAT_ASSIGN_OR_RETURN(std::vector<float> bias, node.Reals(2, "B"));
  if (std::ssize(bias) != channels)
    return InvalidArgument(StrCat("a bias of ", bias.size(), " values for ", channels, " channels"));
  return std::optional(std::move(bias));
}

std::string BiasName(const OnnxNode& node) {
  const std::string& own = node.In(2).constant->name;
  return own.empty() ? StrCat(node.node.outputs[0], "/bias") : own;
}

Converted Conv(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const auto filter, FilterOf(node, x));
  const auto& [shape, values] = filter;
  const int32_t outputs = shape[0], channels = x.shape[1];
  const int64_t groups = node.Int("group", 1);
  if (groups < 1 || channels % groups != 0 || outputs % groups != 0 || shape[1] != channels / groups)
    return InvalidArgument(
        StrCat("a filter of ", ToString(shape), " in ", groups, " groups for ", channels, " channels"));
  std::vector<int64_t> kernel(node.In(1).shape.begin() + 2, node.In(1).shape.end());
  QAT_ASSIGN_OR_RETURN(Windows windows, WindowsOf(node, x, kernel));
  QAT_ASSIGN_OR_RETURN(OnnxValue image, c.build.ToImage(x));
  Padding padding;
  QAT_ASSIGN_OR_RETURN(image, Padded(c, image, windows, OnnxBuilder::PadMode::kConstant, false, padding));
  QAT_ASSIGN_OR_RETURN(const auto bias, BiasOf(node, outputs));
  const Window &h = windows[0], &w = windows[1];
  const bool depthwise = groups == channels && groups > 1;
  const AxisOrder order = depthwise ? AxisOrder{1, 2, 3, 0} : AxisOrder{0, 2, 3, 1};
  std::vector<int32_t> inputs = {image.tensor,
                                 c.build.AddReals(FilterName(node, *values), InOrder(shape, order),
                                                  Permuted(values->reals, shape, order))};
  if (bias) inputs.push_back(c.build.AddReals(BiasName(node), {outputs}, *bias));
  OpAttributes attributes;
  if (depthwise) {
    attributes =
        DepthwiseConv2DAttributes{h.kernel,   w.kernel, outputs / channels, h.stride, w.stride, h.dilation,
                                  w.dilation, padding,  Activation::kNone,  {}};
  } else {
    attributes = Conv2DAttributes{outputs,    h.kernel, w.kernel,          h.stride, w.stride, h.dilation,
                                  w.dilation, padding,  Activation::kNone, 1,        {}};
  }
  const OpType type = depthwise ? OpType::kDepthwiseConv2D : OpType::kConv2D;
  QAT_ASSIGN_OR_RETURN(const int32_t output, c.build.Emit(type, attributes, std::move(inputs)));
  return One(ImageOf(c, output, image));
}

/// A kernel with zeros between its values, which is what a dilation is.
std::vector<float> Dilated(const std::vector<float>& values, Shape& shape, const Windows& windows) {
  if (windows[0].dilation == 1 && windows[1].dilation == 1) return values;
  Shape larger = shape;
  larger[2] = windows[0].extent();
  larger[3] = windows[1].extent();
  std::vector<float> result(static_cast<size_t>(FlatSize(larger)));
  size_t at = 0;
  for (int32_t outer = 0; outer < shape[0] * shape[1]; ++outer) {
    for (int32_t i = 0; i < shape[2]; ++i) {
      for (int32_t j = 0; j < shape[3]; ++j) {
        const int64_t row = int64_t{outer} * larger[2] + i * windows[0].dilation;
        result[static_cast<size_t>(row * larger[3] + j * windows[1].dilation)] = values[at++];
      }
    }
  }
  shape = larger;
  return result;
}

/// Of one axis of a transposed convolution: how large TFLite makes it, and where ONNX's result lies in that.
struct TransposedAxis {
  int32_t size = 1, begin = 0, full = 1;
  bool same = false;
};

Expected<TransposedAxis> TransposedAxisOf(const OnnxNode& node, size_t i, size_t spatial, const Window& w) {
  const std::vector<int64_t> extra = node.Ints("output_padding"), wanted = node.Ints("output_shape");
  const int64_t more = i < extra.size() ? extra[i] : 0;
  const std::string automatic = node.Text("auto_pad", "NOTSET");
  int64_t size = int64_t{w.stride} * (w.input - 1) + more + w.extent() - w.before - w.after, begin = w.before;
  if (!wanted.empty() || automatic.starts_with("SAME")) {
    if (!wanted.empty() && wanted.size() < spatial)
      return InvalidArgument("`output_shape` has too few values");
    size = wanted.empty() ? int64_t{w.input} * w.stride : wanted[wanted.size() - spatial + i];
    const int64_t total = int64_t{w.stride} * (w.input - 1) + more + w.extent() - size;
    if (total < 0)
      return Unsupported(StrCat("`output_shape` asks for ", size, ", more than the windows reach"));
    begin = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
  }
  if (size < 1 || size > (1 << 20) || more < 0 || more >= std::max(w.stride, w.dilation) || begin < 0)
    return InvalidArgument(StrCat("a result of ", size, " with `output_padding` ", more));
  TransposedAxis axis;
  axis.size = static_cast<int32_t>(size);
  axis.begin = static_cast<int32_t>(begin);
  const WindowExtent same = ComputeWindow(Padding::kSame, axis.size, w.extent(), w.stride);
  axis.same = same.output == w.input && same.before == axis.begin;
  const int32_t reached = w.stride * (w.input - 1) + w.extent(), most = reached + w.stride - 1;
  axis.full = std::max(reached, axis.begin + axis.size);
  if (axis.full > most)
    return Unsupported(
        StrCat("`output_padding` asks for ", axis.full - reached, " values beyond the last window"));
  return axis;
}

Converted ConvTranspose(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const auto filter, FilterOf(node, x));
  Shape shape = filter.first;  // [I, O / groups, H, W]
  const auto groups = static_cast<int32_t>(std::clamp<int64_t>(node.Int("group", 1), 0, 1 << 20));
  if (groups < 1 || x.shape[1] % groups != 0 || shape[0] != x.shape[1])
    return InvalidArgument(
        StrCat("a filter of ", ToString(shape), " in ", groups, " groups for ", x.shape[1], " channels"));
  const size_t spatial = x.rank() - 2;
  Windows windows(2);
  for (size_t i = 0; i < spatial; ++i) {
    Window& w = windows[2 - spatial + i];
    w.input = x.shape[2 + i];
    w.kernel = shape[4 - spatial + i];
    QAT_ASSIGN_OR_RETURN(w.stride, PositiveAt(node.Ints("strides"), i, "strides"));
    QAT_ASSIGN_OR_RETURN(w.dilation, PositiveAt(node.Ints("dilations"), i, "dilations"));
    if (int64_t{w.kernel} * w.dilation > (1 << 20)) return InvalidArgument("the window is too large");
    if (int64_t{w.input} * w.stride > kMostMadeValues)
      return InvalidArgument(StrCat("spreads ", w.input, " values by steps of ", w.stride));
  }
  if (FlatSize({shape[0], shape[1], windows[0].extent(), windows[1].extent()}) >
      std::max(kMostMadeValues, FlatSize(shape)))
    return Unsupported("its filter with zeros in its gaps is too large; use smaller dilations");
  if (!node.Text("auto_pad", "NOTSET").starts_with("SAME"))
    QAT_RETURN_IF_ERROR(SetPads(node, spatial, windows));
  std::vector<TransposedAxis> axes(2);
  for (size_t i = 0; i < spatial; ++i) {
    QAT_ASSIGN_OR_RETURN(axes[2 - spatial + i], TransposedAxisOf(node, i, spatial, windows[2 - spatial + i]));
  }
  if (spatial == 1) axes[0].same = true;
  const std::vector<float> values = Dilated(filter.second->reals, shape, windows);
  const int32_t outputs = shape[1] * groups;
  QAT_ASSIGN_OR_RETURN(const auto bias, BiasOf(node, outputs));
  const bool same = axes[0].same && axes[1].same;
  TransposeConvAttributes attributes;
  attributes.stride_h = windows[0].stride;
  attributes.stride_w = windows[1].stride;
  attributes.padding = same ? Padding::kSame : Padding::kValid;
  QAT_ASSIGN_OR_RETURN(const OnnxValue image, c.build.ToImage(x));
  const std::vector<int32_t> inputs_of_group(static_cast<size_t>(groups), x.shape[1] / groups);
  QAT_ASSIGN_OR_RETURN(const std::vector<OnnxValue> parts, c.build.Split(image, 1, inputs_of_group));
  std::vector<OnnxValue> results;
  Shape of_group = shape;
  of_group[0] /= groups;
  const auto size = static_cast<size_t>(FlatSize(of_group));
  for (size_t g = 0; g < parts.size(); ++g) {
    const std::vector<float> own(values.begin() + static_cast<int64_t>(g * size),
                                 values.begin() + static_cast<int64_t>((g + 1) * size));
    const AxisOrder order = {1, 2, 3, 0};
    const int32_t output_shape = c.build.AddIndices(
        "shape", {4},
        {x.shape[0], same ? axes[0].size : axes[0].full, same ? axes[1].size : axes[1].full, shape[1]});
    std::vector<int32_t> inputs = {output_shape,
                                   c.build.AddReals(FilterName(node, *filter.second),
                                                    InOrder(of_group, order), Permuted(own, of_group, order)),
                                   parts[g].tensor};
    if (bias) {
      const auto from = bias->begin() + static_cast<int64_t>(g) * shape[1];
      inputs.push_back(
          c.build.AddReals(BiasName(node), {shape[1]}, std::vector<float>(from, from + shape[1])));
    }
    QAT_ASSIGN_OR_RETURN(const int32_t output,
                         c.build.Emit(OpType::kTransposeConv, attributes, std::move(inputs)));
    results.push_back(ImageOf(c, output, image));
  }
  QAT_ASSIGN_OR_RETURN(OnnxValue whole, c.build.Concat(results, 1));
  if (same) return One(whole);
  Shape begin(x.rank(), 0), wanted = whole.shape;
  for (size_t i = 0; i < spatial; ++i) {
    begin[2 + i] = axes[2 - spatial + i].begin;
    wanted[2 + i] = axes[2 - spatial + i].size;
  }
  return One(c.build.Slice(whole, begin, wanted, Shape(x.rank(), 1)));
}

constexpr OnnxConverter kConverters[] = {{"Conv", 2, Conv}, {"ConvTranspose", 2, ConvTranspose}};

}  // namespace

std::span<const OnnxConverter> ConvolutionConverters() { return kConverters; }

}  // namespace qat
