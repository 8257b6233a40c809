// prepared_model.h: a Model made ready for one set of options: shapes resolved, constants folded, kernels
// with their packed filters, places in the arena. It is immutable, and interpreters share it.
#ifndef QAT_RUNTIME_PREPARED_MODEL_H_
#define QAT_RUNTIME_PREPARED_MODEL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/expected.h"
#include "model/model.h"
#include "runtime/interpreter.h"
#include "runtime/kernels/kernel.h"
#include "runtime/planner.h"

namespace qat {

/// A node as it runs: if its kernel also runs a neighbour, it reads or writes the tensors of that one.
struct PreparedNode {
  std::unique_ptr<Kernel> kernel;  ///< null: folded, or fused
  bool fused = false;              ///< runs as part of another node
  std::vector<int32_t> inputs, outputs;
};

struct PreparedModel {
  static constexpr size_t kNoMemory = static_cast<size_t>(-1);

  Isa isa = Isa::kPortable;
  std::vector<ModelTensor> tensors;     ///< shapes as planned; what was folded is a constant
  std::vector<PreparedNode> nodes;      ///< by node of the model
  std::vector<size_t> offsets;          ///< by tensor, in the arena; kNoMemory: constant or unused
  std::vector<size_t> scratch_offsets;  ///< by node
  size_t arena_size = 0;
  size_t arena_peak = 0;       ///< most bytes that one step needs: no plan can be smaller
  size_t activation_size = 0;  ///< the arena of tensors alone, without scratch
  std::vector<std::unique_ptr<uint8_t[]>> folded;

  size_t ByteSize(int32_t tensor) const;
};

/// Prepares every node. A node that reads only constants (weights stored as float16), or only shapes, runs
/// here, once, and is a constant from then on. Errors: those of Interpreter::Create.
Expected<std::shared_ptr<const PreparedModel>> PrepareModel(const Model& model,
                                                            const InterpreterOptions& options);

/// The same, or what interpreters of that model with those options share already. Safe to call from several
/// threads.
Expected<std::shared_ptr<const PreparedModel>> SharedPreparation(const std::shared_ptr<const Model>& model,
                                                                 const InterpreterOptions& options);

/// Operators and tensors that the reader of the model did not know, and the nodes that PrepareModel would
/// report.
UnsupportedList UnsupportedParts(const Model& model);

/// Errors: kUnsupported for a model with operators or tensors that its reader did not know: all
/// UnsupportedParts.
Status CheckKnown(const Model& model);

}  // namespace qat

#endif  // QAT_RUNTIME_PREPARED_MODEL_H_
