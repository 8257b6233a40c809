// layer_node.h: what a module is made of: one output of a node of a trainable graph (ir/graph.h), with the
// parameters and index constants that the node reads.
#ifndef QAT_TRAIN_MODULES_LAYER_NODE_H_
#define QAT_TRAIN_MODULES_LAYER_NODE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace qat {

/// A tensor that a module trains, in TFLite's layout, named as in a checkpoint.
struct LayerParameter {
  std::string name;
  Shape shape;
  TrainedTensor trained;
};

struct LayerNode {
  /// Of the output tensor: ranges and messages go by it. A node with one output is called so itself.
  std::string name;
  std::string node_name;
  OpType type = OpType::kConv2D;
  OpAttributes attributes;
  int32_t output = 0;                      ///< which of the node's outputs
  std::vector<Shape> input_shapes;         ///< of the data inputs, for one example: [1, …]
  Shape output_shape;                      ///< for one example
  std::vector<LayerParameter> parameters;  ///< as TrainedTensorsOf lists them
  std::optional<FusedBatchNorm> batch_norm;
  /// integer constants among the inputs, named as the operator's rule names them
  std::vector<IndexOperand> indices;

  /// What the node reads, in its order, for one example: what the operator's rules see. Valid as long as this
  /// object.
  struct Input {
    Shape shape;
    DType type = DType::kFloat32;
    Bytes constant;  ///< of integers; parameters and real constants are not copied
  };
  std::vector<Input> inputs;

  const OpDefinition& definition() const { return DefinitionOf(type); }
  /// Null where the node has none of this role.
  const LayerParameter* Find(ParameterSpec::Role role) const;
  /// Values of the index constant with this suffix ("axes"). Requires that there is one.
  const std::vector<int32_t>& Values(std::string_view suffix) const;
  std::vector<Operand> Operands() const;
};

/// Output `output` of a node, as a value of its own.
LayerNode LayerNodeOf(const Graph& graph, const GraphNode& node, size_t output = 0);

}  // namespace qat

#endif  // QAT_TRAIN_MODULES_LAYER_NODE_H_
