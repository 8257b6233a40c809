// A JPEG file is a list of segments: 0xff, marker, size (2 bytes, big-endian, counting themselves), content.
// The one of EXIF is an APP1 that begins with "Exif", 0, 0; then a TIFF file: "II" (little-endian) or "MM",
// 42 (2 bytes), offset of the first directory (4); there, the number of entries (2) and each of them: tag
// (2), type (2), count (4), value (4).
#include "data/exif.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/check.h"

namespace qat {
namespace {

using Span = std::span<const uint8_t>;

constexpr uint8_t kStartOfScan = 0xda;
constexpr uint8_t kApp1 = 0xe1;
constexpr std::string_view kExif{"Exif\0\0", 6};
constexpr uint32_t kOrientationTag = 0x0112;
constexpr uint32_t kShort = 3;

// What lies beyond the end reads as 0, which is no tag, type or orientation.
struct TiffReader {
  Span bytes;
  bool big = false;
  uint32_t Get(size_t at, size_t size) const {
    if (at > bytes.size() || size > bytes.size() - at) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) value = value << 8 | bytes[at + (big ? i : size - 1 - i)];
    return value;
  }
};

bool Begins(Span bytes, std::string_view with) {
  return bytes.size() >= with.size() && std::equal(with.begin(), with.end(), bytes.begin());
}

// The content of the EXIF segment; empty: there is none before the pixels.
Span FindExif(Span jpeg) {
  const TiffReader reader{jpeg, true};
  size_t at = 2;
  while (at + 4 <= jpeg.size() && jpeg[at] == 0xff) {
    const uint8_t marker = jpeg[at + 1];
    if (marker == 0xff) {  // fill bytes may stand before a marker
      ++at;
      continue;
    }
    const size_t size = reader.Get(at + 2, 2);
    if (marker == kStartOfScan || size < 2 || size > jpeg.size() - at - 2) break;
    const Span content = jpeg.subspan(at + 4, size - 2);
    if (marker == kApp1 && Begins(content, kExif)) return content.subspan(kExif.size());
    at += 2 + size;
  }
  return {};
}

}  // namespace

int ExifOrientation(std::span<const uint8_t> jpeg) {
  const Span tiff = FindExif(jpeg);
  if (!Begins(tiff, "II") && !Begins(tiff, "MM")) return 1;
  const TiffReader reader{tiff, tiff[0] == 'M'};
  if (reader.Get(2, 2) != 42) return 1;
  const size_t directory = reader.Get(4, 4);
  const size_t entries = reader.Get(directory, 2);
  for (size_t i = 0; i < entries; ++i) {
    const size_t entry = directory + 2 + 12 * i;
    if (reader.Get(entry, 2) != kOrientationTag || reader.Get(entry + 2, 2) != kShort) continue;
    const uint32_t orientation = reader.Get(entry + 8, 2);
    return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
  }
  return 1;
}

Image Oriented(Image image, int orientation) {
  QAT_CHECK(orientation >= 1 && orientation <= 8);
  if (orientation == 1) return image;
  const bool transposed = orientation >= 5;
  const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Image out{image.height, image.width, image.channels, {}};
  if (transposed) std::swap(out.height, out.width);
  out.pixels.reserve(image.pixels.size());
  for (int32_t y = 0; y < out.height; ++y) {
    for (int32_t x = 0; x < out.width; ++x) {
      int32_t row = transposed ? x : y;
      int32_t column = transposed ? y : x;
      if (from_below) row = image.height - 1 - row;
      if (from_right) column = image.width - 1 - column;
      const size_t at =
          (static_cast<size_t>(row) * static_cast<size_t>(image.width) + static_cast<size_t>(column)) *
          static_cast<size_t>(image.channels);
      for (int32_t c = 0; c < image.channels; ++c)
        out.pixels.push_back(image.pixels[at + static_cast<size_t>(c)]);
    }
  }
  return out;
}

}  // namespace qat
