#include "calibrate/channel_reach.h"

#include <algorithm>

namespace qat {

Expected<ChannelReach> FindChannelReach(const Graph& graph, const Dataset& dataset,
                                        const ChosenExamples& chosen, const WorkHooks& hooks) {
  ChannelReach reach;
  const std::vector<int32_t> layers = ClippedLayers(graph);
  if (layers.empty()) return reach;
  QAT_ASSIGN_OR_RETURN(FloatRun run, FloatRun::Create(graph));
  const auto widen = [&](int64_t) -> Status {
    for (const int32_t layer : layers) {
      const GraphNode& node = graph.nodes[static_cast<size_t>(layer)];
      std::vector<float>& largest = reach[node.name];
      largest.resize(static_cast<size_t>(graph.tensor(node.output()).shape.back()));
      const std::span<const float> values = run.Values(node.output());
      for (size_t i = 0; i < values.size(); ++i)
        largest[i % largest.size()] = std::max(largest[i % largest.size()], values[i]);
    }
    return {};
  };
  QAT_RETURN_IF_ERROR(run.ForEach(dataset, chosen, hooks, widen));
  return reach;
}

}  // namespace qat
