#include "import/read_network.h"

#include "base/file_kind.h"
#include "base/hash.h"
#include "base/strings.h"
#include "contract/unlikely_units.h"
#include "import/finished_model.h"
#include "ir/frozen_graph.h"
#include "model/model_contract.h"

namespace qat {
namespace {

std::vector<bool> Moved(const std::vector<int32_t>& borders, const ReadNetworkResult& network) {
  std::vector<bool> moved;
  for (const int32_t border : borders) {
    const auto order = network.orders.find(network.graph.tensor(border).name);
    moved.push_back(order != network.orders.end() && order->second.size() > 2 &&
                    WithoutUnitAxes(order->second) == ChannelsLast(order->second.size()));
  }
  return moved;
}

/// Pictures of one input are bytes where a mean and a std say what a byte is; an input with a range has its
/// meaning in the file.
std::vector<bool> OpenInputsOfOnnx(const Graph& graph, bool stated) {
  std::vector<bool> open;
  for (const int32_t input : graph.inputs) {
    const GraphTensor& tensor = graph.tensor(input);
    const bool only_picture = graph.inputs.size() == 1 && tensor.shape.size() == 4;
    open.push_back(only_picture ? !stated : !tensor.has_range);
  }
  return open;
}

/// Several: floats of which the model says nothing.
std::vector<bool> OpenInputsOfTflite(const Model& model, const Graph& graph) {
  std::vector<bool> open;
  for (size_t i = 0; i < model.inputs().size(); ++i) {
    const bool is_float = model.tensors()[static_cast<size_t>(model.inputs()[i])].type == DType::kFloat32;
    open.push_back(is_float && !model.contract() && graph.contract.inputs[i].values == ValueType::kReal);
  }
  return open;
}

std::vector<bool> NamedInputs(const ReadNetworkOptions& options, const Graph& graph, bool stated) {
  std::vector<bool> named;
  for (const InputContract& input : graph.contract.inputs) {
    named.push_back(graph.inputs.size() == 1
                        ? stated
                        : options.mean_of.contains(input.name) || options.std_of.contains(input.name));
  }
  return named;
}

Expected<ReadNetworkResult> ReadAnyNetwork(const std::string& path, const ReadNetworkOptions& options,
                                           std::vector<std::string>& notes) {
  QAT_ASSIGN_OR_RETURN(Bytes bytes,
                       ReadFileOfKinds(path, {kGraphIdentifier, kTfliteIdentifier, kOnnxIdentifier}));
  const bool stated = !options.mean.empty() || !options.std.empty();
  if (!options.signature.empty() && !IsKind(bytes, kTfliteIdentifier))
    return InvalidArgument("`signature`: only a .tflite has signatures");
  if (IsKind(bytes, kOnnxIdentifier)) {
    QAT_ASSIGN_OR_RETURN(onnx::Model model, onnx::ParseModel(bytes, path));
    bytes = {};
    QAT_ASSIGN_OR_RETURN(OnnxImport import, ImportOnnx(std::move(model),
                                                       {options.mean, options.std, options.mean_of,
                                                        options.std_of, options.input_shapes},
                                                       notes));
    const bool assumed = !stated && !import.takes_bytes && import.graph.inputs.size() == 1;
    std::vector<bool> open = OpenInputsOfOnnx(import.graph, stated || import.takes_bytes);
    ReadNetworkResult result{std::move(import.graph),  true, assumed,
                             std::move(open),          {},   std::move(import.batch_norms),
                             std::move(import.orders), {},   {}};
    result.named_inputs = NamedInputs(options, result.graph, stated);
    result.moved_inputs = Moved(result.graph.inputs, result);
    result.moved_outputs = Moved(result.graph.outputs, result);
    return result;
  }
  if (!options.input_shapes.empty())
    return InvalidArgument("`input_shape`: only an .onnx leaves sizes open that can be said");
  if (IsKind(bytes, kTfliteIdentifier)) {
    QAT_ASSIGN_OR_RETURN(const auto model,
                         Model::FromBytes(std::move(bytes), path, nullptr, options.signature));
    QAT_ASSIGN_OR_RETURN(Graph graph, ImportTflite(*model, options, notes));
    const bool assumed = !stated && model->inputs().size() == 1 && !ContractOf(*model).ok();
    std::vector<bool> open =
        model->inputs().size() == 1 ? std::vector<bool>{assumed} : OpenInputsOfTflite(*model, graph);
    std::vector<bool> named = NamedInputs(options, graph, stated);
    return ReadNetworkResult{
        std::move(graph),       true, assumed, std::move(open), std::move(named), {}, {}, {}, {},
        WeightStorageOf(*model)};
  }
  QAT_ASSIGN_OR_RETURN(Graph graph, ParseFrozenGraph(bytes, path));
  graph.provenance["graph_sha256"] = Sha256(bytes);
  return ReadNetworkResult{std::move(graph), false, false, {}, {}, {}, {}, {}, {}};
}

}  // namespace

Expected<std::map<std::string, std::vector<int64_t>>> ParseInputShapes(
    const std::vector<std::string>& texts) {
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const std::string& text : texts) {
    const size_t equals = text.rfind('=');
    std::vector<int64_t> sizes;
    for (const std::string& piece :
         SplitText(equals == std::string::npos ? text : text.substr(equals + 1), ',')) {
      const int64_t size = ParseNumber<int64_t>(piece).value_or(0);
      if (size < 1 || size > (1 << 24))
        return InvalidArgument(
            StrCat("`input_shape`: value '", text, "', expected sizes as 1,3,96,96 or NAME=1,3,96,96"));
      sizes.push_back(size);
    }
    shapes[equals == std::string::npos ? "" : text.substr(0, equals)] = sizes;
  }
  return shapes;
}

Expected<ReadNetworkResult> ReadNetwork(const std::string& path, const ReadNetworkOptions& options,
                                        std::vector<std::string>& notes) {
  QAT_ASSIGN_OR_RETURN(ReadNetworkResult read, ReadAnyNetwork(path, options, notes));
  const bool stated = !options.std.empty() || !options.std_of.empty();
  const std::string unlikely = stated ? UnlikelyUnits(read.graph.contract) : "";
  if (!unlikely.empty()) notes.push_back(unlikely);
  return read;
}

}  // namespace qat
