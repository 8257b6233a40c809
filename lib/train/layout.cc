#include "train/layout.h"

#include <cstddef>
#include <vector>

namespace qat {

at::MemoryFormat LayoutOf(int64_t channels) {
  return channels > 1 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

at::Tensor Dense(const at::Tensor& input) { return input.contiguous(input.suggest_memory_format()); }

at::Tensor AlongChannels(const at::Tensor& values, int64_t rank, int64_t axis) {
  std::vector<int64_t> sizes(static_cast<size_t>(rank), 1);
  sizes[static_cast<size_t>(axis)] = values.size(0);
  return values.view(sizes);
}

}  // namespace qat
