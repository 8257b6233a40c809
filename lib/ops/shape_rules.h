// shape_rules.h: pieces of shape rules that several operators share; messages speak of shapes, the caller
// names the layer.
#ifndef QAT_OPS_SHAPE_RULES_H_
#define QAT_OPS_SHAPE_RULES_H_

#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "ops/op.h"

namespace qat {

/// "input is [3, 4], expected 4 dimensions".
Status ExpectRank(const Operand& operand, size_t rank, std::string_view what);

/// Output of a window over [N, H, W, …]: "window 5x5 does not fit into 4x4 with padding valid" where it has
/// no place.
struct WindowGeometry {
  int32_t height = 0;
  int32_t width = 0;
};
Expected<WindowGeometry> WindowOutput(const Shape& input, Padding padding, int32_t kernel_h, int32_t kernel_w,
                                      int32_t stride_h, int32_t stride_w, int32_t dilation_h = 1,
                                      int32_t dilation_w = 1);

/// Values of a constant int32 or int64 operand. Errors: kUnsupported where it is computed, kInvalidArgument
/// by type.
Expected<std::vector<int64_t>> ConstantIndices(const Operand& operand, std::string_view what);

/// The shape that both shapes broadcast to: aligned at the last axis, a size of 1 is repeated.
/// Errors: kInvalidArgument where two sizes differ and neither is 1.
Expected<Shape> BroadcastShape(const Shape& a, const Shape& b);

/// The rule of an operator on pairs of values: at most 6 dimensions, which broadcast.
Expected<Shape> InferBroadcast(const OpAttributes& attributes, std::span<const Operand> inputs);

/// `input` without the axes that the constant `axes` lists, or with 1 in their place. Errors:
/// kInvalidArgument (no such
///           axis, an empty one), kUnsupported.
Expected<Shape> ReducedShape(const Shape& input, const Operand& axes, bool keep_dims);

/// A product of positive numbers, at most 2^30: how many inputs a filter sums or outputs it reaches.
int32_t SaturatedProduct(std::initializer_list<int32_t> factors);

/// An axis of [-rank, rank) counted from the first.
Expected<size_t> ResolveAxis(int64_t axis, size_t rank);

}  // namespace qat

#endif  // QAT_OPS_SHAPE_RULES_H_
