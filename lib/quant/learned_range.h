// learned_range.h: filters with learned ends of their ranges: what is deployed of them, and where such an end
// starts.
#ifndef QAT_QUANT_LEARNED_RANGE_H_
#define QAT_QUANT_LEARNED_RANGE_H_

#include <cstddef>
#include <span>

#include "quant/params.h"
#include "quant/precision.h"

namespace qat {

/// The end r of the range [-r, r] that values of magnitude `largest` at most are rounded in: the learned one,
/// but no farther than they reach. A learned end of 0 is none yet: the range holds every value.
float DeployedEnd(float learned, float largest);

/// The grid of [-end, end], of the integers of a symmetric precision.
QuantizationParams ParamsOfEnd(const Precision& precision, float end);

/// Rounds a filter as training does, before it is folded and deployed: value i of channel c = i / inner %
/// ends.size() to the grid of DeployedEnd, where that end is not 0. The largest magnitude of a channel, which
/// conversion takes its step from, is then that end. Values that training left at the border of two integers,
/// as many do at the end of a run, do not depend on how folding rounds.
void RoundChannels(std::span<float> filter, size_t inner, std::span<const float> ends,
                   const Precision& precision);

/// The end with the least sum of squared rounding errors over the values, of largest magnitude * 0.97^k, k =
/// 0 … 100 (down to 0.05): where learning starts. Requires  finite values, symmetric limits.
float LeastSquaresEnd(std::span<const float> values, QuantizedLimits limits);

}  // namespace qat

#endif  // QAT_QUANT_LEARNED_RANGE_H_
