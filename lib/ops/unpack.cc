// Unpack: every slice of an axis as an output, without that axis.
#include "base/strings.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = UnpackAttributes;
constexpr int32_t kMostSlices = 1 << 16;

Expected<std::vector<Shape>> InferShapes(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const auto& a = std::get<A>(attributes);
  Shape part = inputs[0].shape;
  QAT_ASSIGN_OR_RETURN(const size_t axis, ResolveAxis(a.axis, part.size()));
  if (a.count < 1 || a.count > kMostSlices || part[axis] != a.count) {
    return InvalidArgument(
        StrCat("axis ", axis, " of ", ToString(part), " cannot be taken apart into ", a.count, " slices"));
  }
  part.erase(part.begin() + static_cast<int64_t>(axis));
  return std::vector<Shape>(static_cast<size_t>(a.count), part);
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::UnpackOptions>();
  if (table == nullptr) return Corrupt("options are missing, expected the number of slices");
  return OpAttributes(A{table->num(), table->axis()});
}

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  writer.type = tflite::BuiltinOptions_UnpackOptions;
  writer.table = tflite::CreateUnpackOptions(writer.builder, a.count, a.axis).Union();
}

constexpr std::string_view kReleases[] = {"1.13.1", "1.14.0"};

}  // namespace

const OpDefinition& UnpackDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = RunOp(OpType::kUnpack, "unpack", "UNPACK", tflite::BuiltinOperator_UNPACK, 1,
                            "the slices of an axis", nullptr);
    op.output_quantization = OutputQuantization::kSameAsInput;
    op.default_attributes = A();
    op.infer_shapes = InferShapes;
    op.read_options = ReadOptions;
    return Written(op, {VersionTwoForInt8, kReleases, WriteOptions}, IntegerKernels::kBoth);
  }();
  return kDefinition;
}

}  // namespace qat
