// The table of layers that is shown before any training hour is spent.
#include <algorithm>
#include <array>
#include <set>

#include "base/join_some.h"
#include "base/printable.h"
#include "base/strings.h"
#include "ir/graph.h"
#include "ir/range_groups.h"

namespace qat {
namespace {

constexpr size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

/// Names of imported models join those of all layers that were fused, and would make every row as wide: both
/// ends are kept.
std::string ShortName(const std::string& name) {
  constexpr size_t kWidest = 48, kEnd = 22;
  if (name.size() <= kWidest) return Printable(name);
  return StrCat(Printable(name.substr(0, kEnd)), "...", Printable(name.substr(name.size() - kEnd)));
}

// "own range", "as conv1", "one range with conv1, conv2": what the output is quantized with.
std::string QuantizationText(const Graph& graph, const RangeGroups& groups, const OpDefinition& op,
                             int32_t output) {
  if (op.output_quantization == OutputQuantization::kNone) return "indices";
  if (op.builtin_code < 0) return "removed by freezing";
  const RangeGroup& group = groups.Of(output);
  if (group.holds_input) return "as the input";
  if (group.fixed_uint8) {
    return StrCat("fixed, scale ", group.fixed_uint8->scale, ", zero point ", group.fixed_uint8->zero_point,
                  " of uint8");
  }
  std::vector<std::string> others;
  for (const int32_t each : group.observed) {
    if (each != output) others.push_back(ShortName(graph.tensor(each).name));
  }
  if (others.empty()) return "own range";
  const bool own = others.size() < group.observed.size();
  constexpr size_t kShown = 6;  // the steps of a recurrent layer are hundreds
  return StrCat(own || others.size() > 1 ? "one range with " : "as ", JoinSome(others, kShown));
}

/// What layers share counts with the first of them; `counted` holds those so far.
int64_t ParameterCount(const Graph& graph, const GraphNode& node, std::set<int32_t>& counted) {
  int64_t count = 0;
  for (const int32_t tensor : TrainedTensorsOf(graph, node)) {
    if (counted.insert(tensor).second) count += FlatSize(graph.tensor(tensor).shape);
  }
  return count;
}

std::string OperatorText(const GraphNode& node) {
  std::string text = Describe(node.attributes);
  if (node.batch_norm) text += text.empty() ? "batch norm" : ", batch norm";
  return text.empty() ? std::string(node.definition().name) : StrCat(node.definition().name, " (", text, ")");
}

void AppendRows(const std::vector<Row>& rows, std::string& out) {
  std::array<size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (size_t c = 0; c < kColumns; ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  for (const Row& row : rows) {
    std::string line;
    for (size_t c = 0; c < kColumns; ++c) {
      const std::string gap(widths[c] - row[c].size(), ' ');
      const bool number = c == 3 || c == 4;
      line += number ? gap + row[c] : row[c] + gap;
      line += c + 1 < kColumns ? "  " : "";
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
}

}  // namespace

std::string PrintNetwork(const Graph& graph) {
  const RangeGroups groups = FindRangeGroups(graph);
  std::vector<Row> rows = {{"layer", "operator", "output", "parameters", "MACs", "quantized with"}};
  for (const int32_t input : graph.inputs)
    rows.push_back({ShortName(graph.tensor(input).name), "", ToString(graph.tensor(input).shape), "", "",
                    "the input contract"});
  std::set<int32_t> counted;
  int64_t parameters = 0;
  int64_t multiply_accumulates = 0;
  for (const GraphNode& node : graph.nodes) {
    // A node with several outputs has a row for each.
    for (const int32_t output : node.outputs) {
      const bool first = output == node.outputs[0];
      const int64_t own = first ? ParameterCount(graph, node, counted) : 0,
                    macs = first ? MultiplyAccumulates(graph, node) : 0;
      std::string name = graph.tensor(output).name;
      if (!node.fused.empty()) name += StrCat(" (+ ", Join(node.fused), ")");
      rows.push_back({ShortName(name), OperatorText(node), ToString(graph.tensor(output).shape), StrCat(own),
                      StrCat(macs), QuantizationText(graph, groups, node.definition(), output)});
      parameters += own;
      multiply_accumulates += macs;
    }
  }
  rows.push_back({"total", "", "", StrCat(parameters), StrCat(multiply_accumulates), ""});
  std::string out = StrCat("network ", Printable(graph.name), "\n");
  AppendRows(rows, out);
  return out;
}

}  // namespace qat
