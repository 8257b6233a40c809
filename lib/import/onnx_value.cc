#include "import/onnx_value.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace qat {

std::vector<int32_t> FlattenedAxis::Elements() const {
  std::vector<int32_t> all(static_cast<size_t>(FlatSize(sizes)));
  std::iota(all.begin(), all.end(), 0);
  return Permuted(all, sizes, order);
}

int32_t OnnxValue::PlaceOf(int32_t axis) const {
  const auto found = std::find(order.begin(), order.end(), axis);
  QAT_CHECK(found != order.end());
  return static_cast<int32_t>(found - order.begin());
}

AxisOrder IdentityOrder(size_t rank) {
  AxisOrder order(rank);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

AxisOrder ChannelsLast(size_t rank, bool as_image) {
  if (rank < 3) return IdentityOrder(rank);
  AxisOrder order = {0};
  if (rank == 3 && as_image) order.push_back(-1);
  for (size_t i = 2; i < rank; ++i) order.push_back(static_cast<int32_t>(i));
  order.push_back(1);
  return order;
}

AxisOrder Shifted(const AxisOrder& order, int32_t by) {
  AxisOrder result = IdentityOrder(static_cast<size_t>(by));
  for (const int32_t axis : order) result.push_back(axis < 0 ? axis : axis + by);
  return result;
}

bool IsIdentity(const AxisOrder& order) { return order == IdentityOrder(order.size()); }

AxisOrder WithoutUnitAxes(const AxisOrder& order) {
  AxisOrder result;
  std::copy_if(order.begin(), order.end(), std::back_inserter(result),
               [](int32_t axis) { return axis >= 0; });
  return result;
}

Shape InOrder(const Shape& shape, const AxisOrder& order) {
  Shape result;
  for (const int32_t axis : order) result.push_back(axis < 0 ? 1 : shape[static_cast<size_t>(axis)]);
  return result;
}

OnnxValue MakeConstant(onnx::Tensor tensor) {
  OnnxValue value;
  for (const int64_t size : tensor.dims) value.shape.push_back(static_cast<int32_t>(size));
  value.order = IdentityOrder(value.shape.size());
  value.type = onnx::IsReal(tensor.type)                  ? DType::kFloat32
               : tensor.type == onnx::ElementType::kBool  ? DType::kBool
               : tensor.type == onnx::ElementType::kInt32 ? DType::kInt32
                                                          : DType::kInt64;
  value.constant = std::make_shared<const onnx::Tensor>(std::move(tensor));
  return value;
}

OnnxValue MakeIntegers(const std::vector<int64_t>& values) {
  onnx::Tensor tensor;
  tensor.type = onnx::ElementType::kInt64;
  tensor.dims = {std::ssize(values)};
  tensor.integers = values;
  return MakeConstant(std::move(tensor));
}

OnnxValue MakeReals(Shape shape, std::vector<float> values) {
  QAT_CHECK(FlatSize(shape) == std::ssize(values));
  onnx::Tensor tensor;
  tensor.type = onnx::ElementType::kFloat;
  tensor.dims.assign(shape.begin(), shape.end());
  tensor.reals = std::move(values);
  return MakeConstant(std::move(tensor));
}

}  // namespace qat
