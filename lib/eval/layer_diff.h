// layer_diff.h: two ways of running one network, layer by layer on one image: which layer is the first that
// differs.
#ifndef QAT_EVAL_LAYER_DIFF_H_
#define QAT_EVAL_LAYER_DIFF_H_

#include <optional>
#include <vector>

#include "predict/predictor.h"
#include "report/report.h"

namespace qat {

/// Walks `b` in the order of execution and compares every quantized layer with the one of the same name in
/// `a`:
///   steps = max |round(a / step) - round(b / step)|, where both have the same scale and zero point;
///   else  max |a - b| / max(step_a, step_b), rounded up and at least 1: it differs even where no value shows
///         it.
/// Layers that only one of the two has, or in another size, are passed over. None differs: nothing.
std::optional<LayerDifference> FirstDifference(const std::vector<LayerOutput>& a,
                                               const std::vector<LayerOutput>& b);

}  // namespace qat

#endif  // QAT_EVAL_LAYER_DIFF_H_
