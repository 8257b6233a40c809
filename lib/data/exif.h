// exif.h: how a camera was held: the orientation that EXIF asks viewers of a JPEG file to apply.
#ifndef QAT_DATA_EXIF_H_
#define QAT_DATA_EXIF_H_

#include "data/image.h"

namespace qat {

/// The orientation, 1 to 8, of the EXIF segment of a JPEG file; 1, as stored, where there is none, or one
/// that is damaged or says something else: viewers show such a picture as it is stored.
/// Source    CIPA DC-008 (EXIF 2.32), 4.6.2 (TIFF header), 4.6.4 (tag 0x0112).
int ExifOrientation(std::span<const uint8_t> jpeg);

/// The picture as a viewer shows it.
///   2, 4    mirrored left to right, top to bottom       3        turned by 180 degrees
///   5, 7    rows become columns; from the far corner    6, 8     turned by 90 degrees: 6 clockwise
/// Requires  orientation from 1 to 8.
Image Oriented(Image image, int orientation);

}  // namespace qat

#endif  // QAT_DATA_EXIF_H_
