// Prepare of DIV, SQUARED_DIFFERENCE, POW, FLOOR_DIV and FLOOR_MOD.
#include <cmath>
#include <limits>
#include <type_traits>

#include "runtime/kernels/pair_kernel.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/quotient.h"

namespace qat {
namespace {

// Towards minus infinity.
float FloorMod(float a, float b) {
  const float rest = std::fmod(a, b);
  return rest != 0 && (b < 0) != (rest < 0) ? rest + b : rest;
}

Expected<std::unique_ptr<Kernel>> PrepareFloat(const KernelContext& context) {
  switch (context.definition.type) {
    case OpType::kDiv: {
      const FloatArithmetic clamp = FloatActivationRange(FusedActivation(context.attributes));
      return MakePairKernel<float>(context, [=](float a, float b) { return clamp.Output(a / b); });
    }
    case OpType::kSquaredDifference:
      return MakePairKernel<float>(context, [](float a, float b) { return (a - b) * (a - b); });
    case OpType::kPow:
      return MakePairKernel<float>(context, [](float a, float b) { return std::pow(a, b); });
    case OpType::kFloorDiv:
      return MakePairKernel<float>(context, [](float a, float b) { return std::floor(a / b); });
    default:
      return MakePairKernel<float>(context, FloorMod);
  }
}

// Quotients by zero, where TFLite stops with an error, are zero; the one that no integer holds wraps.
template <class T>
struct Quotient {
  static T Truncated(T a, T b) {
    using Unsigned = std::make_unsigned_t<T>;
    if (b == 0) return 0;
    return b == -1 ? static_cast<T>(Unsigned{0} - static_cast<Unsigned>(a)) : static_cast<T>(a / b);
  }
  static T Rest(T a, T b) { return b == 0 || b == -1 ? 0 : static_cast<T>(a % b); }
  static T Floor(T a, T b) {
    const T rest = Rest(a, b);
    return static_cast<T>(Truncated(a, b) - (rest != 0 && (rest < 0) != (b < 0) ? 1 : 0));
  }
  static T Mod(T a, T b) {
    const T rest = Rest(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
  }
};

int32_t PowerOf(int32_t base, int32_t exponent) {
  // As TFLite's: by doubles.
  const double power = std::pow(static_cast<double>(base), static_cast<double>(exponent));
  if (!(power >= -0x1p31 && power < 0x1p31)) return std::numeric_limits<int32_t>::min();
  return static_cast<int32_t>(power);
}

template <class T>
Expected<std::unique_ptr<Kernel>> PrepareIntegers(const KernelContext& context) {
  using Unsigned = std::make_unsigned_t<T>;
  switch (context.definition.type) {
    case OpType::kFloorDiv:
      return MakePairKernel<T>(context, Quotient<T>::Floor);
    case OpType::kFloorMod:
      return MakePairKernel<T>(context, Quotient<T>::Mod);
    case OpType::kSquaredDifference:
      return MakePairKernel<T>(context, [](T a, T b) {
        const Unsigned difference = static_cast<Unsigned>(a) - static_cast<Unsigned>(b);
        return static_cast<T>(difference * difference);
      });
    case OpType::kDiv:
      if (FusedActivation(context.attributes) != Activation::kNone) return UnsupportedTypes(context);
      return MakePairKernel<T>(context, Quotient<T>::Truncated);
    default:
      if constexpr (std::is_same_v<T, int32_t>) return MakePairKernel<T>(context, PowerOf);
      return UnsupportedTypes(context);
  }
}

// (a - b)^2: both brought to one scale with 7 fractional bits. Source: equal bit by bit to
// tflite/kernels/squared_difference.cc.
struct QuantizedSquaredDifference : reference::QuantizedPair {
  static constexpr int kLeftShift = 7;
  FixedPointMultiplier multiplier_a;
  FixedPointMultiplier multiplier_b;
  FixedPointMultiplier multiplier_output;

  int32_t operator()(int32_t a, int32_t b) const {
    const int32_t scaled_a =
        MultiplyByQuantizedMultiplier((a - zero_point_a) * (1 << kLeftShift), multiplier_a);
    const int32_t scaled_b =
        MultiplyByQuantizedMultiplier((b - zero_point_b) * (1 << kLeftShift), multiplier_b);
    const int32_t difference = scaled_a - scaled_b;
    return Clamp(MultiplyByQuantizedMultiplier(difference * difference, multiplier_output));
  }
};

struct Scales {
  QuantizationParams a;
  QuantizationParams b;
  QuantizationParams output;
};

template <class T>
Expected<Scales> ReadScales(const KernelContext& context) {
  Scales scales;
  QAT_ASSIGN_OR_RETURN(scales.a, PerTensorParams(*context.inputs[0], "first input", LimitsOf<T>()));
  QAT_ASSIGN_OR_RETURN(scales.b, PerTensorParams(*context.inputs[1], "second input", LimitsOf<T>()));
  QAT_ASSIGN_OR_RETURN(scales.output, PerTensorParams(context.output, "output", LimitsOf<T>()));
  return scales;
}

void SetZeroPoints(const Scales& scales, reference::QuantizedPair& pair) {
  pair.zero_point_a = scales.a.zero_point;
  pair.zero_point_b = scales.b.zero_point;
  pair.zero_point_output = scales.output.zero_point;
}

template <class T>
Expected<std::unique_ptr<Kernel>> PrepareQuantizedDiv(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const Scales scales, ReadScales<T>(context));
  const double real = static_cast<double>(scales.a.scale / (scales.b.scale * scales.output.scale));
  reference::QuantizedQuotient quotient;
  QAT_ASSIGN_OR_RETURN(quotient.multiplier, CheckedMultiplier(real, "first input scale over the others"));
  SetZeroPoints(scales, quotient);
  quotient.clamp =
      QuantizedActivationRange(FusedActivation(context.attributes), scales.output, LimitsOf<T>());
  return MakePairKernel<T>(context, quotient);
}

Expected<std::unique_ptr<Kernel>> PrepareInt8(const KernelContext& context) {
  if (context.definition.type == OpType::kDiv) return PrepareQuantizedDiv<int8_t>(context);
  if (context.definition.type != OpType::kSquaredDifference) return UnsupportedTypes(context);
  QAT_ASSIGN_OR_RETURN(const Scales scales, ReadScales<int8_t>(context));
  const auto& [a, b, output] = scales;
  QuantizedSquaredDifference squared;
  const double twice = 2 * static_cast<double>(std::max(a.scale, b.scale));
  const double rescale = twice * twice / static_cast<double>((1 << squared.kLeftShift * 2) * output.scale);
  // TFLite's kernel aborts the process here.
  if (!(rescale < 1))
    return Unsupported(StrCat("output scale ", output.scale, " is too small for the inputs'"));
  SetZeroPoints(scales, squared);
  squared.clamp = LimitsOf<int8_t>();
  squared.multiplier_a = QuantizeMultiplier(static_cast<double>(a.scale) / twice);
  squared.multiplier_b = QuantizeMultiplier(static_cast<double>(b.scale) / twice);
  squared.multiplier_output = QuantizeMultiplier(rescale);
  return MakePairKernel<int8_t>(context, squared);
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const DType type = context.inputs[0]->type;
  if (context.inputs[1]->type != type || context.output.type != type) return UnsupportedTypes(context);
  if (type == DType::kFloat32) return PrepareFloat(context);
  if (type == DType::kInt32) return PrepareIntegers<int32_t>(context);
  if (type == DType::kInt64) return PrepareIntegers<int64_t>(context);
  if (type == DType::kInt8) return PrepareInt8(context);
  if (type == DType::kUInt8 && context.definition.type == OpType::kDiv)
    return PrepareQuantizedDiv<uint8_t>(context);
  return UnsupportedTypes(context);
}

const OpKernels kUpTo3 = {Prepare, 3};

}  // namespace

const OpKernels& DivKernels() { return kUpTo3; }
const OpKernels& SquaredDifferenceKernels() { return kUpTo3; }
const OpKernels& PowKernels() { return kUpTo3; }
const OpKernels& FloorDivKernels() { return kUpTo3; }
const OpKernels& FloorModKernels() { return kUpTo3; }

}  // namespace qat
