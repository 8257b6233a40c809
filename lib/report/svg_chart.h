// svg_chart.h: inline SVG for the report page: curves over steps, and bars of ranges. No script; colours are
// CSS classes.
#ifndef QAT_REPORT_SVG_CHART_H_
#define QAT_REPORT_SVG_CHART_H_

#include <cstdint>
#include <string>
#include <vector>

#include "report/report.h"

namespace qat {

/// "&", "<", ">" and both quotes as entities: safe as text and inside attributes.
std::string EscapeHtml(std::string_view text);

/// How a value becomes a height.
enum class ChartScale {
  kLogarithmic,  ///< losses: decades, ticks at 1, 2 and 5
  /// percentages: logarithmic in the error 100 - value, so that 99 and 99.5 can be distinguished
  kAccuracy,
  kLinear,  ///< what may be 0: learning rates; the axis starts there
};

/// A vertical line at a step.
struct ChartMark {
  int64_t step = 0;
  std::string css = "mark";
};

struct ChartOptions {
  std::string description;  ///< for those who cannot see it
  ChartScale scale = ChartScale::kLogarithmic;
  int64_t mark_step = -1;  ///< a labelled vertical line; -1: none
  std::string mark_label;
  std::vector<ChartMark> marks = {};      ///< without a label: the page's legend has it
  std::vector<std::string> classes = {};  ///< CSS classes of the curves; empty: "c<i>"
  int64_t last_step = 0;                  ///< where the axis of steps ends at the earliest
};

/// Curves over training steps. Curve i is drawn with the CSS class "c<i>", unless the options name others;
/// the legend is the page's. Curves of more than 800 points keep the smallest and largest value of each of
/// 400 slices, so that no spike is lost. Requires  at least one finite point in all.
std::string LineChart(const std::vector<TrainingCurve>& curves, const ChartOptions& options);

/// A heat map of a confusion matrix: one row per true class, one column per answer; right answers ("hit") and
/// wrong ones ("miss") in two colours, as dense as their share of the row. Counts are written into up to 12
/// classes, and each cell has its sentence as a tooltip. Names longer than four letters are replaced by their
/// numbers. Requires a square matrix that is not empty.
std::string ConfusionChart(const std::vector<std::vector<int64_t>>& confusion,
                           const std::vector<std::string>& names);

/// Accuracy over median latency (logarithmic), with the 95 % interval of each accuracy as a whisker; the area
/// of a dot is proportional to the bytes of the file. Dots bear their place in `models`, from 1; the legend
/// is the page's. `example`: the word for what was measured, "image".
/// Requires  accuracy and latency of every model, and at least one model.
std::string TradeoffChart(const std::vector<const ModelResult*>& models, std::string_view example);

/// A bar from `min` to `max` on the axis [axis_min, axis_max] with a line at real 0; it stretches to any
/// width.
std::string RangeBar(double min, double max, double axis_min, double axis_max);

/// The columns of a histogram, logarithmic in their counts (a ReLU has most of its values at 0, its range is
/// decided by the few at the other end), in front of the chosen range [min, max], on the axis [axis_min,
/// axis_max].
std::string HistogramBar(const Histogram& histogram, double min, double max, double axis_min,
                         double axis_max);

}  // namespace qat

#endif  // QAT_REPORT_SVG_CHART_H_
