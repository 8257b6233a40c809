// picture_values.h: a picture file as the values of one example: decoded, fitted, bytes or real numbers.
#ifndef QAT_DATA_PICTURE_VALUES_H_
#define QAT_DATA_PICTURE_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/expected.h"
#include "base/file.h"
#include "contract/input_contract.h"

namespace qat {

/// What is to become of pictures.
struct PictureForm {
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 0;  ///< 1 or 3
  Fit fit = Fit::kCrop;
  ValueType values = ValueType::kByte;
  /// Of real numbers: what white is, kWhiteOfBytes or kWhiteOfDeep; 0: as each file has it. Black is 0.
  int32_t white = 0;
};

struct PictureValues {
  Bytes values;  ///< [height, width, channels]
  std::optional<uint16_t>
      highest;  ///< of a file with 16 bits per sample: the largest of them; none: it has bytes
  int32_t height = 0, width = 0;  ///< of the picture in the file
};

/// Bytes: a sample of 16 bits is divided by 257 and rounded, before it is fitted. Real numbers: samples as
/// they are, or scaled so that white is `white`; those of 16 bits are fitted without rounding, bytes are
/// fitted as bytes unless they become 16 bits.
/// Errors: those of ReadFile and DecodeAnyImage.
Expected<PictureValues> ReadPictureValues(const std::string& path, const PictureForm& form);

/// Whether a file is a picture with 16 bits per sample, by its first bytes. A file that cannot be read is
/// none.
bool IsDeepFile(const std::string& path);

}  // namespace qat

#endif  // QAT_DATA_PICTURE_VALUES_H_
