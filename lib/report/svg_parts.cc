#include "report/svg_parts.h"

#include "base/strings.h"
#include "report/svg_chart.h"
#include "report/text_format.h"

namespace qat::svg {

std::string Coordinate(double value) { return Fixed(value, 1); }

std::string Text(double x, double y, std::string_view anchor, std::string_view text) {
  return StrCat("<text x=\"", Coordinate(x), "\" y=\"", Coordinate(y), "\" text-anchor=\"", anchor, "\">",
                EscapeHtml(text), "</text>");
}

std::string Line(std::string_view css, double x1, double y1, double x2, double y2) {
  return StrCat("<line class=\"", css, "\" x1=\"", Coordinate(x1), "\" y1=\"", Coordinate(y1), "\" x2=\"",
                Coordinate(x2), "\" y2=\"", Coordinate(y2), "\"/>");
}

}  // namespace qat::svg
