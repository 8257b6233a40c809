// Prepare of CAST between float32, int32, int64, int16, uint8, int8 and bool. Quantized values are cast as
// the integers they are, as in TFLite.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

// Truncates towards zero. What C++ leaves open, values outside and NaN, becomes the nearest end and zero.
template <class Out, class In>
Out CastValue(In value) {
  if constexpr (std::is_same_v<Out, bool>) {
    return value != 0;
  } else if constexpr (std::is_same_v<In, float> && !std::is_same_v<Out, float>) {
    if (std::isnan(value)) return 0;
    if (value <= static_cast<float>(std::numeric_limits<Out>::min())) return std::numeric_limits<Out>::min();
    if (value >= static_cast<float>(std::numeric_limits<Out>::max())) return std::numeric_limits<Out>::max();
    return static_cast<Out>(value);
  } else {
    return static_cast<Out>(value);
  }
}

template <class In, class Out>
std::unique_ptr<Kernel> Make(const KernelContext& context) {
  // A byte of a bool from a file may be neither 0 nor 1, which no bool may hold.
  using Stored = std::conditional_t<std::is_same_v<In, bool>, uint8_t, In>;
  const int64_t count = FlatSize(context.output.shape);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    std::transform(io.input<Stored>(0), io.input<Stored>(0) + count, io.output<Out>(), [](Stored value) {
      if constexpr (std::is_same_v<In, bool>)
        return CastValue<Out, bool>(value != 0);
      else
        return CastValue<Out, In>(value);
    });
  });
}

template <class In>
Expected<std::unique_ptr<Kernel>> From(const KernelContext& context) {
  switch (context.output.type) {
    case DType::kFloat32:
      return Make<In, float>(context);
    case DType::kInt32:
      return Make<In, int32_t>(context);
    case DType::kInt64:
      return Make<In, int64_t>(context);
    case DType::kUInt8:
      return Make<In, uint8_t>(context);
    case DType::kInt8:
      return Make<In, int8_t>(context);
    case DType::kInt16:
      return Make<In, int16_t>(context);
    case DType::kBool:
      return Make<In, bool>(context);
    default:
      return UnsupportedTypes(context);
  }
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  switch (context.inputs[0]->type) {
    case DType::kFloat32:
      return From<float>(context);
    case DType::kInt32:
      return From<int32_t>(context);
    case DType::kInt64:
      return From<int64_t>(context);
    case DType::kUInt8:
      return From<uint8_t>(context);
    case DType::kInt8:
      return From<int8_t>(context);
    case DType::kInt16:
      return From<int16_t>(context);
    case DType::kBool:
      return From<bool>(context);
    default:
      return UnsupportedTypes(context);
  }
}

}  // namespace

// Later versions brought other types.
const OpKernels& CastKernels() {
  static const OpKernels kKernels = {Prepare, 7};
  return kKernels;
}

}  // namespace qat
