#include <algorithm>
#include <array>

#include "base/columns.h"
#include "base/hash.h"
#include "base/strings.h"
#include "inspect/print.h"
#include "report/text_format.h"

namespace qat {
namespace {

using Row = std::vector<std::string>;

// A name of a megabyte would make every row as long.
std::string Shortened(const std::string& text) {
  constexpr size_t kLongest = 160;
  if (text.size() <= kLongest) return text;
  size_t end = kLongest;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xc0) == 0x80) --end;  // not within a letter
  return text.substr(0, end) + "…";
}

// Columns as wide as their widest cell; those of `right` end flush.
std::string TableText(std::vector<Row> rows, std::initializer_list<size_t> right) {
  for (Row& row : rows) std::transform(row.begin(), row.end(), row.begin(), Shortened);
  return AlignColumns(rows, right);
}

std::string ShapeText(const InspectedTensor& tensor) {
  return StrCat(ToString(tensor.shape), tensor.open ? "*" : "");
}

std::string Described(const InspectedTensor& tensor) {
  const std::string quantization = tensor.scale.empty() ? "" : StrCat(", ", QuantizationText(tensor));
  return StrCat(tensor.name, " ", tensor.type, " ", ShapeText(tensor), quantization);
}

void AddLine(std::string& text, std::string_view head, std::string_view body) {
  constexpr size_t kWidth = 12;
  text += std::string(head) + std::string(head.size() < kWidth ? kWidth - head.size() : 1, ' ') +
          std::string(body) + "\n";
}

std::string KindText(const Inspection& inspection) {
  if (inspection.kind == "model") return "a .tflite model";
  if (inspection.kind == "onnx") return "an ONNX model";
  if (inspection.kind == "graph") return "a frozen graph";
  return inspection.kind == "checkpoint" ? "a checkpoint" : "weights";
}

std::string OperatorsText(const InspectionTotals& totals, size_t count) {
  std::vector<std::pair<std::string, int64_t>> kinds(totals.operators.begin(), totals.operators.end());
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> texts;
  for (const auto& [name, number] : kinds) texts.push_back(StrCat(number, " ", name));
  std::string text = StrCat(count, texts.empty() ? "" : StrCat(" (", Join(texts), ")"));
  if (totals.multiply_accumulates > 0)
    text += StrCat(", ", Grouped(totals.multiply_accumulates), " multiply-accumulates");
  return text;
}

std::string Summary(const Inspection& inspection) {
  const InspectionTotals totals = TotalsOf(inspection);
  std::string text = StrCat(inspection.path, ": ", KindText(inspection), ", ", Grouped(inspection.file_bytes),
                            " bytes, sha256 ", inspection.sha256, "\n");
  for (const auto& [key, value] : inspection.facts) AddLine(text, key, value);
  if (!inspection.made_by.empty()) AddLine(text, "made by", inspection.made_by);
  for (const int32_t index : inspection.inputs) AddLine(text, "input", Described(inspection.tensor(index)));
  for (const int32_t index : inspection.outputs) AddLine(text, "output", Described(inspection.tensor(index)));
  if (!inspection.operators.empty())
    AddLine(text, "operators", OperatorsText(totals, inspection.operators.size()));
  AddLine(text, "tensors",
          StrCat(inspection.tensors.size(), ", ", totals.constants, " of them constant with ",
                 Grouped(totals.constant_bytes), " bytes, ", Grouped(totals.parameters), " parameters"));
  for (const std::string& contract : inspection.contract) AddLine(text, "contract", contract);
  if (!inspection.labels.empty()) {
    constexpr size_t kShown = 10;
    std::vector<std::string> shown(
        inspection.labels.begin(),
        inspection.labels.begin() + static_cast<ptrdiff_t>(std::min(kShown, inspection.labels.size())));
    AddLine(
        text, "labels",
        StrCat(inspection.labels.size(), ": ", Join(shown), inspection.labels.size() > kShown ? ", …" : ""));
  }
  for (const auto& [key, value] : inspection.provenance) AddLine(text, "made from", StrCat(key, " ", value));
  for (const auto& [name, content] : inspection.metadata)
    AddLine(text, "metadata", StrCat(name, ", ", content));
  if (!inspection.unsupported.empty()) AddLine(text, "not run", inspection.unsupported);
  return text;
}

int64_t ConstantBytes(const Inspection& inspection, const InspectedOperator& each) {
  int64_t bytes = 0;
  for (const int32_t index : each.inputs) {
    if (index >= 0 && inspection.tensor(index).constant) bytes += inspection.tensor(index).bytes;
  }
  return bytes;
}

std::string OperatorTable(const Inspection& inspection) {
  std::vector<Row> rows = {{"#", "operator", "version", "output", "type", "shape", "quantization",
                            "constants", "MACs", "attributes"}};
  for (size_t i = 0; i < inspection.operators.size(); ++i) {
    const InspectedOperator& each = inspection.operators[i];
    Row row = {StrCat(i),
               each.known ? each.name : each.name + " (not known)",
               each.version == 0 ? "-" : StrCat(each.version),
               each.layer,
               "-",
               "-",
               "-",
               StrCat(Grouped(ConstantBytes(inspection, each)), " B"),
               each.multiply_accumulates ? Grouped(*each.multiply_accumulates) : "-",
               each.attributes};
    if (!each.outputs.empty() && each.outputs[0] >= 0) {
      const InspectedTensor& output = inspection.tensor(each.outputs[0]);
      row[4] = output.type;
      row[5] = ShapeText(output);
      row[6] = output.scale.empty() && output.range
                   ? StrCat("range [", output.range->min, ", ", output.range->max, "]")
                   : QuantizationText(output);
    }
    rows.push_back(std::move(row));
  }
  return rows.size() == 1 ? "" : "\n" + TableText(rows, {0, 2, 7, 8});
}

std::string TensorTable(const Inspection& inspection, bool hashes) {
  std::vector<Row> rows = {{"#", "tensor", "type", "shape", "bytes", "constant", "quantization", "least",
                            "most", hashes ? "sha256" : ""}};
  for (size_t i = 0; i < inspection.tensors.size(); ++i) {
    const InspectedTensor& tensor = inspection.tensors[i];
    Row row = {StrCat(i),
               tensor.name,
               tensor.type,
               ShapeText(tensor),
               Grouped(tensor.bytes),
               tensor.constant ? "yes" : "no",
               QuantizationText(tensor),
               "-",
               "-",
               ""};
    const std::vector<float> values = RealValues(tensor);
    if (!values.empty()) {
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      row[7] = Significant(*low);
      row[8] = Significant(*high);
    } else if (tensor.range) {
      row[7] = Significant(tensor.range->min);
      row[8] = Significant(tensor.range->max);
    }
    if (hashes && tensor.constant) row[9] = Sha256(tensor.data).substr(0, 12);
    rows.push_back(std::move(row));
  }
  return rows.size() == 1 ? "" : "\n" + TableText(rows, {0, 4, 7, 8});
}

}  // namespace

std::string InspectionText(const Inspection& inspection, bool details) {
  std::string text = Summary(inspection) + OperatorTable(inspection);
  // Weights are nothing but tensors.
  if (details || inspection.operators.empty()) text += TensorTable(inspection, details);
  const bool open = std::any_of(inspection.tensors.begin(), inspection.tensors.end(),
                                [](const InspectedTensor& each) { return each.open; });
  if (open) text += "\n* a size is open: the shape is an example\n";
  return text;
}

std::string DifferencesText(const Inspection& a, const Inspection& b,
                            const std::vector<Difference>& differences) {
  if (differences.empty()) {
    return a.sha256 == b.sha256 ? StrCat(a.path, " and ", b.path, " have the same bytes\n")
                                : StrCat(a.path, " and ", b.path,
                                         " have the same operators, tensors, values and metadata; their "
                                         "bytes differ in order or padding\n");
  }
  std::vector<Row> rows = {{"where", "what", a.path, b.path}};
  for (const Difference& each : differences) rows.push_back({each.where, each.field, each.a, each.b});
  return StrCat(TableText(rows, {}), "\n", differences.size(),
                differences.size() == 1 ? " difference\n" : " differences\n");
}

}  // namespace qat
