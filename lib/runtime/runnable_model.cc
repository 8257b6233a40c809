#include "runtime/runnable_model.h"

#include <utility>

#include "runtime/kernels/kernel.h"
#include "runtime/prepared_model.h"

namespace qat {

int32_t KernelVersion(OpType type) {
  const OpKernels* kernels = FindKernels(type);
  return kernels == nullptr ? 0 : kernels->max_version;
}

Expected<std::shared_ptr<const Model>> LoadRunnable(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(auto model, Model::Load(path, KernelVersion));
  QAT_RETURN_IF_ERROR(CheckKnown(*model));
  return model;
}

Expected<std::shared_ptr<const Model>> RunnableFromBytes(std::vector<uint8_t> bytes,
                                                         const std::string& source) {
  QAT_ASSIGN_OR_RETURN(auto model, Model::FromBytes(std::move(bytes), source, KernelVersion));
  QAT_RETURN_IF_ERROR(CheckKnown(*model));
  return model;
}

}  // namespace qat
