// model_network.h: a network to train that comes out of a .tflite model.
#ifndef QAT_TOOLS_QAT_TRAIN_MODEL_NETWORK_H_
#define QAT_TOOLS_QAT_TRAIN_MODEL_NETWORK_H_

#include <optional>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "flags.h"
#include "recipe.h"

namespace qat {

/// What `network` of the recipe names, where that is a model: its network, with its weights as the values to
/// start from. Nothing: it is a spec. A softmax at the end is left out: the loss contains it. Says what was
/// assumed and folded.
/// Errors: those of the import, one list of what cannot come in; kInvalidArgument for flags that change a
/// spec only.
Expected<std::optional<Checkpoint>> ReadModelNetwork(const Asked& asked, const TrainFlags& flags);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_TRAIN_MODEL_NETWORK_H_
