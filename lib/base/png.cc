#include "base/png.h"

#include <zlib.h>

#include <string_view>

#include "base/check.h"

namespace qat {
namespace {

void AppendBigEndian(uint32_t number, Bytes& bytes) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(number >> shift));
}

void AppendChunk(std::string_view type, std::span<const uint8_t> data, Bytes& png) {
  AppendBigEndian(static_cast<uint32_t>(data.size()), png);
  const size_t start = png.size();
  png.insert(png.end(), type.begin(), type.end());
  png.insert(png.end(), data.begin(), data.end());
  const uLong sum = ::crc32(0, png.data() + start, static_cast<uInt>(png.size() - start));
  AppendBigEndian(static_cast<uint32_t>(sum), png);
}

Bytes Deflated(const Bytes& raw) {
  uLongf size = ::compressBound(static_cast<uLong>(raw.size()));
  Bytes packed(size);
  QAT_CHECK(::compress2(packed.data(), &size, raw.data(), static_cast<uLong>(raw.size()), 9) == Z_OK);
  packed.resize(size);
  return packed;
}

}  // namespace

Bytes EncodePng(int32_t height, int32_t width, int32_t channels, std::span<const uint8_t> pixels) {
  QAT_CHECK(channels == 1 || channels == 3);
  const size_t row = static_cast<size_t>(width) * static_cast<size_t>(channels);
  QAT_CHECK(height > 0 && width > 0 && pixels.size() == row * static_cast<size_t>(height));
  Bytes raw;  // each row after its filter type: none
  for (size_t first = 0; first < pixels.size(); first += row) {
    raw.push_back(0);
    raw.insert(raw.end(), pixels.begin() + static_cast<int64_t>(first),
               pixels.begin() + static_cast<int64_t>(first + row));
  }
  Bytes head;
  AppendBigEndian(static_cast<uint32_t>(width), head);
  AppendBigEndian(static_cast<uint32_t>(height), head);
  const uint8_t color = channels == 1 ? 0 : 2;
  head.insert(head.end(), {8, color, 0, 0, 0});
  Bytes png = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  AppendChunk("IHDR", head, png);
  AppendChunk("IDAT", Deflated(raw), png);
  AppendChunk("IEND", {}, png);
  return png;
}

std::string Base64(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    const uint32_t group = uint32_t{bytes[i]} << 16 | (left > 1 ? uint32_t{bytes[i + 1]} << 8 : 0) |
                           (left > 2 ? uint32_t{bytes[i + 2]} : 0);
    for (size_t digit = 0; digit < 4; ++digit) {
      text += digit > left ? '=' : kDigits[group >> (18 - 6 * digit) & 63];
    }
  }
  return text;
}

}  // namespace qat
