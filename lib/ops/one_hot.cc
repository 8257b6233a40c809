// OneHot: for every index of the first input a row of as many values as the second says: the third at the
// index, the fourth elsewhere.
#include "base/strings.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = OneHotAttributes;

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> depth, ConstantIndices(inputs[1], "depth"));
  if (depth.size() != 1 || depth[0] < 0 || depth[0] > (1 << 30))
    return InvalidArgument(StrCat("depth is ", ToString(inputs[1].shape), ", expected one number >= 0"));
  for (const size_t value : {2, 3}) {
    if (FlatSize(inputs[value].shape) != 1)
      return InvalidArgument(StrCat("a value is ", ToString(inputs[value].shape), ", expected one"));
  }
  Shape output = inputs[0].shape;
  QAT_ASSIGN_OR_RETURN(const size_t axis, ResolveAxis(std::get<A>(attributes).axis, output.size() + 1));
  output.insert(output.begin() + static_cast<int64_t>(axis), static_cast<int32_t>(depth[0]));
  return output;
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::OneHotOptions>();
  return OpAttributes(A{table == nullptr ? 0 : table->axis()});
}

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_OneHotOptions;
  writer.table = tflite::CreateOneHotOptions(writer.builder, std::get<A>(attributes).axis).Union();
}

constexpr std::string_view kReleases[] = {"1.11.0"};

}  // namespace

const OpDefinition& OneHotDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = RunOp(OpType::kOneHot, "one_hot", "ONE_HOT", tflite::BuiltinOperator_ONE_HOT, 4,
                            "indices as rows with one value set", InferShape);
    op.data_input = 2;
    op.default_attributes = A();
    op.read_options = ReadOptions;
    return Written(op, {FirstVersion, kReleases, WriteOptions}, IntegerKernels::kNone);
  }();
  return kDefinition;
}

}  // namespace qat
