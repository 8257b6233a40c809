// torch_error.h: what LibTorch throws, as an error of ours.
#ifndef QAT_TRAIN_TORCH_ERROR_H_
#define QAT_TRAIN_TORCH_ERROR_H_

#include <exception>

#include "base/expected.h"

namespace qat {

/// kSystem where memory or threads ran out, else kInternal with the first line: a backtrace follows it.
Error TorchError(const std::exception& exception);

}  // namespace qat

#endif  // QAT_TRAIN_TORCH_ERROR_H_
