// QuantizeLinear and DequantizeLinear: what they say of a tensor is its range.
#include <cmath>

#include "base/strings.h"
#include "import/onnx_convert.h"
#include "quant/scheme.h"

namespace qat {
namespace {

/// The range that the scale and zero point stand for goes to the tensor; its values stay real.
Converted Quantize(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const std::vector<float> scale, node.Reals(1, "y_scale"));
  std::vector<int64_t> zero = {0};
  onnx::ElementType type = onnx::ElementType::kUInt8;
  if (node.Has(2)) {
    QAT_ASSIGN_OR_RETURN(zero, node.Integers(2, "y_zero_point"));
    type = node.In(2).constant->type;
  }
  if (scale.size() != 1 || zero.size() != 1)
    return Unsupported(StrCat("has ", scale.size(), " scales for a tensor that is computed; TFLite has one"));
  const bool is_signed = type == onnx::ElementType::kInt8;
  if (!is_signed && type != onnx::ElementType::kUInt8)
    return Unsupported(StrCat("quantizes to ", NameOf(type), ", expected uint8 or int8"));
  if (!(scale[0] > 0) || !std::isfinite(scale[0]))
    return InvalidArgument(StrCat("has a scale of ", scale[0]));
  GraphTensor& tensor = c.build.graph().tensor(x.tensor);
  if (!tensor.has_range) {
    tensor.has_range = true;
    const QuantizationParams params = {scale[0], static_cast<int32_t>(zero[0])};
    tensor.range = IncludingZero(RepresentableRange(params, is_signed ? kInt8Limits : kUInt8Limits));
    tensor.limits = ActivationLimitsOf(is_signed ? Scheme::kInt8 : Scheme::kUInt8);
  }
  // Filters per channel exist in TFLite's int8 alone, which holds uint8's ranges, too.
  c.scheme = NameOf(Scheme::kInt8);
  return One(x);
}

Converted Dequantize(OnnxConversion&, const OnnxNode& node) {
  if (node.In(0).type != DType::kFloat32) return Unsupported("reads integers that no QuantizeLinear made");
  return One(node.In(0));
}

constexpr OnnxConverter kConverters[] = {{"QuantizeLinear", 2, Quantize},
                                         {"DequantizeLinear", 2, Dequantize}};

}  // namespace

std::span<const OnnxConverter> QuantizationConverters() { return kConverters; }

}  // namespace qat
