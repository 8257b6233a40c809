#include <algorithm>

#include "base/columns.h"
#include "base/printable.h"
#include "base/strings.h"
#include "contract/provenance.h"
#include "ir/graph.h"

namespace qat {
namespace {

using Row = std::vector<std::string>;

std::string Aligned(std::vector<Row> rows) {
  for (Row& row : rows)
    std::transform(row.begin(), row.end(), row.begin(),
                   [](const std::string& cell) { return Printable(cell); });
  return AlignColumns(rows, {}, "  ");
}

/// "scale 0.0125, zero point 3", else "range [0, 3.2]", else nothing.
std::string NumbersOf(const GraphTensor& tensor) {
  if (tensor.quantization.has_value()) {
    const TensorQuantization& q = *tensor.quantization;
    if (q.scale.size() == 1) return StrCat("scale ", q.scale[0], ", zero point ", q.zero_point[0]);
    return StrCat(q.scale.size(), " scales along dimension ", q.dimension);
  }
  if (!tensor.has_range) return "";
  return StrCat("range [", tensor.range.min, ", ", tensor.range.max, "]");
}

std::string TypeOf(const GraphTensor& tensor) {
  return StrCat(NameOf(tensor.type), " ", ToString(tensor.shape));
}

std::string InputNames(const Graph& graph, const GraphNode& node) {
  std::vector<std::string> names;
  for (int32_t index : node.inputs) {
    const GraphTensor& tensor = graph.tensor(index);
    if (!tensor.is_constant() && !tensor.trained) names.push_back(tensor.name);
  }
  return Join(names);
}

std::string AttributesText(const GraphNode& node) {
  std::string text = Describe(node.attributes);
  if (!node.batch_norm) return text;
  return StrCat(text, text.empty() ? "" : ", ", "batch norm with epsilon ", node.batch_norm->epsilon,
                ", momentum ", node.batch_norm->momentum);
}

// "he_normal", "0.25": how a tensor starts.
std::string StartText(const Initializer& start) {
  switch (start.kind) {
    case Initializer::Kind::kHeNormal:
      return "he_normal";
    case Initializer::Kind::kGlorotUniform:
      return "glorot_uniform";
    case Initializer::Kind::kTruncatedNormal:
      return StrCat("truncated_normal ", start.stddev);
    case Initializer::Kind::kOnes:
      return "1";
    case Initializer::Kind::kConstant:
      return StrCat(start.value);
  }
  return "";
}

std::string TrainedText(const Graph& graph) {
  std::vector<Row> rows;
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.trained)
      rows.push_back(
          {tensor.name, TypeOf(tensor), StrCat("starts with ", StartText(tensor.trained->initializer))});
  }
  return rows.empty() ? "" : StrCat("\ntrained\n", Aligned(rows));
}

}  // namespace

std::string Print(const Graph& graph) {
  const bool frozen = graph.form == GraphForm::kFrozen;
  const std::string form = frozen ? StrCat("scheme ", Printable(graph.scheme)) : "to be trained";
  std::string text = StrCat("graph ", Printable(graph.name), ", ", form, "\n\ninputs\n");
  std::vector<Row> rows;
  for (int32_t index : graph.inputs) {
    rows.push_back({graph.tensor(index).name, TypeOf(graph.tensor(index)), NumbersOf(graph.tensor(index))});
  }
  text += Aligned(rows) + "\nnodes\n";
  rows.clear();
  for (const GraphNode& node : graph.nodes) {
    const GraphTensor& output = graph.tensor(node.outputs[0]);
    rows.push_back({node.name, std::string(DefinitionOf(node.type).name),
                    StrCat("<- ", InputNames(graph, node)), TypeOf(output), NumbersOf(output),
                    AttributesText(node)});
    // Further outputs of the same node: a line each, with nothing but what is theirs.
    for (size_t i = 1; i < node.outputs.size(); ++i) {
      const GraphTensor& further = graph.tensor(node.outputs[i]);
      rows.push_back({StrCat("  ", further.name), "", "", TypeOf(further), NumbersOf(further)});
    }
  }
  text += Aligned(rows) + TrainedText(graph) + "\nconstants\n";
  rows.clear();
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.is_constant()) rows.push_back({tensor.name, TypeOf(tensor), NumbersOf(tensor)});
  }
  text += Aligned(rows) + "\noutputs\n";
  rows.clear();
  for (int32_t index : graph.outputs) rows.push_back({graph.tensor(index).name, TypeOf(graph.tensor(index))});
  text += Aligned(rows);
  if (frozen) text += StrCat("\ninput contract: ", Describe(graph.contract), "\n");
  for (const auto& [name, value] : graph.provenance) {
    if (name != kSourceTextKey) text += StrCat(Printable(name), ": ", Printable(value), "\n");
  }
  return text;
}

}  // namespace qat
