// Constants computed from others.
#include "import/onnx_fold_parts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/slices.h"
#include "base/strings.h"
#include "import/onnx_builder.h"

namespace qat::fold {
namespace {

using onnx::ElementType;
using onnx::Tensor;

using RealOp = double (*)(double, double);
using IntOp = int64_t (*)(int64_t, int64_t);

int64_t PythonModulo(int64_t a, int64_t b) {
  if (b == 0 || b == -1) return 0;
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
// Where int64 ends; NaN is 0.
int64_t ToInteger(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 0x1p63) return std::numeric_limits<int64_t>::max();
  return value < -0x1p63 ? std::numeric_limits<int64_t>::min() : static_cast<int64_t>(value);
}
// Sums of sizes may wrap as ONNX Runtime's do.
int64_t WrappingAdd(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
int64_t WrappingSub(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t WrappingMul(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

// ONNX: towards zero. The processor traps where the lowest integer is divided by -1.
int64_t Divide(int64_t a, int64_t b) { return b == 0 ? 0 : b == -1 ? WrappingSub(0, a) : a / b; }

struct PairOp {
  RealOp real;
  IntOp integer;
  bool gives_bool = false;
};

const std::map<std::string_view, PairOp>& PairOps() {
  static const std::map<std::string_view, PairOp> kOps = {
      {"Add", {[](double a, double b) { return a + b; }, WrappingAdd}},
      {"Sub", {[](double a, double b) { return a - b; }, WrappingSub}},
      {"Mul", {[](double a, double b) { return a * b; }, WrappingMul}},
      {"Div", {[](double a, double b) { return a / b; }, Divide}},
      {"Pow",
       {[](double a, double b) { return std::pow(a, b); },
        [](int64_t a, int64_t b) {
          return ToInteger(std::pow(static_cast<double>(a), static_cast<double>(b)));
        }}},
      {"Mod", {[](double a, double b) { return std::fmod(a, b); }, PythonModulo}},
      {"Max",
       {[](double a, double b) { return std::max(a, b); },
        [](int64_t a, int64_t b) { return std::max(a, b); }}},
      {"Min",
       {[](double a, double b) { return std::min(a, b); },
        [](int64_t a, int64_t b) { return std::min(a, b); }}},
      {"Equal",
       {[](double a, double b) { return (a == b) ? 1.0 : 0.0; },
        [](int64_t a, int64_t b) { return int64_t{a == b}; }, true}},
      {"Less",
       {[](double a, double b) { return (a < b) ? 1.0 : 0.0; },
        [](int64_t a, int64_t b) { return int64_t{a < b}; }, true}},
      {"Greater",
       {[](double a, double b) { return (a > b) ? 1.0 : 0.0; },
        [](int64_t a, int64_t b) { return int64_t{a > b}; }, true}},
      {"LessOrEqual",
       {[](double a, double b) { return (a <= b) ? 1.0 : 0.0; },
        [](int64_t a, int64_t b) { return int64_t{a <= b}; }, true}},
      {"GreaterOrEqual",
       {[](double a, double b) { return (a >= b) ? 1.0 : 0.0; },
        [](int64_t a, int64_t b) { return int64_t{a >= b}; }, true}},
      {"And",
       {[](double a, double b) { return (a != 0 && b != 0) ? 1.0 : 0.0; },
        [](int64_t a, int64_t b) { return int64_t{a != 0 && b != 0}; }, true}},
      {"Or",
       {[](double a, double b) { return (a != 0 || b != 0) ? 1.0 : 0.0; },
        [](int64_t a, int64_t b) { return int64_t{a != 0 || b != 0}; }, true}},
      {"Xor",
       {[](double a, double b) { return ((a != 0) != (b != 0)) ? 1.0 : 0.0; },
        [](int64_t a, int64_t b) { return int64_t{(a != 0) != (b != 0)}; }, true}},
  };
  return kOps;
}

Expected<Tensor> Paired(const PairOp& op, const OnnxValue& a, const OnnxValue& b) {
  QAT_ASSIGN_OR_RETURN(const Shape shape, Broadcast(a.shape, b.shape));
  const bool real = IsReal(*a.constant);
  if (real != IsReal(*b.constant)) return InvalidArgument("has operands of two types");
  QAT_ASSIGN_OR_RETURN(Tensor result, Empty(op.gives_bool ? ElementType::kBool : a.constant->type, shape,
                                            a.constant->size() + b.constant->size()));
  const std::vector<size_t> of_a = BroadcastPlaces(a.shape, shape), of_b = BroadcastPlaces(b.shape, shape);
  for (size_t i = 0; i < of_a.size(); ++i) {
    if (!real) {
      result.integers[i] = op.integer(a.constant->integers[of_a[i]], b.constant->integers[of_b[i]]);
      continue;
    }
    const double value = op.real(a.constant->reals[of_a[i]], b.constant->reals[of_b[i]]);
    if (op.gives_bool)
      result.integers[i] = value != 0;
    else
      result.reals[i] = static_cast<float>(value);
  }
  return result;
}

const std::map<std::string_view, double (*)(double)>& UnaryOps() {
  static const std::map<std::string_view, double (*)(double)> kOps = {
      {"Neg", [](double x) { return -x; }},
      {"Abs", [](double x) { return std::abs(x); }},
      {"Floor", [](double x) { return std::floor(x); }},
      {"Ceil", [](double x) { return std::ceil(x); }},
      {"Round", [](double x) { return std::nearbyint(x); }},
      {"Sqrt", [](double x) { return std::sqrt(x); }},
      {"Reciprocal", [](double x) { return 1 / x; }},
      {"Exp", [](double x) { return std::exp(x); }},
      {"Log", [](double x) { return std::log(x); }},
      {"Sin", [](double x) { return std::sin(x); }},
      {"Cos", [](double x) { return std::cos(x); }},
      {"Tanh", [](double x) { return std::tanh(x); }},
      {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"Relu", [](double x) { return std::max(x, 0.0); }},
      {"Sign", [](double x) { return x > 0   ? 1.0
                                     : x < 0 ? -1.0
                                             : 0.0; }},
      {"Softplus", [](double x) { return std::log1p(std::exp(x)); }},
      {"Erf", [](double x) { return std::erf(x); }},
  };
  return kOps;
}

Results FoldUnary(const OnnxNode& node) {
  double (*op)(double) = UnaryOps().at(node.node.op);
  Tensor result = *node.In(0).constant;
  for (float& value : result.reals) value = static_cast<float>(op(value));
  for (int64_t& value : result.integers) value = ToInteger(op(static_cast<double>(value)));
  return One(std::move(result));
}

Results FoldCast(const Tensor& x, ElementType type) {
  Tensor result = x;
  result.type = type;
  if (onnx::IsReal(type) && !IsReal(x)) {
    result.reals.assign(x.integers.begin(), x.integers.end());
    result.integers.clear();
  } else if (!onnx::IsReal(type)) {
    if (type != ElementType::kBool && !onnx::IsInteger(type))
      return Unsupported(StrCat("casts to ", NameOf(type)));
    if (IsReal(x)) {
      result.integers.clear();
      for (const float value : x.reals) {
        if (!(std::abs(value) < 9e18f)) return InvalidArgument(StrCat("casts ", value, " to an integer"));
        result.integers.push_back(type == ElementType::kBool ? value != 0 : static_cast<int64_t>(value));
      }
      result.reals.clear();
    }
    for (int64_t& value : result.integers) {
      if (type == ElementType::kBool) value = value != 0;
      if (type == ElementType::kInt32) value = static_cast<int32_t>(value);
      if (type == ElementType::kInt8) value = static_cast<int8_t>(value);
      if (type == ElementType::kUInt8) value = static_cast<uint8_t>(value);
    }
  }
  return One(std::move(result));
}

/// Sums, products and the like along axes, in double or int64.
Results FoldReduce(const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const auto given, node.IntsOrInput("axes", 1));
  if ((!given || given->empty()) && node.Int("noop_with_empty_axes", 0) != 0) return One(*x.constant);
  std::vector<int32_t> axes = IdentityOrder(x.rank());
  if (given && !given->empty()) {
    QAT_ASSIGN_OR_RETURN(axes, AxesOf(*given, x.rank()));
  }
  Shape kept = x.shape, shape;
  for (const int32_t axis : axes) kept[static_cast<size_t>(axis)] = 1;
  for (size_t i = 0; i < kept.size(); ++i) {
    const bool reduced = std::find(axes.begin(), axes.end(), static_cast<int32_t>(i)) != axes.end();
    if (!reduced || node.Int("keepdims", 1) != 0) shape.push_back(kept[i]);
  }
  const std::string& op = node.node.op;
  const std::vector<size_t> places = BroadcastPlaces(kept, x.shape);
  std::vector<double> sums(static_cast<size_t>(FlatSize(kept)));
  std::vector<bool> begun(sums.size());
  const double count =
      sums.empty() ? 1 : static_cast<double>(places.size()) / static_cast<double>(sums.size());
  for (size_t i = 0; i < places.size(); ++i) {
    const double value =
        IsReal(*x.constant) ? double{x.constant->reals[i]} : static_cast<double>(x.constant->integers[i]);
    double& sum = sums[places[i]];
    if (!begun[places[i]])
      sum = value;
    else if (op == "ReduceProd")
      sum *= value;
    else if (op == "ReduceMax")
      sum = std::max(sum, value);
    else if (op == "ReduceMin")
      sum = std::min(sum, value);
    else
      sum += value;
    begun[places[i]] = true;
  }
  QAT_ASSIGN_OR_RETURN(Tensor result, Empty(x.constant->type, shape, x.constant->size()));
  for (size_t i = 0; i < sums.size(); ++i) {
    const double value = op == "ReduceMean" ? sums[i] / count : sums[i];
    if (IsReal(result))
      result.reals[i] = static_cast<float>(value);
    else
      result.integers[i] = ToInteger(value);
  }
  return One(std::move(result));
}

/// scale * (q - zero_point), of one scale or one for each slice of an axis.
Results FoldDequantize(const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const std::vector<float> scales, node.Reals(1, "scale"));
  std::vector<int64_t> zeros(scales.size());
  if (node.Has(2)) {
    QAT_ASSIGN_OR_RETURN(zeros, node.Integers(2, "zero_point"));
  }
  size_t inner = 1;
  if (scales.size() != 1) {
    QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(node.Int("axis", 1), x.rank()));
    if (x.shape[static_cast<size_t>(axis)] != std::ssize(scales))
      return Unsupported(StrCat("has ", scales.size(), " scales for an axis of ",
                                x.shape[static_cast<size_t>(axis)], "; scales by blocks are not read"));
    inner = InnerSize(x.shape, static_cast<size_t>(axis));
  }
  if (zeros.size() != scales.size() || IsReal(*x.constant))
    return InvalidArgument("has scales that do not fit its values");
  QAT_ASSIGN_OR_RETURN(Tensor result, Empty(ElementType::kFloat, x.shape, x.constant->size()));
  result.name = x.constant->name;
  for (size_t i = 0; i < result.reals.size(); ++i) {
    const size_t slice = i / inner % scales.size();
    result.reals[i] = static_cast<float>(
        double{scales[slice]} * static_cast<double>(WrappingSub(x.constant->integers[i], zeros[slice])));
  }
  return One(std::move(result));
}

Results FoldQuantize(const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const std::vector<float> scales, node.Reals(1, "scale"));
  std::vector<int64_t> zeros(scales.size());
  ElementType type = ElementType::kUInt8;
  if (node.Has(2)) {
    QAT_ASSIGN_OR_RETURN(zeros, node.Integers(2, "zero_point"));
    type = node.In(2).constant->type;
  }
  size_t inner = 1;
  if (scales.size() != 1) {
    QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(node.Int("axis", 1), x.rank()));
    inner = InnerSize(x.shape, static_cast<size_t>(axis));
  }
  if (zeros.size() != scales.size() || !IsReal(*x.constant))
    return InvalidArgument("has scales that do not fit its values");
  QAT_ASSIGN_OR_RETURN(Tensor result, Empty(type, x.shape, x.constant->size()));
  result.name = x.constant->name;
  const double low = type == ElementType::kUInt8 ? 0 : type == ElementType::kInt8 ? -128 : -32768;
  const double high = type == ElementType::kUInt8 ? 255 : type == ElementType::kInt8 ? 127 : 32767;
  for (size_t i = 0; i < result.integers.size(); ++i) {
    const size_t slice = i / inner % scales.size();
    const double steps = std::nearbyint(double{x.constant->reals[i]} / double{scales[slice]}) +
                         static_cast<double>(zeros[slice]);
    result.integers[i] = ToInteger(std::clamp(steps, low, high));
  }
  return One(std::move(result));
}

Results FoldNot(const OnnxNode& node) {
  Tensor result = *node.In(0).constant;
  for (int64_t& value : result.integers) value = value == 0;
  return One(std::move(result));
}

Results FoldPairs(const OnnxNode& node) {
  const PairOp& op = PairOps().at(node.node.op);
  OnnxValue value = node.In(0);
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (!node.Has(i)) return InvalidArgument(StrCat("has no input ", i));
    QAT_ASSIGN_OR_RETURN(Tensor next, Paired(op, value, node.In(i)));
    value = MakeConstant(std::move(next));
  }
  return std::vector<OnnxValue>{value};
}

Results FoldCasts(const OnnxNode& node) {
  return FoldCast(*node.In(0).constant,
                  static_cast<ElementType>(node.Has(1) ? static_cast<int64_t>(node.In(1).constant->type)
                                                       : node.Int("to", 1)));
}

constexpr Entry kEntries[] = {
    {"Not", 1, FoldNot},
    {"Cast", 1, FoldCasts},
    {"CastLike", 2, FoldCasts},
    {"ReduceSum", 1, FoldReduce},
    {"ReduceMean", 1, FoldReduce},
    {"ReduceMax", 1, FoldReduce},
    {"ReduceMin", 1, FoldReduce},
    {"ReduceProd", 1, FoldReduce},
    {"DequantizeLinear", 2, FoldDequantize},
    {"QuantizeLinear", 2, FoldQuantize},
    {"Neg", 1, FoldUnary},
    {"Abs", 1, FoldUnary},
    {"Floor", 1, FoldUnary},
    {"Ceil", 1, FoldUnary},
    {"Round", 1, FoldUnary},
    {"Sqrt", 1, FoldUnary},
    {"Reciprocal", 1, FoldUnary},
    {"Exp", 1, FoldUnary},
    {"Log", 1, FoldUnary},
    {"Sin", 1, FoldUnary},
    {"Cos", 1, FoldUnary},
    {"Tanh", 1, FoldUnary},
    {"Sigmoid", 1, FoldUnary},
    {"Relu", 1, FoldUnary},
    {"Sign", 1, FoldUnary},
    {"Softplus", 1, FoldUnary},
    {"Erf", 1, FoldUnary},
    {"Add", 1, FoldPairs},
    {"Sub", 1, FoldPairs},
    {"Mul", 1, FoldPairs},
    {"Div", 1, FoldPairs},
    {"Pow", 1, FoldPairs},
    {"Mod", 1, FoldPairs},
    {"Max", 1, FoldPairs},
    {"Min", 1, FoldPairs},
    {"Equal", 1, FoldPairs},
    {"Less", 1, FoldPairs},
    {"Greater", 1, FoldPairs},
    {"LessOrEqual", 1, FoldPairs},
    {"GreaterOrEqual", 1, FoldPairs},
    {"And", 1, FoldPairs},
    {"Or", 1, FoldPairs},
    {"Xor", 1, FoldPairs},
};

}  // namespace

std::span<const Entry> ArithmeticFolds() { return kEntries; }

}  // namespace qat::fold
