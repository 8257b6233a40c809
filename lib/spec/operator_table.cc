// The table of operators that docs/network_spec.md shows.
#include "base/strings.h"
#include "ops/integer_kernels.h"
#include "spec/network_spec.h"

namespace qat {
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
