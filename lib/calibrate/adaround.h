// adaround.h: rounding weights up or down by what their sum loses, instead of each to its nearest integer.
#ifndef QAT_CALIBRATE_ADAROUND_H_
#define QAT_CALIBRATE_ADAROUND_H_

#include <cstdint>
#include <span>
#include <vector>

#include "quant/params.h"

namespace qat {

/// Mean of x xᵀ over the inputs x of a layer's sums: [depth, depth], row-major, symmetric.
struct InputMoments {
  size_t depth = 0;
  std::vector<float> gram;
};

/// (w - v)ᵀ gram (w - v): the mean squared difference of the sums with weights w and v.
double SumError(const InputMoments& moments, std::span<const float> w, std::span<const float> v);

/// What one output channel's weights are rounded with.
struct RoundingGrid {
  QuantizationParams params;
  QuantizedLimits limits;
};

/// Integers of channels of `depth` weights each. A weight w becomes floor(w / scale) + h, where h in [0, 1] starts as its fraction and
/// is pulled to 0 or 1 while SumError descends (by Adam, with the gradient worked out); a channel that then loses more than with the
/// nearest integers keeps those, and so does a weight whose nearest integer is the least or the largest: it makes the scale. Per channel, so the result of one does not depend on the others.
/// Shapes    weights [channels, depth]; one grid for each channel, or one for all.
/// Source    Nagel et al., Up or Down? Adaptive Rounding for Post-Training Quantization, 2020. The loss is that of the sum, since a
///           quadratic form says all of it; the inputs are those of the float network.
std::vector<int32_t> AdaRound(const InputMoments& moments, std::span<const float> weights,
                              std::span<const RoundingGrid> grids);

}  // namespace qat

#endif  // QAT_CALIBRATE_ADAROUND_H_
