#include "calibrate/filter_layer.h"

#include "ops/padding.h"

namespace qat {
namespace {

template <class A>
FilterWindows WindowsOf(const A& a, const Shape& input, int32_t filter_h, int32_t filter_w) {
  FilterWindows windows;
  windows.height = input[1], windows.width = input[2], windows.channels = input[3];
  windows.filter_h = filter_h, windows.filter_w = filter_w;
  windows.stride_h = a.stride_h, windows.stride_w = a.stride_w;
  windows.dilation_h = a.dilation_h, windows.dilation_w = a.dilation_w;
  const WindowExtent rows = ComputeWindow(a.padding, input[1], filter_h, a.stride_h, a.dilation_h);
  const WindowExtent columns = ComputeWindow(a.padding, input[2], filter_w, a.stride_w, a.dilation_w);
  windows.out_h = rows.output, windows.pad_h = rows.before;
  windows.out_w = columns.output, windows.pad_w = columns.before;
  return windows;
}

}  // namespace

void FilterWindows::Read(std::span<const float> input, int64_t index, std::span<float> window) const {
  const auto row = static_cast<int32_t>(index / out_w) * stride_h - pad_h;
  const auto column = static_cast<int32_t>(index % out_w) * stride_w - pad_w;
  size_t at = 0;
  for (int32_t y = 0; y < filter_h; ++y) {
    for (int32_t x = 0; x < filter_w; ++x) {
      const int32_t from_y = row + y * dilation_h, from_x = column + x * dilation_w;
      const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
      const auto start =
          (static_cast<size_t>(from_y) * static_cast<size_t>(width) + static_cast<size_t>(from_x)) *
          static_cast<size_t>(channels);
      for (int32_t c = 0; c < channels; ++c)
        window[at++] = inside ? input[start + static_cast<size_t>(c)] : 0;
    }
  }
}

std::optional<FilterLayer> FilterLayerOf(const Graph& graph, const GraphNode& node,
                                         const TensorPlan& filter) {
  const OpDefinition& definition = node.definition();
  const Shape& shape = graph.tensor(filter.tensor).shape;
  const Shape& input = graph.tensor(node.InputAt(definition.data_input)).shape;
  FilterLayer layer;
  layer.node = &node;
  layer.filter = &filter;
  layer.bias = node.InputAt(definition.bias_input);
  if (node.type == OpType::kConv2D && shape[3] == input[3]) {
    layer.windows = WindowsOf(std::get<Conv2DAttributes>(node.attributes), input, shape[1], shape[2]);
  } else if (node.type == OpType::kDepthwiseConv2D) {
    layer.windows =
        WindowsOf(std::get<DepthwiseConv2DAttributes>(node.attributes), input, shape[1], shape[2]);
    layer.depthwise = true;
  } else if (node.type == OpType::kFullyConnected) {
    layer.windows.channels = shape[1];
    layer.windows.out_h = static_cast<int32_t>(FlatSize(input) / shape[1]);
    layer.windows.height = layer.windows.out_h;
  } else {
    return std::nullopt;
  }
  layer.channels = static_cast<size_t>(shape[static_cast<size_t>(definition.filter_channel_axis)]);
  layer.depth = static_cast<size_t>(FlatSize(shape)) / layer.channels;
  return layer;
}

}  // namespace qat
