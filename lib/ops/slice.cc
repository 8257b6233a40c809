// Slice: a part of the input. StridedSlice: the same with a stride for each axis, or one index of an axis,
// which is dropped.
#include <algorithm>
#include <bit>

#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/slice_geometry.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = StridedSliceAttributes;
constexpr int32_t kMostEntries = 15;  // of begin, end and strides
constexpr std::string_view kBeginText = "a list of first indices, one per axis after the batch";
constexpr std::string_view kSizeText = "a list of sizes, one per axis after the batch; -1: the rest";
constexpr std::string_view kFromText =
    "a list of first indices, one per axis after the batch; negative: from the end";
constexpr std::string_view kEndText =
    "a list of indices to stop before, one per axis after the batch; negative: from the end";
constexpr std::string_view kStridesText = "a list of positive steps, one per axis after the batch";

Expected<std::vector<int32_t>> ToBegin(const AttributeValue& value) {
  return keys::ToList(value, 7, 0, 1 << 20, kBeginText);
}
Expected<std::vector<int32_t>> ToSize(const AttributeValue& value) {
  return keys::ToList(value, 7, -1, 1 << 20, kSizeText);
}
Expected<std::vector<int32_t>> ToFrom(const AttributeValue& value) {
  return keys::ToList(value, 7, -(1 << 20), 1 << 20, kFromText);
}
Expected<std::vector<int32_t>> ToEnd(const AttributeValue& value) {
  return keys::ToList(value, 7, -(1 << 20), 1 << 20, kEndText);
}
Expected<std::vector<int32_t>> ToStrides(const AttributeValue& value) {
  return keys::ToList(value, 7, 1, 1 << 20, kStridesText);
}

constexpr AttributeKey kSliceKeys[] = {
    {"begin", kBeginText, "", keys::Member<&SliceAttributes::begin, ToBegin>},
    {"size", kSizeText, "", keys::Member<&SliceAttributes::size, ToSize>},
};
constexpr AttributeKey kStridedSliceKeys[] = {
    {"begin", kFromText, "", keys::Member<&A::begin, ToFrom>},
    {"end", kEndText, "", keys::Member<&A::end, ToEnd>},
    {"strides", kStridesText, "[1, …]", keys::Member<&A::strides, ToStrides>},
};

// `batch` stands for the batch, in front; `open` for the axes that are not listed, at the end.
IndexOperand AfterBatch(std::string_view suffix, const Shape& input, int32_t batch,
                        const std::vector<int32_t>& values, int32_t open) {
  IndexOperand operand{suffix, {}, {batch}};
  operand.values.insert(operand.values.end(), values.begin(), values.end());
  operand.values.resize(std::max(operand.values.size(), input.size()), open);
  operand.shape = {static_cast<int32_t>(operand.values.size())};
  return operand;
}

std::vector<IndexOperand> SliceOperands(const OpAttributes& attributes, const Shape& input) {
  const auto& a = std::get<SliceAttributes>(attributes);
  return {AfterBatch("begin", input, 0, a.begin, 0), AfterBatch("size", input, -1, a.size, -1)};
}

// The masks of default_attributes leave the batch open; the end of any axis is below 2^20.
std::vector<IndexOperand> StridedSliceOperands(const OpAttributes& attributes, const Shape& input) {
  const auto& a = std::get<A>(attributes);
  return {AfterBatch("begin", input, 0, a.begin, 0), AfterBatch("end", input, 0, a.end, 1 << 20),
          AfterBatch("strides", input, 1, a.strides, 1)};
}

// `exactly`: one entry per axis; else any number of them, the same in all operands.
Status ExpectOperands(std::span<const Operand> inputs, bool exactly) {
  const Shape& input = inputs[0].shape;
  if (input.size() > 8)
    return InvalidArgument(StrCat("input is ", ToString(input), ", expected at most 8 dimensions"));
  const Shape expected = exactly ? Shape{static_cast<int32_t>(input.size())} : inputs[1].shape;
  for (const Operand& operand : inputs.subspan(1)) {
    if (operand.shape != expected || expected.size() != 1 || expected[0] > kMostEntries) {
      return InvalidArgument(StrCat("an operand is ", ToString(operand.shape), ", expected ",
                                    exactly ? ToString(expected) : "a list"));
    }
  }
  return {};
}

Shape OutputOf(const std::vector<SliceAxis>& axes) {
  Shape output;
  for (const SliceAxis& axis : axes) {
    if (!axis.dropped) output.push_back(static_cast<int32_t>(axis.count));
  }
  return output;
}

// Begin and end as indices; open ends and those outside are clamped to what the direction can reach.
SliceAxis StridedAxis(int64_t size, int64_t begin, int64_t end, int64_t stride, bool open_begin,
                      bool open_end) {
  const int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? size : size - 1;
  const auto resolve = [&](int64_t index) { return std::clamp(index < 0 ? index + size : index, low, high); };
  const int64_t from = open_begin ? (stride > 0 ? low : high) : resolve(begin);
  const int64_t to = open_end ? (stride > 0 ? high : low) : resolve(end);
  const int64_t distance = stride > 0 ? to - from : from - to;
  const int64_t step = stride > 0 ? stride : -stride;
  return {from, stride, std::max<int64_t>((distance + step - 1) / step, 0), false};
}

Expected<SliceAxis> DroppedAxis(int64_t size, int64_t begin, int64_t stride) {
  const int64_t index = begin < 0 ? begin + size : begin;
  if (index >= 0 && index < size && stride == 1) return SliceAxis{index, 1, 1, true};
  return InvalidArgument(StrCat("index ", begin, " with stride ", stride, " of an axis of ", size));
}

Expected<Shape> InferSlice(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const std::vector<SliceAxis> axes, SliceGeometry(inputs));
  return OutputOf(axes);
}

Expected<Shape> InferStridedSlice(const OpAttributes& attributes, std::span<const Operand> inputs) {
  QAT_ASSIGN_OR_RETURN(const std::vector<SliceAxis> axes, StridedSliceGeometry(attributes, inputs));
  return OutputOf(axes);
}

struct StridedEntry {
  int64_t begin, end, stride;
};

Expected<SliceAxis> AxisOfEntry(const A& a, size_t i, int64_t size, StridedEntry entry) {
  constexpr int64_t kLargest = int64_t{1} << 31;
  for (const int64_t value : {entry.begin, entry.end, entry.stride}) {
    if (value < -kLargest || value >= kLargest) return InvalidArgument(StrCat(value, " is no int32"));
  }
  if (entry.stride == 0) return InvalidArgument(StrCat("stride of entry ", i, " is 0"));
  const auto in = [&](int32_t mask) { return (mask >> i & 1) != 0; };
  if (in(a.shrink_axis_mask)) {
    // An open begin of a dropped axis is its first index.
    return DroppedAxis(size, in(a.begin_mask) ? 0 : entry.begin, entry.stride);
  }
  if (a.end_is_offset) entry.end += entry.begin;
  return StridedAxis(size, entry.begin, entry.end, entry.stride, in(a.begin_mask), in(a.end_mask));
}

// How many axes of the input an ellipsis stands for. Errors: more entries than axes.
Expected<size_t> AxesOfEllipsis(const A& a, size_t entries, const Shape& input) {
  size_t named = 0;
  for (size_t i = 0; i < entries; ++i)
    named += a.ellipsis != static_cast<int>(i) && (a.new_axis_mask >> i & 1) == 0 ? 1 : 0;
  if (named <= input.size()) return input.size() - named;
  return InvalidArgument(StrCat("has ", named, " entries for ", ToString(input)));
}

constexpr std::string_view kSliceReleases[] = {"1.14.0", "1.14.0"};
constexpr std::string_view kStridedReleases[] = {"1.6.0", "1.14.0"};

void WriteStridedSlice(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  writer.type = tflite::BuiltinOptions_StridedSliceOptions;
  writer.table = tflite::CreateStridedSliceOptions(writer.builder, a.begin_mask, a.end_mask,
                                                   a.ellipsis < 0 ? 0 : 1 << a.ellipsis, a.new_axis_mask,
                                                   a.shrink_axis_mask, a.end_is_offset)
                     .Union();
}

Expected<OpAttributes> ReadStridedSlice(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::StridedSliceOptions>();
  if (table == nullptr) return OpAttributes(A());
  const auto ellipsis = static_cast<uint32_t>(table->ellipsis_mask());
  if (std::popcount(ellipsis) > 1 || ellipsis >> kMostEntries != 0 ||
      table->new_axis_mask() >> kMostEntries != 0) {
    return Corrupt(StrCat("ellipsis mask is ", table->ellipsis_mask(), " and new-axis mask ",
                          table->new_axis_mask(), ", expected at most one and ", kMostEntries, " bits"));
  }
  return OpAttributes(A{.begin_mask = table->begin_mask(),
                        .end_mask = table->end_mask(),
                        .shrink_axis_mask = table->shrink_axis_mask(),
                        .new_axis_mask = static_cast<int16_t>(table->new_axis_mask()),
                        .ellipsis = static_cast<int8_t>(ellipsis == 0 ? -1 : std::countr_zero(ellipsis)),
                        .end_is_offset = table->offset()});
}

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
  op.version = VersionTwoForInt8;
  return op;
}

}  // namespace

Expected<std::vector<SliceAxis>> SliceGeometry(std::span<const Operand> inputs) {
  QAT_RETURN_IF_ERROR(ExpectOperands(inputs, true));
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> begin, ConstantIndices(inputs[1], "begin"));
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> size, ConstantIndices(inputs[2], "size"));
  std::vector<SliceAxis> axes;
  for (size_t i = 0; i < begin.size(); ++i) {
    const int64_t extent = inputs[0].shape[i];
    const bool inside = begin[i] >= 0 && begin[i] <= extent && size[i] >= -1 && size[i] <= extent - begin[i];
    if (!inside) {
      return InvalidArgument(StrCat("axis ", i, " of ", ToString(inputs[0].shape), " has no ", size[i],
                                    " values from ", begin[i], " on"));
    }
    axes.push_back({begin[i], 1, size[i] == -1 ? extent - begin[i] : size[i], false});
  }
  return axes;
}

Expected<std::vector<SliceAxis>> StridedSliceGeometry(const OpAttributes& attributes,
                                                      std::span<const Operand> inputs) {
  const auto& a = std::get<A>(attributes);
  QAT_RETURN_IF_ERROR(ExpectOperands(inputs, false));
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> begin, ConstantIndices(inputs[1], "begin"));
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> end, ConstantIndices(inputs[2], "end"));
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> strides, ConstantIndices(inputs[3], "strides"));
  QAT_ASSIGN_OR_RETURN(const size_t others, AxesOfEllipsis(a, begin.size(), inputs[0].shape));
  std::vector<SliceAxis> axes;
  size_t next = 0;  // axis of the input
  for (size_t i = 0; i < begin.size(); ++i) {
    const bool ellipsis = a.ellipsis == static_cast<int>(i);
    if (!ellipsis && (a.new_axis_mask >> i & 1) != 0) {
      axes.push_back({0, 1, 1, false, true});
      continue;
    }
    for (size_t k = 0; ellipsis && k < others; ++k) axes.push_back({0, 1, inputs[0].shape[next++], false});
    if (ellipsis) continue;
    QAT_ASSIGN_OR_RETURN(const SliceAxis axis,
                         AxisOfEntry(a, i, inputs[0].shape[next++], {begin[i], end[i], strides[i]}));
    axes.push_back(axis);
  }
  while (next < inputs[0].shape.size()) axes.push_back({0, 1, inputs[0].shape[next++], false});
  return axes;
}

const OpDefinition& SliceDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op =
        Define(OpType::kSlice, "slice", "SLICE", tflite::BuiltinOperator_SLICE, 3, "a part of the input");
    op.keys = kSliceKeys;
    op.default_attributes = SliceAttributes();
    op.infer_shape = InferSlice;
    op.index_operands = SliceOperands;
    op.releases = kSliceReleases;
    op.read_options = [](const OptionsReader&) { return Expected<OpAttributes>(SliceAttributes()); };
    return op;
  }();
  return kDefinition;
}

const OpDefinition& StridedSliceDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kStridedSlice, "strided_slice", "STRIDED_SLICE",
                             tflite::BuiltinOperator_STRIDED_SLICE, 4, "a part of the input, with strides");
    op.keys = kStridedSliceKeys;
    op.default_attributes = A{.begin_mask = 1, .end_mask = 1};
    op.infer_shape = InferStridedSlice;
    op.index_operands = StridedSliceOperands;
    op.releases = kStridedReleases;
    op.write_options = WriteStridedSlice;
    op.read_options = ReadStridedSlice;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
