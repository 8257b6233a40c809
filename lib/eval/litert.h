// litert.h: the real TFLite interpreter, where this machine has one in Python, as a row of qat-eval: a judge
// of our runtime that shares no code with it. Nothing else needs it.
#ifndef QAT_EVAL_LITERT_H_
#define QAT_EVAL_LITERT_H_

#include <memory>
#include <string>

#include "base/expected.h"
#include "model/model.h"
#include "predict/predictor.h"

namespace qat {

struct Litert {
  std::unique_ptr<Predictor> predictor;
  std::string version;  ///< "ai-edge-litert 2.3.0"
  std::string python;   ///< the program that answers, by its absolute path
  /// An operator of the model that its reference kernels lack or get wrong, "ELU": the others answer; else
  /// empty.
  std::string without_reference;
};

/// The file of `model` under TFLite's reference kernels (BUILTIN_REF, one image at a time, one thread; its
/// other kernels without delegates where these lack an operator), in a Python process of its own: `python` is
/// a program by path or by name, whose ai_edge_litert, tflite_runtime or tensorflow is taken; empty: the
/// python3 of PATH, unless that lies below the current folder, which may be a stranger's. It runs isolated
/// (-I): without the folder that we were started in, PYTHON variables, and packages of the user alone.
/// `contract` is what the same model has in our runtime; images reach its input by the same tables. Kind
/// "litert".
/// Errors: kNotFound (no such program, or none of the modules), kUnsupported (TFLite refuses the model; the
/// only python3 lies below the current folder), kSystem.
Expected<Litert> MakeLitertPredictor(std::shared_ptr<const Model> model, std::string name,
                                     const Contract& contract, const std::string& python);

}  // namespace qat

#endif  // QAT_EVAL_LITERT_H_
