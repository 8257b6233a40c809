// Our flat loops against torch::optim over many steps.
#include "train/optimizer.h"

#include <gtest/gtest.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "train/weight_average.h"

namespace qat {
namespace {

constexpr int64_t kSize = 37;

// Two parameters, the second of which does not decay, and gradients that change from step to step.
struct Twin {
  std::vector<float> values[2];
  std::vector<float> gradients[2];
  at::Tensor tensors[2];
  std::vector<TrainableSpan> spans;

  Twin() {
    Random random(3);
    for (int i = 0; i < 2; ++i) {
      for (int64_t k = 0; k < kSize; ++k) values[i].push_back(2 * random.Uniform() - 1);
      gradients[i].resize(kSize);
      tensors[i] = torch::tensor(values[i]).requires_grad_(true);
      spans.push_back({i == 0 ? "filter" : "bias", values[i], gradients[i], i == 0});
    }
  }

  void NewGradients(int step) {
    Random random(MixKey(100, step));
    for (int i = 0; i < 2; ++i) {
      for (float& g : gradients[i]) g = (2 * random.Uniform() - 1) * (step % 7 == 0 ? 10 : 0.1f);
      tensors[i].mutable_grad() = torch::tensor(gradients[i]);
    }
  }

  void ExpectEqual() const {
    for (int i = 0; i < 2; ++i) {
      for (int64_t k = 0; k < kSize; ++k) {
        const auto at = static_cast<size_t>(k);
        ASSERT_NEAR(values[i][at], tensors[i].data_ptr<float>()[k], 2e-5) << i << " " << k;
      }
    }
  }
};

template <class Optimizer, class Options>
Optimizer Oracle(Twin& twin, const Options& with_decay, const Options& without) {
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<at::Tensor>{twin.tensors[0]}, std::make_unique<Options>(with_decay));
  groups.emplace_back(std::vector<at::Tensor>{twin.tensors[1]}, std::make_unique<Options>(without));
  // Newer LibTorch lets a group inherit what it says as the default would: the defaults must not decay.
  return Optimizer(groups, without);
}

TEST(Adam, EqualsTorchOverManySteps) {
  Twin twin;
  using torch::optim::AdamWOptions;
  auto oracle = Oracle<torch::optim::AdamW>(twin, AdamWOptions(0.01).weight_decay(0.1),
                                            AdamWOptions(0.01).weight_decay(0));
  const auto ours = MakeAdam(0.1);
  for (int step = 0; step < 200; ++step) {
    twin.NewGradients(step);
    ours->Step(twin.spans, 0.01);
    oracle.step();
  }
  twin.ExpectEqual();
}

TEST(Sgd, EqualsTorchOverManySteps) {
  using torch::optim::SGDOptions;
  for (const auto& [momentum, nesterov] : {std::pair(0.9, false), {0.0, false}, {0.9, true}, {0.5, true}}) {
    Twin twin;
    const auto options = SGDOptions(0.01).momentum(momentum).nesterov(nesterov);
    auto oracle = Oracle<torch::optim::SGD>(twin, SGDOptions(options).weight_decay(0.1),
                                            SGDOptions(options).weight_decay(0));
    const auto ours = MakeSgd(0.1, momentum, nesterov);
    for (int step = 0; step < 200; ++step) {
      twin.NewGradients(step);
      ours->Step(twin.spans, 0.01);
      oracle.step();
    }
    twin.ExpectEqual();
  }
}

// Values in units of 300 and 0.02 learn as the same values divided by them do, under a loss that is the same.
TEST(Optimizer, LearnsInTheUnitsOfEachRow) {
  for (const bool adam : {true, false}) {
    const std::vector<float> units = {300, 0.02f};
    std::vector<float> plain = {0.5f, -1, 2, 0.25f, 1, -0.125f}, scaled = plain;
    for (size_t k = 0; k < plain.size(); ++k) scaled[k] *= units[k / 3];
    std::vector<float> gradient(6), scaled_gradient(6);
    const std::vector<TrainableSpan> one = {{"filter", plain, gradient, true}};
    const std::vector<TrainableSpan> two = {{"filter", scaled, scaled_gradient, true, units}};
    const auto of_one = adam ? MakeAdam(0.1) : MakeSgd(0.1);
    const auto of_two = adam ? MakeAdam(0.1) : MakeSgd(0.1);
    Random random(5);
    for (int step = 0; step < 100; ++step) {
      for (size_t k = 0; k < plain.size(); ++k) {
        gradient[k] = 2 * random.Uniform() - 1;
        scaled_gradient[k] = gradient[k] / units[k / 3];
      }
      of_one->Step(one, 0.01);
      of_two->Step(two, 0.01);
    }
    for (size_t k = 0; k < plain.size(); ++k)
      EXPECT_NEAR(scaled[k] / units[k / 3], plain[k], 1e-4) << adam << k;
    EXPECT_GT(std::abs(plain[0] - 0.5f), 0.01f);
  }
}

TEST(Optimizer, ContinuesFromItsStateToTheSameBits) {
  for (const bool adam : {true, false}) {
    Twin straight, resumed;
    auto one = adam ? MakeAdam(0.01) : MakeSgd(0.01);
    auto two = adam ? MakeAdam(0.01) : MakeSgd(0.01);
    for (int step = 0; step < 20; ++step) {
      straight.NewGradients(step);
      resumed.NewGradients(step);
      one->Step(straight.spans, 0.01);
      if (step == 10) {
        TrainerState state;
        two->Save(resumed.spans, state);
        two = adam ? MakeAdam(0.01) : MakeSgd(0.01);
        ASSERT_TRUE(two->Load(resumed.spans, state).ok());
      }
      two->Step(resumed.spans, 0.01);
    }
    EXPECT_EQ(straight.values[0], resumed.values[0]);
    EXPECT_EQ(straight.values[1], resumed.values[1]);
  }
}

TEST(Optimizer, NamesTheTensorThatAStateLacks) {
  Twin twin;
  TrainerState state;
  state.scalars["adam/step"] = 1;
  const Status status = MakeAdam(0)->Load(twin.spans, state);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("adam/m/filter"), std::string::npos);
}

TEST(WeightAverage, StartsAsACopyAndForgetsByItsDecay) {
  std::vector<float> value = {2};
  const std::vector<TrainableSpan> spans = {{"x", value, {}, false}};
  WeightAverage average(0.5);
  average.Update(spans);
  EXPECT_EQ(average.values()[0][0], 2);
  value[0] = 4;
  for (int i = 0; i < 30; ++i) average.Update(spans);
  EXPECT_NEAR(average.values()[0][0], 4, 1e-4);
  value[0] = 8;
  average.Update(spans);
  EXPECT_NEAR(average.values()[0][0], 6, 1e-4) << "half of the way, once warm";
}

}  // namespace
}  // namespace qat
