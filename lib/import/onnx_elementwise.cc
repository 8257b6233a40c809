// Arithmetic on each value, or on pairs of values that broadcast.
#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "import/onnx_convert.h"
#include "import/onnx_fold.h"

namespace qat {
namespace {

OpType PairType(std::string_view op) {
  static const std::map<std::string_view, OpType> kTypes = {
      {"Add", OpType::kAdd},        {"Sub", OpType::kSub},         {"Mul", OpType::kMul},
      {"Div", OpType::kDiv},        {"Max", OpType::kMaximum},     {"Min", OpType::kMinimum},
      {"Sum", OpType::kAdd},        {"Mean", OpType::kAdd},        {"Equal", OpType::kEqual},
      {"Less", OpType::kLess},      {"Greater", OpType::kGreater}, {"LessOrEqual", OpType::kLessEqual},
      {"And", OpType::kLogicalAnd}, {"Or", OpType::kLogicalOr},    {"GreaterOrEqual", OpType::kGreaterEqual},
      {"Xor", OpType::kNotEqual},
  };
  return kTypes.at(op);
}

/// x * hard_sigmoid(x), as exports before opset 14 have it.
const OnnxValue* HardSwishInput(const OnnxConversion& c, const OnnxValue& a, const OnnxValue& b) {
  if (a.is_constant() || b.is_constant()) return nullptr;
  const auto of_a = c.hard_sigmoid_of.find(a.tensor), of_b = c.hard_sigmoid_of.find(b.tensor);
  if (of_a != c.hard_sigmoid_of.end() && of_a->second == b.tensor) return &b;
  if (of_b != c.hard_sigmoid_of.end() && of_b->second == a.tensor) return &a;
  return nullptr;
}

std::optional<OnnxValue> Inverse(const OnnxValue& x) {
  if (!x.is_constant() || !onnx::IsReal(x.constant->type)) return {};
  onnx::Tensor inverse = *x.constant;
  for (float& value : inverse.reals) {
    if (value == 0 || !std::isnormal(1 / value)) return {};
    value = 1 / value;
  }
  return MakeConstant(std::move(inverse));
}

/// What hides scores from a softmax, and no infinity: e^-1e4 is 0 in float32.
constexpr float kHidden = -1e4f;

/// In masks: -inf, which no integer can stand for, and the lowest float, which a negative score makes
/// infinite.
OnnxValue Finite(const OnnxValue& x) {
  const auto is_lowest = [](float value) { return value < -1e30f; };
  if (!x.is_constant() || std::none_of(x.constant->reals.begin(), x.constant->reals.end(), is_lowest))
    return x;
  onnx::Tensor finite = *x.constant;
  std::replace_if(finite.reals.begin(), finite.reals.end(), is_lowest, kHidden);
  return MakeConstant(std::move(finite));
}

Converted Pair(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue &a = node.In(0), &b = node.In(1);
  const std::string& op = node.node.op;
  if (op == "Mul") {
    if (const OnnxValue* x = HardSwishInput(c, a, b))
      return One(c.build.Unary(OpType::kHardSwish, std::monostate(), *x));
  }
  const DType type = a.is_constant() ? b.type : a.type;
  if (type != DType::kFloat32 && type != DType::kBool && op == "Div")
    return Unsupported("divides integers while the network runs; export the network with fixed sizes");
  if (op == "Div") {
    if (const auto inverse = Inverse(b)) return One(c.build.Binary(OpType::kMul, a, *inverse));
  }
  return One(c.build.Binary(PairType(op), op == "Add" ? Finite(a) : a, op == "Add" ? Finite(b) : b));
}

Converted Chain(OnnxConversion& c, const OnnxNode& node) {
  OnnxValue value = node.In(0);
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (!node.Has(i)) return InvalidArgument(StrCat("has no input ", i));
    if (value.is_constant() && node.In(i).is_constant())
      return Unsupported("joins several constants; fold them before the export");
    QAT_ASSIGN_OR_RETURN(value, c.build.Binary(PairType(node.node.op), value, node.In(i)));
  }
  if (node.node.op != "Mean" || node.inputs.size() == 1) return One(value);
  return One(c.build.Binary(OpType::kMul, value, Scalar(1 / static_cast<float>(node.inputs.size()))));
}

Converted Power(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue &x = node.In(0), &e = node.In(1);
  if (e.is_constant() && e.constant->size() == 1) {
    const float exponent =
        onnx::IsReal(e.constant->type) ? e.constant->reals[0] : static_cast<float>(e.constant->integers[0]);
    if (exponent == 1) return One(x);
    if (exponent == 2) return One(c.build.Binary(OpType::kMul, x, x));
    if (exponent == 0.5f) return One(c.build.Unary(OpType::kSqrt, std::monostate(), x));
    if (exponent == -0.5f) return One(c.build.Unary(OpType::kRsqrt, std::monostate(), x));
    if (exponent == -1) return One(c.build.Binary(OpType::kDiv, Scalar(1), x));
    if (exponent == 3) {
      QAT_ASSIGN_OR_RETURN(const OnnxValue square, c.build.Binary(OpType::kMul, x, x));
      return One(c.build.Binary(OpType::kMul, square, x));
    }
  }
  return One(c.build.Binary(OpType::kPow, x, e));
}

Converted Plain(OnnxConversion& c, const OnnxNode& node) {
  static const std::map<std::string_view, OpType> kTypes = {
      {"Exp", OpType::kExp},     {"Log", OpType::kLog},   {"Sqrt", OpType::kSqrt},
      {"Neg", OpType::kNeg},     {"Abs", OpType::kAbs},   {"Ceil", OpType::kCeil},
      {"Floor", OpType::kFloor}, {"Sin", OpType::kSin},   {"Cos", OpType::kCos},
      {"Round", OpType::kRound}, {"Sign", OpType::kSign}, {"Not", OpType::kLogicalNot},
  };
  return One(c.build.Unary(kTypes.at(node.node.op), std::monostate(), node.In(0)));
}

Converted Reciprocal(OnnxConversion& c, const OnnxNode& node) {
  return One(c.build.Binary(OpType::kDiv, Scalar(1), node.In(0)));
}

/// A choice between computed scores and a number that hides them, by a constant condition: the mask to add to
/// the scores. Nothing: it is another choice.
std::optional<OnnxValue> MaskOf(const OnnxValue& condition, const OnnxValue& hiding, bool hides_where_true) {
  if (!condition.is_constant() || !hiding.is_constant() || hiding.constant->size() != 1 ||
      hiding.constant->reals.size() != 1 || hiding.constant->reals[0] > -1000)
    return {};
  std::vector<float> mask;
  for (const int64_t holds : condition.constant->integers)
    mask.push_back((holds != 0) == hides_where_true ? kHidden : 0);
  if (std::ssize(mask) != condition.constant->size()) return {};
  return MakeReals(condition.shape, std::move(mask));
}

Converted Where(OnnxConversion& c, const OnnxNode& node) {
  for (const size_t hiding : {1, 2}) {
    const OnnxValue& scores = node.In(3 - hiding);
    if (scores.is_constant() || c.into_softmax.count(node.node.outputs[0]) == 0) continue;
    if (const auto mask = MaskOf(node.In(0), node.In(hiding), hiding == 1))
      return One(c.build.Binary(OpType::kAdd, scores, *mask));
  }
  return One(c.build.Select(node.In(0), Finite(node.In(1)), Finite(node.In(2))));
}

onnx::ElementType ElementTypeOf(const OnnxValue& x) {
  if (x.is_constant()) return x.constant->type;
  if (x.type == DType::kFloat32) return onnx::ElementType::kFloat;
  return x.type == DType::kBool    ? onnx::ElementType::kBool
         : x.type == DType::kInt32 ? onnx::ElementType::kInt32
                                   : onnx::ElementType::kInt64;
}

Converted Cast(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  auto to = static_cast<onnx::ElementType>(node.Int("to", 1));
  if (node.node.op == "CastLike") to = ElementTypeOf(node.In(1));
  if (x.is_constant()) {
    onnx::Node cast = node.node;
    cast.op = "Cast";
    onnx::Attribute target;
    target.name = "to";
    target.integer = static_cast<int64_t>(to);
    cast.attributes = {target};
    auto folded = FoldNode({cast, node.opset, {x}});
    QAT_CHECK(folded.has_value());
    return *std::move(folded);
  }
  DType type = DType::kInt64;
  if (onnx::IsReal(to))
    type = DType::kFloat32;
  else if (to == onnx::ElementType::kBool)
    type = DType::kBool;
  else if (to == onnx::ElementType::kInt32)
    type = DType::kInt32;
  else if (to != onnx::ElementType::kInt64)
    return Unsupported(StrCat("casts to ", NameOf(to), " while the network runs"));
  if (x.type == type) return One(x);
  return One(c.build.Unary(OpType::kCast, CastAttributes{type}, x));
}

/// a - b * floor(a / b).
Converted Mod(OnnxConversion& c, const OnnxNode& node) {
  if (node.Int("fmod", 0) != 0) return Unsupported("the remainder of C (`fmod`) has no kernel in TFLite");
  QAT_ASSIGN_OR_RETURN(OnnxValue whole, c.build.Binary(OpType::kDiv, node.In(0), node.In(1)));
  QAT_ASSIGN_OR_RETURN(whole, c.build.Unary(OpType::kFloor, std::monostate(), whole));
  QAT_ASSIGN_OR_RETURN(whole, c.build.Binary(OpType::kMul, whole, node.In(1)));
  return One(c.build.Binary(OpType::kSub, node.In(0), whole));
}

constexpr OnnxConverter kConverters[] = {
    {"Add", 2, Pair},
    {"Sub", 2, Pair},
    {"Mul", 2, Pair},
    {"Div", 2, Pair},
    {"Equal", 2, Pair},
    {"Less", 2, Pair},
    {"Greater", 2, Pair},
    {"And", 2, Pair},
    {"Or", 2, Pair},
    {"LessOrEqual", 2, Pair},
    {"GreaterOrEqual", 2, Pair},
    {"Max", 1, Chain},
    {"Min", 1, Chain},
    {"Sum", 1, Chain},
    {"Mean", 1, Chain},
    {"Pow", 2, Power},
    {"Exp", 1, Plain},
    {"Log", 1, Plain},
    {"Sqrt", 1, Plain},
    {"Neg", 1, Plain},
    {"Abs", 1, Plain},
    {"Ceil", 1, Plain},
    {"Floor", 1, Plain},
    {"Sin", 1, Plain},
    {"Cos", 1, Plain},
    {"Round", 1, Plain},
    {"Sign", 1, Plain},
    {"Not", 1, Plain},
    {"Reciprocal", 1, Reciprocal},
    {"Where", 3, Where},
    {"Cast", 1, Cast},
    {"CastLike", 2, Cast},
    {"Mod", 2, Mod},
};

}  // namespace

OnnxValue Scalar(float value) { return MakeReals({}, {value}); }

std::span<const OnnxConverter> ElementwiseConverters() { return kConverters; }

}  // namespace qat
