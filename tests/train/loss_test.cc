#include "train/loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mse_loss.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "train/task_loss.h"

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

// The oracle: LibTorch's own cross entropy and Kullback-Leibler divergence, put together as Hinton et al.
// 2015 do.
TEST(SoftmaxCrossEntropy, OfAStudentEqualsTorchInValueAndGradient) {
  const Batch batch = RandomBatch(33, 10, 5);
  Random random(12);
  std::vector<float> teacher;
  for (size_t i = 0; i < batch.logits.size(); ++i) teacher.push_back(8 * random.Uniform() - 4);
  at::Tensor x = at::empty({33, 10}, at::kFloat), t = at::empty({33, 10}, at::kFloat),
             y = at::empty({33}, at::kLong);
  std::copy(batch.logits.begin(), batch.logits.end(), x.data_ptr<float>());
  std::copy(teacher.begin(), teacher.end(), t.data_ptr<float>());
  std::copy(batch.labels.begin(), batch.labels.end(), y.data_ptr<int64_t>());
  x.set_requires_grad(true);
  for (const auto& [weight, temperature] : {std::pair(0.9, 4.0), {0.5, 1.0}, {1.0, 20.0}, {0.0, 2.0}}) {
    x.mutable_grad().reset();
    const at::Tensor divergence = at::kl_div(at::log_softmax(x / temperature, 1),
                                             at::log_softmax(t / temperature, 1), at::Reduction::Sum,
                                             /*log_target=*/true) /
                                  33;
    const at::Tensor expected =
        (1 - weight) * at::cross_entropy_loss(x, y) + weight * temperature * temperature * divergence;
    expected.backward();
    std::vector<float> gradient(batch.logits.size());
    const LossResult result =
        SoftmaxCrossEntropy(batch.logits, batch.labels, 10, 0, gradient, {}, {teacher, weight, temperature});
    EXPECT_NEAR(result.loss, expected.item<float>(), 1e-5 * std::max(1.0, result.loss)) << weight;
    for (size_t i = 0; i < gradient.size(); ++i)
      ASSERT_NEAR(gradient[i], x.grad().contiguous().data_ptr<float>()[i], 1e-6) << weight << " " << i;
  }
}

TEST(SoftmaxCrossEntropy, OfAStudentThatAnswersAsItsTeacherIsThatOfItsLabelsAlone) {
  const Batch batch = RandomBatch(9, 4, 3);
  std::vector<float> gradient(batch.logits.size());
  const double plain = SoftmaxCrossEntropy(batch.logits, batch.labels, 4, 0, {}).loss;
  EXPECT_NEAR(
      SoftmaxCrossEntropy(batch.logits, batch.labels, 4, 0, gradient, {}, {batch.logits, 0.75, 3}).loss,
      0.25 * plain, 1e-12);
  EXPECT_NEAR(SoftmaxCrossEntropy(batch.logits, batch.labels, 4, 0, gradient, {}, {batch.logits, 1, 3}).loss,
              0, 1e-12);
  for (const float each : gradient) EXPECT_EQ(each, 0);
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

TEST(SoftmaxCrossEntropy, WeighsAndIgnoresLabelsAsTorch) {
  Batch batch = RandomBatch(33, 4, 3);
  for (size_t i = 0; i < batch.labels.size(); i += 5) batch.labels[i] = kIgnoredLabel;
  const std::vector<float> weights = {1, 0.5f, 4, 0};
  at::Tensor x = at::empty({33, 4}, at::kFloat), y = at::empty({33}, at::kLong),
             w = at::empty({4}, at::kFloat);
  std::copy(batch.logits.begin(), batch.logits.end(), x.data_ptr<float>());
  std::copy(batch.labels.begin(), batch.labels.end(), y.data_ptr<int64_t>());
  std::copy(weights.begin(), weights.end(), w.data_ptr<float>());
  x.set_requires_grad(true);
  for (const double smoothing : {0.0, 0.2}) {
    x.mutable_grad().reset();
    const at::Tensor expected =
        at::cross_entropy_loss(x, y, w, at::Reduction::Mean, kIgnoredLabel, smoothing);
    expected.backward();
    std::vector<float> gradient(batch.logits.size(), 7);
    const LossResult result =
        SoftmaxCrossEntropy(batch.logits, batch.labels, 4, smoothing, gradient, weights);
    EXPECT_NEAR(result.loss, expected.item<float>(), 1e-5);
    EXPECT_EQ(result.counted, 26);
    const at::Tensor oracle = x.grad().contiguous();
    for (size_t i = 0; i < gradient.size(); ++i)
      ASSERT_NEAR(gradient[i], oracle.data_ptr<float>()[i], 1e-6) << i;
  }
}

TEST(SoftmaxCrossEntropy, OfNothingButIgnoredLabelsIsZero) {
  std::vector<float> gradient(2, 7);
  const LossResult result =
      SoftmaxCrossEntropy(std::vector<float>{1, 2}, std::vector<int32_t>{kIgnoredLabel}, 2, 0, gradient);
  EXPECT_EQ(result.loss, 0);
  EXPECT_EQ(result.counted, 0);
  EXPECT_EQ(gradient, (std::vector<float>{0, 0}));
}

TEST(BinaryCrossEntropy, EqualsTorchInValueAndGradient) {
  Batch batch = RandomBatch(33, 3, 100);  // and its labels are those of three columns
  std::vector<int32_t> labels;
  Random random(5);
  for (size_t i = 0; i < batch.logits.size(); ++i) labels.push_back(random.Between(0, 1));
  const std::vector<float> weights = {1, 3, 0.25f};
  for (const bool weighted : {false, true}) {
    at::Tensor x = at::empty({33, 3}, at::kFloat), y = at::empty({33, 3}, at::kFloat),
               w = at::empty({3}, at::kFloat);
    std::copy(batch.logits.begin(), batch.logits.end(), x.data_ptr<float>());
    std::copy(labels.begin(), labels.end(), y.data_ptr<float>());
    std::copy(weights.begin(), weights.end(), w.data_ptr<float>());
    x.set_requires_grad(true);
    const at::Tensor expected = at::binary_cross_entropy_with_logits(
        x, y, {}, weighted ? c10::optional<at::Tensor>(w) : c10::nullopt);
    expected.backward();
    std::vector<float> gradient(labels.size());
    const LossResult result = BinaryCrossEntropy(
        batch.logits, labels,
        {0, weighted ? std::span<const float>(weights) : std::span<const float>(), 3, false}, gradient);
    EXPECT_NEAR(result.loss, expected.item<float>(), 1e-5 * result.loss);
    const at::Tensor oracle = x.grad().contiguous();
    for (size_t i = 0; i < gradient.size(); ++i)
      ASSERT_NEAR(gradient[i], oracle.data_ptr<float>()[i], 1e-6) << i;
  }
}

TEST(BinaryCrossEntropy, OfProbabilitiesIsFiniteAtBothEnds) {
  const std::vector<float> probabilities = {0, 1, 0.75f, 0.25f};
  const std::vector<int32_t> labels = {1, 0, 1, kIgnoredLabel};
  std::vector<float> gradient(4);
  const LossResult result = BinaryCrossEntropy(probabilities, labels, {0, {}, 0, true}, gradient);
  EXPECT_NEAR(result.loss, (2 * std::log(512.0) - std::log(0.75)) / 3, 1e-6);
  EXPECT_EQ(result.correct, 1);
  EXPECT_EQ(result.counted, 3);
  EXPECT_NEAR(gradient[2], -1 / 0.75 / 3, 1e-6);
  EXPECT_EQ(gradient[3], 0);
}

TEST(TaskLoss, GradientsOfNumbersAreThoseOfNormalizedTargets) {
  TaskLoss loss;
  loss.output.task = Task::kNumbers;
  loss.output.mean = {300, -5};
  loss.output.std = {10, 0.5f};
  const std::vector<float> outputs = {1, 2}, targets = {300, -5};
  std::vector<float> gradient(2);
  const LossResult result = loss.Of(outputs, 2, {{}, targets}, gradient);
  EXPECT_DOUBLE_EQ(result.loss, (1 + 4) / 2.0)
      << "in deviations: a kelvin does not weigh more than a fraction";
  EXPECT_EQ(gradient, (std::vector<float>{1, 2})) << "2 (output - 0) / 2";
}

TEST(TaskLoss, OfOneNumberIsInItsUnit) {
  TaskLoss loss;
  loss.output = {.task = Task::kNumbers, .mean = {300}, .std = {10}};
  const std::vector<float> outputs = {1, 3}, targets = {300, 310};
  std::vector<float> gradient(2);
  EXPECT_DOUBLE_EQ(loss.Of(outputs, 1, {{}, targets}, gradient).loss, (100 + 400) / 2.0);
  EXPECT_EQ(gradient, (std::vector<float>{1, 2}));
  loss.summed = true;
  EXPECT_DOUBLE_EQ(loss.Of(outputs, 1, {{}, targets}, gradient).loss, (1 + 4) / 2.0);
}

}  // namespace
}  // namespace qat
