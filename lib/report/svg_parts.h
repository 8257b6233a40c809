// svg_parts.h: what the charts of the report page are drawn with.
#ifndef QAT_REPORT_SVG_PARTS_H_
#define QAT_REPORT_SVG_PARTS_H_

#include <string>
#include <string_view>

namespace qat::svg {

/// One decimal: a tenth of a unit is less than a pixel.
std::string Coordinate(double value);

/// `text` is escaped; `anchor` "start", "middle" or "end".
std::string Text(double x, double y, std::string_view anchor, std::string_view text);
std::string Line(std::string_view css, double x1, double y1, double x2, double y2);

}  // namespace qat::svg

#endif  // QAT_REPORT_SVG_PARTS_H_
