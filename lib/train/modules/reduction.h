// reduction.h: the axes of operators that reduce some.
#ifndef QAT_TRAIN_MODULES_REDUCTION_H_
#define QAT_TRAIN_MODULES_REDUCTION_H_

#include <cstdint>
#include <vector>

#include "train/modules/module.h"

namespace qat::functional {

/// The axes that the layer reduces in TFLite's order: from the first one, each once, ascending.
std::vector<int64_t> ReducedAxes(const LayerNode& node, const at::Tensor& input);

}  // namespace qat::functional

#endif  // QAT_TRAIN_MODULES_REDUCTION_H_
