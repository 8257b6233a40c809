#include <png.h>

#include "base/strings.h"
#include "data/image_codecs.h"

namespace qat {
namespace {

// libpng's own state, given back on every way out.
struct Reader {
  png_image state{};
  Reader() { state.version = PNG_IMAGE_VERSION; }
  ~Reader() { png_image_free(&state); }
};

// zlib makes at most 1,032 bytes of one, and a byte holds at most eight pixels: what says more is refused before it takes memory.
constexpr uint64_t kMostPixelsPerByte = 8 * 1032;

}  // namespace

Expected<Image> DecodePng(std::span<const uint8_t> bytes) {
  Reader reader;
  const auto failed = [&reader] {
    return Corrupt(StrCat("is a damaged PNG picture (", reader.state.message, ")"));
  };
  if (png_image_begin_read_from_memory(&reader.state, bytes.data(), bytes.size()) == 0) return failed();
  QAT_RETURN_IF_ERROR(CheckPictureSize(reader.state.height, reader.state.width));
  reader.state.format = PNG_FORMAT_RGBA;  // with alpha, or libpng would lay the picture on a background
  reader.state.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  Image image{static_cast<int32_t>(reader.state.height), static_cast<int32_t>(reader.state.width), 3, {}};
  const size_t count = size_t{reader.state.height} * reader.state.width;
  if (count > kMostPixelsPerByte * bytes.size())
    return Corrupt(StrCat("is a damaged PNG picture (", bytes.size(), " bytes, too few for ", image.width, "x", image.height, " pixels)"));
  image.pixels.resize(4 * count);
  if (png_image_finish_read(&reader.state, nullptr, image.pixels.data(), 0, nullptr) == 0) return failed();
  for (size_t i = 0; i < count; ++i) {
    for (size_t c = 0; c < 3; ++c) image.pixels[3 * i + c] = image.pixels[4 * i + c];
  }
  image.pixels.resize(3 * count);
  return image;
}

}  // namespace qat
