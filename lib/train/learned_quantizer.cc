#include "train/learned_quantizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "quant/learned_range.h"
#include "train/layout.h"
#include "train/tensor_span.h"
#include "train/vector_clones.h"

namespace qat {
namespace {

// Narrower than anything worth learning, and no end is ever 0 or below.
constexpr float kNarrowest = 1.0f / 64;

float LargestOf(const Range& range) { return std::max(-range.min, range.max); }

// Of one slice: the gradient of its values, and the unscaled one of its end. Lanes, since one sum would wait
// for itself.
QAT_VECTOR_CLONES float LearnSpan(const float* __restrict x, const float* __restrict v,
                                  const float* __restrict gradient, float* __restrict out, int64_t count,
                                  float end) {
  constexpr int64_t kLanes = 16;
  const float inverse = 1 / end;
  float sums[kLanes] = {};
  for (int64_t begin = 0; begin < count; begin += kLanes) {
    const int64_t lanes = std::min(kLanes, count - begin);
    for (int64_t k = 0; k < lanes; ++k) {
      const int64_t i = begin + k;
      float slope = (v[i] - x[i]) * inverse;
      slope = x[i] > end ? 1.0f : slope;
      slope = x[i] < -end ? -1.0f : slope;
      float passed = x[i] <= end ? gradient[i] : 0.0f;
      passed = x[i] >= -end ? passed : 0.0f;
      out[i] = passed;
      sums[k] += gradient[i] * slope;
    }
  }
  return std::accumulate(sums, sums + kLanes, 0.0f);
}

class FakeQuantizeLearnedFunction : public torch::autograd::Function<FakeQuantizeLearnedFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& values,
                            const at::Tensor&, const std::vector<float>* deployed,
                            const Precision* precision) {
    const at::Tensor x = values.contiguous();
    std::vector<Grid> grids;
    for (const float end : *deployed) grids.push_back({ParamsOfEnd(*precision, end), LimitsOf(*precision)});
    const at::Tensor rows = x.reshape({static_cast<int64_t>(deployed->size()), -1});
    const at::Tensor v = FakeQuantizeSlices(rows, grids).reshape(x.sizes());
    context->save_for_backward({x, v});
    context->saved_data["deployed"] = std::vector<double>(deployed->begin(), deployed->end());
    context->saved_data["top"] = static_cast<double>(LimitsOf(*precision).quant_max);
    return v;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor x = saved[0], v = saved[1], gradient = gradients[0].contiguous();
    const std::vector<double> deployed = context->saved_data["deployed"].toDoubleVector();
    const double top = context->saved_data["top"].toDouble();
    at::Tensor of_values = at::empty_like(x);
    at::Tensor of_ends = at::zeros({std::ssize(deployed)}, at::kFloat);
    const int64_t inner = x.numel() / std::ssize(deployed);
    const double scale = top * top / std::sqrt(static_cast<double>(inner) * top);
    for (int64_t c = 0; c < std::ssize(deployed); ++c) {
      const auto end = static_cast<float>(deployed[static_cast<size_t>(c)]);
      const int64_t at = c * inner;
      const float sum =
          LearnSpan(x.data_ptr<float>() + at, v.data_ptr<float>() + at, gradient.data_ptr<float>() + at,
                    of_values.data_ptr<float>() + at, inner, std::max(end, 1e-9f));
      SpanOf(of_ends)[static_cast<size_t>(c)] = static_cast<float>(scale * sum);
    }
    return {of_values, of_ends, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor FakeQuantizeLearned(const at::Tensor& values, const at::Tensor& ends,
                               const std::vector<float>& deployed, const Precision& precision) {
  QAT_CHECK(ends.numel() == std::ssize(deployed));
  return FakeQuantizeLearnedFunction::apply(values, ends, &deployed, &precision);
}

LearnedQuantizer::LearnedQuantizer(std::string name, const Precision& precision, int64_t channels)
    : TensorQuantizer(std::move(name), precision),
      ends_(at::zeros({precision.per_axis() ? channels : 1}, at::kFloat).set_requires_grad(true)) {
  QAT_CHECK(precision.symmetric);
}

at::Tensor LearnedQuantizer::Forward(const at::Tensor& values, Range, const ForwardContext& context) {
  if (!context.observe && !context.fake_quantize) return values;
  const at::Tensor rows = values.detach().reshape({ends_.numel(), -1}).contiguous();
  const MeasuredSlices seen = MeasureSlices(rows);
  Note(seen.finite);
  if (!seen.finite) return values;
  std::vector<float> largest, deployed;
  for (const Range& range : seen.ranges) largest.push_back(LargestOf(range));
  if (context.training && context.fake_quantize && !context.note_statistics)
    Learn(rows, largest, context.observe);
  for (size_t c = 0; c < largest.size(); ++c) deployed.push_back(DeployedEnd(SpanOf(ends_)[c], largest[c]));
  if (!precision().per_axis()) {
    if (context.observe) observer_.Fix({-deployed[0], deployed[0]});
    if (!observer_.empty()) deployed[0] = observer_.range().max;
  }
  return context.fake_quantize ? FakeQuantizeLearned(values, ends_, deployed, precision()) : values;
}

// Rounding commutes with the factor of a channel, and the ends are those of the channels before it.
at::Tensor LearnedQuantizer::ForwardScaled(const at::Tensor& values, const at::Tensor& factors,
                                           const ForwardContext& context) {
  if (!precision().per_axis()) return TensorQuantizer::ForwardScaled(values, factors, context);
  return Forward(values, context) * AlongChannels(factors, values.dim(), 0);
}

// Ends that have none yet start, whether or not ranges stand still: they have to be somewhere.
void LearnedQuantizer::Learn(const at::Tensor& values, const std::vector<float>& largest, bool observe) {
  const std::span<float> ends = SpanOf(ends_);
  const std::span<const float> all = SpanOf(values);
  const size_t inner = all.size() / ends.size();
  for (size_t c = 0; c < ends.size(); ++c) {
    if (ends[c] == 0) ends[c] = LeastSquaresEnd(all.subspan(c * inner, inner), LimitsOf(precision()));
    if (observe) ends[c] = std::clamp(ends[c], kNarrowest * largest[c], largest[c]);
  }
}

bool LearnedQuantizer::ready() const { return precision().per_axis() || !observer_.empty(); }

std::vector<QuantizationParams> LearnedQuantizer::ParamsOf(const at::Tensor& values) const {
  if (!precision().per_axis()) return {ParamsOfEnd(precision(), observer_.range().max)};
  std::vector<QuantizationParams> params;
  for (const Range& range : MeasureSlices(values.detach()).ranges)
    params.push_back(ParamsOfEnd(precision(), LargestOf(range)));
  return params;
}

std::vector<NamedObserver> LearnedQuantizer::observers() {
  if (precision().per_axis()) return {};
  return {{name(), &observer_}};
}

std::vector<Parameter> LearnedQuantizer::parameters() {
  return {{RangeName(name()), ParameterSpec::Role::kFilter, ends_, FilterLayout::kOutputFirst,
           ParameterKind::kFilterEnds}};
}

void LearnedQuantizer::Share(const Parameter& parameter) { ends_ = parameter.value; }

std::span<const float> LearnedQuantizer::channel_ends() const {
  return precision().per_axis() ? SpanOf(ends_) : std::span<const float>();
}

}  // namespace qat
