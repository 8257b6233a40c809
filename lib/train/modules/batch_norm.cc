// Batch normalization is not a module of its own: in a graph it belongs to the node before it.
#include "base/strings.h"
#include "train/modules/module.h"

namespace qat {

Expected<std::unique_ptr<Module>> MakeBatchNorm(const LayerNode& layer, const ModuleOptions&) {
  return Internal(StrCat("layer '", layer.name, "': a batch_norm belongs to the node before it"));
}

}  // namespace qat
