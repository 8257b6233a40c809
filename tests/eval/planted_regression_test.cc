// Regressions planted on purpose: an ordinary run finds them by the gates that nobody asked for, and names
// the layer.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "eval/evaluate.h"
#include "support/places.h"
#include "support/subprocess.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_files.h"

namespace qat {
namespace {

class PlantedRegression : public ::testing::Test {
 protected:
  static int32_t TensorNamed(const Graph& graph, const std::string& name) {
    for (size_t i = 0; i < graph.tensors.size(); ++i) {
      if (graph.tensors[i].name == name) return static_cast<int32_t>(i);
    }
    ADD_FAILURE() << "no tensor " << name;
    return 0;
  }

  // The tiny model, made of a graph that `change` has touched.
  template <class F>
  std::string Model(const std::string& name, const F& change) const {
    Graph graph = testing::TinyGraph();
    change(graph);
    std::vector<std::string> warnings;
    QuantizationOptions options;
    options.precisions = PrecisionsOf(Scheme::kUInt8);
    EXPECT_TRUE(ChooseQuantization(graph, options, warnings).ok());
    const auto bytes = WriteTflite(graph, {});
    EXPECT_TRUE(bytes.ok() && WriteFile(files_ / name, *bytes).ok());
    return files_ / name;
  }

  std::string Widened() const {
    return Model("widened.tflite",
                 [](Graph& graph) { graph.tensor(TensorNamed(graph, "conv")).range.max *= 8; });
  }

  // Half a step of conv's output in its biases: what a kernel that rounds down instead of to the nearest
  // loses.
  std::string Rounded() const {
    return Model("rounded.tflite", [](Graph& graph) {
      Bytes& data = graph.tensor(TensorNamed(graph, "conv/bias")).data;
      for (size_t i = 0; i < data.size(); i += sizeof(float)) {
        float bias;
        std::memcpy(&bias, &data[i], sizeof bias);
        bias -= 0.5f * 2.5f / 255;
        std::memcpy(&data[i], &bias, sizeof bias);
      }
    });
  }

  EvalRequest Request(const std::string& model) const {
    EvalRequest request;
    request.data = files_.data();
    request.repeat = 0;
    request.rows.graph = files_.graph();
    request.rows.models = {model};
    return request;
  }

  static const GateResult* GateNamed(const Report& report, const std::string& name) {
    for (const GateResult& gate : report.gates) {
      if (gate.name == name) return &gate;
    }
    return nullptr;
  }

  testing::TinyFiles files_;
};

TEST_F(PlantedRegression, WithoutOneNothingFails) {
  Report report;
  QAT_ASSERT_OK(Evaluate(Request(files_.uint8_model()), {}, report));
  EXPECT_EQ(report.status, "ok");
  const GateResult* gate = GateNamed(report, "max-changed-ranges");
  ASSERT_NE(gate, nullptr);
  EXPECT_TRUE(gate->pass);
}

TEST_F(PlantedRegression, AWidenedRangeIsNamedByTheGraphItCameFrom) {
  Report report;
  QAT_ASSERT_OK(Evaluate(Request(Widened()), {}, report));
  EXPECT_EQ(report.status, "gate-failed");
  const GateResult* gate = GateNamed(report, "max-changed-ranges");
  ASSERT_NE(gate, nullptr);
  EXPECT_FALSE(gate->pass);
  EXPECT_EQ(gate->value, 1);
  EXPECT_EQ(gate->note.rfind("first conv (conv_2d, operator 0): scale 0.0784, trained with 0.0098", 0), 0u)
      << gate->note;
}

TEST_F(PlantedRegression, AWidenedRangeIsNamedByAnEarlierReport) {
  Report before, after;
  EvalRequest request = Request(files_.uint8_model());
  QAT_ASSERT_OK(Evaluate(request, {}, before));
  QAT_ASSERT_OK(WriteFile(files_ / "before.json", ToJson(before)));
  // Trained with the wide range: graph and model agree.
  Graph graph = testing::TinyGraph();
  graph.tensor(TensorNamed(graph, "conv")).range.max *= 8;
  QAT_ASSERT_OK(WriteFile(files_ / "wide.qgraph", Serialize(graph)));
  request = Request(Widened());
  request.rows.graph = files_ / "wide.qgraph";
  request.baseline = files_ / "before.json";
  request.gates.max_drop = 100;
  QAT_ASSERT_OK(Evaluate(request, {}, after));
  EXPECT_EQ(after.status, "gate-failed");
  EXPECT_TRUE(GateNamed(after, "max-changed-ranges")->pass);
  const GateResult* gate = GateNamed(after, "max-layer-loss");
  ASSERT_NE(gate, nullptr);
  EXPECT_FALSE(gate->pass);
  EXPECT_NEAR(gate->value, 20 * std::log10(8), 3);  // three bits
  EXPECT_EQ(
      gate->note.rfind("first conv (conv_2d, operator 0), which uses 11 % of its range (baseline: 89 %)", 0),
      0u)
      << gate->note;
}

TEST_F(PlantedRegression, ARoundingChangedByAHalfIsNamedByTflite) {
  QAT_NEEDS_PYTHON("ai_edge_litert");
  // TFLite is given the file whose convolution rounds otherwise, ours the right one.
  const std::string python = files_ / "python";
  // It comes through the socket; the script, the third argument, is made to read the other file instead.
  testing::WriteText(python, std::string("#!/bin/sh\nexec ") + testing::kLitertPython +
                                 " \"$1\" \"$2\" \"$(printf '%s' \"$3\" | sed 's|tflite, version = find()|"
                                 "model = open(\"" +
                                 Rounded() + "\", \"rb\").read(); &|')\"\n");
  std::filesystem::permissions(python, std::filesystem::perms::owner_all);
  const auto result =
      testing::RunTool("qat-eval", {"--data", files_.data(), "--model", files_.uint8_model(), "--litert",
                                    python, "--repeat", "0", "--json", files_ / "r.json"});
  EXPECT_EQ(result.exit_code, 1) << result.err;
  const auto report = ParseReport(testing::ReadText(files_ / "r.json"), "r.json");
  QAT_ASSERT_OK(report);
  const GateResult* gate = GateNamed(*report, "max-steps");
  ASSERT_NE(gate, nullptr);
  EXPECT_FALSE(gate->pass);
  EXPECT_EQ(gate->reference, "litert");
  EXPECT_EQ(gate->note.rfind("first in conv (conv_2d, operator 0), image ", 0), 0u) << gate->note;
  EXPECT_NE(gate->note.find("up to 1 step"), std::string::npos) << gate->note;
}

// The same without a TFLite: the simulation, which is not our kernels, is the witness.
TEST_F(PlantedRegression, ARoundingChangedByAHalfIsNamedByTheSimulation) {
  if (!FileExists(std::string(testing::kBinaryDir) + "/lib/qat/qat_torch_backend.so"))
    GTEST_SKIP() << "built without LibTorch";
  QAT_ASSERT_OK(WriteFile(files_ / "c.ckpt", Serialize(testing::TinyCheckpoint())));
  const auto judge = [&](const std::string& model) {
    return testing::RunTool(
        "qat-eval", {"--data", files_.data(), "--checkpoint", files_ / "c.ckpt", "--model", model, "--litert",
                     "off", "--repeat", "0", "--json", files_ / "r.json"});
  };
  const auto right = judge(files_.uint8_model());
  EXPECT_EQ(right.exit_code, 0) << right.err << right.out;
  const auto planted = judge(Rounded());
  EXPECT_EQ(planted.exit_code, 1) << planted.err;
  const auto report = ParseReport(testing::ReadText(files_ / "r.json"), "r.json");
  QAT_ASSERT_OK(report);
  const GateResult* gate = GateNamed(*report, "max-steps");
  ASSERT_NE(gate, nullptr);
  EXPECT_FALSE(gate->pass);
  EXPECT_EQ(gate->reference, "simulated");
  EXPECT_EQ(gate->note.rfind("first in conv (conv_2d, operator 0), image ", 0), 0u) << gate->note;
}

TEST_F(PlantedRegression, AFloatNetworkThatFailsTheLimitItselfIsBlamedOnTraining) {
  EvalRequest request = Request(Widened());
  request.gates.min_accuracy = 100;
  Report report;
  QAT_ASSERT_OK(Evaluate(request, {}, report));
  const GateResult* gate = GateNamed(report, "min-accuracy");
  ASSERT_NE(gate, nullptr);
  EXPECT_EQ(gate->note, "the float network itself has 33.33 %: training is to blame, not quantization");
}

TEST_F(PlantedRegression, TheOtherRoundingIsAPairAndNoGate) {
  EvalRequest request = Request(files_.uint8_model());
  request.rows.other_rounding = true;
  Report report;
  QAT_ASSERT_OK(Evaluate(request, {}, report));
  EXPECT_EQ(report.status, "ok");
  EXPECT_EQ(report.models.size(), 2u);
  ASSERT_EQ(report.pairs.size(), 2u);
  EXPECT_EQ(report.pairs[0].a, files_.uint8_model());
  EXPECT_EQ(report.pairs[0].b, "tflite-classic");
  EXPECT_TRUE(report.pairs[0].max_abs_lsb.has_value());
}

}  // namespace
}  // namespace qat
