#include "import/onnx_fold.h"

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "import/onnx_fold_parts.h"

namespace qat {

std::optional<Expected<std::vector<OnnxValue>>> FoldNode(const OnnxNode& node) {
  static const auto kAll = [] {
    std::map<std::string_view, fold::Entry> all;
    for (const auto& family : {fold::MovingFolds(), fold::PlaceFolds(), fold::ArithmeticFolds()}) {
      for (const fold::Entry& entry : family) all[entry.op] = entry;
    }
    return all;
  }();
  const auto found = kAll.find(node.node.op);
  const bool constant = std::all_of(node.inputs.begin(), node.inputs.end(), [](const OnnxValue& input) {
    return !input.exists() || input.is_constant();
  });
  if (found == kAll.end() || !node.node.domain.empty() || !constant) return {};
  for (size_t i = 0; i < found->second.inputs; ++i) {
    if (!node.Has(i)) return fold::Results(InvalidArgument(StrCat("has no input ", i)));
  }
  return found->second.fold(node);
}

}  // namespace qat
