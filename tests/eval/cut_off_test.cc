#include "eval/cut_off.h"

#include <gtest/gtest.h>

#include <memory>

#include "passes/passes.h"
#include "runtime/runnable_model.h"
#include "support/rows.h"
#include "support/test_util.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

// [1, 2] of reals from -1 to 1, normalized by mean 5 and std 2 -> fully connected.
Graph Sums() {
  Graph graph = testing::RowNetwork();
  InputContract& input = graph.contract.input();
  input.mean = {5, 5};
  input.std = {2, 2};
  input.low = -1;
  input.high = 1;
  GraphTensor& output = graph.tensor(graph.outputs[0]);
  output.has_range = true;
  output.range = {-2, 2};
  output.limits = kInt8Limits;
  return graph;
}

std::vector<std::string> SentencesOn(Graph graph, const std::vector<float>& values, bool real_input = false) {
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kInt8);
  std::vector<std::string> warnings;
  EXPECT_TRUE(ChooseQuantization(graph, options, warnings).ok());
  EXPECT_TRUE(!real_input || SetInputType(DType::kFloat32, 0, graph).ok());
  const auto model = *RunnableFromBytes(*WriteTflite(graph, {}), "m.tflite");
  const auto sentences = DescribeCutOff(*model, "m.tflite", graph.contract, testing::Rows(values, 2));
  EXPECT_TRUE(sentences.ok());
  return *sentences;
}

TEST(DescribeCutOff, NamesTheShareBeyondTheRange) {
  // 3 to 7 is what -1 to 1 stands for.
  EXPECT_TRUE(SentencesOn(Sums(), {3, 5, 7, 6.9f, 4, 5}).empty());
  const auto sentences = SentencesOn(Sums(), {3, 5, 7.5f, 6.9f, 2, 5, 5, 5});
  ASSERT_EQ(sentences.size(), 1u);
  EXPECT_EQ(
      sentences[0].find("m.tflite: 25.0 % of the values of the input lie beyond what its integers reach ("),
      0u)
      << sentences[0];
}

TEST(DescribeCutOff, LooksBehindTheNormalizationOfTheModelItself) {
  EXPECT_TRUE(SentencesOn(Sums(), {3, 5, 7, 6.9f, 4, 5}, true).empty());
  EXPECT_EQ(SentencesOn(Sums(), {3, 5, 7.5f, 6.9f, 2, 5, 5, 5}, true).size(), 1u);
}

TEST(DescribeCutOff, SaysNothingOfAFewAndOfAnInputThatStaysReal) {
  std::vector<float> values(400, 5);
  values[7] = 100;
  EXPECT_TRUE(SentencesOn(Sums(), values).empty()) << "a quarter of a percent";
  Graph real = Sums();
  QAT_ASSERT_OK(LowerToReal(real));
  const auto model = *RunnableFromBytes(*WriteTflite(real, {}), "m.tflite");
  const auto sentences =
      DescribeCutOff(*model, "m.tflite", real.contract, testing::Rows({30, 50, 70, 60}, 2));
  QAT_ASSERT_OK(sentences);
  EXPECT_TRUE(sentences->empty());
}

}  // namespace
}  // namespace qat
