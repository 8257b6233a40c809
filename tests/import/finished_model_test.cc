// A finished model with other types at its borders: everything inside is as it was.
#include "import/finished_model.h"

#include <gtest/gtest.h>

#include <map>

#include "passes/passes.h"
#include "support/test_util.h"
#include "support/tiny_graph.h"
#include "support/wide_graph.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using qat::testing::TinyGraph;

std::shared_ptr<const Model> ModelOf(const Graph& graph) {
  const auto bytes = WriteTflite(graph, {});
  EXPECT_TRUE(bytes.ok());
  const auto model = Model::FromBytes(*bytes, "done.tflite");
  EXPECT_TRUE(model.ok());
  return *model;
}

std::shared_ptr<const Model> Done(std::string_view type) {
  Graph graph = TinyGraph();
  QuantizationOptions options;
  options.precisions = *IntegersFromName(type);
  std::vector<std::string> warnings;
  EXPECT_TRUE(ChooseQuantization(graph, options, warnings).ok());
  return ModelOf(graph);
}

using Constants = std::map<std::string, std::pair<Bytes, std::vector<float>>>;

Constants ConstantsOf(const Model& model) {
  Constants constants;
  for (const ModelTensor& tensor : model.tensors()) {
    if (tensor.is_constant)
      constants[tensor.name] = {Bytes(tensor.constant.begin(), tensor.constant.end()), tensor.scale};
  }
  return constants;
}

TEST(GraphOfFinished, WritesTheSameTensorsAndOperatorsAgain) {
  for (const std::string type : {"uint8", "int8", "int8-per-tensor", "int16x8", "w4a8"}) {
    const auto model = Done(type);
    EXPECT_TRUE(IsQuantized(*model)) << type;
    const auto graph = GraphOfFinished(*model);
    QAT_ASSERT_OK(graph);
    const auto again = ModelOf(*graph);
    EXPECT_EQ(ConstantsOf(*again), ConstantsOf(*model)) << type;
    ASSERT_EQ(again->operators().size(), model->operators().size());
    for (size_t i = 0; i < model->operators().size(); ++i)
      EXPECT_EQ(again->operators()[i].version, model->operators()[i].version) << type;
    EXPECT_EQ(graph->contract, TinyGraph().contract) << type;
    for (const auto& [key, value] : model->provenance())
      EXPECT_EQ(again->provenance().at(key), value) << "what it was made from is still said";
    EXPECT_TRUE(again->provenance().contains("source"));
  }
}

TEST(GraphOfFinished, ChangedAtTheBordersKeepsItsIntegers) {
  const auto model = Done("int8");
  auto graph = GraphOfFinished(*model);
  QAT_ASSERT_OK(graph);
  QAT_ASSERT_OK(SetInputType(DType::kFloat32, 0, *graph));
  QAT_ASSERT_OK(SetOutputType(DType::kFloat32, 0, *graph));
  QAT_ASSERT_OK(Verify(*graph));
  const auto changed = ModelOf(*graph);
  EXPECT_EQ(ConstantsOf(*changed), ConstantsOf(*model));
  EXPECT_EQ(changed->operators().front().name, "QUANTIZE");
  EXPECT_EQ(changed->operators().back().name, "DEQUANTIZE");
  const auto type_of = [&](int32_t tensor) { return changed->tensors()[static_cast<size_t>(tensor)].type; };
  EXPECT_EQ(type_of(changed->inputs()[0]), DType::kFloat32);
  EXPECT_EQ(type_of(changed->outputs()[0]), DType::kFloat32);
}

TEST(GraphOfFinished, FloatModelsAreNotQuantized) {
  EXPECT_FALSE(IsQuantized(*ModelOf(TinyGraph())));
  EXPECT_EQ(WeightStorageOf(*ModelOf(TinyGraph())), WeightStorage::kFloat32);
  EXPECT_EQ(WeightStorageOf(*Done("int8")), WeightStorage::kFloat32);
}

std::shared_ptr<const Model> Stored(WeightStorage storage) {
  Graph graph = testing::WideGraph();
  std::vector<std::string> warnings;
  EXPECT_TRUE(LowerToReal(graph).ok());
  StoreWeights(storage, graph, warnings);
  return ModelOf(graph);
}

TEST(GraphOfFinished, SmallWeightsOfRealNumbersStayAsTheyAreStored) {
  for (const WeightStorage storage : {WeightStorage::kFloat16, WeightStorage::kInt8, WeightStorage::kInt4}) {
    const auto model = Stored(storage);
    EXPECT_EQ(WeightStorageOf(*model), storage);
    auto graph = GraphOfFinished(*model);
    QAT_ASSERT_OK(graph);
    QAT_ASSERT_OK(SetInputType(DType::kFloat32, 0, *graph));
    QAT_ASSERT_OK(SetOutputType(DType::kFloat32, 0, *graph));
    const auto again = ModelOf(*graph);
    EXPECT_EQ(ConstantsOf(*again), ConstantsOf(*model));
    EXPECT_EQ(WeightStorageOf(*again), storage);
    EXPECT_FALSE(SetInputType(DType::kInt8, 0, *graph).ok());
  }
}

}  // namespace
}  // namespace qat
