// png_file.h: PNG files of every kind, written by hand and not compressed.
#ifndef QAT_TESTS_SUPPORT_PNG_FILE_H_
#define QAT_TESTS_SUPPORT_PNG_FILE_H_

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace qat::testing {

enum class PngColour : uint8_t { kGrey = 0, kRgb = 2, kPalette = 3, kGreyAlpha = 4, kRgba = 6 };

inline size_t SamplesPerPixel(PngColour colour) {
  switch (colour) {
    case PngColour::kGrey:
    case PngColour::kPalette:
      return 1;
    case PngColour::kGreyAlpha:
      return 2;
    case PngColour::kRgb:
      return 3;
    case PngColour::kRgba:
      return 4;
  }
  return 0;
}

struct PngChunk {
  std::string type;
  Bytes data;
};

struct PngFile {
  uint32_t height = 0, width = 0;
  int bits = 8;
  PngColour colour = PngColour::kGrey;
  bool interlaced = false;
  std::vector<uint16_t> samples;      ///< [height, width, SamplesPerPixel]
  std::vector<PngChunk> chunks = {};  ///< between header and pixels: PLTE, tRNS, gAMA, …
};

namespace png {

inline void Append32(uint32_t number, Bytes& to) {
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<uint8_t>(number >> shift));
}

// CRC-32, a bit at a time.
inline uint32_t Checksum(std::span<const uint8_t> bytes) {
  uint32_t sum = ~0u;
  for (const uint8_t byte : bytes) {
    sum ^= byte;
    for (int bit = 0; bit < 8; ++bit) sum = sum & 1 ? sum >> 1 ^ 0xedb88320u : sum >> 1;
  }
  return ~sum;
}

inline void AppendChunk(std::string_view type, const Bytes& data, Bytes& to) {
  Append32(static_cast<uint32_t>(data.size()), to);
  const size_t start = to.size();
  to.insert(to.end(), type.begin(), type.end());
  to.insert(to.end(), data.begin(), data.end());
  Append32(Checksum(std::span(to).subspan(start)), to);
}

// A zlib stream of stored blocks.
inline Bytes Stored(const Bytes& raw) {
  Bytes stream = {0x78, 0x01};
  constexpr size_t kBlock = 65535;
  uint32_t a = 1, b = 0;
  for (const uint8_t byte : raw) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  for (size_t first = 0; first < raw.size() || first == 0; first += kBlock) {
    const size_t size = std::min(kBlock, raw.size() - first);
    const auto low = static_cast<uint8_t>(size), high = static_cast<uint8_t>(size >> 8);
    stream.push_back(first + size == raw.size());
    stream.insert(stream.end(), {low, high, static_cast<uint8_t>(~low), static_cast<uint8_t>(~high)});
    stream.insert(stream.end(), raw.begin() + static_cast<ptrdiff_t>(first),
                  raw.begin() + static_cast<ptrdiff_t>(first + size));
  }
  Append32(b << 16 | a, stream);
  return stream;
}

// Every dx-th pixel from x of every dy-th row from y, each row without a filter and filled up to bytes.
inline void AppendPass(const PngFile& file, uint32_t x, uint32_t y, uint32_t dx, uint32_t dy, Bytes& raw) {
  if (x >= file.width) return;
  const size_t per_pixel = SamplesPerPixel(file.colour);
  for (; y < file.height; y += dy) {
    raw.push_back(0);
    int free = 0;  // bits of the last byte
    for (uint32_t at = x; at < file.width; at += dx) {
      for (size_t c = 0; c < per_pixel; ++c) {
        const uint16_t sample = file.samples[(size_t{y} * file.width + at) * per_pixel + c];
        if (file.bits == 16) raw.push_back(static_cast<uint8_t>(sample >> 8));
        if (file.bits >= 8) {
          raw.push_back(static_cast<uint8_t>(sample));
          continue;
        }
        if (free == 0) {
          raw.push_back(0);
          free = 8;
        }
        free -= file.bits;
        raw.back() = static_cast<uint8_t>(raw.back() | sample << free);
      }
    }
  }
}

}  // namespace png

inline Bytes Encoded(const PngFile& file) {
  Bytes head;
  png::Append32(file.width, head);
  png::Append32(file.height, head);
  head.insert(head.end(),
              {static_cast<uint8_t>(file.bits), static_cast<uint8_t>(file.colour), 0, 0, file.interlaced});
  Bytes raw;
  if (file.interlaced) {
    constexpr uint32_t kPasses[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                        {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
    for (const auto& [x, y, dx, dy] : kPasses) png::AppendPass(file, x, y, dx, dy, raw);
  } else {
    png::AppendPass(file, 0, 0, 1, 1, raw);
  }
  Bytes bytes = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  png::AppendChunk("IHDR", head, bytes);
  for (const PngChunk& chunk : file.chunks) png::AppendChunk(chunk.type, chunk.data, bytes);
  png::AppendChunk("IDAT", png::Stored(raw), bytes);
  png::AppendChunk("IEND", {}, bytes);
  return bytes;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_PNG_FILE_H_
