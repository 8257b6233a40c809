#include "train/loss.h"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mse_loss.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"

namespace qat {
namespace {

struct Batch {
  std::vector<float> logits;
  std::vector<int32_t> labels;
  int64_t classes;
};

Batch RandomBatch(int64_t rows, int64_t classes, float spread) {
  Random random(11);
  Batch batch{{}, {}, classes};
  for (int64_t n = 0; n < rows; ++n) {
    batch.labels.push_back(random.Between(0, static_cast<int32_t>(classes) - 1));
    for (int64_t c = 0; c < classes; ++c) batch.logits.push_back(spread * (2 * random.Uniform() - 1));
  }
  return batch;
}

TEST(SoftmaxCrossEntropy, EqualsTorchInValueAndGradient) {
  for (const double smoothing : {0.0, 0.1}) {
    for (const float spread : {1.0f, 100.0f}) {
      const Batch batch = RandomBatch(33, 10, spread);
      at::Tensor x = at::empty({33, 10}, at::kFloat);
      std::copy(batch.logits.begin(), batch.logits.end(), x.data_ptr<float>());
      at::Tensor y = at::empty({33}, at::kLong);
      std::copy(batch.labels.begin(), batch.labels.end(), y.data_ptr<int64_t>());
      x.set_requires_grad(true);
      const at::Tensor expected = at::cross_entropy_loss(x, y, {}, at::Reduction::Mean, -100, smoothing);
      expected.backward();
      std::vector<float> gradient(batch.logits.size());
      const LossResult result = SoftmaxCrossEntropy(batch.logits, batch.labels, 10, smoothing, gradient);
      EXPECT_NEAR(result.loss, expected.item<float>(), 1e-5 * std::max(1.0, result.loss));
      const at::Tensor oracle = x.grad().contiguous();
      for (size_t i = 0; i < gradient.size(); ++i)
        ASSERT_NEAR(gradient[i], oracle.data_ptr<float>()[i], 1e-6) << i;
    }
  }
}

TEST(SoftmaxCrossEntropy, CountsTheFirstOfEqualOutputs) {
  const std::vector<float> logits = {1, 1, 0, 0, 2, 2};
  EXPECT_EQ(SoftmaxCrossEntropy(logits, std::vector<int32_t>{0, 2}, 3, 0, {}).correct, 1);
  EXPECT_EQ(SoftmaxCrossEntropy(logits, std::vector<int32_t>{1, 1}, 3, 0, {}).correct, 1);
}

TEST(SoftmaxCrossEntropy, IsNanWhereALogitIs) {
  const std::vector<float> logits = {0, NAN, 0};
  EXPECT_FALSE(std::isfinite(SoftmaxCrossEntropy(logits, std::vector<int32_t>{0}, 3, 0, {}).loss));
}

TEST(MeanSquaredError, EqualsTorchInValueAndGradient) {
  const std::vector<float> outputs = {0.5f, -3, 100, 0}, targets = {0.25f, 4, 90, 0};
  at::Tensor x = at::empty({2, 2}, at::kFloat), y = at::empty({2, 2}, at::kFloat);
  std::copy(outputs.begin(), outputs.end(), x.data_ptr<float>());
  std::copy(targets.begin(), targets.end(), y.data_ptr<float>());
  x.set_requires_grad(true);
  const at::Tensor expected = at::mse_loss(x, y);
  expected.backward();
  std::vector<float> gradient(4);
  const LossResult result = MeanSquaredError(outputs, targets, gradient);
  EXPECT_NEAR(result.loss, expected.item<float>(), 1e-4);
  for (size_t i = 0; i < gradient.size(); ++i)
    EXPECT_NEAR(gradient[i], x.grad().contiguous().data_ptr<float>()[i], 1e-5) << i;
  EXPECT_EQ(MeanSquaredError(outputs, targets, {}).loss, result.loss);
}

}  // namespace
}  // namespace qat
