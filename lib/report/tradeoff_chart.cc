// The picture of what each model costs and gives: accuracy over latency, sizes as areas.
#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "report/html_parts.h"
#include "report/main_rows.h"
#include "report/svg_chart.h"
#include "report/svg_parts.h"
#include "report/text_format.h"

namespace qat {
namespace {

constexpr double kWidth = 420, kHeight = 270;
constexpr double kLeft = 70, kRight = 408, kTop = 24, kBottom = 232;
constexpr double kLargestRadius = 20, kSmallestRadius = 3;
constexpr double kRoom = 1.6;  // factor of time left free beyond the outermost dots

struct Axes {
  double low_log = 0, high_log = 1;  // microseconds, log10
  double low = 0, high = 1;          // percent
  double bytes = 1;                  // of the largest file

  double X(double microseconds) const {
    return kLeft + (std::log10(microseconds) - low_log) / (high_log - low_log) * (kRight - kLeft);
  }
  double Y(double percent) const { return kBottom - (percent - low) / (high - low) * (kBottom - kTop); }
  double Radius(int64_t size) const {
    return std::max(kSmallestRadius, kLargestRadius * std::sqrt(static_cast<double>(size) / bytes));
  }
};

double MicrosecondsOf(const ModelResult& model) { return std::max(model.latency_us->p50, 1e-3); }

Interval IntervalOf(const ModelResult& model) {
  return model.accuracy->interval.value_or(Interval{model.accuracy->top1, model.accuracy->top1});
}

Axes FitAxes(const std::vector<const ModelResult*>& models) {
  double fastest = MicrosecondsOf(*models[0]), slowest = fastest;
  Interval percent = IntervalOf(*models[0]);
  Axes axes;
  for (const ModelResult* model : models) {
    fastest = std::min(fastest, MicrosecondsOf(*model));
    slowest = std::max(slowest, MicrosecondsOf(*model));
    percent.low = std::min({percent.low, IntervalOf(*model).low, model->accuracy->top1});
    percent.high = std::max({percent.high, IntervalOf(*model).high, model->accuracy->top1});
    axes.bytes = std::max(axes.bytes, static_cast<double>(ModelBytes(*model)));
  }
  const double margin = std::max(0.15 * (percent.high - percent.low), 0.05);
  axes.low = percent.low - margin;
  axes.high = percent.high + margin;
  axes.low_log = std::log10(fastest / kRoom);
  axes.high_log = std::log10(slowest * kRoom);
  return axes;
}

// The smallest of 1, 2, 5 times a power of ten, at least 0.01, that cuts `span` into at most five pieces.
double NiceStep(double span) {
  for (double decade = 0.01;; decade *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (span / (factor * decade) <= 5) return factor * decade;
    }
  }
}

std::string Grid(const Axes& axes, std::string_view example) {
  std::string drawing;
  const double step = NiceStep(axes.high - axes.low);
  for (double tick = std::ceil(axes.low / step) * step; tick <= axes.high; tick += step) {
    if (tick < -1e-9 || tick > 100 + 1e-9) continue;
    drawing += svg::Line("grid", kLeft, axes.Y(tick), kRight, axes.Y(tick));
    const int decimals = step < 0.099 ? 2 : step < 0.99 ? 1 : 0;
    drawing += svg::Text(kLeft - 6, axes.Y(tick) + 4, "end", StrCat(Fixed(tick, decimals), "%"));
  }
  const bool few_decades = axes.high_log - axes.low_log < 1.7;
  for (int decade = static_cast<int>(std::floor(axes.low_log)); decade <= axes.high_log; ++decade) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double tick = factor * std::pow(10.0, decade), x = axes.X(tick);
      if ((factor > 1 && !few_decades) || x < kLeft || x > kRight - 8) continue;
      drawing += svg::Line("grid", x, kTop, x, kBottom);
      drawing += svg::Text(x, kBottom + 17, "middle", StrCat(NumberText(tick), " µs"));
    }
  }
  drawing += svg::Line("axis", kLeft, kBottom, kRight, kBottom);
  return drawing +
         svg::Text((kLeft + kRight) / 2, kHeight - 5, "middle", StrCat("median time of one ", example));
}

struct Place {
  double x = 0, y = 0;  // of a number's middle
};

// Beside the dot where no other number stands: right or left of it, higher or lower.
Place PlaceBeside(double x, double y, double radius, const std::vector<Place>& taken) {
  constexpr double kNumberWidth = 18, kNumberHeight = 15;
  Place place;
  for (int line = 0; line < 24; ++line) {
    const double higher = kNumberHeight * ((line + 1) / 2) * (line % 2 == 1 ? 1 : -1);
    for (const int side : {1, -1}) {
      place = {x + side * (radius + 10), y - higher};
      const auto meets = [&](const Place& other) {
        return std::abs(other.x - place.x) < kNumberWidth && std::abs(other.y - place.y) < kNumberHeight;
      };
      const bool inside = place.x > kLeft && place.y > kTop && place.y < kBottom;
      if (inside && std::none_of(taken.begin(), taken.end(), meets)) return place;
    }
  }
  return place;
}

std::string Dot(const Axes& axes, const ModelResult& model, size_t number, std::vector<Place>& taken) {
  const double x = axes.X(MicrosecondsOf(model)), y = axes.Y(model.accuracy->top1);
  const double radius = axes.Radius(ModelBytes(model));
  const Interval interval = IntervalOf(model);
  const Place place = PlaceBeside(x, y, radius, taken);
  taken.push_back(place);
  return StrCat(svg::Line("whisker", x, axes.Y(interval.low), x, axes.Y(interval.high)),
                "<circle class=\"dot\" cx=\"", svg::Coordinate(x), "\" cy=\"", svg::Coordinate(y), "\" r=\"",
                svg::Coordinate(radius), "\"><title>", EscapeHtml(model.name), "</title></circle>",
                svg::Text(place.x, place.y + 4, "middle", std::to_string(number)));
}

std::string SizeText(const ModelResult& model) {
  return ModelBytes(model) > 0 ? StrCat(", ", Grouped(ModelBytes(model)), " B") : "";
}

}  // namespace

std::string TradeoffChart(const std::vector<const ModelResult*>& models, std::string_view example) {
  const Axes axes = FitAxes(models);
  std::string drawing = Grid(axes, example);
  std::vector<Place> taken;
  for (size_t i = 0; i < models.size(); ++i) drawing += Dot(axes, *models[i], i + 1, taken);
  return StrCat("<svg class=\"chart\" viewBox=\"0 0 ", kWidth, " ", kHeight,
                "\" role=\"img\" aria-label=\"Accuracy over median latency; areas are file sizes\">", drawing,
                "</svg>\n");
}

std::string TradeoffSection(const Report& report) {
  std::vector<const ModelResult*> timed;
  std::string legend;
  for (const ModelResult& model : report.models) {
    if (!model.latency_us || !model.accuracy) continue;
    timed.push_back(&model);
    legend += StrCat("<li><b>", timed.size(), "</b> ", EscapeHtml(ShownName(report, model)), ": ",
                     Fixed(model.latency_us->p50, 1), " µs, ", PercentText(model), SizeText(model), "</li>");
  }
  if (timed.size() < 2) return "";
  return StrCat("<figure><ul class=\"legend\">", legend, "</ul>", TradeoffChart(timed, ExampleWord(report)),
                "</figure>\n",
                Quiet("Left is faster, up is more accurate; the area of a dot is the size of the file. The "
                      "whiskers are the 95 % intervals of the accuracies."));
}

}  // namespace qat
