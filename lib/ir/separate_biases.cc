#include "ir/separate_biases.h"

#include <set>

#include "base/strings.h"
#include "ir/free_name.h"

namespace qat {

void SeparateBiases(Graph& graph) {
  std::set<int32_t> taken;
  for (GraphNode& node : graph.nodes) {
    const int32_t position = node.definition().bias_input;
    if (position < 0 || static_cast<size_t>(position) >= node.inputs.size()) continue;
    int32_t& bias = node.inputs[static_cast<size_t>(position)];
    if (taken.insert(bias).second) continue;
    GraphTensor copy = graph.tensor(bias);
    copy.name = FreeName(graph, StrCat(node.name, "/bias"));
    bias = graph.AddTensor(std::move(copy));
    taken.insert(bias);
  }
}

}  // namespace qat
