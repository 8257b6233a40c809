// onnx_value.h: a value of an ONNX graph while it is imported: a constant, or a tensor of our graph whose
// axes may lie in another order than ONNX's.
#ifndef QAT_IMPORT_ONNX_VALUE_H_
#define QAT_IMPORT_ONNX_VALUE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"
#include "onnx/onnx_model.h"

namespace qat {

/// Which axis of ONNX's each axis of a tensor is: axis k of the tensor is ONNX's axis order[k]; -1: an axis
/// of size 1 that ONNX does not have. [N, C, H, W] as [N, H, W, C] is {0, 2, 3, 1}; [N, C, W] as [N, 1, W, C]
/// is {0, -1, 2, 1}.
using AxisOrder = std::vector<int32_t>;

/// An axis that flattens several, whose values lie in another order than ONNX's: it is row-major over `sizes`
/// taken in `order`.
struct FlattenedAxis {
  int32_t axis = 0;  ///< ONNX's number
  Shape sizes;       ///< of the axes that it flattens, in ONNX's order
  AxisOrder order;   ///< of these in the tensor
  bool operator==(const FlattenedAxis&) const = default;
  /// Place i of the axis holds ONNX's element Elements()[i].
  std::vector<int32_t> Elements() const;
};

struct OnnxValue {
  std::shared_ptr<const onnx::Tensor> constant;  ///< null: computed
  int32_t tensor = -1;                           ///< of the graph
  Shape shape;                                   ///< ONNX's
  DType type = DType::kFloat32;                  ///< computed ones: float32, bool, int32 or int64
  AxisOrder order;
  std::shared_ptr<const FlattenedAxis> flattened;  ///< computed ones only; null: every axis is as ONNX has it

  bool is_constant() const { return constant != nullptr; }
  bool exists() const { return constant != nullptr || tensor >= 0; }
  size_t rank() const { return shape.size(); }
  /// Where the tensor has ONNX's axis. Requires a computed value.
  int32_t PlaceOf(int32_t axis) const;
};

/// {0, 1, …, rank - 1}.
AxisOrder IdentityOrder(size_t rank);
/// {0, 2, …, rank - 1, 1}; of rank 3 with a unit axis in front of the steps where `as_image`: {0, -1, 2, 1}.
AxisOrder ChannelsLast(size_t rank, bool as_image = false);
/// `by` axes more in front, in their order.
AxisOrder Shifted(const AxisOrder& order, int32_t by);
bool IsIdentity(const AxisOrder& order);
/// `order` without the axes that ONNX does not have.
AxisOrder WithoutUnitAxes(const AxisOrder& order);
/// The shape of a tensor whose axes are so ordered.
Shape InOrder(const Shape& shape, const AxisOrder& order);

/// Most values of a constant that an import makes of fewer, as a mask of 4,096 tokens, and of one axis of any
/// tensor.
inline constexpr int64_t kMostMadeValues = int64_t{1} << 24;

/// A constant of one type; sizes that fit.
OnnxValue MakeConstant(onnx::Tensor tensor);
OnnxValue MakeIntegers(const std::vector<int64_t>& values);
OnnxValue MakeReals(Shape shape, std::vector<float> values);

/// The values of a constant as its axes would lie in `order` (of its own rank): row-major.
template <class T>
std::vector<T> Permuted(const std::vector<T>& values, const Shape& shape, const AxisOrder& order) {
  std::vector<size_t> stride(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) stride[i - 1] = stride[i] * static_cast<size_t>(shape[i]);
  std::vector<int32_t> axes = WithoutUnitAxes(order);
  std::vector<T> out;
  out.reserve(values.size());
  if (values.empty()) return out;
  std::vector<int32_t> at(axes.size());
  size_t place = 0;
  while (true) {
    out.push_back(values[place]);
    size_t k = axes.size();
    while (k > 0) {
      const auto axis = static_cast<size_t>(axes[--k]);
      place += stride[axis];
      if (++at[k] < shape[axis]) break;
      place -= stride[axis] * static_cast<size_t>(shape[axis]);
      at[k] = 0;
      if (k == 0) return out;
    }
    if (axes.empty()) return out;
  }
}

}  // namespace qat

#endif  // QAT_IMPORT_ONNX_VALUE_H_
