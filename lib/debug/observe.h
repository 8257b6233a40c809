// observe.h: what the values of a network of real numbers reach on data, tensor by tensor and channel by
// channel.
#ifndef QAT_DEBUG_OBSERVE_H_
#define QAT_DEBUG_OBSERVE_H_

#include <map>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "data/dataset.h"
#include "ir/graph.h"
#include "quant/params.h"
#include "report/report.h"

namespace qat {

struct Observed {
  Range range;                  ///< with 0
  std::vector<float> channels;  ///< largest magnitude of each place of the last axis
  Histogram histogram;          ///< over `range`, 512 cells
};

/// By name of the tensor, inputs and outputs of nodes; a `quantize` node has what it reads. Two passes over
/// the data.
/// Requires  a verified graph without quantization, data that fit its contract. Errors: kNumerical (values
/// that are not finite), those of the writer, the interpreter and the data; kInterrupted.
Expected<std::map<std::string, Observed>> Observe(const Graph& graph, const Dataset& dataset,
                                                  const WorkHooks& hooks);

/// The range whose grid of `limits` gives the least mean square error for the values of the histogram: of the
/// observed range both ends shrunk, alone or together, in steps of a fiftieth.
Range LeastErrorRange(const Observed& observed, QuantizedLimits limits);

/// What this share of the values lies in, to a cell of the histogram, with 0: half of the others is left out
/// at each end.
Range CentralRange(const Observed& observed, double share);

}  // namespace qat

#endif  // QAT_DEBUG_OBSERVE_H_
