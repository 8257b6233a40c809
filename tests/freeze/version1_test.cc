// Files of format version 1 (tests/checkpoint/version1.*, written by version 0.1.0 before the network was
// stored as a graph): they are read as what they would be today.
#include "base/envelope.h"
#include "base/file_kind.h"
#include "base/hash.h"
#include "checkpoint/checkpoint.h"
#include "freeze/freeze.h"
#include "spec/build_graph.h"
#include "support/places.h"
#include "support/test_util.h"

namespace qat {
namespace {

std::string Fixture(const std::string& name) {
  return std::string(testing::kSourceDir) + "/tests/checkpoint/" + name;
}

TEST(Version1, ACheckpointIsReadAsTheGraphThatItsTextStandsFor) {
  const auto checkpoint = ReadCheckpoint(Fixture("version1.ckpt"));
  QAT_ASSERT_OK(checkpoint);
  EXPECT_EQ(checkpoint->network.form, GraphForm::kTrainable);
  EXPECT_EQ(checkpoint->network.name, "version1");
  const auto spec = ParseNetworkSpec(SourceTextOf(checkpoint->network), "text");
  QAT_ASSERT_OK(spec);
  const auto network = BuildGraph(*spec);
  QAT_ASSERT_OK(network);
  EXPECT_TRUE(SameNetwork(*network, checkpoint->network));
  EXPECT_TRUE(checkpoint->network.nodes[0].batch_norm.has_value());
}

// The frozen graph that version 0.1.0 made of this checkpoint is the other fixture: the same tensors, values,
// ranges, nodes and provenance, the hash of the checkpoint's file included.
TEST(Version1, ACheckpointFreezesToTheGraphThatItFrozeToThen) {
  const auto checkpoint = ReadCheckpoint(Fixture("version1.ckpt"));
  QAT_ASSERT_OK(checkpoint);
  std::vector<std::string> warnings;
  const auto frozen = Freeze(*checkpoint, {}, warnings);
  QAT_ASSERT_OK(frozen);
  auto now = ParseGraph(Serialize(*frozen), "now");
  QAT_ASSERT_OK(now);
  auto then = ReadGraph(Fixture("version1.qgraph"));
  QAT_ASSERT_OK(then);
  now->provenance.erase("tool_version");
  then->provenance.erase("tool_version");
  EXPECT_EQ(Print(*now), Print(*then));
  EXPECT_TRUE(*now == *then);
}

TEST(Version1, WrittenAgainACheckpointIsOfVersion2AndTheSame) {
  auto checkpoint = ReadCheckpoint(Fixture("version1.ckpt"));
  QAT_ASSERT_OK(checkpoint);
  const auto again = ParseCheckpoint(Serialize(*checkpoint), "again");
  QAT_ASSERT_OK(again);
  EXPECT_TRUE(SameNetwork(again->network, checkpoint->network));
  EXPECT_EQ(again->network.provenance, checkpoint->network.provenance);
  EXPECT_EQ(again->tensors, checkpoint->tensors);
  EXPECT_EQ(again->ranges, checkpoint->ranges);
  EXPECT_EQ(again->version1_sha256, "");
}

TEST(Version1, EveryTruncationIsRefused) {
  const auto bytes = ReadFile(Fixture("version1.ckpt"));
  QAT_ASSERT_OK(bytes);
  for (size_t size = 0; size < bytes->size(); size += 7)
    EXPECT_FALSE(ParseCheckpoint(std::span(*bytes).first(size), "a.ckpt").ok()) << size;
}

// A text that is no network: the hash is right, the content is not.
TEST(Version1, AWrongTextInsideIsACorruptFile) {
  auto bytes = ReadFile(Fixture("version1.ckpt"));
  QAT_ASSERT_OK(bytes);
  Bytes payload(bytes->begin() + kEnvelopeSize, bytes->end());
  const std::string op = "op = \"mean\"";
  const auto at = std::search(payload.begin(), payload.end(), op.begin(), op.end());
  ASSERT_NE(at, payload.end());
  *(at + 6) = 'n';
  QAT_EXPECT_ERROR(ParseCheckpoint(SealEnvelope(kCheckpointIdentifier, 1, payload), "a.ckpt"),
                   ErrorCode::kCorrupt, "unknown op 'nean'");
}

}  // namespace
}  // namespace qat
