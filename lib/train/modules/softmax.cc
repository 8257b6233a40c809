// Softmax has no training form: the loss is computed from the values before it, and qat-convert appends it.
#include "base/strings.h"
#include "train/modules/module.h"

namespace qat {

Expected<std::unique_ptr<Module>> MakeSoftmax(const LayerSpec& layer, const ModuleOptions&) {
  return Unsupported(
      StrCat("layer '", layer.name,
             "': softmax cannot be trained through; leave it out, the loss contains it, and let "
             "qat-convert append it"));
}

}  // namespace qat
