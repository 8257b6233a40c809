// sayable.h: a trainable graph of any front end in the form that the layers of a spec make: plain names,
// images as inputs, a bias or a batch normalization in every layer with a filter.
#ifndef QAT_SPEC_SAYABLE_H_
#define QAT_SPEC_SAYABLE_H_

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace qat {

struct Sayable {
  Graph graph;
  std::vector<std::string> notes;                   ///< what was changed, a sentence each
  std::vector<std::string> refusals;                ///< "'x' (unpack): specs have no such layer"
  std::map<std::string, std::string> sources = {};  ///< "'model/x' (split)", by the name of the layer
};

/// `parts`: nodes called "conv/pad", "conv/in" and "conv/group0" are taken for parts of "conv", as reading a
/// spec makes them; else they are layers of their own. Requires  a trainable graph that Verify accepts.
Sayable MakeSayable(const Graph& network, bool parts);

/// Takes out the `quantize` nodes that SeparateFixedRanges puts in.
void RemoveSeparators(Graph& graph);

}  // namespace qat

#endif  // QAT_SPEC_SAYABLE_H_
