// onnx_byte_input.h: inputs of uint8 that a network makes real numbers of. For .cc files of lib/import only.
#ifndef QAT_IMPORT_ONNX_BYTE_INPUT_H_
#define QAT_IMPORT_ONNX_BYTE_INPUT_H_

#include <map>
#include <string>

#include "onnx/onnx_model.h"

namespace qat {

/// Whether all that reads an input, in branches and as an output too, makes real numbers of it before it
/// computes anything. `readers`: of each name, how many nodes and outputs read it.
bool BecomesReal(const onnx::Graph& graph, const std::map<std::string, int>& readers,
                 const std::string& input);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_BYTE_INPUT_H_
