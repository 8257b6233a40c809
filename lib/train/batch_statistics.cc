#include "train/batch_statistics.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace qat {
namespace {

constexpr double kReach = 9;  // averages reach back over batches / kReach

}  // namespace

BatchStatistics::BatchStatistics(int64_t channels, double momentum)
    : mean_(at::zeros({channels}, at::kFloat)),
      variance_(at::ones({channels}, at::kFloat)),
      momentum_(momentum) {}

double BatchStatistics::NextShare() const {
  const auto t = static_cast<double>(batches_);
  return 1 - std::min(momentum_, t / (t + kReach));
}

void BatchStatistics::Learn(const at::Tensor& mean, const at::Tensor& variance) {
  const at::NoGradGuard no_gradients;
  const double share = NextShare();
  mean_.lerp_(mean, share);
  variance_.lerp_(variance, share);
  ++batches_;
}

void BatchStatistics::StartNoting() {
  noted_mean_ = at::zeros(mean_.sizes(), at::kFloat);
  noted_variance_ = at::zeros(mean_.sizes(), at::kFloat);
  noted_ = 0;
}

void BatchStatistics::Note(const at::Tensor& mean, const at::Tensor& variance) {
  QAT_CHECK(noted_mean_.defined());
  const at::NoGradGuard no_gradients;
  const double share = 1.0 / static_cast<double>(++noted_);
  noted_mean_.lerp_(mean, share);
  noted_variance_.lerp_(variance, share);
}

double BatchStatistics::Gap(double epsilon) const {
  QAT_CHECK(noted_ > 0);
  const at::NoGradGuard no_gradients;
  const at::Tensor variance = variance_.to(at::kDouble) + epsilon;
  const at::Tensor m = (noted_mean_.to(at::kDouble) - mean_) / variance.sqrt();
  const at::Tensor d = ((noted_variance_.to(at::kDouble) + epsilon) / variance).sqrt() - 1;
  return std::sqrt((m * m + d * d).mean().item<double>());
}

void BatchStatistics::TakeNoted() {
  QAT_CHECK(noted_ > 0);
  const at::NoGradGuard no_gradients;
  mean_.copy_(noted_mean_);
  variance_.copy_(noted_variance_);
}

}  // namespace qat
