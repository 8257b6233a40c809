// Prepare of RELU, RELU6, RELU_N1_TO_1, LEAKY_RELU, HARD_SWISH, LOGISTIC and TANH: on 8 bits each is a table.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "quant/power_of_two.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/hard_swish.h"
#include "runtime/kernels/reference/int16_sigmoid.h"
#include "runtime/kernels/reference/softmax.h"
#include "runtime/kernels/simd/matrix.h"
#include "runtime/kernels/table.h"

namespace qat {
namespace {

template <class F>
std::unique_ptr<Kernel> MakeFloat(const KernelContext& context, F f) {
  constexpr int64_t kRun = 1024, kWorkOfAValue = 16;  // values; multiply-accumulates (estimate)
  const int64_t count = FlatSize(context.output.shape);
  const auto run = [=](const KernelBuffers& io) {
    ForRuns(io.pool, count * kWorkOfAValue, count, kRun, [&](int64_t begin, int64_t end, int) {
      std::transform(io.input<float>(0) + begin, io.input<float>(0) + end, io.output<float>() + begin, f);
    });
  };
  return ElementByElement(context, MakeKernel(context, "reference", run));
}

// Activation of the same meaning, for those that are clamps.
Activation ActivationOf(OpType type) {
  if (type == OpType::kRelu) return Activation::kRelu;
  return type == OpType::kRelu6 ? Activation::kRelu6 : Activation::kReluN1To1;
}

float LogisticOf(float x) { return 1 / (1 + std::exp(-x)); }

// Of reals TFLite's kernel takes the tails apart; its tables of 8 bits do not.
float LogisticOfReal(float x) {
  constexpr float kLow = -9, kHigh = 16.619047164916992f;
  if (x > kHigh) return 1;
  return x < kLow ? std::exp(x) : LogisticOf(x);
}

Expected<std::unique_ptr<Kernel>> PrepareFloat(const KernelContext& context) {
  switch (context.definition.type) {
    case OpType::kLeakyRelu: {
      const float alpha = context.As<LeakyReluAttributes>().alpha;
      return MakeFloat(context, [=](float x) { return x > 0 ? x : x * alpha; });
    }
    case OpType::kHardSwish:
      return MakeFloat(context, [](float x) { return x * std::min(6.0f, std::max(0.0f, x + 3)) / 6; });
    case OpType::kLogistic:
      return MakeFloat(context, LogisticOfReal);
    case OpType::kTanh:
      return MakeFloat(context, [](float x) { return std::tanh(x); });
    default: {
      const FloatArithmetic clamp = FloatActivationRange(ActivationOf(context.definition.type));
      return MakeFloat(context, [=](float x) { return clamp.Output(x); });
    }
  }
}

template <class T>
struct Scales {
  static constexpr QuantizedLimits kLimits = LimitsOf<T>();
  QuantizationParams input;
  QuantizationParams output;

  // input * factor / output, in float32 as TFLite's kernels form it.
  Expected<FixedPointMultiplier> Multiplier(float factor) const {
    return CheckedMultiplier(static_cast<double>(input.scale * factor / output.scale),
                             "input scale over output scale");
  }
};

template <class T>
Expected<std::unique_ptr<Kernel>> MakeClamp(const KernelContext& context, const Scales<T>& scales) {
  QAT_ASSIGN_OR_RETURN(const FixedPointMultiplier multiplier, scales.Multiplier(1));
  const QuantizedLimits clamp =
      QuantizedActivationRange(ActivationOf(context.definition.type), scales.output, scales.kLimits);
  return MakeFunctionKernel<T>(context, [=](int32_t q) {
    const int32_t value = MultiplyByQuantizedMultiplier(q - scales.input.zero_point, multiplier);
    return std::clamp(WrappingAdd(value, scales.output.zero_point), clamp.quant_min, clamp.quant_max);
  });
}

template <class T>
Expected<std::unique_ptr<Kernel>> MakeLeakyRelu(const KernelContext& context, const Scales<T>& scales) {
  const float alpha = context.As<LeakyReluAttributes>().alpha;
  QAT_ASSIGN_OR_RETURN(const FixedPointMultiplier positive, scales.Multiplier(1));
  QAT_RETURN_IF_ERROR(scales.Multiplier(std::abs(alpha)));
  const FixedPointMultiplier negative =
      QuantizeMultiplier(static_cast<double>(scales.input.scale * alpha / scales.output.scale));
  return MakeFunctionKernel<T>(context, [=](int32_t q) {
    const int32_t value = q - scales.input.zero_point;
    return WrappingAdd(MultiplyByQuantizedMultiplier(value, value >= 0 ? positive : negative),
                       scales.output.zero_point);
  });
}

template <class T>
Expected<std::unique_ptr<Kernel>> MakeHardSwish(const KernelContext& context, const Scales<T>& scales) {
  QAT_ASSIGN_OR_RETURN(const HardSwishScaling scaling, ComputeHardSwishScaling(scales.input, scales.output));
  return MakeFunctionKernel<T>(context, [&](int32_t q) { return reference::HardSwish(scaling, q); });
}

// round(f(real) / scale) + zero_point in float32, as TFLite fills its tables.
template <class T, class F>
std::unique_ptr<Kernel> MakeRealTable(const KernelContext& context, const Scales<T>& scales, F f) {
  const float inverse = 1 / scales.output.scale;
  return MakeFunctionKernel<T>(context, [=](int32_t q) {
    const float real = f(scales.input.scale * static_cast<float>(q - scales.input.zero_point));
    return RoundWithin(real * inverse, 1024) + scales.output.zero_point;
  });
}

// Logistic and tanh of int8 as TFLite Micro computes them: the input as Q4.27, saturated from `radius` on;
// the output in steps of 1/256 and 1/128.
Expected<std::unique_ptr<Kernel>> MakeFixedSigmoid(const KernelContext& context,
                                                   const Scales<int8_t>& scales) {
  const bool is_tanh = context.definition.type == OpType::kTanh;
  QAT_ASSIGN_OR_RETURN(const FixedPointMultiplier multiplier,
                       CheckedMultiplier(static_cast<double>(scales.input.scale) * (1 << 27), "input scale"));
  if (multiplier.shift < 0)
    return Unsupported(StrCat("input scale is ", scales.input.scale, ", expected 2^-28 or more"));
  const auto radius = static_cast<int32_t>(
      std::floor(15.0 * static_cast<double>(1 << 27) / static_cast<double>(int64_t{1} << multiplier.shift)));
  const int32_t zero_point = is_tanh ? 0 : -128;
  return MakeFunctionKernel<int8_t>(context, [=](int32_t q) {
    const int32_t input = q - scales.input.zero_point;
    if (input <= -radius) return -128;
    if (input >= radius) return 127;
    const int32_t x = MultiplyByQuantizedMultiplier(input, multiplier);
    const int32_t y = is_tanh ? reference::FixedTanh(x) : reference::FixedLogistic(x);
    return RoundingDivideByPOT(y, is_tanh ? 24 : 23) + zero_point;
  });
}

template <class T>
Expected<Scales<T>> ReadScales(const KernelContext& context) {
  Scales<T> scales;
  QAT_ASSIGN_OR_RETURN(scales.input, PerTensorParams(*context.inputs[0], "input", scales.kLimits));
  QAT_ASSIGN_OR_RETURN(scales.output, PerTensorParams(context.output, "output", scales.kLimits));
  return scales;
}

Expected<std::unique_ptr<Kernel>> MakeInt16Sigmoid(const KernelContext& context,
                                                   const Scales<int16_t>& scales) {
  const bool is_tanh = context.definition.type == OpType::kTanh;
  if (Log2OfPowerOfTwo(scales.output.scale) != -15)
    return Corrupt(StrCat("output scale is ", scales.output.scale, ", expected 2^-15 of int16"));
  const auto scaling = reference::ComputeInt16SigmoidScaling(scales.input.scale, is_tanh);
  if (is_tanh) return MakeInt16Kernel(context, [=](int16_t q) { return reference::Int16Tanh(scaling, q); });
  return MakeInt16Kernel(context, [=](int16_t q) { return reference::Int16Logistic(scaling, q); });
}

// Of those that TFLite runs on int16.
Expected<std::unique_ptr<Kernel>> PrepareInt16(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const auto scales, ReadScales<int16_t>(context));
  switch (context.definition.type) {
    case OpType::kRelu:
    case OpType::kRelu6:
      return MakeClamp(context, scales);
    case OpType::kLeakyRelu:
      return MakeLeakyRelu(context, scales);
    case OpType::kLogistic:
    case OpType::kTanh:
      return MakeInt16Sigmoid(context, scales);
    default:
      return UnsupportedTypes(context);
  }
}

template <class T>
Expected<std::unique_ptr<Kernel>> PrepareQuantized(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const Scales<T> scales, ReadScales<T>(context));
  const OpType type = context.definition.type;
  if constexpr (std::is_same_v<T, int8_t>) {
    const bool fixed = context.profile == ArithmeticProfile::kTfliteMicro;
    if (fixed && (type == OpType::kLogistic || type == OpType::kTanh)) {
      QAT_RETURN_IF_ERROR(CheckOutputQuantization(context, scales.kLimits));
      return MakeFixedSigmoid(context, scales);
    }
  }
  switch (type) {
    case OpType::kLeakyRelu:
      return MakeLeakyRelu(context, scales);
    case OpType::kHardSwish:
      return MakeHardSwish(context, scales);
    case OpType::kLogistic:
      QAT_RETURN_IF_ERROR(CheckOutputQuantization(context, scales.kLimits));
      return MakeRealTable(context, scales, LogisticOf);
    case OpType::kTanh:
      return MakeRealTable(context, scales, [](float x) { return std::tanh(x); });
    default:
      return MakeClamp(context, scales);
  }
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  if (context.output.type != context.inputs[0]->type) return UnsupportedTypes(context);
  switch (context.output.type) {
    case DType::kFloat32:
      return PrepareFloat(context);
    case DType::kUInt8:
      return PrepareQuantized<uint8_t>(context);
    case DType::kInt8:
      return PrepareQuantized<int8_t>(context);
    case DType::kInt16:
      return PrepareInt16(context);
    default:
      return UnsupportedTypes(context);
  }
}

const OpKernels kUpTo3 = {Prepare, 3};

}  // namespace

// Version 3 brought int16, to leaky_relu 2.
const OpKernels& ReluKernels() { return kUpTo3; }
const OpKernels& Relu6Kernels() { return kUpTo3; }
const OpKernels& ReluN1To1Kernels() { return kUpTo3; }
const OpKernels& LeakyReluKernels() { return kUpTo3; }
const OpKernels& HardSwishKernels() { return kUpTo3; }
const OpKernels& LogisticKernels() { return kUpTo3; }
const OpKernels& TanhKernels() { return kUpTo3; }

}  // namespace qat
