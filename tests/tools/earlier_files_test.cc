// Files of the format versions so far, as the programs wrote them then (tests/tools/earlier; version 1 of
// checkpoint and graph: tests/freeze): every later build reads them as what they were. When a version is
// raised, files of the one before are added here.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/hash.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "data/npy.h"
#include "model/model.h"
#include "model/model_contract.h"
#include "plan/plan_file.h"
#include "report/report.h"
#include "support/places.h"
#include "support/sample_report.h"
#include "support/subprocess.h"
#include "support/tiny_checkpoint.h"

namespace qat {
namespace {

namespace fs = std::filesystem;
using testing::ReadText;
using testing::RunTool;

std::string Earlier(const std::string& name) {
  return StrCat(testing::kSourceDir, "/tests/tools/earlier/", name);
}

TEST(EarlierFiles, ACheckpointOfVersion2HoldsWhatWasWritten) {
  const auto checkpoint = ReadCheckpoint(Earlier("version2.ckpt"));
  QAT_ASSERT_OK(checkpoint);
  const Checkpoint expected = testing::TinyCheckpoint();
  EXPECT_EQ(checkpoint->tensors, expected.tensors);
  EXPECT_EQ(checkpoint->ranges, expected.ranges);
  EXPECT_EQ(checkpoint->contract, expected.contract);
  EXPECT_EQ(checkpoint->metrics, expected.metrics);
  EXPECT_EQ(checkpoint->provenance, expected.provenance);
  EXPECT_TRUE(SameNetwork(checkpoint->network, expected.network));
}

TEST(EarlierFiles, AGraphOfVersion2IsWhatItsCheckpointFreezesTo) {
  const testing::TempDir dir;
  const auto frozen = RunTool("qat-freeze", {Earlier("version2.ckpt"), "-o", dir / "now.qgraph"});
  ASSERT_EQ(frozen.exit_code, 0) << frozen.err;
  auto then = ReadGraph(Earlier("version2.qgraph")), now = ReadGraph(dir / "now.qgraph");
  QAT_ASSERT_OK(then);
  QAT_ASSERT_OK(now);
  for (Graph* graph : {&*then, &*now}) graph->provenance.erase("tool_version");
  // Unless the format of the checkpoint's bytes has changed since, its hash is the same, too.
  EXPECT_EQ(Print(*now), Print(*then));
}

TEST(EarlierFiles, AModelIsReadWithItsContractNamesAndOrigin) {
  const auto model = Model::Load(Earlier("uint8.tflite"));
  QAT_ASSERT_OK(model);
  const auto contract = ContractOf(**model);
  QAT_ASSERT_OK(contract);
  EXPECT_EQ(contract->contract, testing::TinyCheckpoint().contract);
  EXPECT_EQ((*model)->labels(), (std::vector<std::string>{"zero", "one", "two"}));
  const auto traced =
      RunTool("qat-eval", {"trace", Earlier("uint8.tflite"), "--graph", Earlier("version2.qgraph"),
                           "--checkpoint", Earlier("version2.ckpt")});
  EXPECT_NE(traced.out.find(Sha256(ReadText(Earlier("version2.qgraph"))).substr(0, 12)), std::string::npos)
      << traced.out << traced.err;
}

TEST(EarlierFiles, APlanOfVersion1DecidesTheSame) {
  const auto choices = ReadPlan(ReadText(Earlier("plan1.toml")), "plan1.toml");
  QAT_ASSERT_OK(choices);
  EXPECT_EQ(choices->precisions, PrecisionsOf(Scheme::kUInt8));
  EXPECT_EQ(choices->activations.at("fc"), (Range{-3, 5}));
  EXPECT_EQ(choices->filters.at("conv/filter").range, (Range{-0.5f, 0.5625f}));
  const testing::TempDir dir;
  const auto converted = RunTool(
      "qat-convert", {Earlier("version2.qgraph"), "--plan", Earlier("plan1.toml"), "-o", dir / "m.tflite"});
  EXPECT_EQ(converted.exit_code, 0) << converted.err;
}

TEST(EarlierFiles, AReportOfVersion1IsABaseline) {
  const auto report = ParseReport(ReadText(Earlier("report1.json")), "report1.json");
  QAT_ASSERT_OK(report);
  const Report expected = testing::SampleReport();
  ASSERT_EQ(report->models.size(), expected.models.size());
  for (size_t i = 0; i < expected.models.size(); ++i) {
    EXPECT_EQ(report->models[i].name, expected.models[i].name);
    EXPECT_EQ(report->models[i].bytes, expected.models[i].bytes);
  }
  EXPECT_EQ(RunTool("qat-eval", {"report", Earlier("report1.json")}).exit_code, 0);
}

#ifdef QAT_HAS_TRAIN
// The pictures that the run was trained on: it resumes on no others.
void WritePictures(const std::string& folder) {
  fs::create_directories(folder);
  for (const auto& [split, count] : {std::pair<const char*, int32_t>{"train", 64}, {"test", 16}}) {
    NpyArray x{DType::kUInt8, {count, 4, 4, 1}, {}}, y{DType::kUInt8, {count}, {}};
    for (int32_t i = 0; i < count; ++i) {
      x.values.insert(x.values.end(), 16, static_cast<uint8_t>(i % 3 * 100 + i));
      y.values.push_back(static_cast<uint8_t>(i % 3));
    }
    QAT_ASSERT_OK(WriteFile(StrCat(folder, "/x_", split, ".npy"), Serialize(x)));
    QAT_ASSERT_OK(WriteFile(StrCat(folder, "/y_", split, ".npy"), Serialize(y)));
  }
}

// Its checkpoint has version 2, its state version 1.
TEST(EarlierFiles, ARunIsResumedWhereItStopped) {
  const testing::TempDir dir;
  WritePictures(dir / "pictures");
  fs::copy(Earlier("run1"), dir / "run", fs::copy_options::recursive);
  const auto resumed =
      testing::Run({"/bin/sh", "-c",
                    StrCat("cd '", dir.path(), "' && cp '", Earlier("tiny.toml"), "' . && '",
                           testing::ToolPath("qat-train"), "' --resume --progress none -o run")});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_TRUE(fs::exists(CheckpointPath(dir / "run", 40)));
  // What was logged up to there stands; it did not start anew.
  const std::string before = ReadText(Earlier("run1/metrics.ndjson"));
  const size_t known = before.find("\"event\":\"checkpoint\",\"step\":20");
  ASSERT_NE(known, std::string::npos);
  EXPECT_EQ(ReadText(dir / "run/metrics.ndjson").substr(0, known), before.substr(0, known));
  EXPECT_EQ(ReadText(CheckpointPath(dir / "run", 20)), ReadText(CheckpointPath(Earlier("run1"), 20)));
}
#endif

}  // namespace
}  // namespace qat
