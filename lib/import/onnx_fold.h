// onnx_fold.h: nodes of ONNX whose inputs are all known: the arithmetic of shapes, and constants made of
// constants.
#ifndef QAT_IMPORT_ONNX_FOLD_H_
#define QAT_IMPORT_ONNX_FOLD_H_

#include <optional>
#include <vector>

#include "base/expected.h"
#include "import/onnx_node.h"

namespace qat {

/// The outputs of a node of constants; nothing: an operator that is not computed here. Reals are computed in
/// double and rounded to float32 once. Errors: kInvalidArgument (sizes or values that the operator does not
/// take), kUnsupported (results of more than 2^26 values).
std::optional<Expected<std::vector<OnnxValue>>> FoldNode(const OnnxNode& node);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_FOLD_H_
