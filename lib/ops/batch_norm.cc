// BatchNorm, in specs only: gamma * (x - mean) / sqrt(variance + epsilon) + beta, channel by channel. Reading
// a spec folds it into the layer before it, so nothing after spec/rewrite.h sees one.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"

namespace qat {
namespace {

using A = BatchNormAttributes;

constexpr AttributeKey kKeys[] = {
    {"epsilon", keys::kEpsilon, "0.001", keys::Member<&A::epsilon, keys::ToEpsilon>},
    {"momentum", keys::kMomentum, "0.99", keys::Member<&A::momentum, keys::ToMomentum>},
};

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  if (inputs[0].shape.size() >= 2) return inputs[0].shape;
  return InvalidArgument(StrCat("input is ", ToString(inputs[0].shape), ", expected a batch of channels"));
}

}  // namespace

const OpDefinition& BatchNormDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op{};
    op.type = OpType::kBatchNorm;
    op.name = "batch_norm";
    op.tflite_name = "NONE";
    op.summary = "batch normalization; folded into the layer before it";
    op.output_quantization = OutputQuantization::kSameAsInput;
    op.keys = kKeys;
    op.default_attributes = A();
    op.infer_shape = InferShape;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
