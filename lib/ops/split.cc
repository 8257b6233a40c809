// Split cuts an axis into equal parts, SplitV into parts of the sizes that its second input says.
#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = SplitAttributes;
constexpr int32_t kMostParts = 1 << 16;

Expected<size_t> ReadAxis(const Operand& operand, size_t rank) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> axes, ConstantIndices(operand, "axis"));
  if (axes.size() != 1)
    return InvalidArgument(StrCat("axis is ", ToString(operand.shape), ", expected one value"));
  return ResolveAxis(axes[0], rank);
}

Expected<std::vector<Shape>> InferSplit(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const int32_t splits = std::get<A>(attributes).splits;
  Shape part = inputs[1].shape;
  QAT_ASSIGN_OR_RETURN(const size_t axis, ReadAxis(inputs[0], part.size()));
  if (splits < 1 || splits > kMostParts || part[axis] % splits != 0) {
    return InvalidArgument(
        StrCat("axis ", axis, " of ", ToString(part), " cannot be cut into ", splits, " equal parts"));
  }
  part[axis] /= splits;
  return std::vector<Shape>(static_cast<size_t>(splits), part);
}

// One size may be -1: what the others leave.
Expected<std::vector<Shape>> InferSplitV(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const Shape& input = inputs[0].shape;
  QAT_ASSIGN_OR_RETURN(const size_t axis, ReadAxis(inputs[2], input.size()));
  QAT_ASSIGN_OR_RETURN(std::vector<int64_t> sizes, ConstantIndices(inputs[1], "sizes"));
  if (std::ssize(sizes) != std::get<A>(attributes).splits) {
    return InvalidArgument(
        StrCat("has ", sizes.size(), " sizes for ", std::get<A>(attributes).splits, " parts"));
  }
  int64_t left = input[axis];
  for (const int64_t size : sizes) left -= std::clamp<int64_t>(size, 0, input[axis] + int64_t{1});
  const auto open = std::find(sizes.begin(), sizes.end(), -1);
  if (open != sizes.end()) *open = std::exchange(left, 0);
  if (left != 0 || std::any_of(sizes.begin(), sizes.end(), [](int64_t size) { return size < 0; })) {
    return InvalidArgument(StrCat("sizes ", ToString(Shape(sizes.begin(), sizes.end())),
                                  " are no parts of axis ", axis, " of ", ToString(input)));
  }
  std::vector<Shape> parts(sizes.size(), input);
  for (size_t i = 0; i < sizes.size(); ++i) parts[i][axis] = static_cast<int32_t>(sizes[i]);
  return parts;
}

constexpr std::string_view kPartsText = "a number of equal parts, or a list of sizes; -1: the rest";

Status SetParts(OpAttributes& attributes, const AttributeValue& value) {
  auto& a = std::get<A>(attributes);
  const auto* count = std::get_if<int64_t>(&value);
  if (count != nullptr && *count >= 2 && *count <= 4096) {
    a.splits = static_cast<int32_t>(*count);
    return {};
  }
  QAT_ASSIGN_OR_RETURN(a.sizes, keys::ToList(value, 4096, -1, 1 << 20, kPartsText));
  a.splits = static_cast<int32_t>(a.sizes.size());
  if (a.splits < 2) return keys::Mismatch(value, kPartsText);
  return {};
}

std::optional<AttributeValue> GetParts(const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  return a.sizes.empty() ? keys::ValueOf(a.splits) : keys::ValueOf(a.sizes);
}

constexpr AttributeKey kKeys[] = {
    {"parts", kPartsText, "", {SetParts, GetParts}},
    {"axis", keys::kAxis, "-1", keys::Member<&A::axis, keys::ToAxis>},
};

// One layer a part: of these the spec makes one node.
std::vector<IndexOperand> SplitOperands(const OpAttributes& attributes, const Shape&) {
  return {{"axis", {}, {std::get<A>(attributes).axis}}};
}

std::vector<IndexOperand> SplitVOperands(const OpAttributes& attributes, const Shape&) {
  const auto& a = std::get<A>(attributes);
  return {{"sizes", {static_cast<int32_t>(a.sizes.size())}, a.sizes}, {"axis", {}, {a.axis}}};
}

int32_t SplitVersion(const VersionQuery& query) {
  if (query.input == DType::kInt16) return 4;
  if (query.input == DType::kInt32) return 3;
  return query.input == DType::kInt8 ? 2 : 1;
}

constexpr std::string_view kSplitReleases[] = {"1.5.0", "1.14.0", "1.14.0", "2.3.0"};
constexpr std::string_view kSplitVReleases[] = {"1.13.1", "2.3.0"};

void WriteSplit(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_SplitOptions;
  writer.table = tflite::CreateSplitOptions(writer.builder, std::get<A>(attributes).splits).Union();
}

void WriteSplitV(OptionsWriter& writer, const OpAttributes& attributes) {
  writer.type = tflite::BuiltinOptions_SplitVOptions;
  writer.table = tflite::CreateSplitVOptions(writer.builder, std::get<A>(attributes).splits).Union();
}

template <class Table>
Expected<OpAttributes> ReadSplits(const OptionsReader& reader) {
  const auto* table = reader.As<Table>();
  if (table == nullptr) return Corrupt("options are missing, expected the number of parts");
  return OpAttributes(A{.splits = table->num_splits()});
}

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary) {
  OpDefinition op{};
  op.type = type;
  op.name = name;
  op.tflite_name = tflite_name;
  op.builtin_code = builtin_code;
  op.summary = summary;
  op.output_quantization = OutputQuantization::kSameAsInput;
  op.default_attributes = A();
  return op;
}

}  // namespace

const OpDefinition& SplitDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kSplit, "split", "SPLIT", tflite::BuiltinOperator_SPLIT,
                             "divides an axis into parts, which are read as \"NAME:0\", \"NAME:1\", …");
    op.min_inputs = op.max_inputs = 2;
    op.data_input = 1;
    op.keys = kKeys;
    op.infer_shapes = InferSplit;
    op.index_operands = SplitOperands;
    op.version = SplitVersion;
    op.releases = kSplitReleases;
    op.write_options = WriteSplit;
    op.read_options = ReadSplits<tflite::SplitOptions>;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& SplitVDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kSplitV, "split_v", "SPLIT_V", tflite::BuiltinOperator_SPLIT_V,
                             "cuts an axis into parts of given sizes");
    op.min_inputs = op.max_inputs = 3;
    op.infer_shapes = InferSplitV;
    op.index_operands = SplitVOperands;
    op.version = VersionTwoForInt8;
    op.releases = kSplitVReleases;
    op.write_options = WriteSplitV;
    op.read_options = ReadSplits<tflite::SplitVOptions>;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
