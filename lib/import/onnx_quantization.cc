// QuantizeLinear and DequantizeLinear: what they say of a tensor is its range.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/strings.h"
#include "import/onnx_convert.h"
#include "ir/constants.h"
#include "ir/output_source.h"
#include "quant/scheme.h"

namespace qat {
namespace {

bool GivesNoNegatives(OpType type) {
  constexpr OpType kTypes[] = {OpType::kRelu,    OpType::kRelu6,  OpType::kLogistic,
                               OpType::kSoftmax, OpType::kSquare, OpType::kAbs,
                               OpType::kExp,     OpType::kSqrt,   OpType::kRsqrt};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

/// Nonnegative where all that it reads is.
bool KeepsSign(OpType type) {
  constexpr OpType kTypes[] = {OpType::kMaxPool2D,
                               OpType::kAveragePool2D,
                               OpType::kMean,
                               OpType::kSum,
                               OpType::kReduceMax,
                               OpType::kReduceMin,
                               OpType::kReduceProd,
                               OpType::kReshape,
                               OpType::kTranspose,
                               OpType::kSqueeze,
                               OpType::kExpandDims,
                               OpType::kSlice,
                               OpType::kStridedSlice,
                               OpType::kSplit,
                               OpType::kSplitV,
                               OpType::kGather,
                               OpType::kConcatenation,
                               OpType::kPack,
                               OpType::kPad,
                               OpType::kAdd,
                               OpType::kMul,
                               OpType::kDiv,
                               OpType::kMaximum,
                               OpType::kMinimum,
                               OpType::kTile,
                               OpType::kBroadcastTo,
                               OpType::kResizeNearestNeighbor,
                               OpType::kDepthToSpace,
                               OpType::kSpaceToDepth,
                               OpType::kResizeBilinear,
                               OpType::kL2Normalization};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

/// False where no value of a computed tensor can be below 0. Inputs are as their data are.
bool MayBeNegative(const Graph& graph, int32_t tensor) {
  std::vector<int32_t> open = {tensor};
  std::set<int32_t> seen;
  while (!open.empty()) {
    const int32_t at = open.back();
    open.pop_back();
    if (!seen.insert(at).second) continue;
    const GraphTensor& value = graph.tensor(at);
    if (value.is_constant()) {
      if (value.type != DType::kFloat32) continue;
      const std::vector<float> numbers = RealValues(value);
      if (std::any_of(numbers.begin(), numbers.end(), [](float number) { return number < 0; })) return true;
      continue;
    }
    const GraphNode* node = ProducerOf(graph, at);
    if (node == nullptr || GivesNoNegatives(node->type)) continue;
    if (!KeepsSign(node->type)) return true;
    open.insert(open.end(), node->inputs.begin(), node->inputs.end());
  }
  return false;
}

/// The activation that saturation stands for. onnxruntime's quantizer takes a Relu or Clip out where the
/// range of the QuantizeLinear behind it begins at 0, since integers cannot be below it; real numbers can.
Expected<OnnxValue> WithActivation(OnnxConversion& c, const OnnxValue& x, Range range) {
  if (range.min != 0 || !MayBeNegative(c.build.graph(), x.tensor)) return x;
  if (const auto known = c.saturated.find(x.tensor); known != c.saturated.end()) return known->second;
  const bool to_six = std::abs(range.max - 6) < 1e-5f;
  const OpType type = to_six ? OpType::kRelu6 : OpType::kRelu;
  QAT_ASSIGN_OR_RETURN(const OnnxValue value, c.build.Unary(type, DefinitionOf(type).default_attributes, x));
  c.restored_activations.push_back(
      StrCat(DefinitionOf(type).name, " behind '", c.build.graph().tensor(x.tensor).name, "'"));
  c.saturated.emplace(x.tensor, value);
  return value;
}

/// The range that the scale and zero point stand for goes to the tensor; its values stay real. An activation
/// that the end of the range stands for is put back.
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
  const QuantizationParams params = {scale[0], static_cast<int32_t>(zero[0])};
  const Range range = IncludingZero(RepresentableRange(params, is_signed ? kInt8Limits : kUInt8Limits));
  QAT_ASSIGN_OR_RETURN(const OnnxValue value, WithActivation(c, x, range));
  GraphTensor& tensor = c.build.graph().tensor(value.tensor);
  if (!tensor.has_range) {
    tensor.has_range = true;
    tensor.range = range;
    tensor.limits = ActivationLimitsOf(is_signed ? Scheme::kInt8 : Scheme::kUInt8);
  }
  // Filters per channel exist in TFLite's int8 alone, which holds uint8's ranges, too.
  c.scheme = NameOf(Scheme::kInt8);
  return One(value);
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
