// time_ratio.h: which of two models is faster, from turns that they took side by side, and how much of the
// difference is noise.
#ifndef QAT_EVAL_TIME_RATIO_H_
#define QAT_EVAL_TIME_RATIO_H_

#include <cstdint>
#include <optional>
#include <span>

#include "report/report.h"

namespace qat {

/// How many times longer b takes than a.
struct TimeRatio {
  double ratio = 1;
  std::optional<Interval> interval = {};  ///< at 95 %; absent under 40 turns
};

/// The median over pairs of turns of  sqrt(b[2k] b[2k+1] / (a[2k] a[2k+1])). The order of the models is
/// reversed after each turn, so within such a pair a steady drift of the machine cancels, and a slow-down
/// that lasts longer than a pair affects both. The interval is MedianInterval's.
/// Requires  one time (the median of a turn) of each model in every turn, as many of each, at least one.
TimeRatio RatioOfTurns(std::span<const float> a, std::span<const float> b, uint64_t seed);

/// The measured difference of a model from itself: the farther end of the interval of turn[2k] / turn[2k+1]
/// from 1. Both are the same model, so all of it is noise and the place in the round. Absent under 40 turns.
std::optional<double> NoiseOfTurns(std::span<const float> turns, uint64_t seed);

/// 95 % interval of the median of values in the order of measurement, by the percentile bootstrap: up to 40
/// runs of consecutive values are drawn with replacement, because neighbours in time share what disturbed
/// them. 1000 resamples; the same seed gives the same interval. Absent under 20 values.
std::optional<Interval> MedianInterval(std::span<const float> values, uint64_t seed);

/// By nearest rank. Requires at least one value.
float MedianOf(std::span<const float> values);

}  // namespace qat

#endif  // QAT_EVAL_TIME_RATIO_H_
