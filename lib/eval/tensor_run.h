// tensor_run.h: one model on given tensors, outputs kept: what qat-eval run does. Values are taken as they
// are unless their type is not that of the input (eval/tensor_values.h).
#ifndef QAT_EVAL_TENSOR_RUN_H_
#define QAT_EVAL_TENSOR_RUN_H_

#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "data/npy.h"
#include "eval/rows.h"
#include "report/report.h"
#include "runtime/interpreter.h"

namespace qat {

struct TensorRunRequest {
  /// X.npy, a table or a picture, one for each input of the model, in its order, or NAME=X.npy in any
  std::vector<std::string> inputs;
  std::string save_outputs;  ///< Y.npy; further outputs are Y.1.npy, Y.2.npy, …; empty: not written
};

/// "X.npy" of "NAME=X.npy", which is the file of that name, if there is one.
std::string PathOfInput(const std::string& input);

/// The files in the order of the model's inputs. A name is that of a tensor, or what people call it
/// (InputNames in model/model_contract.h). Errors: kInvalidArgument: names that no input has, or for some of
/// the inputs only.
Expected<std::vector<std::string>> InOrderOfInputs(const Model& model,
                                                   const std::vector<std::string>& inputs);

/// Values for one input of a model.
struct TensorFile {
  std::string path;
  NpyArray array;
};

/// Shapes to run the model with, and how many examples the files hold. A model's input is [1, …] and the file
/// [N, …], or the file is one example of just the input's shape; sizes that the model leaves open, by its
/// shape signature, are the file's.
struct ExampleShapes {
  std::vector<Shape> shapes;
  int32_t count = 1;
};
/// Errors: kInvalidArgument (not one file an input; numbers of examples that differ), kCorrupt (type or
/// shape, both named).
Expected<ExampleShapes> ShapesOfExamples(const Model& model, std::span<const TensorFile> files);

/// Runs the interpreter, which has the shapes of `examples`, on each of them. An output [1, …] becomes [N,
/// …], any other shape [N, shape…]; of one example in just the input's shape it stays as it is. Errors:
/// kInterrupted.
Expected<std::vector<NpyArray>> RunExamples(Interpreter& interpreter, std::span<const TensorFile> files,
                                            const ExampleShapes& examples, const WorkHooks& hooks);

/// "Y.npy" -> "Y.npy" for 0, "Y.1.npy" for 1. Without the ending ".npy" the number is appended.
std::string OutputPath(const std::string& path, size_t index);

/// What an output is called in the model, and its values.
struct OutputTensor {
  std::string name;
  NpyArray array;
};

/// Reads, opens the files of outputs, runs, writes. `rows` must hold one model or one graph and nothing else.
/// Errors: kInvalidArgument (other rows, no input), those of the readers, of RunExamples, kIoError.
Expected<std::vector<OutputTensor>> RunTensors(const TensorRunRequest& request, const RowRequest& rows,
                                               const WorkHooks& hooks, Report& report);

/// For a terminal: name, type and shape of each tensor, then one line per example with its first values.
std::string TensorsText(std::span<const OutputTensor> tensors);

}  // namespace qat

#endif  // QAT_EVAL_TENSOR_RUN_H_
