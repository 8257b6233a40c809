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

constexpr std::string_view kReleases[] = {"1.14.0", "1.14.0"};

}  // namespace

const OpDefinition& LogSoftmaxDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op =
        Written(RunOp(OpType::kLogSoftmax, "log_softmax", "LOG_SOFTMAX", tflite::BuiltinOperator_LOG_SOFTMAX,
                      1, "logarithms of the probabilities over the last axis", InferShape),
                {VersionTwoForInt8, kReleases}, IntegerKernels::kBoth);
    op.output_quantization = OutputQuantization::kFixed;
    op.fixed_uint8 = {16.0f / 256, 255};
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
