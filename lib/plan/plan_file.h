// plan_file.h: a quantization plan as TOML: what can be decided (ranges, types of filters, layers kept in
// float) as values, what follows from it (scales, zero points, who shares them, why) as comments. One line a
// tensor, so that plans can be compared.
#ifndef QAT_PLAN_PLAN_FILE_H_
#define QAT_PLAN_PLAN_FILE_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "ir/graph.h"
#include "plan/plan.h"

namespace qat {

/// What a plan file decides.
struct PlanChoices {
  Precisions precisions;
  std::vector<std::string> keep_float;  ///< nodes that compute real numbers
  std::vector<std::string> int16;       ///< nodes that compute on int16 beside int8
  /// nodes whose filters are equalized with what reads them, before all else
  std::vector<std::string> equalize;
  std::map<std::string, Range> inputs;       ///< of inputs that take real numbers
  std::map<std::string, Range> activations;  ///< by any tensor of those that share a range
  std::map<std::string, FilterChoice> filters;
  bool operator==(const PlanChoices&) const = default;
};

/// The names of layers that a plan file lists.
struct PlannedLayers {
  std::vector<std::string> keep_float, int16, equalize;
};

/// Requires  a plan of this graph, before it was applied.
std::string PlanText(const QuantizationPlan& plan, const Graph& graph, const PlannedLayers& layers);

/// Errors: kInvalidArgument "SOURCE:LINE:COLUMN: …": syntax, unknown keys with the nearest one, ranges
/// without 0 or upside down, types that this build does not quantize to.
Expected<PlanChoices> ReadPlan(std::string_view text, const std::string& source);

/// Gives inputs and activations the ranges that the plan has of them, before layers are kept in float or
/// given 16 bits: what then stands between them takes its range from these. Names that the graph does not
/// have yet are left to TakeChoices, and so are two ranges of tensors that share one now and may not later.
void TakeRangesFirst(const PlanChoices& choices, Graph& graph);

/// Gives tensors of the graph and filters of `options` what the plan says. To be called after the layers were
/// kept in float.
/// Errors: kInvalidArgument for a name that is none of the graph's, with the nearest one; for an activation
/// whose range another one fixes; for two ranges of tensors that share theirs.
Status TakeChoices(const PlanChoices& choices, Graph& graph, QuantizationOptions& options);

}  // namespace qat

#endif  // QAT_PLAN_PLAN_FILE_H_
