#include <cmath>
#include <limits>

#include "base/slices.h"
#include "base/strings.h"
#include "ir/constants.h"
#include "plan/plan.h"

namespace qat {
namespace {

class Applier {
 public:
  Applier(const QuantizationPlan& plan, Graph& graph, std::vector<std::string>& warnings)
      : plan_(plan), graph_(graph), warnings_(warnings) {}

  void Run() {
    for (const TensorPlan& plan : plan_.tensors) {
      GraphTensor& tensor = graph_.tensor(plan.tensor);
      if (plan.role == PlannedRole::kFilter || plan.role == PlannedRole::kOperand)
        StoreIntegers(plan, tensor);
      if (plan.role == PlannedRole::kBias) StoreBiases(plan, tensor);
      tensor.type = plan.precision.type;
      tensor.quantization = QuantizationOf(plan);
    }
    for (GraphNode& node : graph_.nodes) {
      SetScalesOption(node);
      if (node.type == OpType::kDiv && graph_.tensor(node.output()).quantization) WarnOfSmallQuotients(node);
    }
  }

 private:
  /// A file that does not say otherwise promises scales that are powers of 2.
  void SetScalesOption(GraphNode& node) const {
    if (node.type != OpType::kAdd && node.type != OpType::kSub) return;
    if (graph_.tensor(node.output()).type == DType::kInt16)
      std::get<BinaryAttributes>(node.attributes).power_of_two_scales = false;
  }

  static TensorQuantization QuantizationOf(const TensorPlan& plan) {
    TensorQuantization quantization;
    quantization.dimension = plan.params.size() > 1 && plan.role == PlannedRole::kFilter ? plan.axis : 0;
    for (const QuantizationParams& params : plan.params) {
      quantization.scale.push_back(params.scale);
      quantization.zero_point.push_back(params.zero_point);
    }
    return quantization;
  }

  void StoreIntegers(const TensorPlan& plan, GraphTensor& tensor) {
    const std::vector<float> reals = RealValues(tensor);
    const QuantizedLimits limits = LimitsOf(plan.precision);
    const size_t inner = plan.role == PlannedRole::kFilter
                             ? InnerSize(tensor.shape, static_cast<size_t>(plan.axis))
                             : reals.size();
    std::vector<int32_t> integers;
    for (size_t i = 0; i < reals.size(); ++i)
      integers.push_back(QuantizeFakeQuant(reals[i], plan.params[i / inner % plan.params.size()], limits));
    if (plan.role == PlannedRole::kFilter) filters_[plan.tensor] = {&plan, inner, integers};
    SetIntegers(tensor, plan.precision.type, integers);
  }

  void StoreBiases(const TensorPlan& plan, GraphTensor& tensor) {
    const std::vector<float> reals = RealValues(tensor);
    if (plan.precision.type == DType::kInt64) {
      std::vector<int64_t> wide;
      for (size_t c = 0; c < reals.size(); ++c)
        wide.push_back(QuantizeWideBias(reals[c], plan.params[c % plan.params.size()].scale));
      return SetValues(tensor, DType::kInt64, wide);
    }
    std::vector<int32_t> steps;
    for (size_t c = 0; c < reals.size(); ++c)
      steps.push_back(QuantizeBias(reals[c], plan.params[c % plan.params.size()].scale, 1));
    WarnOfOverflow(steps, plan, tensor.name);
    SetValues(tensor, DType::kInt32, steps);
  }

  /// The accumulator is an int32: with inputs that move real zero by up to 255 steps, a channel reaches at
  /// most |bias| + 255 * sum |w - zero_point|.
  void WarnOfOverflow(const std::vector<int32_t>& bias, const TensorPlan& plan, const std::string& name) {
    const auto found = filters_.find(plan.shares);
    if (found == filters_.end()) return;
    const auto& [by, inner, integers] = found->second;
    std::vector<int64_t> reach(bias.size());
    for (size_t i = 0; i < integers.size(); ++i) {
      const size_t c = i / inner % reach.size();
      reach[c] += int64_t{255} * std::abs(integers[i] - by->params[c % by->params.size()].zero_point);
    }
    for (size_t c = 0; c < bias.size(); ++c) {
      reach[c] += std::abs(int64_t{bias[c]});
      if (reach[c] <= std::numeric_limits<int32_t>::max()) continue;
      warnings_.push_back(StrCat("channel ", c, " of '", name, "' may overflow the int32 accumulator: up to ",
                                 reach[c], " in steps of ", by->params[c % by->params.size()].scale,
                                 " times the input's"));
      return;
    }
  }

  /// The kernel shifts by 37 bits less the exponent of the scales' quotient; from 32 on, small quotients come
  /// out large.
  void WarnOfSmallQuotients(const GraphNode& node) {
    const auto scale = [&](int32_t index) { return graph_.tensor(index).quantization->params().scale; };
    const float quotient = scale(node.inputs[0]) / (scale(node.inputs[1]) * scale(node.output()));
    if (quotient >= 32) return;
    warnings_.push_back(StrCat(
        "node '", node.name,
        "': the integer div of TFLite takes quotients of nearly 0 for the largest value "
        "at these scales (",
        quotient, " steps per quotient of 1, expected 32 or more); multiply by the reciprocal instead"));
  }

  struct Filter {
    const TensorPlan* plan;
    size_t inner;
    std::vector<int32_t> integers;
  };

  const QuantizationPlan& plan_;
  Graph& graph_;
  std::vector<std::string>& warnings_;
  std::map<int32_t, Filter> filters_;  // by tensor, for the biases that follow
};

}  // namespace

void ApplyPlan(const QuantizationPlan& plan, Graph& graph, std::vector<std::string>& warnings) {
  Applier(plan, graph, warnings).Run();
}

}  // namespace qat
