// ArgMax, ArgMin over one axis: the first index of the largest or least value, on quantized values as they
// are. The axis is an operand.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = ArgMaxAttributes;

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ConstantIndices(inputs[1], "axis"));
  const auto rank = static_cast<int64_t>(inputs[0].shape.size());
  if (axes.size() != 1 || axes[0] < -rank || axes[0] >= rank) {
    return InvalidArgument(StrCat("axis is ", axes.empty() ? std::string("empty") : StrCat(axes[0]),
                                  ", expected one dimension of ", ToString(inputs[0].shape)));
  }
  const int64_t axis = axes[0] < 0 ? axes[0] + rank : axes[0];
  if (inputs[0].shape[static_cast<size_t>(axis)] < 1) {
    return InvalidArgument(StrCat("axis ", axis, " of ", ToString(inputs[0].shape), " is empty"));
  }
  Shape output = inputs[0].shape;
  output.erase(output.begin() + axis);
  return output;
}

DType OutputType(const OpAttributes& attributes) { return std::get<A>(attributes).output_type; }

std::vector<IndexOperand> IndexOperands(const OpAttributes&, const Shape& input) {
  return {{"axis", {}, {static_cast<int32_t>(input.size()) - 1}}};
}

constexpr std::string_view kReleases[] = {"1.9.0", "1.14.0"};

int32_t Version(const VersionQuery& query) { return query.input == DType::kInt8 ? 2 : 1; }

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto type = static_cast<tflite::TensorType>(std::get<A>(attributes).output_type);
  writer.type = tflite::BuiltinOptions_ArgMaxOptions;
  writer.table = tflite::CreateArgMaxOptions(writer.builder, type).Union();
}

void WriteArgMinOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto type = static_cast<tflite::TensorType>(std::get<A>(attributes).output_type);
  writer.type = tflite::BuiltinOptions_ArgMinOptions;
  writer.table = tflite::CreateArgMinOptions(writer.builder, type).Union();
}

template <class Options>
Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<Options>();
  const auto type = table == nullptr ? tflite::TensorType_FLOAT32 : table->output_type();
  if (type != tflite::TensorType_INT32 && type != tflite::TensorType_INT64) {
    return Corrupt(StrCat("output type is ", int{type}, ", expected 2 (INT32) or 4 (INT64)"));
  }
  return OpAttributes(A{static_cast<DType>(type)});
}

}  // namespace

const OpDefinition& ArgMaxDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op{};
    op.type = OpType::kArgMax;
    op.name = "arg_max";
    op.tflite_name = "ARG_MAX";
    op.builtin_code = tflite::BuiltinOperator_ARG_MAX;
    op.summary = "index of the largest value of the last axis";
    op.min_inputs = 2;
    op.max_inputs = 2;
    op.output_quantization = OutputQuantization::kNone;
    op.default_attributes = A();
    op.infer_shape = InferShape;
    op.output_type = OutputType;
    op.index_operands = IndexOperands;
    op.version = Version;
    op.releases = kReleases;
    op.write_options = WriteOptions;
    op.read_options = ReadOptions<tflite::ArgMaxOptions>;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& ArgMinDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = RunOp(OpType::kArgMin, "arg_min", "ARG_MIN", tflite::BuiltinOperator_ARG_MIN, 2,
                            "index of the least value of an axis", InferShape);
    op.output_quantization = OutputQuantization::kNone;
    op.default_attributes = A();
    op.output_type = OutputType;
    op.read_options = ReadOptions<tflite::ArgMinOptions>;
    return Written(op, {Version, kReleases, WriteArgMinOptions}, IntegerKernels::kBoth);
  }();
  return kDefinition;
}

}  // namespace qat
