// match.h: which module of a weights file fills which layer of a network.
#ifndef QAT_WEIGHTS_MATCH_H_
#define QAT_WEIGHTS_MATCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/expected.h"
#include "weights/file_modules.h"
#include "weights/layout.h"
#include "weights/name_map.h"
#include "weights/network_layers.h"
#include "weights/weights_file.h"

namespace qat {

/// Why a module belongs to a layer.
enum class MatchedBy { kNothing, kMap, kName, kOrder };

/// Indices into Matching::modules; -1: none.
struct LayerMatch {
  int32_t main = -1;  ///< filter and bias, or slopes
  int32_t norm = -1;
  MatchedBy main_by = MatchedBy::kNothing;
  MatchedBy norm_by = MatchedBy::kNothing;
  bool fresh = false;  ///< the map leaves it as it is
};

struct Matching {
  std::vector<FileModule> modules;
  std::vector<LayerMatch> layers;  ///< one per layer of the network
};

struct MatchOptions {
  WeightsLayout layout = WeightsLayout::kPyTorch;
  bool channels_last = false;      ///< PyTorch's flattened maps are in the order H, W, C
  const NameMap* names = nullptr;  ///< null: none
};

/// By the map, then by names where shapes fit, then by shapes: layers of one shape in their order, where
/// there are as many modules of that shape and the order of the modules is known: archives keep it, and so do
/// names that differ in their numbers only.
/// An archive whose modules are as many as the layers, and fit them one after the other, goes by that.
/// A batch normalization belongs to the filter that its name names ("bn1" to "conv1", "features.4" to
/// "features.3"), or that it follows in an archive, then goes by order. What finds nothing keeps -1. Errors:
/// kInvalidArgument for names of the map that are neither in the network nor in the file.
Expected<Matching> Match(const std::vector<NetworkLayer>& layers, const WeightsFile& file,
                         const MatchOptions& options);

}  // namespace qat

#endif  // QAT_WEIGHTS_MATCH_H_
