#include "spec/range_groups.h"

#include <gtest/gtest.h>

#include "support/test_util.h"

namespace qat {
namespace {

Expected<NetworkSpec> Parse(const std::string& layers) {
  return ParseNetworkSpec("name = \"n\"\n[input]\nheight = 8\nwidth = 8\nchannels = 1\n" + layers,
                          "net.toml");
}

TEST(RangeGroups, PoolsAndReshapesShareWhatTheyRead) {
  const auto spec = LoadNetworkSpec("lenet-article");
  QAT_ASSERT_OK(spec);
  const RangeGroups groups = FindRangeGroups(*spec);
  EXPECT_EQ(groups.of_layer[1], groups.of_layer[0]);  // pool1 and conv1
  EXPECT_EQ(groups.Of(0).observed, std::vector<int32_t>{0});
  EXPECT_EQ(groups.of_layer[5], groups.of_layer[4]);  // flatten and conv3
  EXPECT_NE(groups.of_layer[8], groups.of_layer[7]);
}

TEST(RangeGroups, WhatOnlyMovesTheInputIsFixedByTheContract) {
  const auto spec = Parse("[[layer]]\nname = \"a\"\nop = \"max_pool_2d\"\n");
  QAT_ASSERT_OK(spec);
  EXPECT_TRUE(FindRangeGroups(*spec).Of(0).holds_input);
  EXPECT_TRUE(FindRangeGroups(*spec).Of(0).observed.empty());
}

TEST(RangeGroups, SoftmaxIsFixed) {
  const auto spec = Parse(
      "[[layer]]\nname = \"a\"\nop = \"fully_connected\"\nunits = 3\n[[layer]]\nname = \"b\"\nop = "
      "\"softmax\"\n[[layer]]\nname = \"c\"\nop = \"reshape\"\n");
  QAT_ASSERT_OK(spec);
  const RangeGroups groups = FindRangeGroups(*spec);
  ASSERT_TRUE(groups.Of(1).fixed_uint8.has_value());
  EXPECT_EQ(groups.Of(1).fixed_uint8->scale, 1.0f / 256);
  EXPECT_EQ(groups.Of(0).observed, std::vector<int32_t>{0});
}

}  // namespace
}  // namespace qat
