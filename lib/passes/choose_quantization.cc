#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/strings.h"
#include "passes/passes.h"

namespace qat {
namespace {

template <class T>
std::vector<T> ValuesOf(const GraphTensor& tensor) {
  std::vector<T> values(tensor.data.size() / sizeof(T));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

template <class T>
void SetValues(GraphTensor& tensor, const std::vector<T>& values) {
  tensor.type = DTypeOf<T>::value;
  tensor.data.resize(values.size() * sizeof(T));
  std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
}

/// One run over a graph that is known to be complete; collects what the user should hear.
class Quantizer {
 public:
  Quantizer(Graph& graph, const QuantizationOptions& options, std::vector<std::string>& warnings)
      : graph_(graph), options_(options), warnings_(warnings) {}

  Status Run() {
    QAT_RETURN_IF_ERROR(CheckRanges());
    const QuantizationParams input = options_.input.value_or(InputParams(graph_.contract));
    for (int32_t index : graph_.inputs) SetActivation(index, input);
    for (const GraphNode& node : graph_.nodes) {
      QAT_RETURN_IF_ERROR_IN(StrCat("node '", node.name, "'"), QuantizeParameters(node));
      for (int32_t output : node.outputs) QuantizeOutput(node, output);
    }
    return {};
  }

 private:
  static bool OwnsRange(const GraphNode& node) {
    return DefinitionOf(node.type).output_quantization == OutputQuantization::kOwnRange;
  }

  Status CheckRanges() {
    std::vector<std::string> missing;
    for (const GraphNode& node : graph_.nodes) {
      if (!OwnsRange(node)) continue;
      for (int32_t output : node.outputs) {
        if (!graph_.tensor(output).has_range) missing.push_back(graph_.tensor(output).name);
      }
    }
    if (missing.empty()) return {};
    if (!options_.default_range.has_value()) {
      return Unsupported(StrCat("uint8 needs the range of every activation, missing: ", Join(missing),
                                "; train with --scheme uint8, or give --default-range MIN,MAX for a trial"));
    }
    const Range range = IncludingZero(*options_.default_range);
    warnings_.push_back(StrCat("default range [", range.min, ", ", range.max, "] used for: ", Join(missing),
                               "; accuracy may be lost, since no training chose it"));
    return {};
  }

  GraphTensor& InputOf(const GraphNode& node, int32_t position) {
    return graph_.tensor(node.inputs[static_cast<size_t>(position)]);
  }

  void SetActivation(int32_t index, QuantizationParams params) {
    graph_.tensor(index).type = DType::kUInt8;
    graph_.tensor(index).quantization = TensorQuantization::PerTensor(params);
  }

  void QuantizeOutput(const GraphNode& node, int32_t output) {
    const OpDefinition& definition = DefinitionOf(node.type);
    switch (definition.output_quantization) {
      case OutputQuantization::kOwnRange:
        return SetActivation(output, ActivationParams(graph_.tensor(output)));
      case OutputQuantization::kSameAsInput:
      case OutputQuantization::kJoinsInputs:
        return SetActivation(output, InputOf(node, definition.data_input).quantization->params());
      case OutputQuantization::kFixed:
        return SetActivation(output, definition.fixed_uint8);
      case OutputQuantization::kNone:
        return;
    }
  }

  QuantizationParams ActivationParams(const GraphTensor& tensor) const {
    if (tensor.has_range) return NudgedParams(tensor.range, tensor.limits);
    const Range range = IncludingZero(*options_.default_range);
    return ChooseQuantizationParams(range.min, range.max, kUInt8Limits);
  }

  Status QuantizeParameters(const GraphNode& node) {
    const OpDefinition& definition = DefinitionOf(node.type);
    if (definition.filter_input < 0) return {};
    GraphTensor& filter = InputOf(node, definition.filter_input);
    if (!filter.is_constant()) return Unsupported(StrCat("filter '", filter.name, "' is computed"));
    if (!filter.quantization.has_value()) QuantizeFilter(filter);
    if (definition.bias_input < 0 || static_cast<size_t>(definition.bias_input) >= node.inputs.size())
      return {};
    GraphTensor& bias = InputOf(node, definition.bias_input);
    if (!bias.is_constant() || bias.quantization.has_value()) {
      return Unsupported(StrCat("bias '", bias.name, "' is computed or belongs to two nodes"));
    }
    QuantizeBiases(bias, InputOf(node, definition.data_input).quantization->params().scale, filter);
    return {};
  }

  /// Without a trained range, the range of the values themselves, as the classic converter does with constants.
  void QuantizeFilter(GraphTensor& filter) {
    const std::vector<float> reals = ValuesOf<float>(filter);
    if (!filter.has_range) {
      const auto [low, high] = std::minmax_element(reals.begin(), reals.end());
      filter.has_range = true;
      filter.range = IncludingZero({*low, *high});
      filter.limits = kUInt8NarrowLimits;
    }
    const QuantizationParams params = NudgedParams(filter.range, filter.limits);
    std::vector<uint8_t> quantized;
    for (float real : reals) {
      quantized.push_back(static_cast<uint8_t>(QuantizeFakeQuant(real, params, filter.limits)));
    }
    SetValues(filter, quantized);
    filter.quantization = TensorQuantization::PerTensor(params);
  }

  void QuantizeBiases(GraphTensor& bias, float input_scale, const GraphTensor& filter) {
    const QuantizationParams filter_params = filter.quantization->params();
    std::vector<int32_t> quantized;
    for (float real : ValuesOf<float>(bias))
      quantized.push_back(QuantizeBias(real, input_scale, filter_params.scale));
    WarnOfOverflow(quantized, filter, bias.name);
    SetValues(bias, quantized);
    bias.quantization = TensorQuantization::PerTensor({input_scale * filter_params.scale, 0});
  }

  /// The accumulator is an int32: with inputs that move real zero by up to 255 steps, a channel reaches at most
  /// |bias| + 255 * sum |w - zero_point|.
  void WarnOfOverflow(const std::vector<int32_t>& bias, const GraphTensor& filter, const std::string& name) {
    const size_t depth = filter.data.size() / bias.size();
    const int64_t zero_point = filter.quantization->zero_point[0];
    for (size_t o = 0; o < bias.size(); ++o) {
      int64_t reach = std::abs(int64_t{bias[o]});
      for (size_t i = 0; i < depth; ++i) reach += 255 * std::abs(filter.data[o * depth + i] - zero_point);
      if (reach <= std::numeric_limits<int32_t>::max()) continue;
      warnings_.push_back(StrCat("channel ", o, " of '", name, "' may overflow the int32 accumulator: up to ",
                                 reach, " in steps of ", filter.quantization->scale[0],
                                 " times the input's"));
      return;
    }
  }

  Graph& graph_;
  const QuantizationOptions& options_;
  std::vector<std::string>& warnings_;
};

}  // namespace

Status ChooseQuantization(Graph& graph, const QuantizationOptions& options,
                          std::vector<std::string>& warnings) {
  if (options.type != DType::kFloat32 && options.type != DType::kUInt8) {
    return Unsupported(StrCat("type ", NameOf(options.type), ", this build writes float32 and uint8"));
  }
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.quantization.has_value())
      return InvalidArgument(StrCat("tensor '", tensor.name, "' is quantized already"));
  }
  if (options.type == DType::kFloat32) {
    if (options.input.has_value())
      warnings.push_back("input stats say nothing to a float32 model: they are ignored");
    if (options.default_range.has_value()) {
      warnings.push_back("a default range says nothing to a float32 model: it is ignored");
    }
    return {};
  }
  if (options.input.has_value()) {
    const std::string contradiction = DescribeInputContradiction(graph.contract, *options.input);
    if (!contradiction.empty()) warnings.push_back(contradiction);
  }
  return Quantizer(graph, options, warnings).Run();
}

}  // namespace qat
