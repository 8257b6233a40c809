// ResizeBilinear and ResizeNearestNeighbor: an image of another size; the size is the second input,
// [height, width].
#include <algorithm>

#include "base/strings.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = ResizeAttributes;
constexpr std::string_view kSizeText = "the output's [height, width]; instead of scale";
constexpr std::string_view kScaleText =
    "an integer factor or a pair [height, width] of them; instead of size";
constexpr std::string_view kAlignText = "true or false; true switches half_pixel_centers off";
constexpr std::string_view kCentersText = "true or false";

Status ExpectOneOf(const A& a, const AttributeValue& value) {
  if ((a.height == 0) != (a.scale_h == 0)) return {};
  return keys::Mismatch(value, "either size or scale");
}

Status SetSize(OpAttributes& attributes, const AttributeValue& value) {
  QAT_RETURN_IF_ERROR((keys::SetPair<&A::height, &A::width>(attributes, value)));
  return ExpectOneOf(std::get<A>(attributes), value);
}

Status SetScale(OpAttributes& attributes, const AttributeValue& value) {
  QAT_RETURN_IF_ERROR((keys::SetPair<&A::scale_h, &A::scale_w>(attributes, value)));
  return ExpectOneOf(std::get<A>(attributes), value);
}

// TFLite has no third way to lay the pixels of one image over another's.
Status SetAlignCorners(OpAttributes& attributes, const AttributeValue& value) {
  auto& a = std::get<A>(attributes);
  QAT_ASSIGN_OR_RETURN(a.align_corners, keys::ToFlag(value));
  a.half_pixel_centers = a.half_pixel_centers && !a.align_corners;
  return {};
}

Status SetHalfPixelCenters(OpAttributes& attributes, const AttributeValue& value) {
  auto& a = std::get<A>(attributes);
  QAT_ASSIGN_OR_RETURN(a.half_pixel_centers, keys::ToFlag(value));
  if (!a.half_pixel_centers || !a.align_corners) return {};
  return keys::Mismatch(value, "false with align_corners");
}

std::optional<AttributeValue> GetSize(const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  if (a.height == 0) return std::nullopt;
  return keys::ValueOfPair(a.height, a.width);
}

std::optional<AttributeValue> GetScale(const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  if (a.scale_h == 0) return std::nullopt;
  return keys::ValueOfPair(a.scale_h, a.scale_w);
}

constexpr KeyAccess kSize = {SetSize, GetSize};
constexpr KeyAccess kScale = {SetScale, GetScale};
constexpr KeyAccess kAlignCorners = {SetAlignCorners, keys::GetMember<&A::align_corners>};
constexpr KeyAccess kHalfPixelCenters = {SetHalfPixelCenters, keys::GetMember<&A::half_pixel_centers>};

// Bilinear as TensorFlow 2 does it; nearest as version 1 of TFLite's operator, which any runtime knows (for
// whole scales both ways take the same pixels).
constexpr AttributeKey kBilinearKeys[] = {
    {"size", kSizeText, "none", kSize},
    {"scale", kScaleText, "none", kScale},
    {"align_corners", kAlignText, "false", kAlignCorners},
    {"half_pixel_centers", kCentersText, "true", kHalfPixelCenters},
};
constexpr AttributeKey kNearestKeys[] = {
    {"size", kSizeText, "none", kSize},
    {"scale", kScaleText, "none", kScale},
    {"align_corners", kAlignText, "false", kAlignCorners},
    {"half_pixel_centers", kCentersText, "false", kHalfPixelCenters},
};

// Sizes beyond all bounds are left to the shape rule.
std::vector<IndexOperand> IndexOperands(const OpAttributes& attributes, const Shape& input) {
  const auto& a = std::get<A>(attributes);
  const auto extent = [&](int32_t fixed, int32_t scale, size_t axis) {
    const int64_t scaled = axis < input.size() ? int64_t{scale} * input[axis] : 0;
    return static_cast<int32_t>(fixed != 0 ? fixed : std::min<int64_t>(scaled, 1 << 30));
  };
  return {{"size", {2}, {extent(a.height, a.scale_h, 1), extent(a.width, a.scale_w, 2)}}};
}

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[0], 4, "input"));
  if (inputs[1].shape != Shape{2} || inputs[1].type != DType::kInt32) {
    return InvalidArgument(
        StrCat("size is ", NameOf(inputs[1].type), " ", ToString(inputs[1].shape), ", expected int32 [2]"));
  }
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> size, ConstantIndices(inputs[1], "size"));
  const Shape& input = inputs[0].shape;
  if (size[0] == 0) return InvalidArgument("neither is given, expected a size or a scale");
  for (const int64_t extent : {size[0], size[1], int64_t{input[1]}, int64_t{input[2]}}) {
    // Keeps positions in 1/1024 pixels inside int32.
    if (extent < 1 || extent > (1 << 16)) {
      return InvalidArgument(StrCat("input ", ToString(input), " cannot be resized to ", size[0], "x",
                                    size[1], ", expected sides from 1 to 65536"));
    }
  }
  return Shape{input[0], static_cast<int32_t>(size[0]), static_cast<int32_t>(size[1]), input[3]};
}

constexpr std::string_view kBilinearReleases[] = {"1.7.0", "1.14.0", "2.2.0"};
constexpr std::string_view kNearestReleases[] = {"1.13.1", "1.14.0", "2.3.0"};

int32_t BilinearVersion(const VersionQuery& query) {
  return std::get<A>(*query.attributes).half_pixel_centers ? 3 : VersionTwoForInt8(query);
}

int32_t NearestVersion(const VersionQuery& query) {
  const auto& a = std::get<A>(*query.attributes);
  return a.half_pixel_centers || a.align_corners ? 3 : VersionTwoForInt8(query);
}

template <class Options>
Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<Options>();
  if (table == nullptr) return OpAttributes(A());
  if (table->align_corners() && table->half_pixel_centers())
    return Corrupt("align_corners and half_pixel_centers are both set");
  return OpAttributes(
      A{.align_corners = table->align_corners(), .half_pixel_centers = table->half_pixel_centers()});
}

void WriteBilinear(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  writer.type = tflite::BuiltinOptions_ResizeBilinearOptions;
  writer.table =
      tflite::CreateResizeBilinearOptions(writer.builder, a.align_corners, a.half_pixel_centers).Union();
}

void WriteNearest(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  writer.type = tflite::BuiltinOptions_ResizeNearestNeighborOptions;
  writer.table =
      tflite::CreateResizeNearestNeighborOptions(writer.builder, a.align_corners, a.half_pixel_centers)
          .Union();
}

OpDefinition Define(OpType type, std::string_view name, std::string_view tflite_name, int32_t builtin_code,
                    std::string_view summary, std::span<const AttributeKey> keys) {
  OpDefinition op{};
  op.type = type;
  op.name = name;
  op.tflite_name = tflite_name;
  op.builtin_code = builtin_code;
  op.summary = summary;
  op.min_inputs = 2;
  op.max_inputs = 2;
  op.output_quantization = OutputQuantization::kSameAsInput;
  op.keys = keys;
  op.default_attributes = A{.half_pixel_centers = type == OpType::kResizeBilinear};
  op.infer_shape = InferShape;
  op.index_operands = IndexOperands;
  return op;
}

}  // namespace

const OpDefinition& ResizeBilinearDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op =
        Define(OpType::kResizeBilinear, "resize_bilinear", "RESIZE_BILINEAR",
               tflite::BuiltinOperator_RESIZE_BILINEAR, "resizes with bilinear interpolation", kBilinearKeys);
    op.version = BilinearVersion;
    op.releases = kBilinearReleases;
    op.write_options = WriteBilinear;
    op.read_options = ReadOptions<tflite::ResizeBilinearOptions>;
    return op;
  }();
  return kDefinition;
}

const OpDefinition& ResizeNearestNeighborDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kResizeNearestNeighbor, "resize_nearest_neighbor",
                             "RESIZE_NEAREST_NEIGHBOR", tflite::BuiltinOperator_RESIZE_NEAREST_NEIGHBOR,
                             "resizes by repeating the nearest pixel", kNearestKeys);
    op.version = NearestVersion;
    op.releases = kNearestReleases;
    op.write_options = WriteNearest;
    op.read_options = ReadOptions<tflite::ResizeNearestNeighborOptions>;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
