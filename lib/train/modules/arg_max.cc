// Argmax has no gradient, hence no training form: qat-convert appends it.
#include "base/strings.h"
#include "train/modules/module.h"

namespace qat {

Expected<std::unique_ptr<Module>> MakeArgMax(const LayerNode& layer, const ModuleOptions&) {
  return Unsupported(
      StrCat("layer '", layer.name,
             "': argmax cannot be trained through; leave it out and let qat-convert append it"));
}

}  // namespace qat
