#include "import/onnx_windows.h"

#include "base/strings.h"

namespace qat {

Expected<int32_t> PositiveAt(const std::vector<int64_t>& values, size_t i, std::string_view what) {
  if (values.empty()) return 1;
  if (i >= values.size()) return InvalidArgument(StrCat("`", what, "` has ", values.size(), " values"));
  if (values[i] < 1 || values[i] > (1 << 20)) return InvalidArgument(StrCat("`", what, "` has ", values[i]));
  return static_cast<int32_t>(values[i]);
}

Status SetPads(const OnnxNode& node, size_t spatial, Windows& windows) {
  const std::string automatic = node.Text("auto_pad", "NOTSET");
  const std::vector<int64_t> pads = node.Ints("pads");
  for (size_t i = 0; i < spatial; ++i) {
    Window& w = windows[windows.size() - spatial + i];
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
      const int32_t out = (w.input + w.stride - 1) / w.stride;
      const int32_t total = std::max((out - 1) * w.stride + w.extent() - w.input, 0);
      w.before = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
      w.after = total - w.before;
    } else if (automatic == "NOTSET" || automatic.empty()) {
      if (!pads.empty() && pads.size() != 2 * spatial)
        return InvalidArgument(StrCat("`pads` has ", pads.size(), " values"));
      const int64_t before = pads.empty() ? 0 : pads[i], after = pads.empty() ? 0 : pads[i + spatial];
      if (before < 0 || after < 0 || before > (1 << 20) || after > (1 << 20))
        return Unsupported(StrCat("`pads` has ", std::min(before, after), ", expected 0 and more"));
      w.before = static_cast<int32_t>(before);
      w.after = static_cast<int32_t>(after);
    } else if (automatic != "VALID") {
      return InvalidArgument(StrCat("`auto_pad` is '", automatic, "'"));
    }
  }
  return {};
}

Expected<Windows> WindowsOf(const OnnxNode& node, const OnnxValue& x, const std::vector<int64_t>& kernel) {
  if (x.rank() != 3 && x.rank() != 4) {
    return Unsupported(
        StrCat("input is ", ToString(x.shape), ": volumes do not come in; use layers over images or series"));
  }
  const size_t spatial = x.rank() - 2;
  if (kernel.size() != spatial)
    return InvalidArgument(StrCat("a kernel of ", kernel.size(), " sizes for ", ToString(x.shape)));
  Windows windows(2);
  for (size_t i = 0; i < spatial; ++i) {
    Window& w = windows[2 - spatial + i];
    w.input = x.shape[2 + i];
    QAT_ASSIGN_OR_RETURN(w.kernel, PositiveAt(kernel, i, "kernel_shape"));
    QAT_ASSIGN_OR_RETURN(w.stride, PositiveAt(node.Ints("strides"), i, "strides"));
    QAT_ASSIGN_OR_RETURN(w.dilation, PositiveAt(node.Ints("dilations"), i, "dilations"));
    if (int64_t{w.kernel} * w.dilation > (1 << 20)) return InvalidArgument("the window is too large");
  }
  QAT_RETURN_IF_ERROR(SetPads(node, spatial, windows));
  const bool ceil = node.Int("ceil_mode", 0) != 0;
  for (Window& w : windows) {
    const int32_t span = w.input + w.before + w.after - w.extent();
    if (span < 0)
      return InvalidArgument(
          StrCat("a window of ", w.extent(), " does not fit into ", w.input, " values and their pads"));
    w.output = span / w.stride + 1;
    // The last window begins inside the input or its first pads.
    if (ceil && span % w.stride != 0 && w.output * w.stride < w.input + w.before) ++w.output;
  }
  return windows;
}

Expected<OnnxValue> Padded(OnnxConversion& c, const OnnxValue& image, Windows& windows,
                           OnnxBuilder::PadMode mode, bool counts_pads, Padding& padding) {
  padding = Padding::kValid;
  if (windows[0].IsValid() && windows[1].IsValid()) return image;
  if (!counts_pads && windows[0].IsSame() && windows[1].IsSame()) {
    padding = Padding::kSame;
    return image;
  }
  Shape before(image.rank(), 0), after(image.rank(), 0);
  for (size_t i = 2; i < image.rank(); ++i) {
    Window& w = windows[windows.size() - image.rank() + i];
    before[i] = w.before;
    after[i] = w.reach();
    w.input += before[i] + after[i];
    w.before = w.after = 0;
  }
  return c.build.Pad(image, before, after, mode, 0);
}

OnnxValue ImageOf(const OnnxConversion& c, int32_t tensor, const OnnxValue& like) {
  const Shape& shape = c.build.graph().tensor(tensor).shape;  // [N, H, W, C]
  Shape own = {shape[0], shape[3]};
  if (like.rank() == 4) own.push_back(shape[1]);
  own.push_back(shape[2]);
  return c.build.Computed(tensor, own, like.order);
}

}  // namespace qat
