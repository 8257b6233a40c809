// A recipe as TOML: parse, check, write, parse again.
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "fuzz/seeds.h"
#include "spec/train_config.h"

namespace qat::fuzz {
namespace {

void Run(std::span<const uint8_t> bytes) {
  const auto config = ParseTrainConfig(TextOf(bytes), "config.toml", {});
  if (!config.ok()) return;
  (void)Validate(*config);
  const auto again = ParseTrainConfig(ToToml(*config), "config.toml", {});
  QAT_CHECK(again.ok());
  QAT_CHECK(*again == *config);
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds = FilesOfTree("lib/spec/presets", ".toml");
  seeds.push_back(BytesOf(ToToml({})));
  return seeds;
}

void Mutate(Bytes& bytes, Random& random) {
  static const std::vector<std::string> kWords = WordsIn(Seeds());
  MutateTextBytes(kWords, random, bytes);
}

}  // namespace

FuzzTarget RecipeTarget() { return {"recipe", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
