#include <png.h>

#include <algorithm>
#include <bit>
#include <csetjmp>
#include <cstring>

#include "base/strings.h"
#include "data/image_codecs.h"

namespace qat {
namespace {

static_assert(std::endian::native == std::endian::little, "16-bit samples are swapped on reading");

enum class Meaning { kColours, kNumbers };

/// libpng leaves a failed call by longjmp. What has a destructor therefore lives outside of the methods that
/// call it: these have plain variables only.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : left_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, Fail, [](png_structp, png_const_charp) {});
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool started() const { return info_ != nullptr; }

  /// Up to the first row. Colour profiles and gamma, which are not applied, and texts, which may unpack to
  /// gigabytes, are passed over.
  bool ReadHeader() {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_read_fn(png_, this, Read);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_read_info(png_, info_);
    return true;
  }

  /// Asks for samples of `bits`, 8 or 16, which the file has; alpha is dropped. Colours: greys of fewer than
  /// 8 bits are scaled up, a palette becomes RGB. Numbers: both stay what they are.
  bool Choose(int bits, Meaning meaning) {
    if (setjmp(png_jmpbuf(png_))) return false;
    png_set_strip_alpha(png_);
    if (meaning == Meaning::kNumbers) {
      png_set_packing(png_);
    } else {
      if (png_get_color_type(png_, info_) == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png_);
      if (png_get_color_type(png_, info_) == PNG_COLOR_TYPE_GRAY && bits == 8)
        png_set_expand_gray_1_2_4_to_8(png_);
    }
    if (bits == 16) png_set_swap(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  /// [height, width, channels()] samples.
  bool ReadRows(uint8_t* pixels) {
    if (setjmp(png_jmpbuf(png_))) return false;
    const size_t stride = png_get_rowbytes(png_, info_);
    for (int pass = 0; pass < passes_; ++pass) {
      for (size_t row = 0; row < height(); ++row) png_read_row(png_, pixels + row * stride, nullptr);
    }
    return true;
  }

  uint32_t height() const { return png_get_image_height(png_, info_); }
  uint32_t width() const { return png_get_image_width(png_, info_); }
  int bits() const { return png_get_bit_depth(png_, info_); }
  int32_t channels() const { return png_get_channels(png_, info_); }
  size_t row_bytes() const { return png_get_rowbytes(png_, info_); }
  Error failure() const { return Corrupt(StrCat("is a damaged PNG picture (", message_, ")")); }

 private:
  [[noreturn]] static void Fail(png_structp png, png_const_charp message) {
    auto* reader = static_cast<Reader*>(png_get_error_ptr(png));
    std::strncpy(reader->message_, message, sizeof(message_) - 1);
    png_longjmp(png, 1);
  }

  static void Read(png_structp png, png_bytep to, size_t count) {
    auto* reader = static_cast<Reader*>(png_get_io_ptr(png));
    if (count > reader->left_.size()) png_error(png, "its end is missing");
    std::copy_n(reader->left_.begin(), count, to);
    reader->left_ = reader->left_.subspan(count);
  }

  std::span<const uint8_t> left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
  char message_[128] = {};
};

// zlib makes at most 1,032 bytes of one, and a byte holds at most eight pixels: what says more is refused
// before it takes memory.
constexpr uint64_t kMostPixelsPerByte = 8 * 1032;

template <class Sample>
Expected<ImageOf<Sample>> ReadSamples(Reader& reader, Meaning meaning) {
  if (!reader.Choose(8 * sizeof(Sample), meaning)) return reader.failure();
  ImageOf<Sample> image{
      static_cast<int32_t>(reader.height()), static_cast<int32_t>(reader.width()), reader.channels(), {}};
  image.pixels.resize(reader.height() * (reader.row_bytes() / sizeof(Sample)));
  if (!reader.ReadRows(reinterpret_cast<uint8_t*>(image.pixels.data()))) return reader.failure();
  return image;
}

Expected<AnyImage> Decode(std::span<const uint8_t> bytes, Meaning meaning) {
  Reader reader(bytes);
  if (!reader.started()) return SystemError("libpng cannot be started");
  if (!reader.ReadHeader()) return reader.failure();
  QAT_RETURN_IF_ERROR(CheckPictureSize(reader.height(), reader.width()));
  if (uint64_t{reader.height()} * reader.width() > kMostPixelsPerByte * bytes.size()) {
    return Corrupt(StrCat("is a damaged PNG picture (", bytes.size(), " bytes, too few for ",
                          int64_t{reader.width()}, "x", int64_t{reader.height()}, " pixels)"));
  }
  if (reader.bits() == 16) {
    QAT_ASSIGN_OR_RETURN(DeepImage deep, ReadSamples<uint16_t>(reader, meaning));
    return AnyImage(std::move(deep));
  }
  QAT_ASSIGN_OR_RETURN(Image image, ReadSamples<uint8_t>(reader, meaning));
  return AnyImage(std::move(image));
}

}  // namespace

Expected<AnyImage> DecodePng(std::span<const uint8_t> bytes) { return Decode(bytes, Meaning::kColours); }

Expected<AnyImage> DecodePngNumbers(std::span<const uint8_t> bytes) {
  return Decode(bytes, Meaning::kNumbers);
}

}  // namespace qat
