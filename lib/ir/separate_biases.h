// separate_biases.h: a bias for every node that needs one of its own.
#ifndef QAT_IR_SEPARATE_BIASES_H_
#define QAT_IR_SEPARATE_BIASES_H_

#include "ir/graph.h"

namespace qat {

/// Where nodes share a bias, as the steps of a recurrent layer do, each but the first gets a copy of its own:
/// the integers of a bias count in steps of the node's own input. A depthwise convolution without a bias gets
/// one of zeros, as TFLite's converter writes it: XNNPACK reads one. Requires  a frozen graph.
void SeparateBiases(Graph& graph);

}  // namespace qat

#endif  // QAT_IR_SEPARATE_BIASES_H_
