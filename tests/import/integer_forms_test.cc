#include "import/integer_forms.h"

#include <gtest/gtest.h>

#include "passes/passes.h"
#include "support/run_model.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

class IntegerForms : public ::testing::Test {
 protected:
  IntegerForms() {
    for (const char* name : {"a", "b"}) {
      GraphTensor input;
      input.name = name;
      input.shape = {1, 4};
      graph_.inputs.push_back(graph_.AddTensor(input));
    }
    const InputContract four = {1, 1, 4, {0, 0, 0, 0}, {1, 1, 1, 1}};
    graph_.contract.inputs = {four, four};
    graph_.contract.inputs[0].name = "a";
    graph_.contract.inputs[1].name = "b";
    for (InputContract& input : graph_.contract.inputs) input.shape = {4};
  }
  int32_t Add(OpType type, const std::string& name, std::vector<int32_t> inputs) {
    const auto output = graph_.AddNode(type, name, DefinitionOf(type).default_attributes, std::move(inputs));
    QAT_CHECK(output.ok());
    return *output;
  }
  std::vector<OpType> Types() const {
    std::vector<OpType> types;
    for (const GraphNode& node : graph_.nodes) types.push_back(node.type);
    return types;
  }
  std::vector<float> Run() const {
    Graph graph = graph_;
    QAT_CHECK(LowerToReal(graph).ok());
    auto bytes = WriteTflite(graph, {});
    QAT_CHECK(bytes.ok());
    const auto interpreter = testing::Open(*std::move(bytes));
    const std::vector<float> a = {1.5f, -2.25f, 0, 3e8f}, b = {-0.75f, 7, 1e-9f, 0.1f};
    std::memcpy(interpreter->input(1).data(), b.data(), b.size() * sizeof(float));
    return testing::RunOn(*interpreter, a);
  }

  Graph graph_;
  std::vector<std::string> notes_;
};

TEST_F(IntegerForms, ANegationBesideASumIsADifference) {
  const int32_t minus = Add(OpType::kNeg, "minus", {graph_.inputs[1]});
  graph_.outputs = {Add(OpType::kAdd, "sum", {minus, graph_.inputs[0]})};
  const std::vector<float> before = Run();
  UseIntegerForms(graph_, notes_);
  EXPECT_EQ(Types(), (std::vector<OpType>{OpType::kSub}));
  EXPECT_EQ(graph_.nodes[0].inputs, graph_.inputs);
  EXPECT_EQ(Run(), before);
  EXPECT_EQ(notes_, (std::vector<std::string>{
                        "1 negation or square became a product or a difference, which has integer kernels"}));
}

TEST_F(IntegerForms, OthersAreProducts) {
  const int32_t minus = Add(OpType::kNeg, "minus", {graph_.inputs[0]});
  const int32_t square = Add(OpType::kSquare, "square", {minus});
  const int32_t sum = Add(OpType::kAdd, "sum", {minus, square});  // two read `minus`
  graph_.outputs = {Add(OpType::kAdd, "with_b", {sum, graph_.inputs[1]})};
  const std::vector<float> before = Run();
  UseIntegerForms(graph_, notes_);
  QAT_ASSERT_OK(Verify(graph_));
  EXPECT_EQ(Types(), (std::vector<OpType>{OpType::kMul, OpType::kMul, OpType::kAdd, OpType::kAdd}));
  EXPECT_EQ(Run(), before);
}

TEST_F(IntegerForms, AnOutputStays) {
  const int32_t minus = Add(OpType::kNeg, "minus", {graph_.inputs[1]});
  graph_.outputs = {Add(OpType::kAdd, "sum", {minus, graph_.inputs[0]}), minus};
  UseIntegerForms(graph_, notes_);
  QAT_ASSERT_OK(Verify(graph_));
  EXPECT_EQ(Types(), (std::vector<OpType>{OpType::kMul, OpType::kAdd}));
}

}  // namespace
}  // namespace qat
