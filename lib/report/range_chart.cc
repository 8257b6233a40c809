// Units are those of the viewBox, 280 wide: a column of the page.
#include "report/range_chart.h"

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "report/svg_parts.h"
#include "report/text_format.h"

namespace qat {
namespace {

using svg::Coordinate;
using svg::Line;
using svg::Text;

constexpr double kWidth = 280, kLeft = 52, kRight = 276;
constexpr double kTop = 8, kBottom = 88;
constexpr double kStripTop = 96, kStripBottom = 116;

struct Frame {
  double last_step, low, high;

  double X(int64_t step) const { return kLeft + static_cast<double>(step) / last_step * (kRight - kLeft); }
  double Y(double value) const { return kBottom - (value - low) / (high - low) * (kBottom - kTop); }
};

Frame FitFrame(const std::vector<const RangeCurve*>& curves, const RangeChartOptions& options) {
  double low = 0, high = 0;
  for (const RangeCurve* curve : curves) {
    if (curve == nullptr) continue;
    for (const RangePoint& point : curve->points) {
      low = std::min(low, point.min);
      high = std::max(high, point.max);
    }
  }
  if (high <= low) high = low + 1;
  return {static_cast<double>(std::max<int64_t>(options.last_step, 1)), low, high};
}

// Through one end of all points.
std::string Way(const RangeCurve& curve, const Frame& frame, double RangePoint::*end) {
  std::string way;
  for (const RangePoint& point : curve.points) {
    way += StrCat(way.empty() ? "M" : "L", Coordinate(frame.X(point.step)), " ",
                  Coordinate(frame.Y(point.*end)));
  }
  return way;
}

std::string Band(const RangeCurve& curve, const Frame& frame, size_t index) {
  if (curve.points.empty()) return "";
  std::string corners;
  for (const RangePoint& point : curve.points) {
    corners += StrCat(Coordinate(frame.X(point.step)), ",", Coordinate(frame.Y(point.max)), " ");
  }
  for (auto point = curve.points.rbegin(); point != curve.points.rend(); ++point) {
    corners += StrCat(Coordinate(frame.X(point->step)), ",", Coordinate(frame.Y(point->min)), " ");
  }
  const std::string ends = Way(curve, frame, &RangePoint::min) + Way(curve, frame, &RangePoint::max);
  std::string svg = StrCat("<polygon class=\"f", index, "\" points=\"", corners, "\"/><path class=\"r", index,
                           "\" d=\"", ends, "\"/>");
  if (curve.points.size() > 1) return svg;
  const RangePoint& only = curve.points.front();
  return svg + Line(StrCat("r", index), frame.X(only.step), frame.Y(only.min), frame.X(only.step),
                    frame.Y(only.max));
}

// As short as the margin is narrow: "0%", "<0.01%", "0.24%", "3.1%", "12%".
std::string ShortPercent(double share) {
  const double percent = 100 * share;
  if (percent > 0 && percent < 0.01) return "<0.01%";
  return StrCat(percent == 0 ? "0" : Fixed(percent, percent < 1 ? 2 : percent < 10 ? 1 : 0), "%");
}

// One bar per evaluation; several runs stand beside each other.
std::string Strip(const std::vector<const RangeCurve*>& curves, const Frame& frame, double most) {
  std::string svg;
  double largest = 0;
  for (size_t i = 0; i < curves.size(); ++i) {
    if (curves[i] == nullptr) continue;
    for (const RangePoint& point : curves[i]->points) {
      if (!std::isfinite(point.clipped)) continue;
      largest = std::max(largest, point.clipped);
      const double height = std::min(point.clipped / most, 1.0) * (kStripBottom - kStripTop);
      if (height < 0.05) continue;
      const double x =
          frame.X(point.step) + (static_cast<double>(i) - static_cast<double>(curves.size() - 1) / 2) * 2.5;
      svg += Line(StrCat("bar", i), x, kStripBottom, x, kStripBottom - height);
    }
  }
  return Line("axis", kLeft, kStripBottom, kRight, kStripBottom) + svg +
         Text(kLeft - 4, kStripBottom, "end", ShortPercent(largest));
}

bool WasCounted(const std::vector<const RangeCurve*>& curves) {
  return std::any_of(curves.begin(), curves.end(), [](const RangeCurve* curve) {
    return curve != nullptr &&
           std::any_of(curve->points.begin(), curve->points.end(),
                       [](const RangePoint& point) { return std::isfinite(point.clipped); });
  });
}

}  // namespace

std::string RangeChart(const std::vector<const RangeCurve*>& curves, const RangeChartOptions& options) {
  const Frame frame = FitFrame(curves, options);
  const bool strip = WasCounted(curves);
  const double bottom = strip ? kStripBottom : kBottom;
  std::string svg = StrCat("<svg class=\"chart small\" viewBox=\"0 0 ", kWidth, " ", Coordinate(bottom + 6),
                           "\" aria-hidden=\"true\">");
  svg += Line("grid", kLeft, frame.Y(0), kRight, frame.Y(0));
  for (const ChartMark& mark : options.marks)
    svg += Line(mark.css, frame.X(mark.step), kTop - 4, frame.X(mark.step), bottom);
  for (size_t i = 0; i < curves.size(); ++i) {
    if (curves[i] != nullptr) svg += Band(*curves[i], frame, i);
  }
  svg += Text(kLeft - 4, kTop + 6, "end", Significant(frame.high)) +
         Text(kLeft - 4, kBottom, "end", Significant(frame.low));
  // Where it touches neither of the two others.
  const double zero = frame.Y(0);
  if (zero > kTop + 18 && zero < kBottom - 12) svg += Text(kLeft - 4, zero + 4, "end", "0");
  if (strip) svg += Strip(curves, frame, options.most_clipped);
  return svg + "</svg>\n";
}

}  // namespace qat
