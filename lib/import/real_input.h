// real_input.h: a network of which nobody says what it takes, once the data are known.
#ifndef QAT_IMPORT_REAL_INPUT_H_
#define QAT_IMPORT_REAL_INPUT_H_

#include <string>
#include <vector>

#include "data/dataset.h"
#include "ir/graph.h"

namespace qat {

/// Asks for the values of these inputs (ReadNetworkResult::open_inputs) as the data have them.
void LeaveValuesOpen(const std::vector<bool>& open_inputs, OpenOptions& options);

/// These inputs take what the data then hold: real numbers as they are, bytes by mean and std of the contract. `notes` says so of those
/// that were thought to take the other.
void TakeValuesOfData(const Dataset& dataset, const std::vector<bool>& open_inputs, Graph& graph, std::vector<std::string>& notes);

/// TakeInputNormalization of every input. `notes` names the layers.
void TakeInputNormalizations(Graph& graph, std::vector<std::string>& notes);

}  // namespace qat

#endif  // QAT_IMPORT_REAL_INPUT_H_
