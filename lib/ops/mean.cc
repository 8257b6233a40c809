// Mean, ReduceMax: one value for all those along the axes that the second input lists.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"
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
    {"axes", kAxesText, "[1, 2]", keys::Set<&A::axes, ToAxes>},
    {"keep_dims", keys::kFlag, "false", keys::Set<&A::keep_dims, keys::ToFlag>},
};

std::vector<IndexOperand> IndexOperands(const OpAttributes& attributes, const Shape&) {
  const auto& axes = std::get<A>(attributes).axes;
  return {{"axes", {static_cast<int32_t>(axes.size())}, axes}};
}

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  return ReducedShape(inputs[0].shape, inputs[1], std::get<A>(attributes).keep_dims);
}

constexpr std::string_view kMeanReleases[] = {"1.6.0", "1.14.0"};
constexpr std::string_view kReduceMaxReleases[] = {"1.11.0", "1.14.0"};

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_ReducerOptions;
  writer.table = tflite::CreateReducerOptions(writer.builder, std::get<A>(attributes).keep_dims).Union();
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::ReducerOptions>();
  return OpAttributes(A{.keep_dims = table != nullptr && table->keep_dims()});
}

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  OpDefinition op{};
  op.type = type;
  op.name = name;
  op.tflite_name = tflite_name;
  op.builtin_code = builtin_code;
  op.summary = summary;
  op.min_inputs = 2;
  op.max_inputs = 2;
  op.keys = kKeys;
  op.default_attributes = A{.axes = {1, 2}};
  op.index_operands = IndexOperands;
  op.infer_shape = InferShape;
  op.version = VersionTwoForInt8;
  op.write_options = WriteOptions;
  op.read_options = ReadOptions;
  return op;
}

}  // namespace

const OpDefinition& MeanDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kMean, "mean", "MEAN", tflite::BuiltinOperator_MEAN,
                             "mean over the given axes; default: over the image");
    op.releases = kMeanReleases;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& ReduceMaxDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op =
        Define(OpType::kReduceMax, "reduce_max", "REDUCE_MAX", tflite::BuiltinOperator_REDUCE_MAX,
               "largest value over the given axes; default: over the image");
    op.output_quantization = OutputQuantization::kSameAsInput;
    op.releases = kReduceMaxReleases;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
