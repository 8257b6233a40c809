#include "eval/litert.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "eval/evaluate.h"
#include "support/places.h"
#include "support/subprocess.h"
#include "support/tiny_files.h"

namespace qat {
namespace {

class LitertTest : public ::testing::Test {
 protected:
  EvalRequest Request(const std::string& model, const std::string& python) const {
    EvalRequest request;
    request.data = files_.data();
    request.rows.models = {model};
    request.rows.litert = python;
    request.repeat = 1;
    return request;
  }
  // A program that is called like a Python and does what `body` says.
  std::string Script(const std::string& body) const {
    const std::string path = files_ / "python";
    testing::WriteText(path, "#!/bin/sh\n" + body + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  testing::TinyFiles files_;
};

TEST_F(LitertTest, TheRealInterpreterAgreesToTheLastStep) {
  QAT_NEEDS_PYTHON("ai_edge_litert");
  Report report;
  QAT_ASSERT_OK(Evaluate(Request(files_.uint8_model(), testing::kLitertPython), {}, report));
  ASSERT_EQ(report.models.size(), 2u);
  EXPECT_EQ(report.models[1].name, "litert");
  EXPECT_EQ(report.models[1].kind, "litert");
  EXPECT_EQ(report.models[1].type, "uint8");
  EXPECT_EQ(report.models[1].accuracy->correct, report.models[0].accuracy->correct);
  EXPECT_FALSE(report.models[1].latency_us.has_value());
  EXPECT_EQ(report.environment["litert"].rfind("ai-edge-litert ", 0), 0u) << report.environment["litert"];
  EXPECT_EQ(report.environment["litert_python"], testing::kLitertPython);
  EXPECT_NE(ToTable(report).find(
                StrCat("litert: ", report.environment["litert"], " in ", testing::kLitertPython, "\n")),
            std::string::npos)
      << "the table says who answered";
  ASSERT_EQ(report.pairs.size(), 1u);
  EXPECT_EQ(report.pairs[0].b, "litert");
  EXPECT_EQ(report.pairs[0].max_abs_lsb, 0);
  EXPECT_EQ(report.pairs[0].equal_outputs, 60);
  ASSERT_EQ(report.gates.size(), 1u);
  EXPECT_EQ(report.gates[0].name, "max-steps");
  EXPECT_EQ(report.gates[0].reference, "litert");
  EXPECT_TRUE(report.gates[0].pass);
}

// The tiny network with one more layer, of int8.
Bytes TinyModelWith(OpType type, const OpAttributes& attributes, const std::vector<int32_t>& constant) {
  Graph graph = testing::TinyGraph();
  std::vector<int32_t> inputs = {graph.outputs[0]};
  if (!constant.empty()) inputs.push_back(graph.AddConstant("axis", {1}, constant));
  graph.outputs = {*graph.AddNode(type, "last", attributes, inputs)};
  testing::SetRange(graph, graph.outputs[0], {-8, 8}, kInt8Limits);
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kInt8);
  std::vector<std::string> warnings;
  EXPECT_TRUE(ChooseQuantization(graph, options, warnings).ok());
  return *WriteTflite(graph, {});
}

// ai-edge-litert 2.3.0 has no reference kernel of ELU, and that of SUM is wrong.
TEST_F(LitertTest, ItsOtherKernelsAnswerWhereThereIsNoRightReference) {
  QAT_NEEDS_PYTHON("ai_edge_litert");
  QAT_ASSERT_OK(WriteFile(files_ / "elu.tflite", TinyModelWith(OpType::kElu, {}, {})));
  Report report;
  QAT_ASSERT_OK(Evaluate(Request(files_ / "elu.tflite", testing::kLitertPython), {}, report));
  ASSERT_EQ(report.pairs.size(), 1u);
  EXPECT_EQ(report.pairs[0].max_abs_lsb, 0);
  const auto said = [&](const std::string& warning) {
    return warning.find("TFLite's reference kernels have no right one for ELU") != std::string::npos;
  };
  EXPECT_TRUE(std::any_of(report.warnings.begin(), report.warnings.end(), said)) << Join(report.warnings);

  MeanAttributes keep;
  keep.keep_dims = true;
  QAT_ASSERT_OK(WriteFile(files_ / "sum.tflite", TinyModelWith(OpType::kSum, keep, {0})));
  QAT_ASSERT_OK(Evaluate(Request(files_ / "sum.tflite", testing::kLitertPython), {}, report));
  EXPECT_TRUE(report.gates.empty()) << "the others may round otherwise";
  EXPECT_NE(Join(report.warnings).find("no right one for SUM"), std::string::npos) << Join(report.warnings);
}

TEST_F(LitertTest, FloatModelsHaveNoTwin) {
  Report report;
  QAT_ASSERT_OK(Evaluate(Request(files_.float_model(), files_ / "no-python"), {}, report));
  EXPECT_EQ(report.models.size(), 1u);
}

TEST_F(LitertTest, AskedForAndNotThereIsUnsupported) {
  Report report;
  const auto missing = Evaluate(Request(files_.uint8_model(), files_ / "no-python"), {}, report);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(missing.error().message.find("no-python: cannot be started (No such file"), std::string::npos)
      << missing.error().message;
}

TEST_F(LitertTest, APythonThatSpeaksNoProtocolIsNamed) {
  const std::string python = Script("exit 3");
  Report report;
  const auto result = Evaluate(Request(files_.uint8_model(), python), {}, report);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.error().message.find(python + ": the process has ended"), std::string::npos)
      << result.error().message;
}

TEST_F(LitertTest, APythonWithoutTfliteSaysWhichModulesItLacks) {
  QAT_NEEDS_PYTHON("sys");
  // -S: without the site packages, of which TFLite is one.
  const std::string python = Script(std::string("exec ") + testing::kLitertPython + " -S \"$@\"");
  Report report;
  const auto result = Evaluate(Request(files_.uint8_model(), python), {}, report);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(result.error().message.find("ai_edge_litert, tflite_runtime and tensorflow"), std::string::npos)
      << result.error().message;
}

TEST_F(LitertTest, OtherRoundingIsJudgedOnlyWhereAskedFor) {
  QAT_NEEDS_PYTHON("ai_edge_litert");
  EvalRequest request = Request(files_.uint8_model(), testing::kLitertPython);
  request.rows.interpreter.profile = ArithmeticProfile::kTfliteClassic;
  Report report;
  QAT_ASSERT_OK(Evaluate(request, {}, report));
  EXPECT_TRUE(report.gates.empty());
  request.gates.max_steps = 255;
  Report judged;
  QAT_ASSERT_OK(Evaluate(request, {}, judged));
  EXPECT_EQ(judged.gates.size(), 1u);
}

}  // namespace
}  // namespace qat
