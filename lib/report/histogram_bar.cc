// A histogram on one line of a table, drawn over the chosen range.
#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "report/svg_chart.h"
#include "report/svg_parts.h"

namespace qat {
namespace {

constexpr double kWidth = 1000, kHeight = 40;

double HeightOf(int64_t count, int64_t largest) {
  if (count <= 0) return 0;
  return kHeight * std::log1p(static_cast<double>(count)) / std::log1p(static_cast<double>(largest));
}

}  // namespace

std::string HistogramBar(const Histogram& histogram, double min, double max, double axis_min,
                         double axis_max) {
  if (histogram.counts.empty() || !(axis_max > axis_min)) return "";
  const auto x = [&](double value) { return (value - axis_min) / (axis_max - axis_min) * kWidth; };
  const int64_t largest = *std::max_element(histogram.counts.begin(), histogram.counts.end());
  const double width = (histogram.high - histogram.low) / static_cast<double>(histogram.counts.size());
  std::string columns;
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    const double height = HeightOf(histogram.counts[i], largest);
    if (height <= 0) continue;
    const double left = histogram.low + static_cast<double>(i) * width;
    columns += StrCat("M", svg::Coordinate(x(left)), " ", svg::Coordinate(kHeight), "V",
                      svg::Coordinate(kHeight - height), "H", svg::Coordinate(x(left + width)), "V",
                      svg::Coordinate(kHeight), "Z");
  }
  return StrCat("<svg class=\"bar tall\" viewBox=\"0 0 ", kWidth, " ", kHeight,
                "\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"chosen\" x=\"",
                svg::Coordinate(x(min)), "\" y=\"0\" width=\"",
                svg::Coordinate(std::max(x(max) - x(min), 2.0)), "\" height=\"", kHeight,
                "\"/><path class=\"range\" d=\"", columns, "\"/>", svg::Line("zero", x(0), 0, x(0), kHeight),
                "</svg>");
}

}  // namespace qat
