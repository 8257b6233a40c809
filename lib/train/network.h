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
#include "ir/output_source.h"
#include "train/constant_input.h"
#include "train/modules/module.h"

namespace qat {

/// What became of the layers with parameters of a network that started from another one's checkpoint.
struct Inherited {
  int64_t kept = 0;
  std::vector<bool> outputs;       ///< of each output: its last layer was kept
  std::vector<std::string> fresh;  ///< "logits (filter is [10, 84] there, [4, 84] here)"
};

class Network {
 public:
  /// Freshly initialized; the inputs unknown until SetInputs. Errors: kUnsupported, one list of all layers
  /// without a training form.
  static Expected<std::unique_ptr<Network>> Create(const Graph& graph, const ModuleOptions& options);
  /// With the parameters and ranges of a checkpoint. Errors: kCorrupt, naming the tensor.
  static Expected<std::unique_ptr<Network>> FromCheckpoint(const Checkpoint& checkpoint);

  /// Fixes scale and zero point of each input. Values whose raw bytes do not pass through are rounded to that
  /// grid too.
  /// Requires  a contract of the graph's inputs.
  void SetInputs(const Contract& contract);

  /// Real inputs of N examples, rank 4 as [N, C, H, W], to real outputs, both in the order of the graph; fake
  /// quantization as `context` says.
  std::vector<at::Tensor> Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context);
  /// Quantized inputs to quantized outputs, exact. Requires HasRanges.
  std::vector<SimulatedTensor> Simulate(const std::vector<SimulatedTensor>& inputs) const;

  /// The same, showing every layer's output in the order of the graph.
  using VisitReal = std::function<void(const Module& layer, const at::Tensor& output)>;
  using VisitSimulated = std::function<void(const Module& layer, const SimulatedTensor& output)>;
  std::vector<at::Tensor> Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context,
                                  const VisitReal& visit);
  std::vector<SimulatedTensor> Simulate(const std::vector<SimulatedTensor>& inputs,
                                        const VisitSimulated& visit) const;

  /// Each once, whoever else reads it.
  std::vector<Parameter> parameters();
  std::vector<NamedObserver> observers();
  /// Those of the layers with batch normalization.
  std::vector<NamedStatistics> batch_norms();
  /// Scale of a quantized output; 0 where the network is not quantized or no range is ready.
  float OutputScale(size_t output = 0) const;
  /// The values of an output are probabilities, each by itself.
  bool EndsInSigmoid(size_t output = 0) const { return qat::EndsInSigmoid(graph_, output); }
  /// Every observer has seen something.
  bool HasRanges();

  /// Parameters (and ranges, unless `scheme` is float32) to and from a checkpoint, in TFLite's layout.
  void Save(Checkpoint& checkpoint);
  Status Load(const Checkpoint& checkpoint);
  /// The layers whose parameters are in `checkpoint` by the same names and in the same shapes, with their
  /// ranges (learned ones under the same scheme); the others stay as they are. Errors: kCorrupt where no
  /// layer fits, with the first reason.
  Expected<Inherited> Inherit(const Checkpoint& checkpoint);
  /// Holds the layers with parameters whose names the regular expression describes from beginning to end
  /// (Module::Hold); their names. Errors: kInvalidArgument, where there are none, or no other layer learns.
  Expected<std::vector<std::string>> Hold(const std::string& expression);

  /// Name of the first layer that an observer found NaN or inf in; empty: none.
  std::string NonFiniteObserved() const;
  /// Name of the first layer with a parameter or an output that is not finite, by running `inputs`; empty:
  /// none.
  std::string FindNonFinite(const std::vector<at::Tensor>& inputs);

  /// "layer 'c' has grown most, its filter reaches 312": the parameter with the largest magnitude.
  std::string LargestParameter();

  /// One line a layer.
  std::string PrettyPrint() const;
  const Graph& graph() const { return graph_; }
  /// The module that makes an output of the network.
  Module& output_module(size_t output = 0) { return *layers_[output_layers_[output]].module; }

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

  Network(Graph graph, const Precisions& precisions) : graph_(std::move(graph)), precisions_(precisions) {}
  Status AddLayers(const ModuleOptions& options);
  Status AddLayer(const GraphNode& node, size_t output, const ModuleOptions& options);
  Status ShareParameters();
  void ShareRanges(const ModuleOptions& options);
  std::vector<Parameter> LayerParameters();
  void Load(const Checkpoint& checkpoint, Module& module);
  template <class Value, class Run, class Constant>
  std::vector<Value> RunLayers(const std::vector<Value>& inputs, const Run& run,
                               const Constant& constant) const;

  void LoadRange(const Checkpoint& checkpoint, const Parameter& range) const;

  Graph graph_;
  Precisions precisions_;
  std::vector<std::shared_ptr<SharedRange>> input_ranges_;
  std::vector<bool> round_inputs_;
  std::vector<std::shared_ptr<LearnedEnds>> learned_ends_;
  std::vector<Layer> layers_;
  std::vector<size_t> output_layers_;
};

}  // namespace qat

#endif  // QAT_TRAIN_NETWORK_H_
