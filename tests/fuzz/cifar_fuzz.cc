// CIFAR's records, of 10 and of 100 classes, and a list of class names that may be damaged.
#include "data/dataset.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "fuzz/scratch.h"

namespace qat::fuzz {
namespace {

constexpr size_t kRecord = 1 + 3072;

void Run(std::span<const uint8_t> bytes) {
  PutScratch("cifar10/test_batch.bin", bytes);
  (void)OpenDataset(ScratchFolder() + "/cifar10", Split::kTest);
  PutScratch("cifar100/test.bin", bytes);
  (void)OpenDataset(ScratchFolder() + "/cifar100", Split::kTest);
  PutScratch("names/test_batch.bin", Bytes(kRecord, 1));
  PutScratch("names/batches.meta.txt", bytes);
  (void)OpenDataset(ScratchFolder() + "/names", Split::kTest);
}

std::vector<Bytes> Seeds() {
  Bytes two(2 * kRecord, 7), fine(kRecord + 1, 3);
  return {two, fine, BytesOf("airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n")};
}

void Mutate(Bytes& bytes, Random& random) {
  if (bytes.size() < 512) return MutateTextBytes({}, random, bytes);
  // Labels and the number of records; pixels mean nothing to the reader.
  if (random.Below(2) == 0)
    bytes[Place(random, bytes.size() / kRecord + 1) * kRecord % bytes.size()] =
        static_cast<uint8_t>(random.Next());
  if (random.Below(4) == 0) bytes.resize(random.Below(4) * (kRecord + random.Below(2)));
}

}  // namespace

FuzzTarget CifarTarget() { return {"cifar", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
