// module.h: what every layer of a network in training is: real values forward with autograd, fake
// quantization on request, and the exact integer forward. One Make function an operator, in the file of its
// stem; ops/op_list.inc lists them. Activations of rank 4 are [N, C, H, W] and filters [O, I, H, W] inside
// LibTorch; checkpoints hold TFLite's layout.
#ifndef QAT_TRAIN_MODULES_MODULE_H_
#define QAT_TRAIN_MODULES_MODULE_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "ops/integer_kernels.h"
#include "quant/precision.h"
#include "train/batch_statistics.h"
#include "train/forward_context.h"
#include "train/modules/layer_node.h"
#include "train/parameter.h"
#include "train/simulated.h"
#include "train/tensor_quantizer.h"

namespace qat {

/// The statistics of a batch normalization, named after its layer.
struct NamedStatistics {
  std::string name;
  BatchStatistics* statistics;
  double epsilon;
};

/// What a Make function may need besides the node.
struct ModuleOptions {
  uint64_t seed = 1;
  double ema_decay = 0.999;
  bool ranges_cover = false;  ///< activations: what has been seen lately, not its average (RangeObserver)
  Precisions precisions = PrecisionsOf(Scheme::kUInt8);
  /// How often layers convolve in a step with fake quantization while their batch normalization learns: 1, or
  /// 2, with the raw filter, too; 0: once, but twice where the grid of the whole filter leaves a channel few
  /// steps.
  int32_t bn_convolutions = 0;
  bool learn_filter_ranges = false;      ///< learned_quantizer.h; only with symmetric filters
  bool learn_activation_ranges = false;  ///< learned_ends.h; not of real numbers
};

class Module {
 public:
  Module(const LayerNode& layer, const ModuleOptions& options);
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  virtual at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) = 0;
  /// Requires observers that have seen something, in this module and before it.
  virtual SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const = 0;

  /// Empty for modules without any.
  virtual std::vector<Parameter> parameters() { return {}; }
  /// Trains a parameter together with the layer that it is of: what has this name here is the same tensor
  /// from now on. Requires  one of the same shape and layout.
  virtual void Share(const Parameter&) {}
  /// Observers of parameters first, then that of the output where the layer has a range of its own.
  virtual std::vector<NamedObserver> observers();
  /// Empty but for a layer with a batch normalization that learns.
  virtual std::optional<NamedStatistics> batch_norm() { return std::nullopt; }
  /// From now on the parameters stay as they are, and a batch normalization uses its moving averages. Ranges
  /// go on being observed.
  void Hold();
  bool held() const { return held_; }
  /// False once an observed tensor held NaN or inf: observers skip it, the trainer reports it.
  virtual bool finite() const { return finite_ && output_.finite(); }
  /// "conv1: conv_2d(6 filters 5x5, …)": one line.
  virtual std::string PrettyPrint() const;

  const LayerNode& node() const { return node_; }
  const std::string& name() const { return node_.name; }
  const OpDefinition& definition() const { return node_.definition(); }

  /// The range that the output shares with others, instead of one for itself alone, and its learned ends
  /// (null: observed). The network calls it once.
  void ShareRange(std::shared_ptr<const SharedRange> range, std::shared_ptr<LearnedEnds> ends) {
    output_.ShareRange(std::move(range), std::move(ends));
  }
  /// Null for outputs that are no reals, and for modules that stand alone and have no range of their own.
  const SharedRange* range() const { return output_.range(); }

 protected:
  /// Observes (layers with a range of their own), clamps to `bounds`, rounds to the grid of the range. The
  /// end of every Forward that computes new values; what only moves values does not need it.
  at::Tensor Finish(const at::Tensor& output, Range bounds, const ForwardContext& context);
  at::Tensor Finish(const at::Tensor& output, const ForwardContext& context);

  /// Scale and zero point of the output. Requires a range that is ready.
  QuantizationParams OutputParams() const;
  const Precision& activations() const { return precisions_.activations; }
  /// Of the filter that an operator of this type has.
  Precision filters() const { return FilterPrecision(node_.type, precisions_); }
  const OpAttributes& attributes() const { return node_.attributes; }
  void Note(bool finite) { finite_ = finite_ && finite; }

 private:
  LayerNode node_;
  Precisions precisions_;
  RangeQuantizer output_;
  bool finite_ = true;
  bool held_ = false;
};

/// A layer with a filter, and a bias or a batch normalization, a fused activation and an output range of its
/// own:
/// convolutions and fully connected.
class FilterModule : public Module {
 public:
  /// Starts the parameters as their initializers say, by streams named after (seed, node). Requires  a
  /// trained filter.
  FilterModule(const LayerNode& layer, const ModuleOptions& options,
               FilterLayout layout = FilterLayout::kOutputFirst);

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) final;
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const final;
  std::vector<Parameter> parameters() final;
  void Share(const Parameter& parameter) final;
  std::vector<NamedObserver> observers() final;
  std::optional<NamedStatistics> batch_norm() final;
  bool finite() const final { return Module::finite() && quantizer_->finite(); }
  std::string PrettyPrint() const final;

 protected:
  /// The operator itself, before the activation, on reals of any floating type. `filter` has its output
  /// channels first whatever the layout; `bias` may be undefined.
  virtual at::Tensor Apply(const at::Tensor& input, const at::Tensor& filter,
                           const at::Tensor& bias) const = 0;
  /// Requantizes the sums of Apply on integers: convolution's rule, unless overridden.
  virtual at::Tensor Requantize(const at::Tensor& acc, float input_scale, const SimulatedFilter& filter,
                                const SimulatedOutput& output) const;
  /// The output as readers take it, where Apply gives rows [N…, output channels]: unchanged, unless
  /// overridden.
  virtual at::Tensor Arrange(const at::Tensor& output, const at::Tensor& input) const;

 private:
  /// gamma * (filter * x - mean) / sqrt(variance + epsilon) + beta.
  struct BatchNorm {
    at::Tensor gamma;
    at::Tensor beta;
    BatchStatistics statistics;  ///< mean and variance
    double epsilon = 0;
  };

  at::Tensor OutputFirst(const at::Tensor& filter) const;
  at::Tensor Normalized(const at::Tensor& input, const ForwardContext& context);
  at::Tensor NormalizedByBatch(const at::Tensor& sums, const ForwardContext& context);
  at::Tensor NormalizedTogether(const at::Tensor& sums, const ForwardContext& context);
  at::Tensor RoundedUnfolded(const at::Tensor& filter, const at::Tensor& factor,
                             const ForwardContext& context);
  bool OneConvolutionServes(const at::Tensor& filter, const at::Tensor& factor) const;
  at::Tensor Corrected(const at::Tensor& input, const at::Tensor& rounded, const ForwardContext& context);
  void TakeIn(const at::Tensor& mean, const at::Tensor& variance, const ForwardContext& context);
  /// As it is deployed: folded, in LibTorch's layout, no gradient.
  std::pair<at::Tensor, at::Tensor> DeployedParameters() const;

  at::Tensor filter_;  ///< in LibTorch's own layout
  at::Tensor bias_;    ///< undefined with batch norm, and where the node has none
  std::optional<BatchNorm> norm_;
  FilterLayout layout_;
  size_t folding_block_;  ///< values of one channel that lie together in TFLite's layout
  std::unique_ptr<TensorQuantizer> quantizer_;  ///< of the filter, output channels first
  Activation activation_;
  int32_t bn_convolutions_;
};

/// Parameters in TFLite's layout, to and from LibTorch's; ranks below 4 stay.
NamedTensor ToTfliteLayout(const at::Tensor& value, FilterLayout layout = FilterLayout::kOutputFirst);
at::Tensor FromTfliteLayout(const NamedTensor& tensor, FilterLayout layout = FilterLayout::kOutputFirst);

#define QAT_OP(enumerator, stem, name, tflite_name) \
  Expected<std::unique_ptr<Module>> Make##enumerator(const LayerNode& layer, const ModuleOptions& options);
#define QAT_RUN_OP(enumerator, stem, name, tflite_name)
#include "ops/op_list.inc"
#undef QAT_OP

/// The module of a layer. Errors: kUnsupported, for operators that have no training form.
Expected<std::unique_ptr<Module>> MakeModule(const LayerNode& layer, const ModuleOptions& options);

}  // namespace qat

#endif  // QAT_TRAIN_MODULES_MODULE_H_
