#include "base/strings.h"
#include "contract/provenance.h"
#include "passes/passes.h"

namespace qat {
namespace {

/// Softmax and argmax choose among the scores of classes.
Status CheckScores(const Graph& graph, const GraphTensor& output, std::string_view suffix) {
  const int32_t scores = output.shape.empty() ? 1 : output.shape.back();
  const auto task = graph.provenance.find(kTaskKey);
  if (task != graph.provenance.end() && task->second == kTaskNumbers) {
    return InvalidArgument(StrCat(suffix, " cannot be appended: the network was trained for ",
                                  scores == 1 ? std::string("a real number") : StrCat(scores, " real numbers"),
                                  ", and output '", output.name,
                                  "' is the answer itself, not a score per class; leave `append` out"));
  }
  if (scores > 1) return {};
  return InvalidArgument(StrCat(suffix, " cannot be appended to output '", output.name, "' of shape ",
                                ToString(output.shape), ", expected a score per class, at least 2; with one score ",
                                suffix == "softmax" ? "softmax is always 1" : "argmax is always 0"));
}

/// Puts an operator after the graph's single output, which must be real values.
Status AppendToOutput(Graph& graph, OpType type, OpAttributes attributes, std::string_view suffix) {
  const OpDefinition& definition = DefinitionOf(type);
  if (graph.outputs.size() != 1) {
    return Unsupported(
        StrCat(suffix, " cannot be appended to a graph with ", graph.outputs.size(), " outputs"));
  }
  const int32_t output = graph.outputs[0];
  const GraphTensor& logits = graph.tensor(output);
  if (logits.type != DType::kFloat32) {
    return InvalidArgument(StrCat(suffix, " cannot be appended to output '", logits.name, "' of type ",
                                  NameOf(logits.type), ", expected float32"));
  }
  for (const GraphNode& node : graph.nodes) {
    if (node.type == type && node.output() == output) {
      return InvalidArgument(StrCat("the graph ends in ", suffix, " already (output '", logits.name, "')"));
    }
  }
  QAT_RETURN_IF_ERROR(CheckScores(graph, logits, suffix));
  const std::string name = StrCat(logits.name, "/", suffix);
  const Shape shape = logits.shape;
  std::vector<int32_t> inputs = {output};
  if (definition.index_operands != nullptr) {
    for (const IndexOperand& operand : definition.index_operands(attributes, shape)) {
      inputs.push_back(graph.AddConstant(StrCat(name, "/", operand.suffix), operand.shape, operand.values));
    }
  }
  QAT_ASSIGN_OR_RETURN(const int32_t appended,
                       graph.AddNode(type, name, std::move(attributes), std::move(inputs)));
  graph.outputs = {appended};
  return {};
}

}  // namespace

Status AppendSoftmax(Graph& graph) {
  return AppendToOutput(graph, OpType::kSoftmax, SoftmaxAttributes(), "softmax");
}

Status AppendArgMax(Graph& graph, DType output_type) {
  if (output_type != DType::kInt32 && output_type != DType::kInt64) {
    return InvalidArgument(StrCat("argmax type is ", NameOf(output_type), ", expected int32 or int64"));
  }
  return AppendToOutput(graph, OpType::kArgMax, ArgMaxAttributes{output_type}, "argmax");
}

}  // namespace qat
