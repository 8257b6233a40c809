// Prepare of SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND. An input [N, L, C] is an image of one column.
#include <cstring>

#include "runtime/kernels/indices.h"
#include "runtime/kernels/view.h"

namespace qat {
namespace {

struct Plan {
  int64_t batch, height, width;  // of the side with the blocks whole, without its border
  int64_t depth_bytes;
  int64_t block_h, block_w, top, left;
  int64_t rows, columns;  // of the other side
};

Plan PlanOf(const KernelContext& context, const Shape& whole, const Shape& dealt) {
  const std::vector<int64_t> block = IndicesOf(*context.inputs[1]);
  const std::vector<int64_t> border = IndicesOf(*context.inputs[2]);
  const bool image = whole.size() == 4;
  Plan plan{};
  plan.batch = whole[0];
  plan.height = whole[1];
  plan.width = image ? whole[2] : 1;
  plan.depth_bytes = whole.back() * static_cast<int64_t>(SizeOf(context.output.type));
  plan.block_h = block[0];
  plan.block_w = image ? block[1] : 1;
  plan.top = border[0];
  plan.left = image ? border[2] : 0;
  plan.rows = dealt[1];
  plan.columns = image ? dealt[2] : 1;
  return plan;
}

// Calls f(pixel of the side with the blocks whole, -1 in its border; pixel of the other side) for all of the
// other side.
template <class F>
void ForEachPixel(const Plan& plan, const F& f) {
  int64_t pixel = 0;
  for (int64_t place = 0; place < plan.block_h * plan.block_w; ++place) {
    for (int64_t n = 0; n < plan.batch; ++n) {
      for (int64_t row = 0; row < plan.rows; ++row) {
        const int64_t y = row * plan.block_h + place / plan.block_w - plan.top;
        for (int64_t column = 0; column < plan.columns; ++column, ++pixel) {
          const int64_t x = column * plan.block_w + place % plan.block_w - plan.left;
          const bool inside = y >= 0 && y < plan.height && x >= 0 && x < plan.width;
          f(inside ? (n * plan.height + y) * plan.width + x : -1, pixel);
        }
      }
    }
  }
}

Expected<std::unique_ptr<Kernel>> PrepareSpaceToBatch(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  QAT_RETURN_IF_ERROR(CheckMoved(context, input));
  const Plan plan = PlanOf(context, input.shape, context.output.shape);
  const bool quantized = !context.output.zero_point.empty() && SizeOf(input.type) == 1;
  const auto fill = static_cast<uint8_t>(quantized ? context.output.zero_point[0] : 0);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    const auto size = static_cast<size_t>(plan.depth_bytes);
    ForEachPixel(plan, [&](int64_t whole, int64_t dealt) {
      uint8_t* const to = io.output_bytes + dealt * plan.depth_bytes;
      if (whole < 0) {
        std::memset(to, fill, size);
      } else {
        std::memcpy(to, io.inputs[0] + whole * plan.depth_bytes, size);
      }
    });
  });
}

Expected<std::unique_ptr<Kernel>> PrepareBatchToSpace(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  QAT_RETURN_IF_ERROR(CheckMoved(context, input));
  const Plan plan = PlanOf(context, context.output.shape, input.shape);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    ForEachPixel(plan, [&](int64_t whole, int64_t dealt) {
      if (whole < 0) return;
      std::memcpy(io.output_bytes + whole * plan.depth_bytes, io.inputs[0] + dealt * plan.depth_bytes,
                  static_cast<size_t>(plan.depth_bytes));
    });
  });
}

}  // namespace

const OpKernels& SpaceToBatchNdKernels() {
  static const OpKernels kKernels = {PrepareSpaceToBatch, 4};
  return kKernels;
}
const OpKernels& BatchToSpaceNdKernels() {
  static const OpKernels kKernels = {PrepareBatchToSpace, 4};
  return kKernels;
}

}  // namespace qat
