// free_name.h: names for tensors that a rewrite adds.
#ifndef QAT_IR_FREE_NAME_H_
#define QAT_IR_FREE_NAME_H_

#include <string>

#include "ir/graph.h"

namespace qat {

/// `wanted`, or the first of wanted_1, wanted_2, … that no tensor of the graph has.
std::string FreeName(const Graph& graph, const std::string& wanted);

}  // namespace qat

#endif  // QAT_IR_FREE_NAME_H_
