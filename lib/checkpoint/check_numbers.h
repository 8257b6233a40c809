// check_numbers.h: whether a checkpoint holds numbers that can be computed with: asked before it is frozen
// and before it is run.
#ifndef QAT_CHECKPOINT_CHECK_NUMBERS_H_
#define QAT_CHECKPOINT_CHECK_NUMBERS_H_

#include "checkpoint/checkpoint.h"

namespace qat {

/// Every value of a tensor finite; every range finite and of finite width, its ends in order. Errors:
/// kNumerical naming all tensors that are not, or the range; kCorrupt for ends that are swapped.
Status CheckNumbers(const Checkpoint& checkpoint);

}  // namespace qat

#endif  // QAT_CHECKPOINT_CHECK_NUMBERS_H_
