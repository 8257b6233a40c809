// wide_graph.h: the tiny network with filters of 1,536 values behind it, worth storing in fewer bits.
#ifndef QAT_TESTS_SUPPORT_WIDE_GRAPH_H_
#define QAT_TESTS_SUPPORT_WIDE_GRAPH_H_

#include "support/tiny_graph.h"

namespace qat::testing {

/// Of real numbers, without ranges: tiny -> fully connected 512 -> fully connected 3, "last".
inline Graph WideGraph() {
  Graph g = TinyGraph(/*with_ranges=*/false);
  std::vector<float> filter;
  for (int i = 0; i < 512 * 3; ++i) filter.push_back(static_cast<float>(i * 37 % 101 - 50) / 64);
  const std::vector<float> bias(512, 0.25f);
  const int32_t wide_filter = g.AddConstant("wide/filter", {512, 3}, filter);
  const int32_t wide_bias = g.AddConstant("wide/bias", {512}, bias);
  const int32_t last_filter = g.AddConstant("last/filter", {3, 512}, filter);
  const int32_t last_bias = g.AddConstant("last/bias", {3}, std::vector<float>{0, 1, -1});
  const int32_t wide = *g.AddNode(OpType::kFullyConnected, "wide", FullyConnectedAttributes(),
                                  {g.outputs[0], wide_filter, wide_bias});
  g.outputs = {*g.AddNode(OpType::kFullyConnected, "last", FullyConnectedAttributes(),
                          {wide, last_filter, last_bias})};
  return g;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_WIDE_GRAPH_H_
