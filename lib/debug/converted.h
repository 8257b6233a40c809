// converted.h: a network quantized as a plan's choices say, step by step as qat-convert does it, and kept in
// every form that is looked at.
#ifndef QAT_DEBUG_CONVERTED_H_
#define QAT_DEBUG_CONVERTED_H_

#include <set>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/file.h"
#include "debug/own_integers.h"
#include "ir/graph.h"
#include "model/model.h"
#include "plan/plan.h"
#include "plan/plan_file.h"

namespace qat {

struct Converted {
  Graph real;  ///< equalized, with ranges, `quantize` and `dequantize` nodes around what stays real
  QuantizationPlan plan;
  Graph quantized;  ///< tensors and nodes are those of `real`
  /// The file. An input of reals that only layers of 16 bits or of reals read is not rounded to 8 bits before
  /// them: the model takes real numbers, as that of qat-convert does.
  Bytes model;
  Contract contract;  ///< of the model
  std::vector<bool>
      rounded_inputs;  ///< of the graph: false where the model does not round an input by itself
};

/// Names of tensors that own a range, and those that share it, as the sections of a plan have them: ranges of
/// these that `choices` has not are those of the graph. What `choices` names and the graph has not (a
/// `quantize` node that is no longer needed) is left alone.
/// `own`: filters and biases that are quantized as in the model that it is of are this model's, not the
/// network's rounded; `real` stays the network's.
/// Requires  a verified frozen graph without quantization. Errors: those of EqualizeNamed, TakeChoices,
/// MakePlan and WriteTflite.
Expected<Converted> Convert(const Graph& network, const PlanChoices& choices,
                            std::vector<std::string>& warnings, const OwnIntegers& own = {});

/// Puts what is to stay real and what is to have 16 bits between the nodes that change it; of the latter the
/// names, for QuantizationOptions::int16_nodes.
std::set<std::string> PartLayers(const PlanChoices& choices, Graph& graph);

/// Errors: as qat-convert has them, for choices that name what the network has not: kInvalidArgument.
Status CheckChoices(const PlanChoices& choices, const Graph& network);

/// Every range that the network has now as a choice: those of groups by the name of each of their tensors.
void CollectRanges(const Graph& real, PlanChoices& choices);

/// Choices that repeat a converted model: of tensors of the same name the range of their integers, of filters
/// their scales, and layers that compute real numbers. Errors: kCorrupt, for a model that is not quantized,
/// or has no tensor of the network; kInvalidArgument, for one of another network: inputs or tensors of the
/// same name have other shapes.
Expected<PlanChoices> ChoicesOfModel(const Graph& network, const Model& model);

}  // namespace qat

#endif  // QAT_DEBUG_CONVERTED_H_
