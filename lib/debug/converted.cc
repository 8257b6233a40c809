#include "debug/converted.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/strings.h"
#include "contract/inside_name.h"
#include "ir/range_groups.h"
#include "ops/integer_kernels.h"
#include "passes/passes.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

/// Tensors that a plan may name as activations.
template <class Use>
void EachObserved(const Graph& graph, const Use& use) {
  for (const RangeGroup& group : FindRangeGroups(graph).groups) {
    for (const int32_t tensor : group.observed) use(tensor);
  }
}

/// Of tensors that share a range and that nothing is said of, too.
void SetRanges(const PlanChoices& choices, Graph& graph) {
  const auto set = [&](int32_t index, Range range) {
    GraphTensor& tensor = graph.tensor(index);
    tensor.has_range = true;
    tensor.range = range;
    tensor.limits = LimitsOf(choices.precisions.activations);
  };
  for (const RangeGroup& group : FindRangeGroups(graph).groups) {
    const Range* first = nullptr;
    for (const int32_t each : group.observed) {
      const auto found = choices.activations.find(graph.tensor(each).name);
      if (found != choices.activations.end() && first == nullptr) first = &found->second;
    }
    if (first == nullptr) continue;
    for (const int32_t each : group.observed) {
      const auto found = choices.activations.find(graph.tensor(each).name);
      set(each, found != choices.activations.end() ? found->second : *first);
    }
  }
}

/// Of one example, whatever the batch.
int64_t ValuesOf(const Shape& shape) {
  return shape.empty() || shape[0] == 0 ? 1 : FlatSize(shape) / shape[0];
}

class ModelReader {
 public:
  ModelReader(const Graph& network, const Model& model) : network_(network), model_(model) {
    for (const ModelTensor& tensor : model.tensors()) by_name_.emplace(tensor.name, &tensor);
    // What the network takes, rather than what layers in front of it make that of.
    for (const ModelTensor& tensor : model.tensors()) {
      if (tensor.name.ends_with(kInsideSuffix)) by_name_[NameInNetwork(tensor.name)] = &tensor;
    }
  }

  Expected<PlanChoices> Run() {
    QAT_RETURN_IF_ERROR(ExpectInputs());
    QAT_RETURN_IF_ERROR(ExpectShapes());
    if (const Status status = FindPrecisions(); !status.ok()) return status.error();
    size_t named = 0;
    EachObserved(network_, [&](int32_t index) { named += TakeRange(network_.tensor(index).name); });
    for (const GraphNode& node : network_.nodes) {
      TakeFilter(node);
      const ModelTensor* output = Find(network_.tensor(node.outputs[0]).name);
      if (output != nullptr && output->type == DType::kFloat32) choices_.keep_float.push_back(node.name);
      if (IsWide(node)) choices_.int16.push_back(node.name);
    }
    TakeInputs();
    if (named > 0) return std::move(choices_);
    return Corrupt(StrCat(model_.source(), ": has no tensor that is called like one of the network '",
                          network_.name, "'; expected a model that was converted from it, or its plan"));
  }

 private:
  Error Misfit(const std::string& what) const {
    return InvalidArgument(StrCat(model_.source(), ": ", what, " in the network '", network_.name,
                                  "'; expected a model that was converted from this network, or the network "
                                  "that it was converted from"));
  }

  /// The one of this name, else the one at this place.
  const ModelTensor& InputOf(const std::string& name, size_t place) const {
    for (const int32_t index : model_.inputs()) {
      const ModelTensor& input = model_.tensors()[static_cast<size_t>(index)];
      if (input.name == name) return input;
    }
    return model_.tensors()[static_cast<size_t>(model_.inputs()[place])];
  }

  /// Models take the shape of the data, the network perhaps one more axis.
  Status ExpectInputs() const {
    if (model_.inputs().size() != network_.inputs.size())
      return Misfit(
          StrCat("has ", model_.inputs().size(), " inputs, and there are ", network_.inputs.size()));
    for (size_t i = 0; i < network_.inputs.size(); ++i) {
      const GraphTensor& own = network_.tensor(network_.inputs[i]);
      const ModelTensor& input = InputOf(own.name, i);
      if (ValuesOf(input.shape) != ValuesOf(own.shape))
        return Misfit(StrCat("input '", input.name, "' is ", ToString(input.shape), ", and '", own.name,
                             "' is ", ToString(own.shape)));
    }
    return {};
  }

  /// Of what has the same name: filters, and what layers compute.
  Status ExpectShapes() const {
    for (const GraphNode& node : network_.nodes) {
      for (const int32_t index : {node.InputAt(node.definition().filter_input), node.outputs[0]}) {
        if (index < 0) continue;
        const GraphTensor& own = network_.tensor(index);
        const ModelTensor* const other = Find(own.name);
        if (other == nullptr) continue;
        const bool is_output =
            std::find(network_.outputs.begin(), network_.outputs.end(), index) != network_.outputs.end();
        const bool fits = is_output ? ValuesOf(other->shape) == ValuesOf(own.shape)  // channels first
                                    : other->shape == own.shape;
        if (!fits)
          return Misfit(StrCat("tensor '", own.name, "' is ", ToString(other->shape), ", and it is ",
                               ToString(own.shape)));
      }
    }
    return {};
  }

  const ModelTensor* Find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

  /// 16 bits in a model of int8. An output of the network is int8, and what the layer gives has the other
  /// name.
  bool IsWide(const GraphNode& node) const {
    if (choices_.precisions.activations.type != DType::kInt8) return false;
    const std::string& name = network_.tensor(node.outputs[0]).name;
    const ModelTensor* const output = Find(name);
    const ModelTensor* const before = Find(name + "/int8");
    return (output != nullptr && output->type == DType::kInt16) ||
           (before != nullptr && before->type == DType::kInt16);
  }

  /// Of a `quantize` or `dequantize` node beside the tensor, too.
  bool TakeRange(const std::string& name) {
    const ModelTensor* tensor = Find(name);
    for (const char* suffix : {"", "/quantized", "/int16", "/int8"}) {
      const ModelTensor* each = Find(name + suffix);
      if (each == nullptr || each->is_constant || each->scale.size() != 1 || each->type == DType::kFloat32)
        continue;
      const QuantizationParams params = {each->scale[0], static_cast<int32_t>(each->zero_point.at(0))};
      const Precision& precision =
          each->type == DType::kInt16 ? kInt16Activations : choices_.precisions.activations;
      choices_.activations[name + suffix] = RepresentableRange(params, LimitsOf(precision));
    }
    return tensor != nullptr;
  }

  const ModelTensor* FilterOf(const GraphNode& node) const {
    const int32_t index = node.InputAt(node.definition().filter_input);
    if (index < 0) return nullptr;
    const ModelTensor* filter = Find(network_.tensor(index).name);
    return filter != nullptr && !filter->scale.empty() ? filter : nullptr;
  }

  Status FindPrecisions() {
    const auto is_int8 = [&](const GraphNode& node) {
      const ModelTensor* output = Find(network_.tensor(node.outputs[0]).name);
      return output != nullptr && output->scale.size() == 1 && output->type == DType::kInt8;
    };
    // Beside int8, int16 is a choice of some layers.
    if (std::any_of(network_.nodes.begin(), network_.nodes.end(), is_int8)) {
      choices_.precisions = Int8PrecisionsByFilters();
      return {};
    }
    for (const GraphNode& node : network_.nodes) {
      const ModelTensor* output = Find(network_.tensor(node.outputs[0]).name);
      if (output == nullptr || output->scale.size() != 1) continue;
      if (output->type == DType::kUInt8) choices_.precisions = PrecisionsOf(Scheme::kUInt8);
      if (output->type == DType::kInt16) choices_.precisions = *IntegersFromName("int16x8");
      if (output->type == DType::kUInt8 || output->type == DType::kInt16) return {};
    }
    return Corrupt(
        StrCat(model_.source(), ": has no layer of the network '", network_.name,
               "' whose output is uint8, int8 or int16, expected a model that was converted from it"));
  }

  /// What most of the model's filters are is the rule; the others are choices of their own.
  Precisions Int8PrecisionsByFilters() const {
    size_t of_4_bits = 0, of_8_bits = 0, with_one_scale = 0, with_several = 0;
    for (const GraphNode& node : network_.nodes) {
      const ModelTensor* filter = FilterOf(node);
      if (filter == nullptr) continue;
      const auto axis = static_cast<size_t>(node.definition().filter_channel_axis);
      if (TakesFourBits(node.type)) ++(filter->file_type == DType::kInt4 ? of_4_bits : of_8_bits);
      const bool one_channel = axis >= filter->shape.size() || filter->shape[axis] < 2;
      if (!one_channel) ++(filter->scale.size() == 1 ? with_one_scale : with_several);
    }
    if (of_4_bits > of_8_bits) return *IntegersFromName("w4a8");
    return with_one_scale > with_several ? *IntegersFromName("int8-per-tensor") : PrecisionsOf(Scheme::kInt8);
  }

  void TakeFilter(const GraphNode& node) {
    const ModelTensor* filter = FilterOf(node);
    if (filter == nullptr) return;
    FilterChoice& choice = choices_.filters[filter->name];
    Precision precision = FilterPrecision(node.type, choices_.precisions);
    const int32_t bits = filter->file_type == DType::kInt4 ? 4 : 8;
    if (bits != precision.bits) {
      choice.bits = bits;
      precision = WithBits(precision, bits);
    }
    choice.granularity = precision.granularity =
        filter->scale.size() > 1 ? Granularity::kAxis : Granularity::kTensor;
    if (filter->scale.size() > 1) return;
    const QuantizationParams params = {filter->scale[0], static_cast<int32_t>(filter->zero_point.at(0))};
    choice.range = RepresentableRange(params, LimitsOf(precision));
  }

  void TakeInputs() {
    for (size_t i = 0; i < network_.inputs.size(); ++i) {
      const std::string& name = network_.tensor(network_.inputs[i]).name;
      const ModelTensor* input = Find(name);
      const bool real = network_.contract.inputs.at(i).values == ValueType::kReal;
      if (input == nullptr || !real || input->scale.size() != 1) continue;
      const QuantizationParams params = {input->scale[0], static_cast<int32_t>(input->zero_point.at(0))};
      choices_.inputs[name] = RepresentableRange(params, LimitsOf(ActivationsOf(input->type)));
    }
  }

  const Graph& network_;
  const Model& model_;
  std::map<std::string_view, const ModelTensor*> by_name_;
  PlanChoices choices_;
};

}  // namespace

std::set<std::string> PartLayers(const PlanChoices& choices, Graph& graph) {
  KeepFloat(graph, choices.precisions.activations.type,
            {choices.keep_float.begin(), choices.keep_float.end()});
  std::set<std::string> int16 = KeepInt16(graph, {choices.int16.begin(), choices.int16.end()});
  SeparateFixedRanges(graph);
  return int16;
}

Status CheckChoices(const PlanChoices& choices, const Graph& network) {
  Graph graph = network;
  std::vector<std::string> names;
  for (const GraphNode& node : graph.nodes) names.push_back(node.name);
  for (const auto& [key, list] :
       {std::pair("keep_float", &choices.keep_float), std::pair("int16", &choices.int16)}) {
    for (const std::string& name : *list) {
      if (std::find(names.begin(), names.end(), name) == names.end())
        return InvalidArgument(StrCat(key, ": ", UnknownName("layer", name, names)));
    }
  }
  QAT_RETURN_IF_ERROR_IN("equalize", EqualizeNamed(choices.equalize, graph));
  QuantizationOptions options;
  options.precisions = choices.precisions;
  PartLayers(choices, graph);
  return TakeChoices(choices, graph, options);
}

void CollectRanges(const Graph& real, PlanChoices& choices) {
  EachObserved(real, [&](int32_t index) {
    const GraphTensor& tensor = real.tensor(index);
    if (tensor.has_range) choices.activations.emplace(tensor.name, tensor.range);
  });
  for (size_t i = 0; i < real.inputs.size(); ++i) {
    const InputContract& input = real.contract.inputs.at(i);
    if (input.values == ValueType::kReal)
      choices.inputs.emplace(real.tensor(real.inputs[i]).name, Range{input.low, input.high});
  }
}

namespace {

/// Whether a node of 8 bits reads it.
bool IsRounded(const Graph& graph, int32_t input) {
  bool read = false;
  for (const GraphNode& node : graph.nodes) {
    if (std::find(node.inputs.begin(), node.inputs.end(), input) == node.inputs.end()) continue;
    const bool widens = node.type == OpType::kQuantize && graph.tensor(node.output()).type == DType::kInt16;
    // Of several readers each has a QUANTIZE of its own; the file rounds once for all.
    if (read || (!widens && node.type != OpType::kDequantize)) return true;
    read = true;
  }
  return !read;
}

Status WriteModel(Converted& out) {
  Graph written = out.quantized;
  for (size_t i = 0; i < written.inputs.size(); ++i) {
    const bool reals = written.contract.inputs.at(i).values == ValueType::kReal;
    out.rounded_inputs.push_back(!reals || IsRounded(out.quantized, out.quantized.inputs[i]));
    if (!out.rounded_inputs.back()) QAT_RETURN_IF_ERROR(SetInputType(DType::kFloat32, i, written));
  }
  QAT_RETURN_IF_ERROR(Verify(written));
  out.contract = written.contract;
  QAT_ASSIGN_OR_RETURN(out.model, WriteTflite(written, {}));
  return {};
}

}  // namespace

Expected<Converted> Convert(const Graph& network, const PlanChoices& choices,
                            std::vector<std::string>& warnings, const OwnIntegers& own) {
  Converted out;
  out.real = network;
  Graph& graph = out.real;
  QuantizationOptions options;
  options.precisions = choices.precisions;
  QAT_RETURN_IF_ERROR(EqualizeNamed(choices.equalize, graph));
  SetRanges(choices, graph);
  options.int16_nodes = PartLayers(choices, graph);
  SetRanges(choices, graph);
  PlanChoices others = choices;
  others.activations.clear();
  QAT_RETURN_IF_ERROR(TakeChoices(others, graph, options));
  QAT_ASSIGN_OR_RETURN(out.plan, PlanQuantization(graph, options, warnings));
  out.quantized = graph;
  const std::vector<std::string> taken = TakeOwn(network, own, out.plan, out.quantized);
  ApplyPlan(out.plan, out.quantized, warnings);
  TakeOwnBiases(own, taken, out.quantized);
  QAT_RETURN_IF_ERROR(WriteModel(out));
  return out;
}

Expected<PlanChoices> ChoicesOfModel(const Graph& network, const Model& model) {
  return ModelReader(network, model).Run();
}

}  // namespace qat
