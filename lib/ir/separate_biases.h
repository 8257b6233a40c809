// separate_biases.h: a bias for every node that needs one of its own.
#ifndef QAT_IR_SEPARATE_BIASES_H_
#define QAT_IR_SEPARATE_BIASES_H_

#include "ir/graph.h"

namespace qat {

/// Gives a convolution without a bias one of zeros; whether it did. TFLite refuses a CONV_2D that has none
/// (ai-edge-litert 2.3.0, conv.cc), and XNNPACK reads that of a DEPTHWISE_CONV_2D in any case; other layers
/// may be without. Requires  a frozen graph.
bool GiveBias(Graph& graph, GraphNode& node);

/// GiveBias for every node; and where nodes share a bias, as the steps of a recurrent layer do, each but the
/// first gets a copy of its own: the integers of a bias count in steps of the node's own input. Requires  a
/// frozen graph.
void SeparateBiases(Graph& graph);

}  // namespace qat

#endif  // QAT_IR_SEPARATE_BIASES_H_
