#include "ops/shape_rules.h"

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "ops/padding.h"

namespace qat {

Status ExpectRank(const Operand& operand, size_t rank, std::string_view what) {
  if (operand.shape.size() == rank) return {};
  return InvalidArgument(StrCat(what, " is ", ToString(operand.shape), ", expected ", rank, " dimensions"));
}

Expected<WindowGeometry> WindowOutput(const Shape& input, Padding padding, int32_t kernel_h, int32_t kernel_w,
                                      int32_t stride_h, int32_t stride_w, int32_t dilation_h,
                                      int32_t dilation_w) {
  // One bound for everything keeps all later arithmetic inside int32.
  constexpr int32_t kLargest = 1 << 20;
  for (const int32_t value : {kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w}) {
    if (value < 1 || value > kLargest) {
      return InvalidArgument(StrCat("window ", kernel_h, "x", kernel_w, ", stride ", stride_h, "x", stride_w,
                                    ", dilation ", dilation_h, "x", dilation_w, ": ", value,
                                    " is outside [1, 1048576]"));
    }
  }
  const int64_t reach_h = (int64_t{kernel_h} - 1) * dilation_h + 1;
  const int64_t reach_w = (int64_t{kernel_w} - 1) * dilation_w + 1;
  if (input[1] < 1 || input[2] < 1 || input[1] > kLargest || input[2] > kLargest || reach_h > kLargest ||
      reach_w > kLargest || (padding == Padding::kValid && (reach_h > input[1] || reach_w > input[2]))) {
    return InvalidArgument(StrCat("window ", reach_h, "x", reach_w, " does not fit into ", input[1], "x",
                                  input[2], " with padding ", NameOf(padding)));
  }
  return WindowGeometry{ComputeWindow(padding, input[1], kernel_h, stride_h, dilation_h).output,
                        ComputeWindow(padding, input[2], kernel_w, stride_w, dilation_w).output};
}

Expected<std::vector<int64_t>> ConstantIndices(const Operand& operand, std::string_view what) {
  const int64_t count = FlatSize(operand.shape);
  if (operand.type != DType::kInt32 && operand.type != DType::kInt64) {
    return InvalidArgument(StrCat(what, " is ", NameOf(operand.type), ", expected int32 or int64"));
  }
  if (operand.constant.size() != static_cast<size_t>(count) * SizeOf(operand.type)) {
    return Unsupported(StrCat(what, " is computed, expected a constant"));
  }
  std::vector<int64_t> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) {
    if (operand.type == DType::kInt32) {
      int32_t value;
      std::memcpy(&value, operand.constant.data() + i * sizeof(value), sizeof(value));
      values[i] = value;
    } else {
      std::memcpy(&values[i], operand.constant.data() + i * sizeof(int64_t), sizeof(int64_t));
    }
  }
  return values;
}

Expected<Shape> BroadcastShape(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape shape(rank);
  for (size_t i = 0; i < rank; ++i) {
    const int32_t from_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int32_t from_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (from_a != from_b && from_a != 1 && from_b != 1) {
      return InvalidArgument(StrCat("inputs ", ToString(a), " and ", ToString(b), " do not broadcast"));
    }
    shape[rank - 1 - i] = from_a == 1 ? from_b : from_a;
  }
  return shape;
}

Expected<Shape> InferBroadcast(const OpAttributes&, std::span<const Operand> inputs) {
  if (inputs[0].shape.size() > 6 || inputs[1].shape.size() > 6) {
    return InvalidArgument(StrCat("inputs are ", ToString(inputs[0].shape), " and ",
                                  ToString(inputs[1].shape), ", expected at most 6 dimensions"));
  }
  return BroadcastShape(inputs[0].shape, inputs[1].shape);
}

Expected<Shape> ReducedShape(const Shape& input, const Operand& axes, bool keep_dims) {
  if (input.size() > 8)
    return InvalidArgument(StrCat("input is ", ToString(input), ", expected at most 8 dimensions"));
  if (axes.shape.size() > 1)
    return InvalidArgument(StrCat("axes are ", ToString(axes.shape), ", expected a list"));
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> indices, ConstantIndices(axes, "axes"));
  std::vector<bool> reduced(input.size());
  for (const int64_t axis : indices) {
    QAT_ASSIGN_OR_RETURN(const size_t index, ResolveAxis(axis, input.size()));
    if (input[index] < 1) return InvalidArgument(StrCat("axis ", axis, " of ", ToString(input), " is empty"));
    reduced[index] = true;
  }
  Shape output;
  for (size_t i = 0; i < input.size(); ++i) {
    if (!reduced[i]) output.push_back(input[i]);
    if (reduced[i] && keep_dims) output.push_back(1);
  }
  return output;
}

int32_t SaturatedProduct(std::initializer_list<int32_t> factors) {
  int64_t product = 1;
  for (const int32_t factor : factors) product = std::min<int64_t>(product * factor, 1 << 30);
  return static_cast<int32_t>(product);
}

Expected<size_t> ResolveAxis(int64_t axis, size_t rank) {
  const auto count = static_cast<int64_t>(rank);
  if (axis < -count || axis >= count) {
    return InvalidArgument(StrCat("axis is ", axis, ", expected one of ", rank, " dimensions"));
  }
  return static_cast<size_t>(axis < 0 ? axis + count : axis);
}

}  // namespace qat
