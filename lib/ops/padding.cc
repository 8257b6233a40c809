#include "ops/padding.h"

#include <algorithm>

namespace qat {

WindowExtent ComputeWindow(Padding padding, int32_t input, int32_t kernel, int32_t stride, int32_t dilation) {
  const int32_t effective = (kernel - 1) * dilation + 1;
  if (padding == Padding::kValid) return {(input + stride - effective) / stride, 0, 0};
  const int32_t output = (input + stride - 1) / stride;
  const int32_t total = std::max((output - 1) * stride + effective - input, 0);
  return {output, total / 2, total - total / 2};
}

}  // namespace qat
