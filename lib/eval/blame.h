// blame.h: whether training or quantization is to blame for a gate that failed.
#ifndef QAT_EVAL_BLAME_H_
#define QAT_EVAL_BLAME_H_

#include "report/report.h"

namespace qat {

/// Adds a note to failed gates on answers that have none: what the float network has itself, what
/// quantization costs on top of that, and, where quantization costs something, the layer with the largest
/// rounding loss. A float network that fails the limit itself is a matter of training; without a float
/// network the note says how to give one.
void ExplainFailures(Report& report);

}  // namespace qat

#endif  // QAT_EVAL_BLAME_H_
