#include "ir/free_name.h"

#include <algorithm>

#include "base/strings.h"

namespace qat {

std::string FreeName(const Graph& graph, const std::string& wanted) {
  std::string name = wanted;
  const auto taken = [&](const GraphTensor& tensor) { return tensor.name == name; };
  for (int i = 1; std::any_of(graph.tensors.begin(), graph.tensors.end(), taken); ++i)
    name = StrCat(wanted, "_", i);
  return name;
}

}  // namespace qat
