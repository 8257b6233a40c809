// print_spec.h: a network as the text of a spec (TOML), for people: the way back of ParseNetworkSpec and
// BuildGraph.
#ifndef QAT_SPEC_PRINT_SPEC_H_
#define QAT_SPEC_PRINT_SPEC_H_

#include <string>

#include "ir/graph.h"

namespace qat {

/// The spec of a trainable graph, whatever front end made it: keys with their default are left out, names
/// stay where a spec can have them. A softmax at the end is left out, and layers without a bias get one;
/// comments say so.
/// The text has been read back: it gives the same layers on the same shapes, with the same parameters. Of a
/// graph that comes from a spec it gives the same graph but for GraphNode::fused, whose names are comments.
/// Errors: kUnsupported, all that a spec cannot say, one line each.
Expected<std::string> PrintSpec(const Graph& network);

}  // namespace qat

#endif  // QAT_SPEC_PRINT_SPEC_H_
