// run_op.h: the usual definition of an operator, by its inputs and its shape rule, and what is added to it
// where it is written to a .tflite too. For .cc files of lib/ops only.
#ifndef QAT_OPS_RUN_OP_H_
#define QAT_OPS_RUN_OP_H_

#include "ops/op.h"

namespace qat {

/// `inputs` inputs, no options, an output of the first one's shape.
OpDefinition RunOp(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                   int32_t inputs, std::string_view summary);

/// The same for an operator whose output has a shape of its own.
OpDefinition RunOp(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                   int32_t inputs, std::string_view summary,
                   Expected<Shape> (*infer_shape)(const OpAttributes&, std::span<const Operand>));

/// Which 8-bit types TFLite has a kernel of this operator for.
enum class IntegerKernels { kNone, kInt8, kBoth };

/// What writing adds: the version by element types, the first release of each version, and the table of
/// options.
struct Writing {
  int32_t (*version)(const VersionQuery&);
  std::span<const std::string_view> releases;
  void (*write_options)(OptionsWriter& writer, const OpAttributes& attributes) = nullptr;
};

/// `op` with these; `instead` as OpDefinition::instead.
OpDefinition Written(OpDefinition op, const Writing& writing, IntegerKernels kernels,
                     std::string_view instead = "");

/// An OpDefinition::version that is 1 whatever the types are.
int32_t FirstVersion(const VersionQuery& query);

}  // namespace qat

#endif  // QAT_OPS_RUN_OP_H_
