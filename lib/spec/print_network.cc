// The table of layers that --print-network shows before any training hour is spent, and the table of operators.
#include <algorithm>
#include <array>

#include "base/printable.h"
#include "base/strings.h"
#include "ops/integer_kernels.h"
#include "spec/network_spec.h"
#include "spec/range_groups.h"

namespace qat {
namespace {

constexpr size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

// "own range", "as conv1", "one range with conv1, conv2": what the output is quantized with.
std::string QuantizationText(const NetworkSpec& spec, const RangeGroups& groups, int32_t index) {
  const OpDefinition& op = spec.layers[static_cast<size_t>(index)].definition();
  if (op.output_quantization == OutputQuantization::kNone) return "indices";
  if (op.builtin_code < 0) return "removed by freezing";
  const RangeGroup& group = groups.Of(index);
  if (group.holds_input) return "as the input";
  if (group.fixed_uint8) {
    return StrCat("fixed, scale ", group.fixed_uint8->scale, ", zero point ", group.fixed_uint8->zero_point,
                  " of uint8");
  }
  std::vector<std::string> others;
  for (const int32_t layer : group.observed) {
    if (layer != index) others.push_back(spec.layers[static_cast<size_t>(layer)].name);
  }
  if (others.empty()) return "own range";
  const bool own = others.size() < group.observed.size();
  return StrCat(own || others.size() > 1 ? "one range with " : "as ", Join(others));
}

int64_t ParameterCount(const LayerSpec& layer) {
  int64_t count = 0;
  for (const ParameterSpec& parameter : TrainedParameters(layer)) count += FlatSize(parameter.shape);
  return count;
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

std::string PrintNetwork(const NetworkSpec& spec) {
  const RangeGroups groups = FindRangeGroups(spec);
  std::vector<Row> rows = {{"layer", "operator", "output", "parameters", "MACs", "quantized with"},
                           {"input", "", ToString(spec.input_shape), "", "", "the input contract"}};
  int64_t parameters = 0;
  int64_t multiply_accumulates = 0;
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const LayerSpec& layer = spec.layers[i];
    std::string op(layer.definition().name);
    std::string text = Describe(layer.attributes);
    if (layer.batch_norm) text += text.empty() ? "batch norm" : ", batch norm";
    if (!text.empty()) op += StrCat(" (", text, ")");
    const std::string name =
        layer.fused.empty() ? layer.name : StrCat(layer.name, " (+ ", Join(layer.fused), ")");
    rows.push_back({name, op, ToString(layer.output_shape), StrCat(ParameterCount(layer)),
                    StrCat(layer.multiply_accumulates),
                    QuantizationText(spec, groups, static_cast<int32_t>(i))});
    parameters += ParameterCount(layer);
    multiply_accumulates += layer.multiply_accumulates;
  }
  rows.push_back({"total", "", "", StrCat(parameters), StrCat(multiply_accumulates), ""});
  std::string out = StrCat("network ", Printable(spec.name), "\n");
  AppendRows(rows, out);
  return out;
}

namespace {

// " (int8, float32)": the schemes of an operator that has not all of them.
std::string SchemesText(const OpDefinition& op) {
  std::vector<std::string> schemes;
  for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8, Scheme::kFloat32}) {
    if (RunsUnder(op.type, scheme)) schemes.emplace_back(NameOf(scheme));
  }
  return schemes.size() == 3 ? "" : StrCat(" (", Join(schemes), ")");
}

}  // namespace

std::string OperatorTableMarkdown() {
  std::string out = "| op | what it does | key | value | default |\n| --- | --- | --- | --- | --- |\n";
  for (const OpDefinition* op : AllOps()) {
    if (!IsInSpecs(op->type)) continue;
    std::string name = StrCat("`", op->name, "`");
    std::string summary = StrCat(op->summary, SchemesText(*op));
    if (op->keys.empty()) out += StrCat("| ", name, " | ", summary, " | | | |\n");
    for (const AttributeKey& key : op->keys) {
      const std::string shown = key.default_value.empty() ? "required" : StrCat("`", key.default_value, "`");
      out += StrCat("| ", name, " | ", summary, " | `", key.name, "` | ", key.expected, " | ", shown, " |\n");
      name.clear();
      summary.clear();
    }
  }
  return out;
}

}  // namespace qat
