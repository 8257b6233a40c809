// LogSoftmax over the last axis: y[i] = x[i] - log(sum over j of exp(x[j])).
#include "base/strings.h"
#include "ops/run_op.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  if (inputs[0].shape.empty()) return InvalidArgument("input has no dimensions");
  return inputs[0].shape;
}

}  // namespace

const OpDefinition& LogSoftmaxDefinition() {
  static const OpDefinition kDefinition =
      RunOp(OpType::kLogSoftmax, "log_softmax", "LOG_SOFTMAX", tflite::BuiltinOperator_LOG_SOFTMAX, 1,
            "logarithms of the probabilities over the last axis", InferShape);
  return kDefinition;
}

}  // namespace qat
