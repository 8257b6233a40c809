#include "train/layout.h"

namespace qat {

at::MemoryFormat LayoutOf(int64_t channels) {
  return channels > 1 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

at::Tensor Dense(const at::Tensor& input) { return input.contiguous(input.suggest_memory_format()); }

}  // namespace qat
