// What a .tflite says of itself: the input contract, TFLite's own metadata, label files, provenance.
#include "contract/contract.h"
#include "contract/model_description.h"
#include "contract/provenance.h"
#include "fuzz/containers.h"
#include "fuzz/flatbuffer_mutator.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "fuzz/seeds.h"

namespace qat::fuzz {
namespace {

void Run(std::span<const uint8_t> bytes) {
  const auto contract = ParseContract(bytes);
  if (contract.ok()) {
    const auto again = ParseContract(Serialize(*contract));
    QAT_CHECK(again.ok() && Serialize(*again) == Serialize(*contract));
    (void)Describe(*contract);
  }
  const auto description = ParseModelDescription(bytes);
  if (description.ok() && *description) (void)Serialize(**description);
  const std::string text = TextOf(bytes);
  (void)ParseLabelFile(text);
  (void)ParseProvenance(text);
}

ModelDescription SeedDescription() {
  TensorDescription input;
  input.name = "image";
  input.colors = ColorSpace::kRgb;
  input.mean = {127.5f};
  input.std = {127.5f};
  input.min = {0, 0, 0};
  input.max = {255, 255, 255};
  TensorDescription output;
  output.name = "score";
  output.labels = LabelUse::kAxis;
  output.label_file = kLabelFileName;
  return {"net", {input}, {output}};
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds;
  for (const Graph& graph : SeedGraphs()) seeds.push_back(Serialize(graph.contract));
  seeds.push_back(Serialize(SeedDescription()));
  seeds.push_back(BytesOf("zero\none\ntwo\n"));
  seeds.push_back(BytesOf("tool=qat-convert\nversion=1\ngraph_sha256=00ff\n"));
  return seeds;
}

void Mutate(Bytes& bytes, Random& random) {
  MutateTables(random.Below(2) == 0 ? TableKind::kContract : TableKind::kModelMetadata, random, bytes);
}

}  // namespace

FuzzTarget MetadataTarget() { return {"metadata", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
