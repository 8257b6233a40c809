#include "model/signatures.h"

#include <vector>

#include "base/join_some.h"
#include "base/strings.h"

namespace qat {

const ModelSignature* SignatureRead(const Model& model, const std::string& key) {
  for (const ModelSignature& signature : model.signatures()) {
    if (signature.subgraph == model.subgraph() && (key.empty() || signature.key == key)) return &signature;
  }
  return nullptr;
}

std::string DescribeOtherSignatures(const Model& model) {
  const ModelSignature* taken = SignatureRead(model);
  std::vector<std::string> others;
  for (const ModelSignature& signature : model.signatures()) {
    if (&signature != taken) others.push_back(StrCat("'", signature.key, "'"));
  }
  if (taken == nullptr || others.empty()) return "";
  return StrCat("has ", model.signatures().size(), " signatures: '", taken->key, "' is taken, ",
                JoinSome(others, 6), others.size() == 1 ? " is" : " are", " left out");
}

}  // namespace qat
