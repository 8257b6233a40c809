// Images of other sizes.
#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "import/onnx_convert.h"

namespace qat {
namespace {

/// How one axis is resized: `scale` as ONNX has it, output by input.
struct ResizedAxis {
  int32_t input = 1, output = 1;
  double scale = 1;
};

struct ResizeMode {
  std::string coordinates = "half_pixel", nearest = "round_prefer_floor", mode = "nearest";
  bool linear() const { return mode == "linear" || mode == "bilinear"; }
};

/// Where value `i` of the output lies in the input. Nothing: a mode that is not known.
std::optional<double> SourceOf(const ResizedAxis& axis, const std::string& coordinates, int32_t i) {
  if (coordinates == "asymmetric") return i / axis.scale;
  if (coordinates == "half_pixel") return (i + 0.5) / axis.scale - 0.5;
  if (coordinates == "pytorch_half_pixel") return axis.output > 1 ? (i + 0.5) / axis.scale - 0.5 : 0.0;
  if (coordinates == "align_corners")
    return axis.output > 1 ? static_cast<double>(i) * (axis.input - 1) / (axis.output - 1) : 0.0;
  if (coordinates == "half_pixel_symmetric") {
    const double adjustment = axis.output / (axis.scale * axis.input);
    return axis.input / 2.0 * (1 - adjustment) + (i + 0.5) / axis.scale - 0.5;
  }
  return {};
}

int32_t Rounded(double place, const std::string& nearest, int32_t size) {
  double index = std::floor(place);
  if (nearest == "ceil") index = std::ceil(place);
  if (nearest == "round_prefer_ceil") index = std::floor(place + 0.5);
  if (nearest == "round_prefer_floor") index = std::ceil(place - 0.5);
  return static_cast<int32_t>(std::clamp(index, 0.0, size - 1.0));
}

/// What TFLite's kernel takes, as tflite/kernels/internal/reference/resize_nearest_neighbor.h computes it.
int32_t NearestOfTflite(const ResizedAxis& axis, const ResizeAttributes& a, int32_t i) {
  const float scale = a.align_corners && axis.output > 1
                          ? static_cast<float>(axis.input - 1) / static_cast<float>(axis.output - 1)
                          : static_cast<float>(axis.input) / static_cast<float>(axis.output);
  const float place = (static_cast<float>(i) + (a.half_pixel_centers ? 0.5f : 0.0f)) * scale;
  const float rounded = a.align_corners ? std::round(place) : std::floor(place);
  return std::clamp(static_cast<int32_t>(rounded), 0, axis.input - 1);
}

Expected<std::vector<int32_t>> NearestPlaces(const ResizedAxis& axis, const ResizeMode& mode) {
  std::vector<int32_t> places;
  for (int32_t i = 0; i < axis.output; ++i) {
    const auto source = SourceOf(axis, mode.coordinates, i);
    if (!source) return Unsupported(StrCat("`coordinate_transformation_mode` is '", mode.coordinates, "'"));
    places.push_back(Rounded(*source, mode.nearest, axis.input));
  }
  return places;
}

Expected<OnnxValue> EmitResize(OnnxConversion& c, OpType type, const ResizeAttributes& attributes,
                               const OnnxValue& image, int32_t height, int32_t width) {
  const int32_t size = c.build.AddIndices("size", {2}, {height, width});
  QAT_ASSIGN_OR_RETURN(const int32_t output, c.build.Emit(type, attributes, {image.tensor, size}));
  Shape shape = image.shape;
  if (shape.size() == 4) shape[2] = height;
  shape.back() = width;
  return c.build.Computed(output, shape, image.order);
}

Converted Nearest(OnnxConversion& c, const OnnxValue& x, const std::vector<ResizedAxis>& axes,
                  const ResizeMode& mode) {
  std::vector<std::vector<int32_t>> places;
  for (const ResizedAxis& axis : axes) {
    QAT_ASSIGN_OR_RETURN(std::vector<int32_t> of_axis, NearestPlaces(axis, mode));
    places.push_back(std::move(of_axis));
  }
  const bool image = x.rank() == 3 || x.rank() == 4;
  const bool only_space = image && axes[0].input == axes[0].output && axes[1].input == axes[1].output;
  for (const ResizeAttributes attributes : {ResizeAttributes{}, ResizeAttributes{.half_pixel_centers = true},
                                            ResizeAttributes{.align_corners = true}}) {
    bool equal = only_space;
    for (size_t k = 2; k < axes.size() && equal; ++k) {
      for (int32_t i = 0; i < axes[k].output && equal; ++i)
        equal = NearestOfTflite(axes[k], attributes, i) == places[k][static_cast<size_t>(i)];
    }
    if (!equal) continue;
    QAT_ASSIGN_OR_RETURN(const OnnxValue value, c.build.ToImage(x));
    return One(EmitResize(c, OpType::kResizeNearestNeighbor, attributes, value,
                          x.rank() == 4 ? axes[2].output : 1, axes.back().output));
  }
  OnnxValue value = x;
  for (size_t k = 0; k < axes.size(); ++k) {
    if (places[k] == IdentityOrder(static_cast<size_t>(axes[k].input))) continue;
    QAT_ASSIGN_OR_RETURN(value, c.build.Gather(value, static_cast<int32_t>(k), places[k]));
  }
  return One(value);
}

Converted Linear(OnnxConversion& c, const OnnxValue& x, const std::vector<ResizedAxis>& axes,
                 const ResizeMode& mode) {
  const bool image =
      (x.rank() == 3 || x.rank() == 4) && axes[0].input == axes[0].output && axes[1].input == axes[1].output;
  if (!image)
    return Unsupported(StrCat("interpolates ", ToString(x.shape), " along other axes than height and width"));
  ResizeAttributes attributes;
  bool halves = mode.coordinates == "half_pixel" || mode.coordinates == "pytorch_half_pixel";
  if (mode.coordinates == "align_corners")
    attributes.align_corners = true;
  else if (!halves && mode.coordinates != "asymmetric")
    return Unsupported(
        StrCat("interpolates with `coordinate_transformation_mode` '", mode.coordinates,
               "', which TFLite does not have; use 'half_pixel', 'align_corners' or 'asymmetric'"));
  for (size_t k = 2; k < axes.size(); ++k) {
    const ResizedAxis& axis = axes[k];
    const bool whole = std::abs(axis.scale * axis.input - axis.output) < 1e-4;
    if (!whole)
      return Unsupported(StrCat("resizes ", axis.input, " to ", axis.output, " by a scale of ", axis.scale,
                                ", which is no ratio of sizes; give `sizes`"));
    if (mode.coordinates == "pytorch_half_pixel" && axis.output == 1 && axis.input != 1)
      return Unsupported("interpolates to one value by 'pytorch_half_pixel'; use 'half_pixel'");
  }
  attributes.half_pixel_centers = halves;
  QAT_ASSIGN_OR_RETURN(const OnnxValue value, c.build.ToImage(x));
  return One(EmitResize(c, OpType::kResizeBilinear, attributes, value, x.rank() == 4 ? axes[2].output : 1,
                        axes.back().output));
}

Converted Resized(OnnxConversion& c, const OnnxValue& x, const std::vector<ResizedAxis>& axes,
                  const ResizeMode& mode) {
  const bool same =
      std::all_of(axes.begin(), axes.end(), [](const ResizedAxis& a) { return a.input == a.output; });
  if (same) return std::vector<OnnxValue>{x};
  for (const ResizedAxis& axis : axes) {
    if (axis.output < 1 || axis.output > (1 << 16))
      return InvalidArgument(StrCat("makes ", axis.input, " to ", axis.output));
  }
  if (mode.mode == "nearest") return Nearest(c, x, axes, mode);
  if (mode.linear()) return Linear(c, x, axes, mode);
  return Unsupported(
      StrCat("`mode` is '", mode.mode, "', which has no kernel in TFLite; use 'nearest' or 'linear'"));
}

/// More than any axis may have where it is, so that it is refused and not wrapped.
int32_t LimitedSize(double size) { return static_cast<int32_t>(std::min(std::floor(size), 0x1p30)); }

Expected<std::vector<ResizedAxis>> AxesByScales(const OnnxValue& x, const std::vector<int32_t>& chosen,
                                                const std::vector<float>& scales) {
  std::vector<ResizedAxis> axes;
  for (const int32_t size : x.shape) axes.push_back({size, size, 1});
  if (scales.size() != chosen.size())
    return InvalidArgument(StrCat("has ", scales.size(), " scales for ", chosen.size(), " axes"));
  for (size_t i = 0; i < chosen.size(); ++i) {
    ResizedAxis& axis = axes[static_cast<size_t>(chosen[i])];
    axis.scale = scales[i];
    if (!(axis.scale > 0 && axis.scale < 1e5)) return InvalidArgument(StrCat("has a scale of ", axis.scale));
    axis.output = LimitedSize(axis.input * axis.scale);
  }
  return axes;
}

Converted Upsample(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  std::vector<float> scales;
  if (const onnx::Attribute* given = node.node.Find("scales")) scales = given->reals;
  if (node.Has(1)) {
    QAT_ASSIGN_OR_RETURN(scales, node.Reals(1, "scales"));
  }
  QAT_ASSIGN_OR_RETURN(const auto axes, AxesByScales(x, IdentityOrder(x.rank()), scales));
  return Resized(c, x, axes, {"asymmetric", "floor", node.Text("mode", "nearest")});
}

Converted Resize(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  if (node.opset < 11) {
    QAT_ASSIGN_OR_RETURN(const std::vector<float> scales, node.Reals(1, "scales"));
    QAT_ASSIGN_OR_RETURN(const auto axes, AxesByScales(x, IdentityOrder(x.rank()), scales));
    return Resized(c, x, axes, {"asymmetric", "floor", node.Text("mode", "nearest")});
  }
  const ResizeMode mode = {node.Text("coordinate_transformation_mode", "half_pixel"),
                           node.Text("nearest_mode", "round_prefer_floor"), node.Text("mode", "nearest")};
  if (node.Int("antialias", 0) != 0 && mode.mode != "nearest")
    return Unsupported("`antialias` has no kernel in TFLite; export the network without it");
  if (node.Int("exclude_outside", 0) != 0) return Unsupported("`exclude_outside` has no kernel in TFLite");
  std::vector<int32_t> chosen = IdentityOrder(x.rank());
  if (node.Gives("axes")) {
    QAT_ASSIGN_OR_RETURN(chosen, AxesOf(node.Ints("axes"), x.rank()));
  }
  const bool by_sizes = node.Has(3) && FlatSize(node.In(3).shape) > 0;
  if (!by_sizes) {
    QAT_ASSIGN_OR_RETURN(const std::vector<float> scales, node.Reals(2, "scales"));
    QAT_ASSIGN_OR_RETURN(const auto axes, AxesByScales(x, chosen, scales));
    return Resized(c, x, axes, mode);
  }
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, node.Integers(3, "sizes"));
  if (sizes.size() != chosen.size())
    return InvalidArgument(StrCat("has ", sizes.size(), " sizes for ", chosen.size(), " axes"));
  const std::string policy = node.Text("keep_aspect_ratio_policy", "stretch");
  std::vector<ResizedAxis> axes;
  for (const int32_t size : x.shape) axes.push_back({size, size, 1});
  double ratio = policy == "not_larger" ? 1e9 : 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (sizes[i] < 1 || sizes[i] > (1 << 16)) return InvalidArgument(StrCat("a size is ", sizes[i]));
    ResizedAxis& axis = axes[static_cast<size_t>(chosen[i])];
    axis.output = static_cast<int32_t>(sizes[i]);
    axis.scale = static_cast<double>(axis.output) / axis.input;
    ratio = policy == "not_larger" ? std::min(ratio, axis.scale) : std::max(ratio, axis.scale);
  }
  for (size_t i = 0; i < chosen.size() && policy != "stretch"; ++i) {
    ResizedAxis& axis = axes[static_cast<size_t>(chosen[i])];
    axis.scale = ratio;
    axis.output = LimitedSize(axis.input * ratio + 0.5);
  }
  return Resized(c, x, axes, mode);
}

Expected<int32_t> BlockOf(const OnnxNode& node) {
  const int64_t size = node.Int("blocksize", 0);
  if (size < 1 || size > 1024) return InvalidArgument(StrCat("`blocksize` is ", size));
  if (node.In(0).rank() != 4) return InvalidArgument(StrCat("input is ", ToString(node.In(0).shape)));
  return static_cast<int32_t>(size);
}

/// TFLite's channels are ordered as mode DCR; CRD, as of PyTorch's pixel_shuffle, has them the other way
/// round.
Converted DepthToSpace(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const int32_t size, BlockOf(node));
  OnnxValue x = node.In(0);
  const int32_t blocks = size * size, channels = x.shape[1] / blocks;
  if (x.shape[1] % blocks != 0) return InvalidArgument(StrCat(x.shape[1], " channels for blocks of ", size));
  if (node.Text("mode", "DCR") == "CRD" && channels > 1) {
    std::vector<int32_t> order;
    for (int32_t block = 0; block < blocks; ++block) {
      for (int32_t channel = 0; channel < channels; ++channel) order.push_back(channel * blocks + block);
    }
    QAT_ASSIGN_OR_RETURN(x, c.build.ToImage(x));
    QAT_ASSIGN_OR_RETURN(x, c.build.Gather(x, 1, order));
  }
  QAT_ASSIGN_OR_RETURN(const OnnxValue image, c.build.ToImage(x));
  QAT_ASSIGN_OR_RETURN(const int32_t output,
                       c.build.Emit(OpType::kDepthToSpace, BlockAttributes{size}, {image.tensor}));
  return One(
      c.build.Computed(output, {x.shape[0], channels, x.shape[2] * size, x.shape[3] * size}, image.order));
}

Converted SpaceToDepth(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const int32_t size, BlockOf(node));
  const OnnxValue& x = node.In(0);
  if (x.shape[2] % size != 0 || x.shape[3] % size != 0)
    return InvalidArgument(StrCat(ToString(x.shape), " in blocks of ", size));
  QAT_ASSIGN_OR_RETURN(const OnnxValue image, c.build.ToImage(x));
  QAT_ASSIGN_OR_RETURN(const int32_t output,
                       c.build.Emit(OpType::kSpaceToDepth, BlockAttributes{size}, {image.tensor}));
  const OnnxValue value = c.build.Computed(
      output, {x.shape[0], x.shape[1] * size * size, x.shape[2] / size, x.shape[3] / size}, image.order);
  if (node.Text("mode", "DCR") != "CRD" || x.shape[1] == 1) return One(value);
  std::vector<int32_t> order;
  for (int32_t channel = 0; channel < x.shape[1]; ++channel) {
    for (int32_t block = 0; block < size * size; ++block) order.push_back(block * x.shape[1] + channel);
  }
  return One(c.build.Gather(value, 1, order));
}

constexpr OnnxConverter kConverters[] = {{"Resize", 1, Resize},
                                         {"Upsample", 1, Upsample},
                                         {"DepthToSpace", 1, DepthToSpace},
                                         {"SpaceToDepth", 1, SpaceToDepth}};

}  // namespace

std::span<const OnnxConverter> ImageConverters() { return kConverters; }

}  // namespace qat
