#include "quant/batch_norm.h"

#include <gtest/gtest.h>

#include <cmath>

namespace qat {
namespace {

// filter' * x + bias' is the normalized filter * x, for channels first and channels last.
TEST(FoldBatchNorm, GivesTheNormalizedSums) {
  const std::vector<float> filter = {0.5f, -2, 3,
                                     0.25f};  // two channels of two values, or two taps of two channels
  const std::vector<float> gamma = {2, -0.5f};
  const std::vector<float> beta = {0.1f, 1};
  const std::vector<float> mean = {3, -4};
  const std::vector<float> variance = {0.49f, 2.25f};
  const std::vector<float> x = {1.5f, -0.75f};
  for (const size_t inner : {size_t{2}, size_t{1}}) {
    const FoldedFilter folded = FoldBatchNorm(filter, inner, {gamma, beta, mean, variance, 0.001});
    for (size_t c = 0; c < 2; ++c) {
      double sum = 0;
      double folded_sum = folded.bias[c];
      for (size_t k = 0; k < 2; ++k) {
        const size_t i = inner == 2 ? c * 2 + k : k * 2 + c;
        sum += double{filter[i]} * x[k];
        folded_sum += double{folded.filter[i]} * x[k];
      }
      const double expected = gamma[c] * (sum - mean[c]) / std::sqrt(variance[c] + 0.001) + beta[c];
      EXPECT_NEAR(folded_sum, expected, 1e-5) << "inner " << inner << ", channel " << c;
    }
  }
}

}  // namespace
}  // namespace qat
