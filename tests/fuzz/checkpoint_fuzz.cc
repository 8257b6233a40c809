// A checkpoint of either version: read, show, freeze, and on as a graph.
#include "base/envelope.h"
#include "base/printable.h"
#include "checkpoint/checkpoint.h"
#include "freeze/freeze.h"
#include "fuzz/containers.h"
#include "fuzz/flatbuffer_mutator.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/pipeline.h"
#include "fuzz/seeds.h"
#include "inspect/print.h"
#include "inspect/readers.h"

namespace qat::fuzz {
namespace {

void Run(std::span<const uint8_t> bytes) {
  const auto checkpoint = ParseCheckpoint(bytes, "checkpoint");
  if (!checkpoint.ok()) return;
  const auto again = ParseCheckpoint(Serialize(*checkpoint), "checkpoint");
  QAT_CHECK(again.ok());
  QAT_CHECK(Serialize(*again) == Serialize(*checkpoint));
  const auto inspection = InspectCheckpoint(Bytes(bytes.begin(), bytes.end()), "checkpoint");
  if (inspection.ok()) (void)PrintableLines(InspectionText(*inspection, true));
  std::vector<std::string> warnings;
  const auto graph = Freeze(*checkpoint, {}, warnings);
  if (graph.ok()) (void)ModelOf(*graph, PrecisionsOf(Scheme::kInt8));
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds;
  for (const Checkpoint& checkpoint : SeedCheckpoints()) seeds.push_back(Serialize(checkpoint));
  for (Bytes& file : FilesOfTree("tests/checkpoint", ".ckpt")) seeds.push_back(std::move(file));
  return seeds;
}

void Mutate(Bytes& bytes, Random& random) {
  if (bytes.size() <= kEnvelopeSize) return;
  const std::span<uint8_t> graph = InnerEnvelope(bytes);
  if (graph.size() > kEnvelopeSize && random.Below(2) == 0)
    MutateTables(TableKind::kGraph, random, graph.subspan(kEnvelopeSize));
  else
    MutateTables(TableKind::kCheckpoint, random, std::span(bytes).subspan(kEnvelopeSize));
}

}  // namespace

FuzzTarget CheckpointTarget() { return {"checkpoint", Run, Seeds, Mutate, MendEnvelope}; }

}  // namespace qat::fuzz
