// "BM", file size, 4 bytes, offset of the pixels; then a header that begins with its own size: width, height
// (negative:
// top row first), planes, bits per pixel, compression, …, number of colours; then masks or colours (blue,
// green, red, 0).
// Rows are padded to 4 bytes.
#include <array>
#include <bit>

#include "base/strings.h"
#include "data/image_codecs.h"

namespace qat {
namespace {

constexpr size_t kFileHeader = 14;
constexpr size_t kInfoHeader = 40;
constexpr uint32_t kNoCompression = 0;
constexpr uint32_t kMasks = 3;

uint32_t Little(std::span<const uint8_t> bytes, size_t at, size_t size) {
  uint32_t value = 0;
  for (size_t i = size; i > 0; --i) value = value << 8 | bytes[at + i - 1];
  return value;
}

struct Header {
  int64_t width = 0;
  int64_t height = 0;
  bool top_first = false;
  uint32_t bits = 0;
  size_t pixels = 0;   // where they begin
  size_t palette = 0;  // where colours begin
  uint32_t colours = 0;
  std::array<uint32_t, 3> byte_of = {2, 1, 0};  // of red, green, blue in a pixel of 24 or 32 bits
};

// Which byte of a pixel each mask names; only whole bytes.
Status ReadMasks(std::span<const uint8_t> bytes, Header& header) {
  constexpr size_t kAt = kFileHeader + kInfoHeader;
  if (bytes.size() < kAt + 12) return Corrupt("is a BMP picture cut off in its header");
  for (size_t c = 0; c < 3; ++c) {
    const uint32_t mask = Little(bytes, kAt + 4 * c, 4);
    const int shift = std::countr_zero(mask);
    if (mask == 0 || shift % 8 != 0 || mask >> shift != 0xff) {
      return Unsupported("is a BMP picture with masks other than one byte per channel");
    }
    header.byte_of[c] = static_cast<uint32_t>(shift) / 8;
  }
  return {};
}

Expected<Header> ReadHeader(std::span<const uint8_t> bytes) {
  if (bytes.size() < kFileHeader + kInfoHeader) return Corrupt("is a BMP picture cut off in its header");
  const uint32_t size = Little(bytes, kFileHeader, 4);
  if (size < kInfoHeader) return Unsupported(StrCat("is a BMP picture of OS/2 (header of ", size, " bytes)"));
  Header header;
  header.width = static_cast<int32_t>(Little(bytes, 18, 4));
  header.height = static_cast<int32_t>(Little(bytes, 22, 4));
  header.top_first = header.height < 0;
  if (header.top_first) header.height = -header.height;
  QAT_RETURN_IF_ERROR(CheckPictureSize(header.height, header.width));
  header.bits = Little(bytes, 28, 2);
  header.pixels = Little(bytes, 10, 4);
  header.palette = kFileHeader + size_t{size};
  header.colours = Little(bytes, 46, 4);
  const uint32_t compression = Little(bytes, 30, 4);
  if (compression == kMasks && header.bits == 32) {
    QAT_RETURN_IF_ERROR(ReadMasks(bytes, header));
  } else if (compression != kNoCompression) {
    return Unsupported(StrCat("is a BMP picture with compression ", compression, ", expected none"));
  }
  return header;
}

Status ReadPalette(std::span<const uint8_t> bytes, const Header& header, Image& image) {
  const uint32_t most = 1u << header.bits;
  const uint32_t colours = header.colours == 0 ? most : std::min(header.colours, most);
  if (header.palette + 4 * size_t{colours} > bytes.size())
    return Corrupt("is a BMP picture cut off in its colours");
  const auto stride = static_cast<size_t>((header.width * header.bits + 31) / 32 * 4);
  const uint32_t per_byte = 8 / header.bits;
  for (int64_t y = 0; y < header.height; ++y) {
    const int64_t row = header.top_first ? y : header.height - 1 - y;
    for (int64_t x = 0; x < header.width; ++x) {
      const uint8_t packed =
          bytes[header.pixels + static_cast<size_t>(row) * stride + static_cast<size_t>(x / per_byte)];
      const uint32_t shift = (per_byte - 1 - static_cast<uint32_t>(x % per_byte)) * header.bits;
      const uint32_t colour = (packed >> shift) & (most - 1);
      if (colour >= colours) return Corrupt(StrCat("is a BMP picture with colour ", colour, " of ", colours));
      for (size_t c = 0; c < 3; ++c)
        image.pixels.push_back(bytes[header.palette + 4 * size_t{colour} + 2 - c]);
    }
  }
  return {};
}

void ReadTrueColour(std::span<const uint8_t> bytes, const Header& header, Image& image) {
  const size_t pixel = header.bits / 8;
  const auto stride = static_cast<size_t>((header.width * header.bits + 31) / 32 * 4);
  for (int64_t y = 0; y < header.height; ++y) {
    const int64_t row = header.top_first ? y : header.height - 1 - y;
    const uint8_t* from = &bytes[header.pixels + static_cast<size_t>(row) * stride];
    for (int64_t x = 0; x < header.width; ++x, from += pixel) {
      for (const uint32_t at : header.byte_of) image.pixels.push_back(from[at]);
    }
  }
}

}  // namespace

Expected<Image> DecodeBmp(std::span<const uint8_t> bytes) {
  QAT_ASSIGN_OR_RETURN(const Header header, ReadHeader(bytes));
  const bool indexed = header.bits == 1 || header.bits == 4 || header.bits == 8;
  if (!indexed && header.bits != 24 && header.bits != 32) {
    return Unsupported(
        StrCat("is a BMP picture of ", header.bits, " bits per pixel, expected 1, 4, 8, 24 or 32"));
  }
  const auto needed = static_cast<uint64_t>((header.width * header.bits + 31) / 32 * 4 * header.height);
  if (header.pixels > bytes.size() || needed > bytes.size() - header.pixels) {
    return Corrupt(
        StrCat("is a BMP picture cut off after ", bytes.size(), " bytes, expected ", header.pixels + needed));
  }
  Image image{static_cast<int32_t>(header.height), static_cast<int32_t>(header.width), 3, {}};
  image.pixels.reserve(3 * static_cast<size_t>(header.height * header.width));
  if (indexed) {
    QAT_RETURN_IF_ERROR(ReadPalette(bytes, header, image));
  } else {
    ReadTrueColour(bytes, header, image);
  }
  return image;
}

}  // namespace qat
