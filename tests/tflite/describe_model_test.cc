#include "tflite/describe_model.h"

#include <gtest/gtest.h>

#include "base/zip.h"
#include "passes/passes.h"
#include "support/places.h"
#include "support/subprocess.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using qat::testing::TinyGraph;

Bytes Written(Graph graph, Scheme scheme) {
  QuantizationOptions options;
  options.precisions = PrecisionsOf(scheme);
  std::vector<std::string> warnings;
  EXPECT_TRUE(ChooseQuantization(graph, options, warnings).ok());
  auto bytes = WriteTflite(graph, {});
  EXPECT_TRUE(bytes.ok());
  return *std::move(bytes);
}

// What read_description.py, which knows nothing of ours, finds in the file.
std::string SeenByOthers(const Graph& graph, Scheme scheme) {
  const testing::TempDir folder;
  const std::string path = folder / "m.tflite";
  EXPECT_TRUE(WriteFile(path, Written(graph, scheme)).ok());
  const auto result = testing::Run(
      {testing::kLitertPython, std::string(testing::kSourceDir) + "/tests/tflite/read_description.py", path});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result.out;
}

TEST(StandardMetadata, SayWhatOthersNeedOfAUint8Model) {
  QAT_NEEDS_PYTHON("ai_edge_litert");
  EXPECT_EQ(SeenByOthers(TinyGraph(), Scheme::kUInt8),
            "identifier M001\n"
            "name \n"
            "parser \n"
            "input: \n"
            "  content 2 colours 2\n"
            "  process unit 1 mean [0.0] std [255.0]\n"
            "output: \n"
            "  file labels.txt type 2\n"
            "damaged None\n"
            "entry labels.txt method 0 date (1980, 1, 1, 0, 0, 0)\n"
            "['zero', 'one', 'two']\n"
            "runs ['uint8']\n");
}

// Real values, one per channel where the channels differ, and indices for an argmax.
TEST(StandardMetadata, SayWhatOthersNeedOfAFloatModelWithArgMax) {
  QAT_NEEDS_PYTHON("ai_edge_litert");
  Graph graph = TinyGraph(false);
  graph.contract.input().mean = {51};
  graph.contract.input().std = {102};
  ASSERT_TRUE(AppendArgMax(graph, DType::kInt32).ok());
  const std::string seen = SeenByOthers(graph, Scheme::kFloat32);
  EXPECT_NE(seen.find("  process unit 1 mean [51.0] std [102.0]\n  max [2.0] min [-0.5]\n"),
            std::string::npos)
      << seen;
  EXPECT_NE(seen.find("  file labels.txt type 3\n"), std::string::npos) << seen;
}

TEST(StandardMetadata, NormalizeByChannelWhereChannelsDiffer) {
  Graph graph = TinyGraph(false);
  graph.contract = {4, 4, 3, {10, 20, 30}, {5, 5, 10}, {}};
  const TensorDescription input = DescribeModel(graph).inputs.at(0);
  EXPECT_EQ(input.colors, ColorSpace::kRgb);
  EXPECT_EQ(input.mean, (std::vector<float>{10, 20, 30}));
  EXPECT_EQ(input.max, (std::vector<float>{49, 47, 22.5f}));
}

TEST(StandardMetadata, HaveNoRangeOfRealsThatNobodyMeasured) {
  Graph graph = TinyGraph(false);
  graph.contract.input().values = ValueType::kReal;
  EXPECT_TRUE(DescribeModel(graph).inputs.at(0).min.empty());
  EXPECT_TRUE(DescribeModel(graph).inputs.at(0).max.empty());
  graph.contract.input().low = -1;
  graph.contract.input().high = 1;
  EXPECT_EQ(DescribeModel(graph).inputs.at(0).min, (std::vector<float>{-1}));
  EXPECT_EQ(DescribeModel(graph).inputs.at(0).max, (std::vector<float>{1}));
}

// A list of classes that is not that of the outputs would name the wrong ones.
TEST(StandardMetadata, NameNoLabelsWhereTheirNumberIsNotThatOfTheOutputs) {
  Graph graph = TinyGraph();
  graph.contract.set_labels({"zero", "one", "two", "three"});
  EXPECT_EQ(ListZip(Written(graph, Scheme::kUInt8)).error().code, ErrorCode::kNotFound);
  graph.contract.set_labels({});
  EXPECT_EQ(ListZip(Written(graph, Scheme::kUInt8)).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace qat
