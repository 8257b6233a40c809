#include "trace/remake.h"

#include <algorithm>

#include "base/strings.h"
#include "convert/record.h"
#include "freeze/freeze.h"
#include "ir/separate_biases.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

std::vector<std::string> NamesOf(const Model& model, const std::vector<int32_t>& indices) {
  std::vector<std::string> names;
  for (const int32_t index : indices) names.push_back(model.tensors()[static_cast<size_t>(index)].name);
  return names;
}

/// Of twins the one whose filters are uint8: borders may have any type.
bool HasUInt8(const Model& model) {
  return std::any_of(model.tensors().begin(), model.tensors().end(), [](const ModelTensor& tensor) {
    return tensor.type == DType::kUInt8 && tensor.is_constant;
  });
}

std::string Named(const std::string& name, std::string_view what) {
  return StrCat("tensor '", name, "': ", what);
}

std::string Difference(const ModelTensor& made, const ModelTensor& found) {
  if (made.name != found.name) return Named(made.name, StrCat("is called '", found.name, "'"));
  if (made.type != found.type || made.shape != found.shape)
    return Named(made.name, "has another type or shape");
  if (made.scale != found.scale || made.zero_point != found.zero_point) {
    return Named(made.name, "has another scale or zero point");
  }
  const bool same =
      std::equal(made.constant.begin(), made.constant.end(), found.constant.begin(), found.constant.end());
  return same ? "" : Named(made.name, "has other values");
}

std::string Difference(const GraphTensor& made, const GraphTensor& found) {
  if (made.name != found.name) return Named(made.name, StrCat("is called '", found.name, "'"));
  if (made.type != found.type || made.shape != found.shape)
    return Named(made.name, "has another type or shape");
  if (made.has_range != found.has_range || made.range != found.range || made.limits != found.limits) {
    return Named(made.name, "has another range");
  }
  return made.data == found.data ? "" : Named(made.name, "has other values");
}

template <class Tensors>
std::string FirstDifferenceOf(const Tensors& made, const Tensors& found) {
  if (made.size() != found.size())
    return StrCat("it has ", found.size(), " tensors instead of ", made.size());
  for (size_t i = 0; i < made.size(); ++i) {
    if (std::string text = Difference(made[i], found[i]); !text.empty()) return text;
  }
  return "its tensors are the same; operators or metadata differ";
}

}  // namespace

Expected<Bytes> FreezeAgain(const Checkpoint& checkpoint) {
  std::vector<std::string> warnings;
  QAT_ASSIGN_OR_RETURN(const Graph graph, Freeze(checkpoint, {}, warnings));
  return Serialize(graph);
}

Expected<Bytes> ConvertAgain(const Model& model, ConversionSources sources) {
  ReadNetworkResult network;
  network.graph = std::move(sources.graph);
  network.graph.provenance["graph_sha256"] = sources.graph_sha256;
  SeparateBiases(network.graph);
  if (model.inputs().size() != network.graph.inputs.size())
    return Corrupt(StrCat("has ", model.inputs().size(), " inputs, the graph ", network.graph.inputs.size()));
  QAT_ASSIGN_OR_RETURN(const RecordedConversion recorded,
                       ReadRecord(model.provenance(), network.graph.scheme));
  Conversion conversion = {recorded.request, std::move(network), "graph",
                           recorded.type,    recorded.options,   recorded.twins};
  conversion.plan = std::move(sources.plan);
  conversion.plan_source = "plan";
  conversion.plan_sha256 = sources.plan_sha256;
  conversion.data = sources.data;
  conversion.calibration.precisions = recorded.type.precisions;
  conversion.calibration.observers = recorded.observers;
  conversion.repairs.chosen = recorded.repairs;
  conversion.hooks.begin = [&](std::string_view step, int64_t) -> WorkHooks {
    return {[&hooks = sources.hooks, what = StrCat("converting again, ", step)](
                const std::string&, int64_t done, int64_t total) { hooks.Progress(what, done, total); },
            sources.hooks.interrupted};
  };
  QAT_RETURN_IF_ERROR(RunPasses(conversion));
  const bool is_twin = conversion.twin && HasUInt8(model);
  return WriteTflite(is_twin ? *conversion.twin : conversion.graph(),
                     {NamesOf(model, model.inputs()), NamesOf(model, model.outputs())});
}

std::string FirstDifference(const Model& made, const Model& found) {
  return FirstDifferenceOf(made.tensors(), found.tensors());
}

std::string FirstDifference(const Graph& made, const Graph& found) {
  return FirstDifferenceOf(made.tensors, found.tensors);
}

}  // namespace qat
