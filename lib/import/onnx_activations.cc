// Activations: those that TFLite has, and others as what they are made of.
#include <cmath>
#include <limits>

#include "base/strings.h"
#include "import/onnx_convert.h"

namespace qat {
namespace {

using Value = Expected<OnnxValue>;

Value Unary(OnnxConversion& c, OpType type, const OnnxValue& x) {
  return c.build.Unary(type, DefinitionOf(type).default_attributes, x);
}
Value Times(OnnxConversion& c, const OnnxValue& x, float factor) {
  return factor == 1 ? Value(x) : c.build.Binary(OpType::kMul, x, Scalar(factor));
}
Value Plus(OnnxConversion& c, const OnnxValue& x, float summand) {
  return summand == 0 ? Value(x) : c.build.Binary(OpType::kAdd, x, Scalar(summand));
}

Converted Plain(OnnxConversion& c, const OnnxNode& node) {
  static const std::map<std::string_view, OpType> kTypes = {{"Relu", OpType::kRelu},
                                                            {"Sigmoid", OpType::kLogistic},
                                                            {"Tanh", OpType::kTanh},
                                                            {"HardSwish", OpType::kHardSwish}};
  return One(Unary(c, kTypes.at(node.node.op), node.In(0)));
}

Value Clamped(OnnxConversion& c, const OnnxValue& x, float low, float high) {
  constexpr float kOpen = 1e30f;
  const bool has_low = low > -kOpen, has_high = high < kOpen;
  if (low == 0 && high == 6) return Unary(c, OpType::kRelu6, x);
  if (low == -1 && high == 1) return Unary(c, OpType::kReluN1To1, x);
  OnnxValue value = x;
  if (low == 0) {
    QAT_ASSIGN_OR_RETURN(value, Unary(c, OpType::kRelu, value));
  } else if (has_low) {
    QAT_ASSIGN_OR_RETURN(value, c.build.Binary(OpType::kMaximum, value, Scalar(low)));
  }
  if (!has_high) return value;
  return c.build.Binary(OpType::kMinimum, value, Scalar(high));
}

Converted Clip(OnnxConversion& c, const OnnxNode& node) {
  float low = node.Real("min", -INFINITY), high = node.Real("max", INFINITY);
  for (size_t i : {size_t{1}, size_t{2}}) {
    if (!node.Has(i)) continue;
    QAT_ASSIGN_OR_RETURN(const std::vector<float> bound, node.Reals(i, i == 1 ? "min" : "max"));
    if (bound.size() != 1) return InvalidArgument(StrCat("a bound has ", bound.size(), " values"));
    (i == 1 ? low : high) = bound[0];
  }
  if (node.In(0).type != DType::kFloat32) return Unsupported("limits integers while the network runs");
  return One(Clamped(c, node.In(0), low, high));
}

Converted LeakyRelu(OnnxConversion& c, const OnnxNode& node) {
  return One(c.build.Unary(OpType::kLeakyRelu, LeakyReluAttributes{node.Real("alpha", 0.01f)}, node.In(0)));
}

Converted PRelu(OnnxConversion& c, const OnnxNode& node) {
  OnnxValue slope = node.In(1);
  if (!slope.is_constant())
    return Unsupported("its slope is computed while the network runs, expected a constant");
  // Before opset 7 the slopes stood for channels.
  if (slope.rank() == 1 && node.In(0).rank() > 2 && slope.shape[0] == node.In(0).shape[1] &&
      slope.shape[0] != node.In(0).shape.back()) {
    Shape shape(node.In(0).rank() - 1, 1);
    shape[0] = slope.shape[0];
    std::vector<float> values = slope.constant->reals;
    const std::string name = slope.constant->name;
    slope = MakeReals(shape, std::move(values));
  }
  return One(c.build.Binary(OpType::kPRelu, node.In(0), slope));
}

/// relu6(6 * (alpha * x + beta)) / 6.
Converted HardSigmoid(OnnxConversion& c, const OnnxNode& node) {
  const float alpha = node.Real("alpha", 0.2f), beta = node.Real("beta", 0.5f);
  const OnnxValue& x = node.In(0);
  QAT_ASSIGN_OR_RETURN(OnnxValue value, Times(c, x, std::abs(alpha * 6 - 1) < 1e-5f ? 1 : alpha * 6));
  QAT_ASSIGN_OR_RETURN(value, Plus(c, value, beta * 6));
  QAT_ASSIGN_OR_RETURN(value, Unary(c, OpType::kRelu6, value));
  QAT_ASSIGN_OR_RETURN(value, Times(c, value, 1.0f / 6));
  if (std::abs(alpha * 6 - 1) < 1e-5f && beta == 0.5f) c.hard_sigmoid_of[value.tensor] = x.tensor;
  return One(value);
}

/// relu(x) + alpha * (exp(min(x, 0)) - 1), the latter with `inside` of x.
Value EluLike(OnnxConversion& c, const OnnxValue& x, float alpha, float inside) {
  QAT_ASSIGN_OR_RETURN(const OnnxValue positive, Unary(c, OpType::kRelu, x));
  QAT_ASSIGN_OR_RETURN(OnnxValue negative, c.build.Binary(OpType::kMinimum, x, Scalar(0)));
  QAT_ASSIGN_OR_RETURN(negative, Times(c, negative, inside));
  QAT_ASSIGN_OR_RETURN(negative, Unary(c, OpType::kExp, negative));
  QAT_ASSIGN_OR_RETURN(negative, Plus(c, negative, -1));
  QAT_ASSIGN_OR_RETURN(negative, Times(c, negative, alpha));
  return c.build.Binary(OpType::kAdd, positive, negative);
}

Converted Elu(OnnxConversion& c, const OnnxNode& node) {
  const float alpha = node.Real("alpha", 1);
  if (alpha == 1) return One(Unary(c, OpType::kElu, node.In(0)));
  return One(EluLike(c, node.In(0), alpha, 1));
}

Converted Selu(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const OnnxValue value, EluLike(c, node.In(0), node.Real("alpha", 1.67326319f), 1));
  return One(Times(c, value, node.Real("gamma", 1.05070102f)));
}

Converted Celu(OnnxConversion& c, const OnnxNode& node) {
  const float alpha = node.Real("alpha", 1);
  return One(EluLike(c, node.In(0), alpha, 1 / alpha));
}

/// relu(x) + log(1 + exp(-|x|)), which cannot overflow.
Value SoftplusOf(OnnxConversion& c, const OnnxValue& x) {
  QAT_ASSIGN_OR_RETURN(OnnxValue rest, Unary(c, OpType::kAbs, x));
  QAT_ASSIGN_OR_RETURN(rest, Unary(c, OpType::kNeg, rest));
  QAT_ASSIGN_OR_RETURN(rest, Unary(c, OpType::kExp, rest));
  QAT_ASSIGN_OR_RETURN(rest, Plus(c, rest, 1));
  QAT_ASSIGN_OR_RETURN(rest, Unary(c, OpType::kLog, rest));
  QAT_ASSIGN_OR_RETURN(const OnnxValue positive, Unary(c, OpType::kRelu, x));
  return c.build.Binary(OpType::kAdd, positive, rest);
}

Converted Softplus(OnnxConversion& c, const OnnxNode& node) { return One(SoftplusOf(c, node.In(0))); }

Converted Softsign(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(OnnxValue below, Unary(c, OpType::kAbs, node.In(0)));
  QAT_ASSIGN_OR_RETURN(below, Plus(c, below, 1));
  return One(c.build.Binary(OpType::kDiv, node.In(0), below));
}

Converted Mish(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(OnnxValue gate, SoftplusOf(c, node.In(0)));
  QAT_ASSIGN_OR_RETURN(gate, Unary(c, OpType::kTanh, gate));
  return One(c.build.Binary(OpType::kMul, node.In(0), gate));
}

Converted Swish(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(OnnxValue gate, Times(c, node.In(0), node.Real("alpha", 1)));
  QAT_ASSIGN_OR_RETURN(gate, Unary(c, OpType::kLogistic, gate));
  return One(c.build.Binary(OpType::kMul, node.In(0), gate));
}

Converted Gelu(OnnxConversion& c, const OnnxNode& node) {
  return One(
      c.build.Unary(OpType::kGelu, GeluAttributes{node.Text("approximate", "none") == "tanh"}, node.In(0)));
}

/// x where x > alpha, else 0.
Converted ThresholdedRelu(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const OnnxValue above,
                       c.build.Binary(OpType::kGreater, node.In(0), Scalar(node.Real("alpha", 1))));
  return One(c.build.Select(above, node.In(0), Scalar(0)));
}

/// x - bias where x > lambd, x + bias where x < -lambd, else 0.
Converted Shrink(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  const float lambda = node.Real("lambd", 0.5f), bias = node.Real("bias", 0);
  QAT_ASSIGN_OR_RETURN(const OnnxValue above, c.build.Binary(OpType::kGreater, x, Scalar(lambda)));
  QAT_ASSIGN_OR_RETURN(const OnnxValue below, c.build.Binary(OpType::kLess, x, Scalar(-lambda)));
  QAT_ASSIGN_OR_RETURN(const OnnxValue less, Plus(c, x, -bias));
  QAT_ASSIGN_OR_RETURN(const OnnxValue more, Plus(c, x, bias));
  QAT_ASSIGN_OR_RETURN(const OnnxValue low, c.build.Select(below, more, Scalar(0)));
  return One(c.build.Select(above, less, low));
}

/// Before opset 13, Softmax is over all axes from `axis` on together.
Converted Softmax(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  const OpType type = node.node.op == "Softmax" ? OpType::kSoftmax : OpType::kLogSoftmax;
  QAT_ASSIGN_OR_RETURN(const int32_t axis,
                       AxisOf(node.Int("axis", node.opset < 13 ? 1 : -1), std::max<size_t>(x.rank(), 1)));
  const OpAttributes& attributes = DefinitionOf(type).default_attributes;
  const auto behind = std::next(x.shape.begin(), std::min<int64_t>(axis + 1, std::ssize(x.shape)));
  const bool joined = node.opset < 13 && FlatSize(Shape(behind, x.shape.end())) != 1;
  if (!joined) return One(c.build.AlongAxis(type, attributes, x, axis));
  QAT_ASSIGN_OR_RETURN(OnnxValue rows, c.build.Reshape(x, FlattenedShape(x.shape, axis)));
  QAT_ASSIGN_OR_RETURN(rows, c.build.AlongAxis(type, attributes, rows, 1));
  return One(c.build.Reshape(rows, x.shape));
}

constexpr OnnxConverter kConverters[] = {
    {"Relu", 1, Plain},
    {"Sigmoid", 1, Plain},
    {"Tanh", 1, Plain},
    {"HardSwish", 1, Plain},
    {"Clip", 1, Clip},
    {"LeakyRelu", 1, LeakyRelu},
    {"PRelu", 2, PRelu},
    {"HardSigmoid", 1, HardSigmoid},
    {"Elu", 1, Elu},
    {"Selu", 1, Selu},
    {"Celu", 1, Celu},
    {"Softplus", 1, Softplus},
    {"Softsign", 1, Softsign},
    {"Mish", 1, Mish},
    {"Swish", 1, Swish},
    {"Gelu", 1, Gelu},
    {"ThresholdedRelu", 1, ThresholdedRelu},
    {"Shrink", 1, Shrink},
    {"Softmax", 1, Softmax},
    {"LogSoftmax", 1, Softmax},
};

}  // namespace

std::span<const OnnxConverter> ActivationConverters() { return kConverters; }

}  // namespace qat
