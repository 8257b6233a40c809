#include "import/read_network.h"

#include "base/file_kind.h"
#include "base/hash.h"
#include "model/model_contract.h"

namespace qat {

Expected<ReadNetworkResult> ReadNetwork(const std::string& path, const TfliteImportOptions& options,
                                        std::vector<std::string>& notes) {
  QAT_ASSIGN_OR_RETURN(Bytes bytes, ReadFileOfKinds(path, {kGraphIdentifier, kTfliteIdentifier}));
  if (IsKind(bytes, kTfliteIdentifier)) {
    QAT_ASSIGN_OR_RETURN(const auto model, Model::FromBytes(std::move(bytes), path));
    QAT_ASSIGN_OR_RETURN(Graph graph, ImportTflite(*model, options, notes));
    const bool stated = !options.mean.empty() || !options.std.empty() || model->inputs().size() > 1;
    return ReadNetworkResult{std::move(graph), true, !stated && !ContractOf(*model).ok()};
  }
  QAT_ASSIGN_OR_RETURN(Graph graph, ParseGraph(bytes, path));
  graph.provenance["graph_sha256"] = Sha256(bytes);
  return ReadNetworkResult{std::move(graph), false, false};
}

}  // namespace qat
