// Shape: the sizes of the input as a list. Rank: how many there are.
#include "base/strings.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = CastAttributes;

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  return Shape{static_cast<int32_t>(inputs[0].shape.size())};
}

constexpr std::string_view kReleases[] = {"1.10.0"};

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto type = static_cast<tflite::TensorType>(std::get<A>(attributes).output_type);
  writer.type = tflite::BuiltinOptions_ShapeOptions;
  writer.table = tflite::CreateShapeOptions(writer.builder, type).Union();
}

// A file without the option, or with its default, means int32.
Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::ShapeOptions>();
  const bool wide = table != nullptr && table->out_type() == tflite::TensorType_INT64;
  return OpAttributes(A{wide ? DType::kInt64 : DType::kInt32});
}

}  // namespace

const OpDefinition& ShapeDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op{};
    op.type = OpType::kShape;
    op.name = "shape";
    op.tflite_name = "SHAPE";
    op.builtin_code = tflite::BuiltinOperator_SHAPE;
    op.summary = "the sizes of the input";
    op.output_quantization = OutputQuantization::kNone;
    op.default_attributes = A();
    op.infer_shape = InferShape;
    op.output_type = [](const OpAttributes& attributes) { return std::get<A>(attributes).output_type; };
    op.reads_shapes_only = true;
    op.version = [](const VersionQuery&) { return int32_t{1}; };
    op.releases = kReleases;
    op.write_options = WriteOptions;
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& RankDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op =
        RunOp(OpType::kRank, "rank", "RANK", tflite::BuiltinOperator_RANK, 1,
              "the number of dimensions of the input",
              [](const OpAttributes&, std::span<const Operand>) { return Expected<Shape>(Shape()); });
    op.output_quantization = OutputQuantization::kNone;
    op.output_type = [](const OpAttributes&) { return DType::kInt32; };
    op.reads_shapes_only = true;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
