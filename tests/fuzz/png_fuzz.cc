// PNG: chunks, each with its checksum, and the pixels as one compressed stream in some of them.
#include <algorithm>
#include <array>

#include "fuzz/containers.h"
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "fuzz/pictures.h"
#include "fuzz/seeds.h"

namespace qat::fuzz {
namespace {

constexpr std::array<uint8_t, 4> kPixels = {'I', 'D', 'A', 'T'};

std::vector<Bytes> Seeds() { return FilesOfTree("tests/data/pictures", ".png"); }

void Mend(Bytes& bytes) { bytes = WritePng(ReadPngChunks(bytes)); }

void MutateChunk(Random& random, PngChunk& chunk) {
  if (chunk.type == kPixels && random.Below(2) == 0) {
    Bytes pixels = Uncompress(chunk.content, Stream::kZlib);
    MutateBytes(Bytes(pixels), random, pixels);
    chunk.content = Compress(pixels, Stream::kZlib);
  } else if (random.Below(8) == 0) {
    chunk.type[random.Below(4)] = static_cast<uint8_t>('A' + random.Below(58));
  } else if (random.Below(3) == 0) {
    MutateBytes(Bytes(chunk.content), random, chunk.content);
  } else {
    MutateNumberInPlace(random, chunk.content);
  }
}

void Mutate(Bytes& bytes, Random& random) {
  std::vector<PngChunk> chunks = ReadPngChunks(bytes);
  if (chunks.empty()) return MutateNumberInPlace(random, bytes);
  const size_t index = Place(random, chunks.size()), other = Place(random, chunks.size());
  switch (random.Below(8)) {
    case 0:
      chunks.erase(chunks.begin() + static_cast<std::ptrdiff_t>(index));
      break;
    case 1:
      chunks.insert(chunks.begin() + static_cast<std::ptrdiff_t>(other), PngChunk(chunks[index]));
      break;
    case 2:
      std::swap(chunks[index], chunks[other]);
      break;
    default:
      MutateChunk(random, chunks[index]);
      break;
  }
  bytes = WritePng(chunks);
}

}  // namespace

FuzzTarget PngTarget() { return {"png", DecodePicture, Seeds, Mutate, Mend}; }

}  // namespace qat::fuzz
