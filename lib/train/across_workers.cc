#include "train/across_workers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/var_mean.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "train/layout.h"
#include "train/tensor_span.h"

namespace qat {
namespace {

at::Tensor Summed(const at::Tensor& values, Workers& workers) {
  at::Tensor sum = values.detach().contiguous().clone();
  workers.Sum(SpanOf(sum));
  return sum;
}

// The sum over all processes. Each of them goes on with the same sum, so the gradient of a term is the sum of
// theirs.
class SumAcross : public torch::autograd::Function<SumAcross> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& values,
                            int64_t workers) {
    context->saved_data["workers"] = workers;
    return Summed(values, *reinterpret_cast<Workers*>(workers));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {Summed(gradients[0], *reinterpret_cast<Workers*>(context->saved_data["workers"].toInt())),
            at::Tensor()};
  }
};

std::vector<int64_t> AllButChannels(const at::Tensor& values) {
  std::vector<int64_t> axes = {0};
  for (int64_t i = 2; i < values.dim(); ++i) axes.push_back(i);
  return axes;
}

}  // namespace

MeasuredRange RangeAcross(MeasuredRange here, const BatchSharing& sharing) {
  if (sharing.workers == nullptr) return here;
  float least[3] = {here.range.min, -here.range.max, here.finite ? 1.0f : 0.0f};
  if (!here.finite) least[0] = least[1] = 0;  // NaN has no order
  sharing.workers->Minimum(least);
  return {{least[0], -least[1]}, least[2] != 0};
}

BatchMoments MomentsAcross(const at::Tensor& values, const BatchSharing& sharing) {
  const int64_t here = values.numel() / values.size(1);
  const std::vector<int64_t> axes = AllButChannels(values);
  if (sharing.workers == nullptr) {
    const auto [variance, mean] = at::var_mean(values, axes, /*unbiased=*/false);
    return {mean, variance, here};
  }
  const double count = std::round(static_cast<double>(here) / sharing.share);
  const auto workers = reinterpret_cast<int64_t>(sharing.workers);
  const at::Tensor mean = SumAcross::apply(values.sum(axes) / count, workers);
  const at::Tensor centred = values - AlongChannels(mean, values.dim(), 1);
  return {mean, SumAcross::apply((centred * centred).sum(axes) / count, workers),
          static_cast<int64_t>(count)};
}

}  // namespace qat
