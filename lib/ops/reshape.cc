// Reshape: the same values under another shape; row-major order stays. A spec's default, [-1], flattens an
// image to one row: [N, H, W, C] -> [N, H * W * C].
#include <algorithm>

#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = ReshapeAttributes;
constexpr std::string_view kShapeText = "a list of sizes without the batch, at most one of them -1";

// A spec gives the shape of one example; the batch in front stays.
Status SetShape(OpAttributes& attributes, const AttributeValue& value) {
  const auto* sizes = std::get_if<std::vector<int64_t>>(&value);
  if (sizes == nullptr || sizes->empty() || sizes->size() > 5) return keys::Mismatch(value, kShapeText);
  Shape shape = {1};
  int32_t open = 0;
  for (const int64_t size : *sizes) {
    if (size == -1) ++open;
    if ((size < 1 && size != -1) || size > (1 << 28) || open > 1) return keys::Mismatch(value, kShapeText);
    shape.push_back(static_cast<int32_t>(size));
  }
  std::get<A>(attributes).new_shape = shape;
  return {};
}

std::optional<AttributeValue> GetShape(const OpAttributes& attributes) {
  const Shape& shape = std::get<A>(attributes).new_shape;
  return std::vector<int64_t>(shape.begin() + (shape.empty() ? 0 : 1), shape.end());
}

constexpr AttributeKey kKeys[] = {{"shape", kShapeText, "[-1]", {SetShape, GetShape}}};

// Fills the size written as -1.
Expected<Shape> Resolved(const Shape& input, const std::vector<int64_t>& wanted) {
  const int64_t elements = FlatSize(input);
  const auto mismatch = [&]() -> Error {
    // Two open sizes: the first is the batch, which a spec does not write.
    const bool with_batch = std::count(wanted.begin(), wanted.end(), -1) > 1;
    std::vector<std::string> sizes;
    for (size_t i = with_batch ? 1 : 0; i < wanted.size(); ++i) sizes.push_back(StrCat(wanted[i]));
    return InvalidArgument(StrCat("input ", ToString(input), " has ", elements, " values, which [",
                                  Join(sizes), "] cannot hold"));
  };
  int64_t known = 1;
  int32_t open = -1;
  Shape shape;
  for (const int64_t size : wanted) {
    if (size == -1 && open < 0) {
      open = static_cast<int32_t>(shape.size());
    } else if (size < 0 || size > (int64_t{1} << 30) || (known *= size) > (int64_t{1} << 31)) {
      return mismatch();
    }
    shape.push_back(static_cast<int32_t>(size));
  }
  if (open >= 0) {
    if (known == 0 || elements % known != 0) return mismatch();
    shape[static_cast<size_t>(open)] = static_cast<int32_t>(elements / known);
  } else if (known != elements) {
    return mismatch();
  }
  return shape;
}

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const Shape& wanted = std::get<A>(attributes).new_shape;
  // An operand that is no list, as old converters wrote it, does not count, as in TFLite: the attribute does.
  if (inputs.size() > 1 && (inputs[1].shape.size() == 1 || wanted.empty())) {
    QAT_RETURN_IF_ERROR(ExpectRank(inputs[1], 1, "shape operand"));
    QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, ConstantIndices(inputs[1], "shape operand"));
    return Resolved(inputs[0].shape, sizes);
  }
  // Old converters wrote [0] for a scalar.
  if (wanted == Shape{0}) return Resolved(inputs[0].shape, {});
  return Resolved(inputs[0].shape, std::vector<int64_t>(wanted.begin(), wanted.end()));
}

// The batch is left open, so that a model can be resized to any. Sizes that do not fit are left to the shape
// rule.
std::vector<IndexOperand> IndexOperands(const OpAttributes& attributes, const Shape& input) {
  const Shape& wanted = std::get<A>(attributes).new_shape;
  // of a model, which has it in its second input
  if (wanted.empty() || input.empty()) return {{"shape", {1}, {-1}}};
  Shape example = input;
  example[0] = 1;
  const auto resolved = Resolved(example, std::vector<int64_t>(wanted.begin(), wanted.end()));
  std::vector<int32_t> values = resolved.ok() ? *resolved : wanted;
  values[0] = -1;
  return {{"shape", {static_cast<int32_t>(values.size())}, values}};
}

constexpr std::string_view kReleases[] = {"1.5.0"};

int32_t Version(const VersionQuery&) { return 1; }

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto sizes = writer.builder.CreateVector(std::get<A>(attributes).new_shape);
  writer.type = tflite::BuiltinOptions_ReshapeOptions;
  writer.table = tflite::CreateReshapeOptions(writer.builder, sizes).Union();
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  A a;
  const auto* table = reader.As<tflite::ReshapeOptions>();
  if (table != nullptr && table->new_shape() != nullptr) {
    a.new_shape.assign(table->new_shape()->begin(), table->new_shape()->end());
  }
  return OpAttributes(a);
}

}  // namespace

const OpDefinition& ReshapeDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op{};
    op.type = OpType::kReshape;
    op.name = "reshape";
    op.tflite_name = "RESHAPE";
    op.builtin_code = tflite::BuiltinOperator_RESHAPE;
    op.summary = "the same values in another shape; flattens by default";
    op.max_inputs = 2;
    op.output_quantization = OutputQuantization::kSameAsInput;
    op.keys = kKeys;
    op.default_attributes = A{{1, -1}};
    op.infer_shape = InferShape;
    op.index_operands = IndexOperands;
    op.version = Version;
    op.releases = kReleases;
    op.write_options = WriteOptions;
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
