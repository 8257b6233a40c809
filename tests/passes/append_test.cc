#include <gtest/gtest.h>

#include "passes/passes.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"

namespace qat {
namespace {

using qat::testing::TinyGraph;

TEST(AppendSoftmax, BecomesTheOutput) {
  Graph g = TinyGraph();
  QAT_ASSERT_OK(AppendSoftmax(g));
  QAT_ASSERT_OK(Verify(g));
  EXPECT_EQ(g.tensor(g.outputs[0]).name, "fc/softmax");
  EXPECT_EQ(g.tensor(g.outputs[0]).shape, (Shape{1, 3}));
  EXPECT_EQ(std::get<SoftmaxAttributes>(g.nodes.back().attributes).beta, 1);
}

TEST(AppendArgMax, GivesOneIndexPerExample) {
  for (const DType type : {DType::kInt32, DType::kInt64}) {
    Graph g = TinyGraph();
    QAT_ASSERT_OK(AppendArgMax(g, type));
    QAT_ASSERT_OK(Verify(g));
    EXPECT_EQ(g.tensor(g.outputs[0]).name, "fc/argmax");
    EXPECT_EQ(g.tensor(g.outputs[0]).shape, Shape{1});
    EXPECT_EQ(g.tensor(g.outputs[0]).type, type);
  }
}

TEST(AppendArgMax, RefusesATypeThatIsNoIndex) {
  Graph g = TinyGraph();
  QAT_EXPECT_ERROR(AppendArgMax(g, DType::kUInt8), ErrorCode::kInvalidArgument,
                   "argmax type is uint8, expected int32 or int64");
}

TEST(Append, RefusesWhatIsThereAlready) {
  Graph g = TinyGraph();
  QAT_ASSERT_OK(AppendSoftmax(g));
  QAT_EXPECT_ERROR(AppendSoftmax(g), ErrorCode::kInvalidArgument, "the graph ends in softmax already");
  QAT_ASSERT_OK(AppendArgMax(g, DType::kInt32));
  QAT_EXPECT_ERROR(AppendSoftmax(g), ErrorCode::kInvalidArgument, "output 'fc/softmax/argmax' of type int32");
}

TEST(Append, RefusesANetworkThatWasTrainedForRealNumbers) {
  Graph g = TinyGraph();
  g.provenance["task"] = "classes";
  QAT_ASSERT_OK(AppendSoftmax(g));
  for (const bool softmax : {true, false}) {
    g = TinyGraph();
    g.provenance["task"] = "numbers";
    QAT_EXPECT_ERROR(
        softmax ? AppendSoftmax(g) : AppendArgMax(g, DType::kInt32), ErrorCode::kInvalidArgument,
        "trained for 3 real numbers, and output 'fc' is the answer itself, not a score per class; "
        "leave `append` out");
    EXPECT_EQ(g.nodes.size(), TinyGraph().nodes.size());
  }
}

TEST(AppendSigmoid, FollowsFromTheTask) {
  for (const char* task : {"yes-no", "multi-label", ""}) {
    Graph g = TinyGraph();
    if (*task != 0) g.provenance["task"] = task;
    QAT_ASSERT_OK(AppendSigmoid(g));
    QAT_ASSERT_OK(Verify(g));
    EXPECT_EQ(g.tensor(g.outputs[0]).name, "fc/sigmoid");
    EXPECT_EQ(g.nodes.back().type, OpType::kLogistic);
    QAT_EXPECT_ERROR(AppendSigmoid(g), ErrorCode::kInvalidArgument, "the graph ends in sigmoid already");
  }
  Graph g = TinyGraph();
  g.provenance["task"] = "classes";
  QAT_EXPECT_ERROR(AppendSigmoid(g), ErrorCode::kInvalidArgument,
                   "trained for one of 3 classes; give `append` softmax");
  g.provenance["task"] = "multi-label";
  QAT_EXPECT_ERROR(AppendArgMax(g, DType::kInt32), ErrorCode::kInvalidArgument,
                   "3 scores that are each judged by itself; give `append` sigmoid");
  g.provenance["task"] = "reconstruction";
  QAT_EXPECT_ERROR(AppendSoftmax(g), ErrorCode::kInvalidArgument, "trained for its input");
}

TEST(Append, RefusesOneOutput) {
  Graph g = TinyGraph();
  const int32_t filter = g.AddConstant("one/filter", {1, 3}, std::vector<float>{1, 2, 3});
  const int32_t bias = g.AddConstant("one/bias", {1}, std::vector<float>{0});
  g.outputs = {
      *g.AddNode(OpType::kFullyConnected, "one", FullyConnectedAttributes(), {g.outputs[0], filter, bias})};
  QAT_EXPECT_ERROR(
      AppendSoftmax(g), ErrorCode::kInvalidArgument,
      "output 'one' of shape [1, 1], expected a score per class, at least 2; with one score softmax is "
      "always 1");
  QAT_EXPECT_ERROR(AppendArgMax(g, DType::kInt64), ErrorCode::kInvalidArgument, "argmax is always 0");
}

TEST(Append, TakesOneOfTwoOutputsByItsOwnTask) {
  const auto two = [] {
    Graph g = TinyGraph();
    g.outputs.push_back(g.nodes[0].output());
    g.contract.outputs = {{.task = Task::kNumbers, .name = "fc"}, {.task = Task::kClasses, .name = "other"}};
    return g;
  };
  Graph g = two();
  QAT_EXPECT_ERROR(AppendSoftmax(g, 0), ErrorCode::kInvalidArgument, "and output 'fc' is the answer itself");
  const std::string other = g.tensor(g.outputs[1]).name;
  QAT_ASSERT_OK(AppendSoftmax(g, 1));
  QAT_ASSERT_OK(Verify(g));
  EXPECT_EQ(g.tensor(g.outputs[0]).name, "fc");
  EXPECT_EQ(g.tensor(g.outputs[1]).name, other + "/softmax");
  QAT_EXPECT_ERROR(AppendSigmoid(g, 1), ErrorCode::kInvalidArgument, "give `append` softmax");
}

}  // namespace
}  // namespace qat
