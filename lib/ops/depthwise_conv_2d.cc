// DepthwiseConv2D: every input channel is convolved with depth_multiplier filters of its own; output channel
// i * depth_multiplier + m is that of input channel i and its filter m.
#include "base/strings.h"
#include "ops/filter_op.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = DepthwiseConv2DAttributes;

constexpr AttributeKey kKeys[] = {
    {"kernel", keys::kPositivePair, "", keys::MemberPair<&A::kernel_h, &A::kernel_w>},
    {"multiplier", keys::kPositive, "1", keys::Member<&A::depth_multiplier, keys::ToPositive>},
    {"stride", keys::kPositivePair, "1", keys::MemberPair<&A::stride_h, &A::stride_w>},
    {"dilation", keys::kPositivePair, "1", keys::MemberPair<&A::dilation_h, &A::dilation_w>},
    {"padding", keys::kAnyPadding, "\"same\"", keys::PaddingMembers<&A::padding, &A::explicit_padding>},
    {"activation", keys::kActivation, "\"none\"", keys::Member<&A::activation, keys::ToActivation>},
};

// TFLite's kernels take the multiplier from the shapes and ignore the attribute; so does this rule.
Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const auto& a = std::get<A>(attributes);
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[0], 4, "input"));
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[1], 4, "filter"));
  const Shape& input = inputs[0].shape;
  const Shape& filter = inputs[1].shape;
  if (filter[0] != 1 || input[3] < 1 || filter[3] < 1 || filter[3] % input[3] != 0) {
    return InvalidArgument(StrCat("filter is ", ToString(filter), ", expected [1, H, W, a multiple of ",
                                  input[3], "] for the input ", ToString(input)));
  }
  QAT_RETURN_IF_ERROR(ExpectBias(inputs, 2, filter[3]));
  QAT_ASSIGN_OR_RETURN(const WindowGeometry out,
                       WindowOutput(input, a.padding, filter[1], filter[2], a.stride_h, a.stride_w,
                                    a.dilation_h, a.dilation_w));
  return Shape{input[0], out.height, out.width, filter[3]};
}

std::vector<ParameterSpec> Parameters(const OpAttributes& attributes, const Shape& input) {
  const auto& a = std::get<A>(attributes);
  // Sizes that overflow give no parameters, which reads as an input of the wrong kind; the bound of TFLite is
  // lower still.
  if (input.size() != 4 || int64_t{input[3]} * a.depth_multiplier > (1 << 20)) return {};
  const int32_t channels = input[3] * a.depth_multiplier;
  return FilterAndBias({1, a.kernel_h, a.kernel_w, channels}, SaturatedProduct({a.kernel_h, a.kernel_w}),
                       SaturatedProduct({a.kernel_h, a.kernel_w, a.depth_multiplier}), channels);
}

int64_t MultiplyAccumulates(std::span<const Operand> inputs, const Shape& output) {
  const Shape& filter = inputs[1].shape;
  return FlatSize(output) * filter[1] * filter[2];
}

constexpr std::string_view kReleases[] = {"1.5.0", "1.12.0", "1.14.0", "2.2.0", "2.3.0", "2.3.0"};

int32_t Version(const VersionQuery& query) {
  if (query.input == DType::kFloat32 && query.filter == DType::kInt8) return 6;  // a scale per channel
  if (query.input == DType::kInt8) return 3;
  const auto& a = std::get<A>(*query.attributes);
  return a.dilation_h != 1 || a.dilation_w != 1 ? 2 : 1;
}

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  writer.type = tflite::BuiltinOptions_DepthwiseConv2DOptions;
  writer.table =
      tflite::CreateDepthwiseConv2DOptions(
          writer.builder, static_cast<tflite::Padding>(a.padding), a.stride_w, a.stride_h, a.depth_multiplier,
          static_cast<tflite::ActivationFunctionType>(a.activation), a.dilation_w, a.dilation_h)
          .Union();
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::DepthwiseConv2DOptions>();
  if (table == nullptr) return Corrupt("options are missing, expected DepthwiseConv2DOptions");
  A a;
  a.depth_multiplier = table->depth_multiplier();
  a.stride_h = table->stride_h();
  a.stride_w = table->stride_w();
  a.dilation_h = table->dilation_h_factor();
  a.dilation_w = table->dilation_w_factor();
  QAT_ASSIGN_OR_RETURN(a.padding, ToPadding(table->padding()));
  QAT_ASSIGN_OR_RETURN(a.activation, ToActivation(table->fused_activation_function()));
  return OpAttributes(a);
}

}  // namespace

const OpDefinition& DepthwiseConv2DDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = FilterOp(OpType::kDepthwiseConv2D, "depthwise_conv_2d", "DEPTHWISE_CONV_2D",
                               tflite::BuiltinOperator_DEPTHWISE_CONV_2D);
    op.summary = "convolution of each channel separately, with bias and activation";
    op.filter_channel_axis = 3;
    op.keys = kKeys;
    op.default_attributes = A();
    op.infer_shape = InferShape;
    op.parameters = Parameters;
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
