#include "train/modules/nhwc.h"

#include <algorithm>

#include "base/check.h"
#include "ops/input_order.h"
#include "train/layout.h"

namespace qat::functional {

at::Tensor ToNhwc(const at::Tensor& input) { return input.dim() == 4 ? input.permute({0, 2, 3, 1}) : input; }

at::Tensor FromNhwc(const at::Tensor& input) {
  return Dense(input.dim() == 4 ? input.permute({0, 3, 1, 2}) : input);
}

int64_t AxisInNchw(int64_t axis, int64_t rank) {
  if (axis < 0) axis += rank;
  if (rank != 4 || axis == 0) return axis;
  return axis == 3 ? 1 : axis + 1;
}

Shape ShapeInNhwc(const at::Tensor& input) {
  Shape shape;
  for (int64_t i = 0; i < input.dim(); ++i) {
    shape.push_back(static_cast<int32_t>(input.size(AxisInNchw(i, input.dim()))));
  }
  return shape;
}

IndexInputs::IndexInputs(const OpDefinition& definition, const OpAttributes& attributes,
                         const at::Tensor& input)
    : definition_(definition),
      input_(ShapeInNhwc(input)),
      indices_(definition.index_operands(attributes, input_)) {}

const std::vector<int32_t>& IndexInputs::Values(std::string_view suffix) const {
  const auto found = std::find_if(indices_.begin(), indices_.end(),
                                  [&](const IndexOperand& each) { return each.suffix == suffix; });
  QAT_CHECK(found != indices_.end());
  return found->values;
}

std::vector<Operand> IndexInputs::Operands() const {
  std::vector<Operand> indices;
  for (const IndexOperand& each : indices_) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(each.values.data());
    indices.push_back({each.shape, DType::kInt32, {bytes, each.values.size() * sizeof(int32_t)}});
  }
  return OrderInputs<Operand>(definition_, {{input_, DType::kFloat32, {}}}, {}, indices);
}

}  // namespace qat::functional
