#include "train/run_contract.h"

#include "support/test_util.h"
#include "train/tiny.h"

namespace qat {
namespace {

// Two channels: one of two values, one, as alpha often is, of 255 only.
Dataset WithAlpha() {
  Dataset data;
  data.name = "icons";
  data.input().height = data.input().width = 1;
  data.input().channels = 2;
  data.labels = {0, 1};
  data.images = {10, 255, 30, 255};
  return data;
}

Graph OneByOne(const std::string& activation) {
  return testing::OneLayer(1, 1, 2, "op = \"fully_connected\"\nunits = 2\n" + activation);
}

TEST(MakeContract, NamesAChannelOfOneValueWhoseDeviationIsAskedFor) {
  TrainConfig config;
  config.mean.values = {20};
  config.std.values = {};
  QAT_EXPECT_ERROR(MakeContract(config, WithAlpha(), OneByOne("")), ErrorCode::kInvalidArgument,
                   "channel 1 of the images of icons is 255 everywhere, so std \"dataset\" is 0 for it");
  config.std.values = {10};
  config.mean.values = {};
  const auto contract = MakeContract(config, WithAlpha(), OneByOne(""));
  QAT_ASSERT_OK(contract);
  EXPECT_EQ(contract->input().mean, (std::vector<float>{20, 255}));
  EXPECT_EQ(contract->input().std, (std::vector<float>{10, 10}));
  EXPECT_TRUE(contract->outputs.empty() || contract->outputs[0].mean.empty());
}

TEST(MakeContract, NormalizesEachTargetWhereTheNetworkCanGiveAnyNumber) {
  Dataset data = WithAlpha();
  data.labels.clear();
  data.task = Task::kNumbers;
  data.targets = 2;
  data.numbers = {290, 7, 310, 7};  // the second is the same everywhere
  TrainConfig config;
  config.scale_to_targets = true;
  const auto contract = MakeContract(config, data, OneByOne(""));
  QAT_ASSERT_OK(contract);
  ASSERT_EQ(contract->outputs.size(), 1u);
  EXPECT_EQ(contract->outputs[0].task, Task::kNumbers);
  EXPECT_EQ(contract->outputs[0].mean, (std::vector<float>{300, 7}));
  EXPECT_EQ(contract->outputs[0].std, (std::vector<float>{10, 1}));
  std::vector<float> values = {290, 7, 305, 8};
  NormalizeTargets(contract->outputs[0], values);
  EXPECT_EQ(values, (std::vector<float>{-1, 0, 0.5, 1}));
  RestoreTargets(contract->outputs[0], values);
  EXPECT_EQ(values, (std::vector<float>{290, 7, 305, 8}));
  // What a relu gives is never negative.
  EXPECT_TRUE(MakeContract(config, data, OneByOne("activation = \"relu\""))->outputs[0].mean.empty());
  config.scale_to_targets = false;
  EXPECT_TRUE(MakeContract(config, data, OneByOne(""))->outputs[0].mean.empty());
}

}  // namespace
}  // namespace qat
