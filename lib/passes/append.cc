#include "base/strings.h"
#include "contract/provenance.h"
#include "passes/passes.h"

namespace qat {
namespace {

constexpr std::string_view kSigmoid = "sigmoid";

std::string ScoresText(int32_t scores) {
  return scores == 1 ? std::string("one score") : StrCat(scores, " scores");
}

/// Of several outputs each has its own in the contract.
Task TaskOf(const Graph& graph, size_t index) {
  if (graph.outputs.size() > 1)
    return index < graph.contract.outputs.size() ? graph.contract.outputs[index].task : Task::kUnknown;
  const auto found = graph.provenance.find(kTaskKey);
  return found == graph.provenance.end() ? Task::kUnknown
                                         : TaskFromName(found->second).value_or(Task::kUnknown);
}

/// Softmax and argmax choose among the scores of classes, a sigmoid judges each score by itself.
Status CheckScores(const Graph& graph, size_t index, std::string_view suffix) {
  const GraphTensor& output = graph.tensor(graph.outputs[index]);
  const int32_t scores = output.shape.empty() ? 1 : output.shape.back();
  const Task task = TaskOf(graph, index);
  const bool chooses = suffix != kSigmoid;
  if (IsOfNumbers(task)) {
    return InvalidArgument(StrCat(suffix, " cannot be appended: the network was trained for ",
                                  task == Task::kReconstruction ? "its input"
                                  : scores == 1                 ? std::string("a real number")
                                                                : StrCat(scores, " real numbers"),
                                  ", and output '", output.name,
                                  "' is the answer itself, not a score per class; leave `append` out"));
  }
  if (IsOfYesNo(task) && chooses) {
    return InvalidArgument(StrCat(suffix, " cannot be appended: the network was trained for ", NameOf(task),
                                  ", ", ScoresText(scores), " that ", scores == 1 ? "is" : "are each",
                                  " judged by itself; give `append` sigmoid, which makes "
                                  "probabilities of them"));
  }
  if (task == Task::kClasses && !chooses) {
    return InvalidArgument(
        StrCat(suffix, " cannot be appended: the network was trained for one of ", scores,
               " classes; give `append` softmax, which makes probabilities of the scores, or argmax"));
  }
  if (scores > 1 || !chooses) return {};
  return InvalidArgument(StrCat(suffix, " cannot be appended to output '", output.name, "' of shape ",
                                ToString(output.shape),
                                ", expected a score per class, at least 2; with one score ",
                                suffix == "softmax" ? "softmax is always 1" : "argmax is always 0",
                                "; sigmoid makes a probability of it"));
}

/// Puts an operator after an output, which must be real values.
Status AppendToOutput(Graph& graph, size_t index, OpType type, OpAttributes attributes,
                      std::string_view suffix) {
  const OpDefinition& definition = DefinitionOf(type);
  const int32_t output = graph.outputs.at(index);
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
  QAT_RETURN_IF_ERROR(CheckScores(graph, index, suffix));
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
  graph.outputs[index] = appended;
  return {};
}

}  // namespace

Status AppendSigmoid(Graph& graph, size_t index) {
  return AppendToOutput(graph, index, OpType::kLogistic, {}, kSigmoid);
}

Status AppendSoftmax(Graph& graph, size_t index) {
  return AppendToOutput(graph, index, OpType::kSoftmax, SoftmaxAttributes(), "softmax");
}

Status AppendArgMax(Graph& graph, DType output_type, size_t index) {
  if (output_type != DType::kInt32 && output_type != DType::kInt64) {
    return InvalidArgument(StrCat("argmax type is ", NameOf(output_type), ", expected int32 or int64"));
  }
  return AppendToOutput(graph, index, OpType::kArgMax, ArgMaxAttributes{output_type}, "argmax");
}

}  // namespace qat
