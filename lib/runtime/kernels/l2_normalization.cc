// Prepare of L2_NORMALIZATION, over the last axis.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/inverse_sqrt.h"

namespace qat {
namespace {

void NormalizeRow(int64_t depth, const float* input, float* output) {
  constexpr float kLeastNorm = 1e-6f;
  float sum = 0;
  for (int64_t i = 0; i < depth; ++i) sum += input[i] * input[i];
  const float norm = std::max(std::sqrt(sum), kLeastNorm);
  for (int64_t i = 0; i < depth; ++i) output[i] = input[i] / norm;
}

// In 128ths: of int8 the shift has the factor, of uint8 the value, which rounds otherwise.
// Source: equal bit by bit to tflite/kernels/internal/reference/integer_ops/l2normalization.h.
template <class T>
void NormalizeRow(int64_t depth, int32_t zero_point, const T* input, T* output) {
  constexpr QuantizedLimits kLimits = LimitsOf<T>();
  constexpr int32_t kZero = kLimits.quant_min + 128;
  constexpr int32_t kFactor = std::is_signed_v<T> ? 1 : 128;
  int32_t sum = 0;
  for (int64_t i = 0; i < depth; ++i) {
    const int32_t value = input[i] - zero_point;
    sum = WrappingAdd(sum, value * value);
  }
  FixedPointMultiplier inverse = reference::InverseSqrt(sum);
  inverse.shift += std::is_signed_v<T> ? 7 : 0;
  for (int64_t i = 0; i < depth; ++i) {
    const int32_t value = MultiplyByQuantizedMultiplier((input[i] - zero_point) * kFactor, inverse);
    output[i] = static_cast<T>(std::clamp(WrappingAdd(value, kZero), kLimits.quant_min, kLimits.quant_max));
  }
}

template <class T>
Expected<std::unique_ptr<Kernel>> PrepareQuantized(const KernelContext& context, int64_t rows,
                                                   int64_t depth) {
  QAT_ASSIGN_OR_RETURN(const auto input, PerTensorParams(*context.inputs[0], "input", LimitsOf<T>()));
  QAT_RETURN_IF_ERROR(CheckOutputQuantization(context, LimitsOf<T>()));
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    for (int64_t row = 0; row < rows; ++row) {
      NormalizeRow(depth, input.zero_point, io.input<T>(0) + row * depth, io.output<T>() + row * depth);
    }
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
      NormalizeRow(depth, io.input<float>(0) + row * depth, io.output<float>() + row * depth);
  });
}

}  // namespace

const OpKernels& L2NormalizationKernels() {
  static const OpKernels kKernels = {Prepare, 2};
  return kKernels;
}

}  // namespace qat
