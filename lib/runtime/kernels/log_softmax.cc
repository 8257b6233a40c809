// Prepare of LOG_SOFTMAX, over the last axis.
#include <algorithm>
#include <cmath>

#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

void LogSoftmaxRow(int64_t depth, const float* input, float* output) {
  const float largest = *std::max_element(input, input + depth);
  float sum = 0;
  for (int64_t i = 0; i < depth; ++i) sum += std::exp(input[i] - largest);
  const float log_sum = std::log(sum);
  for (int64_t i = 0; i < depth; ++i) output[i] = input[i] - largest - log_sum;
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  if (input.type != DType::kFloat32 || context.output.type != DType::kFloat32)
    return UnsupportedTypes(context);
  const int64_t depth = input.shape.back();
  const int64_t rows = depth == 0 ? 0 : FlatSize(input.shape) / depth;
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    for (int64_t row = 0; row < rows; ++row)
      LogSoftmaxRow(depth, io.input<float>(0) + row * depth, io.output<float>() + row * depth);
  });
}

}  // namespace

const OpKernels& LogSoftmaxKernels() {
  static const OpKernels kKernels = {Prepare, 2};
  return kKernels;
}

}  // namespace qat
