// L2Normalization over the last axis: y = x / sqrt(sum over i of x[i]^2).
#include "base/strings.h"
#include "ops/run_op.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  if (inputs[0].shape.empty()) return InvalidArgument("input has no dimensions");
  return inputs[0].shape;
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::L2NormOptions>();
  if (table != nullptr && table->fused_activation_function() != tflite::ActivationFunctionType_NONE)
    return Unsupported(
        StrCat("fused activation is ", int{table->fused_activation_function()}, ", expected 0"));
  return OpAttributes();
}

void WriteOptions(OptionsWriter& writer, const OpAttributes&) {
  writer.type = tflite::BuiltinOptions_L2NormOptions;
  writer.table = tflite::CreateL2NormOptions(writer.builder).Union();
}

constexpr std::string_view kReleases[] = {"1.5.0", "1.14.0"};

}  // namespace

const OpDefinition& L2NormalizationDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Written(RunOp(OpType::kL2Normalization, "l2_normalization", "L2_NORMALIZATION",
                                    tflite::BuiltinOperator_L2_NORMALIZATION, 1,
                                    "the last axis as a vector of length 1", InferShape),
                              {VersionTwoForInt8, kReleases, WriteOptions}, IntegerKernels::kBoth);
    op.output_quantization = OutputQuantization::kFixed;
    op.fixed_uint8 = {1.0f / 128, 128};
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
