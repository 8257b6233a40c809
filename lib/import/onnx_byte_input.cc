#include "import/onnx_byte_input.h"

#include <algorithm>
#include <set>
#include <vector>

namespace qat {
namespace {

bool CastsToReal(const onnx::Node& node) {
  const onnx::Attribute* to = node.Find("to");
  return node.op == "Cast" && to != nullptr && onnx::IsReal(static_cast<onnx::ElementType>(to->integer));
}

}  // namespace

bool BecomesReal(const onnx::Graph& graph, const std::map<std::string, int>& readers,
                 const std::string& input) {
  static const std::set<std::string> kMoves = {"Transpose", "Reshape", "Squeeze",
                                               "Unsqueeze", "Flatten", "Identity"};
  std::vector<std::string> names = {input};  // of the same bytes, moved
  for (size_t i = 0; i < names.size(); ++i) {
    int64_t found = 0;
    for (const onnx::Node& node : graph.nodes) {
      const auto reads = std::count(node.inputs.begin(), node.inputs.end(), names[i]);
      if (reads == 0) continue;
      found += reads;
      const bool moves = kMoves.contains(node.op) && node.inputs[0] == names[i] && !node.outputs.empty();
      if (!moves && !CastsToReal(node) && node.op != "Shape") return false;
      if (moves && std::find(names.begin(), names.end(), node.outputs[0]) == names.end())
        names.push_back(node.outputs[0]);
    }
    const auto all = readers.find(names[i]);
    if (found == 0 || all == readers.end() || all->second != found) return false;
  }
  return true;
}

}  // namespace qat
