// adaround.h: rounding weights up or down by what their sum loses, instead of each to its nearest integer.
#ifndef QAT_CALIBRATE_ADAROUND_H_
#define QAT_CALIBRATE_ADAROUND_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "quant/params.h"

namespace qat {

/// What is known of the inputs x of a layer's sums, and of the sums y that are wanted instead. Of deviations
/// from their means, where a bias makes up for the means.
struct InputMoments {
  size_t depth = 0;
  std::vector<float> gram;  ///< mean of x xᵀ: [depth, depth], row-major, symmetric
  /// Of each channel with weights w the mean of (y - wᵀ x) x: [channels, depth]; empty: y is wᵀ x.
  std::vector<float> pull = {};
};

/// (v - w)ᵀ gram (v - w) - 2 (v - w)ᵀ pull of one channel: by how much the mean squared error of the sums is
/// larger with weights v than with w. Without a pull, the mean squared difference of the sums.
double SumError(const InputMoments& moments, size_t channel, std::span<const float> w,
                std::span<const float> v);

/// What one output channel's weights are rounded with.
struct RoundingGrid {
  QuantizationParams params;
  QuantizedLimits limits;
  bool operator==(const RoundingGrid&) const = default;
};

/// Called before some channels are rounded, with the number of those done; false ends the work.
using BetweenChannels = std::function<bool(size_t channels)>;

/// Integers of channels of `depth` weights each. A weight w becomes floor(w / scale) + h, where h in [0, 1]
/// starts as its fraction and is pulled to 0 or 1 while SumError descends (by Adam, with the gradient worked
/// out); a channel that then loses more than with the nearest integers keeps those, and so does a layer whose
/// descent would take too long (2e11 multiplications). Single weights are then moved by one integer as long
/// as that lowers SumError. The least and the largest weight stay where their nearest integers are the ends
/// of the grid: they make the scale. Per channel, so the result of one does not depend on the others.
/// Shapes    weights [channels, depth]; one grid for each channel, or one for all.
/// Source    Nagel et al., Up or Down? Adaptive Rounding for Post-Training Quantization, 2020. The loss is
///           that of the sum, since a quadratic form says all of it.
std::vector<int32_t> AdaRound(const InputMoments& moments, std::span<const float> weights,
                              std::span<const RoundingGrid> grids, const BetweenChannels& between = {});

/// For one channel's weights: of the grids from -r to r, r from the largest magnitude down to half of it, the
/// one on which the nearest integers, those at its ends for what lies beyond, lose least: the mean squared
/// error of the sums if the inputs were independent. With few integers, a finer step for most weights is
/// worth the error of the largest.
/// Requires  limits around 0. Source: Nagel et al., 2020, section 5, which round on the grid of least error.
RoundingGrid GridOfLeastError(const InputMoments& moments, std::span<const float> weights,
                              QuantizedLimits limits);

}  // namespace qat

#endif  // QAT_CALIBRATE_ADAROUND_H_
