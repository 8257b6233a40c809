#include "quant/batch_norm.h"

#include <cmath>

#include "base/check.h"

namespace qat {

FoldedFilter FoldBatchNorm(std::span<const float> filter, size_t inner, const BatchNormState& state) {
  const size_t channels = state.gamma.size();
  QAT_CHECK(channels > 0 && inner > 0 && filter.size() % (channels * inner) == 0);
  std::vector<double> factors(channels);
  FoldedFilter folded{std::vector<float>(filter.size()), std::vector<float>(channels)};
  for (size_t c = 0; c < channels; ++c) {
    factors[c] = double{state.gamma[c]} / std::sqrt(double{state.variance[c]} + state.epsilon);
    folded.bias[c] = static_cast<float>(double{state.beta[c]} - double{state.mean[c]} * factors[c]);
  }
  for (size_t i = 0; i < filter.size(); ++i) {
    folded.filter[i] = static_cast<float>(double{filter[i]} * factors[i / inner % channels]);
  }
  return folded;
}

}  // namespace qat
