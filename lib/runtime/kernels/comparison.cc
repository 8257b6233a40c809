// Prepare of EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL, LOGICAL_AND and LOGICAL_OR.
#include <array>
#include <functional>

#include "runtime/kernels/pair_kernel.h"
#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

// `brought(value, side)` is what is compared of it.
template <class T, class F>
Expected<std::unique_ptr<Kernel>> Compare(const KernelContext& context, F brought) {
  const auto make = [&](auto compare) {
    return MakePairKernel<T, uint8_t>(context,
                                      [=](T a, T b) { return compare(brought(a, 0), brought(b, 1)); });
  };
  switch (context.definition.type) {
    case OpType::kEqual:
      return make(std::equal_to<>());
    case OpType::kNotEqual:
      return make(std::not_equal_to<>());
    case OpType::kGreater:
      return make(std::greater<>());
    case OpType::kGreaterEqual:
      return make(std::greater_equal<>());
    case OpType::kLess:
      return make(std::less<>());
    default:
      return make(std::less_equal<>());
  }
}

template <class T>
Expected<std::unique_ptr<Kernel>> CompareAsTheyAre(const KernelContext& context) {
  return Compare<T>(context, [](T value, int) { return value; });
}

// Both sides times their scales, with 8 fractional bits.
template <class T>
Expected<std::unique_ptr<Kernel>> CompareQuantized(const KernelContext& context) {
  struct Side {
    int32_t zero_point;
    FixedPointMultiplier multiplier;
  };
  std::array<Side, 2> sides;
  for (size_t i = 0; i < 2; ++i) {
    QAT_ASSIGN_OR_RETURN(const auto params, PerTensorParams(*context.inputs[i], "input", LimitsOf<T>()));
    // TFLite's kernel aborts the process here.
    if (!(params.scale < 1)) return Unsupported(StrCat("scale is ", params.scale, ", expected below 1"));
    sides[i] = {params.zero_point, QuantizeMultiplier(static_cast<double>(params.scale))};
  }
  return Compare<T>(context, [=](T value, int side) {
    const Side& s = sides[static_cast<size_t>(side)];
    return MultiplyByQuantizedMultiplier((value - s.zero_point) * (1 << 8), s.multiplier);
  });
}

// Of quantized values TFLite brings two of them to real ones; it compares the integers of the others, if at
// all.
Expected<std::unique_ptr<Kernel>> PrepareInt16(const KernelContext& context) {
  const OpType type = context.definition.type;
  const bool equality = type == OpType::kEqual || type == OpType::kNotEqual;
  if (!equality) return UnsupportedTypes(context);
  return context.inputs[0]->scale.empty() ? CompareAsTheyAre<int16_t>(context)
                                          : CompareQuantized<int16_t>(context);
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const DType type = context.inputs[0]->type;
  if (context.inputs[1]->type != type || context.output.type != DType::kBool)
    return UnsupportedTypes(context);
  const bool equality =
      context.definition.type == OpType::kEqual || context.definition.type == OpType::kNotEqual;
  switch (type) {
    case DType::kFloat32:
      return CompareAsTheyAre<float>(context);
    case DType::kInt32:
      return CompareAsTheyAre<int32_t>(context);
    case DType::kInt64:
      return CompareAsTheyAre<int64_t>(context);
    case DType::kUInt8:
      return CompareQuantized<uint8_t>(context);
    case DType::kInt16:
      return PrepareInt16(context);
    case DType::kInt8:
      return CompareQuantized<int8_t>(context);
    case DType::kBool:
      if (equality) return CompareAsTheyAre<uint8_t>(context);
      return UnsupportedTypes(context);
    default:
      return UnsupportedTypes(context);
  }
}

Expected<std::unique_ptr<Kernel>> PrepareLogical(const KernelContext& context) {
  for (const KernelTensor* input : context.inputs)
    if (input->type != DType::kBool || context.output.type != DType::kBool) return UnsupportedTypes(context);
  if (context.definition.type == OpType::kLogicalAnd)
    return MakePairKernel<uint8_t>(context, [](uint8_t a, uint8_t b) { return a != 0 && b != 0; });
  return MakePairKernel<uint8_t>(context, [](uint8_t a, uint8_t b) { return a != 0 || b != 0; });
}

const OpKernels kComparison = {Prepare, 4};
const OpKernels kLogical = {PrepareLogical, 1};

}  // namespace

const OpKernels& EqualKernels() { return kComparison; }
const OpKernels& NotEqualKernels() { return kComparison; }
const OpKernels& GreaterKernels() { return kComparison; }
const OpKernels& GreaterEqualKernels() { return kComparison; }
const OpKernels& LessKernels() { return kComparison; }
const OpKernels& LessEqualKernels() { return kComparison; }
const OpKernels& LogicalAndKernels() { return kLogical; }
const OpKernels& LogicalOrKernels() { return kLogical; }

}  // namespace qat
