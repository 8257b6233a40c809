// freeze.h: checkpoint -> frozen graph: dropout gone, trained ranges fixed, parameters as constants, contract
// kept.
#ifndef QAT_FREEZE_FREEZE_H_
#define QAT_FREEZE_FREEZE_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "ir/graph.h"

namespace qat {

struct FreezeOptions {
  /// A range whose ends moved by more than this part of its width over the last tenth of training is not
  /// settled.
  float max_drift = 0.05f;
  /// A batch norm whose statistics were further than this from those of other batches, in deviations of its
  /// outputs (Checkpoint::batch_norm_gaps), is not settled. From runs on generated digits with five batch
  /// norms: 0.02 to 0.1 in settled ones; at 0.43, moving averages that lagged behind, the accuracy was 71 %
  /// instead of 94 %.
  float max_batch_norm_gap = 0.25f;
  /// Refuse unsettled ranges and batch norms (kNumerical, all listed) instead of reporting them in
  /// `warnings`.
  bool strict = false;
};

/// The graph is float with ranges (real parameters, ranges beside them); ChooseQuantization makes it
/// quantized. Tensors are named after layers: "input", "<layer>", "<layer>/filter"; the last layer's is the
/// output. Provenance gains "checkpoint_sha256" (of the file), "spec_sha256" and "config_sha256" (of the
/// texts in it), and this tool's version. A float32 checkpoint gives a graph without ranges.
/// Warns of unsettled ranges and batch norms, of ranges of width 0, and of a checkpoint from before fake
/// quantization began.
/// Errors: kCorrupt (parameters or ranges that are missing, that the spec does not have, or of other shapes),
/// kNumerical (values that are not finite; strict).
Expected<Graph> Freeze(const Checkpoint& checkpoint, const FreezeOptions& options,
                       std::vector<std::string>& warnings);

}  // namespace qat

#endif  // QAT_FREEZE_FREEZE_H_
