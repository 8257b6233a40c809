#include "report/run_record.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/check.h"

namespace qat {
namespace {

// The last point at `step` or before; the first one is `from` at the earliest.
std::optional<RangePoint> PointAt(const RangeCurve& curve, int64_t step, int64_t from) {
  std::optional<RangePoint> found;
  for (const RangePoint& point : curve.points) {
    if (point.step >= from && point.step <= step) found = point;
  }
  return found;
}

double Width(const RangePoint& point) { return point.max - point.min; }

}  // namespace

double RangeFinding::Badness() const {
  // A range becomes wider by the factor at which it has run away, and stays where it is at 1.
  const double grown = std::log(std::max(growth, 1.0)) / std::log(kRunawayGrowth);
  const double outside = std::isfinite(last.clipped) ? last.clipped / kMuchClipped : 0;
  return std::max({grown, moved / kSettledMove, outside});
}

RangeFinding JudgeRange(const RangeCurve& curve, int64_t steps, int64_t quant_delay) {
  QAT_CHECK(!curve.points.empty());
  RangeFinding finding;
  finding.tensor = curve.tensor;
  finding.last = curve.points.back();
  const double width = Width(finding.last);
  const int64_t now = finding.last.step;
  if (quant_delay >= 0) {
    const auto before = PointAt(curve, now - steps / 4, std::max(quant_delay + 1, steps / 4));
    if (before && Width(*before) > 0) finding.growth = width / Width(*before);
  }
  if (const auto before = PointAt(curve, now - steps / 10, 0); before && width > 0) {
    finding.moved =
        std::max(std::abs(finding.last.min - before->min), std::abs(finding.last.max - before->max)) / width;
  }
  return finding;
}

std::vector<RangeFinding> JudgeRanges(const RunRecord& run) {
  std::vector<RangeFinding> findings;
  const int64_t steps = std::max(run.steps, run.last_step);
  for (const RangeCurve& curve : run.ranges) findings.push_back(JudgeRange(curve, steps, run.quant_delay));
  std::stable_sort(findings.begin(), findings.end(),
                   [](const RangeFinding& a, const RangeFinding& b) { return a.Badness() > b.Badness(); });
  return findings;
}

}  // namespace qat
