// https://graphviz.org/doc/info/lang.html:
// within quotes only '"' and the backslash of an escape mean anything; lines of a label
// end with the escape \n or, flush left, \l.
#include <map>

#include "base/printable.h"
#include "base/strings.h"
#include "inspect/print.h"

namespace qat {
namespace {

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : Printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string Lines(const std::vector<std::string>& lines) {
  std::string label;
  for (const std::string& line : lines) {
    if (!line.empty()) label += (label.empty() ? "" : "\\n") + Escaped(line);
  }
  return label;
}

std::string TensorLabel(const InspectedTensor& tensor) {
  return Lines({tensor.name, StrCat(tensor.type, " ", ToString(tensor.shape)),
                tensor.scale.empty() ? "" : QuantizationText(tensor)});
}

class DotWriter {
 public:
  explicit DotWriter(const Inspection& inspection) : inspection_(inspection) {}

  std::string Run() {
    text_ = StrCat(
        "digraph \"", Escaped(inspection_.path),
        "\" {\n  node [shape=box, fontname=\"Helvetica\"];\n  edge [fontname=\"Helvetica\", fontsize=10];\n");
    for (size_t i = 0; i < inspection_.inputs.size(); ++i) {
      Node(StrCat("in", i), TensorLabel(inspection_.tensor(inspection_.inputs[i])), "ellipse");
      source_[inspection_.inputs[i]] = StrCat("in", i);
    }
    for (size_t i = 0; i < inspection_.operators.size(); ++i) AddOperator(i);
    for (size_t i = 0; i < inspection_.outputs.size(); ++i) {
      const int32_t tensor = inspection_.outputs[i];
      Node(StrCat("out", i), TensorLabel(inspection_.tensor(tensor)), "ellipse");
      Edge(tensor, StrCat("out", i));
    }
    if (inspection_.operators.empty()) {
      for (size_t i = 0; i < inspection_.tensors.size(); ++i)
        Node(StrCat("t", i), TensorLabel(inspection_.tensors[i]), "note");
    }
    return text_ + "}\n";
  }

 private:
  void Node(const std::string& id, const std::string& label, std::string_view shape) {
    text_ += StrCat("  ", id, " [label=\"", label, "\", shape=", shape, "];\n");
  }

  // A tensor that nothing before has made: a variable, or one that comes from outside.
  std::string SourceOf(int32_t tensor) {
    const auto [found, is_new] = source_.emplace(tensor, StrCat("t", tensor));
    if (is_new) Node(found->second, TensorLabel(inspection_.tensor(tensor)), "note");
    return found->second;
  }

  void Edge(int32_t tensor, const std::string& to) {
    const std::string from = SourceOf(tensor);
    text_ += StrCat("  ", from, " -> ", to, " [label=\"", Escaped(ToString(inspection_.tensor(tensor).shape)),
                    "\"];\n");
  }

  void AddOperator(size_t index) {
    const InspectedOperator& each = inspection_.operators[index];
    const std::string id = StrCat("op", index);
    std::vector<std::string> lines = {
        each.version == 0 ? each.name : StrCat(each.name, " version ", each.version), each.layer,
        each.attributes};
    for (const int32_t input : each.inputs) {
      if (input < 0 || !inspection_.tensor(input).constant) continue;
      const InspectedTensor& constant = inspection_.tensor(input);
      lines.push_back(StrCat(constant.name, " ", constant.type, " ", ToString(constant.shape)));
    }
    Node(id, Lines(lines), each.known ? "box" : "octagon");
    for (const int32_t input : each.inputs) {
      if (input >= 0 && !inspection_.tensor(input).constant) Edge(input, id);
    }
    for (const int32_t output : each.outputs) {
      if (output >= 0) source_[output] = id;
    }
  }

  const Inspection& inspection_;
  std::map<int32_t, std::string> source_;
  std::string text_;
};

}  // namespace

std::string InspectionDot(const Inspection& inspection) { return DotWriter(inspection).Run(); }

}  // namespace qat
