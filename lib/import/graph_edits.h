// graph_edits.h: what rewriting a graph takes. For .cc files of lib/import only.
#ifndef QAT_IMPORT_GRAPH_EDITS_H_
#define QAT_IMPORT_GRAPH_EDITS_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ir/free_name.h"
#include "ir/graph.h"
#include "ir/output_source.h"

namespace qat {

/// A node at `place`, called `name` or so; those from there on come one later. Returns its output. Requires
/// inputs that fit the operator and are computed before.
inline int32_t InsertNode(Graph& graph, size_t place, OpType type, const std::string& name,
                          OpAttributes attributes, std::vector<int32_t> inputs) {
  const auto output = graph.AddNode(type, FreeName(graph, name), std::move(attributes), std::move(inputs));
  QAT_CHECK(output.ok());
  std::rotate(graph.nodes.begin() + static_cast<ptrdiff_t>(place), graph.nodes.end() - 1, graph.nodes.end());
  return *output;
}

/// The node that computes a tensor which one other node reads, once, and nobody else; null: another case.
inline const GraphNode* SourceForOneReader(const Graph& graph, int32_t tensor) {
  if (std::find(graph.outputs.begin(), graph.outputs.end(), tensor) != graph.outputs.end()) return nullptr;
  int64_t readers = 0;
  for (const GraphNode& node : graph.nodes)
    readers += std::count(node.inputs.begin(), node.inputs.end(), tensor);
  return readers == 1 ? ProducerOf(graph, tensor) : nullptr;
}

}  // namespace qat

#endif  // QAT_IMPORT_GRAPH_EDITS_H_
