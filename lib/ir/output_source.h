// output_source.h: the nodes that tensors and outputs come from.
#ifndef QAT_IR_OUTPUT_SOURCE_H_
#define QAT_IR_OUTPUT_SOURCE_H_

#include "ir/graph.h"

namespace qat {

/// The node that computes a tensor. Null: none does.
const GraphNode* ProducerOf(const Graph& graph, int32_t tensor);
GraphNode* ProducerOf(Graph& graph, int32_t tensor);

/// The node that computes the values of an output, before what only gives them another shape or type. Null:
/// they are an input.
const GraphNode* SourceOfOutput(const Graph& graph, size_t position = 0);

/// Outputs are probabilities, each by itself.
bool EndsInSigmoid(const Graph& graph, size_t position = 0);

/// Outputs may be any real number: the end of a layer with a filter, a sum or a mean, without an activation.
bool GivesAnyNumber(const Graph& graph, size_t position = 0);

}  // namespace qat

#endif  // QAT_IR_OUTPUT_SOURCE_H_
