#include "eval/layer_diff.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

LayerOutput Layer(std::string name, int32_t index, std::vector<float> values, float step = 0.5f) {
  LayerOutput layer;
  layer.layer = std::move(name);
  layer.op = "conv_2d";
  layer.index = index;
  layer.values = std::move(values);
  layer.step = step;
  return layer;
}

TEST(FirstDifference, IsTheFirstInTheOrderOfExecutionNotTheLargest) {
  const std::vector<LayerOutput> a = {Layer("a", 0, {1, 2}), Layer("b", 1, {1, 2, 3}), Layer("c", 2, {9})};
  const std::vector<LayerOutput> b = {Layer("a", 0, {1, 2}), Layer("b", 1, {1, 2.5f, 2}), Layer("c", 2, {0})};
  const auto found = FirstDifference(a, b);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->layer, "b");
  EXPECT_EQ(found->index, 1);
  EXPECT_EQ(found->differing, 2);
  EXPECT_EQ(found->values, 3);
  EXPECT_EQ(found->steps, 2);
  EXPECT_EQ(found->grids, "");
}

TEST(FirstDifference, LayersOfTheSameNameAreComparedWhereverTheyAre) {
  const std::vector<LayerOutput> a = {Layer("x", 0, {1}), Layer("b", 1, {1}), Layer("wide", 2, {1, 1})};
  const std::vector<LayerOutput> b = {Layer("b", 0, {1}), Layer("y", 1, {7}), Layer("wide", 2, {5})};
  EXPECT_FALSE(FirstDifference(a, b).has_value());
}

TEST(FirstDifference, FloatLayersAreNoMatterOfSteps) {
  EXPECT_FALSE(FirstDifference({Layer("a", 0, {1}, 0)}, {Layer("a", 0, {2}, 0)}).has_value());
}

TEST(FirstDifference, AnotherGridDiffersEvenWhereTheValuesAreEqual) {
  const auto found = FirstDifference({Layer("a", 0, {1}, 0.5f)}, {Layer("a", 0, {1}, 0.25f)});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->steps, 1);
  EXPECT_EQ(found->differing, 0);
  EXPECT_EQ(found->grids, "scale 0.5 and zero point 0 against scale 0.25 and zero point 0");
}

}  // namespace
}  // namespace qat
