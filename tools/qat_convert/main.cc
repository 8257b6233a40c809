// qat-convert: a frozen graph in, a .tflite model out.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/hash.h"
#include "base/input_file.h"
#include "base/log.h"
#include "base/printable.h"
#include "base/strings.h"
#include "calibrate/float_run.h"
#include "calibration.h"
#include "cli/output_name.h"
#include "cli/progress.h"
#include "cli/tool.h"
#include "convert/conversion.h"
#include "convert/rewrites.h"
#include "flags.h"
#include "import/real_input.h"
#include "ir/graph.h"
#include "micro.h"
#include "model/model.h"
#include "model_type.h"
#include "network.h"
#include "passes/passes.h"
#include "plan/plan_file.h"
#include "report/text_format.h"
#include "runtime/interpreter.h"
#include "target/target.h"
#include "tflite/model_source.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

std::vector<std::string> Names(const std::string& list) {
  return list.empty() ? std::vector<std::string>() : SplitText(list, ',');
}

/// "input  uint8 [1, 28, 28, 1], scale 0.0039, zero point 0".
std::string BorderText(std::string_view what, const GraphTensor& tensor,
                       const std::vector<std::string>& names, size_t position) {
  std::string text = StrCat(what, names.empty() ? tensor.name : names[position], " ", NameOf(tensor.type),
                            " ", ToString(tensor.shape));
  if (tensor.quantization.has_value()) {
    const QuantizationParams params = tensor.quantization->params();
    text += StrCat(", scale ", params.scale, ", zero point ", params.zero_point);
  }
  return text + "\n";
}

Expected<std::optional<Target>> ParseTarget(const ConvertFlags& flags) {
  if (flags.target.empty()) return std::optional<Target>();
  const std::optional<Target> target = TargetFromName(LowerCase(flags.target));
  if (target) return target;
  return InvalidArgument(
      StrCat("--target: value '", flags.target, "', expected one of ", Join(TargetNames())));
}

/// Of what is to be written to `name`, before it is: that it runs at all, and where it is to run as asked.
/// `micro`: the sources are made of it.
Status CheckModel(const ConvertFlags& flags, const std::string& name, bool micro, const Bytes& bytes) {
  QAT_ASSIGN_OR_RETURN(const std::optional<Target> target, ParseTarget(flags));
  QAT_ASSIGN_OR_RETURN(const auto model, Model::FromBytes(bytes, name));
  InterpreterOptions options;
  options.kernels = KernelSet::kReference;
  const auto prepared = Interpreter::Create(model, options);
  // Numbers of the network that no kernel takes, as of a damaged file.
  if (!prepared) return Unsupported(StrCat("the model would not run: ", prepared.error().message));
  if (target) QAT_RETURN_IF_ERROR_IN(name, ExpectTarget(*model, *target));
  if (micro) QAT_RETURN_IF_ERROR_IN(name, ExpectTarget(*model, Target::kTfliteMicro));
  return {};
}

/// One of the models. `type` in words.
struct Written {
  const Graph& graph;
  std::string_view type;
  Bytes bytes;
};

Status Publish(Tool& tool, const ConvertFlags& flags, OutputFile& output, const Written& written,
               const TfliteWriterOptions& names, Report& report) {
  const auto& [graph, type, bytes] = written;
  const std::string& path = output.path();
  const bool as_source = IsCSource(path);
  QAT_RETURN_IF_ERROR(as_source ? output.Commit(ModelSource(bytes, path)) : output.Commit(bytes));
  ModelResult model;
  model.name = model.path = path;
  model.kind = "tflite";
  model.type = type;
  model.bytes = std::ssize(bytes);
  model.sha256 = Sha256(bytes);
  model.provenance = graph.provenance;
  report.models.push_back(model);
  std::string text = StrCat("converted  ", Printable(graph.name), " -> ", Printable(path), ", ", type, ", ",
                            bytes.size(), " bytes", as_source ? ", as C source" : "", "\n");
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    text += BorderText("input      ", graph.tensor(graph.inputs[i]), names.input_names, i);
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    text += BorderText("output     ", graph.tensor(graph.outputs[i]), names.output_names, i);
  }
  if (!flags.calibrate.empty())
    text += StrCat("calibrated ", ExamplesText(report), " of the training split\n");
  text += StrCat("contract   ",
                 names.says_input ? Describe(graph.contract)
                                  : "none: nobody says what its pictures hold (bytes: --mean, --std)",
                 "\n");
  tool.Print(PrintableLines(text));
  return {};
}

/// `sha256`: of the file.
Expected<std::optional<PlanChoices>> ReadPlanAsAsked(const ConvertFlags& flags, std::string& sha256) {
  if (flags.plan.empty()) return std::optional<PlanChoices>();
  QAT_ASSIGN_OR_RETURN_IN("--plan", const std::string text, ReadTextFile(flags.plan));
  QAT_ASSIGN_OR_RETURN(PlanChoices choices, ReadPlan(text, flags.plan));
  sha256 = Sha256(text);
  return std::optional(std::move(choices));
}

/// The outputs of the program, opened before the long work.
struct Outputs {
  std::optional<OutputFile> model, plan, twin;
  OutputFolder micro;
};

Expected<Outputs> OpenOutputs(const ConvertFlags& flags) {
  if (flags.twins == "-")
    return InvalidArgument(
        "--twins: value '-', expected a file: standard output carries one model, that of -o");
  if (!flags.twins.empty() && flags.output.empty())
    return InvalidArgument("--twins: is the model of uint8 beside the one of int8, expected -o FILE too");
  if (flags.output.empty() && flags.write_plan.empty() && flags.emit_micro.empty() && !flags.print)
    return InvalidArgument("--output: expected the model to write (-o FILE)");
  static constexpr std::array<std::string_view, 8> kEndings = {".tflite", ".c", ".cc", ".cpp",
                                                               ".cxx",    ".h", ".hh", ".hpp"};
  static constexpr std::array<std::string_view, 1> kPlanEndings = {".toml"};
  QAT_RETURN_IF_ERROR(CheckOutputName({"--output", "a TFLite model", kEndings}, flags.output));
  QAT_RETURN_IF_ERROR(CheckOutputName({"--twins", "a TFLite model", kEndings}, flags.twins));
  QAT_RETURN_IF_ERROR(CheckOutputName({"--write-plan", "a plan", kPlanEndings}, flags.write_plan));
  Outputs outputs;
  if (!flags.output.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--output", outputs.model, OutputFile::Open(flags.output));
  }
  if (!flags.write_plan.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--write-plan", outputs.plan, OutputFile::Open(flags.write_plan));
  }
  if (!flags.twins.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--twins", outputs.twin, OutputFile::Open(flags.twins));
  }
  if (!flags.emit_micro.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--emit-micro", outputs.micro, OutputFolder::Make(flags.emit_micro));
  }
  return outputs;
}

/// The model, its twin, and what is made of it. `type` in words. Both are complete and judged before one is
/// written.
Status WriteAsAsked(Tool& tool, const ConvertFlags& flags, Outputs& outputs, const Graph& graph,
                    std::string_view type, const Graph* twin, bool says_input, Report& report) {
  if (!outputs.model && flags.emit_micro.empty()) return {};
  const TfliteWriterOptions names = {Names(flags.input_names), Names(flags.output_names), says_input};
  Written model = {graph, type, {}};
  QAT_ASSIGN_OR_RETURN(model.bytes, WriteTflite(graph, names));
  const std::string& name = flags.output.empty() ? flags.emit_micro : flags.output;
  QAT_RETURN_IF_ERROR(CheckModel(flags, name, !flags.emit_micro.empty(), model.bytes));
  std::optional<Written> other;
  if (twin != nullptr) {
    other.emplace(Written{*twin, "uint8, its twin", {}});
    QAT_ASSIGN_OR_RETURN(other->bytes, WriteTflite(*twin, names));
    QAT_RETURN_IF_ERROR(CheckModel(flags, flags.twins, false, other->bytes));
  }
  if (outputs.model) {
    QAT_RETURN_IF_ERROR(Publish(tool, flags, *outputs.model, model, names, report));
    report.outputs["model"] = flags.output;
  }
  if (other) {
    QAT_RETURN_IF_ERROR(Publish(tool, flags, *outputs.twin, *other, names, report));
    report.outputs["twin"] = flags.twins;
  }
  return EmitMicro(tool, flags, graph, model.bytes, report);
}

/// Other types at the borders of a finished model; what is inside stays.
Status ConvertBorders(Tool& tool, const ConvertFlags& flags, Graph& graph, Outputs& outputs, Report& report) {
  const Graph before = graph;
  QAT_RETURN_IF_ERROR(flags.input_type.empty() ? Status() : SetInputAsAsked(flags, graph));
  QAT_RETURN_IF_ERROR(SetOutputAsAsked(flags, graph));
  if (graph == before)
    LogInfo(StrCat(flags.graph, ": its inputs and outputs have these types already; nothing changes"));
  QAT_RETURN_IF_ERROR_IN(flags.graph, Verify(graph));
  if (flags.print) tool.Print(Print(graph));
  const bool computes_integers =
      std::any_of(graph.tensors.begin(), graph.tensors.end(),
                  [](const GraphTensor& each) { return !each.is_constant() && each.quantization; });
  return WriteAsAsked(tool, flags, outputs, graph,
                      computes_integers ? "its integers as they were" : "its weights as they were", nullptr,
                      true, report);
}

/// What the user sees of a conversion while it goes on.
ConversionHooks HooksOf(Tool& tool, const ConvertFlags& flags, Outputs& outputs,
                        std::optional<Progress>& progress, Report& report) {
  ConversionHooks hooks;
  hooks.begin = [&](std::string_view step, int64_t examples) -> WorkHooks {
    progress.emplace(tool.flags().ProgressStyle(), std::string(step), examples);
    return {[&progress](const std::string& what, int64_t done, int64_t total) {
              progress->Expect(total);
              progress->Update(done, what == kRunOfExamples ? "" : what);
            },
            Interrupted};
  };
  hooks.done = [&progress] { progress->Finish(); };
  hooks.note = [](const std::string& note) { LogInfo(note); };
  if (!outputs.plan) return hooks;
  hooks.write_plan = [&](const std::string& text) -> Status {
    QAT_RETURN_IF_ERROR(outputs.plan->Commit(Bytes(text.begin(), text.end())));
    report.outputs["plan"] = flags.write_plan;
    if (flags.write_plan != "-")
      tool.Print(
          PrintableLines(StrCat("plan       ", Printable(flags.write_plan), ", ", text.size(), " bytes\n")));
    return {};
  };
  return hooks;
}

/// Warnings are shown whether it succeeds or not.
Status Convert(Conversion& conversion, Report& report) {
  const Status done = RunPasses(conversion);
  for (std::string& warning : conversion.warnings) report.warnings.push_back(std::move(warning));
  report.metrics.insert(conversion.metrics.begin(), conversion.metrics.end());
  const auto& provenance = conversion.graph().provenance;
  if (const auto data = provenance.find("calibration_sha256"); data != provenance.end())
    report.data_sha256 = data->second;
  for (const std::string& warning : report.warnings) LogWarning(warning);
  for (const std::string& note : report.data_notes) LogInfo(StrCat(report.data_name, ": ", note));
  return done;
}

Status RunTool(Tool& tool, const ConvertFlags& flags, Report& report) {
  if (flags.list_passes) return tool.Print(tool.NameFlags(ListOfPasses())), Status();
  if (flags.graph.empty()) return InvalidArgument("expected a frozen graph (.qgraph) to convert");
  QAT_ASSIGN_OR_RETURN(const std::optional<Target> target, ParseTarget(flags));
  if (target && flags.output.empty() && flags.emit_micro.empty())
    return InvalidArgument("--target: judges the model to write, expected -o FILE too");
  std::string plan_sha256;
  QAT_ASSIGN_OR_RETURN(const std::optional<PlanChoices> plan, ReadPlanAsAsked(flags, plan_sha256));
  QAT_ASSIGN_OR_RETURN(const std::optional<ModelType> asked, ParseType(flags, plan));
  QAT_ASSIGN_OR_RETURN(QuantizationOptions options, ParseQuantization(flags));
  QAT_RETURN_IF_ERROR(CheckCalibration(flags, asked));
  QAT_ASSIGN_OR_RETURN(const ObserverChoice observers, ParseObservers(flags));
  QAT_ASSIGN_OR_RETURN(const AskedRepairs repairs, ParseRepairs(flags, asked));
  QAT_ASSIGN_OR_RETURN(Outputs outputs, OpenOutputs(flags));
  if (ChangesBordersOnly(flags)) {
    QAT_ASSIGN_OR_RETURN(std::optional<Graph> finished, ReadFinishedModel(flags));
    if (finished) return ConvertBorders(tool, flags, *finished, outputs, report);
  }
  QAT_ASSIGN_OR_RETURN(ReadNetworkResult network, ReadGraphOrModel(flags));
  if (plan && flags.calibrate.empty()) {
    std::vector<std::string> notes;
    TakeValuesOfPlan(*plan, network.open_inputs, network.graph, notes);
    for (const std::string& note : notes) LogInfo(StrCat(flags.plan, ": ", note));
  }
  const ModelType type = asked ? *asked : TypeOf(flags, network);
  options.precisions = type.precisions;
  QAT_RETURN_IF_ERROR(VerifyAsAsked(tool, flags, network, report));
  // Data that it is calibrated with decide, as those do that it is judged on.
  const bool assumed = network.assumed_bytes && flags.calibrate.empty() &&
                       network.graph.contract.input().values == ValueType::kByte;
  Conversion conversion = {flags, std::move(network), flags.graph, type, options, !flags.twins.empty(),
                           plan,  flags.plan,         plan_sha256};
  QAT_ASSIGN_OR_RETURN(const std::optional<Dataset> data,
                       OpenCalibration(tool, flags, conversion.network, report));
  conversion.data = data ? &*data : nullptr;
  conversion.repairs = repairs;
  conversion.calibration.precisions = type.precisions;
  conversion.calibration.observers = observers;
  conversion.chooses_observer = ChoosesObserver(flags);
  std::optional<Progress> progress;
  conversion.hooks = HooksOf(tool, flags, outputs, progress, report);
  QAT_RETURN_IF_ERROR(Convert(conversion, report));
  Graph& graph = conversion.graph();
  if (flags.print) tool.Print(Print(graph));
  return WriteAsAsked(tool, flags, outputs, graph, NameOf(type),
                      conversion.twin ? &*conversion.twin : nullptr,
                      !assumed || graph.contract.input().channels_first, report);
}

}  // namespace
}  // namespace qat

int main(int argc, char** argv) {
  qat::Tool tool("qat-convert", "Turns a frozen graph into a TensorFlow Lite model, in milliseconds.",
                 "  qat-convert lenet.qgraph -o lenet.tflite\n"
                 "  qat-convert lenet.qgraph --type float32 --append argmax -o lenet-float.tflite\n"
                 "  qat-convert network.onnx --calibrate photos --type int8 -o network.tflite\n");
  qat::ConvertFlags flags;
  qat::AddFlags(tool, flags);
  tool.DeclareFiles([&](qat::FileUse& use) { qat::DeclareFiles(flags, use); });
  return tool.Main(argc, argv, [&](qat::Report& report) { return qat::RunTool(tool, flags, report); });
}
