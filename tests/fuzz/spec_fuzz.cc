// A network as TOML: parse, build, print.
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "fuzz/seeds.h"
#include "spec/build_graph.h"

namespace qat::fuzz {
namespace {

void Run(std::span<const uint8_t> bytes) {
  const auto spec = ParseNetworkSpec(TextOf(bytes), "spec.toml");
  if (!spec.ok()) return;
  const auto graph = BuildGraph(*spec);
  QAT_CHECK(graph.ok());  // a spec that was taken can be built
  const auto again = ParseGraph(Serialize(*graph), "graph");
  QAT_CHECK(again.ok());
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds = FilesOfTree("tests/specs", ".toml");
  for (Bytes& file : FilesOfTree("lib/spec/zoo", ".toml")) seeds.push_back(std::move(file));
  return seeds;
}

void Mutate(Bytes& bytes, Random& random) {
  static const std::vector<std::string> kWords = WordsIn(Seeds());
  MutateTextBytes(kWords, random, bytes);
}

}  // namespace

FuzzTarget SpecTarget() { return {"spec", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
