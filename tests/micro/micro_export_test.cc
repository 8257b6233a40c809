#include "micro/micro_export.h"

#include <gtest/gtest.h>

#include "micro/arena.h"
#include "passes/passes.h"
#include "runtime/runnable_model.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

Graph Quantized() {
  Graph graph = testing::TinyGraph();
  graph.scheme = "int8";
  for (GraphTensor& tensor : graph.tensors) {
    if (tensor.is_constant()) tensor.has_range = false;
  }
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kInt8);
  std::vector<std::string> warnings;
  QAT_CHECK(ChooseQuantization(graph, options, warnings).ok());
  return graph;
}

std::string TextOf(const MicroExport& exported, const std::string& name) {
  for (const MicroFile& file : exported.files) {
    if (file.name == name) return file.text;
  }
  ADD_FAILURE() << "no " << name;
  return "";
}

#define EXPECT_HOLDS(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

TEST(ExportMicro, WritesEverythingThatAnApplicationNeeds) {
  const Graph graph = Quantized();
  const Bytes model = *WriteTflite(graph, {});
  const auto exported = ExportMicro(model, graph.name, graph.contract);
  QAT_ASSERT_OK(exported);
  EXPECT_EQ(exported->files.size(), 6u);
  EXPECT_EQ(exported->operators, 4u);
  const std::string calls = TextOf(*exported, "model_ops.h");
  for (const char* call : {"AddConv2D()", "AddFullyConnected()", "AddMaxPool2D()", "AddReshape()"})
    EXPECT_HOLDS(calls, call);
  EXPECT_HOLDS(calls, "kModelOperators = 4");
  const std::string io = TextOf(*exported, "model_io.h");
  EXPECT_HOLDS(io, "#define MODEL_INPUT_0_SIZE 16");
  EXPECT_HOLDS(io, "model_input_0_from_bytes(const uint8_t* bytes, int8_t* tensor)");
  EXPECT_HOLDS(io, "model_output_0_to_reals(const int8_t* tensor, float* reals)");
  EXPECT_HOLDS(io, "\"zero\",\n  \"one\",\n  \"two\",");
  EXPECT_HOLDS(TextOf(*exported, "model_data.c"), "QAT_ALIGNED const unsigned char model_data[] = {");
  EXPECT_HOLDS(TextOf(*exported, "model_golden.h"), "#define MODEL_GOLDEN_VECTORS 4");
  EXPECT_HOLDS(TextOf(*exported, "main.cc"), "checksum == MODEL_GOLDEN_CHECKSUM");
}

TEST(ExportMicro, EachOfSeveralOutputsHasItsNames) {
  Graph graph = Quantized();
  graph.outputs.push_back(graph.nodes[0].outputs[0]);
  graph.contract.outputs.resize(2);
  graph.contract.outputs[0].name = "kind";
  graph.contract.outputs[1].name = "part";
  graph.contract.outputs[1].labels = {"left", "right", "a\tb\"c", "\u202eredro"};
  const Bytes model = *WriteTflite(graph, {});
  const auto exported = ExportMicro(model, graph.name, graph.contract);
  QAT_ASSERT_OK(exported);
  const std::string io = TextOf(*exported, "model_io.h");
  EXPECT_HOLDS(io, "model_output_0_labels[] = {\n  \"zero\",\n  \"one\",\n  \"two\",\n");
  // The same bytes, and nothing that an editor would obey.
  EXPECT_HOLDS(io,
               "model_output_1_labels[] = {\n  \"left\",\n  \"right\",\n  \"a\\011b\\\"c\",\n  "
               "\"\\342\\200\\256redro\",\n");
  EXPECT_EQ(io.find("model_labels"), std::string::npos);
}

// Such a model takes measured values: there is nothing for the caller to normalize.
TEST(ExportMicro, AModelThatNormalizesTakesMeasuredValuesOnly) {
  Graph graph = testing::TinyGraph();
  graph.contract.inputs[0].values = ValueType::kReal;
  graph.contract.inputs[0].inside = true;
  const Bytes model = *WriteTflite(graph, {});
  const auto exported = ExportMicro(model, graph.name, graph.contract);
  QAT_ASSERT_OK(exported);
  const std::string io = TextOf(*exported, "model_io.h");
  EXPECT_HOLDS(io, "model_input_0_from_floats(");
  EXPECT_EQ(io.find("model_input_0_from_reals("), std::string::npos);
}

TEST(ExportMicro, TheSameModelGivesTheSameFiles) {
  const Graph graph = Quantized();
  const Bytes model = *WriteTflite(graph, {});
  const auto a = ExportMicro(model, graph.name, graph.contract),
             b = ExportMicro(model, graph.name, graph.contract);
  for (size_t i = 0; i < a->files.size(); ++i)
    EXPECT_EQ(a->files[i].text, b->files[i].text) << a->files[i].name;
}

/// By hand: input 16 and convolution 32, then convolution and pool 16 (8 values), pool and flat, flat and 16
/// (3 values).
TEST(EstimateArena, TensorsThatLiveAtTheSameTimeLieBesideEachOther) {
  const auto model = *RunnableFromBytes(*WriteTflite(Quantized(), {}), "m.tflite");
  const MicroArena arena = EstimateArena(*model);
  EXPECT_EQ(arena.tensors, 48u);
  EXPECT_GT(arena.structures, 544u + 10 * 24 + 4 * 64);
  EXPECT_EQ(arena.total() % 16, 0u);
}

}  // namespace
}  // namespace qat
