#include "spec/layer_shapes.h"

#include <algorithm>

#include "base/strings.h"
#include "ops/input_order.h"
#include "ops/shape_rules.h"

namespace qat {
namespace {

constexpr int64_t kLargestTensor = int64_t{1} << 28;

Status ExpectSmallEnough(std::string_view what, const Shape& shape) {
  int64_t values = 1;
  for (const int32_t size : shape) values = std::min(values * std::max(size, 1), kLargestTensor + 1);
  if (values <= kLargestTensor) return {};
  return InvalidArgument(
      StrCat(what, " is ", ToString(shape), ", expected at most ", kLargestTensor, " values"));
}

Status InferParameters(const Shape& input, LayerSpec& layer) {
  layer.parameters.clear();
  if (layer.definition().parameters == nullptr) return {};
  layer.parameters = layer.definition().parameters(layer.attributes, input);
  if (layer.parameters.empty()) {
    return InvalidArgument(
        StrCat("input is ", ToString(input), ", expected an image [1, H, W, C] of at most 1048576 channels"));
  }
  for (const ParameterSpec& parameter : layer.parameters) {
    QAT_RETURN_IF_ERROR(ExpectSmallEnough(parameter.suffix, parameter.shape));
  }
  return {};
}

// What the operator's rules see of a layer, for a batch of any size.
class OperatorView {
 public:
  OperatorView(const NetworkSpec& spec, const LayerSpec& layer, int32_t batch) : layer_(layer) {
    const OpDefinition& op = layer.definition();
    std::vector<Operand> data;
    for (const int32_t index : layer.inputs) data.push_back(Real(spec.ShapeOf(index)));
    for (Operand& operand : data) operand.shape[0] *= batch;
    std::vector<std::pair<ParameterSpec::Role, Operand>> parameters;
    for (const ParameterSpec& parameter : layer.parameters) {
      parameters.emplace_back(parameter.role, Real(parameter.shape));
    }
    if (op.index_operands != nullptr) indices_ = op.index_operands(layer.attributes, data[0].shape);
    std::vector<Operand> indices;
    for (const IndexOperand& index : indices_) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(index.values.data());
      indices.push_back(
          {index.shape, DType::kInt32, std::span(bytes, index.values.size() * sizeof(int32_t))});
    }
    operands_ = OrderInputs(op, data, parameters, indices);
  }

  Expected<Shape> OutputShape() const {
    QAT_ASSIGN_OR_RETURN(const std::vector<Shape> shapes,
                         InferShapes(layer_.definition(), layer_.attributes, operands_));
    const auto* split = std::get_if<SplitAttributes>(&layer_.attributes);
    return shapes[split == nullptr ? 0 : static_cast<size_t>(split->part)];
  }

  const std::vector<Operand>& operands() const { return operands_; }

 private:
  static Operand Real(Shape shape) { return {std::move(shape), DType::kFloat32, {}}; }

  const LayerSpec& layer_;
  std::vector<IndexOperand> indices_;
  std::vector<Operand> operands_;
};

// Walking along the batch leaves every shape as it is.
bool WalksAlongTheBatch(const NetworkSpec& spec, const LayerSpec& layer) {
  if (layer.type != OpType::kReverseV2 && layer.type != OpType::kCumsum) return false;
  const OperatorView view(spec, layer, 1);
  const auto axes = ConstantIndices(view.operands()[1], "axes");
  const auto rank = std::ssize(view.operands()[0].shape);
  return axes.ok() &&
         std::any_of(axes->begin(), axes->end(), [rank](int64_t axis) { return axis == 0 || axis == -rank; });
}

// As many examples must come out as go in, else an axis of the layer is the batch's. One size would not do:
// two examples also broadcast along an axis of two.
Status ExpectBatchStays(const NetworkSpec& spec, const LayerSpec& layer) {
  const auto keeps = [&](int32_t batch) {
    Shape expected = layer.output_shape;
    expected[0] = batch;
    const auto shape = OperatorView(spec, layer, batch).OutputShape();
    return shape.ok() && *shape == expected;
  };
  const bool batch_first = !layer.output_shape.empty() && layer.output_shape[0] == 1;
  if (batch_first && keeps(2) && keeps(3) && !WalksAlongTheBatch(spec, layer)) return {};
  return InvalidArgument(
      StrCat("output ", ToString(layer.output_shape),
             " mixes the examples of a batch; expected keys that leave axis 0 alone, and inputs "
             "of one rank where they broadcast"));
}

}  // namespace

Status InferLayer(const NetworkSpec& spec, LayerSpec& layer) {
  const OpDefinition& op = layer.definition();
  QAT_RETURN_IF_ERROR(InferParameters(spec.ShapeOf(layer.inputs[0]), layer));
  const OperatorView view(spec, layer, 1);
  QAT_ASSIGN_OR_RETURN(layer.output_shape, view.OutputShape());
  QAT_RETURN_IF_ERROR(ExpectSmallEnough("output", layer.output_shape));
  if (std::any_of(layer.output_shape.begin(), layer.output_shape.end(),
                  [](int32_t size) { return size < 1; }))
    return InvalidArgument(StrCat("output is ", ToString(layer.output_shape), ", expected values in it"));
  if (op.multiply_accumulates != nullptr) {
    layer.multiply_accumulates = op.multiply_accumulates(view.operands(), layer.output_shape);
  }
  return ExpectBatchStays(spec, layer);
}

}  // namespace qat
