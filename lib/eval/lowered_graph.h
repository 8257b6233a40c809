// lowered_graph.h: a frozen graph as a float32 .tflite in memory, so that the one interpreter runs it.
#ifndef QAT_EVAL_LOWERED_GRAPH_H_
#define QAT_EVAL_LOWERED_GRAPH_H_

#include <memory>
#include <string>

#include "base/expected.h"
#include "ir/graph.h"
#include "model/model.h"

namespace qat {

/// `source`: what messages call it. Errors: those of WriteTflite and RunnableFromBytes.
Expected<std::shared_ptr<const Model>> LowerToModel(const Graph& graph, const std::string& source);

}  // namespace qat

#endif  // QAT_EVAL_LOWERED_GRAPH_H_
