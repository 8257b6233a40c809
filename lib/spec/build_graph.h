// build_graph.h: from a checked spec to the network that every later stage works on.
#ifndef QAT_SPEC_BUILD_GRAPH_H_
#define QAT_SPEC_BUILD_GRAPH_H_

#include <string>

#include "ir/graph.h"
#include "spec/network_spec.h"

namespace qat {

/// The trainable graph of a spec. Tensors are named as checkpoints name their values and ranges: "input" or
/// the names of inputs, "<layer>", "<layer>:1" (an output of several), "<layer>/filter", "<layer>/gamma". A
/// split is one node with several outputs; fixed ranges are separated from others (ir/range_groups.h).
/// Provenance holds the text of the spec (kSourceTextKey), for people and for front ends; nothing behind a
/// front end reads it.
/// Errors: kInternal, for a spec that ParseNetworkSpec would have refused.
Expected<Graph> BuildGraph(const NetworkSpec& spec);

/// The text that a graph was built from; empty: it was not built from one.
std::string SourceTextOf(const Graph& graph);

/// Whether a layer follows the key `classes` of that text, which flags may change.
bool FollowsClasses(const Graph& graph);

}  // namespace qat

#endif  // QAT_SPEC_BUILD_GRAPH_H_
