// A .qgraph: read, show, quantize, write, run.
#include "base/envelope.h"
#include "base/printable.h"
#include "fuzz/containers.h"
#include "fuzz/flatbuffer_mutator.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/pipeline.h"
#include "fuzz/seeds.h"
#include "inspect/print.h"
#include "inspect/readers.h"
#include "ir/frozen_graph.h"

namespace qat::fuzz {
namespace {

bool IsSmall(const Graph& graph) {
  int64_t values = 0;
  for (const GraphTensor& tensor : graph.tensors) values += FlatSize(tensor.shape);
  return values < (1 << 20);
}

void Run(std::span<const uint8_t> bytes) {
  const auto graph = ParseGraph(bytes, "graph");
  if (!graph.ok()) return;
  // What was read is written as it is, and read again.
  const auto again = ParseGraph(Serialize(*graph), "graph");
  QAT_CHECK(again.ok());
  QAT_CHECK(Serialize(*again) == Serialize(*graph));
  const auto inspection = InspectGraph(Bytes(bytes.begin(), bytes.end()), "graph");
  if (inspection.ok()) (void)PrintableLines(InspectionText(*inspection, true));
  const auto frozen = ParseFrozenGraph(bytes, "graph");
  if (frozen.ok() && IsSmall(*frozen)) ConvertAndRun(*frozen);
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds;
  for (const Graph& graph : SeedGraphs()) seeds.push_back(Serialize(graph));
  for (const Checkpoint& checkpoint : SeedCheckpoints()) seeds.push_back(Serialize(checkpoint.network));
  for (Bytes& file : FilesOfTree("tests/checkpoint", ".qgraph")) seeds.push_back(std::move(file));
  return seeds;
}

void Mutate(Bytes& bytes, Random& random) {
  if (bytes.size() > kEnvelopeSize)
    MutateTables(TableKind::kGraph, random, std::span(bytes).subspan(kEnvelopeSize));
}

}  // namespace

FuzzTarget GraphTarget() { return {"graph", Run, Seeds, Mutate, MendEnvelope}; }

}  // namespace qat::fuzz
