// tensor_run.h: one model on given tensors, outputs kept: what --input and --save-outputs do. No contract is applied.
#ifndef QAT_EVAL_TENSOR_RUN_H_
#define QAT_EVAL_TENSOR_RUN_H_

#include <memory>
#include <string>
#include <vector>

#include "base/expected.h"
#include "data/npy.h"
#include "eval/hooks.h"
#include "eval/rows.h"
#include "report/report.h"
#include "runtime/interpreter.h"

namespace qat {

struct TensorRunRequest {
  std::string input;         ///< X.npy
  std::string save_outputs;  ///< Y.npy; further outputs are Y.1.npy, Y.2.npy, …

  bool Given() const { return !input.empty() || !save_outputs.empty(); }
};

/// Runs the interpreter on each example of `input`. Shapes: the model's input is [1, …] and `input` [N, …] of the same type;
/// an output [1, …] becomes [N, …], any other shape [N, shape…].
/// Errors: kCorrupt (type or shape, both named), kUnsupported (more than one input), kInterrupted.
Expected<std::vector<NpyArray>> RunExamples(Interpreter& interpreter, const NpyArray& input,
                                            const std::string& source, const WorkHooks& hooks);

/// "Y.npy" -> "Y.npy" for 0, "Y.1.npy" for 1. Without the ending ".npy" the number is appended.
std::string OutputPath(const std::string& path, size_t index);

/// Reads, opens the outputs, runs, writes. `rows` must hold one model or one graph and nothing else.
/// Errors: kInvalidArgument (other rows, a missing flag), those of the readers, of RunExamples, kIoError.
Status RunTensors(const TensorRunRequest& request, const RowRequest& rows, const WorkHooks& hooks,
                  Report& report);

}  // namespace qat

#endif  // QAT_EVAL_TENSOR_RUN_H_
