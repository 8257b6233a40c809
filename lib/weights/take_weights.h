// take_weights.h: the trained tensors of a network from a weights file, in TFLite's layout.
#ifndef QAT_WEIGHTS_TAKE_WEIGHTS_H_
#define QAT_WEIGHTS_TAKE_WEIGHTS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "weights/match.h"
#include "weights/name_map.h"
#include "weights/weights_file.h"

namespace qat {

struct TakeOptions {
  std::optional<WeightsLayout> layout;  ///< nullopt: by the names of the tensors
  bool channels_last = false;           ///< PyTorch's flattened maps are in the order H, W, C
  const NameMap* names = nullptr;       ///< null: none
};

struct TakenWeights {
  std::map<std::string, NamedTensor> tensors;  ///< as in a checkpoint: "conv1/filter", …
  /// "10 tensors for 5 layers from FILE, in PyTorch's layout, by name"
  std::string line;
  /// what was done besides: columns reordered, biases that are 0
  std::vector<std::string> notes;
  std::vector<std::string> warnings;  ///< tensors that nothing takes; batch norms of another epsilon
  std::string table;                  ///< one row per tensor: ours, theirs, both shapes, how
};

/// Every layer that the map does not leave as it is finds its tensors. A bias that the file has not is 0; one
/// in front of a batch normalization is subtracted from its mean. Errors: kCorrupt where shapes misfit (both
/// are named) or values are no numbers, kInvalidArgument where layers find nothing (all are listed, with the
/// tensors that are left).
Expected<TakenWeights> TakeWeights(const std::vector<NetworkLayer>& layers, const WeightsFile& file,
                                   const TakeOptions& options);

}  // namespace qat

#endif  // QAT_WEIGHTS_TAKE_WEIGHTS_H_
