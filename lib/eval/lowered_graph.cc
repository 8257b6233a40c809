#include "eval/lowered_graph.h"

#include "passes/passes.h"
#include "runtime/runnable_model.h"
#include "tflite/tflite_writer.h"

namespace qat {

Expected<std::shared_ptr<const Model>> LowerToModel(const Graph& graph, const std::string& source) {
  Graph real = graph;
  QAT_RETURN_IF_ERROR_IN(source, LowerToReal(real));
  QAT_ASSIGN_OR_RETURN_IN(source, Bytes bytes, WriteTflite(real, {}));
  return RunnableFromBytes(std::move(bytes), source);
}

}  // namespace qat
