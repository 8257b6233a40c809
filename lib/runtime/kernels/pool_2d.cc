// Prepare of MAX_POOL_2D and AVERAGE_POOL_2D.
#include "runtime/kernels/reference/pool_2d.h"
#include "runtime/kernels/portable/pool_2d.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/simd/matrix.h"
#include "runtime/kernels/simd/pool_2d.h"

namespace qat {
namespace {

template <class T>
using PoolFunction = void (*)(const Window2D&, T, T, const T*, T*);

Window2D WindowOf(const KernelContext& context) {
  return PoolWindow(context.As<Pool2DAttributes>(), context.inputs[0]->shape, context.output.shape);
}

// Calls pool(window, input, output, thread) for rows of one image at a time, over the threads.
template <class T, class F>
void ForRows(const Window2D& w, const KernelBuffers& io, const F& pool) {
  const int64_t image = int64_t{w.input_h} * w.input_w * w.input_depth;
  const int64_t output = int64_t{w.output_h} * w.output_w * w.output_depth;
  for (int64_t n = 0; n < w.batch; ++n) {
    ForRowsOf(io.pool, w, 1, [&](const Window2D& rows, int64_t first, int thread) {
      pool(rows, io.input<T>(0) + n * image, io.output<T>() + n * output + first, thread);
    });
  }
}

template <class T>
std::unique_ptr<Kernel> Make(const KernelContext& context, std::string_view implementation,
                             PoolFunction<T> pool, T activation_min, T activation_max) {
  const Window2D window = WindowOf(context);
  return MakeKernel(context, implementation, [=](const KernelBuffers& io) {
    ForRows<T>(window, io, [&](const Window2D& rows, const T* input, T* output, int) {
      pool(rows, activation_min, activation_max, input, output);
    });
  });
}

// Null where no vectors will do: sums of a window must stay inside int32.
const simd::Instructions* SimdInstructions(const KernelContext& context) {
  if (context.kernels != KernelSet::kFast) return nullptr;
  const bool fits =
      context.definition.type == OpType::kMaxPool2D || simd::CanAveragePool2D(WindowOf(context));
  return fits ? simd::InstructionsOf(context.isa) : nullptr;
}

template <class T>
std::unique_ptr<Kernel> MakeSimd(const KernelContext& context, const simd::Instructions& instructions,
                                 T activation_min, T activation_max) {
  const Window2D window = WindowOf(context);
  const bool is_max = context.definition.type == OpType::kMaxPool2D;
  const auto pool = is_max ? simd::MaxPool2D<T> : simd::AveragePool2D<T>;
  constexpr size_t kLine = 64;  // bytes that threads must not share
  const size_t used = is_max ? simd::MaxPoolScratchSize(window) : simd::AveragePoolScratchSize(window);
  const size_t scratch = (used + kLine - 1) / kLine * kLine;
  return MakeKernel(
      context, NameOf(context.isa),
      [=, &instructions](const KernelBuffers& io) {
        ForRows<T>(window, io, [&](const Window2D& rows, const T* input, T* output, int thread) {
          pool(instructions, rows, activation_min, activation_max, input, output,
               io.scratch + static_cast<size_t>(thread) * scratch);
        });
      },
      static_cast<size_t>(context.threads) * scratch);
}

// One operator in one implementation.
struct Pools {
  std::string_view implementation;
  PoolFunction<float> pool_float;
  PoolFunction<uint8_t> pool_uint8;
  PoolFunction<int8_t> pool_int8;
  PoolFunction<int16_t> pool_int16;
};

template <class T>
Expected<std::unique_ptr<Kernel>> PrepareQuantized(const KernelContext& context,
                                                   std::string_view implementation, PoolFunction<T> pool) {
  constexpr QuantizedLimits kLimits = LimitsOf<T>();
  QAT_RETURN_IF_ERROR(CheckOutputQuantization(context, kLimits));
  QAT_ASSIGN_OR_RETURN(const QuantizationParams params, PerTensorParams(context.output, "output", kLimits));
  const QuantizedLimits clamp =
      QuantizedActivationRange(FusedActivation(context.attributes), params, kLimits);
  const T low = static_cast<T>(clamp.quant_min), high = static_cast<T>(clamp.quant_max);
  if constexpr (sizeof(T) == 1) {
    if (const simd::Instructions* instructions = SimdInstructions(context))
      return MakeSimd(context, *instructions, low, high);
  }
  return Make(context, implementation, pool, low, high);
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context, const Pools& pools) {
  const DType type = context.inputs[0]->type;
  if (context.output.type != type) return UnsupportedTypes(context);
  switch (type) {
    case DType::kFloat32: {
      const FloatArithmetic clamp = FloatActivationRange(FusedActivation(context.attributes));
      return Make(context, pools.implementation, pools.pool_float, clamp.activation_min,
                  clamp.activation_max);
    }
    case DType::kUInt8:
      return PrepareQuantized(context, pools.implementation, pools.pool_uint8);
    case DType::kInt8:
      return PrepareQuantized(context, pools.implementation, pools.pool_int8);
    case DType::kInt16:
      return PrepareQuantized(context, pools.implementation, pools.pool_int16);
    default:
      return UnsupportedTypes(context);
  }
}

Expected<std::unique_ptr<Kernel>> PrepareMax(const KernelContext& context) {
  if (context.kernels == KernelSet::kFast) {
    return Prepare(context, {"portable", portable::MaxPool2D<float>, portable::MaxPool2D<uint8_t>,
                             portable::MaxPool2D<int8_t>, portable::MaxPool2D<int16_t>});
  }
  return Prepare(context, {"reference", reference::MaxPool2D<float>, reference::MaxPool2D<uint8_t>,
                           reference::MaxPool2D<int8_t>, reference::MaxPool2D<int16_t>});
}

Expected<std::unique_ptr<Kernel>> PrepareAverage(const KernelContext& context) {
  if (context.kernels == KernelSet::kFast && context.inputs[0]->type == DType::kFloat32)
    return Prepare(context, {"portable", portable::AveragePool2D, nullptr, nullptr, nullptr});
  return Prepare(context, {"reference", reference::AveragePool2D<float>, reference::AveragePool2D<uint8_t>,
                           reference::AveragePool2D<int8_t>, reference::AveragePool2D<int16_t>});
}

}  // namespace

const OpKernels& MaxPool2DKernels() {
  static const OpKernels kKernels = {PrepareMax, 3};
  return kKernels;
}

const OpKernels& AveragePool2DKernels() {
  static const OpKernels kKernels = {PrepareAverage, 3};
  return kKernels;
}

}  // namespace qat
