#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "passes/passes.h"
#include "quant/scheme.h"

namespace qat {
namespace {

bool All(const std::vector<float>& values, float one) {
  return std::all_of(values.begin(), values.end(), [=](float value) { return value == one; });
}

/// Puts nodes before the first of a graph, one after the other; the last one makes what one input of the network takes.
class FrontWriter {
 public:
  /// `type` and `quantization` of the new input.
  FrontWriter(Graph& graph, size_t index, DType type, std::optional<TensorQuantization> quantization)
      : graph_(graph), index_(index), network_input_(graph.inputs[index]) {
    const InputContract& contract = graph.contract.inputs[index];
    const Shape& old = graph.tensor(network_input_).shape;
    GraphTensor input;
    input.name = Unused(contract.name.empty() ? "data" : contract.name);
    input.shape = contract.values == ValueType::kReal ? contract.DataShape() : old;
    input.type = type;
    input.quantization = std::move(quantization);
    last_ = graph.AddTensor(std::move(input));
    graph.inputs[index] = last_;
  }

  void Reshape(const Shape& shape) {
    if (graph_.tensor(last_).shape == shape) return;
    Shape open = shape;
    open[0] = -1;  // any number of examples
    const int32_t sizes = graph_.AddConstant(NameOf("shape"), {static_cast<int32_t>(shape.size())}, open);
    ReshapeAttributes attributes;
    attributes.new_shape = shape;
    Add(OpType::kReshape, "row", std::move(attributes), {last_, sizes}, shape);
  }

  void Binary(OpType type, const char* name, const std::vector<float>& values, const Shape& shape) {
    const bool one = All(values, values[0]);
    const Shape own = one ? Shape{1} : values.size() == static_cast<size_t>(shape.back()) ? Shape{shape.back()} : shape;
    const int32_t constant =
        graph_.AddConstant(NameOf(StrCat(name, "_by")), own, std::span(values).first(one ? 1 : values.size()));
    Add(type, name, BinaryAttributes(), {last_, constant}, shape);
  }

  void Quantize() { Add(OpType::kQuantize, "quantized", {}, {last_}, graph_.tensor(last_).shape, /*quantizes=*/true); }

  /// The nodes so far come first; what they made is what the network takes.
  void Finish() {
    if (nodes_.empty()) {
      // The network takes what comes in: nothing changes.
      graph_.inputs[index_] = network_input_;
    } else {
      nodes_.back().outputs = {network_input_};
    }
    graph_.nodes.insert(graph_.nodes.begin(), nodes_.begin(), nodes_.end());
    RemoveUnusedTensors(graph_);
  }

 private:
  std::string NameOf(const std::string& suffix) const {
    return Unused(StrCat(graph_.tensor(graph_.inputs[index_]).name, "/", suffix));
  }
  std::string Unused(std::string name) const {
    const auto taken = [&](const GraphTensor& tensor) { return tensor.name == name; };
    while (std::any_of(graph_.tensors.begin(), graph_.tensors.end(), taken)) name += "_";
    return name;
  }
  void Add(OpType type, const std::string& suffix, OpAttributes attributes, std::vector<int32_t> inputs,
           const Shape& shape, bool quantizes = false) {
    const GraphTensor from = graph_.tensor(last_);
    GraphTensor output;
    output.name = NameOf(suffix);
    output.shape = shape;
    output.type = from.type;
    output.quantization = from.quantization;
    if (quantizes) {
      output.type = graph_.tensor(network_input_).type;
      output.quantization = graph_.tensor(network_input_).quantization;
    }
    last_ = graph_.AddTensor(std::move(output));
    GraphNode node;
    node.type = type;
    node.name = NameOf(suffix);
    node.attributes = std::move(attributes);
    node.inputs = std::move(inputs);
    node.outputs = {last_};
    nodes_.push_back(std::move(node));
  }

  Graph& graph_;
  const size_t index_;
  const int32_t network_input_;
  int32_t last_ = 0;
  std::vector<GraphNode> nodes_;
};

// int8 is uint8, 128 lower.
TensorQuantization InTermsOf(DType type, DType network, const TensorQuantization& quantization) {
  constexpr int64_t kApart = 128;
  TensorQuantization own = quantization;
  if (type != network) own.zero_point[0] += type == DType::kUInt8 ? kApart : -kApart;
  return own;
}

}  // namespace

Status SetInputType(DType type, size_t index, Graph& graph) {
  if (type != DType::kFloat32 && type != DType::kUInt8 && type != DType::kInt8) {
    return InvalidArgument(StrCat("the input cannot be ", NameOf(type), ", expected float32, uint8 or int8"));
  }
  const GraphTensor network = graph.tensor(graph.inputs.at(index));
  if (type != DType::kFloat32 && network.type == DType::kFloat32) {
    return Unsupported(StrCat("the network takes float32, so its input cannot be ", NameOf(type),
                              ": an integer model can take either"));
  }
  InputContract& contract = graph.contract.inputs.at(index);
  std::optional<TensorQuantization> quantization;
  if (type != DType::kFloat32) quantization = InTermsOf(type, network.type, *network.quantization);
  FrontWriter front(graph, index, type, std::move(quantization));
  front.Reshape(network.shape);
  const bool normalizes = type == DType::kFloat32 && contract.values == ValueType::kReal && !contract.inside;
  if (normalizes) {
    const std::vector<float> factors = ReciprocalStd(contract);
    if (!All(contract.mean, 0)) front.Binary(OpType::kSub, "centred", contract.mean, network.shape);
    if (!All(factors, 1)) front.Binary(OpType::kMul, "normalized", factors, network.shape);
    contract.inside = true;
  }
  if (type != network.type) front.Quantize();
  front.Finish();
  return {};
}

}  // namespace qat
