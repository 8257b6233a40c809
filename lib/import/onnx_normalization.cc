// Normalizations: by what was learned, folded into the filter before them; by what a value is among others,
// as what they are made of.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/slices.h"
#include "base/strings.h"
#include "import/onnx_convert.h"
#include "ir/constants.h"
#include "quant/batch_norm.h"

namespace qat {
namespace {

/// [C] beside a value whose channels are axis 1.
OnnxValue PerChannel(const std::vector<float>& values, size_t rank) {
  Shape shape(rank > 2 ? rank - 1 : 1, 1);
  shape[0] = static_cast<int32_t>(values.size());
  return MakeReals(shape, values);
}

/// The node that computes a value with a filter that nothing else reads, and that alone, one of its output
/// channels for each place of ONNX's axis 1; null: another.
GraphNode* FilterNode(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  Graph& graph = c.build.graph();
  // A name that is another's (Identity, Dropout) is one reader of that, and brings its own.
  int readers = 1;
  for (const std::string& name : c.names_of[x.tensor]) readers += c.readers[name] - 1;
  // A filter's channels are the last axis of what it computes, which a transposition may have moved since.
  if (x.flattened || readers != 1 || x.order.empty() || x.order.back() != 1) return nullptr;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    GraphNode& each = graph.nodes[i];
    if (std::find(each.inputs.begin(), each.inputs.end(), x.tensor) != each.inputs.end()) return nullptr;
    if (each.outputs[0] != x.tensor) continue;
    const bool has_filter =
        each.definition().filter_input >= 0 && FusedActivation(each.attributes) == Activation::kNone;
    return has_filter ? &each : nullptr;
  }
  return nullptr;
}

void FoldInto(OnnxConversion& c, GraphNode& target, FoldedBatchNorm norm) {
  Graph& graph = c.build.graph();
  const OpDefinition& op = target.definition();
  GraphTensor& filter = graph.tensor(target.inputs[static_cast<size_t>(op.filter_input)]);
  const auto bias_at = static_cast<size_t>(op.bias_input);
  norm.filter_name = filter.name;
  norm.filter = RealValues(filter);
  if (bias_at < target.inputs.size()) {
    const std::vector<float> bias = RealValues(graph.tensor(target.inputs[bias_at]));
    for (size_t i = 0; i < bias.size(); ++i) norm.mean[i] -= bias[i];
  }
  const FoldedFilter folded =
      FoldBatchNorm(norm.filter, InnerSize(filter.shape, static_cast<size_t>(op.filter_channel_axis)),
                    {norm.gamma, norm.beta, norm.mean, norm.variance, norm.epsilon});
  SetValues(filter, DType::kFloat32, folded.filter);
  if (bias_at < target.inputs.size()) {
    SetValues(graph.tensor(target.inputs[bias_at]), DType::kFloat32, folded.bias);
  } else {
    const auto channels = static_cast<int32_t>(folded.bias.size());
    const std::string name = StrCat(target.name, "/bias");
    const int32_t bias = c.build.AddReals(name, {channels}, folded.bias);
    target.inputs.push_back(bias);
  }
  c.batch_norms.push_back(std::move(norm));
}

Converted BatchNormalization(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  if (x.rank() < 2) return InvalidArgument(StrCat("input is ", ToString(x.shape)));
  const auto channels = static_cast<size_t>(x.shape[1]);
  FoldedBatchNorm norm;
  std::pair<std::vector<float>*, const char*> parts[] = {
      {&norm.gamma, "scale"}, {&norm.beta, "B"}, {&norm.mean, "input_mean"}, {&norm.variance, "input_var"}};
  for (size_t i = 0; i < 4; ++i) {
    QAT_ASSIGN_OR_RETURN(*parts[i].first, node.Reals(i + 1, parts[i].second));
    if (parts[i].first->size() != channels)
      return InvalidArgument(StrCat("`", parts[i].second, "` has ", parts[i].first->size(), " values for ",
                                    channels, " channels"));
  }
  for (size_t i = 1; i < node.node.outputs.size(); ++i) {
    if (c.readers[node.node.outputs[i]] > 0)
      return Unsupported("its statistics of a batch are read; export the network in eval mode");
  }
  norm.epsilon = node.Real("epsilon", 1e-5f);
  norm.momentum = std::clamp(node.Real("momentum", 0.9f), 0.0f, 0.9999f);
  for (const float variance : norm.variance) {
    if (!(variance + norm.epsilon > 0)) return InvalidArgument(StrCat("a variance is ", variance));
  }
  if (node.Int("training_mode", 0) != 0) ++c.batch_norms_in_training;
  if (GraphNode* target = FilterNode(c, node)) {
    FoldInto(c, *target, std::move(norm));
    return std::vector<OnnxValue>{x};
  }
  std::vector<float> factors(channels), summands(channels);
  for (size_t i = 0; i < channels; ++i) {
    const double factor = double{norm.gamma[i]} / std::sqrt(double{norm.variance[i]} + norm.epsilon);
    factors[i] = static_cast<float>(factor);
    summands[i] = static_cast<float>(norm.beta[i] - norm.mean[i] * factor);
  }
  QAT_ASSIGN_OR_RETURN(const OnnxValue scaled,
                       c.build.Binary(OpType::kMul, x, PerChannel(factors, x.rank())));
  return One(c.build.Binary(OpType::kAdd, scaled, PerChannel(summands, x.rank())));
}

/// (x - mean) / sqrt(variance + epsilon) along axes; `parts` gets the mean and the factor.
Expected<OnnxValue> Standardized(OnnxConversion& c, const OnnxValue& x, const std::vector<int32_t>& axes,
                                 float epsilon, std::vector<OnnxValue>* parts = nullptr) {
  QAT_ASSIGN_OR_RETURN(const OnnxValue mean, c.build.Reduce(OpType::kMean, x, axes, true));
  QAT_ASSIGN_OR_RETURN(const OnnxValue centred, c.build.Binary(OpType::kSub, x, mean));
  QAT_ASSIGN_OR_RETURN(OnnxValue variance, c.build.Binary(OpType::kMul, centred, centred));
  QAT_ASSIGN_OR_RETURN(variance, c.build.Reduce(OpType::kMean, variance, axes, true));
  QAT_ASSIGN_OR_RETURN(variance, c.build.Binary(OpType::kAdd, variance, Scalar(epsilon)));
  QAT_ASSIGN_OR_RETURN(variance, c.build.Unary(OpType::kRsqrt, std::monostate(), variance));
  if (parts != nullptr) *parts = {mean, variance};
  return c.build.Binary(OpType::kMul, centred, variance);
}

Converted LayerNormalization(OnnxConversion& c, const OnnxNode& node) {
  OnnxValue x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const int32_t first, AxisOf(node.Int("axis", -1), x.rank()));
  if (x.flattened) {
    QAT_ASSIGN_OR_RETURN(x, c.build.ToPlain(x));
  }
  std::vector<int32_t> axes;
  for (size_t i = static_cast<size_t>(first); i < x.rank(); ++i) axes.push_back(static_cast<int32_t>(i));
  std::vector<OnnxValue> results;
  QAT_ASSIGN_OR_RETURN(OnnxValue value, Standardized(c, x, axes, node.Real("epsilon", 1e-5f), &results));
  if (node.Has(1)) {
    QAT_ASSIGN_OR_RETURN(value, c.build.Binary(OpType::kMul, value, node.In(1)));
  }
  if (node.Has(2)) {
    QAT_ASSIGN_OR_RETURN(value, c.build.Binary(OpType::kAdd, value, node.In(2)));
  }
  results.insert(results.begin(), value);
  return results;
}

Converted RmsNormalization(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const int32_t first, AxisOf(node.Int("axis", -1), x.rank()));
  std::vector<int32_t> axes;
  for (size_t i = static_cast<size_t>(first); i < x.rank(); ++i) axes.push_back(static_cast<int32_t>(i));
  QAT_ASSIGN_OR_RETURN(OnnxValue scale, c.build.Binary(OpType::kMul, x, x));
  QAT_ASSIGN_OR_RETURN(scale, c.build.Reduce(OpType::kMean, scale, axes, true));
  QAT_ASSIGN_OR_RETURN(scale, c.build.Binary(OpType::kAdd, scale, Scalar(node.Real("epsilon", 1e-5f))));
  QAT_ASSIGN_OR_RETURN(scale, c.build.Unary(OpType::kRsqrt, std::monostate(), scale));
  QAT_ASSIGN_OR_RETURN(const OnnxValue value, c.build.Binary(OpType::kMul, x, scale));
  return One(c.build.Binary(OpType::kMul, value, node.In(1)));
}

Converted InstanceNormalization(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  if (x.rank() < 3) return InvalidArgument(StrCat("input is ", ToString(x.shape)));
  QAT_ASSIGN_OR_RETURN(const std::vector<float> scale, node.Reals(1, "scale"));
  QAT_ASSIGN_OR_RETURN(const std::vector<float> shift, node.Reals(2, "B"));
  if (std::ssize(scale) != x.shape[1] || std::ssize(shift) != x.shape[1])
    return InvalidArgument("has another number of scales than channels");
  std::vector<int32_t> axes;
  for (size_t i = 2; i < x.rank(); ++i) axes.push_back(static_cast<int32_t>(i));
  QAT_ASSIGN_OR_RETURN(OnnxValue value, Standardized(c, x, axes, node.Real("epsilon", 1e-5f)));
  QAT_ASSIGN_OR_RETURN(value, c.build.Binary(OpType::kMul, value, PerChannel(scale, x.rank())));
  return One(c.build.Binary(OpType::kAdd, value, PerChannel(shift, x.rank())));
}

Converted GroupNormalization(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  const int64_t groups = node.Int("num_groups", 1);
  if (x.rank() < 3 || groups < 1 || x.shape[1] % groups != 0)
    return InvalidArgument(StrCat(groups, " groups of ", ToString(x.shape)));
  QAT_ASSIGN_OR_RETURN(std::vector<float> scale, node.Reals(1, "scale"));
  QAT_ASSIGN_OR_RETURN(std::vector<float> shift, node.Reals(2, "bias"));
  const auto count = static_cast<int32_t>(groups), each = x.shape[1] / count;
  // Opset 18 has one scale for each group, opset 21 one for each channel.
  for (std::vector<float>* values : {&scale, &shift}) {
    if (std::ssize(*values) == count && each > 1 && node.opset < 21) {
      std::vector<float> wide;
      for (const float value : *values) wide.insert(wide.end(), static_cast<size_t>(each), value);
      *values = std::move(wide);
    }
    if (std::ssize(*values) != x.shape[1])
      return InvalidArgument("has another number of scales than channels");
  }
  Shape apart = {x.shape[0], count, each};
  apart.insert(apart.end(), x.shape.begin() + 2, x.shape.end());
  std::vector<int32_t> axes;
  for (size_t i = 2; i < apart.size(); ++i) axes.push_back(static_cast<int32_t>(i));
  QAT_ASSIGN_OR_RETURN(OnnxValue value, c.build.Reshape(x, apart));
  QAT_ASSIGN_OR_RETURN(value, Standardized(c, value, axes, node.Real("epsilon", 1e-5f)));
  QAT_ASSIGN_OR_RETURN(value, c.build.Reshape(value, x.shape));
  QAT_ASSIGN_OR_RETURN(value, c.build.Binary(OpType::kMul, value, PerChannel(scale, x.rank())));
  return One(c.build.Binary(OpType::kAdd, value, PerChannel(shift, x.rank())));
}

Converted MeanVarianceNormalization(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  const std::vector<int64_t> given = node.Gives("axes") ? node.Ints("axes") : std::vector<int64_t>{0, 2, 3};
  QAT_ASSIGN_OR_RETURN(const std::vector<int32_t> axes, AxesOf(given, x.rank()));
  return One(Standardized(c, x, axes, 1e-9f));
}

/// x / (the norm of the vectors along an axis); vectors of zeros stay so.
Converted LpNormalization(OnnxConversion& c, const OnnxNode& node) {
  OnnxValue x = node.In(0);
  QAT_ASSIGN_OR_RETURN(const int32_t axis, AxisOf(node.Int("axis", -1), x.rank()));
  if (node.Int("p", 2) != 1) {
    // The length of a vector has no order.
    const bool whole = x.flattened && x.flattened->axis == axis && x.order.back() == axis;
    if (x.flattened && !whole) {
      QAT_ASSIGN_OR_RETURN(x, c.build.ToPlain(x));
    }
    return One(c.build.AlongAxis(OpType::kL2Normalization,
                                 DefinitionOf(OpType::kL2Normalization).default_attributes, x, axis));
  }
  QAT_ASSIGN_OR_RETURN(OnnxValue norm, c.build.Unary(OpType::kAbs, std::monostate(), x));
  QAT_ASSIGN_OR_RETURN(norm, c.build.Reduce(OpType::kSum, norm, {axis}, true));
  QAT_ASSIGN_OR_RETURN(norm, c.build.Binary(OpType::kMaximum, norm, Scalar(1e-12f)));
  return One(c.build.Binary(OpType::kDiv, x, norm));
}

/// x / (bias + alpha / size * sum of the squares of neighbouring channels) ^ beta.
Converted Lrn(OnnxConversion& c, const OnnxNode& node) {
  const OnnxValue& x = node.In(0);
  const int64_t size = node.Int("size", 1);
  if (x.rank() < 2 || size < 1 || size > 1024) return InvalidArgument(StrCat("`size` is ", size));
  QAT_ASSIGN_OR_RETURN(const OnnxValue square, c.build.Binary(OpType::kMul, x, x));
  Shape before(x.rank(), 0), after(x.rank(), 0);
  before[1] = static_cast<int32_t>((size - 1) / 2);
  after[1] = static_cast<int32_t>(size / 2);
  QAT_ASSIGN_OR_RETURN(const OnnxValue wide,
                       c.build.Pad(square, before, after, OnnxBuilder::PadMode::kConstant, 0));
  OnnxValue sum;
  for (int32_t i = 0; i < size; ++i) {
    Shape begin(x.rank(), 0);
    begin[1] = i;
    QAT_ASSIGN_OR_RETURN(const OnnxValue part, c.build.Slice(wide, begin, x.shape, Shape(x.rank(), 1)));
    if (i == 0) {
      sum = part;
    } else {
      QAT_ASSIGN_OR_RETURN(sum, c.build.Binary(OpType::kAdd, sum, part));
    }
  }
  QAT_ASSIGN_OR_RETURN(
      sum, c.build.Binary(OpType::kMul, sum, Scalar(node.Real("alpha", 1e-4f) / static_cast<float>(size))));
  QAT_ASSIGN_OR_RETURN(sum, c.build.Binary(OpType::kAdd, sum, Scalar(node.Real("bias", 1))));
  QAT_ASSIGN_OR_RETURN(sum, c.build.Binary(OpType::kPow, sum, Scalar(-node.Real("beta", 0.75f))));
  return One(c.build.Binary(OpType::kMul, x, sum));
}

constexpr OnnxConverter kConverters[] = {
    {"BatchNormalization", 5, BatchNormalization},
    {"LayerNormalization", 1, LayerNormalization},
    {"RMSNormalization", 2, RmsNormalization},
    {"InstanceNormalization", 3, InstanceNormalization},
    {"GroupNormalization", 3, GroupNormalization},
    {"MeanVarianceNormalization", 1, MeanVarianceNormalization},
    {"LpNormalization", 1, LpNormalization},
    {"LRN", 1, Lrn},
};

}  // namespace

std::span<const OnnxConverter> NormalizationConverters() { return kConverters; }

}  // namespace qat
