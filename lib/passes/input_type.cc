#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "contract/input_params.h"
#include "contract/inside_name.h"
#include "passes/passes.h"
#include "quant/precision.h"

namespace qat {
namespace {

bool All(const std::vector<float>& values, float one) {
  return std::all_of(values.begin(), values.end(), [=](float value) { return value == one; });
}

std::vector<size_t> ReadersOf(const Graph& graph, int32_t tensor) {
  std::vector<size_t> readers;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto& inputs = graph.nodes[i].inputs;
    if (std::find(inputs.begin(), inputs.end(), tensor) != inputs.end()) readers.push_back(i);
  }
  return readers;
}

/// Programs set reals in the shape of the data.
Shape ShapeOutside(const InputContract& contract, const Shape& network) {
  return contract.values == ValueType::kReal && !contract.shape.empty() ? contract.DataShape() : network;
}

/// Puts nodes before the first of a graph, one after the other; the last one makes what one input of the
/// network takes.
class FrontWriter {
 public:
  /// `type` and `quantization` of the new input, and what it is called unless the contract says that.
  FrontWriter(Graph& graph, size_t index, const std::string& name, DType type,
              std::optional<TensorQuantization> quantization)
      : graph_(graph), index_(index), network_input_(graph.inputs[index]) {
    const InputContract& contract = graph.contract.inputs[index];
    const Shape& old = graph.tensor(network_input_).shape;
    GraphTensor input;
    own_name_ = name;
    // Data and programs know the input by its name; what the network takes has another one.
    input.name = contract.name.empty() ? own_name_ : contract.name;
    std::string& inside = graph.tensor(network_input_).name;
    if (inside == input.name) inside = Unused(StrCat(own_name_, kInsideSuffix));
    input.name = Unused(input.name);
    input.shape = ShapeOutside(contract, old);
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
    const Shape own = one                                                  ? Shape{1}
                      : values.size() == static_cast<size_t>(shape.back()) ? Shape{shape.back()}
                                                                           : shape;
    const int32_t constant = graph_.AddConstant(NameOf(StrCat(name, "_by")), own,
                                                std::span(values).first(one ? 1 : values.size()));
    Add(type, name, BinaryAttributes(), {last_, constant}, shape);
  }

  void Quantize() {
    Add(OpType::kQuantize, "quantized", {}, {last_}, graph_.tensor(last_).shape, /*quantizes=*/true);
  }

  /// Layers that compute real numbers read those in front of the QUANTIZE, not the ones that its integers
  /// stand for; it goes where nothing else reads it. Requires that Quantize came last, and a float32 input.
  void GiveReals() {
    const int32_t real = nodes_.back().inputs[0];
    const auto widens = [&](const GraphNode& node) {
      return node.type == OpType::kDequantize && node.inputs[0] == network_input_ &&
             std::find(graph_.outputs.begin(), graph_.outputs.end(), node.outputs[0]) == graph_.outputs.end();
    };
    for (const GraphNode& widening : std::vector<GraphNode>(graph_.nodes)) {
      if (!widens(widening)) continue;
      for (GraphNode& node : graph_.nodes)
        std::replace(node.inputs.begin(), node.inputs.end(), widening.outputs[0], real);
    }
    std::erase_if(graph_.nodes, widens);
    const bool is_output =
        std::find(graph_.outputs.begin(), graph_.outputs.end(), network_input_) != graph_.outputs.end();
    if (ReadersOf(graph_, network_input_).empty() && !is_output) {
      nodes_.pop_back();
      network_input_ = real;
    }
  }

  /// The nodes so far come first; what they made is what the network takes.
  void Finish() {
    if (nodes_.empty()) {
      // The network takes what comes in: nothing changes.
      graph_.inputs[index_] = network_input_;
      graph_.tensor(network_input_).name = own_name_;
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
  int32_t network_input_;
  std::string own_name_;
  int32_t last_ = 0;
  std::vector<GraphNode> nodes_;
};

bool IsByte(DType type) { return type == DType::kUInt8 || type == DType::kInt8; }

/// Bytes of either kind are the network's, int8 128 lower; beside 16 bits each type has what the contract
/// gives it.
TensorQuantization InTermsOf(DType type, const GraphTensor& network, const InputContract& contract) {
  constexpr int64_t kApart = 128;
  TensorQuantization own = *network.quantization;
  if (type == network.type) return own;
  if (IsByte(type) && IsByte(network.type)) {
    own.zero_point[0] += type == DType::kUInt8 ? kApart : -kApart;
    return own;
  }
  return TensorQuantization::PerTensor(InputParams(contract, ActivationsOf(type)));
}

/// Two tensors of bytes with the same real numbers, one 128 lower; or reals or 16 bits on one side.
bool SaysTheSame(const GraphTensor& input, const GraphTensor& taken) {
  if (input.type == DType::kFloat32) return true;
  if (!IsByte(input.type) || !IsByte(taken.type)) return input.type != taken.type;
  const QuantizationParams a = input.quantization->params(), b = taken.quantization->params();
  const int32_t apart = input.type == taken.type ? 0 : input.type == DType::kUInt8 ? 128 : -128;
  return a.scale == b.scale && a.zero_point == b.zero_point + apart;
}

/// Nodes that change the type of an input only: input -> [RESHAPE] -> [SUB] -> [MUL] -> QUANTIZE, as
/// SetInputType writes them. Empty:
/// there are none.
std::vector<size_t> FrontOf(const Graph& graph, size_t index) {
  constexpr OpType kOrder[] = {OpType::kReshape, OpType::kSub, OpType::kMul, OpType::kQuantize};
  const bool inside = graph.contract.inputs.at(index).inside;
  const int32_t input = graph.inputs.at(index);
  std::vector<size_t> front;
  int32_t at = input;
  for (const OpType type : kOrder) {
    const std::vector<size_t> readers = ReadersOf(graph, at);
    if (readers.size() != 1 || graph.nodes[readers[0]].type != type) continue;
    const bool normalizes = type == OpType::kSub || type == OpType::kMul;
    if (normalizes && !inside) return {};
    const int32_t output = graph.nodes[readers[0]].outputs[0];
    // Another reshape is the network's own.
    if (type == OpType::kReshape && graph.tensor(output).shape != graph.contract.inputs[index].NetworkShape())
      return {};
    front.push_back(readers[0]);
    at = output;
  }
  const bool ends = !front.empty() && graph.nodes[front.back()].type == OpType::kQuantize;
  const bool same =
      ends && graph.tensor(at).quantization && SaysTheSame(graph.tensor(input), graph.tensor(at));
  return same ? front : std::vector<size_t>();
}

/// What they give becomes the input, under the name that the input has.
void TakeOff(std::vector<size_t> front, size_t index, Graph& graph) {
  GraphTensor& outside = graph.tensor(graph.inputs[index]);
  graph.inputs[index] = graph.nodes[front.back()].outputs[0];
  GraphTensor& taken = graph.tensor(graph.inputs[index]);
  if (taken.name.starts_with(StrCat(outside.name, kInsideSuffix))) std::swap(taken.name, outside.name);
  graph.contract.inputs[index].inside = false;
  std::sort(front.rbegin(), front.rend());
  for (const size_t node : front) graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(node));
}

/// Whether whole numbers are made of an input, as indices of a table.
bool NamesRows(const Graph& graph, int32_t input) {
  for (const size_t reader : ReadersOf(graph, input)) {
    const GraphNode& node = graph.nodes[reader];
    if (node.type == OpType::kDequantize && NamesRows(graph, node.outputs[0])) return true;
    if (node.type == OpType::kCast && graph.tensor(node.outputs[0]).type != DType::kFloat32) return true;
  }
  return false;
}

Status ExpectConvertible(DType type, const GraphTensor& network) {
  if (type != DType::kFloat32 && type != DType::kInt16 && !IsByte(type))
    return InvalidArgument(
        StrCat("the input cannot be ", NameOf(type), ", expected float32, uint8, int8 or int16"));
  if (type != DType::kFloat32 && network.type == DType::kFloat32)
    return Unsupported(StrCat("the network takes float32, so its input cannot be ", NameOf(type),
                              ": an integer model can take either"));
  if (type == DType::kInt16 && network.type == DType::kUInt8)
    return Unsupported(
        "TFLite makes no uint8 of int16, so the input of a network of uint8 cannot be int16; float32, uint8 "
        "and int8 can be");
  return {};
}

}  // namespace

Status SetInputType(DType type, size_t index, Graph& graph) {
  const std::vector<size_t> in_front = FrontOf(graph, index);
  const GraphTensor before = graph.tensor(graph.inputs[index]);
  const bool has_type = !in_front.empty() && before.type == type;
  if (has_type && before.shape == ShapeOutside(graph.contract.inputs.at(index), before.shape)) return {};
  const GraphTensor network =
      in_front.empty() ? before : graph.tensor(graph.nodes[in_front.back()].outputs[0]);
  QAT_RETURN_IF_ERROR(ExpectConvertible(type, network));
  if (type != DType::kFloat32 && NamesRows(graph, graph.inputs[index]))
    return Unsupported(StrCat("input '", before.name,
                              "' holds whole numbers that a cast makes of it, which steps of ", NameOf(type),
                              " would round to others, expected float32"));
  if (!in_front.empty()) TakeOff(in_front, index, graph);
  RemoveUnusedTensors(graph);  // their names are free again
  InputContract& contract = graph.contract.inputs.at(index);
  const bool by_channel = !All(contract.mean, contract.mean[0]) || !All(contract.std, contract.std[0]);
  if (type == DType::kFloat32 && contract.channels_first && contract.values == ValueType::kReal &&
      !contract.inside && by_channel)
    return Unsupported(
        "the input has its channels first and is normalized by channel; convert the network that it was made "
        "from");
  std::optional<TensorQuantization> quantization;
  if (has_type)
    quantization = before.quantization;
  else if (type != DType::kFloat32)
    quantization = InTermsOf(type, network, contract);
  // Programs know it by this name, and nothing of what it is quantized to ("input/int16").
  const std::string name = before.name;
  FrontWriter front(graph, index, name, type, std::move(quantization));
  front.Reshape(network.shape);
  const bool normalizes = type == DType::kFloat32 && contract.values == ValueType::kReal && !contract.inside;
  if (normalizes) {
    const std::vector<float> factors = ReciprocalStd(contract);
    if (!All(contract.mean, 0)) front.Binary(OpType::kSub, "centred", contract.mean, network.shape);
    if (!All(factors, 1)) front.Binary(OpType::kMul, "normalized", factors, network.shape);
    contract.inside = true;
  }
  if (type != network.type) front.Quantize();
  if (type == DType::kFloat32 && network.type != DType::kFloat32) front.GiveReals();
  front.Finish();
  return {};
}

}  // namespace qat
