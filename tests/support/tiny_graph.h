// tiny_graph.h: a frozen network small enough to check by hand, with every kind of output quantization but
// argmax.
#ifndef QAT_TESTS_SUPPORT_TINY_GRAPH_H_
#define QAT_TESTS_SUPPORT_TINY_GRAPH_H_

#include <string>
#include <vector>

#include "ir/graph.h"

namespace qat::testing {

inline void SetRange(Graph& graph, int32_t index, Range range, QuantizedLimits limits) {
  graph.tensor(index).has_range = true;
  graph.tensor(index).range = range;
  graph.tensor(index).limits = limits;
}

/// Values first, first + step, ...
inline std::vector<float> Ramp(size_t count, float first, float step) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = first + step * static_cast<float>(i);
  return values;
}

/// [1, 4, 4, 1] -> conv 2@3x3 same relu -> max pool 2x2 -> flatten -> fully connected 3. Real inputs in [0,
/// 1].
inline Graph TinyGraph(bool with_ranges = true) {
  Graph g;
  g.name = "tiny";
  g.scheme = with_ranges ? "uint8" : "float32";
  g.contract = {4, 4, 1, {0.0f}, {255.0f}, {"zero", "one", "two"}};
  g.provenance["data_sha256"] = "00ff";
  GraphTensor input;
  input.name = "input";
  input.shape = {1, 4, 4, 1};
  const int32_t image = g.AddTensor(input);
  g.inputs = {image};

  Conv2DAttributes conv;
  conv.activation = Activation::kRelu;
  const int32_t conv_filter = g.AddConstant("conv/filter", {2, 3, 3, 1}, Ramp(18, -0.5f, 0.0625f));
  const int32_t conv_bias = g.AddConstant("conv/bias", {2}, std::vector<float>{0.25f, -0.125f});
  const int32_t conv_out = *g.AddNode(OpType::kConv2D, "conv", conv, {image, conv_filter, conv_bias});
  const int32_t pool_out = *g.AddNode(OpType::kMaxPool2D, "pool", Pool2DAttributes(), {conv_out});
  const int32_t flat_shape = g.AddConstant("flatten/shape", {2}, std::vector<int32_t>{-1, 8});
  const int32_t flat_out =
      *g.AddNode(OpType::kReshape, "flatten", ReshapeAttributes{{1, -1}}, {pool_out, flat_shape});
  const int32_t fc_filter = g.AddConstant("fc/filter", {3, 8}, Ramp(24, 0.75f, -0.0625f));
  const int32_t fc_bias = g.AddConstant("fc/bias", {3}, std::vector<float>{0, 1, -1});
  const int32_t fc_out =
      *g.AddNode(OpType::kFullyConnected, "fc", FullyConnectedAttributes(), {flat_out, fc_filter, fc_bias});
  g.outputs = {fc_out};
  if (with_ranges) {
    SetRange(g, conv_filter, {-0.5f, 0.5625f}, kUInt8NarrowLimits);
    SetRange(g, fc_filter, {-0.6875f, 0.75f}, kUInt8NarrowLimits);
    SetRange(g, conv_out, {0, 2.5f}, kUInt8Limits);
    SetRange(g, fc_out, {-3, 5}, kUInt8Limits);
  }
  return g;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_TINY_GRAPH_H_
