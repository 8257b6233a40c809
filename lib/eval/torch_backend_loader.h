// torch_backend_loader.h: opens LibTorch when a checkpoint is to be run, and only then: linking it would cost
// every start of qat-eval 0.3 s.
#ifndef QAT_EVAL_TORCH_BACKEND_LOADER_H_
#define QAT_EVAL_TORCH_BACKEND_LOADER_H_

#include <memory>
#include <string>

#include "base/expected.h"
#include "predict/predictor.h"
#include "predict/torch_backend.h"

namespace qat {

struct TorchBackend {
  TorchPredictorFactory make_predictor = nullptr;
};

/// Path of the module: ../lib/qat/qat_torch_backend.so next to the folder of the running program.
std::string TorchBackendPath();

/// Opens the module at the first call and keeps it open until the program ends.
/// Errors: kUnsupported, where this build has no module or it cannot be opened; the message says what to do
/// instead.
Expected<TorchBackend> LoadTorchBackend(const std::string& path = TorchBackendPath());

/// A checkpoint in LibTorch. Errors: as LoadTorchBackend, and the module's own.
Expected<std::unique_ptr<Predictor>> MakeTorchPredictor(const Checkpoint& checkpoint, const std::string& name,
                                                        TorchMode mode, int threads);

}  // namespace qat

#endif  // QAT_EVAL_TORCH_BACKEND_LOADER_H_
