// Prepare of BATCH_MATMUL: both operands are read where they lie, by steps.
#include <array>

#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/broadcast.h"

namespace qat {
namespace {

using Steps = std::array<int64_t, reference::BroadcastLoops::kRank>;

// Matrices of one operand: how far from one to the next along the axes of the batch, and inside one.
struct Matrices {
  Steps batch{};
  int64_t row_step = 0;
  int64_t column_step = 0;
};

struct Plan {
  Steps sizes{};  // of the batch
  int64_t rows = 0, columns = 0, depth = 0;
  Matrices a, b;
};

Shape BatchOf(const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); }

Matrices MatricesOf(const Shape& shape, bool adjoint, const Shape& batch) {
  const int64_t width = shape.back();
  Matrices matrices{reference::StepsOver(BatchOf(shape), batch), adjoint ? 1 : width, adjoint ? width : 1};
  for (int64_t& step : matrices.batch) step *= width * shape[shape.size() - 2];
  return matrices;
}

Plan PlanOf(const KernelContext& context) {
  const auto& options = context.As<BatchMatMulAttributes>();
  const Shape& a = context.inputs[0]->shape;
  const Shape& output = context.output.shape;
  const Shape batch = BatchOf(output);
  return {reference::SizesOf(batch),
          output[output.size() - 2],
          output.back(),
          a[a.size() - (options.adjoint_a ? 2 : 1)],
          MatricesOf(a, options.adjoint_a, batch),
          MatricesOf(context.inputs[1]->shape, options.adjoint_b, batch)};
}

// f(a, b): one matrix from each operand; in the order of the output.
template <class F>
void ForEachMatrix(const Plan& plan, size_t axis, int64_t a, int64_t b, const F& f) {
  if (axis == plan.sizes.size()) return f(a, b);
  for (int64_t i = 0; i < plan.sizes[axis]; ++i)
    ForEachMatrix(plan, axis + 1, a + i * plan.a.batch[axis], b + i * plan.b.batch[axis], f);
}

// output = requantized sums over depth of products.
template <class Arithmetic>
std::unique_ptr<Kernel> Make(const KernelContext& context, const Arithmetic& arithmetic) {
  using Element = typename Arithmetic::Element;
  using Filter = typename Arithmetic::Filter;
  return MakeKernel(context, "reference", [plan = PlanOf(context), arithmetic](const KernelBuffers& io) {
    Element* output = io.output<Element>();
    ForEachMatrix(plan, 0, 0, 0, [&](int64_t first, int64_t second) {
      const Element* const a = io.input<Element>(0) + first;
      const Filter* const b = io.input<Filter>(1) + second;
      for (int64_t i = 0; i < plan.rows; ++i) {
        for (int64_t k = 0; k < plan.columns; ++k) {
          typename Arithmetic::Accumulator sum{};
          for (int64_t d = 0; d < plan.depth; ++d) {
            sum = arithmetic.Add(sum, arithmetic.Product(a[i * plan.a.row_step + d * plan.a.column_step],
                                                         b[d * plan.b.row_step + k * plan.b.column_step]));
          }
          *output++ = arithmetic.Output(sum);
        }
      }
    });
  });
}

template <class T, class F, class Sum>
Expected<std::unique_ptr<Kernel>> PrepareQuantized(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const MacScales scales, ReadMacScales(context, LimitsOf<T>()));
  FixedPointArithmetic<T, F, Sum> arithmetic;
  SetOffsets(scales, Activation::kNone, arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.multiplier, MacMultiplier(scales));
  return Make(context, arithmetic);
}

// The second operand of int16 may be int8.
Expected<std::unique_ptr<Kernel>> PrepareInt16(const KernelContext& context) {
  const KernelTensor& second = *context.inputs[1];
  if (context.output.type != DType::kInt16) return UnsupportedTypes(context);
  if (second.type == DType::kInt16) return PrepareQuantized<int16_t, int16_t, int64_t>(context);
  if (second.type != DType::kInt8) return UnsupportedTypes(context);
  if (!second.zero_point.empty() && second.zero_point[0] != 0)
    return Unsupported(
        StrCat("second input has the zero point ", second.zero_point[0], ", expected 0 with int16"));
  return PrepareQuantized<int16_t, int8_t, int64_t>(context);
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const DType type = context.inputs[0]->type;
  if (type == DType::kInt16) return PrepareInt16(context);
  if (context.inputs[1]->type != type || context.output.type != type) return UnsupportedTypes(context);
  if (type == DType::kFloat32) return Make(context, FloatArithmetic());
  if (type != DType::kInt8) return UnsupportedTypes(context);
  return PrepareQuantized<int8_t, int8_t, int32_t>(context);
}

}  // namespace

// Version 3 brought int16, and int8 to int32, which Prepare refuses; 4 8-bit second operands of float ones,
// as well.
const OpKernels& BatchMatMulKernels() {
  static const OpKernels kKernels = {Prepare, 5};
  return kKernels;
}

}  // namespace qat
