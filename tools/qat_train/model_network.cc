#include "model_network.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/file.h"
#include "base/join_some.h"
#include "base/log.h"
#include "base/strings.h"
#include "checkpoint/make_trainable.h"
#include "checkpoint/new_head.h"
#include "import/read_network.h"
#include "ir/batch_axis.h"
#include "passes/passes.h"
#include "train/train_job.h"

namespace qat {
namespace {

// e^-64 is 0 beside scores up to 50 apart, and int8 has steps of a third
constexpr float kHiddenInTraining = -64;

// Sizes of layers follow keys of a spec; a model has them as they are.
Status RefuseScaling(const TrainConfig& config) {
  const std::pair<const char*, bool> given[] = {{"--width", config.width != 0},
                                                {"--resolution", config.resolution != 0}};
  for (const auto& [flag, is_given] : given) {
    if (is_given)
      return InvalidArgument(StrCat(flag, ": changes a network spec, but ", config.network,
                                    " is a model, whose layers are as they are"));
  }
  return {};
}

/// What a byte means, where flags say it; else the model does.
ReadNetworkOptions OptionsOf(const Asked& asked) {
  ReadNetworkOptions options;
  const auto take = [&](const char* key, const ChannelNumbers& numbers, std::vector<float>& all,
                        std::map<std::string, std::vector<float>>& by_name) {
    if (!asked.given.contains(key)) return;
    if (numbers.of.empty()) all.assign(numbers.values.begin(), numbers.values.end());
    for (const auto& [input, own] : numbers.of) by_name[input].assign(own.begin(), own.end());
  };
  take("mean", asked.config.mean, options.mean, options.mean_of);
  take("std", asked.config.std, options.std, options.std_of);
  return options;
}

bool IsRead(const Graph& graph, int32_t tensor) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& node) {
    return std::find(node.inputs.begin(), node.inputs.end(), tensor) != node.inputs.end();
  });
}

void LeaveOutSoftmax(Graph& graph) {
  for (int32_t& output : graph.outputs) {
    const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& each) {
      return each.type == OpType::kSoftmax && each.output() == output;
    });
    if (node == graph.nodes.end() || IsRead(graph, output)) continue;
    const bool several = graph.outputs.size() > 1;
    // Labels and flags name it.
    if (several) std::swap(graph.tensor(output).name, graph.tensor(node->inputs[0]).name);
    output = node->inputs[0];
    LogInfo(StrCat("--network: softmax '", node->name,
                   "' at the end is left out, since the loss contains it; qat-convert --append ",
                   several ? StrCat(graph.tensor(output).name, "=") : "", "softmax puts it back"));
    graph.nodes.erase(node);
  }
  RemoveUnusedTensors(graph);
}

}  // namespace

Expected<std::optional<Checkpoint>> ReadModelNetwork(const Asked& asked, const TrainFlags& flags) {
  const TrainConfig& config = asked.config;
  if (!NamesModel(config)) {
    if (!flags.input_shapes.empty())
      return InvalidArgument("--input-shape: expected --network with a model (.onnx)");
    if (flags.reinitialize)
      return InvalidArgument("--reinitialize: expected --network with a model (.onnx, .tflite)");
    return std::optional<Checkpoint>();
  }
  QAT_RETURN_IF_ERROR(RefuseScaling(config));
  std::vector<std::string> notes;
  ReadNetworkOptions options = OptionsOf(asked);
  QAT_ASSIGN_OR_RETURN(options.input_shapes, ParseInputShapes(flags.input_shapes));
  QAT_ASSIGN_OR_RETURN_IN("--network", ReadNetworkResult read, ReadNetwork(config.network, options, notes));
  for (const std::string& note : notes) LogInfo(StrCat("--network: ", note));
  LeaveOutSoftmax(read.graph);
  const std::vector<std::string> masked = LimitMasks(read.graph, kHiddenInTraining);
  if (!masked.empty())
    LogInfo(StrCat("--network: masks before softmax hide by ", -kHiddenInTraining,
                   ", so that scores keep steps when they are quantized: ", JoinSome(masked, 6)));
  if (KeepBatchFirst(read.graph))
    LogInfo(
        "--network: values that had no axis for the examples of a batch, as heads of attention, have one "
        "now");
  QAT_ASSIGN_OR_RETURN_IN("--network", Checkpoint start, MakeTrainable(read.graph, read.batch_norms));
  if (config.classes != 0) {
    const Graph before = start.network;
    QAT_RETURN_IF_ERROR_IN("--classes", GiveOutputs(start.network, config.classes));
    if (start.network == before)
      LogInfo(StrCat("--classes: the network has ", config.classes,
                     " outputs already, so its last layer starts from its weights, too"));
  }
  return std::optional(std::move(start));
}

}  // namespace qat
