// constants.h: constants of a model as real numbers.
#ifndef QAT_IMPORT_CONSTANTS_H_
#define QAT_IMPORT_CONSTANTS_H_

#include <span>
#include <vector>

#include "base/expected.h"
#include "model/model.h"
#include "quant/params.h"

namespace qat {

/// True for types that stand for real numbers: float32, float16, and integers with a scale.
bool IsReal(const ModelTensor& tensor);

/// scale * (quantized - zero_point), product in double, per tensor or per slice of the quantized dimension;
/// floats as they are.
/// Requires IsReal and data of the size that the shape says. Errors: kCorrupt (scales that do not fit the
/// shape).
Expected<std::vector<float>> RealValues(const ModelTensor& tensor);

/// A bias of integers in the units that kernels take it in, input_scale * filter_scale[channel], whatever
/// scale it says itself.
/// Errors: kCorrupt (as many filter scales as neither 1 nor channels).
Expected<std::vector<float>> RealBias(const ModelTensor& bias, float input_scale,
                                      std::span<const float> filter_scale);

/// The real numbers that the integers of a quantized tensor stand for, with 0. Requires one scale.
Range RangeOf(const ModelTensor& tensor);

}  // namespace qat

#endif  // QAT_IMPORT_CONSTANTS_H_
