// network_layers.h: what a network has to be filled with, as far as finding it in a weights file needs to
// know.
#ifndef QAT_WEIGHTS_NETWORK_LAYERS_H_
#define QAT_WEIGHTS_NETWORK_LAYERS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/shape.h"
#include "ir/graph.h"

namespace qat {

/// A layer with trained tensors, named and shaped as in a checkpoint (TFLite's layout).
struct NetworkLayer {
  std::string name;
  OpType type = OpType::kConv2D;
  /// Of a convolution [O, H, W, I], of all groups where it has some; empty: the layer has slopes instead.
  Shape filter;
  Shape slope;
  int32_t channels = 0;   ///< of the output
  int32_t inputs = 0;     ///< channels of the input
  bool has_bias = false;  ///< false with batch normalization
  bool batch_norm = false;
  float epsilon = 0;          ///< of the batch normalization
  bool is_norm_only = false;  ///< its filter of ones stands for none: a batch normalization by itself
  /// The map [H, W, C] whose flattened values a fully connected layer reads, which PyTorch flattens as C, H,
  /// W; empty: none.
  Shape flattened;
  /// checkpoints hold them as "NAME/group0", …: equal parts of filter and channels, in order
  int32_t groups = 1;
  /// what the graph calls "filter", "bias", "slope", "gamma", "beta", "moving_mean" and "moving_variance": of
  /// a spec NAME/filter and so on, of an imported network as its source has it; one for each group
  std::map<std::string, std::vector<std::string>> tensors;

  const std::vector<std::string>& TensorNames(const std::string& suffix) const { return tensors.at(suffix); }
};

/// In the order of execution. Of layers that share a filter, as the steps of a recurrent one do, the first.
std::vector<NetworkLayer> LayersWithParameters(const Graph& network);

}  // namespace qat

#endif  // QAT_WEIGHTS_NETWORK_LAYERS_H_
