// graph.h: the network at every stage: tensors, nodes in execution order. A node's inputs are ordered as
// TFLite's, constants (filters, biases, shapes, axes) included, so that writing a .tflite adds and moves
// nothing. Two forms:
//   trainable  trained tensors have a role and an initializer and no data; nodes have batch normalizations;
//              dropout is a node;
//              no range and no quantization. Front ends make it, training and checkpoints hold it.
//   frozen     every parameter is a constant; ranges or quantization beside them; an input contract.
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
#include "ir/trained.h"
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
  std::optional<TrainedTensor> trained;            ///< trainable form only: training finds its values
  bool operator==(const GraphTensor&) const = default;
  bool is_constant() const { return !data.empty(); }
};

struct GraphNode {
  OpType type = OpType::kConv2D;
  std::string name;
  OpAttributes attributes;
  std::vector<int32_t> inputs;  ///< tensor indices, in TFLite's order
  std::vector<int32_t> outputs;
  std::optional<FusedBatchNorm> batch_norm;  ///< trainable form only; such a node has a filter and no bias
  /// names of the layers that a front end made a part of this node
  std::vector<std::string> fused;
  bool operator==(const GraphNode&) const = default;
  const OpDefinition& definition() const { return DefinitionOf(type); }
  /// Tensor at an input; -1: it has none there, as an operator without a filter or a layer without a bias.
  int32_t InputAt(int32_t position) const {
    return position >= 0 && static_cast<size_t>(position) < inputs.size()
               ? inputs[static_cast<size_t>(position)]
               : -1;
  }
  /// The output of a node that has one. Requires exactly one.
  int32_t output() const {
    QAT_CHECK(outputs.size() == 1);
    return outputs[0];
  }
};

/// How an app asks for inputs and outputs: the key of a signature, and a name for each in their order. Empty:
/// nothing is said.
struct GraphSignature {
  std::string key;
  std::vector<std::string> inputs, outputs;
  bool operator==(const GraphSignature&) const = default;
  bool empty() const { return inputs.empty() && outputs.empty(); }
};

enum class GraphForm : uint8_t { kFrozen, kTrainable };

struct Graph {
  std::string name;
  GraphForm form = GraphForm::kFrozen;
  std::vector<GraphTensor> tensors;
  std::vector<GraphNode> nodes;  ///< in execution order
  std::vector<int32_t> inputs;
  std::vector<int32_t> outputs;
  std::string scheme;  ///< "uint8", "int8" or "float32": what it was trained for
  Contract contract;
  std::map<std::string, std::string> provenance;
  GraphSignature signature = {};

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
  /// A tensor without values, named and trained as said. Returns its index.
  int32_t AddTrained(std::string name, Shape shape, TrainedTensor trained);
  bool operator==(const Graph&) const = default;
};

/// Of a frozen graph: every index in range, every tensor produced once and before it is read, names unique,
/// shapes and types as the operators' rules give them, filters and biases constants of the data's type,
/// constant sizes exact, real constants finite, ranges finite and around 0, scales positive, the input as the
/// contract says. Of a trainable one the same, without ranges, quantization and contract; filters and biases
/// are trained or constants, and batch normalizations fit their filters. Errors: kCorrupt, kNumerical (what
/// is not finite), naming node and tensor.
Status Verify(const Graph& graph);

/// Drops tensors that no node, input or output names; the others keep their order.
void RemoveUnusedTensors(Graph& graph);

/// Positions of a node's inputs that are data (computed, or real constants that are no parameter), in order.
std::vector<size_t> DataInputs(const Graph& graph, const GraphNode& node);

/// Every tensor of the node that training finds, in the order of checkpoints: filter, bias (or gamma, beta,
/// moving_mean, moving_variance), slopes.
std::vector<int32_t> TrainedTensorsOf(const Graph& graph, const GraphNode& node);

/// "filter" of "conv1/filter" for node "conv1"; a name of another kind as it is. For messages.
std::string SuffixOf(const std::string& tensor, const std::string& node);

/// The values that one node's output sums, for one example: multiply-accumulates.
int64_t MultiplyAccumulates(const Graph& graph, const GraphNode& node);

/// Readable text: one line a node with shapes, ranges or scales, then constants and contract.
std::string Print(const Graph& graph);

/// A table of a trainable graph's layers: shapes, parameters, multiply-accumulates, how each output is
/// quantized.
std::string PrintNetwork(const Graph& graph);

/// .qgraph (schemas/graph.fbs): same graph, same bytes; a SHA-256 of the payload is inside.
Bytes Serialize(const Graph& graph);
/// Whether both have the same bytes but for provenance and signature: what only a front end knows (a spec's
/// text and keys) does not count.
bool SameNetwork(const Graph& a, const Graph& b);
/// Errors: kCorrupt "SOURCE: …"; another file kind is named; a newer version is kUnsupported.
Expected<Graph> ParseGraph(std::span<const uint8_t> bytes, const std::string& source);
/// A frozen one.
Expected<Graph> ReadGraph(const std::string& path);

}  // namespace qat

#endif  // QAT_IR_GRAPH_H_
