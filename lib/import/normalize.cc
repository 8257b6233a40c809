#include "import/normalize.h"

#include <algorithm>
#include <optional>

#include "base/slices.h"
#include "base/strings.h"
#include "import/dilated_convolutions.h"
#include "import/integer_forms.h"
#include "import/stable_forms.h"
#include "ir/constants.h"
#include "ir/free_name.h"
#include "ir/separate_biases.h"

namespace qat {
namespace {

class Folder {
 public:
  explicit Folder(Graph& graph)
      : graph_(graph), readers_(graph.tensors.size()), source_(graph.tensors.size(), -1) {
    for (const int32_t output : graph.outputs) ++readers_[static_cast<size_t>(output)];
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const int32_t input : graph.nodes[i].inputs) ++readers_[static_cast<size_t>(input)];
      for (const int32_t output : graph.nodes[i].outputs)
        source_[static_cast<size_t>(output)] = static_cast<int32_t>(i);
    }
  }

  void Run(std::vector<std::string>& notes) {
    std::vector<GraphNode> kept;
    folded_.assign(graph_.nodes.size(), false);
    for (size_t i = 0; i < graph_.nodes.size(); ++i)
      folded_[i] = FoldAffine(i) || FoldActivation(i) || FoldRows(i);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (!folded_[i]) kept.push_back(std::move(graph_.nodes[i]));
    }
    graph_.nodes = std::move(kept);
    size_t biases = 0;
    for (GraphNode& node : graph_.nodes) {
      biases += GiveBias(graph_, node) ? 1 : 0;
      OpenBatch(node);
    }
    RemoveUnusedTensors(graph_);
    if (affine_ > 0)
      notes.push_back(
          StrCat(affine_, affine_ == 1 ? " product or sum" : " products and sums",
                 " with constants per channel, as of batch normalizations, went into filters and biases"));
    if (activations_ > 0)
      notes.push_back(StrCat(activations_,
                             activations_ == 1 ? " activation became part of the layer"
                                               : " activations became parts of the layers",
                             " before"));
    if (rows_ > 0)
      notes.push_back(StrCat(rows_, rows_ == 1 ? " dense layer takes" : " dense layers take",
                             " all places of an example, instead of rows that a reshape made of the batch"));
    if (biases > 0)
      notes.push_back(StrCat(
          biases, biases == 1 ? " convolution without a bias has" : " convolutions without a bias have",
          " one of zeros now, as TFLite requires"));
  }

 private:
  /// A reshape to [1, …] of what has a batch of 1 says -1 instead, so that the model can be resized.
  void OpenBatch(GraphNode& node) {
    if (node.type != OpType::kReshape || node.inputs.size() != 2) return;
    const GraphTensor& shape = graph_.tensor(node.inputs[1]);
    const Shape& from = graph_.tensor(node.inputs[0]).shape;
    if (!shape.is_constant() || shape.type != DType::kInt32 || from.empty() || from[0] != 1) return;
    const std::vector<int32_t> named = Int32Values(shape);
    if (named.empty() || named[0] != 1) return;
    Shape sizes = graph_.tensor(node.output()).shape;
    sizes[0] = -1;
    node.inputs[1] = graph_.AddConstant(FreeName(graph_, StrCat(node.name, "/shape")),
                                        {static_cast<int32_t>(sizes.size())}, sizes);
    Shape& written = std::get<ReshapeAttributes>(node.attributes).new_shape;
    if (written.size() == sizes.size()) written = sizes;
  }

  /// How often nodes and outputs read a tensor.
  size_t Readers(int32_t tensor) const { return readers_[static_cast<size_t>(tensor)]; }

  /// The node that computes `tensor`, if it has no other output and one reader.
  GraphNode* OnlySourceOf(int32_t tensor) {
    const int32_t source = source_[static_cast<size_t>(tensor)];
    if (source < 0 || Readers(tensor) != 1) return nullptr;
    GraphNode& node = graph_.nodes[static_cast<size_t>(source)];
    return node.outputs.size() == 1 ? &node : nullptr;
  }

  bool FoldActivation(size_t i) {
    const GraphNode& node = graph_.nodes[i];
    Activation activation = Activation::kNone;
    if (node.type == OpType::kRelu) activation = Activation::kRelu;
    if (node.type == OpType::kRelu6) activation = Activation::kRelu6;
    if (node.type == OpType::kReluN1To1) activation = Activation::kReluN1To1;
    if (activation == Activation::kNone) return false;
    GraphNode* source = OnlySourceOf(node.inputs[0]);
    if (source == nullptr || !TakesActivation(source->type) ||
        FusedActivation(source->attributes) != Activation::kNone)
      return false;
    SetFusedActivation(source->attributes, activation);
    Replace(*source, i);
    ++activations_;
    return true;
  }

  static bool TakesActivation(OpType type) {
    return type == OpType::kConv2D || type == OpType::kDepthwiseConv2D || type == OpType::kFullyConnected ||
           type == OpType::kAdd || type == OpType::kSub || type == OpType::kMul;
  }

  /// `source` computes what node i did, under the name of that, which goes.
  void Replace(GraphNode& source, size_t i) {
    source.outputs = graph_.nodes[i].outputs;
    source.name = graph_.nodes[i].name;
    source_[static_cast<size_t>(source.output())] = static_cast<int32_t>(&source - graph_.nodes.data());
  }

  /// [1, T, C] -> reshape [T, C] -> fully connected [T, units] -> reshape [1, T, units], as Keras writes a
  /// dense layer at each place, mixes places and examples. Where node i is the second reshape, the layer
  /// takes [1, T, C] itself.
  bool FoldRows(size_t i) {
    const GraphNode& back = graph_.nodes[i];
    if (back.type != OpType::kReshape) return false;
    GraphNode* dense = OnlySourceOf(back.inputs[0]);
    if (dense == nullptr || dense->type != OpType::kFullyConnected) return false;
    GraphNode* rows = OnlySourceOf(dense->inputs[0]);
    if (rows == nullptr || rows->type != OpType::kReshape) return false;
    const Shape& from = graph_.tensor(rows->inputs[0]).shape;
    Shape expected = from;
    if (expected.size() < 3) return false;
    const Shape& filter = graph_.tensor(dense->inputs[1]).shape;
    expected.back() = filter[0];
    if (from.back() != filter[1] || graph_.tensor(back.output()).shape != expected) return false;
    dense->inputs[0] = rows->inputs[0];
    std::get<FullyConnectedAttributes>(dense->attributes).keep_num_dims = true;
    folded_[static_cast<size_t>(rows - graph_.nodes.data())] = true;
    Replace(*dense, i);
    ++rows_;
    return true;
  }

  bool FoldAffine(size_t i) {
    const GraphNode& node = graph_.nodes[i];
    if (node.type != OpType::kMul && node.type != OpType::kAdd && node.type != OpType::kSub) return false;
    const bool first_is_constant = graph_.tensor(node.inputs[0]).is_constant();
    if (first_is_constant && node.type == OpType::kSub) return false;
    const GraphTensor& operand = graph_.tensor(node.inputs[first_is_constant ? 0 : 1]);
    const int32_t data = node.inputs[first_is_constant ? 1 : 0];
    GraphNode* source = OnlySourceOf(data);
    if (source == nullptr || operand.type != DType::kFloat32 || !operand.is_constant()) return false;
    if (!HasFilter(source->type) || FusedActivation(source->attributes) != Activation::kNone) return false;
    if (graph_.tensor(node.output()).shape != graph_.tensor(data).shape) return false;
    const std::optional<std::vector<float>> values = PerChannel(operand, graph_.tensor(data).shape.back());
    if (!values || Readers(source->inputs[1]) != 1) return false;
    if (source->inputs.size() > 2 && Readers(source->inputs[2]) != 1) return false;
    const Activation activation = FusedActivation(node.attributes);
    Apply(node.type, *values, *source);
    SetFusedActivation(source->attributes, activation);
    Replace(*source, i);
    ++affine_;
    return true;
  }

  static bool HasFilter(OpType type) {
    return type == OpType::kConv2D || type == OpType::kDepthwiseConv2D || type == OpType::kFullyConnected;
  }

  /// One value for each channel, if the operand is that or a single number.
  static std::optional<std::vector<float>> PerChannel(const GraphTensor& operand, int32_t channels) {
    const std::vector<float> values = RealValues(operand);
    if (values.size() == 1) return std::vector<float>(static_cast<size_t>(channels), values[0]);
    if (operand.shape.empty() || operand.shape.back() != channels || std::ssize(values) != channels)
      return {};
    return values;
  }

  void Apply(OpType type, const std::vector<float>& values, GraphNode& source) {
    if (source.inputs.size() < 3) {
      const std::vector<float> zeros(values.size());
      source.inputs.push_back(graph_.AddConstant(FreeName(graph_, StrCat(source.name, "/bias")),
                                                 {static_cast<int32_t>(values.size())}, zeros));
      readers_.push_back(1);
      source_.push_back(-1);
    }
    GraphTensor& bias = graph_.tensor(source.inputs[2]);
    std::vector<float> biases = RealValues(bias);
    const float sign = type == OpType::kSub ? -1.0f : 1.0f;
    for (size_t c = 0; c < values.size(); ++c)
      biases[c] = type == OpType::kMul ? biases[c] * values[c] : biases[c] + sign * values[c];
    SetValues(bias, DType::kFloat32, biases);
    if (type == OpType::kMul) ScaleFilter(values, source);
  }

  void ScaleFilter(const std::vector<float>& factors, const GraphNode& source) {
    GraphTensor& filter = graph_.tensor(source.inputs[1]);
    const auto axis = static_cast<size_t>(DefinitionOf(source.type).filter_channel_axis);
    const size_t inner = InnerSize(filter.shape, axis);
    std::vector<float> values = RealValues(filter);
    for (size_t i = 0; i < values.size(); ++i) values[i] *= factors[i / inner % factors.size()];
    SetValues(filter, DType::kFloat32, values);
  }

  Graph& graph_;
  std::vector<size_t> readers_;  // by tensor
  std::vector<int32_t> source_;  // by tensor: the node that computes it, -1: none
  std::vector<bool> folded_;     // by node: it goes
  size_t rows_ = 0;
  size_t affine_ = 0;
  size_t activations_ = 0;
};

}  // namespace

void Normalize(Graph& graph, std::vector<std::string>& notes) {
  UseDilation(graph, notes);
  UseStableForms(graph, notes);
  UseIntegerForms(graph, notes);
  Folder(graph).Run(notes);
}

}  // namespace qat
