// functions.h: a model's own functions, put in place of the nodes that call them. For .cc files of lib/onnx
// only.
#ifndef QAT_ONNX_FUNCTIONS_H_
#define QAT_ONNX_FUNCTIONS_H_

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "onnx/onnx_model.h"

namespace qat::onnx {

struct Function {
  std::string domain, name;
  std::vector<std::string> inputs, outputs;
  std::vector<Node> nodes;
  std::vector<Attribute> defaults;  ///< of attributes that a caller need not give
  std::map<std::string, int64_t> opsets;
};

/// Names inside a function begin with that of the node that called it. Errors: kCorrupt (functions that call
/// themselves or each other too deep), kUnsupported (a function for another opset than the model's; more than
/// a million nodes).
Status InlineFunctions(std::span<const Function> functions, Model& model);

}  // namespace qat::onnx

#endif  // QAT_ONNX_FUNCTIONS_H_
