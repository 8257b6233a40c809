// plan.h: what every tensor of a network is quantized to, and why, as data: decided by one function, applied
// by another.
#ifndef QAT_PLAN_PLAN_H_
#define QAT_PLAN_PLAN_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/expected.h"
#include "ir/graph.h"
#include "quant/params.h"
#include "quant/precision.h"

namespace qat {

enum class PlannedRole : uint8_t {
  kInput,       ///< of the graph: as its contract says
  kActivation,  ///< what a node computes
  kOperand,     ///< a constant that is neither filter nor bias: a slope, a mask
  kFilter,
  kBias,  ///< in steps of input scale * filter scale
};

struct TensorPlan {
  int32_t tensor = -1;
  PlannedRole role = PlannedRole::kActivation;
  Precision precision;
  std::optional<Range>
      range;  ///< that the parameters were made of; none: fixed, shared, or one for each channel
  std::vector<QuantizationParams> params;  ///< one, or one for each slice along `axis`
  int32_t axis = 0;
  int32_t shares = -1;  ///< the tensor that it must have the parameters of; -1: its own
  std::string reason;   ///< "trained range", "fixed by TFLite's specification", …
};

struct QuantizationPlan {
  Precisions precisions;
  std::vector<TensorPlan>
      tensors;  ///< each tensor once, none before what it depends on; what stays real is not listed
};

/// How one filter is quantized instead of as the others.
struct FilterChoice {
  std::optional<int32_t> bits;             ///< 4 or 8
  std::optional<Granularity> granularity;  ///< one scale for the tensor or one for each channel
  std::optional<Range> range;              ///< with one scale for the tensor only
  bool operator==(const FilterChoice&) const = default;
};

struct QuantizationOptions {
  Precisions precisions = PrecisionsOf(Scheme::kUInt8);  ///< of the model to write
  std::optional<QuantizationParams> input;  ///< overrides the contract's: a classic input_stats, as of uint8
  std::optional<Range> default_range;  ///< for activations that have none (dummy quantization, warned about)
  std::map<std::string, FilterChoice> filters;  ///< by name of the tensor
  std::set<std::string> int16_nodes;  ///< that compute on int16 beside activations of int8 (KeepInt16)
  std::string reason;                 ///< of the ranges that the graph has; empty: it says so itself

  bool is_real() const { return precisions.activations.type == DType::kFloat32; }
};

/// Decides for every real tensor: activations by NudgedParams of their range; filters by RangeFor of the
/// trained range or of their values, per tensor or per output channel; biases in steps of input times filter;
/// other constants by the range of their values; outputs that share or fix parameters by the operator's rule.
/// What lies between `dequantize` and `quantize` stays real. A channel's scale is at least what its bias
/// needs to fit into half of an int32 (of 2^46 beside int16). Activations of int16, of the whole network or
/// of `int16_nodes`, have the zero point 0 and a range around it. Filters that TFLite does not take in 4 bits
/// have 8, with a warning.
/// Requires  a verified frozen graph without quantization and a quantized scheme.
/// Errors: kUnsupported (operators without a kernel for the integers; every activation without a range;
/// constants that two nodes use differently), kNumerical (a range that float32 cannot divide into steps),
/// kInvalidArgument (default range).
Expected<QuantizationPlan> MakePlan(const Graph& graph, const QuantizationOptions& options,
                                    std::vector<std::string>& warnings);

/// Gives tensors their types and parameters and turns constants into integers: filters, operands by
/// QuantizeFakeQuant; biases by rounding half away from zero. Sums and differences of int16 get the option
/// that their scales are no powers of 2. Warns of accumulators that could leave int32 and of quotients too
/// small for TFLite's div.
/// Requires  a plan of this graph.
void ApplyPlan(const QuantizationPlan& plan, Graph& graph, std::vector<std::string>& warnings);

}  // namespace qat

#endif  // QAT_PLAN_PLAN_H_
