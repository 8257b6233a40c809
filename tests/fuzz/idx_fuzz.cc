// MNIST's files: images beside labels that are right, plain or gzip.
#include "data/dataset.h"
#include "data/idx.h"
#include "fuzz/containers.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "fuzz/scratch.h"

namespace qat::fuzz {
namespace {

constexpr size_t kHeader = 16;

void Run(std::span<const uint8_t> bytes) {
  static const std::string kLabels = PutScratch("idx/t10k-labels-idx1-ubyte", SerializeIdx({{3}, {0, 1, 2}}));
  const std::string path = PutScratch("idx/t10k-images-idx3-ubyte", bytes);
  const auto array = ReadIdx(path);
  if (array.ok()) QAT_CHECK(array->values.size() == static_cast<size_t>(FlatSize(array->shape)));
  (void)OpenDataset(ScratchFolder() + "/idx", Split::kTest);
}

std::vector<Bytes> Seeds() {
  Bytes values(3 * 4 * 5);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<uint8_t>(7 * i);
  const Bytes images = SerializeIdx({{3, 4, 5}, values});
  return {images, Compress(images, Stream::kGzip), SerializeIdx({{3}, {0, 1, 2}})};
}

void Mutate(Bytes& bytes, Random& random) {
  const bool packed = bytes.size() > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
  Bytes plain = packed ? Uncompress(bytes, Stream::kGzip) : bytes;
  MutateNumberInPlace(random, std::span(plain).first(std::min(plain.size(), kHeader)));
  if (random.Below(2) == 0) MutateBytes(Bytes(plain), random, plain);
  bytes = packed || random.Below(4) == 0 ? Compress(plain, Stream::kGzip) : std::move(plain);
}

}  // namespace

FuzzTarget IdxTarget() { return {"idx", Run, Seeds, Mutate}; }

}  // namespace qat::fuzz
