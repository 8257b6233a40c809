// fake_quantize.h: rounding simulated in float training, with the gradient of tf.contrib.quantize. One pass
// over the data for activation, rounding and clamping together: the fused activation costs nothing extra.
#ifndef QAT_TRAIN_FAKE_QUANTIZE_H_
#define QAT_TRAIN_FAKE_QUANTIZE_H_

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "quant/params.h"

namespace qat {

/// The grid that a tensor is rounded to.
struct Grid {
  QuantizationParams params;
  QuantizedLimits limits;
};

/// Smallest and largest element; `finite` is false where any element is NaN or infinite, then the range means
/// nothing.
struct MeasuredRange {
  Range range;
  bool finite = true;
};
MeasuredRange MeasureRange(const at::Tensor& values);

/// Clamps to `bounds` (the range of a fused activation; infinite ends are open), then rounds to `grid` if
/// there is one:
///   c = clamp(x, nudged min, nudged max);
///   y = (floor((c - nudged min) / scale + 0.5) + quant_min - zero_point) * scale.
/// Gradient  straight through where x lies strictly inside the activation's bounds (as relu and relu6 have
///           it) and inside the nudged range, both ends included; 0 elsewhere. Ranges get no gradient.
/// Rounding  float32; y is exactly Dequantize(QuantizeFakeQuant(c)), so training sees the deployed values.
///           TensorFlow adds the nudged minimum last instead, which differs in the last bit of y and never in
///           the integer.
/// NaN and infinities come out as NaN, so that the loss shows them.
/// Shapes    any; float32.
at::Tensor ClampAndFakeQuantize(const at::Tensor& input, Range bounds, const std::optional<Grid>& grid);

/// Its gradient: `gradient` where it passes. Requires  both dense, in one order (InOrderOf).
at::Tensor PassGradient(const at::Tensor& x, const at::Tensor& gradient, Range bounds, Range grid);
/// A gradient in the order in which the values of x lie, which may be that of another layout.
at::Tensor InOrderOf(const at::Tensor& x, const at::Tensor& gradient);

/// The same without an activation.
at::Tensor FakeQuantize(const at::Tensor& input, const Grid& grid);

/// How many values, after clamping to `bounds`, are more than half a step outside the grid: those that
/// rounding to its nearest end costs more than rounding does anywhere else.
int64_t CountClipped(const at::Tensor& values, Range bounds, const Grid& grid);

/// Rounds slice c of the first axis to grids[c]: filters with a scale for each output channel. The gradient
/// passes unchanged: the grids of scheme int8 hold every value of their channel. Requires as many grids as
/// slices.
at::Tensor FakeQuantizeSlices(const at::Tensor& input, const std::vector<Grid>& grids);

/// MeasureRange of every slice of the first axis; not finite where one of them is not.
struct MeasuredSlices {
  std::vector<Range> ranges;
  bool finite = true;
};
MeasuredSlices MeasureSlices(const at::Tensor& values);

}  // namespace qat

#endif  // QAT_TRAIN_FAKE_QUANTIZE_H_
