// network.h: a trainable graph made of modules, run in the order of its nodes, in three modes.
#ifndef QAT_TRAIN_NETWORK_H_
#define QAT_TRAIN_NETWORK_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "ir/graph.h"
#include "train/constant_input.h"
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
  /// Freshly initialized; the input unknown until SetInput. Errors: kUnsupported, one list of all layers without a training
  /// form; for graphs of several inputs or outputs.
  static Expected<std::unique_ptr<Network>> Create(const Graph& graph, const ModuleOptions& options);
  /// With the parameters and ranges of a checkpoint. Errors: kCorrupt, naming the tensor.
  static Expected<std::unique_ptr<Network>> FromCheckpoint(const Checkpoint& checkpoint);

  /// Fixes scale and zero point of the input. Images whose raw bytes do not pass through are rounded to that grid too.
  void SetInput(const InputContract& contract);

  /// Real images [N, C, H, W] to real outputs; fake quantization as `context` says.
  at::Tensor Forward(const at::Tensor& images, const ForwardContext& context);
  /// Quantized images to quantized outputs, exact. Requires HasRanges.
  SimulatedTensor Simulate(const SimulatedTensor& images) const;

  /// The same, showing every layer's output in the order of the graph.
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
  const Graph& graph() const { return graph_; }
  /// The module whose output is the network's.
  Module& output_module() { return *layers_[output_layer_].module; }

 private:
  /// Where a value comes from: a tensor that is computed, or a constant.
  struct Source {
    int32_t tensor = 0;
    std::unique_ptr<ConstantInput> constant;
  };
  /// One output of a node.
  struct Layer {
    std::unique_ptr<Module> module;
    std::vector<Source> inputs;
    int32_t output = 0;  ///< tensor
  };

  explicit Network(Graph graph) : graph_(std::move(graph)) {}
  Status AddLayers(const ModuleOptions& options);
  Status AddLayer(const GraphNode& node, size_t output, const ModuleOptions& options);
  void ShareRanges(Scheme scheme);
  void Load(const Checkpoint& checkpoint, Module& module);
  template <class Value, class Run, class Constant>
  Value RunLayers(const Value& images, const Run& run, const Constant& constant) const;

  Graph graph_;
  std::shared_ptr<SharedRange> input_range_;
  bool round_input_ = false;
  std::vector<std::unique_ptr<RangeObserver>> tied_constants_;
  std::vector<Layer> layers_;
  size_t output_layer_ = 0;
};

}  // namespace qat

#endif  // QAT_TRAIN_NETWORK_H_
