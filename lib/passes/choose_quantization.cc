#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/slices.h"
#include "base/strings.h"
#include "ir/constants.h"
#include "ir/range_groups.h"
#include "ops/integer_kernels.h"
#include "passes/passes.h"

namespace qat {
namespace {

/// NudgedParams, where the range is one that float32 can divide into steps.
Expected<QuantizationParams> ParamsFor(const std::string& name, Range range, QuantizedLimits limits) {
  if (std::isfinite(range.max - range.min)) return NudgedParams(range, limits);
  return Numerical(StrCat("'", name, "' needs the range [", range.min, ", ", range.max,
                          "], which is wider than float32 can tell; the training diverged"));
}

/// One run over a graph that is known to be complete; collects what the user should hear.
class Quantizer {
 public:
  Quantizer(Graph& graph, const QuantizationOptions& options, std::vector<std::string>& warnings)
      : graph_(graph), options_(options), scheme_(options.scheme), warnings_(warnings) {}

  Status Run() {
    FindKeptFloat();
    std::vector<PlacedOp> ops;
    for (const GraphNode& node : graph_.nodes) {
      if (!IsKeptFloat(node)) ops.push_back({node.name, node.type});
    }
    QAT_RETURN_IF_ERROR(ExpectIntegerKernels(ops, scheme_));
    QAT_RETURN_IF_ERROR(CheckRanges());
    for (size_t i = 0; i < graph_.inputs.size(); ++i) {
      const int32_t index = graph_.inputs[i];
      const QuantizationParams input =
          options_.input ? FixedParamsOf(*options_.input, scheme_) : InputParams(graph_.contract.inputs.at(i), scheme_);
      if (!(input.scale > 0) || !std::isfinite(input.scale))
        return Numerical(StrCat("the input would have the scale ", input.scale, ", expected a positive number"));
      if (graph_.tensor(index).type == DType::kFloat32) SetActivation(index, input);
    }
    for (const GraphNode& node : graph_.nodes) {
      if (IsKeptFloat(node)) continue;
      QAT_RETURN_IF_ERROR_IN(StrCat("node '", node.name, "'"), QuantizeParameters(node));
      for (int32_t output : node.outputs) QuantizeOutput(node, output);
      if (node.type == OpType::kDiv && graph_.tensor(node.output()).quantization) WarnOfSmallQuotients(node);
    }
    return {};
  }

 private:
  static bool OwnsRange(const GraphNode& node) {
    return DefinitionOf(node.type).output_quantization == OutputQuantization::kOwnRange;
  }

  /// What a `dequantize` node gives, and what is computed with it up to a `quantize` node.
  void FindKeptFloat() {
    kept_float_.assign(graph_.tensors.size(), false);
    for (const GraphNode& node : graph_.nodes) {
      if (node.type != OpType::kDequantize && node.type != OpType::kCast && !IsKeptFloat(node)) continue;
      for (const int32_t output : node.outputs)
        kept_float_[static_cast<size_t>(output)] = graph_.tensor(output).type == DType::kFloat32;
    }
  }

  bool IsKeptFloat(const GraphNode& node) const {
    if (node.type == OpType::kQuantize) return false;
    return std::any_of(node.inputs.begin(), node.inputs.end(),
                       [&](int32_t input) { return kept_float_[static_cast<size_t>(input)]; });
  }

  Status CheckRanges() {
    std::vector<std::string> missing;
    for (const GraphNode& node : graph_.nodes) {
      if (!OwnsRange(node) || IsKeptFloat(node)) continue;
      for (int32_t output : node.outputs) {
        if (graph_.tensor(output).type == DType::kFloat32 && !graph_.tensor(output).has_range) missing.push_back(graph_.tensor(output).name);
      }
    }
    if (missing.empty()) return {};
    if (!options_.default_range.has_value()) {
      return Unsupported(StrCat(NameOf(scheme_), " needs the range of every activation, missing: ",
                                Join(missing), "; train with the scheme ", NameOf(scheme_),
                                ", give `calibrate` DATA, or `default_range` MIN,MAX for a trial"));
    }
    const Range range = IncludingZero(*options_.default_range);
    if (!std::isfinite(range.max - range.min)) {
      return InvalidArgument(StrCat("default range [", range.min, ", ", range.max, "] is wider than float32 can tell"));
    }
    warnings_.push_back(StrCat("default range [", range.min, ", ", range.max, "] used for: ", Join(missing),
                               "; accuracy may be lost, since no training chose it"));
    return {};
  }

  /// The kernel shifts by 37 bits less the exponent of the scales' quotient; from 32 on, small quotients come out large.
  void WarnOfSmallQuotients(const GraphNode& node) {
    const auto scale = [&](int32_t index) { return graph_.tensor(index).quantization->params().scale; };
    const float quotient = scale(node.inputs[0]) / (scale(node.inputs[1]) * scale(node.output()));
    if (quotient >= 32) return;
    warnings_.push_back(StrCat("node '", node.name, "': the integer div of TFLite takes quotients of nearly 0 for the largest value "
                               "at these scales (", quotient, " steps per quotient of 1, expected 32 or more); multiply by the reciprocal instead"));
  }

  GraphTensor& InputOf(const GraphNode& node, int32_t position) {
    return graph_.tensor(node.inputs[static_cast<size_t>(position)]);
  }

  DType ElementType() const { return scheme_ == Scheme::kInt8 ? DType::kInt8 : DType::kUInt8; }

  void SetActivation(int32_t index, QuantizationParams params) {
    graph_.tensor(index).type = ElementType();
    graph_.tensor(index).quantization = TensorQuantization::PerTensor(params);
  }

  void QuantizeOutput(const GraphNode& node, int32_t output) {
    const OpDefinition& definition = DefinitionOf(node.type);
    if (graph_.tensor(output).type != DType::kFloat32) return;  // indices and the like
    switch (definition.output_quantization) {
      case OutputQuantization::kOwnRange:
        return SetActivation(output, ActivationParams(graph_.tensor(output)));
      case OutputQuantization::kSameAsInput:
      case OutputQuantization::kJoinsInputs:
        return SetActivation(output, InputOf(node, definition.data_input).quantization->params());
      case OutputQuantization::kFixed:
        return SetActivation(output, FixedParamsOf(definition.fixed_uint8, scheme_));
      case OutputQuantization::kNone:
        return;
    }
  }

  QuantizationParams ActivationParams(const GraphTensor& tensor) const {
    const QuantizedLimits limits = ActivationLimitsOf(scheme_);
    if (tensor.has_range) return NudgedParams(tensor.range, limits);
    const Range range = IncludingZero(*options_.default_range);
    return ChooseQuantizationParams(range.min, range.max, limits);
  }

  Status QuantizeParameters(const GraphNode& node) {
    const OpDefinition& definition = DefinitionOf(node.type);
    const auto input = [&](int32_t position) -> GraphTensor* {
      const bool there = position >= 0 && static_cast<size_t>(position) < node.inputs.size();
      return there ? &graph_.tensor(node.inputs[static_cast<size_t>(position)]) : nullptr;
    };
    GraphTensor* filter = input(definition.filter_input);
    GraphTensor* bias = input(definition.bias_input);
    const GraphTensor* data = input(definition.data_input);
    if (filter != nullptr && !data->is_constant() && !data->quantization)
      return Unsupported(StrCat("reads '", data->name, "', which is ", NameOf(data->type), ", expected real numbers"));
    if (data == filter || data == bias)
      return Unsupported(StrCat("'", data->name, "' is the data and a filter or bias of one node"));
    for (const int32_t index : node.inputs) {
      GraphTensor& tensor = graph_.tensor(index);
      if (!tensor.is_constant() || &tensor == filter || &tensor == bias) continue;
      const auto tied = TiedParams(node);
      if (tensor.type == DType::kFloat32) QAT_RETURN_IF_ERROR(QuantizeConstant(tensor, tied));
      QAT_RETURN_IF_ERROR(ExpectOneRole(tensor, tied ? Role::kTiedOperand : Role::kOperand));
    }
    if (filter == nullptr) return {};
    const int32_t axis = definition.filter_channel_axis;
    QAT_RETURN_IF_ERROR(ExpectOneRole(*filter, axis == 0 ? Role::kFilter : Role::kLastAxisFilter));
    if (!filter->quantization.has_value()) {
      QAT_RETURN_IF_ERROR(QuantizeFilter(*filter, axis, LeastScales(data->quantization->params().scale, bias)));
    }
    if (bias == nullptr) return {};
    if (bias->quantization.has_value()) return Unsupported(StrCat("bias '", bias->name, "' belongs to two nodes"));
    QAT_RETURN_IF_ERROR(ExpectOneRole(*bias, Role::kBias));
    return QuantizeBiases(*bias, input(definition.data_input)->quantization->params().scale, *filter,
                          static_cast<size_t>(axis));
  }

  enum class Role { kOperand, kTiedOperand, kFilter, kLastAxisFilter, kBias };

  /// Each role quantizes in its own way, so a constant that two nodes read must be the same to both.
  Status ExpectOneRole(const GraphTensor& tensor, Role role) {
    if (roles_.emplace(tensor.name, role).first->second == role) return {};
    return Unsupported(StrCat("'", tensor.name, "' is a filter, a bias or an operand here, and another of them elsewhere"));
  }

  /// What a constant must share with what it is joined to, or with the image that it is a border of: values beyond saturate.
  std::optional<QuantizationParams> TiedParams(const GraphNode& node) const {
    if (DefinitionOf(node.type).output_quantization != OutputQuantization::kJoinsInputs && node.type != OpType::kPadV2) return {};
    for (const int32_t index : node.inputs) {
      const GraphTensor& tensor = graph_.tensor(index);
      if (!tensor.is_constant() && tensor.quantization) return tensor.quantization->params();
    }
    return {};
  }

  /// A slope or another operand: like an activation, by what its node ties it to, else by the range of its values.
  Status QuantizeConstant(GraphTensor& tensor, std::optional<QuantizationParams> tied) {
    const QuantizedLimits limits = ActivationLimitsOf(scheme_);
    const std::vector<float> reals = RealValues(tensor);
    QAT_ASSIGN_OR_RETURN(const QuantizationParams own, ParamsFor(tensor.name, ConstantRange(tensor), limits));
    const QuantizationParams params = tied.value_or(own);
    SetQuantized(tensor, reals, {params}, reals.size(), limits);
    tensor.quantization = TensorQuantization::PerTensor(params);
    return {};
  }

  /// Values of slice c, `inner` at a time, by params[c].
  void SetQuantized(GraphTensor& tensor, const std::vector<float>& reals,
                    const std::vector<QuantizationParams>& params, size_t inner, QuantizedLimits limits) {
    std::vector<uint8_t> quantized;  // int8 by its bits
    for (size_t i = 0; i < reals.size(); ++i) {
      const QuantizationParams& p = params[i / inner % params.size()];
      quantized.push_back(static_cast<uint8_t>(QuantizeFakeQuant(reals[i], p, limits)));
    }
    SetValues(tensor, ElementType(), quantized);
  }

  /// The scales that the channels of a filter must have at least, so that their biases fit into an int32: channels of zeros, whose
  /// answer is their bias, would have next to none. Half of int32 is left to the sum. Empty: no bias.
  static std::vector<float> LeastScales(float input_scale, const GraphTensor* bias) {
    std::vector<float> least;
    if (bias == nullptr || bias->type != DType::kFloat32) return least;
    constexpr float kMostSteps = 1 << 30;
    for (const float value : RealValues(*bias)) least.push_back(std::abs(value) / input_scale / kMostSteps);
    return least;
  }

  /// Per tensor: the trained range, or that of the values themselves as the classic converter does with constants. Per
  /// axis: always the values themselves, as training did.
  Status QuantizeFilter(GraphTensor& filter, int32_t channel_axis, const std::vector<float>& least_scales) {
    const std::vector<float> reals = RealValues(filter);
    const QuantizedLimits limits = FilterLimitsOf(scheme_);
    const auto axis = static_cast<size_t>(channel_axis);
    std::vector<Range> ranges = FiltersPerAxis(scheme_)
                                    ? SliceRanges(reals, filter.shape, axis)
                                    : SliceRanges(reals, {1, static_cast<int32_t>(reals.size())}, 0);
    if (!FiltersPerAxis(scheme_) && filter.has_range) ranges = {filter.range};
    std::vector<QuantizationParams> params;
    TensorQuantization quantization;
    quantization.dimension = ranges.size() > 1 ? channel_axis : 0;
    for (const Range& range : ranges) {
      QAT_ASSIGN_OR_RETURN(QuantizationParams own, ParamsFor(filter.name, FilterRangeOf(range, scheme_), limits));
      if (FiltersPerAxis(scheme_) && ranges.size() == least_scales.size())
        own.scale = std::max(own.scale, least_scales[params.size()]);
      params.push_back(own);
      quantization.scale.push_back(params.back().scale);
      quantization.zero_point.push_back(params.back().zero_point);
    }
    SetQuantized(filter, reals, params, InnerSize(filter.shape, axis), limits);
    filter.quantization = std::move(quantization);
    return {};
  }

  Status QuantizeBiases(GraphTensor& bias, float input_scale, const GraphTensor& filter, size_t axis) {
    const TensorQuantization& by = *filter.quantization;
    TensorQuantization own;
    for (const float scale : by.scale) {
      own.scale.push_back(input_scale * scale);
      if (!std::isnormal(own.scale.back())) {
        return Numerical(StrCat("bias '", bias.name, "' would have the scale ", input_scale, " x ", scale,
                                ", which float32 cannot tell"));
      }
      own.zero_point.push_back(0);
    }
    std::vector<int32_t> quantized;
    for (const float real : RealValues(bias)) {
      quantized.push_back(QuantizeBias(real, input_scale, by.scale[quantized.size() % by.scale.size()]));
    }
    WarnOfOverflow(quantized, filter, axis, bias.name);
    SetValues(bias, DType::kInt32, quantized);
    bias.quantization = std::move(own);
    return {};
  }

  /// The accumulator is an int32: with inputs that move real zero by up to 255 steps, a channel reaches at most
  /// |bias| + 255 * sum |w - zero_point|.
  void WarnOfOverflow(const std::vector<int32_t>& bias, const GraphTensor& filter, size_t axis,
                      const std::string& name) {
    const TensorQuantization& q = *filter.quantization;
    const size_t inner = InnerSize(filter.shape, axis);
    std::vector<int64_t> reach(bias.size());
    for (size_t i = 0; i < filter.data.size(); ++i) {
      const size_t c = i / inner % reach.size();
      const int32_t value =
          filter.type == DType::kInt8 ? static_cast<int8_t>(filter.data[i]) : filter.data[i];
      reach[c] += 255 * std::abs(value - q.zero_point[c % q.zero_point.size()]);
    }
    for (size_t c = 0; c < bias.size(); ++c) {
      reach[c] += std::abs(int64_t{bias[c]});
      if (reach[c] <= std::numeric_limits<int32_t>::max()) continue;
      warnings_.push_back(StrCat("channel ", c, " of '", name, "' may overflow the int32 accumulator: up to ",
                                 reach[c], " in steps of ", q.scale[c % q.scale.size()],
                                 " times the input's"));
      return;
    }
  }

  Graph& graph_;
  const QuantizationOptions& options_;
  const Scheme scheme_;
  std::vector<std::string>& warnings_;
  std::vector<bool> kept_float_;       // by tensor
  std::map<std::string, Role> roles_;  // of the constants seen so far
};

bool ChangesFormOnly(const GraphNode& node) {
  return node.type == OpType::kQuantize || node.type == OpType::kDequantize;
}

// A `quantize` node gives what it reads a range of its own, and a `dequantize` node has none: nothing to real values.
void RemoveRequantization(Graph& graph) {
  for (GraphNode& node : graph.nodes) {
    if (!ChangesFormOnly(node)) continue;
    const auto replace = [&](std::vector<int32_t>& indices) {
      std::replace(indices.begin(), indices.end(), node.output(), node.inputs[0]);
    };
    for (GraphNode& reader : graph.nodes) replace(reader.inputs);
    replace(graph.outputs);
  }
  std::erase_if(graph.nodes, ChangesFormOnly);
  RemoveUnusedTensors(graph);
}

}  // namespace

Status ChooseQuantization(Graph& graph, const QuantizationOptions& options,
                          std::vector<std::string>& warnings) {
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.quantization.has_value())
      return InvalidArgument(StrCat("tensor '", tensor.name, "' is quantized already"));
  }
  if (options.scheme == Scheme::kFloat32) {
    if (options.input.has_value())
      warnings.push_back("input stats say nothing to a float32 model: they are ignored");
    if (options.default_range.has_value()) {
      warnings.push_back("a default range says nothing to a float32 model: it is ignored");
    }
    RemoveRequantization(graph);
    return {};
  }
  if (options.input.has_value()) {
    for (const InputContract& input : graph.contract.inputs) {
      const std::string contradiction = DescribeInputContradiction(input, *options.input);
      if (!contradiction.empty()) warnings.push_back(contradiction);
    }
  }
  if (graph.scheme != "float32" && graph.scheme != NameOf(options.scheme)) {
    warnings.push_back(StrCat("the network was trained for ", graph.scheme, " and is converted to ",
                              NameOf(options.scheme), ": its filters have not adapted to that grid"));
  }
  return Quantizer(graph, options, warnings).Run();
}

}  // namespace qat
