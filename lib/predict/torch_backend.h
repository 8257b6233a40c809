// torch_backend.h: the interface of the module qat_torch_backend, which qat-eval loads only for a checkpoint.
// It is here because both sides of the dlopen include it: lib/train, which the module is made of, and
// lib/eval.
#ifndef QAT_PREDICT_TORCH_BACKEND_H_
#define QAT_PREDICT_TORCH_BACKEND_H_

#include "predict/predictor.h"

namespace qat {

struct Checkpoint;

/// How a checkpoint is run.
enum class TorchMode : int {
  kFloat = 0,          ///< its weights, fake quantization off
  kFakeQuantized = 1,  ///< float arithmetic with fake quantization on, as in training
  kSimulated = 2,      ///< integer values in float64 with the runtime's rounding: exact
};

/// The one exported function of the module. No exception crosses it: on failure it returns null and fills
/// `error`.
/// The caller owns the predictor; the module is never closed.
using TorchPredictorFactory = Predictor* (*)(const Checkpoint& checkpoint, const char* name, TorchMode mode,
                                             int threads, Error& error);
inline constexpr char kTorchPredictorFactorySymbol[] = "qat_make_torch_predictor";

}  // namespace qat

#endif  // QAT_PREDICT_TORCH_BACKEND_H_
