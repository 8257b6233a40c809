// input_normalization.h: what a network of others does first to its input, as the contract says it.
#ifndef QAT_IR_INPUT_NORMALIZATION_H_
#define QAT_IR_INPUT_NORMALIZATION_H_

#include <cstddef>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace qat {

/// Takes the nodes that normalize an input of reals out of the graph and puts them into its contract, as mean
/// and std: sums, differences, products and quotients with constants, one for all values, per channel or per
/// value, one node after the other, also behind a reshape, nothing else reading what lies between. One range
/// for an input whose channels differ widely in size would leave the small ones no steps; behind the
/// normalization they are alike. The same to real numbers, and to float32 within its rounding.
/// A contract that was `inside`, as an imported model of ours has it, no longer is.
/// Returns the names of the nodes; none for an input of bytes, and for factors that are not positive.
std::vector<std::string> TakeInputNormalization(size_t index, Graph& graph);

/// "the input is normalized by a, b: computed in …", for a person.
std::string DescribeTaken(const std::vector<std::string>& names);

}  // namespace qat

#endif  // QAT_IR_INPUT_NORMALIZATION_H_
