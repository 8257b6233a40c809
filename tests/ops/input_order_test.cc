#include "ops/input_order.h"

#include <gtest/gtest.h>

#include <string>

namespace qat {
namespace {

using Role = ParameterSpec::Role;
using Names = std::vector<std::string>;

Names Order(OpType type, const Names& data, const std::vector<std::pair<Role, std::string>>& parameters,
            const Names& indices) {
  return OrderInputs<std::string>(DefinitionOf(type), data, parameters, indices);
}

// TFLite's builtin operators, by their documentation.
TEST(OrderInputs, FollowsTflite) {
  EXPECT_EQ(Order(OpType::kConv2D, {"x"}, {{Role::kFilter, "w"}, {Role::kBias, "b"}}, {}),
            (Names{"x", "w", "b"}));
  EXPECT_EQ(Order(OpType::kReshape, {"x"}, {}, {"shape"}), (Names{"x", "shape"}));
  EXPECT_EQ(Order(OpType::kConcatenation, {"x", "y", "z"}, {}, {}), (Names{"x", "y", "z"}));
  EXPECT_EQ(Order(OpType::kSlice, {"x"}, {}, {"begin", "size"}), (Names{"x", "begin", "size"}));
  EXPECT_EQ(Order(OpType::kTransposeConv, {"x"}, {{Role::kFilter, "w"}, {Role::kBias, "b"}}, {"shape"}),
            (Names{"shape", "w", "x", "b"}));
}

}  // namespace
}  // namespace qat
