#include "freeze/freeze.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/hash.h"
#include "ir/constants.h"
#include "support/test_util.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_graph.h"

namespace qat {
namespace {

using qat::testing::TinyCheckpoint;

Expected<Graph> FreezeQuietly(const Checkpoint& checkpoint) {
  std::vector<std::string> warnings;
  auto graph = Freeze(checkpoint, {}, warnings);
  EXPECT_TRUE(warnings.empty()) << warnings[0];
  return graph;
}

TEST(Freeze, GivesTheGraphOfTheNetworkWithoutDropout) {
  const auto frozen = FreezeQuietly(TinyCheckpoint());
  QAT_ASSERT_OK(frozen);
  const Graph expected = qat::testing::TinyGraph();
  EXPECT_EQ(frozen->tensors, expected.tensors);
  EXPECT_EQ(frozen->inputs, expected.inputs);
  EXPECT_EQ(frozen->outputs, expected.outputs);
  EXPECT_EQ(frozen->contract, expected.contract);
  EXPECT_EQ(frozen->scheme, "uint8");
  ASSERT_EQ(frozen->nodes.size(), expected.nodes.size());
  for (size_t i = 0; i < expected.nodes.size(); ++i) {
    EXPECT_EQ(frozen->nodes[i].type, expected.nodes[i].type);
    EXPECT_EQ(frozen->nodes[i].name, expected.nodes[i].name);
    EXPECT_EQ(frozen->nodes[i].inputs, expected.nodes[i].inputs);
    EXPECT_EQ(frozen->nodes[i].outputs, expected.nodes[i].outputs);
  }
}

TEST(Freeze, ComesBackFromTheFileAsItself) {
  const auto frozen = FreezeQuietly(TinyCheckpoint());
  QAT_ASSERT_OK(frozen);
  const auto read = ParseGraph(Serialize(*frozen), "g.qgraph");
  QAT_ASSERT_OK(read);
  EXPECT_EQ(Serialize(*read), Serialize(*frozen));
}

TEST(Freeze, KeepsTheNamesByWhichAnAppAsks) {
  Checkpoint c = TinyCheckpoint();
  c.network.signature = {"classify", {"picture"}, {"scores"}};
  const auto frozen = FreezeQuietly(c);
  QAT_ASSERT_OK(frozen);
  EXPECT_EQ(frozen->signature, c.network.signature);
}

TEST(Freeze, ExtendsTheProvenanceByTheHashOfTheCheckpointFile) {
  const Checkpoint c = TinyCheckpoint();
  const auto frozen = FreezeQuietly(c);
  QAT_ASSERT_OK(frozen);
  EXPECT_EQ(frozen->provenance.at("checkpoint_sha256"), Sha256(Serialize(c)));
  EXPECT_EQ(frozen->provenance.at("data_sha256"), "00ff");
  EXPECT_EQ(frozen->provenance.at("spec_sha256"), Sha256(testing::kTinySpec));
  EXPECT_EQ(frozen->provenance.at("config_sha256"), Sha256(c.config_text));
  EXPECT_TRUE(frozen->provenance.contains("tool_version"));
}

TEST(Freeze, DropoutAtTheEndLeavesItsInputAsTheOutput) {
  Checkpoint c = TinyCheckpoint();
  c.network =
      testing::NetworkOf(std::string(testing::kTinySpec) + "[[layer]]\nname = \"last\"\nop = \"dropout\"\n");
  const auto frozen = FreezeQuietly(c);
  QAT_ASSERT_OK(frozen);
  EXPECT_EQ(frozen->tensor(frozen->outputs[0]).name, "fc");
}

TEST(Freeze, AFloat32CheckpointGivesAGraphWithoutRanges) {
  Checkpoint c = TinyCheckpoint();
  c.scheme = "float32";
  c.ranges.clear();
  const auto frozen = FreezeQuietly(c);
  QAT_ASSERT_OK(frozen);
  for (const GraphTensor& tensor : frozen->tensors) EXPECT_FALSE(tensor.has_range) << tensor.name;
}

TEST(Freeze, WidensRangesToHoldZero) {
  Checkpoint c = TinyCheckpoint();
  c.ranges["fc"].range = {1, 5};
  const auto frozen = FreezeQuietly(c);
  QAT_ASSERT_OK(frozen);
  EXPECT_EQ(frozen->tensor(frozen->outputs[0]).range, (Range{0, 5}));
}

TEST(Freeze, RoundsFiltersInTheirLearnedRanges) {
  Checkpoint c = TinyCheckpoint();
  c.scheme = "w4a8";
  c.ranges.erase("conv/filter");
  c.ranges.erase("fc/filter");
  c.filter_ranges["conv/filter"] = {{2}, {0.2f, 9}};
  c.filter_ranges["fc/filter"] = {{3}, {0.5f, 0, 0.125f}};
  const auto frozen = FreezeQuietly(c);
  QAT_ASSERT_OK(frozen);
  const auto values = [&](const char* name) {
    for (const GraphTensor& tensor : frozen->tensors) {
      if (tensor.name == name) return RealValues(tensor);
    }
    return std::vector<float>();
  };
  // On the grid of 15 integers that reaches to the end, or to the largest value where that is nearer; 0: not
  // rounded.
  const auto expect_rounded = [&](const char* name, size_t each, const std::vector<float>& ends) {
    const std::vector<float>&raw = c.tensors.at(name).values, frozen_values = values(name);
    ASSERT_EQ(frozen_values.size(), raw.size());
    for (size_t i = 0; i < raw.size(); ++i) {
      const size_t channel = i / each;
      float end = 0;
      for (size_t k = channel * each; k < (channel + 1) * each; ++k) end = std::max(end, std::abs(raw[k]));
      end = std::min(end, ends[channel]);
      const float step = end / 7;
      const float rounded =
          ends[channel] == 0 ? raw[i] : step * std::clamp(std::floor(raw[i] / step + 0.5f), -7.0f, 7.0f);
      EXPECT_NEAR(frozen_values[i], rounded, 1e-6) << name << " " << i;
    }
  };
  expect_rounded("conv/filter", 9, {0.2f, 9});
  expect_rounded("fc/filter", 8, {0.5f, 0, 0.125f});
  c.filter_ranges["fc/filter"].values[1] = std::nanf("");
  QAT_EXPECT_ERROR(FreezeQuietly(c), ErrorCode::kNumerical,
                   "values that are not finite in: fc/filter (its range)");
  c.filter_ranges.erase("fc/filter");
  QAT_EXPECT_ERROR(FreezeQuietly(c), ErrorCode::kCorrupt,
                   "filter 'fc/filter' has no learned range, and others have");
}

TEST(Freeze, WarnsOfUnsettledRangesAndRefusesThemWhenStrict) {
  Checkpoint c = TinyCheckpoint();
  c.ranges["conv"].drift = 0.25f;
  c.ranges["fc"].drift = 0.06f;
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(Freeze(c, {}, warnings));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("conv (0.25), fc (0.06)"), std::string::npos) << warnings[0];
  FreezeOptions strict;
  strict.strict = true;
  QAT_EXPECT_ERROR(Freeze(c, strict, warnings), ErrorCode::kNumerical, "conv (0.25), fc (0.06)");
  strict.max_drift = 0.3f;
  QAT_ASSERT_OK(Freeze(c, strict, warnings));
}

// A large network has dozens; the first to look at are the worst.
TEST(Freeze, NamesTheFiveWorstOfManyUnsettledBatchNorms) {
  Checkpoint c = TinyCheckpoint();
  for (int i = 1; i <= 20; ++i) c.batch_norm_gaps["bn" + std::to_string(i)] = i * 0.125;
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(Freeze(c, {}, warnings));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(
      warnings[0].find(
          "than 0.25 deviations from those of other batches, 18 of 20: bn20 (2.5), bn19 (2.4), bn18 (2.2), "
          "bn17 (2.1), bn16 (2) and 13 more; train longer"),
      std::string::npos)
      << warnings[0];
}

TEST(Freeze, WarnsOfDeadLayersAndOfAnEarlyCheckpoint) {
  Checkpoint c = TinyCheckpoint();
  c.ranges["conv"].range = {0, 0};
  c.metrics["fake_quantize"] = 0;
  std::vector<std::string> warnings;
  QAT_ASSERT_OK(Freeze(c, {}, warnings));
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find("ranges of width 0, only 0 was seen: conv"), std::string::npos);
  EXPECT_NE(warnings[1].find("at step 900 fake quantization was not switched on yet"), std::string::npos);
}

TEST(Freeze, RefusesParametersThatTheNetworkDoesNotHave) {
  Checkpoint c = TinyCheckpoint();
  c.tensors["fc2/filter"] = {{1}, {0}};
  QAT_EXPECT_ERROR(FreezeQuietly(c), ErrorCode::kCorrupt, "tensor 'fc2/filter' belongs to no layer");
  c = TinyCheckpoint();
  c.tensors.erase("conv/bias");
  QAT_EXPECT_ERROR(FreezeQuietly(c), ErrorCode::kCorrupt, "layer 'conv' has no bias");
  c = TinyCheckpoint();
  c.tensors["fc/filter"].shape = {8, 3};
  QAT_EXPECT_ERROR(FreezeQuietly(c), ErrorCode::kCorrupt, "'fc/filter' is [8, 3], its network says [3, 8]");
}

TEST(Freeze, ListsEveryMissingRange) {
  Checkpoint c = TinyCheckpoint();
  c.ranges.erase("conv");
  c.ranges.erase("fc/filter");
  QAT_EXPECT_ERROR(FreezeQuietly(c), ErrorCode::kCorrupt,
                   "scheme is uint8, but these have no trained range: conv, fc/filter");
}

TEST(Freeze, RefusesValuesThatAreNotFinite) {
  Checkpoint c = TinyCheckpoint();
  c.tensors["fc/bias"].values[1] = std::nanf("");
  QAT_EXPECT_ERROR(FreezeQuietly(c), ErrorCode::kNumerical, "not finite in: fc/bias");
  c = TinyCheckpoint();
  c.ranges["conv"].range.max = std::numeric_limits<float>::infinity();
  QAT_EXPECT_ERROR(FreezeQuietly(c), ErrorCode::kNumerical, "range 'conv' is [0, inf]");
}

TEST(Freeze, CallsTheCheckpointCorruptWhereItsNetworkIsWrong) {
  Checkpoint c = TinyCheckpoint();
  c.network.nodes[0].inputs[0] = 99;
  QAT_EXPECT_ERROR(FreezeQuietly(c), ErrorCode::kCorrupt, "network: node 'conv': reads tensor 99");
  c = TinyCheckpoint();
  c.network = testing::TinyGraph();
  QAT_EXPECT_ERROR(FreezeQuietly(c), ErrorCode::kCorrupt, "its network is frozen already");
  c = TinyCheckpoint();
  c.contract.input().height = 28;
  QAT_EXPECT_ERROR(FreezeQuietly(c), ErrorCode::kCorrupt, "its contract says 28x4x1");
}

}  // namespace
}  // namespace qat
