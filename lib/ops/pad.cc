// Pad: the input within a border of real zeros; PadV2: of the value that is the third input. The second input
// is [rank, 2]: how many before and after each axis.
#include <algorithm>

#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/pads.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = PadAttributes;
constexpr AttributeKey kKeys[] = {{"pads", kPadsText, "", keys::Member<&A::pads, ToPads>}};

std::vector<IndexOperand> IndexOperands(const OpAttributes& attributes, const Shape& input) {
  return PadsOperand(std::get<A>(attributes).pads, input);
}

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  const Shape& input = inputs[0].shape;
  const auto rank = static_cast<int32_t>(input.size());
  if (rank > 6)
    return InvalidArgument(StrCat("input is ", ToString(input), ", expected at most 6 dimensions"));
  if (inputs[1].shape != Shape{rank, 2}) {
    return InvalidArgument(StrCat("paddings are ", ToString(inputs[1].shape), ", expected [", rank, ", 2]"));
  }
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> paddings, ConstantIndices(inputs[1], "paddings"));
  if (inputs.size() > 2 && FlatSize(inputs[2].shape) != 1) {
    return InvalidArgument(StrCat("pad value is ", ToString(inputs[2].shape), ", expected one value"));
  }
  Shape output;
  for (size_t i = 0; i < input.size(); ++i) {
    constexpr int64_t kLargest = 1 << 28;
    const int64_t before = paddings[2 * i], after = paddings[2 * i + 1];
    if (before < 0 || after < 0 || before > kLargest || after > kLargest) {
      return InvalidArgument(
          StrCat("paddings of axis ", i, " are ", before, " and ", after, ", expected >= 0"));
    }
    output.push_back(static_cast<int32_t>(std::min(input[i] + before + after, int64_t{1} << 30)));
  }
  return output;
}

constexpr std::string_view kReleases[] = {"1.5.0", "1.14.0"};

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    int32_t inputs, std::string_view summary) {
  OpDefinition op{};
  op.type = type;
  op.name = name;
  op.tflite_name = tflite_name;
  op.builtin_code = builtin_code;
  op.summary = summary;
  op.min_inputs = inputs;
  op.max_inputs = inputs;
  op.output_quantization = OutputQuantization::kSameAsInput;
  op.infer_shape = InferShape;
  op.version = VersionTwoForInt8;
  op.releases = kReleases;
  op.read_options = ReadNoOptions;
  return op;
}

}  // namespace

const OpDefinition& PadDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kPad, "pad", "PAD", tflite::BuiltinOperator_PAD, 2, "a border of zeros");
    op.keys = kKeys;
    op.default_attributes = A();
    op.index_operands = IndexOperands;
    op.read_options = [](const OptionsReader&) { return Expected<OpAttributes>(A()); };
    return op;
  }();
  return kDefinition;
}

const OpDefinition& PadV2Definition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kPadV2, "pad_v2", "PADV2", tflite::BuiltinOperator_PADV2, 3,
                             "a border of a given value");
    op.output_quantization = OutputQuantization::kJoinsInputs;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
