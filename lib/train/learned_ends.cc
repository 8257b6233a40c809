#include "train/learned_ends.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "base/check.h"
#include "train/layout.h"
#include "train/tensor_span.h"
#include "train/vector_clones.h"

namespace qat {
namespace {

// Narrower than anything worth learning, as for filters (learned_quantizer.cc).
constexpr float kNarrowest = 1.0f / 64;
constexpr int64_t kPiece = 32768;  // values that are summed one after the other, at most

/// Sums of the gradients of values below, inside (each times its error) and above the grid.
struct EndSums {
  float below = 0, inside = 0, above = 0;
};

// Lanes, since one sum would wait for itself.
QAT_VECTOR_CLONES EndSums SumSpan(const float* __restrict x, const float* __restrict v,
                                  const float* __restrict gradient, int64_t count, Range bounds, Range grid) {
  constexpr int64_t kLanes = 16;
  float below[kLanes] = {}, inside[kLanes] = {}, above[kLanes] = {};
  for (int64_t begin = 0; begin < count; begin += kLanes) {
    const int64_t lanes = std::min(kLanes, count - begin);
    for (int64_t k = 0; k < lanes; ++k) {
      const int64_t i = begin + k;
      float clamped = x[i] < bounds.min ? bounds.min : x[i];
      clamped = clamped > bounds.max ? bounds.max : clamped;
      const float error = gradient[i] * (v[i] - clamped);
      below[k] += clamped < grid.min ? gradient[i] : 0.0f;
      above[k] += clamped > grid.max ? gradient[i] : 0.0f;
      inside[k] += clamped < grid.min ? 0.0f : clamped > grid.max ? 0.0f : error;
    }
  }
  return {std::accumulate(below, below + kLanes, 0.0f), std::accumulate(inside, inside + kLanes, 0.0f),
          std::accumulate(above, above + kLanes, 0.0f)};
}

EndSums SumAll(const at::Tensor& x, const at::Tensor& v, const at::Tensor& gradient, Range bounds,
               Range grid) {
  std::vector<EndSums> pieces(static_cast<size_t>((x.numel() + kPiece - 1) / kPiece));
  at::parallel_for(0, std::ssize(pieces), 1, [&](int64_t first, int64_t end) {
    for (int64_t piece = first; piece < end; ++piece) {
      const int64_t at = piece * kPiece;
      pieces[static_cast<size_t>(piece)] =
          SumSpan(x.data_ptr<float>() + at, v.data_ptr<float>() + at, gradient.data_ptr<float>() + at,
                  std::min(kPiece, x.numel() - at), bounds, grid);
    }
  });
  EndSums all;
  for (const EndSums& each : pieces) {
    all.below += each.below;
    all.inside += each.inside;
    all.above += each.above;
  }
  return all;
}

class ClampAndFakeQuantizeLearnedFunction
    : public torch::autograd::Function<ClampAndFakeQuantizeLearnedFunction> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& ends, double low, double high, const Grid* grid) {
    const at::Tensor x = Dense(input);
    const Range bounds = {static_cast<float>(low), static_cast<float>(high)};
    const at::Tensor v = ClampAndFakeQuantize(x, bounds, *grid);
    const Range nudged = RepresentableRange(grid->params, grid->limits);
    context->save_for_backward({x, v});
    context->saved_data["numbers"] =
        std::vector<double>{low,
                            high,
                            nudged.min,
                            nudged.max,
                            static_cast<double>(grid->limits.quant_max - grid->limits.quant_min),
                            SpanOf(ends)[0],
                            SpanOf(ends)[1]};
    return v;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor x = saved[0], v = saved[1];
    const std::vector<double> numbers = context->saved_data["numbers"].toDoubleVector();
    const auto number = [&](size_t i) { return static_cast<float>(numbers[i]); };
    const Range bounds = {number(0), number(1)}, grid = {number(2), number(3)};
    const at::Tensor gradient = InOrderOf(x, gradients[0]);
    const EndSums sums = SumAll(x, v, gradient, bounds, grid);
    const double q = numbers[4], count = static_cast<double>(x.numel()) / static_cast<double>(x.size(0));
    const double scale = q * q / std::sqrt(count * q), width = numbers[3] - numbers[2];
    at::Tensor of_ends = at::zeros({2}, at::kFloat);
    if (numbers[5] != 0) SpanOf(of_ends)[0] = static_cast<float>(scale * (sums.below - sums.inside / width));
    if (numbers[6] != 0) SpanOf(of_ends)[1] = static_cast<float>(scale * (sums.above + sums.inside / width));
    return {PassGradient(x, gradient, bounds, grid), of_ends, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor ClampAndFakeQuantizeLearned(const at::Tensor& input, const at::Tensor& ends, Range bounds,
                                       const Grid& grid) {
  QAT_CHECK(ends.numel() == 2 && input.dim() > 0);
  return ClampAndFakeQuantizeLearnedFunction::apply(input, ends, bounds.min, bounds.max, &grid);
}

LearnedEnds::LearnedEnds(std::string name, std::shared_ptr<SharedRange> range)
    : name_(std::move(name)),
      range_(std::move(range)),
      ends_(at::zeros({2}, at::kFloat).set_requires_grad(true)) {
  QAT_CHECK(!range_->precision().is_real() && !range_->precision().symmetric);
}

bool LearnedEnds::started() const {
  const std::span<const float> ends = SpanOf(ends_);
  return ends[0] < ends[1];
}

void LearnedEnds::Settle(const ForwardContext& context) {
  if (!context.observe) return;
  const std::span<float> ends = SpanOf(ends_);
  const bool starts = context.training && context.fake_quantize && !context.note_statistics;
  if (!started() && starts && range_->complete()) {
    const Range observed = range_->range();
    ends[0] = observed.min;
    ends[1] = observed.max;
  }
  if (started()) range_->FixObservers({ends[0], ends[1]});
}

void LearnedEnds::Hold(Range seen) {
  const std::span<float> ends = SpanOf(ends_);
  ends[0] = std::min({ends[0], seen.min * kNarrowest, 0.0f});
  ends[1] = std::max({ends[1], seen.max * kNarrowest, 0.0f});
}

Parameter LearnedEnds::parameter() const {
  return {RangeName(name_), ParameterSpec::Role::kBias, ends_, FilterLayout::kAsIs,
          ParameterKind::kOutputEnds};
}

}  // namespace qat
