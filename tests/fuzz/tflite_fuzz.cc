// A .tflite: load, show, import, prepare, invoke.
#include "fuzz/flatbuffer_mutator.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/pipeline.h"
#include "fuzz/seeds.h"

namespace qat::fuzz {
namespace {

void Run(std::span<const uint8_t> bytes) { RunModel(Bytes(bytes.begin(), bytes.end())); }

std::vector<Bytes> Seeds() { return SeedModels(); }

void Mutate(Bytes& bytes, Random& random) { MutateTables(TableKind::kModel, random, bytes); }

}  // namespace

FuzzTarget TfliteTarget() { return {"tflite", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
