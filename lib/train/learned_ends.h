// learned_ends.h: the two ends of a range of activations as parameters: the learned step size of Esser et al.
// (2020) with a learned offset, as Bhalgat et al. (2020) have it (LSQ+).
#ifndef QAT_TRAIN_LEARNED_ENDS_H_
#define QAT_TRAIN_LEARNED_ENDS_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "train/fake_quantize.h"
#include "train/forward_context.h"
#include "train/parameter.h"
#include "train/shared_range.h"

namespace qat {

/// ClampAndFakeQuantize, with a gradient for the ends of the range, too. With c the value clamped to
/// `bounds`, v the rounded one, W the width of `grid`, q its steps (255) and g the gradient of v:
///   gradient of x        as ClampAndFakeQuantize has it;
///   gradient of ends[1]  = k * sum of g * ((v - c) / W inside the grid, 1 above it, 0 below);
///   gradient of ends[0]  = k * sum of g * (-(v - c) / W inside, 0 above, 1 below);
///   k                    = q^2 / sqrt(N * q), N the values of one example: with both ends, a step of W is q
///                          times that of LSQ's scale, whose gradient is scaled by 1 / sqrt(N * q).
/// An end of 0 has no gradient: it stays what an activation or the meaning of the values has put there.
/// Shapes    float32, examples first; ends {lower, upper}, of which `grid` is the nudged form.
/// Rounding  of the sums: in pieces of one size, whatever the number of threads.
at::Tensor ClampAndFakeQuantizeLearned(const at::Tensor& input, const at::Tensor& ends, Range bounds,
                                       const Grid& grid);

/// The ends of one group of tensors that have one scale and zero point.
class LearnedEnds {
 public:
  /// Requires  a range of integers that are not symmetric around 0. `name` is that of the group's first
  /// tensor.
  LearnedEnds(std::string name, std::shared_ptr<SharedRange> range);

  /// False before the first training step with fake quantization, and while a tensor of the group has not
  /// been observed: until then its observers say what the range is.
  bool started() const;
  /// Before a tensor of the group is rounded: starts the ends with the observed range, and gives the
  /// observers what has been learned, where `context` observes.
  void Settle(const ForwardContext& context);
  /// Once they have started: what a tensor of the group reaches; no end comes nearer to 0 than 1/64 of it.
  void Hold(Range seen);

  const at::Tensor& ends() const { return ends_; }
  const SharedRange& range() const { return *range_; }
  Parameter parameter() const;

 private:
  std::string name_;
  std::shared_ptr<SharedRange> range_;
  at::Tensor ends_;
};

}  // namespace qat

#endif  // QAT_TRAIN_LEARNED_ENDS_H_
