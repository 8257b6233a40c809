#include <algorithm>
#include <cmath>
#include <limits>

#include "base/slices.h"
#include "base/strings.h"
#include "contract/input_params.h"
#include "contract/provenance.h"
#include "ir/constants.h"
#include "ir/range_groups.h"
#include "ir/real_tensors.h"
#include "ops/integer_kernels.h"
#include "plan/plan.h"
#include "plan/stays_real.h"

namespace qat {
namespace {

/// NudgedParams, where the range is one that float32 can divide into steps.
Expected<QuantizationParams> ParamsFor(const std::string& name, Range range, QuantizedLimits limits) {
  if (std::isfinite(range.max - range.min)) return NudgedParams(range, limits);
  return Numerical(StrCat("'", name, "' needs the range [", range.min, ", ", range.max,
                          "], which is wider than float32 can tell; the training diverged"));
}

/// One run over a graph that is known to be complete.
class Planner {
 public:
  Planner(const Graph& graph, const QuantizationOptions& options, std::vector<std::string>& warnings)
      : graph_(graph),
        options_(options),
        precisions_(options.precisions),
        warnings_(warnings),
        groups_(FindRangeGroups(graph)),
        place_(graph.tensors.size(), -1) {}

  Expected<QuantizationPlan> Run() {
    plan_.precisions = precisions_;
    stays_real_ = StaysReal(graph_);
    FindWide();
    std::vector<PlacedOp> ops, wide;
    for (const GraphNode& node : graph_.nodes) {
      if (!IsKeptFloat(node) && TouchesReals(graph_, node))
        (IsWide(node) ? wide : ops).push_back({node.name, node.type});
    }
    QAT_RETURN_IF_ERROR(ExpectIntegerKernels(ops, precisions_.activations.type));
    QAT_RETURN_IF_ERROR(ExpectIntegerKernels(wide, DType::kInt16));
    QAT_RETURN_IF_ERROR(CheckRanges());
    QAT_RETURN_IF_ERROR(PlanInputs());
    for (const GraphNode& node : graph_.nodes) {
      if (IsKeptFloat(node)) continue;
      QAT_RETURN_IF_ERROR_IN(StrCat("node '", node.name, "'"), PlanParameters(node));
      for (const int32_t output : node.outputs)
        QAT_RETURN_IF_ERROR_IN(StrCat("node '", node.name, "'"), PlanOutput(node, output));
    }
    if (!wider_.empty())
      warnings_.push_back(StrCat("TFLite takes no 4 bits of these filters, so they have 8: ", Join(wider_)));
    return std::move(plan_);
  }

 private:
  bool IsKeptFloat(const GraphNode& node) const { return ComputesReals(node, stays_real_); }

  bool IsWide(const GraphNode& node) const { return options_.int16_nodes.contains(node.name); }

  void FindWide() {
    wide_.assign(graph_.tensors.size(), false);
    for (const GraphNode& node : graph_.nodes) {
      for (const int32_t output : node.outputs) wide_[static_cast<size_t>(output)] = IsWide(node);
    }
  }

  /// Of what a node computes, and of the operands that it reads.
  Precision ActivationsIn(const GraphNode& node) const {
    return IsWide(node) ? kInt16Activations : precisions_.activations;
  }
  Precision ActivationsAt(int32_t tensor) const {
    return wide_[static_cast<size_t>(tensor)] ? kInt16Activations : precisions_.activations;
  }

  Status CheckRanges() {
    std::vector<std::string> missing;
    for (const GraphNode& node : graph_.nodes) {
      if (!OwnsRange(node) || IsKeptFloat(node)) continue;
      for (int32_t output : node.outputs) {
        if (graph_.tensor(output).type == DType::kFloat32 && !graph_.tensor(output).has_range)
          missing.push_back(graph_.tensor(output).name);
      }
    }
    if (missing.empty()) return {};
    if (!options_.default_range.has_value()) {
      return Unsupported(
          StrCat(NameOf(precisions_), " needs the range of every activation, missing: ", Join(missing),
                 "; train with the scheme ", precisions_.activations.type == DType::kUInt8 ? "uint8" : "int8",
                 " (`calibrate` DATA finds them without training, `default_range` MIN,MAX is for a trial)"));
    }
    const Precision& widest = options_.int16_nodes.empty() ? precisions_.activations : kInt16Activations;
    const Range range = Symmetric(IncludingZero(*options_.default_range), widest);
    if (!std::isfinite(range.max - range.min)) {
      return InvalidArgument(
          StrCat("default range [", range.min, ", ", range.max, "] is wider than float32 can tell"));
    }
    warnings_.push_back(StrCat("default range [", range.min, ", ", range.max, "] used for: ", Join(missing),
                               "; accuracy may be lost, since no training chose it"));
    return {};
  }

  Status PlanInputs() {
    for (size_t i = 0; i < graph_.inputs.size(); ++i) {
      QuantizationParams input;
      if (options_.input) {
        QAT_ASSIGN_OR_RETURN(input, OfInputStats(*options_.input));
      } else {
        input = InputParams(graph_.contract.inputs.at(i), precisions_.activations);
      }
      if (!(input.scale > 0) || !std::isfinite(input.scale))
        return Numerical(
            StrCat("the input would have the scale ", input.scale, ", expected a positive number"));
      if (graph_.tensor(graph_.inputs[i]).type != DType::kFloat32) continue;
      TensorPlan& plan = Add(graph_.inputs[i], PlannedRole::kInput, precisions_.activations);
      plan.params = {input};
      plan.reason = options_.input ? "the input stats given" : "the input contract";
    }
    return {};
  }

  /// The parameters of bytes, as those of the activations.
  Expected<QuantizationParams> OfInputStats(QuantizationParams uint8) const {
    const Precision& activations = precisions_.activations;
    if (!activations.symmetric) return FixedParamsOf(uint8, activations.type);
    const Range range = RangeFor(activations, RepresentableRange(uint8, kUInt8Limits));
    if (std::isfinite(range.max - range.min)) return NudgedParams(range, LimitsOf(activations));
    return InvalidArgument(StrCat("the input stats mean the range [", range.min, ", ", range.max,
                                  "], which is wider than float32 can tell"));
  }

  bool IsPlanned(int32_t tensor) const { return place_[static_cast<size_t>(tensor)] >= 0; }
  const TensorPlan& PlanOf(int32_t tensor) const {
    return plan_.tensors[static_cast<size_t>(place_[static_cast<size_t>(tensor)])];
  }
  QuantizationParams ParamsOf(int32_t tensor) const { return PlanOf(tensor).params.at(0); }

  TensorPlan& Add(int32_t tensor, PlannedRole role, const Precision& precision) {
    place_[static_cast<size_t>(tensor)] = static_cast<int32_t>(plan_.tensors.size());
    TensorPlan plan;
    plan.tensor = tensor;
    plan.role = role;
    plan.precision = precision;
    plan_.tensors.push_back(std::move(plan));
    return plan_.tensors.back();
  }

  Status PlanOutput(const GraphNode& node, int32_t output) {
    const OpDefinition& definition = DefinitionOf(node.type);
    if (graph_.tensor(output).type != DType::kFloat32) return {};  // indices and the like
    if (definition.output_quantization == OutputQuantization::kNone) return {};
    TensorPlan& plan = Add(output, PlannedRole::kActivation, ActivationsIn(node));
    switch (definition.output_quantization) {
      case OutputQuantization::kOwnRange:
        return PlanOwnRange(node, graph_.tensor(output), plan);
      case OutputQuantization::kSameAsInput:
      case OutputQuantization::kJoinsInputs: {
        const int32_t source = node.inputs[static_cast<size_t>(definition.data_input)];
        const int32_t owner = PlanOf(source).shares >= 0 ? PlanOf(source).shares : source;
        plan.params = {ParamsOf(source)};
        plan.shares = owner;
        plan.reason = StrCat("as '", graph_.tensor(owner).name, "'");
        break;
      }
      case OutputQuantization::kFixed:
        plan.params = {FixedParamsOf(definition.fixed_uint8, plan.precision.type)};
        plan.reason = "fixed by TFLite's specification";
        break;
      case OutputQuantization::kNone:
        break;
    }
    return {};
  }

  /// Below this scale of its output TFLite's kernel aborts the process, or the multiplier of sums of products
  /// is more than its shift holds; twice the bound. 0: there is none.
  /// Source    add.cc, sub.cc: 2 largest / 2^20 / output < 1 (int16: 2^15); squared_difference.cc:
  ///           4 largest^2 / 2^14 / output < 1; quantization_util.cc: input filter / output < 2^30.
  double LeastScaleOf(const GraphNode& node) const {
    if (const double product = ProductScaleOf(node); product > 0) return product * 0x1p-29;
    const bool is_sum = node.type == OpType::kAdd || node.type == OpType::kSub;
    if (!is_sum && node.type != OpType::kSquaredDifference) return 0;
    double largest = 0;
    for (const int32_t input : node.inputs) {
      if (IsPlanned(input)) largest = std::max(largest, double{ParamsOf(input).scale});
    }
    if (!is_sum) return largest * largest * 0x1p-11;
    return largest * (ActivationsIn(node).type == DType::kInt16 ? 0x1p-13 : 0x1p-18);
  }

  /// The largest scale of the products that a node sums; 0: it sums none.
  double ProductScaleOf(const GraphNode& node) const {
    const OpDefinition& definition = node.definition();
    const bool of_two = node.type == OpType::kBatchMatMul || node.type == OpType::kMul;
    const int32_t data = of_two ? node.inputs[0] : node.InputAt(definition.data_input),
                  by = of_two ? node.inputs[1] : node.InputAt(definition.filter_input);
    if (data < 0 || by < 0 || !IsPlanned(data) || !IsPlanned(by)) return 0;
    double largest = 0;
    for (const QuantizationParams& params : PlanOf(by).params)
      largest = std::max(largest, double{params.scale});
    return largest * ParamsOf(data).scale;
  }

  /// The output was hardly ever anything but 0: a wider range holds the same values.
  void Widen(const GraphNode& node, TensorPlan& plan) {
    QuantizationParams& params = plan.params.at(0);
    const double least = LeastScaleOf(node);
    if (2 * double{params.scale} > least) return;
    const Range narrow = *plan.range;
    params.scale = static_cast<float>(least);
    plan.range = RepresentableRange(params, LimitsOf(plan.precision));
    plan.reason += ", widened to what TFLite's kernel takes beside its inputs";
    warnings_.push_back(StrCat("'", node.name, "': the range [", narrow.min, ", ", narrow.max,
                               "] of its output is too narrow for TFLite beside its inputs; widened to [",
                               plan.range->min, ", ", plan.range->max, "]"));
  }

  Status PlanOwnRange(const GraphNode& node, const GraphTensor& tensor, TensorPlan& plan) {
    const QuantizedLimits limits = LimitsOf(plan.precision);
    if (tensor.has_range) {
      plan.range = tensor.range;
      QAT_ASSIGN_OR_RETURN(const QuantizationParams own,
                           ParamsFor(tensor.name, Symmetric(tensor.range, plan.precision), limits));
      plan.params = {own};
      const bool calibrated = graph_.provenance.contains(kCalibrationKey);
      plan.reason = !options_.reason.empty() ? options_.reason
                    : calibrated             ? "calibrated range"
                                             : "trained range";
      if (!options_.reason.empty() && tensor.range == Range{0, 0}) {
        warnings_.push_back(StrCat("'", tensor.name, "': ", options_.reason,
                                   " gives it the range [0, 0], in which every value is 0"));
      }
      Widen(node, plan);
      return {};
    }
    const Range range = IncludingZero(*options_.default_range);
    plan.range = range;
    plan.params = {plan.precision.symmetric ? NudgedParams(Symmetric(range, plan.precision), limits)
                                            : ChooseQuantizationParams(range.min, range.max, limits)};
    plan.reason = "default range";
    Widen(node, plan);
    return {};
  }

  /// A range around 0 where the activations want one.
  static Range Symmetric(Range range, const Precision& activations) {
    return activations.symmetric ? RangeFor(activations, range) : range;
  }

  Status PlanParameters(const GraphNode& node) {
    const OpDefinition& definition = DefinitionOf(node.type);
    const auto input = [&](int32_t position) {
      const bool there = position >= 0 && static_cast<size_t>(position) < node.inputs.size();
      return there ? node.inputs[static_cast<size_t>(position)] : -1;
    };
    const int32_t filter = input(definition.filter_input);
    const int32_t bias = input(definition.bias_input);
    const int32_t data = input(definition.data_input);
    if (filter >= 0 && !graph_.tensor(data).is_constant() && !IsPlanned(data))
      return Unsupported(StrCat("reads '", graph_.tensor(data).name, "', which is ",
                                NameOf(graph_.tensor(data).type), ", expected real numbers"));
    if (data >= 0 && (data == filter || data == bias))
      return Unsupported(
          StrCat("'", graph_.tensor(data).name, "' is the data and a filter or bias of one node"));
    for (const int32_t index : node.inputs) {
      const GraphTensor& tensor = graph_.tensor(index);
      if (!tensor.is_constant() || index == filter || index == bias) continue;
      const int32_t tied = TiedTo(node);
      if (tensor.type == DType::kFloat32 && !IsPlanned(index))
        QAT_RETURN_IF_ERROR(PlanOperand(index, tied, JointRange(node, tied), ActivationsIn(node)));
      QAT_RETURN_IF_ERROR(ExpectOneUse(tensor, tied >= 0 ? Use::kTiedOperand : Use::kOperand));
      if (IsPlanned(index) && PlanOf(index).precision != ActivationsIn(node))
        return Unsupported(StrCat("reads the constant '", tensor.name, "' as ",
                                  NameOf(ActivationsIn(node).type), ", and another node as ",
                                  NameOf(PlanOf(index).precision.type)));
    }
    if (filter < 0) return {};
    const int32_t axis = definition.filter_channel_axis;
    QAT_RETURN_IF_ERROR(ExpectOneUse(graph_.tensor(filter), axis == 0 ? Use::kFilter : Use::kLastAxisFilter));
    if (!IsPlanned(filter))
      QAT_RETURN_IF_ERROR(
          PlanFilter(node, filter, LeastScales(node, ParamsOf(data).scale, bias, ActivationsAt(data))));
    if (bias < 0) return {};
    if (IsPlanned(bias))
      return Unsupported(StrCat("bias '", graph_.tensor(bias).name, "' belongs to two nodes"));
    QAT_RETURN_IF_ERROR(ExpectOneUse(graph_.tensor(bias), Use::kBias));
    return PlanBias(bias, data, filter);
  }

  enum class Use { kOperand, kTiedOperand, kFilter, kLastAxisFilter, kBias };

  /// Each use quantizes in its own way, so a constant that two nodes read must be the same to both.
  Status ExpectOneUse(const GraphTensor& tensor, Use use) {
    if (uses_.emplace(tensor.name, use).first->second == use) return {};
    return Unsupported(
        StrCat("'", tensor.name, "' is a filter, a bias or an operand here, and another of them elsewhere"));
  }

  /// What a constant must share with what it is joined to: values beyond saturate.
  int32_t TiedTo(const GraphNode& node) const {
    if (DefinitionOf(node.type).output_quantization != OutputQuantization::kJoinsInputs) return -1;
    for (const int32_t index : node.inputs) {
      if (!graph_.tensor(index).is_constant() && IsPlanned(index)) return index;
    }
    return -1;
  }

  /// Of constants that a node ties to one another alone, as the two values of a binary activation.
  std::optional<Range> JointRange(const GraphNode& node, int32_t tied) const {
    if (tied >= 0 || node.definition().output_quantization != OutputQuantization::kJoinsInputs)
      return std::nullopt;
    const RangeGroup& group = groups_.Of(node.outputs[0]);
    const GraphTensor* first = group.observed.empty() ? nullptr : &graph_.tensor(group.observed.front());
    return first != nullptr && first->has_range ? first->range : group.With({});
  }

  /// A slope or another operand: like an activation, by what its node ties it to, else by the range of its
  /// values, or of all that share it.
  Status PlanOperand(int32_t index, int32_t tied, const std::optional<Range>& joint,
                     const Precision& precision) {
    const GraphTensor& tensor = graph_.tensor(index);
    const Range range = joint ? *joint : ConstantRange(tensor);
    QAT_ASSIGN_OR_RETURN(const QuantizationParams own,
                         ParamsFor(tensor.name, Symmetric(range, precision), LimitsOf(precision)));
    TensorPlan& plan = Add(index, PlannedRole::kOperand, precision);
    if (tied >= 0) {
      plan.params = {ParamsOf(tied)};
      plan.shares = PlanOf(tied).shares >= 0 ? PlanOf(tied).shares : tied;
      plan.reason = StrCat("as '", graph_.tensor(plan.shares).name, "'");
      return {};
    }
    plan.range = range;
    plan.params = {own};
    plan.reason = joint ? "the range of what shares it" : "the range of its values";
    return {};
  }

  /// The scales that the channels of a filter must have at least, so that their biases fit into an int32:
  /// channels of zeros, whose answer is their bias, would have next to none. Half of int32 is left to the sum
  /// (beside int16, of 2^46). A multiplier of input times filter over output below 2^-32 is 0 to TFLite, and
  /// the bias with it; sums of 32 bits are above that where the bias is a step of the output. Empty: no bias.
  std::vector<float> LeastScales(const GraphNode& node, float input_scale, int32_t bias,
                                 const Precision& input) const {
    std::vector<float> least;
    if (bias < 0 || graph_.tensor(bias).type != DType::kFloat32) return least;
    const bool wide = SumTypeOf(input) == DType::kInt64;
    const float most_steps = wide ? 0x1p45f : 0x1p30f;
    const GraphTensor& output = graph_.tensor(node.outputs[0]);
    const float output_scale =
        wide && output.has_range ? std::max(-output.range.min, output.range.max) / 32767 : 0;
    for (const float value : RealValues(graph_.tensor(bias))) {
      least.push_back(std::abs(value) / input_scale / most_steps);
      if (std::abs(value) >= output_scale / 2)
        least.back() = std::max(least.back(), output_scale / input_scale * 0x1p-30f);
    }
    return least;
  }

  /// Per tensor: the trained range, or that of the values themselves as the classic converter does with
  /// constants. Per axis: always the values themselves, as training did.
  Status PlanFilter(const GraphNode& node, int32_t index, const std::vector<float>& least_scales) {
    const GraphTensor& filter = graph_.tensor(index);
    const std::vector<float> reals = RealValues(filter);
    const auto given = options_.filters.find(filter.name);
    const FilterChoice* choice = given == options_.filters.end() ? nullptr : &given->second;
    Precision precision = FilterPrecision(node.type, precisions_);
    if (IsWide(node)) precision = WithBits(precision, 8);  // TFLite has no filters of 4 bits beside int16
    if (choice != nullptr && choice->bits) precision = WithBits(precision, *choice->bits);
    if (choice != nullptr && choice->granularity) precision.granularity = *choice->granularity;
    if (precision.bits > precisions_.filters.bits && (!TakesFourBits(node.type) || IsWide(node)))
      wider_.push_back(StrCat("'", filter.name, "' (", node.definition().name, ")"));
    const int32_t channel_axis = DefinitionOf(node.type).filter_channel_axis;
    std::vector<Range> ranges = precision.per_axis()
                                    ? SliceRanges(reals, filter.shape, static_cast<size_t>(channel_axis))
                                    : SliceRanges(reals, {1, static_cast<int32_t>(reals.size())}, 0);
    TensorPlan plan;
    plan.reason = "the range of its values";
    if (!precision.per_axis()) {
      if (filter.has_range) plan.reason = "trained range", ranges = {filter.range};
      if (choice != nullptr && choice->range) ranges = {*choice->range};
      plan.range = ranges[0];
    }
    if (choice != nullptr && !options_.reason.empty()) plan.reason = options_.reason;
    const bool symmetric_int32 = precision.symmetric && !least_scales.empty();
    for (size_t i = 0; i < ranges.size(); ++i) {
      QAT_ASSIGN_OR_RETURN(QuantizationParams own,
                           ParamsFor(filter.name, RangeFor(precision, ranges[i]), LimitsOf(precision)));
      if (symmetric_int32) {
        const float least = ranges.size() == least_scales.size()
                                ? least_scales[i]
                                : *std::max_element(least_scales.begin(), least_scales.end());
        own.scale = std::max(own.scale, least);
      }
      plan.params.push_back(own);
    }
    TensorPlan& added = Add(index, PlannedRole::kFilter, precision);
    added.range = plan.range;
    added.params = std::move(plan.params);
    added.axis = channel_axis;
    added.reason = std::move(plan.reason);
    return {};
  }

  Status PlanBias(int32_t index, int32_t data, int32_t filter) {
    const float input_scale = ParamsOf(data).scale;
    std::vector<QuantizationParams> params;
    for (const QuantizationParams& by : PlanOf(filter).params) {
      params.push_back({input_scale * by.scale, 0});
      if (!std::isnormal(params.back().scale)) {
        return Numerical(StrCat("bias '", graph_.tensor(index).name, "' would have the scale ", input_scale,
                                " x ", by.scale, ", which float32 cannot tell"));
      }
    }
    const DType sums = SumTypeOf(ActivationsAt(data));
    TensorPlan& plan = Add(index, PlannedRole::kBias,
                           {.type = sums, .bits = static_cast<int32_t>(BitsOf(sums)), .symmetric = true});
    plan.params = std::move(params);
    plan.shares = filter;
    plan.reason = StrCat("the scale of '", graph_.tensor(data).name, "' times that of '",
                         graph_.tensor(filter).name, "'");
    return {};
  }

  const Graph& graph_;
  const QuantizationOptions& options_;
  const Precisions precisions_;
  std::vector<std::string>& warnings_;
  const RangeGroups groups_;
  std::vector<int32_t> place_;  // of each tensor in the plan; -1: not there
  QuantizationPlan plan_;
  std::vector<bool> stays_real_;     // by tensor
  std::vector<bool> wide_;           // by tensor: computed as int16 beside int8
  std::vector<std::string> wider_;   // filters of 8 bits where 4 were asked for
  std::map<std::string, Use> uses_;  // of the constants seen so far
};

}  // namespace

Expected<QuantizationPlan> MakePlan(const Graph& graph, const QuantizationOptions& options,
                                    std::vector<std::string>& warnings) {
  return Planner(graph, options, warnings).Run();
}

}  // namespace qat
