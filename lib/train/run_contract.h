// run_contract.h: how the bytes of a training set become real numbers under a recipe.
#ifndef QAT_TRAIN_RUN_CONTRACT_H_
#define QAT_TRAIN_RUN_CONTRACT_H_

#include "base/expected.h"
#include "contract/input_contract.h"
#include "data/dataset.h"
#include "spec/train_config.h"

namespace qat {

/// Sizes and class names of the data; mean and std of the recipe, or measured where it says "dataset".
/// Errors: kInvalidArgument (as many numbers as channels, or one), kCorrupt (a std of 0), the stream's.
Expected<InputContract> MakeContract(const TrainConfig& config, const Dataset& train);

}  // namespace qat

#endif  // QAT_TRAIN_RUN_CONTRACT_H_
