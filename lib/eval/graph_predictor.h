// graph_predictor.h: a frozen graph as a Predictor: lowered to a float32 .tflite in memory and run by the one interpreter.
#ifndef QAT_EVAL_GRAPH_PREDICTOR_H_
#define QAT_EVAL_GRAPH_PREDICTOR_H_

#include <memory>
#include <string>

#include "base/expected.h"
#include "ir/graph.h"
#include "predict/predictor.h"
#include "runtime/interpreter.h"

namespace qat {

/// Name and kind "graph", type "float32". Errors: those of WriteTflite, Model::FromBytes and MakeModelPredictor.
Expected<std::unique_ptr<Predictor>> MakeGraphPredictor(const Graph& graph, const std::string& source,
                                                        const InterpreterOptions& options);

/// The model behind it, for --input and --save-outputs.
Expected<std::shared_ptr<const Model>> LowerToModel(const Graph& graph, const std::string& source);

}  // namespace qat

#endif  // QAT_EVAL_GRAPH_PREDICTOR_H_
