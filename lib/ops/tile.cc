// Tile: the input repeated along each axis, as often as the second input says. BroadcastTo: axes of size 1
// repeated up to the shape that the second input says.
#include "base/strings.h"
#include "ops/keys.h"
#include "ops/run_op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

constexpr int64_t kLargest = 1 << 30;

Expected<Shape> InferTile(const OpAttributes&, std::span<const Operand> inputs) {
  Shape output = inputs[0].shape;
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> multiples, ConstantIndices(inputs[1], "multiples"));
  if (multiples.size() != output.size() || output.size() > 8) {
    return InvalidArgument(
        StrCat("multiples are ", ToString(inputs[1].shape), ", the input is ", ToString(inputs[0].shape)));
  }
  for (size_t i = 0; i < output.size(); ++i) {
    if (multiples[i] < 0 || multiples[i] > kLargest || output[i] * multiples[i] > kLargest)
      return InvalidArgument(StrCat("multiple of axis ", i, " is ", multiples[i]));
    output[i] = static_cast<int32_t>(output[i] * multiples[i]);
  }
  return output;
}

Expected<Shape> InferBroadcastTo(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, ConstantIndices(inputs[1], "shape"));
  Shape output;
  for (const int64_t size : sizes) {
    if (size < 0 || size > kLargest || sizes.size() > 8)
      return InvalidArgument(StrCat("cannot broadcast to a size of ", size));
    output.push_back(static_cast<int32_t>(size));
  }
  const Shape& input = inputs[0].shape;
  const auto both = BroadcastShape(input, output);
  if (!both.ok() || *both != output)
    return InvalidArgument(StrCat("input ", ToString(input), " does not broadcast to ", ToString(output)));
  return output;
}

constexpr std::string_view kMultiplesText = "how often each axis but the batch is repeated, as [2, 1, 1]";
constexpr std::string_view kShapeText = "the new size of each axis but the batch, as [8, 8, 4]";

Expected<std::vector<int32_t>> ToMultiples(const AttributeValue& value) {
  return keys::ToList(value, 7, 1, 1 << 20, kMultiplesText);
}
Expected<std::vector<int32_t>> ToShape(const AttributeValue& value) {
  return keys::ToList(value, 7, 1, 1 << 20, kShapeText);
}

constexpr AttributeKey kTileKeys[] = {
    {"multiples", kMultiplesText, "", keys::Member<&TileAttributes::multiples, ToMultiples>},
};
constexpr AttributeKey kBroadcastKeys[] = {
    {"shape", kShapeText, "", keys::Member<&BroadcastToAttributes::shape, ToShape>},
};

std::vector<IndexOperand> ListAfter(std::string_view suffix, int32_t batch,
                                    const std::vector<int32_t>& rest) {
  std::vector<int32_t> values = {batch};
  values.insert(values.end(), rest.begin(), rest.end());
  return {{suffix, {static_cast<int32_t>(values.size())}, values}};
}

std::vector<IndexOperand> MultiplesOperand(const OpAttributes& attributes, const Shape&) {
  return ListAfter("multiples", 1, std::get<TileAttributes>(attributes).multiples);
}
std::vector<IndexOperand> ShapeOperand(const OpAttributes& attributes, const Shape& input) {
  return ListAfter("shape", input.empty() ? 1 : input[0], std::get<BroadcastToAttributes>(attributes).shape);
}

// Version 3 of TILE brought int8, which the reference kernels run under version 1 only; there is no version 1
// of BROADCAST_TO.
constexpr std::string_view kTileReleases[] = {"2.8.0"};
constexpr std::string_view kBroadcastReleases[] = {"2.5.0", "2.5.0"};
int32_t SecondVersion(const VersionQuery&) { return 2; }

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary,
                    Expected<Shape> (*infer_shape)(const OpAttributes&, std::span<const Operand>)) {
  OpDefinition op = RunOp(type, name, tflite_name, builtin_code, 2, summary, infer_shape);
  op.output_quantization = OutputQuantization::kSameAsInput;
  return op;
}

}  // namespace

const OpDefinition& TileDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Written(
        Define(OpType::kTile, "tile", "TILE", tflite::BuiltinOperator_TILE, "the input repeated", InferTile),
        {FirstVersion, kTileReleases}, IntegerKernels::kBoth);
    op.keys = kTileKeys;
    op.default_attributes = TileAttributes();
    op.index_operands = MultiplesOperand;
    op.read_options = [](const OptionsReader&) { return Expected<OpAttributes>(TileAttributes()); };
    return op;
  }();
  return kDefinition;
}

const OpDefinition& BroadcastToDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Written(
        Define(OpType::kBroadcastTo, "broadcast_to", "BROADCAST_TO", tflite::BuiltinOperator_BROADCAST_TO,
               "axes of size 1 repeated up to a shape", InferBroadcastTo),
        {SecondVersion, kBroadcastReleases}, IntegerKernels::kBoth);
    op.keys = kBroadcastKeys;
    op.default_attributes = BroadcastToAttributes();
    op.index_operands = ShapeOperand;
    op.read_options = [](const OptionsReader&) { return Expected<OpAttributes>(BroadcastToAttributes()); };
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
