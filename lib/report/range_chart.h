// range_chart.h: the range of one tensor over the steps of training, small enough to stand among those of all
// others.
#ifndef QAT_REPORT_RANGE_CHART_H_
#define QAT_REPORT_RANGE_CHART_H_

#include <cstdint>
#include <string>
#include <vector>

#include "report/run_record.h"
#include "report/svg_chart.h"

namespace qat {

struct RangeChartOptions {
  int64_t last_step = 1;       ///< where the axis of steps ends
  double most_clipped = 0.01;  ///< the share that fills the strip below
  std::vector<ChartMark> marks;
};

/// Both ends of a range as lines with the range between them filled, real 0 as a line, and below it the share
/// of clipped values, where it was counted. Curve i is drawn with the CSS classes "r<i>" and "f<i>"; a null
/// one is left out, so that a run keeps its colour.
/// Requires a point in one curve.
std::string RangeChart(const std::vector<const RangeCurve*>& curves, const RangeChartOptions& options);

}  // namespace qat

#endif  // QAT_REPORT_RANGE_CHART_H_
