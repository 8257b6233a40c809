// runnable_model.h: .tflite files whose operators all have a kernel here.
#ifndef QAT_RUNTIME_RUNNABLE_MODEL_H_
#define QAT_RUNTIME_RUNNABLE_MODEL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/expected.h"
#include "model/model.h"

namespace qat {

/// Model::Load for a model to run. Errors: those of Model::Load; kUnsupported: all operators that are
/// missing, by name and version.
Expected<std::shared_ptr<const Model>> LoadRunnable(const std::string& path);
/// The same from bytes that the model keeps.
Expected<std::shared_ptr<const Model>> RunnableFromBytes(std::vector<uint8_t> bytes,
                                                         const std::string& source);

/// What the kernels know, for Model::Load.
int32_t KernelVersion(OpType type);

}  // namespace qat

#endif  // QAT_RUNTIME_RUNNABLE_MODEL_H_
