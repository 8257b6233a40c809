#include "ops/reduction.h"

#include "ops/keys.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = MeanAttributes;
constexpr std::string_view kAxesText = "a list of axes without the batch (0); negative: from the last one";

Expected<std::vector<int32_t>> ToAxes(const AttributeValue& value) {
  return keys::ToList(value, 7, -7, 7, kAxesText);
}

constexpr AttributeKey kKeys[] = {
    {"axes", kAxesText, "[1, 2]", keys::Member<&A::axes, ToAxes>},
    {"keep_dims", keys::kFlag, "false", keys::Member<&A::keep_dims, keys::ToFlag>},
};

}  // namespace

std::span<const AttributeKey> ReductionKeys() { return kKeys; }

OpAttributes DefaultReduction() { return A{.axes = {1, 2}}; }

std::vector<IndexOperand> ReductionAxes(const OpAttributes& attributes, const Shape&) {
  const auto& axes = std::get<A>(attributes).axes;
  return {{"axes", {static_cast<int32_t>(axes.size())}, axes}};
}

Expected<Shape> InferReduction(const OpAttributes& attributes, std::span<const Operand> inputs) {
  return ReducedShape(inputs[0].shape, inputs[1], std::get<A>(attributes).keep_dims);
}

void WriteReduction(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_ReducerOptions;
  writer.table = tflite::CreateReducerOptions(writer.builder, std::get<A>(attributes).keep_dims).Union();
}

Expected<OpAttributes> ReadReduction(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::ReducerOptions>();
  return OpAttributes(A{.keep_dims = table != nullptr && table->keep_dims()});
}

}  // namespace qat
