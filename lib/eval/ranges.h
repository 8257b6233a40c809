// ranges.h: the intervals of real numbers that the integers of a network represent, for the report page.
#ifndef QAT_EVAL_RANGES_H_
#define QAT_EVAL_RANGES_H_

#include <vector>

#include "checkpoint/checkpoint.h"
#include "ir/graph.h"
#include "model/model.h"
#include "report/report.h"

namespace qat {

/// Of every range that training chose, as conversion will take it: nudged, filters narrow. A graph and a
/// model give the order of execution, a checkpoint that of the names. Biases are left out: their scale is not
/// chosen.
std::vector<LayerRange> RangesOf(const Checkpoint& checkpoint);
std::vector<LayerRange> RangesOf(const Graph& graph);
/// Of every quantized uint8 or int8 tensor with one scale.
std::vector<LayerRange> RangesOf(const Model& model);

}  // namespace qat

#endif  // QAT_EVAL_RANGES_H_
