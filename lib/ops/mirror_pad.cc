// MirrorPad: the input within a border of itself, mirrored. The second input is [rank, 2]: how many before
// and after each axis.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/pads.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = MirrorPadAttributes;

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  Shape output = inputs[0].shape;
  const auto rank = static_cast<int32_t>(output.size());
  if (inputs[1].shape != Shape{rank, 2}) {
    return InvalidArgument(StrCat("paddings are ", ToString(inputs[1].shape), ", expected [", rank, ", 2]"));
  }
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> paddings, ConstantIndices(inputs[1], "paddings"));
  for (size_t i = 0; i < output.size(); ++i) {
    const int64_t before = paddings[2 * i], after = paddings[2 * i + 1];
    const int64_t most = std::get<A>(attributes).symmetric ? output[i] : output[i] - 1;
    if (before < 0 || after < 0 || (before > most || after > most)) {
      return InvalidArgument(StrCat("paddings of axis ", i, " of ", ToString(inputs[0].shape), " are ",
                                    before, " and ", after, ", expected 0 to ", most));
    }
    output[i] = static_cast<int32_t>(std::min<int64_t>(output[i] + before + after, 1 << 30));
  }
  return output;
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::MirrorPadOptions>();
  return OpAttributes(A{table != nullptr && table->mode() == tflite::MirrorPadMode_SYMMETRIC});
}

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_MirrorPadOptions;
  writer.table = tflite::CreateMirrorPadOptions(writer.builder, std::get<A>(attributes).symmetric
                                                                    ? tflite::MirrorPadMode_SYMMETRIC
                                                                    : tflite::MirrorPadMode_REFLECT)
                     .Union();
}

constexpr std::string_view kModeText = "\"reflect\" or \"symmetric\"";

Expected<bool> ToSymmetric(const AttributeValue& value) {
  const auto* mode = std::get_if<std::string>(&value);
  if (mode != nullptr && *mode == "symmetric") return true;
  if (mode != nullptr && *mode == "reflect") return false;
  return keys::Mismatch(value, kModeText);
}

std::optional<AttributeValue> GetMode(const OpAttributes& attributes) {
  return std::string(std::get<A>(attributes).symmetric ? "symmetric" : "reflect");
}

constexpr AttributeKey kKeys[] = {
    {"pads", kPadsText, "", keys::Member<&A::pads, ToPads>},
    {"mode", kModeText, "\"reflect\"", {keys::SetMember<&A::symmetric, ToSymmetric>, GetMode}},
};

std::vector<IndexOperand> IndexOperands(const OpAttributes& attributes, const Shape& input) {
  return PadsOperand(std::get<A>(attributes).pads, input);
}

constexpr std::string_view kReleases[] = {"1.13.1", "2.3.0"};

}  // namespace

const OpDefinition& MirrorPadDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op =
        Written(RunOp(OpType::kMirrorPad, "mirror_pad", "MIRROR_PAD", tflite::BuiltinOperator_MIRROR_PAD, 2,
                      "a border of the mirrored input, with the value at the border (symmetric) or without",
                      InferShape),
                {VersionTwoForInt8, kReleases, WriteOptions}, IntegerKernels::kBoth);
    op.keys = kKeys;
    op.index_operands = IndexOperands;
    op.output_quantization = OutputQuantization::kSameAsInput;
    op.default_attributes = A();
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
