// Batch normalization is not a module of its own: reading a spec makes it part of the layer before it.
#include "base/strings.h"
#include "train/modules/module.h"

namespace qat {

Expected<std::unique_ptr<Module>> MakeBatchNorm(const LayerSpec& layer, const ModuleOptions&) {
  return Internal(StrCat("layer '", layer.name, "': batch_norm is folded when the spec is read"));
}

}  // namespace qat
