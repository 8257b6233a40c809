// network.h: a network spec made of modules: a graph without cycles, run in the order of the spec, in three
// modes.
#ifndef QAT_TRAIN_NETWORK_H_
#define QAT_TRAIN_NETWORK_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "spec/network_spec.h"
#include "train/modules/module.h"

namespace qat {

/// What became of the layers with parameters of a network that started from another one's checkpoint.
struct Inherited {
  int64_t kept = 0;
  bool output = false;             ///< the last layer was kept
  std::vector<std::string> fresh;  ///< "logits (filter is [10, 84] there, [4, 84] here)"
};

class Network {
 public:
  /// Freshly initialized; the input unknown until SetInput. Errors: kUnsupported, for a layer without a training form.
  static Expected<std::unique_ptr<Network>> Create(const NetworkSpec& spec, const ModuleOptions& options);
  /// With the parameters and ranges of a checkpoint, whose own spec is parsed. Errors: kCorrupt, naming the
  /// tensor.
  static Expected<std::unique_ptr<Network>> FromCheckpoint(const Checkpoint& checkpoint);

  /// Fixes scale and zero point of the input. Images whose raw bytes do not pass through are rounded to that grid too.
  void SetInput(const InputContract& contract);

  /// Real images [N, C, H, W] to real outputs; fake quantization as `context` says.
  at::Tensor Forward(const at::Tensor& images, const ForwardContext& context);
  /// Quantized images to quantized outputs, exact. Requires HasRanges.
  SimulatedTensor Simulate(const SimulatedTensor& images) const;

  /// The same, showing every layer's output in the order of the spec.
  using VisitReal = std::function<void(const Module& layer, const at::Tensor& output)>;
  using VisitSimulated = std::function<void(const Module& layer, const SimulatedTensor& output)>;
  at::Tensor Forward(const at::Tensor& images, const ForwardContext& context, const VisitReal& visit);
  SimulatedTensor Simulate(const SimulatedTensor& images, const VisitSimulated& visit) const;

  std::vector<Parameter> parameters();
  std::vector<NamedObserver> observers();
  /// Those of the layers with batch normalization.
  std::vector<NamedStatistics> batch_norms();
  /// Scale of the quantized output; 0 where the network is not quantized or no range is ready.
  float OutputScale() const;
  /// Every observer has seen something.
  bool HasRanges();

  /// Parameters (and ranges, unless `scheme` is float32) to and from a checkpoint, in TFLite's layout.
  void Save(Checkpoint& checkpoint);
  Status Load(const Checkpoint& checkpoint);
  /// The layers whose parameters are in `checkpoint` by the same names and in the same shapes, with their ranges; the others
  /// stay as they are. Errors: kCorrupt where no layer fits, with the first reason.
  Expected<Inherited> Inherit(const Checkpoint& checkpoint);

  /// Name of the first layer that an observer found NaN or inf in; empty: none.
  std::string NonFiniteObserved() const;
  /// Name of the first layer with a parameter or an output that is not finite, by running `images`; empty:
  /// none.
  std::string FindNonFinite(const at::Tensor& images);

  /// "layer 'c' has grown most, its filter reaches 312": the parameter with the largest magnitude.
  std::string LargestParameter();

  /// One line a layer.
  std::string PrettyPrint() const;
  const NetworkSpec& spec() const { return spec_; }

 private:
  explicit Network(NetworkSpec spec) : spec_(std::move(spec)) {}
  void ShareRanges(Scheme scheme);
  void Load(const Checkpoint& checkpoint, Module& module);

  NetworkSpec spec_;
  std::shared_ptr<SharedRange> input_range_;
  bool round_input_ = false;
  std::vector<std::unique_ptr<Module>> modules_;
};

}  // namespace qat

#endif  // QAT_TRAIN_NETWORK_H_
