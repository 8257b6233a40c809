// repair_filters.h: what rounding does to the sums of a layer, undone as far as data says how: AdaRound and
// bias correction.
#ifndef QAT_CALIBRATE_REPAIR_FILTERS_H_
#define QAT_CALIBRATE_REPAIR_FILTERS_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "calibrate/float_run.h"
#include "data/dataset.h"
#include "ir/graph.h"
#include "plan/plan.h"

namespace qat {

struct FilterRepairs {
  /// Filters become the values of the integers that AdaRound (calibrate/adaround.h) chooses, and biases
  /// follow.
  bool adaround = false;
  /// Biases alone: the mean of the sums of each output channel becomes that of the float network.
  bool correct_bias = false;
};

struct RepairedFilters {
  std::vector<std::string> repaired;  ///< nodes
  /// Nodes with a filter that this does not know: transposed and grouped convolutions. For AdaRound also
  /// those with more than 8,192 weights per channel, whose biases alone are corrected.
  std::vector<std::string> left;
  /// Of AdaRound: mean squared error of the sums, over all channels, with the nearest integers, what layers
  /// before it lose included.
  double error_before = 0;
  double error_after = 0;  ///< with those chosen
};

/// For convolutions, depthwise and fully connected layers whose filter `plan` quantizes, one after the other:
/// each is given the inputs that it has in the network as it is repaired so far, so it also makes up for what
/// the layers before it have lost. Large networks and data are done in fewer stages of several layers each,
/// which do not see each other's losses; activations are not rounded. The sums wanted are those of the float
/// network `source` on `dataset`; `graph` is the same network, whose filters may have been repaired before,
/// and is changed. Of AdaRound a sample of 4,096 windows a layer, the same every time; the least and the
/// largest weight, which make the scale, stay. A channel of a filter of 4 bits has a smaller scale where it
/// loses less with it (GridOfLeastError). Where a layer has a bias, this makes up for the mean error, and
/// the filter for the rest.
/// Requires  a plan of `graph`, before it was applied. A plan made again afterwards has the scales of the
/// repaired filters.
/// Source    Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, 2019 (the
/// empirical form), and
///           calibrate/adaround.h. Errors: those of FloatRun.
Expected<RepairedFilters> RepairFilters(const FilterRepairs& repairs, const QuantizationPlan& plan,
                                        const Dataset& dataset, const ChosenExamples& chosen,
                                        const WorkHooks& hooks, const Graph& source, Graph& graph);

}  // namespace qat

#endif  // QAT_CALIBRATE_REPAIR_FILTERS_H_
