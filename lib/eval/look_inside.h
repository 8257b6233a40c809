// look_inside.h: the layers of qat-eval's rows: where two integer rows first differ, and what quantization
// costs each layer.
#ifndef QAT_EVAL_LOOK_INSIDE_H_
#define QAT_EVAL_LOOK_INSIDE_H_

#include "base/expected.h"
#include "base/work_hooks.h"
#include "data/dataset.h"
#include "eval/rows.h"
#include "report/report.h"

namespace qat {

/// Images that the errors of layers are measured on, the first ones of the data.
inline constexpr int64_t kLayerImages = 32;

/// Fills `report.layers` (every integer model, else the row simulated, against the row graph, else
/// checkpoint, else the first float model) and `first_difference` of pairs whose rows both are integer: on
/// the first image whose outputs differ; where outputs cannot be compared (no scores, another step), on the
/// first four images. A pair most of whose layers lie on other grids is of two networks quantized apart: it
/// gets a warning instead.
/// Requires  `report.models` and `report.pairs` of these rows. Errors: those of Predictor::Layers;
/// kInterrupted.
Status LookInside(Rows& rows, const Dataset& dataset, const WorkHooks& hooks, Report& report);

}  // namespace qat

#endif  // QAT_EVAL_LOOK_INSIDE_H_
