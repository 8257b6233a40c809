// real_input.h: a network of which nobody says what it takes, once the data are known.
#ifndef QAT_IMPORT_REAL_INPUT_H_
#define QAT_IMPORT_REAL_INPUT_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "ir/graph.h"
#include "plan/plan_file.h"

namespace qat {

/// Asks for the values of these inputs (ReadNetworkResult::open_inputs) as the data have them.
void LeaveValuesOpen(const std::vector<bool>& open_inputs, OpenOptions& options);

/// These inputs take what the data then hold: real numbers as they are (by mean and std of the contract where
/// `named_inputs` says so), bytes by mean and std. `notes` says so of those that were thought to take the
/// other. Both lists are those of ReadNetworkResult.
void TakeValuesOfData(const Dataset& dataset, const std::vector<bool>& open_inputs,
                      const std::vector<bool>& named_inputs, Graph& graph, std::vector<std::string>& notes);

/// The same where a plan knew the data: an open input whose range it has takes real numbers.
void TakeValuesOfPlan(const PlanChoices& choices, const std::vector<bool>& open_inputs, Graph& graph,
                      std::vector<std::string>& notes);

/// TakeInputNormalization of every input. `notes` names the layers.
void TakeInputNormalizations(Graph& graph, std::vector<std::string>& notes);

/// The same where an imported model computes them in float32 in front of its integers, so that some have no
/// range. The last may have that of the QUANTIZE behind it, which becomes the range of the input; where it
/// has none (the layer behind is real, too) the contract of a model of ours says it. Layers that were all
/// trained with ranges keep them, and so does an input of which `stays` names a layer. An input that
/// `has_range` names needs no range of a layer.
void TakeFloatInputNormalizations(const std::function<bool(const std::string& layer)>& stays,
                                  const std::function<bool(const std::string& input)>& has_range,
                                  Graph& graph, std::vector<std::string>& notes);

/// What a person is told of an input of int32 or int64.
std::string DescribeWholeNumbers(const std::string& input, std::string_view type);

}  // namespace qat

#endif  // QAT_IMPORT_REAL_INPUT_H_
