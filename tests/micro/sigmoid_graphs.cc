// Networks of one operator, logistic or tanh, with inputs of many scales, for judge_export.py:
//   qat_micro_sigmoids DIR
#include <string>

#include "base/file.h"
#include "base/strings.h"
#include "ir/graph.h"

namespace qat {
namespace {

Graph OnlyOperator(OpType type, float low, float high) {
  Graph graph;
  graph.name = DefinitionOf(type).name;
  graph.scheme = "int8";
  InputContract contract;
  contract.height = contract.width = 1;
  contract.channels = 256;
  contract.mean.assign(256, 0.0f);
  contract.std.assign(256, 1.0f);
  contract.values = ValueType::kReal;
  contract.low = low;
  contract.high = high;
  graph.contract = Contract(contract, {});
  GraphTensor input;
  input.name = "input";
  input.shape = contract.NetworkShape();
  graph.inputs = {graph.AddTensor(input)};
  graph.outputs = {*graph.AddNode(type, "output", DefinitionOf(type).default_attributes, graph.inputs)};
  return graph;
}

}  // namespace
}  // namespace qat

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::pair<float, float> ranges[] = {{-1, 1}, {0, 3}, {-60, 100}, {-5.3f, 7.1f}};
  for (const qat::OpType type : {qat::OpType::kLogistic, qat::OpType::kTanh}) {
    int place = 0;
    for (const auto& [low, high] : ranges) {
      const qat::Graph graph = qat::OnlyOperator(type, low, high);
      const std::string path = qat::StrCat(argv[1], "/", graph.name, place++, ".qgraph");
      if (!qat::Verify(graph).ok() || !qat::WriteFile(path, qat::Serialize(graph)).ok()) return 1;
    }
  }
  return 0;
}
