// real_input.h: a network of which nobody says what it takes, once the data are known.
#ifndef QAT_IMPORT_REAL_INPUT_H_
#define QAT_IMPORT_REAL_INPUT_H_

#include <string>
#include <vector>

#include "data/dataset.h"
#include "ir/graph.h"

namespace qat {

/// Bytes were a guess (ReadNetworkResult::assumed_bytes); where the data are real numbers, they go into the network as they are. `notes`
/// says so.
void TakeReals(const Dataset& dataset, Graph& graph, std::vector<std::string>& notes);

/// TakeInputNormalization of every input. `notes` names the layers.
void TakeInputNormalizations(Graph& graph, std::vector<std::string>& notes);

}  // namespace qat

#endif  // QAT_IMPORT_REAL_INPUT_H_
