// Squeeze and ExpandDims keep their values in row-major order: reshapes, whose shape the graph knows.
#include "train/modules/module.h"

namespace qat {

Expected<std::unique_ptr<Module>> MakeSqueeze(const LayerNode& layer, const ModuleOptions& options) {
  return MakeReshape(layer, options);
}

Expected<std::unique_ptr<Module>> MakeExpandDims(const LayerNode& layer, const ModuleOptions& options) {
  return MakeReshape(layer, options);
}

}  // namespace qat
