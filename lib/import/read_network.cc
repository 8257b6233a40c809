#include "import/read_network.h"

#include "base/file_kind.h"
#include "base/hash.h"
#include "model/model_contract.h"

namespace qat {

Expected<ReadNetworkResult> ReadNetwork(const std::string& path, const ReadNetworkOptions& options,
                                        std::vector<std::string>& notes) {
  QAT_ASSIGN_OR_RETURN(Bytes bytes, ReadFileOfKinds(path, {kGraphIdentifier, kTfliteIdentifier, kOnnxIdentifier}));
  if (IsKind(bytes, kOnnxIdentifier)) {
    if (!options.mean_of.empty() || !options.std_of.empty())
      return InvalidArgument("`mean` and `std` of inputs by name: read for a .tflite alone, expected one for all inputs of an .onnx");
    QAT_ASSIGN_OR_RETURN(onnx::Model model, onnx::ParseModel(bytes, path));
    bytes = {};
    QAT_ASSIGN_OR_RETURN(OnnxImport import, ImportOnnx(std::move(model), {options.mean, options.std, options.input_shapes}, notes));
    const bool assumed = options.mean.empty() && options.std.empty() && import.graph.inputs.size() == 1;
    return ReadNetworkResult{std::move(import.graph), true, assumed, std::move(import.batch_norms), std::move(import.orders)};
  }
  if (!options.input_shapes.empty()) return InvalidArgument("`input_shape`: only an .onnx leaves sizes open that can be said");
  if (IsKind(bytes, kTfliteIdentifier)) {
    QAT_ASSIGN_OR_RETURN(const auto model, Model::FromBytes(std::move(bytes), path));
    QAT_ASSIGN_OR_RETURN(Graph graph, ImportTflite(*model, options, notes));
    const bool stated = !options.mean.empty() || !options.std.empty() || model->inputs().size() > 1;
    return ReadNetworkResult{std::move(graph), true, !stated && !ContractOf(*model).ok(), {}, {}};
  }
  QAT_ASSIGN_OR_RETURN(Graph graph, ParseGraph(bytes, path));
  graph.provenance["graph_sha256"] = Sha256(bytes);
  return ReadNetworkResult{std::move(graph), false, false, {}, {}};
}

}  // namespace qat
