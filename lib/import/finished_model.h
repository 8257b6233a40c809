// finished_model.h: a .tflite as a graph with its integers, scales and zero points as they are: to change
// what lies at its borders and nothing inside.
#ifndef QAT_IMPORT_FINISHED_MODEL_H_
#define QAT_IMPORT_FINISHED_MODEL_H_

#include "base/expected.h"
#include "ir/graph.h"
#include "model/model.h"
#include "passes/passes.h"

namespace qat {

/// Whether it computes with integers anywhere.
bool IsQuantized(const Model& model);

/// How a model that computes real numbers stores its weights: the fewest bits that some have. kFloat32 for
/// one that computes with integers, too.
WeightStorage WeightStorageOf(const Model& model);

/// Tensors, operators and the contract of the model. `source_sha256` joins the provenance. Errors:
/// kUnsupported for a model that is not known in all its parts, that has sizes other than the batch open, or
/// operators that are not written.
Expected<Graph> GraphOfFinished(const Model& model);

}  // namespace qat

#endif  // QAT_IMPORT_FINISHED_MODEL_H_
