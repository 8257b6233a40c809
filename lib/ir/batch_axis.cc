#include "ir/batch_axis.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "ir/constants.h"
#include "ir/free_name.h"

namespace qat {
namespace {

constexpr size_t kMostAxes = 4;  // of values that can be trained on

// Value by value, or along the last axis.
bool KeepsAxes(OpType type) {
  static const std::set<OpType> kOps = {OpType::kAdd,
                                        OpType::kSub,
                                        OpType::kMul,
                                        OpType::kDiv,
                                        OpType::kMaximum,
                                        OpType::kMinimum,
                                        OpType::kPow,
                                        OpType::kRelu,
                                        OpType::kRelu6,
                                        OpType::kReluN1To1,
                                        OpType::kHardSwish,
                                        OpType::kLogistic,
                                        OpType::kTanh,
                                        OpType::kExp,
                                        OpType::kLog,
                                        OpType::kSqrt,
                                        OpType::kRsqrt,
                                        OpType::kSquare,
                                        OpType::kAbs,
                                        OpType::kNeg,
                                        OpType::kElu,
                                        OpType::kGelu,
                                        OpType::kLeakyRelu,
                                        OpType::kSoftmax,
                                        OpType::kLogSoftmax,
                                        OpType::kDropout,
                                        OpType::kQuantize,
                                        OpType::kSquaredDifference,
                                        OpType::kL2Normalization};
  return kOps.contains(type);
}

bool Reduces(OpType type) {
  return type == OpType::kMean || type == OpType::kSum || type == OpType::kReduceMax ||
         type == OpType::kReduceMin || type == OpType::kReduceProd;
}

bool StartsWithOne(const Shape& shape) { return !shape.empty() && shape[0] == 1; }

/// A transpose that takes the first axis elsewhere.
bool MovesBatch(const Graph& graph, const GraphNode& node) {
  if (node.type != OpType::kTranspose) return false;
  const GraphTensor& order = graph.tensor(node.inputs[1]);
  return order.is_constant() && Int32Values(order)[0] != 0;
}

/// Whether a node makes values without their batch in front of such that have it.
bool LosesBatch(const Graph& graph, const GraphNode& node) {
  if (node.inputs.empty() || !StartsWithOne(graph.tensor(node.inputs[0]).shape)) return false;
  return MovesBatch(graph, node) ||
         (node.type == OpType::kReshape && !StartsWithOne(graph.tensor(node.output()).shape));
}

/// Lifted values have an axis for the examples in front of their own.
class Lifter {
 public:
  explicit Lifter(const Graph& graph) : graph_(graph), lifted_(graph.tensors.size()) {
    for (const GraphTensor& tensor : graph.tensors) old_shapes_.push_back(tensor.shape);
  }

  /// Null: not possible.
  Graph* Run() {
    std::vector<GraphNode> nodes = std::exchange(graph_.nodes, {});
    for (GraphNode& node : nodes) {
      if (!Lift(node)) return nullptr;
    }
    const bool all_first = std::none_of(graph_.outputs.begin(), graph_.outputs.end(),
                                        [&](int32_t output) { return IsLifted(output); });
    if (!all_first) return nullptr;
    RemoveUnusedTensors(graph_);
    return Verify(graph_).ok() ? &graph_ : nullptr;
  }

 private:
  bool IsLifted(int32_t tensor) const {
    return static_cast<size_t>(tensor) < lifted_.size() && lifted_[static_cast<size_t>(tensor)];
  }
  bool IsComputed(int32_t tensor) const {
    const GraphTensor& own = graph_.tensor(tensor);
    return !own.is_constant() && !own.trained;
  }
  /// As it was before anything was lifted.
  const Shape& OldShape(int32_t tensor) const { return old_shapes_[static_cast<size_t>(tensor)]; }
  bool HasBatchOfOne(int32_t tensor) const { return StartsWithOne(OldShape(tensor)); }

  static Shape WithBatch(const Shape& shape) {
    Shape with = {1};
    with.insert(with.end(), shape.begin(), shape.end());
    return with;
  }

  int32_t AddInts(const std::string& name, const std::vector<int32_t>& values) {
    return graph_.AddConstant(FreeName(graph_, name), {static_cast<int32_t>(values.size())}, values);
  }

  /// Reads `from` as values of another shape, in a node of its own.
  void AddReshape(int32_t from, int32_t to, const std::string& name) {
    GraphNode node;
    node.type = OpType::kReshape;
    node.name = name;
    node.attributes = ReshapeAttributes{graph_.tensor(to).shape};
    node.inputs = {from, AddInts(StrCat(name, "/shape"), graph_.tensor(to).shape)};
    node.outputs = {to};
    graph_.nodes.push_back(std::move(node));
  }

  int32_t AddValues(const std::string& wanted, Shape shape) {
    GraphTensor tensor;
    tensor.name = FreeName(graph_, wanted);
    tensor.shape = std::move(shape);
    return graph_.AddTensor(std::move(tensor));
  }

  /// The values with the batch in front, of so many axes in all; those in between, which broadcasting would
  /// make, are of size 1.
  int32_t Lifted(int32_t tensor, size_t axes) {
    if (!IsComputed(tensor)) return tensor;
    Shape shape(axes - OldShape(tensor).size(), 1);
    shape.insert(shape.end(), OldShape(tensor).begin(), OldShape(tensor).end());
    if (graph_.tensor(tensor).shape == shape) return tensor;
    const int32_t with = AddValues(StrCat(graph_.tensor(tensor).name, "/with_batch"), std::move(shape));
    AddReshape(tensor, with, graph_.tensor(with).name);
    return with;
  }

  bool Lift(GraphNode& node) {
    const bool reads_lifted = std::any_of(node.inputs.begin(), node.inputs.end(),
                                          [&](int32_t input) { return input >= 0 && IsLifted(input); });
    if (node.type == OpType::kReshape && node.inputs.size() == 2) return LiftReshape(node, reads_lifted);
    if (!reads_lifted && !LosesBatch(graph_, node)) {
      graph_.nodes.push_back(std::move(node));
      return true;
    }
    if (node.batch_norm || node.outputs.size() != 1) return false;
    if (!ShiftAxes(node)) return false;
    size_t axes = 0;
    for (const int32_t input : node.inputs) {
      if (input >= 0 && IsComputed(input)) axes = std::max(axes, OldShape(input).size() + 1);
    }
    for (int32_t& input : node.inputs) {
      if (input >= 0) input = Lifted(input, axes);
    }
    return Finish(node);
  }

  bool LiftReshape(GraphNode& node, bool reads_lifted) {
    const int32_t output = node.output();
    const bool first = HasBatchOfOne(output);
    if (first && !reads_lifted) {
      graph_.nodes.push_back(std::move(node));
      return true;
    }
    if (!reads_lifted && !HasBatchOfOne(node.inputs[0])) return false;
    if (!first && !MarkLifted(output)) return false;
    AddReshape(node.inputs[0], output, node.name);
    return true;
  }

  bool MarkLifted(int32_t tensor) {
    if (OldShape(tensor).size() + 1 > kMostAxes) return false;
    lifted_[static_cast<size_t>(tensor)] = true;
    graph_.tensor(tensor).shape = WithBatch(OldShape(tensor));
    return true;
  }

  /// What names axes counts the one in front.
  bool ShiftAxes(GraphNode& node) {
    if (KeepsAxes(node.type)) return FitConstants(node);
    if (node.type == OpType::kBatchMatMul) return IsComputed(node.inputs[0]) && IsComputed(node.inputs[1]);
    if (node.type == OpType::kFullyConnected) {
      auto& own = std::get<FullyConnectedAttributes>(node.attributes);
      // Without its axes, rows of several axes become one.
      if (!own.keep_num_dims && OldShape(node.inputs[0]).size() != 2) return false;
      return own.keep_num_dims = true;
    }
    if (node.type == OpType::kTranspose) {
      return Renumber(node, 1, [](std::vector<int32_t> order) {
        for (int32_t& axis : order) ++axis;
        order.insert(order.begin(), 0);
        return order;
      });
    }
    if (Reduces(node.type)) {
      return Renumber(node, 1, [](std::vector<int32_t> axes) {
        for (int32_t& axis : axes) axis += axis >= 0 ? 1 : 0;
        return axes;
      });
    }
    if (node.type == OpType::kConcatenation) {
      int32_t& axis = std::get<ConcatenationAttributes>(node.attributes).axis;
      axis += axis >= 0 ? 1 : 0;
      return std::all_of(node.inputs.begin(), node.inputs.end(),
                         [&](int32_t input) { return IsComputed(input); });
    }
    if (node.type == OpType::kSlice) {
      const auto in_front = [](int32_t value) {
        return [value](std::vector<int32_t> values) {
          values.insert(values.begin(), value);
          return values;
        };
      };
      return Renumber(node, 1, in_front(0)) && Renumber(node, 2, in_front(1));
    }
    return false;
  }

  /// Constants are aligned with the last axes, which stay.
  bool FitConstants(const GraphNode& node) const {
    const size_t rank = OldShape(node.output()).size();
    return std::all_of(node.inputs.begin(), node.inputs.end(), [&](int32_t input) {
      return input < 0 || IsComputed(input) || graph_.tensor(input).shape.size() <= rank;
    });
  }

  template <class Change>
  bool Renumber(GraphNode& node, size_t position, Change change) {
    if (position >= node.inputs.size()) return false;
    const GraphTensor& own = graph_.tensor(node.inputs[position]);
    if (!own.is_constant() || own.type != DType::kInt32) return false;
    const Shape shape = own.shape;
    const std::vector<int32_t> values = change(Int32Values(own));
    const std::string name = own.name;
    node.inputs[position] =
        shape.empty() ? graph_.AddConstant(FreeName(graph_, name), {}, values) : AddInts(name, values);
    return true;
  }

  /// Of a node that computes lifted values. Where their own first axis is one of size 1, it is the batch's
  /// again.
  bool Finish(GraphNode& node) {
    const int32_t output = node.output();
    if (!HasBatchOfOne(output)) {
      if (!MarkLifted(output)) return false;
      graph_.nodes.push_back(std::move(node));
      return true;
    }
    const int32_t with = AddValues(StrCat(node.name, "/with_batch"), WithBatch(OldShape(output)));
    node.outputs = {with};
    graph_.nodes.push_back(std::move(node));
    AddReshape(with, output, FreeName(graph_, StrCat(graph_.nodes.back().name, "/batch")));
    return true;
  }

  Graph graph_;
  std::vector<Shape> old_shapes_;
  std::vector<bool> lifted_;  // of the tensors that were there before
};

}  // namespace

bool KeepBatchFirst(Graph& graph) {
  const auto loses = [&](const GraphNode& node) { return LosesBatch(graph, node); };
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), loses)) return false;
  Lifter lifter(graph);
  Graph* made = lifter.Run();
  if (made == nullptr) return false;
  graph = std::move(*made);
  return true;
}

}  // namespace qat
