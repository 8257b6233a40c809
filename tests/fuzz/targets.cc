#include "fuzz/fuzz_target.h"

#include "fuzz/mutate.h"

namespace qat::fuzz {

const std::vector<FuzzTarget>& AllTargets() {
  static const std::vector<FuzzTarget> kTargets = {
      BmpTarget(),  CheckpointTarget(), CifarTarget(),  CsvTarget(),         GraphTarget(), IdxTarget(),
      JpegTarget(), MetadataTarget(),   NpyTarget(),    NpzTarget(),         OnnxTarget(),  PlanTarget(),
      PngTarget(),  RecipeTarget(),     ReportTarget(), SafetensorsTarget(), SpecTarget(),  TfliteTarget(),
  };
  return kTargets;
}

const FuzzTarget* FindTarget(std::string_view name) {
  for (const FuzzTarget& target : AllTargets()) {
    if (target.name == name) return &target;
  }
  return nullptr;
}

void MutateOnce(const FuzzTarget& target, const std::vector<Bytes>& corpus, size_t limit, Random& random,
                Bytes& bytes) {
  if (random.Below(6) != 0) {
    target.mutate(bytes, random);
  } else {
    const Bytes& other = corpus[random.Below(static_cast<uint32_t>(corpus.size()))];
    MutateBytes(other, random, bytes);
  }
  if (bytes.size() > limit) bytes.resize(limit);
  if (target.mend != nullptr && random.Below(16) != 0) target.mend(bytes);
}

}  // namespace qat::fuzz
