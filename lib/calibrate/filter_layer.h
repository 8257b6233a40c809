// filter_layer.h: a layer as sums of products: its filter as rows, and the windows of its input that they are
// multiplied with.
#ifndef QAT_CALIBRATE_FILTER_LAYER_H_
#define QAT_CALIBRATE_FILTER_LAYER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ir/graph.h"
#include "plan/plan.h"

namespace qat {

/// How the windows of a layer lie over its input [1, H, W, C]; of a fully connected layer one of all values,
/// or of each row.
struct FilterWindows {
  int32_t height = 1, width = 1, channels = 1;  // of the input
  int32_t filter_h = 1, filter_w = 1;
  int32_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int32_t out_h = 1, out_w = 1, pad_h = 0, pad_w = 0;

  int64_t count() const { return int64_t{out_h} * out_w; }
  size_t taps() const { return static_cast<size_t>(filter_h) * static_cast<size_t>(filter_w); }
  /// Values under a window.
  size_t size() const { return taps() * static_cast<size_t>(channels); }

  /// The values under window `index`, [filter_h, filter_w, channels]; 0 beyond the border.
  void Read(std::span<const float> input, int64_t index, std::span<float> window) const;
};

/// Its filter has `channels` rows of `depth` weights.
struct FilterLayer {
  const GraphNode* node = nullptr;
  const TensorPlan* filter = nullptr;
  int32_t bias = -1;  ///< tensor; -1: none
  FilterWindows windows;
  bool depthwise = false;
  size_t depth = 0, channels = 0;

  /// Channels that read one input channel; 1 where it is not depthwise.
  size_t multiplier() const { return depthwise ? channels / static_cast<size_t>(windows.channels) : 1; }
  /// Parts of the input that some channels read and the others do not: each input channel of a depthwise
  /// convolution.
  size_t parts() const { return depthwise ? static_cast<size_t>(windows.channels) : 1; }
  /// Where weight `i` of channel `c` lies in the filter: [O, …] or, depthwise, [1, H, W, O].
  size_t Place(size_t c, size_t i) const { return depthwise ? i * channels + c : c * depth + i; }
  /// Where its input lies in a window.
  size_t InputPlace(size_t c, size_t i) const {
    return depthwise ? i * static_cast<size_t>(windows.channels) + c / multiplier() : i;
  }
  /// Multiplications for one example.
  double work() const {
    return static_cast<double>(windows.count()) * static_cast<double>(channels) * static_cast<double>(depth);
  }
};

/// Nothing for kinds of layers that are not known here: transposed and grouped convolutions.
std::optional<FilterLayer> FilterLayerOf(const Graph& graph, const GraphNode& node, const TensorPlan& filter);

}  // namespace qat

#endif  // QAT_CALIBRATE_FILTER_LAYER_H_
