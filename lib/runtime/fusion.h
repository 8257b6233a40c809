// fusion.h: which nodes of a model may run as part of another one. Whether they do, its kernel decides in Prepare.
#ifndef QAT_RUNTIME_FUSION_H_
#define QAT_RUNTIME_FUSION_H_

#include <cstddef>
#include <optional>

#include "runtime/model.h"

namespace qat {

/// The max pool that alone reads the output of the convolution `node`, which is no output of the model; none for other nodes.
std::optional<size_t> MaxPoolBehind(const Model& model, size_t node);

}  // namespace qat

#endif  // QAT_RUNTIME_FUSION_H_
