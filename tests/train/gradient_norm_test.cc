// Against torch.nn.utils.clip_grad_norm_, and in whole runs.
#include "train/gradient_norm.h"

#include <gtest/gtest.h>
#include <torch/types.h>

// Of LibTorch 1.13; includes nothing that it needs.
#include <torch/nn/utils/clip_grad.h>

#include <cmath>
#include <vector>

#include "base/random.h"
#include "checkpoint/checkpoint.h"
#include "train/tiny_run.h"

namespace qat {
namespace {

TEST(ClipFactor, ScalesAsTorchDoes) {
  for (const double most : {1e-3, 0.5, 4.0, 1e4}) {
    Random random(7);
    std::vector<float> values[2] = {std::vector<float>(1001), std::vector<float>(3)};
    std::vector<TrainableSpan> spans;
    std::vector<at::Tensor> tensors;
    for (std::vector<float>& each : values) {
      for (float& value : each) value = 2 * random.Uniform() - 1;
      tensors.push_back(torch::zeros({static_cast<int64_t>(each.size())}, torch::requires_grad()));
      tensors.back().mutable_grad() = torch::tensor(each);
      spans.push_back({"x", {}, each, false});
    }
    const double norm = NormOfGradients(spans);
    EXPECT_NEAR(torch::nn::utils::clip_grad_norm_(tensors, most), norm, 1e-5 * norm);
    const double factor = ClipFactor(norm, most);
    for (size_t i = 0; i < 2; ++i) {
      for (size_t k = 0; k < values[i].size(); ++k)
        ASSERT_NEAR(tensors[i].grad().data_ptr<float>()[k], factor * values[i][k], 1e-6 * most) << most;
    }
  }
}

TEST(NormOfGradients, IsInTheUnitsOfEachRow) {
  const std::vector<float> gradient = {3, 0, 0, 2};
  EXPECT_FLOAT_EQ(NormOfGradients(std::vector<TrainableSpan>{{"x", {}, gradient, false, {1, 2}}}), 5)
      << "3 and 2 times 2";
}

// How far the parameters moved from one checkpoint to the next.
double Moved(const std::string& run, int64_t step) {
  const Checkpoint before = *ReadCheckpoint(CheckpointPath(run, step)),
                   after = *ReadCheckpoint(CheckpointPath(run, step + 1));
  double squares = 0;
  for (const auto& [name, tensor] : before.tensors) {
    for (size_t i = 0; i < tensor.values.size(); ++i)
      squares += std::pow(double{after.tensors.at(name).values[i]} - tensor.values[i], 2);
  }
  return std::sqrt(squares);
}

// Plain gradient descent moves by learning rate times norm.
TEST(ClipNorm, BoundsHowFarAStepMoves) {
  TrainConfig config = testing::TinyConfig();
  config.optimizer = "sgd";
  config.momentum = 0;
  config.schedule = "constant";
  config.learning_rate = 0.5;
  config.scheme = "float32";
  config.steps = 3;
  config.eval_every = config.checkpoint_every = 1;
  const testing::TempDir directory;
  const std::string free = directory / "free", clipped = directory / "clipped";
  ASSERT_TRUE(testing::RunTiny(config, free).ok());
  config.clip_norm = 1e-2;
  ASSERT_TRUE(testing::RunTiny(config, clipped).ok());
  for (int64_t step = 1; step < 3; ++step) {
    EXPECT_GT(Moved(free, step), 0.01);
    EXPECT_NEAR(Moved(clipped, step), 0.5 * 1e-2, 1e-5) << step;
  }
}

}  // namespace
}  // namespace qat
