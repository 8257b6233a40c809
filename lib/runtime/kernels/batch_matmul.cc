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
  return MakeKernel(context, "reference", [plan = PlanOf(context), arithmetic](const KernelBuffers& io) {
    Element* output = io.output<Element>();
    ForEachMatrix(plan, 0, 0, 0, [&](int64_t first, int64_t second) {
      const Element* const a = io.input<Element>(0) + first;
      const Element* const b = io.input<Element>(1) + second;
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

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const DType type = context.inputs[0]->type;
  if (context.inputs[1]->type != type || context.output.type != type) return UnsupportedTypes(context);
  if (type == DType::kFloat32) return Make(context, FloatArithmetic());
  if (type != DType::kInt8) return UnsupportedTypes(context);
  QAT_ASSIGN_OR_RETURN(const MacScales scales, ReadMacScales(context, LimitsOf<int8_t>()));
  FixedPointArithmetic<int8_t> arithmetic;
  SetOffsets(scales, Activation::kNone, arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.multiplier, MacMultiplier(scales));
  return Make(context, arithmetic);
}

}  // namespace

// Version 3 brought int16 and int8 to int32, 4 8-bit second operands of float ones: other types, which Prepare refuses.
const OpKernels& BatchMatMulKernels() {
  static const OpKernels kKernels = {Prepare, 5};
  return kKernels;
}

}  // namespace qat
