#include "ir/batch_axis.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/rows.h"
#include "support/test_util.h"

namespace qat {
namespace {

using Ints = std::vector<int32_t>;

/// [1, 3, 4], as attention reads it: six numbers of two heads and so on, by nodes that `Add` appends.
class Built {
 public:
  Built() : graph(testing::RowGraph(4, -1, 1)) {
    graph.contract.input().shape = {3, 4};
    graph.contract.input().width = 3;
    graph.tensor(graph.inputs[0]).shape = {1, 3, 4};
    last = graph.inputs[0];
  }
  Built& Reshape(const std::string& name, const Shape& shape) {
    return Add(OpType::kReshape, name, ReshapeAttributes{shape},
               {last, graph.AddConstant(name + "/shape", {static_cast<int32_t>(shape.size())}, Ints(shape))});
  }
  Built& Transpose(const std::string& name, const Ints& order) {
    return Add(OpType::kTranspose, name, TransposeAttributes(),
               {last, graph.AddConstant(name + "/perm", {static_cast<int32_t>(order.size())}, order)});
  }
  Built& Mean(const std::string& name, const Ints& axes) {
    return Add(OpType::kMean, name, MeanAttributes(),
               {last, graph.AddConstant(name + "/axes", {static_cast<int32_t>(axes.size())}, axes)});
  }
  Built& Add(OpType type, const std::string& name, OpAttributes attributes, Ints inputs) {
    last = *graph.AddNode(type, name, std::move(attributes), std::move(inputs));
    graph.outputs = {last};
    return *this;
  }
  Shape ShapeOf(const std::string& name) const {
    for (const GraphTensor& tensor : graph.tensors) {
      if (tensor.name == name) return tensor.shape;
    }
    return {};
  }

  Graph graph;
  int32_t last = 0;
};

TEST(KeepBatchFirst, LeavesANetworkAloneThatKeepsItsBatch) {
  Built built;
  built.Transpose("t", {0, 2, 1}).Reshape("r", {1, 12});
  const Graph before = built.graph;
  EXPECT_FALSE(KeepBatchFirst(built.graph));
  EXPECT_EQ(built.graph, before);
}

// Heads along the batch, their products, and back.
TEST(KeepBatchFirst, GivesHeadsAndStepsABatchInFront) {
  Built built;
  built.Reshape("split", {3, 2, 2}).Transpose("heads", {1, 0, 2});
  const int32_t heads = built.last;
  const int32_t scores = *built.graph.AddNode(OpType::kBatchMatMul, "scores",
                                              BatchMatMulAttributes{.adjoint_b = true}, {heads, heads});
  built.Add(OpType::kSoftmax, "softmax", SoftmaxAttributes(), {scores});
  built.Add(OpType::kBatchMatMul, "mixed", BatchMatMulAttributes(), {built.last, heads});
  built.Transpose("steps", {1, 0, 2}).Reshape("rows", {3, 4}).Reshape("joined", {1, 3, 4});
  QAT_ASSERT_OK(Verify(built.graph));
  ASSERT_TRUE(KeepBatchFirst(built.graph));
  QAT_ASSERT_OK(Verify(built.graph));
  EXPECT_EQ(built.ShapeOf("split"), (Shape{1, 3, 2, 2}));
  EXPECT_EQ(built.ShapeOf("heads"), (Shape{1, 2, 3, 2}));
  EXPECT_EQ(built.ShapeOf("scores"), (Shape{1, 2, 3, 3}));
  EXPECT_EQ(built.ShapeOf("steps"), (Shape{1, 3, 2, 2}));
  EXPECT_EQ(built.ShapeOf("rows"), (Shape{1, 3, 4}));
  EXPECT_EQ(built.graph.tensor(built.graph.outputs[0]).name, "joined");
  EXPECT_EQ(built.graph.tensor(built.graph.outputs[0]).shape, (Shape{1, 3, 4}));
}

// As exporters of batch_first=False have it.
TEST(KeepBatchFirst, StepsInFrontAreReducedAndTheBatchIsFirstAgain) {
  Built built;
  built.Transpose("steps", {1, 0, 2}).Mean("mean", {0});
  QAT_ASSERT_OK(Verify(built.graph));
  ASSERT_TRUE(KeepBatchFirst(built.graph));
  QAT_ASSERT_OK(Verify(built.graph));
  EXPECT_EQ(built.ShapeOf("steps"), (Shape{1, 3, 1, 4}));
  EXPECT_EQ(built.ShapeOf("mean"), (Shape{1, 4}));
}

// [1, 4] of each example beside [3, 1, 4]: with several examples, the batch must not meet the three steps.
TEST(KeepBatchFirst, ValuesOfFewerAxesGetTheBatchInFrontToo) {
  Built built;
  built.Mean("mean", {1});  // [1, 4]
  const int32_t mean = built.last;
  built.last = built.graph.inputs[0];
  built.Transpose("steps", {1, 0, 2});
  built.Add(OpType::kSub, "sub", BinaryAttributes(), {built.last, mean});
  built.Transpose("back", {1, 0, 2});
  QAT_ASSERT_OK(Verify(built.graph));
  ASSERT_TRUE(KeepBatchFirst(built.graph));
  QAT_ASSERT_OK(Verify(built.graph));
  EXPECT_EQ(built.ShapeOf("mean"), (Shape{1, 4}));
  EXPECT_EQ(built.ShapeOf("mean/with_batch"), (Shape{1, 1, 1, 4}));
  EXPECT_EQ(built.ShapeOf("sub"), (Shape{1, 3, 1, 4}));
  EXPECT_EQ(built.ShapeOf("back"), (Shape{1, 3, 4}));
}

TEST(KeepBatchFirst, LeavesANetworkAloneWhoseAxesItDoesNotKnow) {
  const auto untouched = [](Built built) {
    const Graph before = built.graph;
    return !KeepBatchFirst(built.graph) && built.graph == before;
  };
  // An output without a batch.
  EXPECT_TRUE(untouched(Built().Reshape("r", {3, 4})));
  // Five axes.
  EXPECT_TRUE(untouched(Built().Reshape("r", {3, 2, 2, 1}).Reshape("back", {1, 12})));
  // An operator whose axes are not followed.
  Built cumulated;
  cumulated.Reshape("r", {3, 4});
  const int32_t axis = cumulated.graph.AddConstant("axis", {}, Ints{0});
  cumulated
      .Add(OpType::kCumsum, "sum", DefinitionOf(OpType::kCumsum).default_attributes, {cumulated.last, axis})
      .Reshape("back", {1, 12});
  EXPECT_TRUE(untouched(cumulated));
}

}  // namespace
}  // namespace qat
