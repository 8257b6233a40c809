#include "eval/torch_backend_loader.h"

#include <dlfcn.h>

#include <filesystem>

#include "base/file.h"
#include "base/strings.h"

namespace qat {

std::string TorchBackendPath() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "lib" / "qat" / "qat_torch_backend.so").string();
}

Expected<TorchBackend> LoadTorchBackend(const std::string& path) {
  if (!FileExists(path)) {
    return Unsupported(StrCat(path,
                              ": is missing: this build runs no checkpoints; build with LibTorch "
                              "(QAT_WITH_TORCH=ON), or evaluate `graph` and `models`, which need none"));
  }
  // RTLD_LOCAL: LibTorch loads 280 libraries, whose symbols must not reach ours. What both sides share comes
  // from the program itself, which exports its symbols. Never closed: LibTorch does not survive it.
  void* module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) {
    const char* reason = ::dlerror();
    return Unsupported(StrCat(path, ": cannot be opened (", reason == nullptr ? "no reason given" : reason,
                              "); `graph` and `models` need no LibTorch"));
  }
  void* symbol = ::dlsym(module, kTorchPredictorFactorySymbol);
  if (symbol == nullptr) {
    return Unsupported(StrCat(path, ": has no symbol ", kTorchPredictorFactorySymbol,
                              ", expected the module of this build"));
  }
  return TorchBackend{reinterpret_cast<TorchPredictorFactory>(symbol)};
}

Expected<std::unique_ptr<Predictor>> MakeTorchPredictor(const Checkpoint& checkpoint, const std::string& name,
                                                        TorchMode mode, int threads) {
  QAT_ASSIGN_OR_RETURN(const TorchBackend backend, LoadTorchBackend());
  Error error;
  std::unique_ptr<Predictor> predictor(
      backend.make_predictor(checkpoint, name.c_str(), mode, threads, error));
  if (predictor == nullptr) return error;
  return predictor;
}

}  // namespace qat
