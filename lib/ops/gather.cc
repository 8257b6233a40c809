// Gather: slices of the first input, along an axis, that the second input names by their indices. GatherNd:
// the slices at places of the first axes; the last axis of the second input holds such places.
#include <algorithm>

#include "base/strings.h"
#include "ops/keys.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = GatherAttributes;

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const Shape& input = inputs[0].shape;
  const Shape& indices = inputs[1].shape;
  const auto& a = std::get<A>(attributes);
  QAT_ASSIGN_OR_RETURN(const size_t axis, ResolveAxis(a.axis, input.size()));
  const int64_t batch_dims = a.batch_dims < 0 ? a.batch_dims + std::ssize(indices) : a.batch_dims;
  const bool common = batch_dims >= 0 && batch_dims <= std::ssize(indices) &&
                      batch_dims <= static_cast<int64_t>(axis) &&
                      std::equal(indices.begin(), indices.begin() + batch_dims, input.begin());
  if (!common) {
    return InvalidArgument(StrCat("input ", ToString(input), " and indices ", ToString(indices),
                                  " do not have ", a.batch_dims, " dimensions in common before axis ", axis));
  }
  const std::span<const uint8_t> known = inputs[1].constant;
  if (!known.empty()) {
    QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> values, ConstantIndices(inputs[1], "indices"));
    for (const int64_t index : values) {
      if (index < 0 || index >= input[axis])
        return InvalidArgument(StrCat("index ", index, " of an axis of ", input[axis]));
    }
  }
  const auto at = input.begin() + static_cast<int64_t>(axis);
  Shape output(input.begin(), at);
  output.insert(output.end(), indices.begin() + batch_dims, indices.end());
  output.insert(output.end(), at + 1, input.end());
  return output;
}

Expected<Shape> InferGatherNd(const OpAttributes&, std::span<const Operand> inputs) {
  const Shape& input = inputs[0].shape;
  const Shape& indices = inputs[1].shape;
  if (indices.empty() || indices.back() < 0 || indices.back() > std::ssize(input)) {
    return InvalidArgument(
        StrCat("indices are ", ToString(indices), ", the input has ", input.size(), " dimensions"));
  }
  Shape output(indices.begin(), indices.end() - 1);
  output.insert(output.end(), input.begin() + indices.back(), input.end());
  return output;
}

constexpr std::string_view kIndicesText = "a list of indices along the axis, as [0, 2, 1]";

Expected<std::vector<int32_t>> ToIndices(const AttributeValue& value) {
  return keys::ToList(value, 1 << 16, 0, 1 << 20, kIndicesText);
}

constexpr AttributeKey kKeys[] = {
    {"indices", kIndicesText, "", keys::Member<&A::indices, ToIndices>},
    {"axis", keys::kAxis, "-1", keys::Member<&A::axis, keys::ToAxis>},
};

std::vector<IndexOperand> IndexOperands(const OpAttributes& attributes, const Shape&) {
  const auto& indices = std::get<A>(attributes).indices;
  return {{"indices", {static_cast<int32_t>(indices.size())}, indices}};
}

// Version 5 brought batch_dims.
constexpr std::string_view kNdReleases[] = {"1.14.0"};
constexpr std::string_view kReleases[] = {"1.6.0", "1.14.0", "1.15.0", "2.4.0", "2.5.0"};

int32_t GatherVersion(const VersionQuery& query) {
  const auto* a = query.attributes == nullptr ? nullptr : std::get_if<A>(query.attributes);
  return a != nullptr && a->batch_dims != 0 ? 5 : VersionTwoForInt8(query);
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::GatherOptions>();
  if (table == nullptr) return OpAttributes(A());
  return OpAttributes(A{table->axis(), table->batch_dims()});
}

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_GatherOptions;
  writer.table = tflite::CreateGatherOptions(writer.builder, std::get<A>(attributes).axis,
                                             std::get<A>(attributes).batch_dims)
                     .Union();
}

}  // namespace

const OpDefinition& GatherDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op{};
    op.type = OpType::kGather;
    op.name = "gather";
    op.tflite_name = "GATHER";
    op.builtin_code = tflite::BuiltinOperator_GATHER;
    op.summary = "slices of an input, by their indices";
    op.min_inputs = op.max_inputs = 2;
    op.output_quantization = OutputQuantization::kSameAsInput;
    op.keys = kKeys;
    op.default_attributes = A{.axis = -1};
    op.index_operands = IndexOperands;
    op.infer_shape = InferShape;
    op.version = GatherVersion;
    op.releases = kReleases;
    op.write_options = WriteOptions;
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& GatherNdDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = RunOp(OpType::kGatherNd, "gather_nd", "GATHER_ND", tflite::BuiltinOperator_GATHER_ND, 2,
                            "slices of an input, by their places", InferGatherNd);
    op.output_quantization = OutputQuantization::kSameAsInput;
    return Written(op, {FirstVersion, kNdReleases}, IntegerKernels::kBoth);
  }();
  return kDefinition;
}

}  // namespace qat
