#include "train/run_contract.h"

#include <cmath>

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

// A table of two columns: small numbers, and those given.
Dataset Table(const std::vector<float>& times) {
  Dataset data;
  data.name = "log.csv";
  data.input() = {1, 1, 2, ValueType::kReal, {2}, "", {"load", "time"}};
  for (size_t i = 0; i < times.size(); ++i) {
    const float row[] = {0.5f * static_cast<float>(i), times[i]};
    const auto* bytes = reinterpret_cast<const uint8_t*>(row);
    data.images.insert(data.images.end(), bytes, bytes + sizeof(row));
    data.labels.push_back(static_cast<int32_t>(i % 2));
  }
  return data;
}

TEST(MakeContract, NamesTheColumnInUnitsThatItCannotHold) {
  TrainConfig config;
  config.mean.values = config.std.values = {};
  QAT_EXPECT_ERROR(
      MakeContract(config, Table({1.7e18f, 1.701e18f, 1.702e18f}), OneByOne("")), ErrorCode::kCorrupt,
      "log.csv: column 'time' has the mean 1.701e+18, expected one from -1e+15 to 1e+15; subtract a "
      "constant from the numbers before they become float32");
  QAT_EXPECT_ERROR(
      MakeContract(config, Table({1e-24f, 3e-24f}), OneByOne("")), ErrorCode::kCorrupt,
      ", expected one from 1e-15 to 1e+15; multiply the numbers by a constant before they become float32");
  QAT_EXPECT_ERROR(MakeContract(config, Table({1e20f, 3e20f}), OneByOne("")), ErrorCode::kCorrupt,
                   "column 'time' has the deviation 1e+20, expected one from 1e-15 to 1e+15; divide ");
  Dataset unnamed = Table({1e20f, 3e20f});
  unnamed.input().features.clear();
  QAT_EXPECT_ERROR(MakeContract(config, unnamed, OneByOne("")), ErrorCode::kCorrupt,
                   "log.csv: channel 1 of the input has the deviation 1e+20");
  EXPECT_TRUE(MakeContract(config, Table({1.7e9f, 1.7001e9f}), OneByOne("")).ok());
  config.std.values = {1};
  EXPECT_TRUE(MakeContract(config, Table({1e-24f, 3e-24f}), OneByOne("")).ok());
}

// A place of a map has no gain of its own: a convolution gives all of them the same.
TEST(MakeContract, NormalizesAMapByItsChannels) {
  Dataset data;
  data.name = "depths";
  data.input().height = 1;
  data.input().width = 2;
  data.input().channels = 2;
  data.images = {10, 255, 30, 25, 1, 2, 3, 4};
  data.task = Task::kNumbers;
  data.targets = 4;  // two places of two channels
  data.numbers = {1, 100, 3, 100, 1, 300, 7, 300};
  const Graph network = testing::OneLayer(1, 2, 2, "op = \"conv_2d\"\nfilters = 2\nkernel = 1");
  const auto contract = MakeContract(TrainConfig(), data, network);
  QAT_ASSERT_OK(contract);
  ASSERT_EQ(contract->outputs.size(), 1u);
  EXPECT_EQ(contract->outputs[0].mean, (std::vector<float>{3, 200}));
  EXPECT_EQ(contract->outputs[0].std, (std::vector<float>{std::sqrt(6.0f), 100}));
}

// Raw sensors of other sizes: 0.001 has no steps beside 50,000.
TEST(CoarseChannels, NamesThoseThatShareAScaleWithFarLargerOnes) {
  InputContract input{1, 1, 3, {0, 0, 0}, {1, 1, 1}, ValueType::kReal, {3}, -20, 50000};
  ExampleInput data;
  data.features = {"current", "pressure", "angle"};
  const ChannelStatistics raw = {{0, 25000, 0}, {1, 1, 1}, {0, 0, -20}, {0.001, 50000, 20}};
  EXPECT_EQ(
      CoarseChannels(input, raw, data),
      "column 'current', column 'angle' span fewer than 8 steps of 255, since all channels share one scale, "
      "which reaches from -20 to 50000; `mean` dataset and `std` dataset give each its own unit");
  input.std = {0.0005f, 25000, 10};
  input.low = -2;
  input.high = 2;
  EXPECT_EQ(CoarseChannels(input, raw, data), "");
}

TEST(CrowdedChannels, NamesThoseWhoseValuesLieTogetherWhileSingleOnesReachFar) {
  ExampleInput data;
  data.features = {"price", "angle"};
  InputContract input;
  input.values = ValueType::kReal;
  input.channels = 2;
  input.mean = {1, 50};
  input.std = {2, 30};
  input.low = -2;
  input.high = 60;
  const ChannelStatistics measured = {{1, 50}, {2, 30}, {0, 0}, {121, 100}};
  ChannelSample sample(2);
  for (int i = 0; i < 100; ++i) sample.Observe(std::vector<float>{i == 7 ? 121.0f : i * 0.02f, i * 1.0f});
  const std::string text = CrowdedChannels(input, measured, sample, data);
  EXPECT_EQ(
      text.find("column 'price': nine of ten values lie within fewer than 8 steps of 255, since single ones "
                "reach from -2 to 60 deviations; leave out what is no measurement"),
      0u)
      << text;
  input.high = 3;
  EXPECT_EQ(CrowdedChannels(input, measured, sample, data), "") << "5 in 255 steps tell them apart";
}

}  // namespace
}  // namespace qat
