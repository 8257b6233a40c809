// layout.h: how tensors of pictures lie in memory, and where their channels are.
#ifndef QAT_TRAIN_LAYOUT_H_
#define QAT_TRAIN_LAYOUT_H_

#include <ATen/core/Tensor.h>

namespace qat {

/// What a picture's tensor is made as; LibTorch's operators pass it on. Channels last is the faster one
/// wherever there are several (1.3x for resnet8, 1.6x for mobilenet_v1), and the two are the same bytes for
/// one.
at::MemoryFormat LayoutOf(int64_t channels);

/// The same values without gaps in memory: channels last where the strides say so, else in the order of the
/// axes.
at::Tensor Dense(const at::Tensor& input);

/// One value per channel, [C], in the shape that broadcasts over a tensor of `rank` axes whose axis `axis`
/// has the channels.
at::Tensor AlongChannels(const at::Tensor& values, int64_t rank, int64_t axis);

}  // namespace qat

#endif  // QAT_TRAIN_LAYOUT_H_
