// module.h: what every layer of a network in training is: real values forward with autograd, fake
// quantization on request, and the exact integer forward. One Make function an operator, in the file of its
// stem; ops/op_list.inc lists them. Activations of rank 4 are [N, C, H, W] and filters [O, I, H, W] inside
// LibTorch; checkpoints hold TFLite's layout.
#ifndef QAT_TRAIN_MODULES_MODULE_H_
#define QAT_TRAIN_MODULES_MODULE_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "quant/params.h"
#include "spec/network_spec.h"
#include "train/observer.h"
#include "train/simulated.h"

namespace qat {

/// What one forward pass is to do.
struct ForwardContext {
  bool training = false;       ///< dropout drops
  bool observe = false;        ///< ranges are updated
  bool fake_quantize = false;  ///< filters and activations are rounded
  uint64_t dropout_key = 0;    ///< names the masks of this step
};

/// A trainable tensor in LibTorch's layout, named as in a checkpoint.
struct Parameter {
  std::string name;
  ParameterSpec::Role role;
  at::Tensor value;
};

/// An observer, named as its range in a checkpoint.
struct NamedObserver {
  std::string name;
  RangeObserver* observer;
};

class Module {
 public:
  explicit Module(const LayerSpec& layer) : name_(layer.name), type_(layer.type) {}
  virtual ~Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  virtual at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) = 0;
  /// Requires observers that have seen something, in this module and before it.
  virtual SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const = 0;

  /// Empty for modules without any.
  virtual std::vector<Parameter> parameters() { return {}; }
  virtual std::vector<NamedObserver> observers() { return {}; }
  /// False once an observed tensor held NaN or inf: observers skip it, the trainer reports it.
  virtual bool finite() const { return true; }
  /// "conv1: conv_2d(6 filters 5x5, …)": one line.
  virtual std::string PrettyPrint() const = 0;

  const std::string& name() const { return name_; }
  const OpDefinition& definition() const { return DefinitionOf(type_); }

 private:
  std::string name_;
  OpType type_;
};

/// A layer with filter, bias, fused activation and an output range of its own: convolution and fully
/// connected.
class FilterModule : public Module {
 public:
  /// Starts the parameters as the layer's initializer says, by streams named after (seed, layer).
  FilterModule(const LayerSpec& layer, uint64_t seed, double ema_decay);

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) final;
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const final;
  std::vector<Parameter> parameters() final;
  std::vector<NamedObserver> observers() final;
  bool finite() const final { return finite_; }
  std::string PrettyPrint() const final;

 protected:
  /// The operator itself, before the activation: real values.
  virtual at::Tensor Apply(const at::Tensor& input, const at::Tensor& filter,
                           const at::Tensor& bias) const = 0;
  /// The operator on integers, zero points subtracted, and its requantization.
  virtual at::Tensor Requantized(const SimulatedTensor& input, const SimulatedFilter& filter,
                                 QuantizationParams output) const = 0;
  Activation activation() const { return activation_; }

 private:
  at::Tensor Filter(const ForwardContext& context);
  at::Tensor Activate(const at::Tensor& output, const ForwardContext& context);

  at::Tensor filter_;
  at::Tensor bias_;
  RangeObserver filter_observer_;
  RangeObserver output_observer_;
  Activation activation_;
  std::string attributes_text_;
  bool finite_ = true;
};

/// Parameters in TFLite's layout, to and from LibTorch's: [O, H, W, I] <-> [O, I, H, W]; lower ranks stay.
NamedTensor ToTfliteLayout(const at::Tensor& value);
at::Tensor FromTfliteLayout(const NamedTensor& tensor);

/// What a Make function may need besides the layer.
struct ModuleOptions {
  uint64_t seed = 1;
  double ema_decay = 0.999;
};

#define QAT_OP(enumerator, stem, name, tflite_name) \
  Expected<std::unique_ptr<Module>> Make##enumerator(const LayerSpec& layer, const ModuleOptions& options);
#define QAT_RUN_OP(enumerator, stem, name, tflite_name)
#include "ops/op_list.inc"
#undef QAT_OP

/// The module of a layer. Errors: kUnsupported, for operators that have no training form.
Expected<std::unique_ptr<Module>> MakeModule(const LayerSpec& layer, const ModuleOptions& options);

}  // namespace qat

#endif  // QAT_TRAIN_MODULES_MODULE_H_
