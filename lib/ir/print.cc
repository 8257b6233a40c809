#include <algorithm>

#include "base/printable.h"
#include "base/strings.h"
#include "ir/graph.h"

namespace qat {
namespace {

using Row = std::vector<std::string>;

/// Columns as wide as their widest cell, two spaces between; no spaces at the ends of lines.
std::string Aligned(std::vector<Row> rows) {
  std::vector<size_t> widths;
  for (Row& row : rows) {
    for (std::string& cell : row) cell = Printable(cell);
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line = "  ";
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
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
    if (!graph.tensor(index).is_constant()) names.push_back(graph.tensor(index).name);
  }
  return Join(names);
}

}  // namespace

std::string Print(const Graph& graph) {
  std::string text = StrCat("graph ", Printable(graph.name), ", scheme ", Printable(graph.scheme), "\n\ninputs\n");
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
                    Describe(node.attributes)});
    // Further outputs of the same node: a line each, with nothing but what is theirs.
    for (size_t i = 1; i < node.outputs.size(); ++i) {
      const GraphTensor& further = graph.tensor(node.outputs[i]);
      rows.push_back({StrCat("  ", further.name), "", "", TypeOf(further), NumbersOf(further)});
    }
  }
  text += Aligned(rows) + "\nconstants\n";
  rows.clear();
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.is_constant()) rows.push_back({tensor.name, TypeOf(tensor), NumbersOf(tensor)});
  }
  text += Aligned(rows) + "\noutputs\n";
  rows.clear();
  for (int32_t index : graph.outputs) rows.push_back({graph.tensor(index).name, TypeOf(graph.tensor(index))});
  text += Aligned(rows) + StrCat("\ninput contract: ", Describe(graph.contract), "\n");
  for (const auto& [name, value] : graph.provenance) text += StrCat(Printable(name), ": ", Printable(value), "\n");
  return text;
}

}  // namespace qat
