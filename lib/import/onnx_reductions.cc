// What takes axes together: sums, means, largest values, and where these are.
#include <algorithm>

#include "base/strings.h"
#include "import/onnx_convert.h"

namespace qat {
namespace {

Expected<std::vector<int32_t>> ReducedAxes(const OnnxNode& node) {
  const size_t rank = node.In(0).rank();
  QAT_ASSIGN_OR_RETURN(const auto given, node.IntsOrInput("axes", 1));
  if (given && !given->empty()) return AxesOf(*given, rank);
  if (node.Int("noop_with_empty_axes", 0) != 0) return std::vector<int32_t>();
  return IdentityOrder(rank);
}

Expected<OnnxValue> Unary(OnnxConversion& c, OpType type, const OnnxValue& x) {
  return c.build.Unary(type, std::monostate(), x);
}

Converted Reduce(OnnxConversion& c, const OnnxNode& node) {
  const std::string& op = node.node.op;
  QAT_ASSIGN_OR_RETURN(const std::vector<int32_t> axes, ReducedAxes(node));
  const bool keep = node.Int("keepdims", 1) != 0;
  OnnxValue x = node.In(0);
  const auto reduce = [&](OpType type) { return c.build.Reduce(type, x, axes, keep); };
  if (op == "ReduceMean") return One(reduce(OpType::kMean));
  if (op == "ReduceSum") return One(reduce(OpType::kSum));
  if (op == "ReduceMax") return One(reduce(OpType::kReduceMax));
  if (op == "ReduceMin") return One(reduce(OpType::kReduceMin));
  if (op == "ReduceProd") return One(reduce(OpType::kReduceProd));
  if (op == "ReduceL1") {
    QAT_ASSIGN_OR_RETURN(x, Unary(c, OpType::kAbs, x));
    return One(reduce(OpType::kSum));
  }
  if (op == "ReduceLogSum") {
    QAT_ASSIGN_OR_RETURN(x, reduce(OpType::kSum));
    return One(Unary(c, OpType::kLog, x));
  }
  if (op == "ReduceLogSumExp") {
    // Less the largest value, so that nothing overflows.
    QAT_ASSIGN_OR_RETURN(const OnnxValue largest, c.build.Reduce(OpType::kReduceMax, x, axes, true));
    QAT_ASSIGN_OR_RETURN(OnnxValue rest, c.build.Binary(OpType::kSub, x, largest));
    QAT_ASSIGN_OR_RETURN(rest, Unary(c, OpType::kExp, rest));
    QAT_ASSIGN_OR_RETURN(rest, c.build.Reduce(OpType::kSum, rest, axes, true));
    QAT_ASSIGN_OR_RETURN(rest, Unary(c, OpType::kLog, rest));
    QAT_ASSIGN_OR_RETURN(rest, c.build.Binary(OpType::kAdd, rest, largest));
    Shape shape;
    for (size_t i = 0; i < x.rank(); ++i) {
      if (keep || std::find(axes.begin(), axes.end(), static_cast<int32_t>(i)) == axes.end())
        shape.push_back(rest.shape[i]);
    }
    return One(c.build.Reshape(rest, shape));
  }
  QAT_ASSIGN_OR_RETURN(x, c.build.Binary(OpType::kMul, x, x));  // ReduceSumSquare, ReduceL2
  QAT_ASSIGN_OR_RETURN(x, reduce(OpType::kSum));
  return op == "ReduceL2" ? One(Unary(c, OpType::kSqrt, x)) : One(x);
}

Converted ArgMax(OnnxConversion& c, const OnnxNode& node) {
  OnnxValue x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(node.Int("axis", 0), x.rank()));
  if (node.Int("select_last_index", 0) != 0)
    return Unsupported("`select_last_index` has no kernel in TFLite, which gives the first index");
  if (x.flattened) {
    QAT_ASSIGN_OR_RETURN(x, c.build.ToPlain(x));
  }
  const int32_t operand = c.build.AddIndices("axis", {}, {x.PlaceOf(axis)});
  const OpType type = node.node.op == "ArgMax" ? OpType::kArgMax : OpType::kArgMin;
  QAT_ASSIGN_OR_RETURN(const int32_t output,
                       c.build.Emit(type, ArgMaxAttributes{DType::kInt64}, {x.tensor, operand}));
  Shape shape, kept = x.shape;
  kept[static_cast<size_t>(axis)] = 1;
  AxisOrder order;
  for (size_t i = 0; i < x.rank(); ++i) {
    if (static_cast<int32_t>(i) != axis) shape.push_back(x.shape[i]);
  }
  for (const int32_t each : x.order) {
    if (each != axis) order.push_back(each > axis ? each - 1 : each);
  }
  const OnnxValue value = c.build.Computed(output, shape, order);
  return node.Int("keepdims", 1) != 0 ? One(c.build.Reshape(value, kept)) : One(value);
}

Converted CumSum(OnnxConversion& c, const OnnxNode& node) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> given, node.Integers(1, "axis"));
  OnnxValue x = node.In(0);
  if (given.size() != 1) return InvalidArgument("has no axis");
  QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(given[0], x.rank()));
  if (x.flattened) {
    QAT_ASSIGN_OR_RETURN(x, c.build.ToPlain(x));
  }
  const int32_t operand = c.build.AddIndices("axis", {}, {x.PlaceOf(axis)});
  CumsumAttributes attributes;
  attributes.exclusive = node.Int("exclusive", 0) != 0;
  attributes.reverse = node.Int("reverse", 0) != 0;
  QAT_ASSIGN_OR_RETURN(const int32_t output, c.build.Emit(OpType::kCumsum, attributes, {x.tensor, operand}));
  return One(c.build.Computed(output, x.shape, x.order));
}

constexpr OnnxConverter kConverters[] = {
    {"ReduceMean", 1, Reduce},      {"ReduceSum", 1, Reduce},       {"ReduceMax", 1, Reduce},
    {"ReduceMin", 1, Reduce},       {"ReduceProd", 1, Reduce},      {"ReduceL1", 1, Reduce},
    {"ReduceL2", 1, Reduce},        {"ReduceSumSquare", 1, Reduce}, {"ReduceLogSum", 1, Reduce},
    {"ReduceLogSumExp", 1, Reduce}, {"ArgMax", 1, ArgMax},          {"ArgMin", 1, ArgMax},
    {"CumSum", 2, CumSum},
};

}  // namespace

std::span<const OnnxConverter> ReductionConverters() { return kConverters; }

}  // namespace qat
