// parameter.h: tensors of a network in training by name: what an optimizer changes, and what observers learn.
#ifndef QAT_TRAIN_PARAMETER_H_
#define QAT_TRAIN_PARAMETER_H_

#include <ATen/core/Tensor.h>

#include <string>

#include "ops/op.h"
#include "train/observer.h"

namespace qat {

/// How TFLite's axes [a, b, c, d] of a filter lie in LibTorch: [a, d, b, c] for convolution ([O, H, W, I] as
/// [O, I, H, W]); [d, a, b, c] for depthwise ([1, H, W, O] as [O, 1, H, W]) and transposed convolution ([O,
/// H, W, I] as [I, O, H, W]).
enum class FilterLayout {
  kOutputFirst,
  kRotated,
  kAsIs,  ///< of what is no filter, whatever its rank
};

enum class ParameterKind {
  kTensor,      ///< of the graph
  kFilterEnds,  ///< learned ends of a filter's ranges (learned_quantizer.h)
  kOutputEnds   ///< learned ends of the range of activations (learned_ends.h)
};

/// A tensor of the network in LibTorch's layout, named as in a checkpoint.
struct Parameter {
  std::string name;
  ParameterSpec::Role role;  ///< of a range, that of the tensor whose range it is
  at::Tensor value;
  FilterLayout layout = FilterLayout::kOutputFirst;
  ParameterKind kind = ParameterKind::kTensor;

  bool is_range() const { return kind != ParameterKind::kTensor; }

  /// False for moving averages: no gradient reaches them.
  bool IsTrained() const {
    return role != ParameterSpec::Role::kMovingMean && role != ParameterSpec::Role::kMovingVariance;
  }
  /// False also for those of layers that are held as they are.
  bool Learns() const { return IsTrained() && value.requires_grad(); }
};

/// What the learned ends of a tensor's range are called, and back.
inline std::string RangeName(const std::string& tensor) { return tensor + "/range"; }
inline std::string RangedTensor(const std::string& range) { return range.substr(0, range.rfind('/')); }

/// An observer, named as its range in a checkpoint.
struct NamedObserver {
  std::string name;
  RangeObserver* observer;
};

}  // namespace qat

#endif  // QAT_TRAIN_PARAMETER_H_
