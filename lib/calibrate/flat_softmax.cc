#include "calibrate/flat_softmax.h"

#include <algorithm>

#include "base/join_some.h"
#include "base/strings.h"
#include "plan/stays_real.h"
#include "quant/few_steps.h"

namespace qat {
FlatSoftmaxes::FlatSoftmaxes(const Graph& graph, const Precisions& precisions,
                             const std::set<std::string>& wide)
    : graph_(&graph) {
  if (precisions.activations.bits != 8) return;
  const std::vector<bool> real = StaysReal(graph);
  for (const GraphNode& node : graph.nodes) {
    if (node.type != OpType::kSoftmax || ComputesReals(node, real) || wide.contains(node.name)) continue;
    watched_.push_back({node.outputs[0], node.name});
  }
}

void FlatSoftmaxes::Observe(const FloatRun& run) {
  const float few = kFewSteps * DefinitionOf(OpType::kSoftmax).fixed_uint8.scale;
  for (Watched& softmax : watched_) {
    const std::span<const float> values = run.Values(softmax.output);
    const auto places = static_cast<size_t>(graph_->tensor(softmax.output).shape.back());
    for (size_t at = 0; at + places <= values.size(); at += places) {
      const std::span<const float> row = values.subspan(at, places);
      ++softmax.rows;
      softmax.flat_rows += *std::max_element(row.begin(), row.end()) < few;
    }
  }
}

std::string FlatSoftmaxes::Describe() const {
  std::vector<std::string> names;
  int32_t places = 0;
  for (const Watched& softmax : watched_) {
    if (2 * softmax.flat_rows <= softmax.rows) continue;
    names.push_back(softmax.name);
    places = std::max(places, graph_->tensor(softmax.output).shape.back());
  }
  if (names.empty()) return "";
  const std::string layers = Join(names, "|");
  return StrCat("softmax ", JoinSome(names, 6), " over ", names.size() == 1 ? "" : "up to ", places,
                " places: the largest value of most rows is below ", kFewSteps,
                " steps, which are fixed at 1/256; keep ", names.size() == 1 ? "it" : "them",
                " in float (`keep_float` '", layers, "'), or give ", names.size() == 1 ? "it" : "them",
                " 16-bit activations (`int16` '", layers, "', with `type` int8)");
}

}  // namespace qat
