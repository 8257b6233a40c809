// qat-freeze: a trained checkpoint in, a frozen graph out: dropout gone, ranges fixed, input contract kept.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/printable.h"
#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "cli/output_name.h"
#include "cli/tool.h"
#include "freeze/folding.h"
#include "freeze/freeze.h"
#include "weights/give_weights.h"
#include "weights/network_layers.h"

namespace qat {
namespace {

/// How trained parameters leave for another framework.
struct WeightsFlags {
  std::string output;
  std::string layout = "pytorch";
  std::string flatten = "chw";
  std::string like;
  std::string map;
};

struct FreezeFlags {
  std::string checkpoint;
  std::string output;
  std::string select;
  FreezeOptions options;
  bool print = false;
  WeightsFlags weights;
};

void AddFlags(Tool& tool, FreezeFlags& flags) {
  CLI::App& app = tool.app();
  app.add_option("checkpoint", flags.checkpoint, "a run directory or a checkpoint")->type_name("RUN|FILE");
  app.add_option("-o,--output", flags.output, "the frozen graph (.qgraph); '-': to standard output")
      ->type_name("FILE");
  app.add_option("--select", flags.select,
                 "which checkpoint of a run: best, last or a step "
                 "(default: the last, unless the best is better beyond chance)")
      ->type_name("WHICH");
  app.add_flag("--strict", flags.options.strict,
               "refuse ranges and batch norms that have not settled (exit code 5)");
  app.add_option(
         "--max-drift", flags.options.max_drift,
         "most that a settled range may have moved in the last tenth of training, relative to its width")
      ->type_name("X");
  app.add_flag("--print", flags.print, "print the graph as text; without -o only that");
  constexpr char kWeights[] = "Weights for other frameworks";
  app.add_option("--weights", flags.weights.output,
                 "write the trained parameters, batch norms not folded (.safetensors or .npz)")
      ->type_name("FILE")
      ->group(kWeights);
  app.add_option("--weights-layout", flags.weights.layout,
                 "names and order of axes: pytorch, keras or tflite")
      ->type_name("NAME")
      ->group(kWeights);
  app.add_option("--weights-flatten", flags.weights.flatten,
                 "order in which PyTorch's network flattens a map: chw, or hwc where it is channels-last")
      ->type_name("ORDER")
      ->group(kWeights);
  app.add_option("--weights-like", flags.weights.like,
                 "use the names, shapes and layout of this file, which --init has read")
      ->type_name("FILE")
      ->group(kWeights);
  app.add_option("--weights-map", flags.weights.map, "with --weights-like: the --init-map of qat-train")
      ->type_name("FILE")
      ->group(kWeights);
  tool.SetUsual(
      {"checkpoint", "--output", "--select", "--strict", "--print", "--weights", "--weights-like", "--json"});
}

std::string LayersText(const Graph& network, const Graph& graph) {
  std::vector<std::string> gone;
  for (const GraphNode& layer : network.nodes) {
    const bool kept = std::any_of(graph.nodes.begin(), graph.nodes.end(),
                                  [&](const GraphNode& node) { return node.name == layer.name; });
    if (!kept) gone.push_back(layer.name);
  }
  const std::string text = StrCat(graph.nodes.size(), " kept");
  return gone.empty() ? text : StrCat(text, ", ", gone.size(), " gone (", Join(gone), ")");
}

std::string RangesText(const Checkpoint& checkpoint) {
  if (checkpoint.scheme == "float32") return StrCat("none (scheme ", checkpoint.scheme, ")");
  const auto drift = [](const auto& a, const auto& b) { return a.second.drift < b.second.drift; };
  const auto largest = std::max_element(checkpoint.ranges.begin(), checkpoint.ranges.end(), drift);
  if (largest == checkpoint.ranges.end()) return "none";
  char rounded[32];
  std::snprintf(rounded, sizeof(rounded), "%.2g", static_cast<double>(largest->second.drift));
  return StrCat(checkpoint.ranges.size(), ", largest drift ", rounded, " (", largest->first, ")");
}

std::string FoldedText(const std::vector<FoldedLayer>& layers) {
  const auto largest = std::max_element(
      layers.begin(), layers.end(),
      [](const FoldedLayer& a, const FoldedLayer& b) { return a.difference < b.difference; });
  if (largest == layers.end()) return "none";
  char difference[32];
  std::snprintf(difference, sizeof(difference), "%.1e", largest->difference);
  return StrCat(layers.size(), layers.size() == 1 ? " batch norm" : " batch norms", ", largest difference ",
                difference, " (", largest->name, ")");
}

// "norms   2, statistics at most 0.031 deviations from other batches' (conv1)\n"; empty where none was
// measured.
std::string NormsText(const Checkpoint& checkpoint) {
  const auto& gaps = checkpoint.batch_norm_gaps;
  const auto largest = std::max_element(gaps.begin(), gaps.end(),
                                        [](const auto& a, const auto& b) { return a.second < b.second; });
  if (largest == gaps.end()) return "";
  char gap[32];
  std::snprintf(gap, sizeof(gap), "%.2g", largest->second);
  return StrCat("norms   ", gaps.size(), ", statistics at most ", gap, " deviations from other batches' (",
                largest->first, ")\n");
}

Status Publish(Tool& tool, const FreezeFlags& flags, OutputFile& output, const Checkpoint& checkpoint,
               const Graph& graph, Report& report) {
  const Graph& network = checkpoint.network;
  const std::vector<FoldedLayer> folded = CompareFolded(checkpoint, network, graph);
  for (const FoldedLayer& layer : folded) report.metrics["folded:" + layer.name] = layer.difference;
  QAT_RETURN_IF_ERROR(CheckFolded(folded));
  const Bytes bytes = Serialize(graph);
  QAT_RETURN_IF_ERROR(output.Commit(bytes));
  ModelResult model;
  model.name = model.path = flags.output;
  model.kind = "graph";
  model.type = "float32";
  model.bytes = std::ssize(bytes);
  model.sha256 = Sha256(bytes);
  model.provenance = graph.provenance;
  report.models.push_back(model);
  report.outputs["graph"] = flags.output;
  tool.Print(PrintableLines(StrCat("frozen  ", graph.name, ", step ", checkpoint.step, " -> ",
                                   Printable(flags.output), ", ", bytes.size(), " bytes\nlayers  ",
                                   LayersText(network, graph), "\nfolded  ", FoldedText(folded), "\n",
                                   NormsText(checkpoint), "ranges  ", RangesText(checkpoint), "\ninput   ",
                                   Describe(graph.contract), "\n")));
  return {};
}

// Their tensors, as the flags say.
Expected<std::vector<StoredTensor>> TheirTensors(const WeightsFlags& flags, const Checkpoint& checkpoint,
                                                 bool layout_given) {
  const std::optional<WeightsLayout> layout = WeightsLayoutFromName(flags.layout);
  if (!layout)
    return InvalidArgument(
        StrCat("--weights-layout: value '", flags.layout, "', expected pytorch, keras or tflite"));
  if (flags.flatten != "chw" && flags.flatten != "hwc")
    return InvalidArgument(StrCat("--weights-flatten: value '", flags.flatten, "', expected chw or hwc"));
  const std::vector<NetworkLayer> layers = LayersWithParameters(checkpoint.network);
  if (flags.like.empty()) return GiveWeights(layers, checkpoint.tensors, *layout, flags.flatten == "hwc");
  QAT_ASSIGN_OR_RETURN_IN("--weights-like", const WeightsFile like, WeightsFile::Read(flags.like));
  std::optional<NameMap> names;
  if (!flags.map.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--weights-map", const std::string text, ReadTextFile(flags.map));
    QAT_ASSIGN_OR_RETURN_IN("--weights-map", names, ParseNameMap(text, flags.map));
  }
  const MatchOptions options = {layout_given ? *layout : GuessLayout(like), flags.flatten == "hwc",
                                names ? &*names : nullptr};
  QAT_ASSIGN_OR_RETURN_IN("--weights-like", ReturnedWeights given,
                          GiveWeightsLike(layers, checkpoint.tensors, like, options));
  if (!given.added.empty()) {
    LogWarning(StrCat("--weights-like: biases that ", flags.like, " does not have were learned and added: ",
                      Join(given.added), "; the other network needs them, too (in PyTorch, bias=True)"));
  }
  return std::move(given.tensors);
}

Status PublishWeights(Tool& tool, const WeightsFlags& flags, OutputFile& output, const Checkpoint& checkpoint,
                      Report& report) {
  QAT_ASSIGN_OR_RETURN(const std::vector<StoredTensor> tensors,
                       TheirTensors(flags, checkpoint, tool.Given("--weights-layout")));
  const auto format = IsNpzName(flags.output) ? WeightsFile::Format::kNpz : WeightsFile::Format::kSafetensors;
  std::map<std::string, std::string> metadata;
  if (flags.layout == "pytorch") metadata["format"] = "pt";  // as libraries around PyTorch expect
  QAT_ASSIGN_OR_RETURN_IN("--weights", const Bytes bytes, SerializeWeights(format, tensors, metadata));
  QAT_RETURN_IF_ERROR(output.Commit(bytes));
  report.outputs["weights"] = flags.output;
  tool.Print(PrintableLines(StrCat("weights ", tensors.size(), tensors.size() == 1 ? " tensor" : " tensors",
                                   " of step ", checkpoint.step, " -> ", flags.output, ", ", bytes.size(),
                                   " bytes\n")));
  return {};
}

Status CheckWeightsFlags(Tool& tool, const WeightsFlags& flags) {
  static constexpr std::array<std::string_view, 2> kEndings = {".safetensors", ".npz"};
  QAT_RETURN_IF_ERROR(CheckOutputName({"--weights", "weights", kEndings}, flags.output));
  for (const char* flag : {"--weights-layout", "--weights-flatten", "--weights-like", "--weights-map"}) {
    if (tool.Given(flag) && flags.output.empty())
      return InvalidArgument(StrCat(flag, ": expected --weights FILE beside it"));
  }
  if (!flags.map.empty() && flags.like.empty())
    return InvalidArgument("--weights-map: expected --weights-like FILE beside it");
  return {};
}

Status RunTool(Tool& tool, const FreezeFlags& flags, Report& report) {
  if (flags.checkpoint.empty()) return InvalidArgument("expected a run directory or a checkpoint to freeze");
  QAT_RETURN_IF_ERROR(CheckWeightsFlags(tool, flags.weights));
  if (flags.output.empty() && !flags.print && flags.weights.output.empty())
    return InvalidArgument("--output: expected the graph to write (-o FILE)");
  static constexpr std::array<std::string_view, 1> kEndings = {".qgraph"};
  QAT_RETURN_IF_ERROR(CheckOutputName({"--output", "a frozen graph", kEndings}, flags.output));
  if (!(flags.options.max_drift >= 0)) {
    return InvalidArgument(StrCat("--max-drift: value ", flags.options.max_drift, ", expected 0 or more"));
  }
  QAT_ASSIGN_OR_RETURN(const ChosenCheckpoint chosen, ChooseCheckpoint(flags.checkpoint, flags.select));
  const std::string& path = chosen.path;
  if (!chosen.note.empty()) LogInfo(chosen.note);
  std::optional<OutputFile> output;
  if (!flags.output.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--output", output, OutputFile::Open(flags.output));
  }
  std::optional<OutputFile> weights;
  if (!flags.weights.output.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--weights", weights, OutputFile::Open(flags.weights.output));
  }
  QAT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, ReadCheckpoint(path));
  auto graph = Freeze(checkpoint, flags.options, report.warnings);
  for (const std::string& warning : report.warnings) LogWarning(StrCat(path, ": ", warning));
  if (!graph.ok()) return std::move(graph).error().Prefixed(path);
  report.metrics["step"] = static_cast<double>(checkpoint.step);
  if (flags.print) tool.Print(Print(*graph));
  if (weights)
    QAT_RETURN_IF_ERROR_IN(path, PublishWeights(tool, flags.weights, *weights, checkpoint, report));
  return output.has_value() ? Publish(tool, flags, *output, checkpoint, *graph, report) : Status();
}

}  // namespace
}  // namespace qat

int main(int argc, char** argv) {
  qat::Tool tool("qat-freeze", "Turns a trained checkpoint into a frozen graph, in milliseconds.",
                 "  qat-freeze runs/lenet -o lenet.qgraph\n"
                 "  qat-freeze runs/lenet --select best --strict --print -o lenet.qgraph\n");
  qat::FreezeFlags flags;
  qat::AddFlags(tool, flags);
  tool.DeclareFiles([&](qat::FileUse& use) {
    use.ReadRun("RUN", flags.checkpoint);
    use.Read("--weights-like", flags.weights.like);
    use.Read("--weights-map", flags.weights.map);
    use.Write("--output", flags.output);
    use.Write("--weights", flags.weights.output);
  });
  return tool.Main(argc, argv, [&](qat::Report& report) { return qat::RunTool(tool, flags, report); });
}
