// tensor_quantizer.h: how a tensor gets its grid while it trains, and is rounded to it. Which grid a filter
// has is decided by FilterPrecision (ops/integer_kernels.h), for freezing and conversion as well.
#ifndef QAT_TRAIN_TENSOR_QUANTIZER_H_
#define QAT_TRAIN_TENSOR_QUANTIZER_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "quant/precision.h"
#include "train/fake_quantize.h"
#include "train/forward_context.h"
#include "train/learned_ends.h"
#include "train/parameter.h"
#include "train/shared_range.h"

namespace qat {

class TensorQuantizer {
 public:
  TensorQuantizer(std::string name, const Precision& precision)
      : name_(std::move(name)), precision_(precision) {}
  virtual ~TensorQuantizer() = default;
  TensorQuantizer(const TensorQuantizer&) = delete;
  TensorQuantizer& operator=(const TensorQuantizer&) = delete;

  /// Takes in the values where `context` observes, clamps them to `bounds` (of a fused activation; infinite
  /// ends are open), and rounds them where `context` says so and there is a grid.
  virtual at::Tensor Forward(const at::Tensor& values, Range bounds, const ForwardContext& context) = 0;
  at::Tensor Forward(const at::Tensor& values, const ForwardContext& context);
  /// The same of values times a factor for each slice of their first axis: a filter with a batch
  /// normalization folded into it.
  virtual at::Tensor ForwardScaled(const at::Tensor& values, const at::Tensor& factors,
                                   const ForwardContext& context);

  /// Whether there is a grid. Never of real numbers.
  virtual bool ready() const = 0;
  /// Scale and zero point of `values` as they are deployed: one, or one per slice of their first axis.
  /// Requires ready.
  virtual std::vector<QuantizationParams> ParamsOf(const at::Tensor& values) const = 0;

  /// What observing changes, for saving, resuming and fixing. Empty: nothing is remembered from step to step.
  virtual std::vector<NamedObserver> observers() { return {}; }
  /// What gradients change, and what takes their place where layers share a tensor.
  virtual std::vector<Parameter> parameters() { return {}; }
  virtual void Share(const Parameter&) {}
  /// Of each slice the end that it is clamped to before it is deployed, before any factor; empty: none.
  virtual std::span<const float> channel_ends() const { return {}; }

  const std::string& name() const { return name_; }
  const Precision& precision() const { return precision_; }
  /// False once a tensor that was observed held NaN or inf.
  bool finite() const { return finite_; }

 protected:
  void Note(bool finite) { finite_ = finite_ && finite; }

 private:
  std::string name_;  // of the tensor
  Precision precision_;
  bool finite_ = true;
};

/// What a RangeQuantizer observes.
enum class Observed {
  kNothing,    ///< its range is fixed, or that of others
  kParameter,  ///< the same values in every process
  kBatch       ///< values of the examples that this process has
};

/// One range for the whole tensor, observed as `observer` does; or one that it shares with others.
class RangeQuantizer final : public TensorQuantizer {
 public:
  RangeQuantizer(std::string name, const Precision& precision, Observed observed,
                 const RangeObserver& observer = RangeObserver());

  at::Tensor Forward(const at::Tensor& values, Range bounds, const ForwardContext& context) override;
  using TensorQuantizer::Forward;
  bool ready() const override;
  std::vector<QuantizationParams> ParamsOf(const at::Tensor& values) const override;
  std::vector<NamedObserver> observers() override;

  /// Takes this range instead of its own, with ends that are learned (null: observed).
  void ShareRange(std::shared_ptr<const SharedRange> range, std::shared_ptr<LearnedEnds> ends = nullptr) {
    range_ = std::move(range);
    ends_ = std::move(ends);
  }
  /// Null: it observes nothing and shares nothing.
  const SharedRange* range() const { return range_.get(); }

 private:
  void Observe(const at::Tensor& values, Range bounds, const BatchSharing& sharing);

  Observed observed_;
  RangeObserver observer_;
  std::shared_ptr<const SharedRange> range_;
  std::shared_ptr<LearnedEnds> ends_;
};

/// A range for each slice of the first axis: that of its values as they are.
class SliceQuantizer final : public TensorQuantizer {
 public:
  using TensorQuantizer::TensorQuantizer;

  at::Tensor Forward(const at::Tensor& values, Range bounds, const ForwardContext& context) override;
  using TensorQuantizer::Forward;
  bool ready() const override { return !precision().is_real(); }
  std::vector<QuantizationParams> ParamsOf(const at::Tensor& values) const override;
};

/// Of a filter, output channels first. Requires  a symmetric precision where its range is learned.
std::unique_ptr<TensorQuantizer> MakeFilterQuantizer(const std::string& name, const Precision& precision,
                                                     int64_t channels, bool learned);

}  // namespace qat

#endif  // QAT_TRAIN_TENSOR_QUANTIZER_H_
