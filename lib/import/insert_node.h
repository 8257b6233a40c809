// insert_node.h: a node in the middle of a graph. For .cc files of lib/import only.
#ifndef QAT_IMPORT_INSERT_NODE_H_
#define QAT_IMPORT_INSERT_NODE_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ir/free_name.h"
#include "ir/graph.h"

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

}  // namespace qat

#endif  // QAT_IMPORT_INSERT_NODE_H_
