// graph.h: the frozen network between training and .tflite: tensors, nodes in execution order, ranges,
// contract. A node's inputs are ordered as TFLite's, constants (filters, biases, shapes, axes) included, so
// that writing a .tflite adds and moves nothing.
#ifndef QAT_IR_GRAPH_H_
#define QAT_IR_GRAPH_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/dtype.h"
#include "base/expected.h"
#include "base/file.h"
#include "base/shape.h"
#include "contract/contract.h"
#include "ops/op.h"
#include "quant/params.h"

namespace qat {

/// Scale and zero point per tensor (one entry) or per slice of `dimension`.
struct TensorQuantization {
  std::vector<float> scale;
  std::vector<int64_t> zero_point;
  int32_t dimension = 0;
  bool operator==(const TensorQuantization&) const = default;

  static TensorQuantization PerTensor(QuantizationParams params) {
    return {{params.scale}, {params.zero_point}, 0};
  }
  /// Requires exactly one entry.
  QuantizationParams params() const { return {scale.at(0), static_cast<int32_t>(zero_point.at(0))}; }
};

struct GraphTensor {
  std::string name;
  Shape shape;  ///< batch 1
  DType type = DType::kFloat32;
  Bytes data;              ///< constant values, little endian, row-major; empty: computed
  bool has_range = false;  ///< a range chosen by training or given by the user
  Range range;
  QuantizedLimits limits;  ///< integer range that `range` was trained with (narrow for filters)
  std::optional<TensorQuantization> quantization;  ///< once ChooseQuantization has run
  bool operator==(const GraphTensor&) const = default;
  bool is_constant() const { return !data.empty(); }
};

struct GraphNode {
  OpType type = OpType::kConv2D;
  std::string name;
  OpAttributes attributes;
  std::vector<int32_t> inputs;  ///< tensor indices, in TFLite's order
  std::vector<int32_t> outputs;
  bool operator==(const GraphNode&) const = default;
  /// The output of a node that has one. Requires exactly one.
  int32_t output() const {
    QAT_CHECK(outputs.size() == 1);
    return outputs[0];
  }
};

struct Graph {
  std::string name;
  std::vector<GraphTensor> tensors;
  std::vector<GraphNode> nodes;  ///< in execution order
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;
  std::string scheme;  ///< "uint8", "int8" or "float32": what it was trained for
  Contract contract;
  std::map<std::string, std::string> provenance;

  int32_t AddTensor(GraphTensor tensor);
  int32_t AddConstant(std::string name, Shape shape, std::span<const float> values);
  int32_t AddConstant(std::string name, Shape shape, std::span<const int32_t> values);
  /// Appends a node and its output tensor "<name>", or "<name>:0", "<name>:1", … where it has several; the
  /// operator's rule gives their shapes. Returns the first output tensor.
  Expected<int32_t> AddNode(OpType type, std::string name, OpAttributes attributes,
                            std::vector<int32_t> inputs);

  const GraphTensor& tensor(int32_t index) const { return tensors[static_cast<size_t>(index)]; }
  GraphTensor& tensor(int32_t index) { return tensors[static_cast<size_t>(index)]; }
  std::vector<Operand> OperandsOf(const GraphNode& node) const;
  bool operator==(const Graph&) const = default;
};

/// Every index in range, every tensor produced once and before it is read, names unique, shapes and types as
/// the operators' rules give them, filters and biases constants of the data's type, constant sizes exact, real
/// constants finite, ranges finite and around 0, scales positive, the input as the contract says. Errors: kCorrupt,
/// kNumerical (what is not finite), naming node and tensor.
Status Verify(const Graph& graph);

/// Drops tensors that no node, input or output names; the others keep their order.
void RemoveUnusedTensors(Graph& graph);

/// Readable text: one line a node with shapes, ranges or scales, then constants and contract.
std::string Print(const Graph& graph);

/// .qgraph (schemas/graph.fbs): same graph, same bytes; a SHA-256 of the payload is inside.
Bytes Serialize(const Graph& graph);
/// Errors: kCorrupt "SOURCE: …"; another file kind is named; a newer version is kUnsupported.
Expected<Graph> ParseGraph(std::span<const uint8_t> bytes, const std::string& source);
Expected<Graph> ReadGraph(const std::string& path);

}  // namespace qat

#endif  // QAT_IR_GRAPH_H_
