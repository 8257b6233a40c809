#include <turbojpeg.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string_view>

#include "base/strings.h"
#include "data/exif.h"
#include "data/image_codecs.h"

namespace qat {
namespace {

struct Destroy {
  void operator()(void* handle) const { tjDestroy(handle); }
};

using Handle = std::unique_ptr<void, Destroy>;

// libjpeg's tables take longer to set up than a small picture to decode.
thread_local Handle decoder;

// libjpeg continues after damage and fills in grey. Oddities (bytes before a marker) lose nothing; an early
// end does.
bool LostPixels(std::string_view warning) {
  constexpr std::string_view kLosses[] = {"Premature end of JPEG", "premature end of data segment",
                                          "bad Huffman code"};
  return std::any_of(std::begin(kLosses), std::end(kLosses),
                     [&](std::string_view loss) { return warning.find(loss) != std::string_view::npos; });
}

// Each block of 8x8 values takes a bit of Huffman code or more, and with every subsampling there is a block
// for each 64 pixels, so a short file cannot hold a large picture. libjpeg would fill it with grey, hundreds
// of megabytes of it, before it missed the rest.
constexpr int64_t kMostPixelsPerByte = 8 * 64;

Error Damaged() {
  Error error = Corrupt(StrCat("is a damaged JPEG picture (", tjGetErrorStr2(decoder.get()), ")"));
  decoder.reset();  // what it has read of this picture would be taken for the next one's
  return error;
}

}  // namespace

Expected<Image> DecodeJpeg(std::span<const uint8_t> bytes) {
  if (decoder == nullptr) decoder.reset(tjInitDecompress());
  if (decoder == nullptr) return SystemError("libjpeg-turbo cannot be started");
  Image image;
  int subsampling = 0;
  int colour = 0;
  if (tjDecompressHeader3(decoder.get(), bytes.data(), bytes.size(), &image.width, &image.height,
                          &subsampling, &colour) != 0) {
    return Damaged();
  }
  QAT_RETURN_IF_ERROR(CheckPictureSize(image.height, image.width));
  if (int64_t{image.height} * image.width > kMostPixelsPerByte * static_cast<int64_t>(bytes.size()))
    return Corrupt(StrCat("is a damaged JPEG picture (", bytes.size(), " bytes, too few for ", image.width,
                          "x", image.height, " pixels)"));
  if (colour == TJCS_CMYK || colour == TJCS_YCCK) return Unsupported("is a CMYK JPEG, expected RGB or grey");
  image.channels = 3;
  image.pixels.resize(3 * static_cast<size_t>(image.height) * static_cast<size_t>(image.width));
  const int result =
      tjDecompress2(decoder.get(), bytes.data(), bytes.size(), image.pixels.data(), image.width, 0,
                    image.height, TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
  if (result != 0 &&
      (tjGetErrorCode(decoder.get()) != TJERR_WARNING || LostPixels(tjGetErrorStr2(decoder.get())))) {
    return Damaged();
  }
  return Oriented(std::move(image), ExifOrientation(bytes));
}

}  // namespace qat
