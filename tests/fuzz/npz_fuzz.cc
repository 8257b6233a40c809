// Archives of arrays: as data, and as weights.
#include "base/zip.h"
#include "data/dataset.h"
#include "data/npy.h"
#include "fuzz/containers.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "fuzz/scratch.h"
#include "fuzz/seeds.h"
#include "weights/weights_file.h"

namespace qat::fuzz {
namespace {

void Run(std::span<const uint8_t> bytes) {
  const std::string path = PutScratch("x.npz", bytes);
  (void)OpenDataset(path, Split::kTrain);
  (void)OpenDataset(path, Split::kTest);
  const auto weights = WeightsFile::Parse(Bytes(bytes.begin(), bytes.end()), "w.npz");
  if (!weights.ok()) return;
  for (size_t i = 0; i < weights->tensors().size(); ++i) (void)weights->Values(i);
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds = FilesOfTree("tests/data/arrays", ".npz");
  const ZipFile files[] = {{"x_train.npy", Serialize(NpyArray{DType::kUInt8, {4, 2, 2, 1}, Bytes(16, 9)})},
                           {"y_train.npy", Serialize(NpyArray{DType::kUInt8, {4}, {0, 1, 0, 1}})},
                           {"x_test.npy", Serialize(NpyArray{DType::kUInt8, {2, 2, 2, 1}, Bytes(8, 5)})},
                           {"y_test.npy", Serialize(NpyArray{DType::kUInt8, {2}, {1, 0}})}};
  AppendZip(files, seeds.emplace_back());
  return seeds;
}

// Numbers of the directory, the local headers and the arrays in it.
void Mutate(Bytes& bytes, Random& random) {
  for (uint32_t changes = 1 + random.Below(3); changes > 0; --changes) {
    const size_t begin = random.Below(2) == 0 ? 0 : bytes.size() - std::min<size_t>(bytes.size(), 400);
    MutateNumberInPlace(random, std::span(bytes).subspan(begin));
  }
}

}  // namespace

FuzzTarget NpzTarget() { return {"npz", Run, Seeds, Mutate, MendZip}; }

}  // namespace qat::fuzz
