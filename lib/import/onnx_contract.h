// onnx_contract.h: what goes into a network that says nothing of it but shapes. For .cc files of lib/import
// only.
#ifndef QAT_IMPORT_ONNX_CONTRACT_H_
#define QAT_IMPORT_ONNX_CONTRACT_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "contract/contract.h"
#include "import/import_onnx.h"
#include "ir/graph.h"

namespace qat {

/// A single input [1, H, W, C] is a picture of bytes, of which `options` say what they mean, else they are
/// taken as they are, and a note says so. All others are real numbers. `bytes`: the only input is uint8 in
/// the source, which says itself what they mean. Errors: kInvalidArgument (means and stds that do not fit, or
/// that go with `bytes`), kUnsupported.
Expected<Contract> ContractFor(const Graph& graph, const std::vector<std::string>& names,
                               const OnnxImportOptions& options, bool bytes, std::vector<std::string>& notes);

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_CONTRACT_H_
