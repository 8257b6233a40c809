#include "train/modules/reduction.h"

#include <algorithm>

#include "train/modules/nhwc.h"

namespace qat::functional {

std::vector<int64_t> ReducedAxes(const LayerNode& node, const at::Tensor& input) {
  std::vector<int64_t> positive;
  for (const int32_t axis : node.Values("axes")) positive.push_back(axis < 0 ? axis + input.dim() : axis);
  std::sort(positive.begin(), positive.end());
  positive.erase(std::unique(positive.begin(), positive.end()), positive.end());
  return positive;
}

}  // namespace qat::functional
