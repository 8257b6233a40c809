// Prepare of the functions of one value: on 8 bits each is a table.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/inverse_sqrt.h"
#include "runtime/kernels/table.h"

namespace qat {
namespace {

float EluOf(float x) { return x < 0 ? std::expm1(x) : x; }

// 1 + erf(y) loses all digits for large negative y, erfc does not.
float GeluOf(float x) { return 0.5f * x * std::erfc(x * -std::numbers::sqrt2_v<float> / 2); }

float ApproximateGeluOf(float x) {
  constexpr float kRootOfTwoOverPi = static_cast<float>(std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
  return 0.5f * x * (1 + std::tanh(kRootOfTwoOverPi * (x + 0.044715f * x * x * x)));
}

// Halves to even. What is rounded up to zero is +0, as where 1 is added to a floor of -1.
float RoundOf(float x) {
  const float rounded = std::nearbyint(x);
  return rounded == 0 && x < 0 ? 0 : rounded;
}

using FloatFunction = float (*)(float);

FloatFunction FunctionOf(const KernelContext& context) {
  switch (context.definition.type) {
    case OpType::kExp:
      return [](float x) { return std::exp(x); };
    case OpType::kLog:
      return [](float x) { return std::log(x); };
    case OpType::kSqrt:
      return [](float x) { return std::sqrt(x); };
    case OpType::kRsqrt:
      return [](float x) { return 1 / std::sqrt(x); };
    case OpType::kSquare:
      return [](float x) { return x * x; };
    case OpType::kAbs:
      return [](float x) { return std::abs(x); };
    case OpType::kNeg:
      return [](float x) { return -x; };
    case OpType::kFloor:
      return [](float x) { return std::floor(x); };
    case OpType::kCeil:
      return [](float x) { return std::ceil(x); };
    case OpType::kRound:
      return RoundOf;
    case OpType::kSin:
      return [](float x) { return std::sin(x); };
    case OpType::kCos:
      return [](float x) { return std::cos(x); };
    case OpType::kSign:
      return [](float x) { return x > 0 ? 1.0f : x < 0 ? -1.0f : 0.0f; };
    case OpType::kElu:
      return EluOf;
    default:
      return context.As<GeluAttributes>().approximate ? ApproximateGeluOf : GeluOf;
  }
}

template <class T, class F>
std::unique_ptr<Kernel> Make(const KernelContext& context, F f) {
  const int64_t count = FlatSize(context.output.shape);
  return ElementByElement(context, MakeKernel(context, "reference", [=](const KernelBuffers& io) {
                            std::transform(io.input<T>(0), io.input<T>(0) + count, io.output<T>(), f);
                          }));
}

struct Scales {
  QuantizationParams input;
  QuantizationParams output;
};

// round(f(real) / scale) + zero_point in float32, as TFLite fills its tables; what no int32 holds becomes its
// least.
template <class T>
std::unique_ptr<Kernel> MakeRealTable(const KernelContext& context, const Scales& scales, auto f) {
  const float inverse = 1 / scales.output.scale;
  return MakeFunctionKernel<T>(context, [=](int32_t q) {
    const float real = f(scales.input.scale * static_cast<float>(q - scales.input.zero_point));
    const float shifted = std::round(real * inverse) + static_cast<float>(scales.output.zero_point);
    return shifted >= -0x1p31f && shifted < 0x1p31f ? static_cast<int32_t>(shifted)
                                                    : std::numeric_limits<int32_t>::min();
  });
}

std::unique_ptr<Kernel> MakeLog(const KernelContext& context, const Scales& scales) {
  const float least =
      static_cast<float>(LimitsOf<int8_t>().quant_min - scales.output.zero_point) * scales.output.scale;
  return MakeRealTable<int8_t>(context, scales, [=](float x) { return x <= 0 ? least : std::log(x); });
}

// Towards zero. Values below zero, where TFLite stops with an error, become zero.
template <class T>
std::unique_ptr<Kernel> MakeSqrt(const KernelContext& context, const Scales& scales) {
  return MakeFunctionKernel<T>(context, [=](int32_t q) {
    const float real = scales.input.scale * static_cast<float>(q - scales.input.zero_point);
    const float steps = real <= 0 ? 0 : std::sqrt(real) / scales.output.scale;
    return steps < 0x1p31f ? WrappingAdd(static_cast<int32_t>(steps), scales.output.zero_point)
                           : WrappingAdd(std::numeric_limits<int32_t>::min(), scales.output.zero_point);
  });
}

template <class T>
Expected<std::unique_ptr<Kernel>> MakeAbs(const KernelContext& context, const Scales& scales) {
  QAT_ASSIGN_OR_RETURN(const FixedPointMultiplier multiplier,
                       CheckedMultiplier(static_cast<double>(scales.input.scale / scales.output.scale),
                                         "input scale over output scale"));
  const bool same = scales.input.scale == scales.output.scale;
  return MakeFunctionKernel<T>(context, [=](int32_t q) {
    const int32_t value = std::abs(q - scales.input.zero_point);
    return WrappingAdd(same ? value : MultiplyByQuantizedMultiplier(value, multiplier),
                       scales.output.zero_point);
  });
}

// Values below zero, where TFLite stops with an error, become the largest, as zero does.
Expected<std::unique_ptr<Kernel>> MakeRsqrt(const KernelContext& context, const Scales& scales) {
  constexpr int kBits = 20;
  const double real = 1.0 / static_cast<double>(std::sqrt(scales.input.scale) * scales.output.scale);
  QAT_ASSIGN_OR_RETURN(FixedPointMultiplier rescale,
                       CheckedMultiplier(real, "inverse root of the input scale"));
  rescale.shift -= kBits;
  if (rescale.shift < -31) rescale = {};
  return MakeFunctionKernel<int8_t>(context, [=](int32_t q) {
    const int32_t value = q - scales.input.zero_point;
    if (value <= 0) return int32_t{std::numeric_limits<int8_t>::max()};
    FixedPointMultiplier inverse = reference::InverseSqrt(value);
    inverse.shift += kBits;
    return WrappingAdd(MultiplyByQuantizedMultiplier(MultiplyByQuantizedMultiplier(1, inverse), rescale),
                       scales.output.zero_point);
  });
}

template <class T>
Expected<Scales> ReadScales(const KernelContext& context) {
  Scales scales;
  QAT_ASSIGN_OR_RETURN(scales.input, PerTensorParams(*context.inputs[0], "input", LimitsOf<T>()));
  QAT_ASSIGN_OR_RETURN(scales.output, PerTensorParams(context.output, "output", LimitsOf<T>()));
  return scales;
}

// Of those that TFLite runs on int8; the others it does not run either.
Expected<std::unique_ptr<Kernel>> PrepareInt8(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const Scales scales, ReadScales<int8_t>(context));
  switch (context.definition.type) {
    case OpType::kElu:
      // Of exp, not of expm1 as on reals.
      return MakeRealTable<int8_t>(context, scales, [](float x) { return x < 0 ? std::exp(x) - 1 : x; });
    case OpType::kExp:
    case OpType::kGelu:
      return MakeRealTable<int8_t>(context, scales, FunctionOf(context));
    case OpType::kLog:
      return MakeLog(context, scales);
    case OpType::kSqrt:
      return MakeSqrt<int8_t>(context, scales);
    case OpType::kAbs:
      return MakeAbs<int8_t>(context, scales);
    case OpType::kRsqrt:
      return MakeRsqrt(context, scales);
    default:
      return UnsupportedTypes(context);
  }
}

template <class F>
std::unique_ptr<Kernel> MakeInt16Table(const KernelContext& context, const Scales& scales, const F& f) {
  return MakeTableKernel(context,
                         reference::MakeInt16Table<float>(scales.input.scale, 0, scales.output.scale, 0, f));
}

// Of those that TFLite runs on int16. What has no logarithm or root in it is the least or the largest value.
Expected<std::unique_ptr<Kernel>> PrepareInt16(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const Scales scales, ReadScales<int16_t>(context));
  const float scale = scales.output.scale;
  switch (context.definition.type) {
    case OpType::kExp:
      return MakeInt16Table(context, scales, FunctionOf(context));
    case OpType::kLog:
      return MakeInt16Table(context, scales, [=](float x) { return x <= 0 ? -32768 * scale : std::log(x); });
    case OpType::kRsqrt:
      return MakeInt16Table(context, scales,
                            [=](float x) { return x <= 0 ? 32767 * scale : 1 / std::sqrt(x); });
    case OpType::kSqrt:
      return MakeSqrt<int16_t>(context, scales);
    case OpType::kAbs:
      return MakeAbs<int16_t>(context, scales);
    default:
      return UnsupportedTypes(context);
  }
}

// They wrap.
template <class T>
Expected<std::unique_ptr<Kernel>> PrepareIntegers(const KernelContext& context) {
  using Unsigned = std::make_unsigned_t<T>;
  const auto negative = [](T x) { return static_cast<T>(Unsigned{0} - static_cast<Unsigned>(x)); };
  if (context.definition.type == OpType::kNeg) return Make<T>(context, negative);
  if (context.definition.type == OpType::kAbs)
    return Make<T>(context, [=](T x) { return x < 0 ? negative(x) : x; });
  return UnsupportedTypes(context);
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  if (context.output.type != context.inputs[0]->type) return UnsupportedTypes(context);
  const OpType type = context.definition.type;
  if (context.output.type == DType::kInt32) return PrepareIntegers<int32_t>(context);
  if (context.output.type == DType::kInt64) return PrepareIntegers<int64_t>(context);
  if (context.output.type == DType::kInt8) return PrepareInt8(context);
  if (context.output.type == DType::kInt16) return PrepareInt16(context);
  if (context.output.type == DType::kUInt8 && type == OpType::kGelu) {
    QAT_ASSIGN_OR_RETURN(const Scales scales, ReadScales<uint8_t>(context));
    return MakeRealTable<uint8_t>(context, scales, FunctionOf(context));
  }
  if (context.output.type != DType::kFloat32) return UnsupportedTypes(context);
  return Make<float>(context, FunctionOf(context));
}

Expected<std::unique_ptr<Kernel>> PrepareNot(const KernelContext& context) {
  if (context.output.type != DType::kBool || context.inputs[0]->type != DType::kBool)
    return UnsupportedTypes(context);
  return Make<uint8_t>(context, [](uint8_t x) { return static_cast<uint8_t>(x == 0); });
}

const OpKernels kUpTo2 = {Prepare, 2};

}  // namespace

const OpKernels& ExpKernels() { return kUpTo2; }
const OpKernels& LogKernels() { return kUpTo2; }
const OpKernels& SqrtKernels() { return kUpTo2; }
const OpKernels& RsqrtKernels() {
  static const OpKernels kKernels = {Prepare, 3};
  return kKernels;
}
const OpKernels& SquareKernels() { return kUpTo2; }
const OpKernels& AbsKernels() {
  static const OpKernels kKernels = {Prepare, 5};
  return kKernels;
}
const OpKernels& NegKernels() { return kUpTo2; }
const OpKernels& FloorKernels() { return kUpTo2; }
const OpKernels& CeilKernels() { return kUpTo2; }
const OpKernels& RoundKernels() { return kUpTo2; }
const OpKernels& SinKernels() { return kUpTo2; }
const OpKernels& CosKernels() { return kUpTo2; }
const OpKernels& SignKernels() { return kUpTo2; }
const OpKernels& EluKernels() { return kUpTo2; }
const OpKernels& GeluKernels() { return kUpTo2; }
const OpKernels& LogicalNotKernels() {
  static const OpKernels kKernels = {PrepareNot, 1};
  return kKernels;
}

}  // namespace qat
