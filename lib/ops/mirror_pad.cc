// MirrorPad: the input within a border of itself, mirrored. The second input is [rank, 2]: how many before and after each
// axis.
#include "base/strings.h"
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

}  // namespace

const OpDefinition& MirrorPadDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op =
        RunOp(OpType::kMirrorPad, "mirror_pad", "MIRROR_PAD", tflite::BuiltinOperator_MIRROR_PAD, 2,
              "a border of the mirrored input", InferShape);
    op.output_quantization = OutputQuantization::kSameAsInput;
    op.default_attributes = A();
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
