// remake.h: takes a step of the pipeline again, to see whether a file still is what it was made as.
#ifndef QAT_TRACE_REMAKE_H_
#define QAT_TRACE_REMAKE_H_

#include <string>

#include "base/expected.h"
#include "base/file.h"
#include "checkpoint/checkpoint.h"
#include "ir/graph.h"
#include "model/model.h"

namespace qat {

/// The bytes of the file that qat-freeze makes of a checkpoint. Errors: those of Freeze.
Expected<Bytes> FreezeAgain(const Checkpoint& checkpoint);

/// The bytes of the .tflite that qat-convert makes of a graph with the flags that `model` shows: its type, names, an appended
/// softmax or argmax, and the parameters of its input. `graph_sha256`: of the graph's file.
/// Errors: those of the passes; ranges that came from flags or images are not in a graph.
Expected<Bytes> ConvertAgain(Graph graph, const std::string& graph_sha256, const Model& model);

/// "tensor 'conv1/filter': its values differ": the first difference of two models or graphs, as far as tensors show it.
std::string FirstDifference(const Model& made, const Model& found);
std::string FirstDifference(const Graph& made, const Graph& found);

}  // namespace qat

#endif  // QAT_TRACE_REMAKE_H_
