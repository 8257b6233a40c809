// fusion.h: which nodes of a model may run as part of another one. The kernel of that node decides in Prepare
// whether they do.
#ifndef QAT_RUNTIME_FUSION_H_
#define QAT_RUNTIME_FUSION_H_

#include <cstddef>
#include <optional>

#include "model/model.h"

namespace qat {

/// The max pool that is the only reader of the output of the convolution `node`, which is not an output of
/// the model; none for other nodes.
std::optional<size_t> MaxPoolAfter(const Model& model, size_t node);

}  // namespace qat

#endif  // QAT_RUNTIME_FUSION_H_
