// run_op.h: the usual definition of an operator that runs from a .tflite and is never written to one. For .cc files of
// lib/ops only.
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

}  // namespace qat

#endif  // QAT_OPS_RUN_OP_H_
