// init.h: where the parameters of a run come from when it does not start afresh: another run, or a weights
// file.
#ifndef QAT_TOOLS_QAT_TRAIN_INIT_H_
#define QAT_TOOLS_QAT_TRAIN_INIT_H_

#include <optional>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "cli/tool.h"
#include "flags.h"
#include "recipe.h"
#include "report/report.h"
#include "train/train_job.h"
#include "weights/name_map.h"
#include "weights/take_weights.h"

namespace qat {

struct Init {
  std::optional<Checkpoint> checkpoint;  ///< with network, contract and ranges
  std::optional<WeightsFile> weights;    ///< tensors only, for a network that is known otherwise
  std::optional<NameMap> names;
  TakeOptions options;  ///< but for the names
};

/// Reads what --init names. Errors: those of the readers; kInvalidArgument for flags that go with weights
/// only.
Expected<Init> ReadInit(const TrainFlags& flags);

/// The checkpoint of the recipe's teacher; none: it has none. Errors: those of the readers.
Expected<std::optional<Checkpoint>> ReadTeacher(const TrainConfig& config);

/// The tensors of a weights file as a checkpoint for this network; says what was matched, and warns.
Expected<TakenWeights> FillFromWeights(const Init& init, const TrainJob& job);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_TRAIN_INIT_H_
