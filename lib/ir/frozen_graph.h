// frozen_graph.h: reading for everything behind training: a graph that still has to be trained is refused,
// whatever else it holds.
#ifndef QAT_IR_FROZEN_GRAPH_H_
#define QAT_IR_FROZEN_GRAPH_H_

#include <cstdint>
#include <span>
#include <string>

#include "base/expected.h"
#include "ir/graph.h"

namespace qat {

/// ParseGraph of a frozen one, which has constants and a contract. Errors: those of ParseGraph;
/// kInvalidArgument for a trainable one.
Expected<Graph> ParseFrozenGraph(std::span<const uint8_t> bytes, const std::string& source);

}  // namespace qat

#endif  // QAT_IR_FROZEN_GRAPH_H_
