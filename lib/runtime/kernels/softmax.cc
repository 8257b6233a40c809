// Prepare of SOFTMAX, over the last axis.
#include "runtime/kernels/reference/softmax.h"
#include "runtime/kernels/portable/softmax.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/int16_softmax.h"
#include "runtime/kernels/simd/matrix.h"

namespace qat {
namespace {

// Calls softmax(rows, input, output) for rows over the threads.
template <class T, class F>
void ForRows(int64_t rows, int64_t depth, const KernelBuffers& io, const F& softmax) {
  constexpr int64_t kWorkOfAValue = 16;  // in multiply-accumulates (estimate)
  ForRuns(io.pool, rows * depth * kWorkOfAValue, rows, 1, [&](int64_t begin, int64_t end, int) {
    softmax(end - begin, io.input<T>(0) + begin * depth, io.output<T>() + begin * depth);
  });
}

template <class T>
Expected<std::unique_ptr<Kernel>> PrepareQuantized(const KernelContext& context, int64_t rows,
                                                   int64_t depth) {
  constexpr QuantizedLimits kLimits = LimitsOf<T>();
  QAT_ASSIGN_OR_RETURN(const QuantizationParams input, PerTensorParams(*context.inputs[0], "input", kLimits));
  QAT_RETURN_IF_ERROR(CheckOutputQuantization(context, kLimits));
  QAT_ASSIGN_OR_RETURN(const SoftmaxScaling scaling,
                       ComputeSoftmaxScaling(context.As<SoftmaxAttributes>().beta, input.scale));
  if (context.kernels == KernelSet::kFast) {
    return MakeKernel(
        context, "portable", [=, softmax = portable::QuantizedSoftmax(scaling)](const KernelBuffers& io) {
          ForRows<T>(rows, depth, io,
                     [&](int64_t count, const T* from, T* to) { softmax.Run(count, depth, from, to); });
        });
  }
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    reference::Softmax(rows, depth, scaling, io.input<T>(0), io.output<T>());
  });
}

Expected<std::unique_ptr<Kernel>> PrepareInt16(const KernelContext& context, int64_t rows, int64_t depth) {
  constexpr QuantizedLimits kLimits = LimitsOf<int16_t>();
  QAT_ASSIGN_OR_RETURN(const QuantizationParams input, PerTensorParams(*context.inputs[0], "input", kLimits));
  QAT_RETURN_IF_ERROR(CheckOutputQuantization(context, kLimits));
  QAT_ASSIGN_OR_RETURN(const auto softmax,
                       reference::Int16Softmax::Make(context.As<SoftmaxAttributes>().beta, input.scale));
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    ForRows<int16_t>(rows, depth, io, [&](int64_t count, const int16_t* from, int16_t* to) {
      softmax.Run(count, depth, from, to);
    });
  });
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  if (input.type != context.output.type) return UnsupportedTypes(context);
  const int64_t depth = input.shape.back();
  const int64_t rows = depth == 0 ? 0 : FlatSize(input.shape) / depth;
  if (input.type == DType::kUInt8) return PrepareQuantized<uint8_t>(context, rows, depth);
  if (input.type == DType::kInt8) return PrepareQuantized<int8_t>(context, rows, depth);
  if (input.type == DType::kInt16) return PrepareInt16(context, rows, depth);
  if (input.type != DType::kFloat32) return UnsupportedTypes(context);
  const float beta = context.As<SoftmaxAttributes>().beta;
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    ForRows<float>(rows, depth, io, [&](int64_t count, const float* from, float* to) {
      reference::Softmax(count, depth, beta, from, to);
    });
  });
}

}  // namespace

const OpKernels& SoftmaxKernels() {
  static const OpKernels kKernels = {Prepare, 3};
  return kKernels;
}

}  // namespace qat
