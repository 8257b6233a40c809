#include "trace/trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "base/hash.h"
#include "base/version.h"
#include "checkpoint/checkpoint.h"
#include "contract/provenance.h"
#include "data/dataset.h"
#include "data/idx.h"
#include "freeze/freeze.h"
#include "model/model.h"
#include "passes/passes.h"
#include "plan/twins.h"
#include "runtime/runnable_model.h"
#include "spec/train_config.h"
#include "support/test_util.h"
#include "support/tiny_checkpoint.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

using testing::TinyCheckpoint;

// A run as the tools leave it: run/, g.qgraph, m.tflite, tiny.toml and data/ in one folder.
class TraceTest : public ::testing::Test {
 protected:
  TraceTest() {
    std::filesystem::create_directories(At("run/checkpoints"));
    WriteData(7);
    Write("tiny.toml", testing::kTinySpec);
    config_.network = At("tiny.toml");
    config_.data = At("data");
    config_.steps = 900;
    Write("run/config.toml", ToToml(config_));
    checkpoint_ = TinyCheckpoint();
    checkpoint_.config_text = PortableToml(config_);
    checkpoint_.provenance["data_sha256"] = *Fingerprint(*OpenDataset(At("data"), Split::kTrain));
    WriteCheckpoint();
    Convert(FreezeToFile());
  }

  std::string At(const std::string& name) const { return folder_ / name; }
  void Write(const std::string& name, std::string_view text) { EXPECT_TRUE(WriteFile(At(name), text).ok()); }
  void Write(const std::string& name, const Bytes& bytes) { EXPECT_TRUE(WriteFile(At(name), bytes).ok()); }

  void WriteData(uint8_t pixel) {
    std::filesystem::create_directories(At("data"));
    IdxArray pixels{{3, 4, 4}, Bytes(48, pixel)}, labels{{3}, {0, 1, 2}};
    Write("data/train-images-idx3-ubyte", SerializeIdx(pixels));
    Write("data/train-labels-idx1-ubyte", SerializeIdx(labels));
  }
  void WriteCheckpoint() { Write("run/checkpoints/0000000900.ckpt", Serialize(checkpoint_)); }

  Graph FreezeToFile() {
    std::vector<std::string> warnings;
    Graph graph = *Freeze(checkpoint_, {}, warnings);
    Write("g.qgraph", Serialize(graph));
    return graph;
  }

  void Convert(Graph graph, const QuantizationOptions& options = {}) {
    std::vector<std::string> warnings;
    graph.provenance["graph_sha256"] = Sha256(*ReadFile(At("g.qgraph")));
    EXPECT_TRUE(ChooseQuantization(graph, options, warnings).ok());
    Write("m.tflite", *WriteTflite(graph, {}));
  }

  std::vector<TraceLink> Walk(TraceRequest request = {}) const {
    if (request.start.empty()) request.start = At("m.tflite");
    auto links = Trace(request);
    EXPECT_TRUE(links.ok());
    return links.ok() ? *links : std::vector<TraceLink>();
  }
  // "graph differs, data not here": what is not as it was.
  static std::string Complaints(const std::vector<TraceLink>& links) {
    std::string text;
    for (const TraceLink& link : links) {
      if (link.state == "start" || link.state == "matches") continue;
      text += (text.empty() ? "" : ", ") + link.what + " " + link.state;
    }
    return text;
  }
  static TraceLink Link(const std::vector<TraceLink>& links, std::string_view what) {
    const auto found =
        std::find_if(links.begin(), links.end(), [&](const auto& l) { return l.what == what; });
    return found == links.end() ? TraceLink() : *found;
  }

  testing::TempDir folder_;
  TrainConfig config_;
  Checkpoint checkpoint_;
};

TEST_F(TraceTest, FindsEverythingBesideTheModel) {
  const auto links = Walk();
  EXPECT_EQ(Complaints(links), "");
  std::string whats;
  for (const TraceLink& link : links) whats += link.what + "; ";
  EXPECT_EQ(whats,
            "model; graph; model, converted again; checkpoint; graph, frozen again; network; recipe; data; ");
  EXPECT_EQ(Link(links, "graph").file, At("g.qgraph"));
  EXPECT_EQ(Link(links, "graph").found, Sha256(*ReadFile(At("g.qgraph"))));
  EXPECT_EQ(Link(links, "checkpoint").found, Sha256(*ReadFile(At("run/checkpoints/0000000900.ckpt"))));
}

TEST_F(TraceTest, TwinsAreMadeAgain) {
  checkpoint_.scheme = "int8-per-tensor";
  WriteCheckpoint();
  Graph graph = FreezeToFile();
  graph.provenance["graph_sha256"] = Sha256(*ReadFile(At("g.qgraph")));
  graph.provenance[kTwinsKey] = kTwinTypes;
  QuantizationOptions options;
  options.precisions = *IntegersFromName("int8-per-tensor");
  std::vector<std::string> warnings;
  auto plan = PlanQuantization(graph, options, warnings);
  QAT_ASSERT_OK(plan);
  QAT_ASSERT_OK(MatchTwinScales(graph, *plan, warnings));
  ApplyPlan(*plan, graph, warnings);
  for (const Graph& twin : {graph, UInt8TwinOf(graph)}) {
    Write("m.tflite", *WriteTflite(twin, {}));
    EXPECT_EQ(Complaints(Walk()), "");
  }
}

TEST_F(TraceTest, StartsAtAGraphAndAtACheckpointToo) {
  const auto graph = Walk({At("g.qgraph"), "", "", "", {}});
  EXPECT_EQ(Complaints(graph), "");
  EXPECT_EQ(graph.front().what, "graph");
  const auto checkpoint = Walk({At("run/checkpoints/0000000900.ckpt"), "", "", "", {}});
  EXPECT_EQ(Complaints(checkpoint), "");
  EXPECT_EQ(checkpoint.size(), 4u);
}

TEST_F(TraceTest, SeesDataThatChanged) {
  WriteData(8);
  EXPECT_EQ(Complaints(Walk()), "data differs");
}

TEST_F(TraceTest, SeesANetworkThatChanged) {
  Write("tiny.toml", std::string(testing::kTinySpec) + "# better\n");
  EXPECT_EQ(Complaints(Walk()), "network differs");
}

// A network that training made for the data has no file, which is no fault.
TEST_F(TraceTest, ANetworkMadeForTheDataIsComparedWithTheTextInTheCheckpoint) {
  config_.network = "auto";
  Write("run/config.toml", ToToml(config_));
  checkpoint_.config_text = PortableToml(config_);
  WriteCheckpoint();
  Convert(FreezeToFile());
  const auto links = Walk();
  EXPECT_EQ(Complaints(links), "");
  EXPECT_EQ(Link(links, "network").note, "the text that the checkpoint holds");
  EXPECT_EQ(Link(links, "network").file, At("run/checkpoints/0000000900.ckpt"));
}

TEST_F(TraceTest, SeesARecipeThatChangedButNotWhereThingsLie) {
  config_.threads = 3;
  Write("run/config.toml", ToToml(config_));
  EXPECT_EQ(Complaints(Walk()), "");
  config_.seed = 2;
  Write("run/config.toml", ToToml(config_));
  EXPECT_EQ(Complaints(Walk()), "recipe differs");
}

TEST_F(TraceTest, SeesACheckpointOfAnotherTraining) {
  checkpoint_.tensors["fc/bias"].values[0] = 0.5f;
  WriteCheckpoint();
  // What lies behind it is not judged by a checkpoint that is not the one.
  EXPECT_EQ(Complaints(Walk()), "checkpoint differs, network not here, recipe not here, data not here");
}

TEST_F(TraceTest, SeesAGraphThatWasMadeAgainOfSomethingElse) {
  checkpoint_.tensors["fc/bias"].values[0] = 0.5f;
  FreezeToFile();
  EXPECT_EQ(Complaints(Walk()), "graph differs");
}

TEST_F(TraceTest, NamesTheTensorOfAModelThatWasPatched) {
  Bytes bytes = *ReadFile(At("m.tflite"));
  const auto model = RunnableFromBytes(bytes, "m");
  QAT_ASSERT_OK(model);
  for (const ModelTensor& tensor : (*model)->tensors()) {
    if (tensor.name != "fc/filter") continue;
    const auto at = std::search(bytes.begin(), bytes.end(), tensor.constant.begin(), tensor.constant.end());
    ASSERT_NE(at, bytes.end());
    *at ^= 1;
  }
  Write("m.tflite", bytes);
  const auto links = Walk();
  EXPECT_EQ(Complaints(links), "model, converted again differs");
  EXPECT_EQ(Link(links, "model, converted again").note, "tensor 'fc/filter': has other values");
}

// A range widened by hand in a graph that still says which checkpoint it is of.
TEST_F(TraceTest, NamesTheLayerOfAGraphThatWasPatched) {
  std::vector<std::string> warnings;
  Graph graph = *Freeze(checkpoint_, {}, warnings);
  for (GraphTensor& tensor : graph.tensors) {
    if (tensor.name == "conv") tensor.range.max *= 2;
  }
  Write("g.qgraph", Serialize(graph));
  Convert(graph);
  const auto links = Walk();
  EXPECT_EQ(Complaints(links), "graph, frozen again differs");
  EXPECT_EQ(Link(links, "graph, frozen again").note, "tensor 'conv': has another range");
}

TEST_F(TraceTest, ConvertsAgainByWhatTheModelHasOnRecord) {
  std::vector<std::string> warnings;
  Graph graph = *Freeze(checkpoint_, {}, warnings);
  QAT_ASSERT_OK(AppendArgMax(graph, DType::kInt64));
  QuantizationOptions options;
  options.precisions = PrecisionsOf(Scheme::kInt8);
  options.input = QuantizationParams{0.0078125f, 128};
  graph.provenance[kTypeKey] = "int8";
  graph.provenance[kAppendKey] = "argmax";
  graph.provenance[kArgMaxTypeKey] = "int64";
  graph.provenance[kInputParamsKey] = "0.0078125,128";
  Convert(graph, options);
  EXPECT_EQ(Complaints(Walk()), "");
  graph.provenance[kInputParamsKey] = "0.0078125";
  Convert(graph, options);
  EXPECT_EQ(Link(Walk(), "model, converted again").note,
            "it says input_params=0.0078125, which this version does not know");
}

TEST_F(TraceTest, SaysWhatIsNotHere) {
  std::filesystem::remove_all(At("run"));
  EXPECT_EQ(Complaints(Walk()), "checkpoint not here, network not here, recipe not here, data not here");
  std::filesystem::remove(At("g.qgraph"));
  const auto links = Walk();
  EXPECT_EQ(Complaints(links),
            "graph not here, checkpoint not here, network not here, recipe not here, data not here");
  // What the model carries itself is enough to hold data against it.
  EXPECT_EQ(Complaints(Walk({At("m.tflite"), "", "", At("data"), {}})),
            "graph not here, checkpoint not here, network not here, recipe not here");
}

TEST_F(TraceTest, TakesFilesThatLieElsewhere) {
  std::filesystem::create_directories(At("elsewhere"));
  std::filesystem::rename(At("m.tflite"), At("elsewhere/m.tflite"));
  EXPECT_EQ(Complaints(Walk({At("elsewhere/m.tflite"), At("g.qgraph"), At("run"), At("data"), {}})), "");
  QAT_EXPECT_ERROR(Trace({At("elsewhere/m.tflite"), At("none.qgraph"), "", "", {}}), ErrorCode::kNotFound,
                   "none.qgraph");
}

TEST_F(TraceTest, AModelOfOthersHasNoChain) {
  Graph graph = testing::TinyGraph();
  graph.provenance.clear();
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(ChooseQuantization(graph, {}, warnings));
  Write("m.tflite", *WriteTflite(graph, {}));
  const auto links = Walk();
  ASSERT_EQ(links.size(), 1u);
  EXPECT_NE(links[0].note.find("does not say what it was made from"), std::string::npos);
}

}  // namespace
}  // namespace qat
