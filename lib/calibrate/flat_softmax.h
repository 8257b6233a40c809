// flat_softmax.h: softmax operators over so many places that the fixed steps of 8 bits tell hardly any apart.
#ifndef QAT_CALIBRATE_FLAT_SOFTMAX_H_
#define QAT_CALIBRATE_FLAT_SOFTMAX_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "calibrate/float_run.h"
#include "ir/graph.h"
#include "quant/precision.h"

namespace qat {

/// The scale of a softmax of 8 bits is 1/256 by TFLite's specification, whatever it gives: spread evenly over
/// 256 places, each has one step.
class FlatSoftmaxes {
 public:
  /// Watches each softmax that is to give 8 bits. `wide`: nodes that compute on 16 bits. Requires  a graph
  /// that outlives this.
  FlatSoftmaxes(const Graph& graph, const Precisions& precisions, const std::set<std::string>& wide);
  /// The last example of a run of the graph.
  void Observe(const FloatRun& run);
  /// One sentence with ways out; empty: none where the largest of most rows is below 8 steps.
  std::string Describe() const;

 private:
  struct Watched {
    int32_t output = -1;
    std::string name;
    int64_t rows = 0, flat_rows = 0;
  };
  const Graph* graph_;
  std::vector<Watched> watched_;
};

}  // namespace qat

#endif  // QAT_CALIBRATE_FLAT_SOFTMAX_H_
