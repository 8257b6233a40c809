// picture_size.h: the size and channels that a network should take for a folder of pictures where nobody
// says.
#ifndef QAT_DATA_PICTURE_SIZE_H_
#define QAT_DATA_PICTURE_SIZE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/expected.h"
#include "data/picture_files.h"

namespace qat {

struct PictureSize {
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 0;
  bool operator==(const PictureSize&) const = default;
};

/// Of pictures of these sizes: the median size where neither side is over 64; else the median aspect at the
/// area of 64x64, sides in multiples of 8, one at most four times the other. Channels are the largest seen.
/// Requires a size.
PictureSize FittedSize(std::span<const PictureSize> seen);

/// The same of some 32 of the files, evenly spaced; grey files have 1 channel, and so have colour files whose
/// pixels are all grey. Files that cannot be read are passed over. Errors: kCorrupt, where none can be read.
Expected<PictureSize> FittedSize(const std::vector<PictureFile>& files);

}  // namespace qat

#endif  // QAT_DATA_PICTURE_SIZE_H_
