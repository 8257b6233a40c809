#include "network.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>

#include "base/file_kind.h"
#include "base/log.h"
#include "base/named_lists.h"
#include "base/printable.h"
#include "base/strings.h"
#include "contract/fit.h"
#include "convert/model_type.h"
#include "import/finished_model.h"
#include "import/verify_source.h"
#include "ir/separate_biases.h"

namespace qat {
namespace {

/// Finite numbers, separated by commas.
Expected<std::vector<float>> ParseNumbers(std::string_view flag, const std::string& text) {
  std::vector<float> numbers;
  if (text.empty()) return numbers;
  for (const std::string& piece : SplitText(text, ',')) {
    const std::optional<float> number = ParseNumber<float>(piece);
    if (!number || !std::isfinite(*number))
      return InvalidArgument(StrCat(flag, ": value '", text, "', expected numbers separated by commas"));
    numbers.push_back(*number);
  }
  return numbers;
}

/// The same for all inputs, or for each by its name.
Status ParseNumbersOfInputs(std::string_view flag, const std::string& text, std::vector<float>& all,
                            std::map<std::string, std::vector<float>>& by_input) {
  if (!HasNames(text)) {
    QAT_ASSIGN_OR_RETURN(all, ParseNumbers(flag, text));
    return {};
  }
  const auto lists = ParseNamedLists(text);
  if (!lists)
    return InvalidArgument(
        StrCat(flag, ": value '", text, "', expected numbers, or NAME=NUMBERS for each input"));
  for (const auto& [name, own] : *lists) {
    QAT_ASSIGN_OR_RETURN(by_input[name], ParseNumbers(flag, own));
  }
  return {};
}

Status SetFit(const ConvertFlags& flags, bool imported, Graph& graph) {
  if (flags.fit.empty()) return {};
  const std::optional<Fit> fit = FitFromName(flags.fit);
  if (!fit) return InvalidArgument(StrCat("--fit: value '", flags.fit, "', expected crop, pad or stretch"));
  if (!imported)
    return InvalidArgument("--fit says what an .onnx or .tflite does not; a .qgraph says it itself");
  for (InputContract& input : graph.contract.inputs) input.fit = *fit;
  return {};
}

/// Before the long work.
Status CheckLayout(const ConvertFlags& flags, const ReadNetworkResult& network) {
  const std::string layout = LowerCase(flags.input_layout);
  if (layout == "nhwc") return {};
  if (layout != "nchw")
    return InvalidArgument(StrCat("--input-layout: value '", flags.input_layout, "', expected nhwc or nchw"));
  if (network.moved_inputs.empty())
    return InvalidArgument(
        StrCat("--input-layout: ", flags.graph, " has its channels last already, expected an .onnx"));
  if (!flags.emit_micro.empty())
    return InvalidArgument(
        "--input-layout: the sources of --emit-micro fill inputs with the channels last; leave out one of "
        "the two flags");
  const auto any = [](const std::vector<bool>& moved) {
    return std::find(moved.begin(), moved.end(), true) != moved.end();
  };
  if (!any(network.moved_inputs) && !any(network.moved_outputs))
    LogInfo("--input-layout nchw: no input or output has channels that would be moved");
  return {};
}

}  // namespace

Expected<ReadNetworkResult> ReadGraphOrModel(const ConvertFlags& flags) {
  ReadNetworkOptions options;
  QAT_RETURN_IF_ERROR(ParseNumbersOfInputs("--mean", flags.picture_mean, options.mean, options.mean_of));
  QAT_RETURN_IF_ERROR(ParseNumbersOfInputs("--std", flags.picture_std, options.std, options.std_of));
  QAT_ASSIGN_OR_RETURN(options.input_shapes, ParseInputShapes(flags.input_shapes));
  options.signature = flags.signature;
  std::vector<std::string> notes;
  QAT_ASSIGN_OR_RETURN(ReadNetworkResult network, ReadNetwork(flags.graph, options, notes));
  for (const std::string& note : notes) LogInfo(StrCat(flags.graph, ": ", note));
  if (!network.imported && (!flags.picture_mean.empty() || !flags.picture_std.empty()))
    return InvalidArgument(
        "--mean and --std say what an .onnx or .tflite does not; a .qgraph says it itself");
  QAT_RETURN_IF_ERROR(CheckLayout(flags, network));
  QAT_RETURN_IF_ERROR(SetFit(flags, network.imported, network.graph));
  SeparateBiases(network.graph);
  return network;
}

bool ChangesBordersOnly(const ConvertFlags& flags) {
  const bool borders =
      (!flags.input_type.empty() || !flags.output_type.empty()) && LowerCase(flags.input_layout) == "nhwc";
  const std::string* const deciding[] = {
      &flags.type,        &flags.calibrate,    &flags.plan,        &flags.write_plan,    &flags.keep_float,
      &flags.input_stats, &flags.mean,         &flags.std,         &flags.default_range, &flags.range_min,
      &flags.range_max,   &flags.picture_mean, &flags.picture_std, &flags.fit,           &flags.verify.first,
      &flags.twins,       &flags.int16,        &flags.signature};
  const bool decides =
      std::any_of(std::begin(deciding), std::end(deciding), [](const auto* text) { return !text->empty(); });
  // A pipe can be read only once, and is called otherwise.
  return borders && flags.graph.ends_with(".tflite") && !decides && flags.input_shapes.empty() &&
         LowerCase(flags.append) == "none" && LowerCase(flags.repair) == "none" &&
         flags.fully_connected_scales == "channel";
}

Expected<std::optional<Graph>> ReadFinishedModel(const ConvertFlags& flags) {
  QAT_ASSIGN_OR_RETURN(Bytes bytes,
                       ReadFileOfKinds(flags.graph, {kTfliteIdentifier, kGraphIdentifier, kOnnxIdentifier}));
  if (!IsKind(bytes, kTfliteIdentifier)) return std::optional<Graph>();
  QAT_ASSIGN_OR_RETURN(const auto model, Model::FromBytes(std::move(bytes), flags.graph));
  const WeightStorage weights = WeightStorageOf(*model);
  if (!IsQuantized(*model) && weights == WeightStorage::kFloat32) return std::optional<Graph>();
  Expected<Graph> graph = GraphOfFinished(*model);
  if (graph.ok()) return std::optional(*std::move(graph));
  Error error = std::move(graph).error();
  const std::string_view type = NameOf(ModelType{PrecisionsOf(Scheme::kFloat32), weights});
  if (weights != WeightStorage::kFloat32)
    error.message += StrCat("; so its weights cannot stay as they are, expected --type ", type,
                            " to store them anew, or the file as it is, whose borders are float32 already");
  return error;
}

Status VerifyAsAsked(Tool& tool, const ConvertFlags& flags, const ReadNetworkResult& network,
                     Report& report) {
  if (flags.verify.first.empty()) return {};
  if (!(flags.verify_tolerance > 0) || !std::isfinite(flags.verify_tolerance))
    return InvalidArgument(
        StrCat("--verify-tolerance: value ", flags.verify_tolerance, ", expected a number above 0"));
  CatchInterrupts();
  QAT_ASSIGN_OR_RETURN_IN(
      "--verify", const VerifyResult result,
      VerifySource(network.graph,
                   {flags.verify.first, flags.verify.second, flags.verify_tolerance, network.orders},
                   {{}, Interrupted}));
  for (const std::string& note : result.notes) LogInfo(note);
  for (const VerifiedTensor& tensor : result.tensors) {
    tool.Print(PrintableLines(StrCat("verified   ", tensor.name, ": ", result.examples,
                                     " examples, differs by at most ", tensor.difference, ", values reach ",
                                     tensor.largest, "\n")));
  }
  report.metrics["verified_examples"] = static_cast<double>(result.examples);
  return {};
}

}  // namespace qat
