#include "import/stable_forms.h"

#include <gtest/gtest.h>

#include <cmath>

#include "passes/passes.h"
#include "support/rows.h"
#include "support/run_model.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

class StableForms : public ::testing::Test {
 protected:
  StableForms() : graph_(testing::RowGraph(4, -100, 100)), x_(graph_.inputs[0]) {}

  int32_t Add(OpType type, const std::string& name, std::vector<int32_t> inputs) {
    const auto output = graph_.AddNode(type, name, DefinitionOf(type).default_attributes, std::move(inputs));
    QAT_CHECK(output.ok());
    return *output;
  }
  int32_t Number(const std::string& name, float value) {
    return graph_.AddConstant(name, {1}, std::vector<float>{value});
  }
  size_t Count(OpType type) const {
    return static_cast<size_t>(std::count_if(graph_.nodes.begin(), graph_.nodes.end(),
                                             [&](const GraphNode& node) { return node.type == type; }));
  }
  std::vector<float> Run(const std::vector<float>& x) const {
    Graph graph = graph_;
    QAT_CHECK(LowerToReal(graph).ok());
    auto bytes = WriteTflite(graph, {});
    QAT_CHECK(bytes.ok());
    return testing::RunOn(*testing::Open(*std::move(bytes)), x);
  }

  Graph graph_;
  int32_t x_;
  std::vector<std::string> notes_;
};

TEST_F(StableForms, ASoftplusDoesNotOverflow) {
  const int32_t exp = Add(OpType::kExp, "exp", {x_});
  const int32_t sum = Add(OpType::kAdd, "sum", {Number("one", 1), exp});
  graph_.outputs = {Add(OpType::kLog, "softplus", {sum})};
  UseStableForms(graph_, notes_);
  QAT_ASSERT_OK(Verify(graph_));
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_EQ(graph_.tensor(graph_.outputs[0]).name, "softplus");
  EXPECT_EQ(Count(OpType::kExp), 1u) << "the old one is gone";
  const std::vector<float> y = Run({-3, 0, 2, 200});
  const std::vector<float> expected = {std::log1p(std::exp(-3.0f)), std::log(2.0f),
                                       std::log1p(std::exp(2.0f)), 200};
  for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 1e-6) << i;
}

TEST_F(StableForms, AnExponentialThatCountsBelowZeroStaysBelowOne) {
  for (const bool greater : {true, false}) {
    graph_ = testing::RowGraph(4, -100, 100);
    const int32_t zero = Number("zero", 0);
    const int32_t condition = Add(greater ? OpType::kGreater : OpType::kLess, "condition", {x_, zero});
    const int32_t scaled = Add(OpType::kMul, "scaled", {x_, Number("scale", 1.05f)});
    const int32_t exp = Add(OpType::kExp, "exp", {x_});
    const int32_t less = Add(OpType::kSub, "less", {exp, Number("one", 1)});
    const int32_t below = Add(OpType::kMul, "below", {Number("alpha", 1.758f), less});
    graph_.outputs = {Add(OpType::kSelectV2, "selu",
                          greater ? std::vector<int32_t>{condition, scaled, below}
                                  : std::vector<int32_t>{condition, below, scaled})};
    UseStableForms(graph_, notes_);
    QAT_ASSERT_OK(Verify(graph_));
    EXPECT_EQ(Count(OpType::kMinimum), 1u);
    const std::vector<float> y = Run({-3, -0.5f, 0.5f, 50});
    const std::vector<float> expected = {1.758f * (std::exp(-3.0f) - 1), 1.758f * (std::exp(-0.5f) - 1),
                                         0.525f, 52.5f};
    for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 1e-5) << i;
  }
  EXPECT_EQ(notes_.size(), 2u);
}

TEST_F(StableForms, ASumThatIsClampedIsNoSoftplus) {
  const int32_t exp = Add(OpType::kExp, "exp", {x_});
  const auto sum = graph_.AddNode(OpType::kAdd, "sum", BinaryAttributes{.activation = Activation::kRelu6},
                                  {exp, Number("one", 1)});
  QAT_ASSERT_OK(sum);
  graph_.outputs = {Add(OpType::kLog, "log", {*sum})};
  const Graph before = graph_;
  UseStableForms(graph_, notes_);
  EXPECT_TRUE(graph_ == before);
}

TEST_F(StableForms, OtherExponentialsStay) {
  const int32_t exp = Add(OpType::kExp, "exp", {x_});
  const int32_t sum = Add(OpType::kAdd, "sum", {exp, Number("one", 1)});
  graph_.outputs = {Add(OpType::kLog, "log", {sum}), sum};
  const int32_t condition = Add(OpType::kGreater, "condition", {x_, Number("half", 0.5f)});
  graph_.outputs.push_back(
      Add(OpType::kSelectV2, "chosen", {condition, x_, Add(OpType::kExp, "exp2", {x_})}));
  const Graph before = graph_;
  UseStableForms(graph_, notes_);
  EXPECT_TRUE(graph_ == before);
  EXPECT_TRUE(notes_.empty());
}

}  // namespace
}  // namespace qat
