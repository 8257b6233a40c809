// forward_context.h: what one forward pass of a network in training is to do.
#ifndef QAT_TRAIN_FORWARD_CONTEXT_H_
#define QAT_TRAIN_FORWARD_CONTEXT_H_

#include <cstdint>

#include "train/across_workers.h"

namespace qat {

class OutputCounts;

struct ForwardContext {
  bool training = false;       ///< dropout drops, batch norms normalize by the batch
  bool observe = false;        ///< ranges are updated
  bool fake_quantize = false;  ///< filters and activations are rounded
  bool freeze_batch_norm =
      false;  ///< batch norms use their moving averages in training too, and leave them alone
  bool note_statistics =
      false;  ///< batch norms in training note the batch beside their averages (batch_statistics.h)
  uint64_t dropout_key = 0;  ///< names the masks of this step
  BatchSharing sharing =
      {};  ///< ranges and statistics are those of the batch that all processes have together
  OutputCounts* counts = nullptr;  ///< values outside the range of their output are counted there
};

}  // namespace qat

#endif  // QAT_TRAIN_FORWARD_CONTEXT_H_
