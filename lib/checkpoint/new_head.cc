#include "checkpoint/new_head.h"

#include <algorithm>

#include "base/strings.h"
#include "ir/output_source.h"

namespace qat {
namespace {

constexpr char kWayOut[] = "; export the network with a last layer of as many units as there are classes";

// Times so many units, to the nearest.
int32_t Scaled(int32_t fan, int32_t before, int32_t now) {
  return std::max(static_cast<int32_t>((int64_t{fan} * now + before / 2) / before), 1);
}

}  // namespace

Status GiveOutputs(Graph& network, int32_t outputs) {
  if (network.outputs.size() != 1)
    return Unsupported(StrCat("the network has ", network.outputs.size(), " outputs, expected one", kWayOut));
  GraphNode* const last = ProducerOf(network, network.outputs[0]);
  const std::string name = last == nullptr ? "" : last->name;
  const bool has_units =
      last != nullptr && (last->type == OpType::kFullyConnected || last->type == OpType::kConv2D);
  if (!has_units)
    return Unsupported(StrCat("the network ends in '", name, "' (",
                              last == nullptr ? std::string_view("input") : last->definition().name,
                              "), expected a fully_connected or a conv_2d", kWayOut));
  const int32_t before = network.tensor(last->output()).shape.back();
  if (before == outputs) return {};
  const int32_t filter = last->InputAt(last->definition().filter_input),
                bias = last->InputAt(last->definition().bias_input);
  const auto is_own = [&](int32_t tensor) {
    const auto readers =
        std::count_if(network.nodes.begin(), network.nodes.end(), [&](const GraphNode& node) {
          return std::find(node.inputs.begin(), node.inputs.end(), tensor) != node.inputs.end();
        });
    return tensor < 0 || (network.tensor(tensor).trained && readers == 1);
  };
  const bool own = is_own(filter) && is_own(bias);
  if (last->batch_norm || !own)
    return Unsupported(StrCat("the last layer '", name, "' ",
                              last->batch_norm ? "has a batch normalization" : "shares its filter or bias",
                              ", expected parameters of its own", kWayOut));
  GraphTensor& weights = network.tensor(filter);
  weights.shape[0] = outputs;
  weights.trained->fan_out = Scaled(weights.trained->fan_out, before, outputs);
  if (bias >= 0) network.tensor(bias).shape = {outputs};
  network.tensor(last->output()).shape.back() = outputs;
  return Verify(network);
}

}  // namespace qat
