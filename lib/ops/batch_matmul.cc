// BatchMatMul: products of the matrices in the last two axes of both inputs; the axes before them broadcast.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = BatchMatMulAttributes;

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const auto& options = std::get<A>(attributes);
  const Shape& a = inputs[0].shape;
  const Shape& b = inputs[1].shape;
  if (a.size() < 2 || b.size() < 2 || a.size() > 6 || b.size() > 6) {
    return InvalidArgument(
        StrCat("inputs are ", ToString(a), " and ", ToString(b), ", expected 2 to 6 dimensions"));
  }
  const int32_t rows = a[a.size() - (options.adjoint_a ? 1 : 2)];
  const int32_t depth_a = a[a.size() - (options.adjoint_a ? 2 : 1)];
  const int32_t depth_b = b[b.size() - (options.adjoint_b ? 1 : 2)];
  const int32_t columns = b[b.size() - (options.adjoint_b ? 2 : 1)];
  if (depth_a != depth_b)
    return InvalidArgument(StrCat("matrices of ", ToString(a), " and ", ToString(b), " do not multiply"));
  QAT_ASSIGN_OR_RETURN(Shape output,
                       BroadcastShape(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2)));
  output.push_back(rows);
  output.push_back(columns);
  return output;
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::BatchMatMulOptions>();
  if (table == nullptr) return OpAttributes(A());
  return OpAttributes(A{table->adj_x(), table->adj_y(), table->asymmetric_quantize_inputs()});
}

constexpr AttributeKey kKeys[] = {
    {"adjoint_a", keys::kFlag, "false", keys::Member<&A::adjoint_a, keys::ToFlag>},
    {"adjoint_b", keys::kFlag, "false", keys::Member<&A::adjoint_b, keys::ToFlag>},
};

constexpr std::string_view kReleases[] = {"2.3.0", "2.3.0"};

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  writer.type = tflite::BuiltinOptions_BatchMatMulOptions;
  writer.table =
      tflite::CreateBatchMatMulOptions(writer.builder, a.adjoint_a, a.adjoint_b, a.asymmetric_inputs).Union();
}

int64_t MultiplyAccumulates(std::span<const Operand> inputs, const Shape& output) {
  // The second input has depth * columns values per matrix.
  const Shape& b = inputs[1].shape;
  const int64_t matrix = int64_t{b[b.size() - 1]} * b[b.size() - 2];
  const int64_t columns = output.back();
  return columns == 0 ? 0 : FlatSize(output) * (matrix / columns);
}

}  // namespace

const OpDefinition& BatchMatMulDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Written(
        RunOp(OpType::kBatchMatMul, "batch_matmul", "BATCH_MATMUL", tflite::BuiltinOperator_BATCH_MATMUL, 2,
              "products of the matrices in the last two axes; adjoint: with these exchanged", InferShape),
        {VersionTwoForInt8, kReleases, WriteOptions}, IntegerKernels::kInt8);
    op.min_layers = op.max_layers = 2;
    op.keys = kKeys;
    op.default_attributes = A();
    op.multiply_accumulates = MultiplyAccumulates;
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
