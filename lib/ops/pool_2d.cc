// MaxPool2D and AveragePool2D over windows of [N, H, W, C]; taps outside the image do not count, in either.
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = Pool2DAttributes;

constexpr AttributeKey kKeys[] = {
    {"window", keys::kPositivePair, "2", keys::MemberPair<&A::filter_h, &A::filter_w>},
    {"stride", keys::kPositivePair, "2", keys::MemberPair<&A::stride_h, &A::stride_w>},
    {"padding", keys::kAnyPadding, "\"valid\"", keys::PaddingMembers<&A::padding, &A::explicit_padding>},
};

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const auto& a = std::get<A>(attributes);
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[0], 4, "input"));
  const Shape& input = inputs[0].shape;
  QAT_ASSIGN_OR_RETURN(const WindowGeometry out,
                       WindowOutput(input, a.padding, a.filter_h, a.filter_w, a.stride_h, a.stride_w));
  return Shape{input[0], out.height, out.width, input[3]};
}

constexpr std::string_view kReleases[] = {"1.5.0", "1.14.0"};

int32_t Version(const VersionQuery& query) { return query.input == DType::kInt8 ? 2 : 1; }

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  writer.type = tflite::BuiltinOptions_Pool2DOptions;
  writer.table = tflite::CreatePool2DOptions(writer.builder, static_cast<tflite::Padding>(a.padding),
                                             a.stride_w, a.stride_h, a.filter_w, a.filter_h,
                                             static_cast<tflite::ActivationFunctionType>(a.activation))
                     .Union();
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::Pool2DOptions>();
  if (table == nullptr) return Corrupt("options are missing, expected Pool2DOptions");
  A a;
  a.filter_h = table->filter_height();
  a.filter_w = table->filter_width();
  a.stride_h = table->stride_h();
  a.stride_w = table->stride_w();
  QAT_ASSIGN_OR_RETURN(a.padding, ToPadding(table->padding()));
  QAT_ASSIGN_OR_RETURN(a.activation, ToActivation(table->fused_activation_function()));
  return OpAttributes(a);
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
  op.keys = kKeys;
  op.default_attributes = A();
  op.infer_shape = InferShape;
  op.version = Version;
  op.releases = kReleases;
  op.write_options = WriteOptions;
  op.read_options = ReadOptions;
  return op;
}

}  // namespace

const OpDefinition& MaxPool2DDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kMaxPool2D, "max_pool_2d", "MAX_POOL_2D", tflite::BuiltinOperator_MAX_POOL_2D,
             "largest value of a window");
  return kDefinition;
}

const OpDefinition& AveragePool2DDefinition() {
  static const OpDefinition kDefinition =
      Define(OpType::kAveragePool2D, "average_pool_2d", "AVERAGE_POOL_2D",
             tflite::BuiltinOperator_AVERAGE_POOL_2D, "mean of a window; padding does not count");
  return kDefinition;
}

}  // namespace qat
