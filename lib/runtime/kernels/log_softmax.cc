// Prepare of LOG_SOFTMAX, over the last axis.
#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/log_softmax.h"

namespace qat {
namespace {

void LogSoftmaxRow(int64_t depth, const float* input, float* output) {
  const float largest = *std::max_element(input, input + depth);
  float sum = 0;
  for (int64_t i = 0; i < depth; ++i) sum += std::exp(input[i] - largest);
  const float log_sum = std::log(sum);
  for (int64_t i = 0; i < depth; ++i) output[i] = input[i] - largest - log_sum;
}

// The output is in 16ths, the largest value stands for 0: TFLite's kernel takes no other.
template <class T>
Expected<std::unique_ptr<Kernel>> PrepareQuantized(const KernelContext& context, int64_t rows,
                                                   int64_t depth) {
  constexpr QuantizedLimits kLimits = LimitsOf<T>();
  QAT_ASSIGN_OR_RETURN(const auto input, PerTensorParams(*context.inputs[0], "input", kLimits));
  QAT_ASSIGN_OR_RETURN(const auto output, PerTensorParams(context.output, "output", kLimits));
  if (output != QuantizationParams{16.0f / 256, kLimits.quant_max}) {
    return Unsupported(StrCat("output scale is ", output.scale, " and zero point ", output.zero_point,
                              ", expected 0.0625 and ", kLimits.quant_max));
  }
  QAT_ASSIGN_OR_RETURN(const SoftmaxScaling exp, ComputeSoftmaxScaling(1, input.scale));
  const reference::LogSoftmaxScaling scaling = reference::MakeLogSoftmaxScaling(exp);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    reference::LogSoftmax(rows, depth, scaling, io.input<T>(0), io.output<T>());
  });
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  if (input.type != context.output.type) return UnsupportedTypes(context);
  const int64_t depth = input.shape.back();
  const int64_t rows = depth == 0 ? 0 : FlatSize(input.shape) / depth;
  if (input.type == DType::kUInt8) return PrepareQuantized<uint8_t>(context, rows, depth);
  if (input.type == DType::kInt8) return PrepareQuantized<int8_t>(context, rows, depth);
  if (input.type != DType::kFloat32) return UnsupportedTypes(context);
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
