// JPEG: segments of a marker, a length and its content, then the entropy-coded data.
#include "fuzz/fuzz_target.h"
#include "fuzz/mutate.h"
#include "fuzz/pictures.h"
#include "fuzz/seeds.h"

namespace qat::fuzz {
namespace {

struct Segment {
  size_t begin, size;  // of its content, the length left out
};

std::vector<Segment> SegmentsOf(std::span<const uint8_t> bytes) {
  std::vector<Segment> segments;
  for (size_t at = 2; at + 4 <= bytes.size() && bytes[at] == 0xff;) {
    const size_t length = size_t{bytes[at + 2]} << 8 | bytes[at + 3];
    if (length < 2 || length > bytes.size() - at - 2) break;
    segments.push_back({at + 4, length - 2});
    if (bytes[at + 1] == 0xda) break;  // behind it lies the data
    at += 2 + length;
  }
  return segments;
}

std::vector<Bytes> Seeds() {
  std::vector<Bytes> seeds = FilesOfTree("tests/data/pictures", ".jpg");
  for (Bytes& file : FilesOfTree("tests/data/pictures", ".jpeg")) seeds.push_back(std::move(file));
  return seeds;
}

// In a segment; seldom in the data.
void Mutate(Bytes& bytes, Random& random) {
  const std::vector<Segment> segments = SegmentsOf(bytes);
  if (segments.empty() || random.Below(5) == 0) return MutateNumberInPlace(random, bytes);
  const Segment& segment = segments[Place(random, segments.size())];
  if (random.Below(8) != 0)
    return MutateNumberInPlace(random, std::span(bytes).subspan(segment.begin, segment.size));
  bytes[segment.begin - 3] = static_cast<uint8_t>(0xc0 + random.Below(0x40));  // another marker
}

}  // namespace

FuzzTarget JpegTarget() { return {"jpeg", DecodePicture, Seeds, Mutate}; }

}  // namespace qat::fuzz
