#include "debug/isolate.h"

#include <algorithm>
#include <cstring>

#include "base/slices.h"
#include "base/strings.h"
#include "ir/constants.h"
#include "ir/free_name.h"
#include "passes/passes.h"

namespace qat {
namespace {

/// The reals that the integers of a constant stand for.
std::vector<float> RealsOf(const GraphTensor& tensor) {
  const TensorQuantization& quantization = *tensor.quantization;
  const auto count = static_cast<size_t>(FlatSize(tensor.shape));
  const size_t inner = quantization.scale.size() > 1
                           ? InnerSize(tensor.shape, static_cast<size_t>(quantization.dimension))
                           : count;
  std::vector<float> reals(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t channel = i / std::max<size_t>(inner, 1) % quantization.scale.size();
    int32_t integer = 0;
    if (tensor.type == DType::kInt4) {
      const int32_t nibble = tensor.data[i / 2] >> (i % 2 == 0 ? 0 : 4) & 0xf;
      integer = nibble < 8 ? nibble : nibble - 16;
    } else if (tensor.type == DType::kInt32) {
      std::memcpy(&integer, tensor.data.data() + i * sizeof(integer), sizeof(integer));
    } else if (tensor.type == DType::kInt8) {
      integer = static_cast<int8_t>(tensor.data[i]);
    } else {
      integer = tensor.data[i];
    }
    reals[i] = Dequantize(
        integer, {quantization.scale[channel], static_cast<int32_t>(quantization.zero_point[channel])});
  }
  return reals;
}

bool IsIntegers(DType type) {
  return type == DType::kUInt8 || type == DType::kInt8 || type == DType::kInt4 || type == DType::kInt32;
}

int32_t FindTensor(const Graph& graph, const std::string& name) {
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    if (graph.tensors[i].name == name) return static_cast<int32_t>(i);
  }
  return -1;
}

/// What a `quantize` node reads, through others of its kind.
int32_t CarrierOf(const Graph& graph, int32_t tensor) {
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool hands_on = node->type == OpType::kQuantize || node->type == OpType::kDequantize;
    if (hands_on && node->output() == tensor) tensor = node->inputs[0];
  }
  return tensor;
}

class Rounder {
 public:
  static Expected<Rounder> Create(const Converted& converted) {
    Rounder rounder(converted);
    QAT_RETURN_IF_ERROR(LowerToReal(rounder.graph_));
    return rounder;
  }

  void Round(const DebugLayer& layer) {
    before_.clear();
    after_.clear();
    if (layer.node < 0) return RoundTensor(layer.tensor);
    const GraphNode& node = converted_->real.nodes[static_cast<size_t>(layer.node)];
    RoundConstants(node);
    for (const int32_t output : node.outputs) {
      if (converted_->quantized.tensor(output).quantization) RoundTensor(output);
    }
  }

  Graph Take() {
    RemoveUnusedTensors(graph_);
    return std::move(graph_);
  }

  /// Of the layer rounded last.
  const std::string& before() const { return before_; }
  const std::string& after() const { return after_; }

 private:
  explicit Rounder(const Converted& converted) : converted_(&converted), graph_(converted.real) {}

  /// In copies of this node's own, where several share a constant.
  void RoundConstants(const GraphNode& node) {
    const auto own = std::find_if(graph_.nodes.begin(), graph_.nodes.end(),
                                  [&](const GraphNode& each) { return each.name == node.name; });
    if (own == graph_.nodes.end()) return;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const GraphTensor& integers = converted_->quantized.tensor(node.inputs[i]);
      if (!integers.is_constant() || !integers.quantization || !IsIntegers(integers.type)) continue;
      GraphTensor rounded = graph_.tensor(own->inputs[i]);
      rounded.name = FreeName(graph_, StrCat(node.name, "/constant"));
      SetValues(rounded, DType::kFloat32, RealsOf(integers));
      own->inputs[i] = graph_.AddTensor(std::move(rounded));
    }
  }

  void RoundTensor(int32_t tensor) {
    const std::string carrier = converted_->real.tensor(CarrierOf(converted_->real, tensor)).name;
    const int32_t index = FindTensor(graph_, carrier);
    if (index < 0) return;
    const int32_t rounded = Insert(index, converted_->quantized.tensor(tensor));
    if (!after_.empty()) return;
    before_ = carrier;
    after_ = graph_.tensor(rounded).name;
  }

  /// Puts a QUANTIZE and a DEQUANTIZE behind a tensor, for everybody who reads it. Returns the index of the
  /// rounded one, which takes the name over; of an input, which keeps its own, it gets another.
  int32_t Insert(int32_t index, const GraphTensor& grid) {
    const std::string name = graph_.tensor(index).name;
    const bool is_input = std::find(graph_.inputs.begin(), graph_.inputs.end(), index) != graph_.inputs.end();
    GraphTensor integers;
    integers.name = FreeName(graph_, StrCat(name, "/integers"));
    integers.shape = graph_.tensor(index).shape;
    integers.type = grid.type;
    integers.quantization = grid.quantization;
    GraphTensor rounded = integers;
    rounded.type = DType::kFloat32;
    rounded.quantization.reset();
    const int32_t quantized = graph_.AddTensor(std::move(integers));
    rounded.name = FreeName(graph_, StrCat(name, is_input ? "/rounded" : "/real"));
    const int32_t real = graph_.AddTensor(std::move(rounded));
    for (GraphNode& node : graph_.nodes) std::replace(node.inputs.begin(), node.inputs.end(), index, real);
    std::replace(graph_.outputs.begin(), graph_.outputs.end(), index, real);
    if (!is_input) std::swap(graph_.tensor(index).name, graph_.tensor(real).name);
    const auto makes = [&](const GraphNode& node) {
      return std::find(node.outputs.begin(), node.outputs.end(), index) != node.outputs.end();
    };
    auto place = std::find_if(graph_.nodes.begin(), graph_.nodes.end(), makes);
    if (place != graph_.nodes.end()) ++place;
    if (is_input) place = graph_.nodes.begin();
    place = graph_.nodes.insert(place, Change(OpType::kDequantize, quantized, real));
    graph_.nodes.insert(place, Change(OpType::kQuantize, index, quantized));
    return real;
  }

  GraphNode Change(OpType type, int32_t from, int32_t to) const {
    GraphNode node;
    node.type = type;
    node.name = graph_.tensor(to).name + "/change";
    node.attributes = DefinitionOf(type).default_attributes;
    node.inputs = {from};
    node.outputs = {to};
    return node;
  }

  const Converted* converted_;
  Graph graph_;
  std::string before_, after_;
};

}  // namespace

std::vector<DebugLayer> LayersOf(const Converted& converted) {
  std::vector<DebugLayer> layers;
  const Graph& graph = converted.real;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    if (graph.contract.inputs.at(i).values == ValueType::kReal && converted.rounded_inputs[i])
      layers.push_back({graph.tensor(graph.inputs[i]).name, "input", -1, graph.inputs[i]});
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    const OutputQuantization rule = node.definition().output_quantization;
    const bool hands_on = rule == OutputQuantization::kSameAsInput || rule == OutputQuantization::kNone;
    const bool rounds = converted.quantized.tensor(node.outputs[0]).quantization.has_value() &&
                        (!hands_on || node.type == OpType::kQuantize);
    if (rounds)
      layers.push_back(
          {node.name, std::string(node.definition().name), static_cast<int32_t>(i), node.outputs[0]});
  }
  return layers;
}

Expected<Graph> RoundLayers(const Converted& converted, const std::vector<DebugLayer>& layers) {
  QAT_ASSIGN_OR_RETURN(Rounder rounder, Rounder::Create(converted));
  for (const DebugLayer& layer : layers) rounder.Round(layer);
  return rounder.Take();
}

Expected<IsolatedLayer> Isolate(const Converted& converted, const DebugLayer& layer) {
  QAT_ASSIGN_OR_RETURN(Rounder rounder, Rounder::Create(converted));
  rounder.Round(layer);
  IsolatedLayer out;
  out.before = rounder.before();
  out.after = rounder.after();
  out.graph = rounder.Take();
  return out;
}

}  // namespace qat
