// onnx_kernels.h: constants that only operators of the runtime can compute. For .cc files of lib/import only.
#ifndef QAT_IMPORT_ONNX_KERNELS_H_
#define QAT_IMPORT_ONNX_KERNELS_H_

#include <vector>

#include "base/expected.h"
#include "import/onnx_convert.h"

namespace qat {

/// A node of constants, run once by the kernels of the runtime. Errors: those of the converter and the
/// interpreter.
Expected<std::vector<OnnxValue>> FoldByKernels(const OnnxConverter& converter, const OnnxNode& node);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_KERNELS_H_
