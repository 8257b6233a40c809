// make_trainable.h: from a frozen graph of real constants (an imported model) to a network that can be
// trained on, starting from those constants.
#ifndef QAT_CHECKPOINT_MAKE_TRAINABLE_H_
#define QAT_CHECKPOINT_MAKE_TRAINABLE_H_

#include <span>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "ir/folded_batch_norm.h"

namespace qat {

/// Filters, biases and slopes of nodes that have such parameters become trained tensors under their names,
/// their values what the checkpoint holds; other constants stay, and so does a parameter that several nodes
/// read. Filters that are initialized anew start as he_normal. Ranges that tensors have become the
/// checkpoint's, whose scheme and contract are the graph's. Fixed ranges are separated from others, as in a
/// network from a spec (ir/range_groups.h); freezing the result gives the graph again but for that.
/// `batch_norms` are what an import folded into filters: their nodes get the batch normalization and the
/// filter before it back, and lose the bias, unless something else was folded into the filter since.
/// Errors: kInvalidArgument for a graph that is quantized or not frozen; those of Verify.
Expected<Checkpoint> MakeTrainable(const Graph& frozen, std::span<const FoldedBatchNorm> batch_norms = {});

}  // namespace qat

#endif  // QAT_CHECKPOINT_MAKE_TRAINABLE_H_
