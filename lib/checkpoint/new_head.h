// new_head.h: another number of outputs for a network that was made for other classes.
#ifndef QAT_CHECKPOINT_NEW_HEAD_H_
#define QAT_CHECKPOINT_NEW_HEAD_H_

#include <cstdint>

#include "base/expected.h"
#include "ir/graph.h"

namespace qat {

/// Gives the last layer of a trainable network, a fully connected one or a convolution, `outputs` units. Its
/// filter and bias have other shapes then than those of a checkpoint, so that training begins them afresh. A
/// network that has so many stays as it is.
/// Errors: kUnsupported, where the network has several outputs, ends in something else, or its last layer has
/// a batch normalization or shares its filter.
Status GiveOutputs(Graph& network, int32_t outputs);

}  // namespace qat

#endif  // QAT_CHECKPOINT_NEW_HEAD_H_
