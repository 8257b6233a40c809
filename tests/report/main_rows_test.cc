#include "report/main_rows.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

ModelResult Row(const std::string& name, const std::string& kind, const std::string& type,
                const std::string& graph = "") {
  ModelResult row;
  row.name = name;
  row.kind = kind;
  row.type = type;
  if (!graph.empty()) row.provenance["graph"] = graph;
  return row;
}

Report Of(std::vector<ModelResult> rows) {
  Report report;
  report.models = std::move(rows);
  return report;
}

std::string FloatOf(const Report& report, const std::string& name) {
  const ModelResult* row = FloatModelFor(report, *RowNamed(report, name));
  return row == nullptr ? "none" : row->name;
}

std::vector<std::string> Main(const Report& report) {
  std::vector<std::string> names;
  for (const ModelResult* row : MainRows(report)) names.push_back(row->name);
  return names;
}

// So that a second model does not let the first one pass unjudged.
TEST(ReferenceRow, IsTheFloatGraphHoweverManyModelsThereAre) {
  const auto reference = [](const Report& report) {
    const ModelResult* row = ReferenceRow(report);
    return row == nullptr ? "none" : row->name;
  };
  const ModelResult graph = Row("graph", "graph", "float32"), a = Row("a.tflite", "tflite", "int8"),
                    b = Row("b.tflite", "tflite", "int8");
  EXPECT_EQ(reference(Of({graph, a})), "graph");
  EXPECT_EQ(reference(Of({graph, a, b})), "graph");
  EXPECT_EQ(reference(Of({Row("checkpoint", "checkpoint", "float32"), graph, a, b})), "checkpoint");
  EXPECT_EQ(reference(Of({a, b})), "a.tflite");
  EXPECT_EQ(reference(Of({a})), "none");
  EXPECT_EQ(reference(Of({graph})), "none");
}

TEST(FloatModelFor, IsNeverARowOfLibTorch) {
  const Report report = Of({Row("float", "checkpoint", "float32"), Row("checkpoint", "checkpoint", "float32"),
                            Row("m.tflite", "tflite", "int8")});
  EXPECT_EQ(FloatOf(report, "m.tflite"), "none");
  EXPECT_EQ(ReferenceRow(report)->name, "float");
  EXPECT_EQ(HeadlineReference(report, report.models[2])->name, "float");
}

// Only weights are stored smaller: it is judged as a model and is no float network that others are compared
// with.
TEST(FloatModelFor, IsNoModelOfSmallerWeights) {
  const Report report =
      Of({Row("half.tflite", "tflite", "float16"), Row("dynamic.tflite", "tflite", "dynamic"),
          Row("f.tflite", "tflite", "float32"), Row("m.tflite", "tflite", "int8")});
  EXPECT_EQ(FloatOf(report, "m.tflite"), "f.tflite");
  EXPECT_EQ(FloatOf(report, "half.tflite"), "f.tflite");
  EXPECT_TRUE(ComputesInFloat(report.models[0]) && ComputesInFloat(report.models[1]));
  EXPECT_FALSE(ComputesInFloat(report.models[3]));
}

TEST(FloatModelFor, IsTheFloatRunElseTheGraphElseTheFirstFloatModel) {
  Report report = Of({Row("float", "checkpoint", "float32"), Row("float-graph", "graph", "float32"),
                      Row("graph", "graph", "float32"), Row("f.tflite", "tflite", "float32"),
                      Row("g.tflite", "tflite", "float32"), Row("m.tflite", "tflite", "uint8")});
  EXPECT_EQ(FloatOf(report, "m.tflite"), "float-graph");
  report.models.erase(report.models.begin() + 1);
  EXPECT_EQ(FloatOf(report, "m.tflite"), "graph");
  report.models.erase(report.models.begin() + 1);
  EXPECT_EQ(FloatOf(report, "m.tflite"), "f.tflite");
}

TEST(FloatModelFor, OfSeveralNetworksIsTheOneMadeFromTheSameGraph) {
  const Report report =
      Of({Row("a.tflite", "tflite", "float32", "aaaa"), Row("b.tflite", "tflite", "float32", "bbbb"),
          Row("a8.tflite", "tflite", "int8", "aaaa"), Row("b8.tflite", "tflite", "int8", "bbbb")});
  EXPECT_EQ(FloatOf(report, "a8.tflite"), "a.tflite");
  EXPECT_EQ(FloatOf(report, "b8.tflite"), "b.tflite");
  EXPECT_EQ(FloatOf(report, "a.tflite"), "none") << "it is what others are compared with";
}

TEST(FloatModelFor, OfAModelWhoseWeightsAloneAreIntegersIsTheFloatModelBeforeIt) {
  const Report report =
      Of({Row("float.tflite", "tflite", "float32"), Row("dynamic.tflite", "tflite", "float32")});
  EXPECT_EQ(FloatOf(report, "dynamic.tflite"), "float.tflite");
  EXPECT_EQ(FloatOf(report, "float.tflite"), "none");
}

TEST(MainRows, AreModelsAndWhatTheyAreComparedWith) {
  const Report report = Of({Row("float", "checkpoint", "float32"), Row("checkpoint", "checkpoint", "float32"),
                            Row("simulated", "checkpoint", "simulated"), Row("graph", "graph", "float32"),
                            Row("m.tflite", "tflite", "uint8"), Row("litert", "litert", "uint8")});
  EXPECT_EQ(Main(report), (std::vector<std::string>{"graph", "m.tflite"}));
  EXPECT_EQ(ShownName(report, report.models[3]), "float (graph)");
}

TEST(MainRows, AreAllRowsWhereThereIsNoModel) {
  const Report report = Of({Row("checkpoint", "checkpoint", "float32"),
                            Row("simulated", "checkpoint", "simulated"), Row("graph", "graph", "float32")});
  EXPECT_EQ(Main(report), (std::vector<std::string>{"checkpoint", "simulated", "graph"}));
  EXPECT_EQ(ShownName(report, report.models[2]), "graph");
}

}  // namespace
}  // namespace qat
