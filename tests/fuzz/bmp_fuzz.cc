#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "fuzz/pictures.h"
#include "fuzz/seeds.h"

namespace qat::fuzz {
namespace {

constexpr size_t kHeaders = 140;  // of the file, of the picture, and the first of its palette

std::vector<Bytes> Seeds() { return FilesOfTree("tests/data/pictures", ".bmp"); }

void Mutate(Bytes& bytes, Random& random) {
  for (uint32_t changes = 1 + random.Below(3); changes > 0; --changes)
    MutateNumberInPlace(random, std::span(bytes).first(std::min(bytes.size(), kHeaders)));
}

}  // namespace

FuzzTarget BmpTarget() { return {"bmp", DecodePicture, Seeds, Mutate}; }

}  // namespace qat::fuzz
