// Units of the drawing are those of the viewBox, 420 wide: as wide as a phone, so that text stays legible
// there.
#include "report/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/printable.h"
#include "base/strings.h"
#include "report/svg_parts.h"
#include "report/text_format.h"

namespace qat {
namespace {

using svg::Coordinate;
using svg::Line;
using svg::Text;

constexpr double kWidth = 420, kHeight = 270;
constexpr double kLeft = 62, kRight = 408, kTop = 26, kBottom = 232;
constexpr double kSmallestError = 0.02;  // points: where the accuracy axis ends
constexpr size_t kMostPoints = 800;

struct Axes {
  double first_step = 0, last_step = 1;
  double low = 0, high = 1;  // in transformed units

  double X(double step) const {
    return kLeft + (step - first_step) / (last_step - first_step) * (kRight - kLeft);
  }
  double Y(double transformed) const {
    return kBottom - (std::clamp(transformed, low, high) - low) / (high - low) * (kBottom - kTop);
  }
};

double Transform(double value, ChartScale scale) {
  if (scale == ChartScale::kLinear) return value;
  if (scale == ChartScale::kAccuracy) return -std::log10(std::clamp(100 - value, kSmallestError, 100.0));
  return std::log10(std::max(value, 1e-12));
}

double Value(double transformed, ChartScale scale) {
  if (scale == ChartScale::kLinear) return transformed;
  const double power = std::pow(10, scale == ChartScale::kAccuracy ? -transformed : transformed);
  // The margin of the axis may go below 0 %.
  return scale == ChartScale::kAccuracy ? 100 - std::min(power, 100.0) : power;
}

// To three digits, for a label.
double Rounded(double value) {
  const double unit = std::pow(10, std::floor(std::log10(std::max(std::abs(value), 1e-12))) - 2);
  return std::round(value / unit) * unit;
}

// "0", "500", "20k", "1.5M".
std::string StepText(int64_t step) {
  if (step >= 1'000'000) return StrCat(NumberText(static_cast<double>(step) / 1e6), "M");
  if (step >= 1'000) return StrCat(NumberText(static_cast<double>(step) / 1e3), "k");
  return std::to_string(step);
}

// The smallest of 1, 2, 5 times a power of ten that cuts `span` into at most `pieces`.
double NiceStep(double span, int pieces) {
  for (double decade = 1;; decade *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (span / (factor * decade) <= pieces) return factor * decade;
    }
  }
}

std::vector<double> LossTicks(const Axes& axes) {
  std::vector<double> ticks;
  const bool few_decades = axes.high - axes.low < 2.2;
  for (int decade = static_cast<int>(std::floor(axes.low)); decade <= axes.high; ++decade) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor == 1 || few_decades) ticks.push_back(factor * std::pow(10.0, decade));
    }
  }
  return ticks;
}

// From 0 on, at most five: 1, 2 or 5 times a power of ten apart.
std::vector<double> LinearTicks(const Axes& axes) {
  double step = std::pow(10, std::floor(std::log10(axes.high / 5)));
  if (!(step > 0)) return {0};  // of numbers next to 0
  for (const double factor : {2.0, 2.5, 2.0}) {
    if (axes.high / step > 5) step *= factor;
  }
  std::vector<double> ticks;
  for (int i = 0; i * step <= axes.high; ++i) ticks.push_back(i * step);
  return ticks;
}

std::vector<double> TicksOf(const Axes& axes, ChartScale scale) {
  switch (scale) {
    case ChartScale::kAccuracy:
      return {0, 50, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95};
    case ChartScale::kLinear:
      return LinearTicks(axes);
    case ChartScale::kLogarithmic:
      return LossTicks(axes);
  }
  return {};
}

// Learning rates without powers of ten, as far as that is readable.
std::string TickText(double tick, ChartScale scale) {
  const std::string text = NumberText(static_cast<float>(tick));
  if (scale == ChartScale::kLinear && text.find('e') != text.npos && tick >= 1e-6) {
    const std::string digits = Fixed(tick, 7);
    return digits.substr(0, digits.find_last_not_of('0') + 1);
  }
  return StrCat(text, scale == ChartScale::kAccuracy ? "%" : "");
}

// Labels that would touch are left out: at least 16 units between two lines of text.
std::vector<double> ValueTicks(const Axes& axes, ChartScale scale) {
  std::vector<double> shown;
  double last_y = std::numeric_limits<double>::infinity();
  for (const double tick : TicksOf(axes, scale)) {
    const double transformed = Transform(tick, scale);
    if (transformed < axes.low - 1e-9 || transformed > axes.high + 1e-9) continue;
    if (const double y = axes.Y(transformed); last_y - y >= 16) {
      shown.push_back(tick);
      last_y = y;
    }
  }
  // Values that hardly move lie between two such ticks.
  if (shown.size() < 2) shown = {Rounded(Value(axes.low, scale)), Rounded(Value(axes.high, scale))};
  return shown;
}

Axes FitAxes(const std::vector<TrainingCurve>& curves, const ChartOptions& options) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  double last_step = std::max<double>(1, static_cast<double>(options.last_step));
  for (const TrainingCurve& curve : curves) {
    for (const auto& [step, value] : curve.points) {
      last_step = std::max(last_step, static_cast<double>(step));
      if (!std::isfinite(value)) continue;
      low = std::min(low, Transform(value, options.scale));
      high = std::max(high, Transform(value, options.scale));
    }
  }
  if (options.scale == ChartScale::kLinear) return {0, last_step, 0, high > 0 ? high * 1.04 : 1};
  const double margin = std::max((high - low) * 0.04, 0.05);
  return {0, std::max(last_step, static_cast<double>(options.mark_step)), low - margin, high + margin};
}

using Points = std::vector<std::pair<int64_t, double>>;

Points Thinned(const Points& points) {
  if (points.size() <= kMostPoints) return points;
  Points kept;
  const size_t slices = kMostPoints / 2;
  for (size_t slice = 0; slice < slices; ++slice) {
    const auto first = points.begin() + static_cast<int64_t>(slice * points.size() / slices);
    const auto last = points.begin() + static_cast<int64_t>((slice + 1) * points.size() / slices);
    auto [low, high] =
        std::minmax_element(first, last, [](const auto& a, const auto& b) { return a.second < b.second; });
    if (low > high) std::swap(low, high);
    kept.push_back(*low);
    if (high != low) kept.push_back(*high);
  }
  return kept;
}

std::string Grid(const Axes& axes, ChartScale scale) {
  std::string svg;
  for (const double tick : ValueTicks(axes, scale)) {
    const double y = axes.Y(Transform(tick, scale));
    svg += Line("grid", kLeft, y, kRight, y);
    svg += Text(kLeft - 6, y + 4, "end", TickText(tick, scale));
  }
  const double step = NiceStep(axes.last_step - axes.first_step, 5);
  for (int i = 0; i * step <= axes.last_step; ++i) {
    const double x = axes.X(i * step);
    svg += Line("axis", x, kBottom, x, kBottom + 4);
    svg +=
        Text(x, kBottom + 17, kRight - x < 12 ? "end" : "middle", StepText(static_cast<int64_t>(i * step)));
  }
  svg += Line("axis", kLeft, kBottom, kRight, kBottom);
  return svg + Text((kLeft + kRight) / 2, kHeight - 5, "middle", "step");
}

std::string Mark(const Axes& axes, const ChartOptions& options) {
  if (options.mark_step < 0) return "";
  const double x = axes.X(static_cast<double>(options.mark_step));
  // The label stands above the plot, on the side where it has room: it is up to 230 wide.
  std::string_view anchor = "middle";
  if (x < 130) anchor = "start";
  if (x > 290) anchor = "end";
  return Line("mark", x, kTop - 8, x, kBottom) + Text(x, kTop - 12, anchor, options.mark_label);
}

// A gap in the values (NaN) is a gap in the line.
std::string Curve(const Points& points, const Axes& axes, ChartScale scale, const std::string& css) {
  constexpr size_t kFewPoints = 40;  // each is seen then, also one that stands alone
  std::string path, dots;
  bool pen_down = false;
  for (const auto& [step, value] : Thinned(points)) {
    if (!std::isfinite(value)) {
      pen_down = false;
      continue;
    }
    path += StrCat(pen_down ? "L" : "M", Coordinate(axes.X(static_cast<double>(step))), " ",
                   Coordinate(axes.Y(Transform(value, scale))));
    pen_down = true;
    if (points.size() > kFewPoints) continue;
    dots += StrCat("<circle class=\"point ", css, "\" cx=\"", Coordinate(axes.X(static_cast<double>(step))),
                   "\" cy=\"", Coordinate(axes.Y(Transform(value, scale))), "\" r=\"2.5\"/>");
  }
  return path.empty() ? "" : StrCat("<path class=\"", css, "\" d=\"", path, "\"/>", dots);
}

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string escaped;
  for (const char c : PrintableLines(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string LineChart(const std::vector<TrainingCurve>& curves, const ChartOptions& options) {
  const Axes axes = FitAxes(curves, options);
  QAT_CHECK(std::isfinite(axes.low));
  std::string svg = StrCat("<svg class=\"chart\" viewBox=\"0 0 ", kWidth, " ", kHeight,
                           "\" role=\"img\" aria-label=\"", EscapeHtml(options.description), "\">");
  svg += Grid(axes, options.scale) + Mark(axes, options);
  for (const ChartMark& mark : options.marks) {
    const double x = axes.X(static_cast<double>(mark.step));
    svg += Line(mark.css, x, kTop - 8, x, kBottom);
  }
  for (size_t i = 0; i < curves.size(); ++i) {
    svg += Curve(curves[i].points, axes, options.scale,
                 options.classes.empty() ? StrCat("c", i) : options.classes[i]);
  }
  return svg + "</svg>\n";
}

namespace {

constexpr size_t kMostClassesWithCounts = 12;
constexpr size_t kMostClassesWithGrid = 30;  // with more of them only what was answered is drawn

std::string ClassName(const std::vector<std::string>& names, size_t index) {
  return index < names.size() && names[index].size() <= 4 ? names[index] : std::to_string(index);
}

// Dense where it is a large share of its row; a root, so that one error in a thousand is still seen.
double Density(int64_t count, int64_t total) {
  return count == 0 ? 0 : 0.12 + 0.88 * std::sqrt(static_cast<double>(count) / static_cast<double>(total));
}

struct ConfusionGrid {
  double left = 40, top = 26, cell;
  explicit ConfusionGrid(size_t classes) : cell((kRight - 40) / static_cast<double>(classes)) {}
  double X(size_t column) const { return left + cell * static_cast<double>(column); }
  double Y(size_t row) const { return top + cell * static_cast<double>(row); }
};

std::string ConfusionCell(const ConfusionGrid& grid, size_t row, size_t column, int64_t count, double density,
                          bool with_count, const std::string& sentence) {
  std::string svg = StrCat("<rect class=\"", row == column ? "hit" : "miss", "\" x=\"",
                           Coordinate(grid.X(column)), "\" y=\"", Coordinate(grid.Y(row)), "\" width=\"",
                           Coordinate(grid.cell), "\" height=\"", Coordinate(grid.cell), "\" fill-opacity=\"",
                           Fixed(density, 2), "\"><title>", EscapeHtml(sentence), "</title></rect>");
  if (with_count && count > 0) {
    svg +=
        StrCat("<text class=\"count", density > 0.55 ? " on" : "", "\" x=\"",
               Coordinate(grid.X(column) + grid.cell / 2), "\" y=\"",
               Coordinate(grid.Y(row) + grid.cell / 2 + 4), "\" text-anchor=\"middle\">", count, "</text>");
  }
  return svg;
}

}  // namespace

std::string ConfusionChart(const std::vector<std::vector<int64_t>>& confusion,
                           const std::vector<std::string>& names) {
  QAT_CHECK(!confusion.empty() && confusion.front().size() == confusion.size());
  const size_t classes = confusion.size();
  const ConfusionGrid grid(classes);
  const bool dense = classes > kMostClassesWithGrid;
  const size_t every =
      dense ? (classes + 9) / 10 : (classes + 19) / 20;  // labels that would touch are left out
  std::string svg =
      StrCat("<svg class=\"chart", dense ? " dense" : "", "\" viewBox=\"0 0 ", kWidth, " ",
             Coordinate(grid.Y(classes) + 6),
             "\" role=\"img\" aria-label=\"Confusion matrix: rows are true classes, columns answers\">");
  for (size_t i = 0; i < classes; i += every) {
    svg += Text(grid.left - 6, grid.Y(i) + grid.cell / 2 + 4, "end", ClassName(names, i));
    svg += Text(grid.X(i) + grid.cell / 2, grid.top - 8, "middle", ClassName(names, i));
  }
  if (dense) {
    svg += StrCat("<rect class=\"frame\" x=\"", Coordinate(grid.left), "\" y=\"", Coordinate(grid.top),
                  "\" width=\"", Coordinate(grid.X(classes) - grid.left), "\" height=\"",
                  Coordinate(grid.Y(classes) - grid.top), "\"/>");
  }
  for (size_t row = 0; row < classes; ++row) {
    int64_t total = 0;
    for (const int64_t count : confusion[row]) total += count;
    for (size_t column = 0; column < classes; ++column) {
      const int64_t count = confusion[row][column];
      if (dense && count == 0) continue;
      const std::string sentence = StrCat(Grouped(count), " of ", Grouped(total), " of class ",
                                          ClassName(names, row), " answered with ", ClassName(names, column));
      svg += ConfusionCell(grid, row, column, count, Density(count, total), classes <= kMostClassesWithCounts,
                           sentence);
    }
  }
  return svg + "</svg>\n";
}

std::string RangeBar(double min, double max, double axis_min, double axis_max) {
  const double span = axis_max - axis_min;
  const auto x = [&](double value) { return span > 0 ? (value - axis_min) / span * 1000 : 0.0; };
  return StrCat(
      "<svg class=\"bar\" viewBox=\"0 0 1000 12\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
      "<rect class=\"range\" x=\"", Coordinate(x(min)), "\" y=\"2\" width=\"",
      Coordinate(std::max(x(max) - x(min), 2.0)), "\" height=\"8\"/>", Line("zero", x(0), 0, x(0), 12),
      "</svg>");
}

}  // namespace qat
