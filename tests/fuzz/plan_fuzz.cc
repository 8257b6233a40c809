// A quantization plan as TOML: parse, take its choices, quantize by it.
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "fuzz/seeds.h"
#include "passes/passes.h"
#include "plan/plan_file.h"
#include "tflite/tflite_writer.h"

namespace qat::fuzz {
namespace {

QuantizationOptions OptionsOf(Scheme scheme) {
  QuantizationOptions options;
  options.precisions = PrecisionsOf(scheme);
  return options;
}

void Run(std::span<const uint8_t> bytes) {
  const auto choices = ReadPlan(TextOf(bytes), "plan.toml");
  if (!choices.ok()) return;
  for (const Graph& seed : SeedGraphs()) {
    Graph graph = seed;
    QuantizationOptions options =
        OptionsOf(choices->precisions == PrecisionsOf(Scheme::kUInt8) ? Scheme::kUInt8 : Scheme::kInt8);
    std::vector<std::string> warnings;
    if (!TakeChoices(*choices, graph, options).ok()) continue;
    if (ChooseQuantization(graph, options, warnings).ok()) (void)WriteTflite(graph, {});
  }
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds;
  for (const Graph& graph : SeedGraphs()) {
    for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8}) {
      std::vector<std::string> warnings;
      const auto plan = MakePlan(graph, OptionsOf(scheme), warnings);
      if (plan.ok()) seeds.push_back(BytesOf(PlanText(*plan, graph, {})));
    }
  }
  return seeds;
}

void Mutate(Bytes& bytes, Random& random) {
  static const std::vector<std::string> kWords = WordsIn(Seeds());
  MutateTextBytes(kWords, random, bytes);
}

}  // namespace

FuzzTarget PlanTarget() { return {"plan", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
