// limits.h: what targets demand of shapes, attributes and scales, beyond types. Named in rules.inc.
#ifndef QAT_TARGET_LIMITS_H_
#define QAT_TARGET_LIMITS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "model/model.h"

namespace qat {

enum class Limit : uint8_t {
  kNoLimit,
  kStrideWithinWindow,  ///< a pool steps no further than it reaches
  kTransposedStride,    ///< the same of a transposed convolution that is padded; scales as kScaleBelow256
  kOneScale,            ///< not one scale per channel
  kBetaOne,             ///< of a softmax
  kScaleBelow256,       ///< input scale * filter scale / output scale of every channel
  kSumScales,           ///< input scale / output scale from 2^-10 to under 2^8
  kProductScales,       ///< product of input scales / output scale from 2^-16 to under 2^8
  kFiveAlikeInputs,     ///< at most five, and as kSameParams
  kTwoToFourOutputs,
  kOneScaleOfFourBits,  ///< a filter of 4 bits has one scale
  kNoNewAxis,           ///< strided slice: no new axis, no ellipsis
  kSameParams,          ///< inputs and output share scale and zero point
  kNpuConvolution,      ///< strides over 3 only without dilation and padding; weights as kNpuWeights
  kNpuDepthwise,        ///< strides to 3; weights as kNpuWeights
  kNpuWeights,          ///< constant, and the sum of their magnitudes in a channel at most 127 * 65536
  kNpuTransposeConv,    ///< strides 1x1 or 2x2 within the window, the output as large as they say
  kNpuMaxPool,          ///< windows to 256x256; strides as kNpuConvolution
  kNpuAveragePool,      ///< padded windows to 8x8, others to 256x256
  kNpuMean,             ///< batch 1, over height and width
  kNpuSoftmax,          ///< rows under 65536
  kNpuSplit,            ///< two or more outputs; the axis not counted from the end where it is the first
  kNpuResize,           ///< both sides by the same 2, 4 or 8 (half-pixel: 2)
};

struct LimitViolation {
  std::string what;
  std::string way_out;
};

/// Nothing: the operator keeps to it.
std::optional<LimitViolation> Violation(Limit limit, const Model& model, const ModelNode& node);

}  // namespace qat

#endif  // QAT_TARGET_LIMITS_H_
