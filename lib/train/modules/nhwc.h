// nhwc.h: TFLite's view of LibTorch's tensors: [N, C, H, W] counts as [N, H, W, C], every other rank as it is. Axes,
// shapes and index operands of a layer are in TFLite's order.
#ifndef QAT_TRAIN_MODULES_NHWC_H_
#define QAT_TRAIN_MODULES_NHWC_H_

#include <ATen/core/Tensor.h>

#include <string_view>
#include <vector>

#include "ops/op.h"

namespace qat::functional {

/// A view in TFLite's order of axes, and back into LibTorch's, Dense (layout.h).
at::Tensor ToNhwc(const at::Tensor& input);
at::Tensor FromNhwc(const at::Tensor& input);

/// Where TFLite's axis lies in a tensor of LibTorch. Negative axes count from the last one.
int64_t AxisInNchw(int64_t axis, int64_t rank);

/// In TFLite's order, the batch included.
Shape ShapeInNhwc(const at::Tensor& input);

/// The constant index inputs that a node of this operator has after `input`, as OpDefinition::index_operands gives them.
class IndexInputs {
 public:
  IndexInputs(const OpDefinition& definition, const OpAttributes& attributes, const at::Tensor& input);

  /// Values of the input with this suffix. Requires that there is one.
  const std::vector<int32_t>& Values(std::string_view suffix) const;
  /// Input and index inputs in the order of the node: what the operator's rules read. Valid as long as this object.
  std::vector<Operand> Operands() const;

 private:
  const OpDefinition& definition_;
  Shape input_;
  std::vector<IndexOperand> indices_;
};

}  // namespace qat::functional

#endif  // QAT_TRAIN_MODULES_NHWC_H_
