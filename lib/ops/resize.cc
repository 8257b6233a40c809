// ResizeBilinear and ResizeNearestNeighbor: an image of another size; the size is the second input,
// [height, width].
#include "base/strings.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = ResizeAttributes;

Expected<Shape> InferShape(const OpAttributes&, std::span<const Operand> inputs) {
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[0], 4, "input"));
  if (inputs[1].shape != Shape{2} || inputs[1].type != DType::kInt32) {
    return InvalidArgument(
        StrCat("size is ", NameOf(inputs[1].type), " ", ToString(inputs[1].shape), ", expected int32 [2]"));
  }
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> size, ConstantIndices(inputs[1], "size"));
  const Shape& input = inputs[0].shape;
  for (const int64_t extent : {size[0], size[1], int64_t{input[1]}, int64_t{input[2]}}) {
    // Keeps positions in 1/1024 pixels inside int32.
    if (extent < 1 || extent > (1 << 16)) {
      return InvalidArgument(
          StrCat("input ", ToString(input), " cannot be resized to ", size[0], "x", size[1]));
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
  return OpAttributes(A{table->align_corners(), table->half_pixel_centers()});
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
                    std::string_view summary) {
  OpDefinition op{};
  op.type = type;
  op.name = name;
  op.tflite_name = tflite_name;
  op.builtin_code = builtin_code;
  op.summary = summary;
  op.min_inputs = 2;
  op.max_inputs = 2;
  op.output_quantization = OutputQuantization::kSameAsInput;
  op.default_attributes = A();
  op.infer_shape = InferShape;
  return op;
}

}  // namespace

const OpDefinition& ResizeBilinearDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = Define(OpType::kResizeBilinear, "resize_bilinear", "RESIZE_BILINEAR",
                             tflite::BuiltinOperator_RESIZE_BILINEAR, "another size, pixels interpolated");
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
    OpDefinition op =
        Define(OpType::kResizeNearestNeighbor, "resize_nearest_neighbor", "RESIZE_NEAREST_NEIGHBOR",
               tflite::BuiltinOperator_RESIZE_NEAREST_NEIGHBOR, "another size, pixels repeated");
    op.version = NearestVersion;
    op.releases = kNearestReleases;
    op.write_options = WriteNearest;
    op.read_options = ReadOptions<tflite::ResizeNearestNeighborOptions>;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
