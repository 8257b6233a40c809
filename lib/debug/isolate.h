// isolate.h: a network of real numbers in which some layers are quantized: one alone, or all but one.
#ifndef QAT_DEBUG_ISOLATE_H_
#define QAT_DEBUG_ISOLATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/expected.h"
#include "debug/converted.h"
#include "ir/graph.h"

namespace qat {

/// Something that a plan decides: a node with what it computes and the constants that it reads, or an input.
struct DebugLayer {
  std::string name;     ///< of the node, or of the input's tensor
  std::string op;       ///< "conv_2d", "quantize", "input"
  int32_t node = -1;    ///< in Converted::real; -1: an input
  int32_t tensor = -1;  ///< in Converted::real: what it computes, of several the first
};

/// Every input of real numbers and every node that rounds, in the order of execution. Pools and reshapes,
/// which hand integers on, are none; nor are nodes that compute real numbers.
std::vector<DebugLayer> LayersOf(const Converted& converted);

/// The network of real numbers with these layers quantized: filters, biases and other constants have the
/// values that their integers stand for, and what the layers compute goes through a QUANTIZE and a
/// DEQUANTIZE.
Expected<Graph> RoundLayers(const Converted& converted, const std::vector<DebugLayer>& layers);

struct IsolatedLayer {
  Graph graph;         ///< RoundLayers of one
  std::string before;  ///< the tensor of the network of real numbers that is rounded, …
  std::string after;   ///< … and that of `graph` which has the rounded values
};

Expected<IsolatedLayer> Isolate(const Converted& converted, const DebugLayer& layer);

}  // namespace qat

#endif  // QAT_DEBUG_ISOLATE_H_
