// learned_quantizer.h: ends of ranges that are parameters: the learned step size of Esser et al. (2020), with
// r = largest integer * step as what is learned.
#ifndef QAT_TRAIN_LEARNED_QUANTIZER_H_
#define QAT_TRAIN_LEARNED_QUANTIZER_H_

#include <span>
#include <string>
#include <vector>

#include "train/tensor_quantizer.h"

namespace qat {

/// Rounds slice c of the first axis to the symmetric grid of [-r, r], r = deployed[c]; the whole tensor where
/// there is one. With v the rounded value of x, q the largest integer, N the values of a slice and g the
/// gradient of v:
///   gradient of x        = g where |x| <= r, else 0;
///   gradient of ends[c]  = k * sum over the slice of g * ((v - x) / r where |x| <= r, else the sign of x),
///   k                    = q^2 / sqrt(N * q): a step of r is then q times that of LSQ's scale r / q, whose
///                          gradient is scaled by 1 / sqrt(N * q).
/// Shapes    float32; ends has one value for each of `deployed`, which may differ from it.
/// Source    Esser et al. 2020, equations 3 and 5 and section 2.2. There a value at an end counts as outside;
/// here as inside, so that
///           the largest value of a range that holds all of them goes on learning.
at::Tensor FakeQuantizeLearned(const at::Tensor& values, const at::Tensor& ends,
                               const std::vector<float>& deployed, const Precision& precision);

/// One end for each slice of the first axis of a filter, in units of the filter as it is before a batch
/// normalization is folded into it; or one for the whole filter, folded. They start in the first training
/// step with fake quantization (LeastSquaresEnd), and observing keeps them between 1/64 and all of the
/// largest magnitude.
class LearnedQuantizer final : public TensorQuantizer {
 public:
  /// Requires  a symmetric precision.
  LearnedQuantizer(std::string name, const Precision& precision, int64_t channels);

  at::Tensor Forward(const at::Tensor& values, Range bounds, const ForwardContext& context) override;
  using TensorQuantizer::Forward;
  at::Tensor ForwardScaled(const at::Tensor& values, const at::Tensor& factors,
                           const ForwardContext& context) override;
  bool ready() const override;
  std::vector<QuantizationParams> ParamsOf(const at::Tensor& values) const override;
  std::vector<NamedObserver> observers() override;
  std::vector<Parameter> parameters() override;
  void Share(const Parameter& parameter) override;
  std::span<const float> channel_ends() const override;

 private:
  void Learn(const at::Tensor& values, const std::vector<float>& largest, bool observe);

  at::Tensor ends_;
  RangeObserver observer_;  // per tensor: the range as it is deployed
};

}  // namespace qat

#endif  // QAT_TRAIN_LEARNED_QUANTIZER_H_
