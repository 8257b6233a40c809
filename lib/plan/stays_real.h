// stays_real.h: what an integer model computes on real numbers, between a `dequantize` and a `quantize` node.
#ifndef QAT_PLAN_STAYS_REAL_H_
#define QAT_PLAN_STAYS_REAL_H_

#include <vector>

#include "ir/graph.h"

namespace qat {

/// By tensor: what a `dequantize` node gives, and what is computed with it up to a `quantize` node.
std::vector<bool> StaysReal(const Graph& graph);

/// Whether the node reads any of these. `stays_real`: of its graph.
bool ComputesReals(const GraphNode& node, const std::vector<bool>& stays_real);

}  // namespace qat

#endif  // QAT_PLAN_STAYS_REAL_H_
