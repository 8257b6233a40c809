#include <algorithm>

#include "base/strings.h"
#include "passes/passes.h"

namespace qat {
namespace {

bool ChangesFormOnly(const GraphNode& node) {
  return node.type == OpType::kQuantize || node.type == OpType::kDequantize;
}

// A `quantize` node gives what it reads a range of its own, and a `dequantize` node has none: nothing to real
// values.
void RemoveRequantization(Graph& graph) {
  for (GraphNode& node : graph.nodes) {
    if (!ChangesFormOnly(node)) continue;
    const auto replace = [&](std::vector<int32_t>& indices) {
      std::replace(indices.begin(), indices.end(), node.output(), node.inputs[0]);
    };
    for (GraphNode& reader : graph.nodes) replace(reader.inputs);
    replace(graph.outputs);
  }
  std::erase_if(graph.nodes, ChangesFormOnly);
  RemoveUnusedTensors(graph);
}

Status ExpectUnquantized(const Graph& graph) {
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.quantization.has_value())
      return InvalidArgument(StrCat("tensor '", tensor.name, "' is quantized already"));
  }
  return {};
}

void MakeReal(Graph& graph, const QuantizationOptions& options, std::vector<std::string>& warnings) {
  if (options.input.has_value())
    warnings.push_back("input stats say nothing to a float32 model: they are ignored");
  if (options.default_range.has_value()) {
    warnings.push_back("a default range says nothing to a float32 model: it is ignored");
  }
  RemoveRequantization(graph);
}

}  // namespace

Status ChooseQuantization(Graph& graph, const QuantizationOptions& options,
                          std::vector<std::string>& warnings) {
  if (options.is_real()) {
    QAT_RETURN_IF_ERROR(ExpectUnquantized(graph));
    MakeReal(graph, options, warnings);
    return {};
  }
  QAT_ASSIGN_OR_RETURN(const QuantizationPlan plan, PlanQuantization(graph, options, warnings));
  ApplyPlan(plan, graph, warnings);
  return {};
}

Status LowerToReal(Graph& graph) {
  QAT_RETURN_IF_ERROR(ExpectUnquantized(graph));
  RemoveRequantization(graph);
  return {};
}

Expected<QuantizationPlan> PlanQuantization(const Graph& graph, const QuantizationOptions& options,
                                            std::vector<std::string>& warnings) {
  QAT_RETURN_IF_ERROR(ExpectUnquantized(graph));
  if (options.input.has_value()) {
    for (const InputContract& input : graph.contract.inputs) {
      const std::string contradiction = DescribeInputContradiction(input, *options.input);
      if (!contradiction.empty()) warnings.push_back(contradiction);
    }
  }
  // Ranges are no matter of the grid of filters: int16x8 has the one that int8 trains for.
  const std::optional<Precisions> trained = IntegersFromName(graph.scheme);
  const bool calibrated = graph.provenance.contains("calibration_sha256");
  if (trained && !calibrated && trained->filters != options.precisions.filters) {
    warnings.push_back(StrCat("the network is one of ", graph.scheme, " and is converted to ",
                              NameOf(options.precisions), ": its filters have not adapted to that grid"));
  }
  return MakePlan(graph, options, warnings);
}

}  // namespace qat
