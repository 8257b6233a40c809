// rows.h: rows of real numbers as a data set, and networks that take them.
#ifndef QAT_TESTS_SUPPORT_ROWS_H_
#define QAT_TESTS_SUPPORT_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "ir/graph.h"
#include "support/bytes_of.h"

namespace qat::testing {

/// Rows of so many features, one after the other; all of class 0.
inline Dataset Rows(const std::vector<float>& values, int32_t channels) {
  Dataset data;
  data.name = "rows";
  ExampleInput& input = data.input();
  input.values = ValueType::kReal;
  input.height = input.width = 1;
  input.channels = channels;
  input.shape = {channels};
  data.images = BytesOf(values);
  data.labels.resize(values.size() / static_cast<size_t>(channels));
  return data;
}

/// A network of so many features in this range that has its input, [1, features], and no node yet.
inline Graph RowGraph(int32_t features, float low, float high, const std::string& input = "input") {
  Graph graph;
  graph.name = "rows";
  graph.scheme = "float32";
  const auto count = static_cast<size_t>(features);
  graph.contract.input() = {
      1,          1,   features, std::vector<float>(count, 0), std::vector<float>(count, 1), ValueType::kReal,
      {features}, low, high};
  GraphTensor tensor;
  tensor.name = input;
  tensor.shape = {1, features};
  graph.inputs = {graph.AddTensor(tensor)};
  return graph;
}

/// [1, 2] of reals from -4 to 4 -> fully connected "fc", the sum.
inline Graph RowNetwork() {
  Graph graph = RowGraph(2, -4, 4);
  const int32_t filter = graph.AddConstant("fc/filter", {1, 2}, std::vector<float>{1, 1});
  const int32_t bias = graph.AddConstant("fc/bias", {1}, std::vector<float>{0});
  graph.outputs = {*graph.AddNode(OpType::kFullyConnected, "fc", FullyConnectedAttributes(),
                                  {graph.inputs[0], filter, bias})};
  return graph;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_ROWS_H_
