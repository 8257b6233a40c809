// interpreter.h: runs a Model: Create validates and plans, Invoke cannot fail and allocates
// nothing.
#ifndef QAT_RUNTIME_INTERPRETER_H_
#define QAT_RUNTIME_INTERPRETER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "model/model.h"
#include "runtime/kernels/kernel.h"

namespace qat {

struct InterpreterOptions {
  KernelSet kernels = KernelSet::kFast;
  ArithmeticProfile profile = ArithmeticProfile::kTflite;
  /// Instruction set of the fast kernels; unset: the environment's QAT_FORCE_ISA, else the best of this
  /// machine.
  std::optional<Isa> isa;
  /// Threads of Invoke, the caller's included; outputs are the same at any number. Requires 1 or more.
  int threads = 1;
  /// Shapes of the inputs; empty: as the file has them. Every other shape follows from them.
  std::vector<Shape> input_shapes;
  /// Keep every intermediate tensor readable after Invoke: the arena shares no memory between them, and no
  /// operator runs as part of another.
  bool keep_intermediates = false;
};

class Interpreter {
 public:
  /// Interpreters of one model with the same options share kernels and packed filters; each has an arena of
  /// its own.
  /// Errors: kCorrupt (shapes, types or scales that an operator's rule refuses), kUnsupported (all items
  ///           listed), kInvalidArgument (an instruction set that is not available, input shapes that do not
  ///           fit), kSystem (no memory).
  static Expected<std::unique_ptr<Interpreter>> Create(std::shared_ptr<const Model> model,
                                                       const InterpreterOptions& options = {});
  ~Interpreter();

  const Model& model() const;
  /// Tensors by position among the model's inputs and outputs. Shapes as planned.
  std::span<uint8_t> input(size_t position);
  std::span<const uint8_t> output(size_t position) const;
  const ModelTensor& input_info(size_t position) const;
  const ModelTensor& output_info(size_t position) const;
  /// What is known of any tensor, by its index in the model. Shapes as planned.
  const ModelTensor& tensor_info(int32_t index) const;
  /// Any tensor by its index in the model. An intermediate keeps its value to the next Invoke only with
  /// keep_intermediates; otherwise only the outputs of the node last run may be asked for (kInvalidArgument).
  Expected<std::span<const uint8_t>> tensor(int32_t index) const;

  void Invoke();
  /// Runs one node, by its index in the model. Invoke is all of them in order; a caller that runs them one by
  /// one may read each node's outputs with tensor() before the next one, also without keep_intermediates,
  /// except those that the next one reads as part of the same kernel.
  void InvokeNode(size_t index);

  /// Bytes of the one arena; the most that one step needs of them; and what tensors alone would take, without
  /// the scratch of kernels.
  size_t arena_size() const;
  size_t arena_peak() const;
  size_t activation_size() const;
  /// The instruction set of the fast kernels, and whether options or environment named it.
  Isa isa() const;
  bool isa_was_named() const;
  /// Kernel chosen for each node, "conv_2d/portable"; "dequantize/folded" for what has become a constant,
  /// "max_pool_2d/fused" for what runs as part of another node.
  std::vector<std::string> KernelNames() const;

 private:
  struct Impl;
  explicit Interpreter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// input_info of each input, in their order.
std::vector<const ModelTensor*> InputInfos(const Interpreter& interpreter);

}  // namespace qat

#endif  // QAT_RUNTIME_INTERPRETER_H_
