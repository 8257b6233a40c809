#include "train/batch_norm_across.h"

#include <ATen/Parallel.h>
#include <ATen/ops/batch_norm_update_stats.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <cmath>
#include <vector>

#include "base/check.h"
#include "train/fake_quantize.h"
#include "train/layout.h"
#include "train/tensor_span.h"
#include "train/vector_clones.h"

namespace qat {
namespace {

constexpr int64_t kGrain = 32768;  // elements a thread gets at least

/// Of one channel: the gradient of x is by_gradient * g + by_value * x + constant.
struct Slope {
  float by_gradient = 0, by_value = 0, constant = 0;
};

QAT_VECTOR_CLONES void ApplyToRow(const float* __restrict x, const float* __restrict gradient,
                                  float* __restrict out, int64_t count, Slope slope) {
  for (int64_t i = 0; i < count; ++i)
    out[i] = slope.by_gradient * gradient[i] + slope.by_value * x[i] + slope.constant;
}

// Channels side by side.
QAT_VECTOR_CLONES void ApplyToChannels(const float* __restrict x, const float* __restrict gradient,
                                       float* __restrict out, int64_t rows, int64_t channels,
                                       const float* __restrict by_gradient, const float* __restrict by_value,
                                       const float* __restrict constant) {
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t at = row * channels;
    for (int64_t c = 0; c < channels; ++c)
      out[at + c] = by_gradient[c] * gradient[at + c] + by_value[c] * x[at + c] + constant[c];
  }
}

at::Tensor Apply(const at::Tensor& x, const at::Tensor& gradient, const std::vector<Slope>& slopes) {
  at::Tensor out = at::empty_like(x);
  const auto channels = std::ssize(slopes);
  const float *from = x.data_ptr<float>(), *given = gradient.data_ptr<float>();
  float* to = out.data_ptr<float>();
  if (x.dim() == 2 || !x.is_contiguous()) {  // channels last
    std::vector<float> columns[3];
    for (const Slope& each : slopes) {
      columns[0].push_back(each.by_gradient);
      columns[1].push_back(each.by_value);
      columns[2].push_back(each.constant);
    }
    at::parallel_for(0, x.numel() / channels, kGrain / channels + 1, [&](int64_t begin, int64_t end) {
      const int64_t at = begin * channels;
      ApplyToChannels(from + at, given + at, to + at, end - begin, channels, columns[0].data(),
                      columns[1].data(), columns[2].data());
    });
    return out;
  }
  const int64_t inner = x.numel() / (x.size(0) * channels);
  at::parallel_for(0, x.size(0) * channels, kGrain / inner + 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      ApplyToRow(from + row * inner, given + row * inner, to + row * inner, inner,
                 slopes[static_cast<size_t>(row % channels)]);
    }
  });
  return out;
}

class BatchNormAcrossFunction : public torch::autograd::Function<BatchNormAcrossFunction> {
 public:
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context,
                                                const at::Tensor& values, const at::Tensor& gamma,
                                                const at::Tensor& beta, double epsilon, int64_t workers,
                                                double count) {
    const at::Tensor x = Dense(values);
    const auto channels = static_cast<size_t>(x.size(1));
    const double here = static_cast<double>(x.numel()) / static_cast<double>(channels);
    const auto [own_mean, own_variance] = at::batch_norm_update_stats(x, {}, {}, 0);
    // Sums of values and of squares; in double, nothing of a variance is lost beside its mean.
    std::vector<double> sums(2 * channels);
    for (size_t c = 0; c < channels; ++c) {
      const double mean = SpanOf(own_mean)[c];
      sums[c] = here * mean;
      sums[channels + c] = here * (SpanOf(own_variance)[c] + mean * mean);
    }
    reinterpret_cast<Workers*>(workers)->Sum(sums);
    at::Tensor mean = at::empty_like(own_mean), variance = at::empty_like(own_variance);
    for (size_t c = 0; c < channels; ++c) {
      const double exact = sums[c] / count;
      SpanOf(mean)[c] = static_cast<float>(exact);
      SpanOf(variance)[c] = static_cast<float>(std::max(sums[channels + c] / count - exact * exact, 0.0));
    }
    context->save_for_backward({x, gamma, mean, variance});
    context->saved_data["epsilon"] = epsilon;
    context->saved_data["workers"] = workers;
    context->saved_data["count"] = count;
    context->mark_non_differentiable({mean, variance});
    const at::Tensor y =
        std::get<0>(at::native_batch_norm(x, gamma, beta, mean, variance, /*training=*/false, 0, epsilon));
    return {y, mean, variance};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor x = saved[0], gamma = saved[1], mean = saved[2], variance = saved[3];
    const double epsilon = context->saved_data["epsilon"].toDouble();
    const double count = context->saved_data["count"].toDouble();
    auto* workers = reinterpret_cast<Workers*>(context->saved_data["workers"].toInt());
    const at::Tensor gradient = InOrderOf(x, gradients[0]);
    const auto channels = static_cast<size_t>(x.size(1));
    at::Tensor inverse = at::empty_like(variance);
    for (size_t c = 0; c < channels; ++c)
      SpanOf(inverse)[c] = static_cast<float>(1 / std::sqrt(SpanOf(variance)[c] + epsilon));
    const auto own = at::native_batch_norm_backward(gradient, x, gamma, {}, {}, mean, inverse, /*train=*/true,
                                                    epsilon, std::array{false, true, true});
    const at::Tensor &of_gamma = std::get<1>(own), &of_beta = std::get<2>(own);
    std::vector<double> sums(2 * channels);
    for (size_t c = 0; c < channels; ++c) {
      sums[c] = SpanOf(of_beta)[c];
      sums[channels + c] = SpanOf(of_gamma)[c];
    }
    workers->Sum(sums);
    std::vector<Slope> slopes(channels);
    for (size_t c = 0; c < channels; ++c) {
      const double factor = double{SpanOf(gamma)[c]} * SpanOf(inverse)[c];
      const double by_value = -factor * SpanOf(inverse)[c] * sums[channels + c] / count;
      slopes[c] = {static_cast<float>(factor), static_cast<float>(by_value),
                   static_cast<float>(-factor * sums[c] / count - by_value * SpanOf(mean)[c])};
    }
    return {Apply(x, gradient, slopes), of_gamma, of_beta, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

NormalizedBatch BatchNormAcross(const at::Tensor& values, const at::Tensor& gamma, const at::Tensor& beta,
                                double epsilon, const BatchSharing& sharing) {
  QAT_CHECK(sharing.workers != nullptr && values.dim() >= 2);
  const double here = static_cast<double>(values.numel() / values.size(1));
  const double count = std::round(here / sharing.share);
  const auto made = BatchNormAcrossFunction::apply(values, gamma, beta, epsilon,
                                                   reinterpret_cast<int64_t>(sharing.workers), count);
  return {made[0], made[1], made[2], static_cast<int64_t>(count)};
}

}  // namespace qat
