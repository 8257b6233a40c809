// bmp.h: picture files small enough to write out by hand.
#ifndef QAT_TESTS_SUPPORT_BMP_H_
#define QAT_TESTS_SUPPORT_BMP_H_

#include <cstdint>
#include <string>
#include <vector>

namespace qat::testing {

/// A BMP file of 24 bits per pixel from grey values [height, width], row-major from the top. Requires width %
/// 4 == 0, so that rows need no padding.
inline std::string GreyBmp(int32_t height, int32_t width, const std::vector<uint8_t>& pixels) {
  std::string file = "BM";
  const auto put = [&file](int64_t value, int size) {
    for (int i = 0; i < size; ++i) file += static_cast<char>(value >> (8 * i));
  };
  constexpr int kHead = 54;
  put(kHead + 3 * int64_t{height} * width, 4);
  put(0, 4);
  put(kHead, 4);
  put(40, 4);  // of the second header
  put(width, 4);
  put(height, 4);  // positive: the last row comes first
  put(1, 2);
  put(24, 2);
  for (int i = 0; i < 6; ++i) put(0, 4);
  for (int32_t y = height - 1; y >= 0; --y) {
    for (int32_t x = 0; x < width; ++x) {
      file += std::string(3, static_cast<char>(pixels[static_cast<size_t>(y * width + x)]));
    }
  }
  return file;
}

}  // namespace qat::testing

#endif  // QAT_TESTS_SUPPORT_BMP_H_
