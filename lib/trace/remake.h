// remake.h: takes a step of the pipeline again, to see whether a file still is what it was made as.
#ifndef QAT_TRACE_REMAKE_H_
#define QAT_TRACE_REMAKE_H_

#include <optional>
#include <string>

#include "base/expected.h"
#include "base/file.h"
#include "base/work_hooks.h"
#include "checkpoint/checkpoint.h"
#include "data/dataset.h"
#include "ir/graph.h"
#include "model/model.h"
#include "plan/plan_file.h"

namespace qat {

/// The bytes of the file that qat-freeze makes of a checkpoint. Errors: those of Freeze.
Expected<Bytes> FreezeAgain(const Checkpoint& checkpoint);

/// What a model was converted from. Plan and data: where the model says that it was made by them.
struct ConversionSources {
  Graph graph;
  std::string graph_sha256;  ///< of the graph's file
  std::optional<PlanChoices> plan = {};
  std::string plan_sha256 = {};
  const Dataset* data = nullptr;
  WorkHooks hooks = {};
};

/// The bytes of the .tflite that qat-convert makes of these by what `model` has on record (convert/record.h),
/// under its names of inputs and outputs. Errors: those of ReadRecord and of the passes.
Expected<Bytes> ConvertAgain(const Model& model, ConversionSources sources);

/// "tensor 'conv1/filter': its values differ": the first difference of two models or graphs, as far as
/// tensors show it.
std::string FirstDifference(const Model& made, const Model& found);
std::string FirstDifference(const Graph& made, const Graph& found);

}  // namespace qat

#endif  // QAT_TRACE_REMAKE_H_
