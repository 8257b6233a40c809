// params.h: from a range of real numbers to (scale, zero_point): real = scale * (quantized - zero_point).
// The one place where training, freezing and converting choose them; docs/quantization.md derives the
// formulas.
#ifndef QAT_QUANT_PARAMS_H_
#define QAT_QUANT_PARAMS_H_

#include <cstdint>

namespace qat {

struct QuantizationParams {
  float scale = 0;         ///< > 0
  int32_t zero_point = 0;  ///< a representable quantized value: real 0 is exact
  bool operator==(const QuantizationParams&) const = default;
};

/// An interval of real numbers; min <= 0 <= max wherever it is to be quantized.
struct Range {
  float min = 0;
  float max = 0;
  bool operator==(const Range&) const = default;
};

/// The least range that holds both.
constexpr Range UnionOf(Range a, Range b) {
  return {a.min < b.min ? a.min : b.min, a.max > b.max ? a.max : b.max};
}

/// Ends of the integer range, both included.
struct QuantizedLimits {
  int32_t quant_min = 0;
  int32_t quant_max = 255;
  bool operator==(const QuantizedLimits&) const = default;
};

inline constexpr QuantizedLimits kUInt8Limits = {0, 255};        ///< activations, scheme uint8
inline constexpr QuantizedLimits kUInt8NarrowLimits = {1, 255};  ///< weights, scheme uint8 (narrow_range)

/// The smallest range that holds `range` and 0. Real 0 must be exact: it is what padding writes.
Range IncludingZero(Range range);

/// The least that is ever chosen: input_scale * filter_scale stays a normal number of float32, also of raw
/// inputs of 1e10, whose weights are as small.
inline constexpr float kSmallestScale = 1e-20f;

/// What FakeQuantWithMinMaxVars does with a trained range: the representable range nearest to it, zero exact.
///   scale = (max - min) / (quant_max - quant_min);  zero_point = round(quant_min - min / scale), clamped.
/// Units     all arithmetic in float32, as the TensorFlow kernel; ties of the zero point away from zero.
/// Range     one of width 0 is that of a dead layer, which stays dead; it has the scale of a width of 1, so
///           that the biases of layers that read it keep their steps (TFLite's converter takes the scale 1).
///           No scale is under kSmallestScale.
/// Requires  min <= 0 <= max, both finite.
/// Source    tf.contrib.quantize (TensorFlow 1.15), core/kernels/fake_quant_ops_functor.h, Nudge.
QuantizationParams NudgedParams(Range range, QuantizedLimits limits);

/// Real ends of the integer range under `params`: [(quant_min - zero_point) * scale, (quant_max - zero_point)
/// * scale].
Range RepresentableRange(QuantizationParams params, QuantizedLimits limits);

/// What the classic converter does with a range that no training chose (a default range, input stats,
/// calibration).
/// Arithmetic in double; the zero point is taken from the end with the smaller rounding error.
/// Requires  min <= 0 <= max, both finite. A width of 0 and the floor of the scale as NudgedParams.
/// Source    TensorFlow 1.15, lite/kernels/internal/quantization_util.h, ChooseQuantizationParams.
QuantizationParams ChooseQuantizationParams(double min, double max, QuantizedLimits limits);

/// Parameters of an input given as the converter's classic (mean, std): real = (byte - mean) / std.
/// Requires  std > 0.
QuantizationParams InputStatsParams(double mean, double std);

/// clamp(round(real / scale) + zero_point), division and rounding (half away from zero) in float32: TFLite's
/// QUANTIZE.
int32_t QuantizeActivation(float real, QuantizationParams params, QuantizedLimits limits);

/// clamp(floor((clamp(real) - min') / scale + 0.5)) on the nudged range [min', max'], float32: the integer
/// that FakeQuantWithMinMaxVars stands for. Used for weights, so that the deployed filter is the one trained
/// with.
/// NaN counts as 0 (freezing has refused it long before).
int32_t QuantizeFakeQuant(float real, QuantizationParams params, QuantizedLimits limits);

/// scale * (quantized - zero_point), product in double, rounded once to float: TFLite's DEQUANTIZE.
float Dequantize(int32_t quantized, QuantizationParams params);

/// A bias in units of input_scale * filter_scale (float32 product, as the file stores it), zero point 0:
/// clamp(round(bias / (input_scale * filter_scale))) to int32, in double, half away from zero.
int32_t QuantizeBias(float bias, float input_scale, float filter_scale);

}  // namespace qat

#endif  // QAT_QUANT_PARAMS_H_
