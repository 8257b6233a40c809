// Conv2D: y[n, h, w, o] = activation(bias[o] + sum over kh, kw, i of x[n, h', w', i] * filter[o, kh, kw, i]).
#include "base/strings.h"
#include "ops/filter_op.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = Conv2DAttributes;

constexpr AttributeKey kKeys[] = {
    {"filters", keys::kPositive, "", keys::Member<&A::filters, keys::ToPositive>},
    {"kernel", keys::kPositivePair, "", keys::MemberPair<&A::kernel_h, &A::kernel_w>},
    {"stride", keys::kPositivePair, "1", keys::MemberPair<&A::stride_h, &A::stride_w>},
    {"dilation", keys::kPositivePair, "1", keys::MemberPair<&A::dilation_h, &A::dilation_w>},
    {"padding", keys::kAnyPadding, "\"same\"", keys::PaddingMembers<&A::padding, &A::explicit_padding>},
    {"groups", keys::kPositive, "1", keys::Member<&A::groups, keys::ToPositive>},
    {"activation", keys::kActivation, "\"none\"", keys::Member<&A::activation, keys::ToActivation>},
};

Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const auto& a = std::get<Conv2DAttributes>(attributes);
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[0], 4, "input"));
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[1], 4, "filter"));
  const Shape& input = inputs[0].shape;
  const Shape& filter = inputs[1].shape;
  if (filter[0] < 1 || filter[3] < 1) {
    return InvalidArgument(StrCat("filter is ", ToString(filter), ", expected positive sizes"));
  }
  // Groups: each takes its share of the input's channels and makes its share of the output's.
  if (input[3] < filter[3] || input[3] % filter[3] != 0 || filter[0] % (input[3] / filter[3]) != 0) {
    return InvalidArgument(StrCat("filter ", ToString(filter), " takes ", filter[3], " channels, the input ",
                                  ToString(input), " has ", input[3]));
  }
  QAT_RETURN_IF_ERROR(ExpectBias(inputs, 2, filter[0]));
  QAT_ASSIGN_OR_RETURN(const WindowGeometry out,
                       WindowOutput(input, a.padding, filter[1], filter[2], a.stride_h, a.stride_w,
                                    a.dilation_h, a.dilation_w));
  return Shape{input[0], out.height, out.width, filter[0]};
}

int64_t MultiplyAccumulates(std::span<const Operand> inputs, const Shape& output) {
  const Shape& filter = inputs[1].shape;
  return FlatSize(output) * filter[1] * filter[2] * filter[3];
}

constexpr std::string_view kReleases[] = {"1.5.0", "1.14.0", "1.14.0", "2.3.0", "2.4.0"};

int32_t Version(const VersionQuery& query) {
  if (query.input == DType::kFloat32 && query.filter == DType::kInt8) return 5;  // a scale per channel
  return query.input == DType::kInt8 ? 3 : 1;
}

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto& a = std::get<Conv2DAttributes>(attributes);
  writer.type = tflite::BuiltinOptions_Conv2DOptions;
  writer.table = tflite::CreateConv2DOptions(
                     writer.builder, static_cast<tflite::Padding>(a.padding), a.stride_w, a.stride_h,
                     static_cast<tflite::ActivationFunctionType>(a.activation), a.dilation_w, a.dilation_h,
                     static_cast<tflite::TensorType>(a.quantized_bias_type))
                     .Union();
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::Conv2DOptions>();
  if (table == nullptr) return Corrupt("options are missing, expected Conv2DOptions");
  Conv2DAttributes a;
  a.stride_h = table->stride_h();
  a.stride_w = table->stride_w();
  a.dilation_h = table->dilation_h_factor();
  a.quantized_bias_type = static_cast<DType>(table->quantized_bias_type());
  a.dilation_w = table->dilation_w_factor();
  QAT_ASSIGN_OR_RETURN(a.padding, ToPadding(table->padding()));
  QAT_ASSIGN_OR_RETURN(a.activation, ToActivation(table->fused_activation_function()));
  return OpAttributes(a);
}

}  // namespace

const OpDefinition& Conv2DDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = FilterOp(OpType::kConv2D, "conv_2d", "CONV_2D", tflite::BuiltinOperator_CONV_2D);
    op.summary = "convolution with bias and activation";
    op.keys = kKeys;
    op.default_attributes = Conv2DAttributes();
    op.infer_shape = InferShape;
    op.parameters = ConvolutionParameters<A>;
    op.multiply_accumulates = MultiplyAccumulates;
    op.version = Version;
    op.releases = kReleases;
    op.write_options = WriteOptions;
    op.read_options = ReadOptions;
    return op;
  }();
  return kDefinition;
}

}  // namespace qat
