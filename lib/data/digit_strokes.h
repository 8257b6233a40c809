// digit_strokes.h: how people write the ten digits: for each, several styles; for each style, pen strokes as
// points that a smooth curve passes through. A table, drawn by hand for this project.
#ifndef QAT_DATA_DIGIT_STROKES_H_
#define QAT_DATA_DIGIT_STROKES_H_

#include <cstdint>
#include <vector>

namespace qat {

/// In a box of 100 x 100, x to the right, y down.
struct StrokePoint {
  int32_t x, y;
};
using Stroke = std::vector<StrokePoint>;
using DigitStyle = std::vector<Stroke>;

/// Styles of a digit, 0 to 9; at least three each. Sharp corners are where one stroke ends and the next
/// begins.
const std::vector<DigitStyle>& StylesOf(int32_t digit);

}  // namespace qat

#endif  // QAT_DATA_DIGIT_STROKES_H_
