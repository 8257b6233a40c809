#include "train/mixup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "train/data_feed.h"
#include "train/run_contract.h"
#include "train/step_engine.h"
#include "train/tiny_run.h"

namespace qat {
namespace {

// Of Beta(a, a): mean 1/2, variance 1 / (4 (2a + 1)), and for a = 1 uniform, for a = 1/2 P(x < p) = 2/pi
// asin(sqrt(p)).
TEST(DrawBeta, HasItsMomentsAndQuantiles) {
  constexpr int kDraws = 40'000;
  for (const double alpha : {0.02, 0.2, 0.5, 1.0, 3.0, 40.0}) {
    double sum = 0, squares = 0;
    int below_tenth = 0;
    for (int i = 0; i < kDraws; ++i) {
      Random random(MixKey(17, i));
      const double x = DrawBeta(alpha, random);
      ASSERT_TRUE(x >= 0 && x <= 1) << alpha;
      sum += x;
      squares += (x - 0.5) * (x - 0.5);
      below_tenth += x < 0.1;
    }
    const double variance = 1 / (4 * (2 * alpha + 1));
    EXPECT_NEAR(sum / kDraws, 0.5, 4 * std::sqrt(variance / kDraws)) << alpha;
    EXPECT_NEAR(squares / kDraws, variance, 0.02 * variance) << alpha;
    if (alpha != 1 && alpha != 0.5) continue;
    EXPECT_NEAR(below_tenth / double{kDraws}, alpha == 1 ? 0.1 : 2 / M_PI * std::asin(std::sqrt(0.1)), 0.008);
  }
}

TEST(DrawMixture, IsAPermutationAndFollowsFromSeedAndStep) {
  const Mixture mixture = DrawMixture(0.4, 3, 11, 57);
  std::vector<int32_t> sorted = mixture.partners, all(57);
  std::sort(sorted.begin(), sorted.end());
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(sorted, all);
  EXPECT_NE(mixture.partners, all);
  EXPECT_GE(mixture.share, 0.5);
  EXPECT_LE(mixture.share, 1);
  EXPECT_EQ(DrawMixture(0.4, 3, 11, 57).partners, mixture.partners);
  EXPECT_EQ(DrawMixture(0.4, 3, 11, 57).share, mixture.share);
  EXPECT_NE(DrawMixture(0.4, 3, 12, 57).partners, mixture.partners);
  EXPECT_NE(DrawMixture(0.4, 4, 11, 57).share, mixture.share);
}

class MixedFeed : public ::testing::Test {
 protected:
  MixedFeed() {
    config_.batch_size = 10;
    config_.mixup = 1;
    config_.shift_pixels = 2;
    config_.mean.values = {100};
    config_.std.values = {50};
    examples_.resize(static_cast<size_t>(data_.size()));
    std::iota(examples_.begin(), examples_.end(), 0);
  }
  Batch Read(bool mixed, int64_t step, const WorkerPlace& place = {}) {
    TrainConfig config = config_;
    if (!mixed) config.mixup = 0;
    const Contract contract = *MakeContract(config, data_, network_);
    DataFeed feed(data_, config, InputTensors(contract, network_), examples_);
    return *feed.Read(step, place);
  }

  const Dataset data_ = testing::Quarters(40, 1);
  const Graph network_ = testing::Parsed(testing::kTinySpec);
  TrainConfig config_ = testing::TinyConfig();
  std::vector<int32_t> examples_;
};

// The oracle: the plain batch of the same step, mixed value by value.
TEST_F(MixedFeed, MixesWhatAPlainBatchHas) {
  const Batch plain = Read(false, 5), mixed = Read(true, 5);
  const Mixture mixture = DrawMixture(1, config_.seed, 5, 10);
  ASSERT_GT(1 - mixture.share, 0.01);
  const int64_t size = plain.inputs[0].numel() / 10;
  const float* before = plain.inputs[0].data_ptr<float>();
  const at::Tensor values = mixed.inputs[0].contiguous();
  for (int64_t n = 0; n < 10; ++n) {
    const int64_t partner = mixture.partners[static_cast<size_t>(n)];
    for (int64_t i = 0; i < size; ++i) {
      const double expected =
          mixture.share * before[n * size + i] + (1 - mixture.share) * before[partner * size + i];
      ASSERT_NEAR(values.data_ptr<float>()[n * size + i], expected, 2e-6);
    }
    EXPECT_EQ(mixed.outputs[0].labels[static_cast<size_t>(n)],
              plain.outputs[0].labels[static_cast<size_t>(n)]);
    EXPECT_EQ(mixed.others[0].labels[static_cast<size_t>(n)],
              plain.outputs[0].labels[static_cast<size_t>(partner)]);
  }
  EXPECT_EQ(mixed.own_part, mixture.share);
}

// Each has its share of what one process reads, with partners that are elsewhere.
TEST_F(MixedFeed, IsTheSameInSeveralProcesses) {
  const Batch whole = Read(true, 3);
  const int64_t size = whole.inputs[0].numel() / 10;
  for (int rank = 0; rank < 3; ++rank) {
    WorkerPlace place;
    place.rank = rank;
    place.size = 3;
    const Batch part = Read(true, 3, place);
    const int64_t count = part.inputs[0].size(0);
    ASSERT_EQ(part.outputs[0].labels.size(), static_cast<size_t>(count));
    EXPECT_NEAR(part.share, static_cast<double>(count) / 10, 1e-12);
    for (int64_t n = 0; n < count; ++n) {
      const auto at = static_cast<size_t>(part.first + n);
      EXPECT_EQ(part.outputs[0].labels[static_cast<size_t>(n)], whole.outputs[0].labels[at]);
      EXPECT_EQ(part.others[0].labels[static_cast<size_t>(n)], whole.others[0].labels[at]);
      const float *own = part.inputs[0].data_ptr<float>() + n * size,
                  *same = whole.inputs[0].data_ptr<float>() + static_cast<int64_t>(at) * size;
      for (int64_t i = 0; i < size; ++i) ASSERT_NEAR(own[i], same[i], 2e-6) << rank << " " << n;
    }
  }
}

// One step of plain gradient descent on a mixed batch is the sum of the parts of two steps, with the labels
// of each.
TEST_F(MixedFeed, TheLossIsThatOfBothLabels) {
  TrainConfig config = config_;
  config.optimizer = "sgd";
  config.momentum = 0;
  config.scheme = "float32";
  const Contract contract = *MakeContract(config, data_, network_);
  std::string text = testing::kTinySpec;
  text.replace(text.find("keep = 0.8"), 10, "keep = 1.0");
  const Graph network = testing::Parsed(text);
  Batch mixed = Read(true, 5);
  const auto step = [&](bool own, bool others) {
    Batch batch = mixed;
    if (own != others) {
      batch.outputs = own ? mixed.outputs : mixed.others;
      batch.others.clear();
    }
    Schedule schedule;
    schedule.steps = schedule.quant_delay = schedule.freeze_batch_norm_at = schedule.freeze_ranges_at = 1000;
    schedule.eval_every = schedule.checkpoint_every = 10;
    const auto engine = StepEngine::Create(network, config, schedule, contract, nullptr).value();
    TrainerState before, after;
    engine->Save(before);
    const double loss = engine->Step(batch, 0)->loss;
    engine->Save(after);
    std::vector<double> moved = {loss};
    for (const auto& [name, tensor] : before.tensors) {
      if (!name.starts_with("parameter/")) continue;
      for (size_t i = 0; i < tensor.values.size(); ++i)
        moved.push_back(double{after.tensors.at(name).values[i]} - tensor.values[i]);
    }
    return moved;
  };
  const std::vector<double> both = step(true, true), first = step(true, false), second = step(false, true);
  ASSERT_NE(first, second);
  for (size_t i = 0; i < both.size(); ++i)
    EXPECT_NEAR(both[i], mixed.own_part * first[i] + (1 - mixed.own_part) * second[i],
                1e-6 * std::max(1.0, std::abs(both[i])))
        << i;
}

}  // namespace
}  // namespace qat
