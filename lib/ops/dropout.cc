// Dropout, in training only: zeroes values at random and scales the rest, so that freezing can leave it out.
#include "ops/keys.h"
#include "ops/op.h"

namespace qat {
namespace {

using A = DropoutAttributes;
constexpr std::string_view kKeepText = "a number in (0, 1]";

Expected<float> ToKeep(const AttributeValue& value) {
  QAT_ASSIGN_OR_RETURN(const double keep, keys::ToNumber(value, kKeepText));
  if (!(keep > 0) || keep > 1) return keys::Mismatch(value, kKeepText);
  return static_cast<float>(keep);
}

constexpr AttributeKey kKeys[] = {{"keep", kKeepText, "0.5", keys::Member<&A::keep, ToKeep>}};

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) { return inputs[0].shape; }

}  // namespace

const OpDefinition& DropoutDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op{};
    op.type = OpType::kDropout;
    op.name = "dropout";
    op.tflite_name = "NONE";
    op.summary = "training only: keeps each value with this probability";
    op.output_quantization = OutputQuantization::kSameAsInput;
    op.keys = kKeys;
    op.default_attributes = A();
    op.infer_shape = InferShape;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
