#include "import/real_input.h"

#include "base/strings.h"
#include "ir/input_normalization.h"

namespace qat {

void TakeReals(const Dataset& dataset, Graph& graph, std::vector<std::string>& notes) {
  InputContract& input = graph.contract.input();
  if (dataset.input().values != ValueType::kReal || input.values == ValueType::kReal) return;
  input.values = ValueType::kReal;
  input.low = -1;
  input.high = 1;
  input.white = dataset.white;
  notes.push_back(StrCat(dataset.name, ": holds real numbers, which go into the network as they are; bytes were only assumed"));
}

void TakeInputNormalizations(Graph& graph, std::vector<std::string>& notes) {
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const std::vector<std::string> names = TakeInputNormalization(i, graph);
    if (!names.empty()) notes.push_back(DescribeTaken(names));
  }
}

}  // namespace qat
