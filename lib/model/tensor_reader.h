// tensor_reader.h: one tensor of a .tflite file: its type, shape, constant data and quantization, each
// checked against the others.
#ifndef QAT_MODEL_TENSOR_READER_H_
#define QAT_MODEL_TENSOR_READER_H_

#include "base/expected.h"
#include "model/file_buffers.h"
#include "model/model.h"
#include "model/unsupported.h"

namespace qat {

namespace tflite {
struct Tensor;
}  // namespace tflite

/// Kernels go through the dimensions of a tensor by recursion; nobody's model has as many.
inline constexpr size_t kMostDimensions = 64;

/// Constants point into the file, or into memory of `buffers`. What this build lacks is added to
/// `unsupported`.
/// Errors: kCorrupt.
Expected<ModelTensor> ReadTensor(const tflite::Tensor& tensor, FileBuffers& buffers,
                                 UnsupportedList& unsupported);

/// True for one scale, or none, or one for each slice of the quantized dimension. A shape that was open may
/// break it.
bool ScalesFit(const ModelTensor& tensor);

}  // namespace qat

#endif  // QAT_MODEL_TENSOR_READER_H_
