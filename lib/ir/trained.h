// trained.h: what a graph that can be trained says about its tensors and nodes before there are values: how
// they start, what they are to their node, which batch normalization belongs to it.
#ifndef QAT_IR_TRAINED_H_
#define QAT_IR_TRAINED_H_

#include <cstdint>

#include "ops/op.h"

namespace qat {

/// How a tensor starts.
struct Initializer {
  enum class Kind : uint8_t { kHeNormal, kGlorotUniform, kTruncatedNormal, kOnes, kConstant };
  Kind kind = Kind::kHeNormal;
  float stddev = 0;  ///< kTruncatedNormal: values beyond two standard deviations are drawn again
  float value = 0;   ///< kConstant
  bool operator==(const Initializer&) const = default;

  static Initializer Constant(float value) { return {Kind::kConstant, 0, value}; }
};

/// A tensor whose values training finds.
struct TrainedTensor {
  ParameterSpec::Role role = ParameterSpec::Role::kFilter;
  Initializer initializer;
  int32_t fan_in = 0;   ///< of a filter: inputs that one output sums
  int32_t fan_out = 0;  ///< of a filter: outputs that one input reaches
  bool operator==(const TrainedTensor&) const = default;
};

/// Batch normalization between the sums of a node and its activation. It takes the place of the bias:
///   gamma * (sum - moving_mean) / sqrt(moving_variance + epsilon) + beta,
///   moving = momentum * moving + (1 - momentum) * batch.
struct FusedBatchNorm {
  float epsilon = 1e-3f;
  float momentum = 0.99f;
  int32_t gamma = -1;  ///< tensor indices, [output channels] each
  int32_t beta = -1;
  int32_t moving_mean = -1;
  int32_t moving_variance = -1;
  bool operator==(const FusedBatchNorm&) const = default;
};

}  // namespace qat

#endif  // QAT_IR_TRAINED_H_
