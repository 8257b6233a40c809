// TransposeConv: the convolution that would take the output to the input, backwards: every input pixel adds
// its filter to the output. Inputs: the output's shape, the filter [O, H, W, I], the picture, the bias.
#include <algorithm>

#include "base/strings.h"
#include "ops/filter_op.h"
#include "ops/keys.h"
#include "ops/op.h"
#include "ops/shape_rules.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

using A = TransposeConvAttributes;

constexpr AttributeKey kKeys[] = {
    {"filters", keys::kPositive, "", keys::Member<&A::filters, keys::ToPositive>},
    {"kernel", keys::kPositivePair, "", keys::MemberPair<&A::kernel_h, &A::kernel_w>},
    {"stride", keys::kPositivePair, "1", keys::MemberPair<&A::stride_h, &A::stride_w>},
    {"padding", keys::kPadding, "\"same\"", keys::Member<&A::padding, keys::ToPadding>},
    {"activation", keys::kActivation, "\"none\"", keys::Member<&A::activation, keys::ToActivation>},
};

// The smallest output whose convolution gives the input, as frameworks choose it.
std::vector<IndexOperand> IndexOperands(const OpAttributes& attributes, const Shape& input) {
  const auto& a = std::get<A>(attributes);
  const auto extent = [&](size_t axis, int32_t kernel, int32_t stride) {
    int64_t size = axis < input.size() ? int64_t{input[axis]} * stride : 0;
    if (a.padding == Padding::kValid) size += std::max(kernel - stride, 0);
    return static_cast<int32_t>(std::min<int64_t>(size, 1 << 30));
  };
  return {{"shape",
           {4},
           {input.empty() ? 1 : input[0], extent(1, a.kernel_h, a.stride_h),
            extent(2, a.kernel_w, a.stride_w), a.filters}}};
}

// TFLite trusts the shape that the model gives; this rule wants the one that fits the input.
Expected<Shape> InferShape(const OpAttributes& attributes, std::span<const Operand> inputs) {
  const auto& a = std::get<A>(attributes);
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[1], 4, "filter"));
  QAT_RETURN_IF_ERROR(ExpectRank(inputs[2], 4, "input"));
  const Shape& filter = inputs[1].shape;
  const Shape& input = inputs[2].shape;
  if (inputs[0].shape != Shape{4}) {
    return InvalidArgument(StrCat("output shape is ", ToString(inputs[0].shape), ", expected [4]"));
  }
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> wanted, ConstantIndices(inputs[0], "output shape"));
  Shape output;
  for (const int64_t size : wanted) {
    if (size < 1 || size > (1 << 20)) return InvalidArgument(StrCat("output shape holds ", size));
    output.push_back(static_cast<int32_t>(size));
  }
  if (filter[3] != input[3] || filter[0] != output[3] || input[0] != output[0]) {
    return InvalidArgument(StrCat("input ", ToString(input), ", filter ", ToString(filter), " and output ",
                                  ToString(output), " do not fit"));
  }
  QAT_RETURN_IF_ERROR(ExpectBias(inputs, 3, filter[0]));
  QAT_ASSIGN_OR_RETURN(const WindowGeometry back,
                       WindowOutput(output, a.padding, filter[1], filter[2], a.stride_h, a.stride_w));
  if (back.height != input[1] || back.width != input[2]) {
    return InvalidArgument(StrCat("output ", ToString(output), " would come from ", back.height, "x",
                                  back.width, " pixels, the input is ", ToString(input)));
  }
  return output;
}

int64_t MultiplyAccumulates(std::span<const Operand> inputs, const Shape&) {
  const Shape& filter = inputs[1].shape;
  return FlatSize(inputs[2].shape) * filter[0] * filter[1] * filter[2];
}

constexpr std::string_view kReleases[] = {"1.9.0", "2.2.0", "2.3.0", "2.13.0"};

int32_t Version(const VersionQuery& query) {
  if (std::get<A>(*query.attributes).activation != Activation::kNone) return 4;
  if (query.inputs > 3) return 3;
  return query.filter == DType::kInt8 ? 2 : 1;
}

void WriteOptions(OptionsWriter& writer, const OpAttributes& attributes) {
  const auto& a = std::get<A>(attributes);
  writer.type = tflite::BuiltinOptions_TransposeConvOptions;
  writer.table = tflite::CreateTransposeConvOptions(writer.builder, static_cast<tflite::Padding>(a.padding),
                                                    a.stride_w, a.stride_h,
                                                    static_cast<tflite::ActivationFunctionType>(a.activation),
                                                    static_cast<tflite::TensorType>(a.quantized_bias_type))
                     .Union();
}

Expected<OpAttributes> ReadOptions(const OptionsReader& reader) {
  const auto* table = reader.As<tflite::TransposeConvOptions>();
  if (table == nullptr) return Corrupt("options are missing, expected TransposeConvOptions");
  A a;
  a.stride_h = table->stride_h();
  a.stride_w = table->stride_w();
  a.quantized_bias_type = static_cast<DType>(table->quantized_bias_type());
  QAT_ASSIGN_OR_RETURN(a.padding, ToPadding(table->padding()));
  QAT_ASSIGN_OR_RETURN(a.activation, ToActivation(table->fused_activation_function()));
  return OpAttributes(a);
}

}  // namespace

const OpDefinition& TransposeConvDefinition() {
  static const OpDefinition kDefinition = [] {
    OpDefinition op = FilterOp(OpType::kTransposeConv, "transpose_conv", "TRANSPOSE_CONV",
                               tflite::BuiltinOperator_TRANSPOSE_CONV);
    op.summary = "transposed convolution; makes an image larger";
    op.min_inputs = 3;
    op.max_inputs = 4;
    op.data_input = 2;
    op.bias_input = 3;
    op.keys = kKeys;
    op.default_attributes = A();
    op.infer_shape = InferShape;
    op.parameters = ConvolutionParameters<A>;
    op.index_operands = IndexOperands;
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
