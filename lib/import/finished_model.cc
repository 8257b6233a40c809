#include "import/finished_model.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "base/hash.h"
#include "base/strings.h"
#include "import/model_parts.h"
#include "ir/constants.h"
#include "model/model_contract.h"
#include "model/signatures.h"

namespace qat {
namespace {

class Reader {
 public:
  explicit Reader(const Model& model) : model_(model) {}

  Expected<Graph> Run() {
    for (const ModelTensor& tensor : model_.tensors()) QAT_RETURN_IF_ERROR(AddTensor(tensor));
    for (const ModelNode& node : model_.nodes()) QAT_RETURN_IF_ERROR(AddNode(node));
    graph_.inputs = model_.inputs();
    graph_.outputs = model_.outputs();
    RemoveUnusedTensors(graph_);
    return std::move(graph_);
  }

 private:
  Status AddTensor(const ModelTensor& source) {
    for (size_t i = 1; i < source.signature.size(); ++i) {
      if (source.signature[i] < 0)
        return Unsupported(
            StrCat("tensor '", source.name, "' leaves its size ", i, " open, expected the batch at most"));
    }
    GraphTensor tensor;
    tensor.name = source.name.empty() ? "tensor" : source.name;
    for (int i = 1; !names_.insert(tensor.name).second; ++i) tensor.name = StrCat(source.name, "_", i);
    tensor.shape = source.shape;
    tensor.type = source.type;
    if (source.is_constant) tensor.data.assign(source.constant.begin(), source.constant.end());
    if (source.file_type == DType::kInt4) {
      const auto* values = reinterpret_cast<const int8_t*>(source.constant.data());
      SetIntegers(tensor, DType::kInt4, std::vector<int32_t>(values, values + source.constant.size()));
    }
    if (!source.scale.empty())
      tensor.quantization = TensorQuantization{source.scale, source.zero_point, source.quantized_dimension};
    graph_.AddTensor(std::move(tensor));
    return {};
  }

  Status AddNode(const ModelNode& source) {
    GraphNode node;
    node.type = source.type;
    node.name = graph_.tensor(source.outputs.at(0)).name;
    node.attributes = source.attributes;
    node.inputs = source.inputs;
    while (!node.inputs.empty() && node.inputs.back() < 0) node.inputs.pop_back();
    if (std::count_if(node.inputs.begin(), node.inputs.end(), [](int32_t input) { return input < 0; }) > 0)
      return Unsupported(StrCat("'", node.name, "' leaves out an input in the middle"));
    if (node.definition().version == nullptr)
      return Unsupported(StrCat("'", node.name, "' is a ", node.definition().name, ", which is not written"));
    node.outputs = source.outputs;
    graph_.nodes.push_back(std::move(node));
    return {};
  }

  const Model& model_;
  Graph graph_;
  std::set<std::string> names_;
};

}  // namespace

bool IsQuantized(const Model& model) {
  return std::any_of(model.tensors().begin(), model.tensors().end(), [](const ModelTensor& tensor) {
    return !tensor.is_constant && !tensor.scale.empty() && tensor.type != DType::kFloat32;
  });
}

WeightStorage WeightStorageOf(const Model& model) {
  WeightStorage storage = WeightStorage::kFloat32;
  if (IsQuantized(model)) return storage;
  for (const ModelTensor& tensor : model.tensors()) {
    if (!tensor.is_constant) continue;
    if (tensor.type == DType::kFloat16) storage = std::max(storage, WeightStorage::kFloat16);
    if (tensor.scale.empty()) continue;
    if (tensor.type == DType::kInt8 || tensor.type == DType::kUInt8)
      storage = std::max(storage, WeightStorage::kInt8);
    if (tensor.file_type == DType::kInt4) storage = WeightStorage::kInt4;
  }
  return storage;
}

Expected<Graph> GraphOfFinished(const Model& model) {
  if (model.subgraphs() != 1)
    return Unsupported(StrCat(model.source(), ": has ", model.subgraphs(), " subgraphs, expected 1"));
  if (!model.unsupported().empty())
    return Unsupported(
        StrCat(model.source(), ": has parts that are not known here: ", model.unsupported().Text()));
  QAT_ASSIGN_OR_RETURN_IN(model.source(), Graph graph, Reader(model).Run());
  QAT_ASSIGN_OR_RETURN(const ModelContract found, ContractOf(model));
  graph.contract = found.contract;
  graph.name = std::filesystem::path(model.source()).stem().string();
  graph.scheme = "float32";
  if (const std::string others = DescribeOtherSignatures(model); !others.empty())
    return Unsupported(StrCat(model.source(), ": ", others, "; choose one by `signature`, with `type`"));
  graph.signature = SignatureOf(model);
  graph.provenance = model.provenance();
  graph.provenance["source_sha256"] = Sha256(model.file_bytes());
  QAT_RETURN_IF_ERROR_IN(model.source(), Verify(graph));
  return graph;
}

}  // namespace qat
