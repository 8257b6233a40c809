// spec_attributes.h: the attributes that a layer of a spec would have, out of a node of a graph, which has
// many of them in the shapes of its filters and in constant inputs instead.
#ifndef QAT_SPEC_SPEC_ATTRIBUTES_H_
#define QAT_SPEC_SPEC_ATTRIBUTES_H_

#include "ir/graph.h"

namespace qat {

/// Keys of the node's layer as attributes (AttributeKey::get reads them), whatever front end made the graph;
/// those of a split_v are a split's. What no key says, as how a quantized bias is held, has its default.
/// Errors: kUnsupported, "its shape is computed", where a spec has a constant.
Expected<OpAttributes> SpecAttributesOf(const Graph& graph, const GraphNode& node);

}  // namespace qat

#endif  // QAT_SPEC_SPEC_ATTRIBUTES_H_
