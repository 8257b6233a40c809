// tensor_values.h: a TensorProto's values, wherever it keeps them. For .cc files of lib/onnx only.
#ifndef QAT_ONNX_TENSOR_VALUES_H_
#define QAT_ONNX_TENSOR_VALUES_H_

#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/expected.h"
#include "base/file.h"
#include "onnx/onnx_model.h"

namespace qat::onnx {

/// Files beside the model that hold values, each read once.
class ExternalFiles {
 public:
  explicit ExternalFiles(const std::string& model_path);
  /// `length` bytes at `offset`; a length of -1 is the rest. Errors: kCorrupt (a path that leaves the folder;
  /// a part that is not there), those of reading.
  Expected<std::span<const uint8_t>> Part(const std::string& location, int64_t offset, int64_t length);

 private:
  std::string folder_;
  std::map<std::string, Bytes> files_;
};

/// Errors: kCorrupt (as many values as the sizes say are not there), kUnsupported (types that are not read),
/// named with the tensor.
Expected<Tensor> ReadTensor(std::span<const uint8_t> message, ExternalFiles& files);

}  // namespace qat::onnx

#endif  // QAT_ONNX_TENSOR_VALUES_H_
