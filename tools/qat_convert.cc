// qat-convert: a frozen graph in, a .tflite model out.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/input_file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/named_lists.h"
#include "base/printable.h"
#include "base/join_some.h"
#include "base/strings.h"
#include "calibrate/calibrate.h"
#include "contract/fit.h"
#include "contract/provenance.h"
#include "cli/number_pair.h"
#include "cli/output_name.h"
#include "cli/tool.h"
#include "data/dataset.h"
#include "import/read_network.h"
#include "import/verify_source.h"
#include "ir/graph.h"
#include "ir/range_groups.h"
#include "passes/passes.h"
#include "plan/plan_file.h"
#include "report/text_format.h"
#include "tflite/model_source.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

struct ConvertFlags {
  std::string graph;
  std::string output;
  std::string type;
  std::string input_type;
  std::string append = "none";
  std::string argmax_type = "int32";
  std::string input_stats, mean, std;
  std::string picture_mean, picture_std, fit;
  bool assumed_bytes = false;  // found while the model is read
  std::vector<std::string> input_shapes;
  std::pair<std::string, std::string> verify;  // X and Y
  double verify_tolerance = 1e-4;
  std::string default_range, range_min, range_max;
  std::string input_names, output_names;
  std::string calibrate;
  std::string keep_float;
  std::string repair = "none";
  std::string plan, write_plan;
  int64_t calibration_limit = 500;
  bool print = false;
};

void AddFlags(Tool& tool, ConvertFlags& flags) {
  CLI::App& app = tool.app();
  const auto add = [&app](const char* names, std::string& value, const char* type, const char* text) {
    return app.add_option(names, value, text)->type_name(type);
  };
  add("graph", flags.graph, "FILE", "a frozen graph (.qgraph), or a network of others (.onnx, .tflite)");
  add("-o,--output", flags.output, "FILE", "the model (.tflite), or C source (.cc, .c, .h); '-': to standard output");
  add("--type", flags.type, "TYPE",
      "uint8, int8 or int8-per-tensor: integers; float32; float16: weights stored as float16; dynamic: 8-bit filters, the rest "
      "float32 (default: what the network was trained for; docs/precisions.md)");
  add("--input-type", flags.input_type, "float32|uint8|int8",
      "type of the input, or of each as NAME=TYPE (default: float32 where the network takes real numbers, else as --type)");
  add("--append", flags.append, "none|softmax|argmax|sigmoid", "operator to add after the last layer; sigmoid for yes-no and several labels");
  add("--argmax-type", flags.argmax_type, "int32|int64", "type of the answer of --append argmax");
  add("--input-names", flags.input_names, "NAMES", "names of the inputs, separated by commas");
  add("--output-names", flags.output_names, "NAMES", "names of the outputs, separated by commas");
  app.add_flag("--print", flags.print, "print the graph as text; without -o only that");
  add("--keep-float", flags.keep_float, "REGEX", "layers of an integer model to compute on real numbers: whole names, as 'fc[12]|conv1'");
  app.option_defaults()->group("Instead of what training recorded");
  add("--plan", flags.plan, "FILE", "ranges, types of filters and layers kept in float from a plan (TOML), as --write-plan writes it");
  add("--write-plan", flags.write_plan, "FILE", "what every tensor is quantized to and why, to read, compare and edit; without -o only that");
  add("--repair", flags.repair, "none|equalize", "with --calibrate, before ranges are found: equalize: filters of layers that follow each "
      "other reach equally far in each channel (docs/precisions.md)");
  add("--calibrate", flags.calibrate, "DATA",
      "'digits' or a path: activation ranges from images of its training split");
  app.add_option("--calibration-limit", flags.calibration_limit,
                 "a sample of N of those images, the same every time (default 500; 0: all)")
      ->type_name("N");
  add("--mean", flags.picture_mean, "NUMBERS", "of an .onnx or .tflite: what a byte means to its input, real = (byte - MEAN) / STD; one number, or one per channel; of several inputs NAME=…");
  add("--std", flags.picture_std, "NUMBERS", "the STD of --mean");
  add("--fit", flags.fit, "crop|pad|stretch", "of an .onnx or .tflite: how pictures of another size come to fit (default crop)");
  app.add_option("--input-shape", flags.input_shapes,
                 "of an .onnx: sizes of an input that leaves some open, in its own order, as 1,3,96,96 or NAME=1,3,96,96")
      ->type_name("SIZES");
  app.add_option("--verify", flags.verify,
                 "input and output of the framework that the network comes from, as .npy or .npz: refused where the network here "
                 "gives another output (docs/import.md)")
      ->type_name("X Y");
  app.add_option("--verify-tolerance", flags.verify_tolerance,
                 "largest difference for --verify, as a part of the largest value (default 1e-4)")
      ->type_name("NUMBER");
  add("--input-stats", flags.input_stats, "MEAN,STD", "meaning of the quantized input: real = (byte - MEAN) / STD");
  add("--default-range", flags.default_range, "MIN,MAX",
      "range of activations that have none, for trials");
  app.option_defaults()->group("Names of TensorFlow's classic converters, understood too");
  add("--inference-type", flags.type, "TYPE", "as --type, QUANTIZED_UINT8 and FLOAT included");
  add("--inference-input-type", flags.input_type, "TYPE", "as --input-type");
  add("--input-arrays", flags.input_names, "NAMES", "as --input-names");
  add("--output-arrays", flags.output_names, "NAMES", "as --output-names");
  add("--quantized-input-stats", flags.input_stats, "MEAN,STD", "as --input-stats");
  add("--mean-value,--mean-values", flags.mean, "MEAN", "the MEAN of --input-stats");
  add("--std-dev-value,--std-dev-values", flags.std, "STD", "the STD of --input-stats");
  add("--default-ranges-stats", flags.default_range, "MIN,MAX", "as --default-range");
  add("--default-ranges-min", flags.range_min, "MIN", "the MIN of --default-range");
  add("--default-ranges-max", flags.range_max, "MAX", "the MAX of --default-range");
  app.option_defaults()->group("Flags");
  tool.AddThreads(tool.command(), "Instead of what training recorded", "threads that read the images of --calibrate; 0: all cores");
  tool.SetUsual({"graph", "--output", "--type", "--input-type", "--append", "--calibrate", "--input-stats", "--input-names", "--output-names",
                 "--print", "--json"});
}

std::string LowerCase(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// What --type says: the values of activations, those of filters, and how a real network stores its weights.
struct ModelType {
  Scheme scheme = Scheme::kUInt8;
  WeightStorage weights = WeightStorage::kFloat32;
  std::optional<Precision> filters = std::nullopt;  // instead of the scheme's
};

std::string_view NameOf(const ModelType& type) {
  if (type.weights == WeightStorage::kFloat16) return "float16";
  if (type.weights == WeightStorage::kInt8) return "dynamic";
  if (type.filters) return NameOf(Precisions{PrecisionsOf(type.scheme).activations, *type.filters});
  return NameOf(type.scheme);
}

ModelType TypeOf(const Precisions& integers) {
  ModelType type = {SchemeOfActivations(integers)};
  if (integers != PrecisionsOf(type.scheme)) type.filters = integers.filters;
  return type;
}

Expected<ModelType> ParseType(const ConvertFlags& flags, const Graph& graph, const std::optional<PlanChoices>& plan) {
  std::string type = LowerCase(flags.type);
  if (plan) {
    const std::string_view planned = NameOf(plan->precisions);
    if (type.empty() || type == planned || type == StrCat("quantized_", planned)) return TypeOf(plan->precisions);
    return InvalidArgument(StrCat("--type: value '", flags.type, "', but the plan ", flags.plan, " is for ", planned,
                                  "; leave --type out, or write a plan for it"));
  }
  const bool has_ranges =
      !flags.default_range.empty() || !flags.range_min.empty() || !flags.calibrate.empty();
  if (type.empty()) {
    const Scheme trained = SchemeFromName(graph.scheme).value_or(Scheme::kFloat32);
    return ModelType{trained == Scheme::kFloat32 && has_ranges ? Scheme::kUInt8 : trained};
  }
  // The classic converter's names.
  if (type.starts_with("quantized_")) type = type.substr(10);
  if (type == "float") type = "float32";
  if (type == "float16") return ModelType{Scheme::kFloat32, WeightStorage::kFloat16};
  if (type == "dynamic") return ModelType{Scheme::kFloat32, WeightStorage::kInt8};
  if (type == "float32") return ModelType{Scheme::kFloat32};
  if (const std::optional<Precisions> integers = IntegersFromName(type)) return TypeOf(*integers);
  return InvalidArgument(StrCat("--type: value '", flags.type, "', expected ", IntegerNames(), ", float32, float16 or dynamic"));
}

/// Two halves given by flags of their own, as one.
Expected<std::string> JoinHalves(const std::string& whole, const std::string& first,
                                 const std::string& second, std::string_view names) {
  if (first.empty() && second.empty()) return whole;
  if (first.empty() || second.empty() || !whole.empty()) {
    return InvalidArgument(StrCat("expected both or neither of ", names));
  }
  return StrCat(first, ",", second);
}

Expected<QuantizationOptions> ParseQuantization(const ConvertFlags& flags, const ModelType& type) {
  QuantizationOptions options;
  options.scheme = type.scheme;
  options.filter_precision = type.filters;
  QAT_ASSIGN_OR_RETURN(const std::string stats, JoinHalves(flags.input_stats, flags.mean, flags.std,
                                                           "--mean-values and --std-dev-values"));
  if (!stats.empty()) {
    QAT_ASSIGN_OR_RETURN(const auto pair, ParseStats("--input-stats", stats));
    options.input = InputStatsParams(pair[0], pair[1]);
  }
  QAT_ASSIGN_OR_RETURN(const std::string range,
                       JoinHalves(flags.default_range, flags.range_min, flags.range_max,
                                  "--default-ranges-min and --default-ranges-max"));
  if (!range.empty()) {
    QAT_ASSIGN_OR_RETURN(const auto pair, ParsePair("--default-range", "MIN,MAX as in 0,6", range));
    if (!(pair[0] < pair[1])) {
      return InvalidArgument(
          StrCat("--default-range: ", pair[0], " to ", pair[1], ", expected MIN below MAX"));
    }
    options.default_range = Range{static_cast<float>(pair[0]), static_cast<float>(pair[1])};
  }
  return options;
}

Error InterruptedHere() { return {ErrorCode::kInterrupted, "interrupted: no output was written"}; }

Expected<Dataset> OpenCalibrationData(Tool& tool, const ConvertFlags& flags, const Contract& contract,
                                      Progress& progress) {
  OpenOptions options;
  options.limit = flags.calibration_limit;
  SetInputs(contract, options);
  options.class_names = contract.labels();
  if (!contract.outputs.empty()) options.label = contract.outputs.front().name;
  options.unlabelled = true;
  options.threads = tool.flags().threads;
  options.progress = [&](int64_t done, int64_t) { progress.Update(done, "reading"); };
  options.interrupted = Interrupted;
  if (flags.assumed_bytes) options.values.reset();
  return OpenDataset(flags.calibrate, Split::kTrain, options);
}

/// Bytes were a guess; real numbers go in as they are.
void TakeReals(const Dataset& dataset, Graph& graph) {
  InputContract& input = graph.contract.input();
  if (dataset.input().values != ValueType::kReal || input.values == ValueType::kReal) return;
  input.values = ValueType::kReal;
  input.low = -1;
  input.high = 1;
  LogInfo(StrCat(dataset.name, ": holds real numbers, which go into the network as they are; bytes were only assumed"));
}

Status CalibrateAsAsked(Tool& tool, const ConvertFlags& flags, Scheme scheme, Graph& graph, Report& report) {
  if (flags.calibrate.empty()) return {};
  if (scheme == Scheme::kFloat32)
    return InvalidArgument("--calibrate: finds ranges, of which --type float32, float16 and dynamic have none");
  if (flags.calibration_limit < 0) {
    return InvalidArgument(
        StrCat("--calibration-limit: value ", flags.calibration_limit, ", expected 0 or more"));
  }
  CatchInterrupts();
  const Progress::Style style = tool.flags().ProgressStyle();
  Progress reading(style, "read images", flags.calibration_limit);
  QAT_ASSIGN_OR_RETURN_IN("--calibrate", const Dataset dataset,
                          OpenCalibrationData(tool, flags, graph.contract, reading));
  if (!dataset.warning.empty()) report.warnings.push_back(dataset.warning);
  if (flags.assumed_bytes) TakeReals(dataset, graph);
  Progress progress(style, "calibrate", dataset.size());
  const auto show = [&](int64_t done, int64_t) -> Status {
    if (Interrupted()) return InterruptedHere();
    progress.Update(done, "");
    return {};
  };
  QAT_RETURN_IF_ERROR_IN(flags.graph, Calibrate(dataset, scheme, show, graph, report.warnings));
  progress.Finish();
  report.data_name = dataset.name;
  report.data_examples = dataset.size();
  report.data_total = std::max(dataset.available, dataset.size());
  report.data_notes = dataset.notes;
  graph.provenance[kCalibrationLimitKey] = std::to_string(flags.calibration_limit);
  report.data_sha256 = graph.provenance["calibration_sha256"];
  return {};
}

Status AppendAsAsked(const ConvertFlags& flags, Graph& graph) {
  const std::string append = LowerCase(flags.append);
  if (append == "none") return {};
  if (append == "softmax") {
    QAT_RETURN_IF_ERROR_IN("--append", AppendSoftmax(graph));
    return {};
  }
  if (append == "sigmoid") {
    QAT_RETURN_IF_ERROR_IN("--append", AppendSigmoid(graph));
    return {};
  }
  if (append != "argmax" && append != "arg_max" && append != "arg-max") {
    return InvalidArgument(StrCat("--append: value '", flags.append, "', expected none, softmax, argmax or sigmoid"));
  }
  if (flags.argmax_type != "int32" && flags.argmax_type != "int64")
    return InvalidArgument(StrCat("--argmax-type: value '", flags.argmax_type, "', expected int32 or int64"));
  QAT_RETURN_IF_ERROR_IN(
      "--append", AppendArgMax(graph, flags.argmax_type == "int32" ? DType::kInt32 : DType::kInt64));
  return {};
}

Expected<DType> ParseInputType(const ConvertFlags& flags, std::string type) {
  if (type.starts_with("quantized_")) type = type.substr(10);
  if (type == "float") type = "float32";
  const std::optional<Scheme> scheme = SchemeFromName(type);
  if (!scheme)
    return InvalidArgument(StrCat("--input-type: value '", flags.input_type,
                                  "', expected float32, uint8 or int8, or one for each input, as left=uint8,right=float32"));
  return *scheme == Scheme::kFloat32 ? DType::kFloat32 : *scheme == Scheme::kInt8 ? DType::kInt8 : DType::kUInt8;
}

/// "NAME=…" of a flag that may have something for each input. Errors: kInvalidArgument, for names that no input has.
Expected<std::map<std::string, std::string>> ByInput(std::string_view flag, const std::string& text, const Contract& contract) {
  const auto lists = ParseNamedLists(text);
  if (!lists)
    return InvalidArgument(StrCat(flag, ": value '", text, "', expected NAME=VALUE for each input, separated by commas"));
  for (const auto& [name, value] : *lists) {
    std::vector<std::string> known;
    for (const InputContract& input : contract.inputs) known.push_back(input.name);
    if (std::find(known.begin(), known.end(), name) != known.end() && known.size() > 1) continue;
    return InvalidArgument(StrCat(flag, ": names the input '", name, "', expected ",
                                  known.size() > 1 ? Join(known) : std::string("no name: there is one input")));
  }
  return *lists;
}

// Real numbers come in as they are unless another type is asked for.
Status SetInputAsAsked(const ConvertFlags& flags, Graph& graph) {
  const std::string asked = HasNames(flags.input_type) ? "" : LowerCase(flags.input_type);
  std::map<std::string, std::string> by_input;
  if (HasNames(flags.input_type)) {
    QAT_ASSIGN_OR_RETURN(by_input, ByInput("--input-type", flags.input_type, graph.contract));
  }
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const InputContract& input = graph.contract.inputs[i];
    const auto own = by_input.find(input.name);
    std::string type = own == by_input.end() ? asked : LowerCase(own->second);
    if (type.empty() && input.values == ValueType::kByte) continue;
    if (type.empty()) type = "float32";
    QAT_ASSIGN_OR_RETURN(const DType element, ParseInputType(flags, type));
    QAT_RETURN_IF_ERROR_IN("--input-type", SetInputType(element, i, graph));
  }
  return {};
}

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

Status Publish(Tool& tool, const ConvertFlags& flags, OutputFile& output, const Graph& graph, const ModelType& type,
               Report& report) {
  const TfliteWriterOptions names = {Names(flags.input_names), Names(flags.output_names)};
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, WriteTflite(graph, names));
  const bool as_source = IsCSource(flags.output);
  QAT_RETURN_IF_ERROR(as_source ? output.Commit(ModelSource(bytes, flags.output)) : output.Commit(bytes));
  ModelResult model;
  model.name = model.path = flags.output;
  model.kind = "tflite";
  model.type = NameOf(type);
  model.bytes = std::ssize(bytes);
  model.sha256 = Sha256(bytes);
  model.provenance = graph.provenance;
  report.models.push_back(model);
  report.outputs["model"] = flags.output;
  std::string text = StrCat("converted  ", Printable(graph.name), " -> ", Printable(flags.output), ", ", NameOf(type), ", ",
                            bytes.size(), " bytes", as_source ? ", as C source" : "", "\n");
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    text += BorderText("input      ", graph.tensor(graph.inputs[i]), names.input_names, i);
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    text += BorderText("output     ", graph.tensor(graph.outputs[i]), names.output_names, i);
  }
  if (!flags.calibrate.empty())
    text += StrCat("calibrated ", ExamplesText(report), " of the training split\n");
  tool.Print(PrintableLines(text + StrCat("contract   ", Describe(graph.contract), "\n")));
  return {};
}

/// Finite numbers, separated by commas.
Expected<std::vector<float>> ParseNumbers(std::string_view flag, const std::string& text) {
  std::vector<float> numbers;
  if (text.empty()) return numbers;
  for (const std::string& piece : SplitText(text, ',')) {
    float number = 0;
    const auto [end, error] = std::from_chars(piece.data(), piece.data() + piece.size(), number);
    if (error != std::errc() || end != piece.data() + piece.size() || !std::isfinite(number))
      return InvalidArgument(StrCat(flag, ": value '", text, "', expected numbers separated by commas"));
    numbers.push_back(number);
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
  if (!lists) return InvalidArgument(StrCat(flag, ": value '", text, "', expected numbers, or NAME=NUMBERS for each input"));
  for (const auto& [name, own] : *lists) {
    QAT_ASSIGN_OR_RETURN(by_input[name], ParseNumbers(flag, own));
  }
  return {};
}

Status SetFit(const ConvertFlags& flags, bool imported, Graph& graph) {
  if (flags.fit.empty()) return {};
  const std::optional<Fit> fit = FitFromName(flags.fit);
  if (!fit) return InvalidArgument(StrCat("--fit: value '", flags.fit, "', expected crop, pad or stretch"));
  if (!imported) return InvalidArgument("--fit says what an .onnx or .tflite does not; a .qgraph says it itself");
  for (InputContract& input : graph.contract.inputs) input.fit = *fit;
  return {};
}

Expected<ReadNetworkResult> ReadGraphOrModel(ConvertFlags& flags) {
  ReadNetworkOptions options;
  QAT_RETURN_IF_ERROR(ParseNumbersOfInputs("--mean", flags.picture_mean, options.mean, options.mean_of));
  QAT_RETURN_IF_ERROR(ParseNumbersOfInputs("--std", flags.picture_std, options.std, options.std_of));
  QAT_ASSIGN_OR_RETURN(options.input_shapes, ParseInputShapes(flags.input_shapes));
  std::vector<std::string> notes;
  QAT_ASSIGN_OR_RETURN(ReadNetworkResult network, ReadNetwork(flags.graph, options, notes));
  for (const std::string& note : notes) LogInfo(StrCat(flags.graph, ": ", note));
  if (!network.imported && (!flags.picture_mean.empty() || !flags.picture_std.empty()))
    return InvalidArgument("--mean and --std say what an .onnx or .tflite does not; a .qgraph says it itself");
  flags.assumed_bytes = network.assumed_bytes;
  QAT_RETURN_IF_ERROR(SetFit(flags, network.imported, network.graph));
  return network;
}

/// On the network as it was read, before anything is quantized.
Status VerifyAsAsked(Tool& tool, const ConvertFlags& flags, const ReadNetworkResult& network, Report& report) {
  if (flags.verify.first.empty()) return {};
  if (!(flags.verify_tolerance > 0) || !std::isfinite(flags.verify_tolerance))
    return InvalidArgument(StrCat("--verify-tolerance: value ", flags.verify_tolerance, ", expected a number above 0"));
  CatchInterrupts();
  const auto stop = [] { return Interrupted() ? Status(InterruptedHere()) : Status(); };
  QAT_ASSIGN_OR_RETURN_IN("--verify", const VerifyResult result,
                          VerifySource(network.graph, {flags.verify.first, flags.verify.second, flags.verify_tolerance, network.orders}, stop));
  for (const std::string& note : result.notes) LogInfo(note);
  for (const VerifiedTensor& tensor : result.tensors) {
    tool.Print(PrintableLines(StrCat("verified   ", tensor.name, ": ", result.examples, " examples, differs by at most ",
                                     tensor.difference, ", values reach ", tensor.largest, "\n")));
  }
  report.metrics["verified_examples"] = static_cast<double>(result.examples);
  return {};
}

Expected<std::optional<PlanChoices>> ReadPlanAsAsked(const ConvertFlags& flags) {
  if (flags.plan.empty()) return std::optional<PlanChoices>();
  QAT_ASSIGN_OR_RETURN_IN("--plan", const std::string text, ReadTextFile(flags.plan));
  QAT_ASSIGN_OR_RETURN(PlanChoices choices, ReadPlan(text, flags.plan));
  return std::optional(std::move(choices));
}

/// Layers that the flag or the plan names.
Expected<std::set<std::string>> NamesToKeepFloat(const ConvertFlags& flags, const std::optional<PlanChoices>& plan, const Graph& graph) {
  std::set<std::string> kept;
  std::vector<std::string> names;
  for (const GraphNode& node : graph.nodes) names.push_back(node.name);
  if (plan) {
    for (const std::string& name : plan->keep_float) {
      if (std::find(names.begin(), names.end(), name) == names.end())
        return InvalidArgument(StrCat(flags.plan, ": keep_float: ", UnknownName("layer", name, names)));
      kept.insert(name);
    }
  }
  if (flags.keep_float.empty()) return kept;
  std::optional<std::regex> pattern;
  try {
    pattern.emplace(flags.keep_float);
  } catch (const std::regex_error& error) {
    return InvalidArgument(StrCat("--keep-float: value '", flags.keep_float, "' is no regular expression (", error.what(), ")"));
  }
  const size_t before = kept.size();
  for (const std::string& name : names) {
    if (std::regex_match(name, *pattern)) kept.insert(name);
  }
  if (kept.size() > before) return kept;
  return InvalidArgument(StrCat("--keep-float: no layer has a name that '", flags.keep_float, "' describes from its beginning to its end, expected one of: ",
                                JoinSome(names, 12)));
}

/// A network that was trained for integers has no operators without an integer kernel; one that was not may. Returns the names of
/// what was asked for.
Expected<std::vector<std::string>> KeepFloatAsAsked(const ConvertFlags& flags, const std::optional<PlanChoices>& plan, Scheme scheme,
                                                    Graph& graph, Report& report) {
  if (scheme == Scheme::kFloat32) {
    if (flags.keep_float.empty()) return std::vector<std::string>();
    return InvalidArgument("--keep-float: chooses layers of an integer model, expected one of --type uint8, int8 or int8-per-tensor");
  }
  QAT_ASSIGN_OR_RETURN(const std::set<std::string> names, NamesToKeepFloat(flags, plan, graph));
  if (flags.calibrate.empty() && names.empty() && !plan) return std::vector<std::string>();
  const KeptFloat kept = KeepFloat(graph, scheme, names);
  SeparateFixedRanges(graph);
  if (!kept.must.empty())
    report.warnings.push_back(StrCat("no kernel of TFLite computes ", Join(kept.must), " on ", NameOf(scheme),
                                     ": computed in float32, between DEQUANTIZE and QUANTIZE"));
  if (!kept.asked.empty()) LogInfo(StrCat("computed in float32, between DEQUANTIZE and QUANTIZE, as asked: ", Join(kept.asked)));
  return kept.asked;
}

/// Filters change, so ranges that training found do not hold any more.
Status RepairAsAsked(const ConvertFlags& flags, Scheme scheme, Graph& graph) {
  const std::string repair = LowerCase(flags.repair);
  if (repair == "none") return {};
  if (repair != "equalize") return InvalidArgument(StrCat("--repair: value '", flags.repair, "', expected none or equalize"));
  if (flags.calibrate.empty() || scheme == Scheme::kFloat32)
    return InvalidArgument("--repair: changes filters, so ranges have to be found again; expected --calibrate DATA too");
  const std::vector<std::string> pairs = EqualizeFilters(graph);
  LogInfo(pairs.empty() ? "equalize: no two layers with filters follow each other in a way that allows it; nothing was changed"
                        : StrCat("equalized, channel by channel: ", JoinSome(pairs, 6)));
  return {};
}

/// The outputs of the program, opened before the long work.
struct Outputs {
  std::optional<OutputFile> model, plan;
};

Expected<Outputs> OpenOutputs(const ConvertFlags& flags) {
  if (flags.output.empty() && flags.write_plan.empty() && !flags.print)
    return InvalidArgument("--output: expected the model to write (-o FILE)");
  static constexpr std::array<std::string_view, 8> kEndings = {".tflite", ".c",  ".cc", ".cpp",
                                                              ".cxx",    ".h", ".hh", ".hpp"};
  static constexpr std::array<std::string_view, 1> kPlanEndings = {".toml"};
  QAT_RETURN_IF_ERROR(CheckOutputName({"--output", "a TFLite model", kEndings}, flags.output));
  QAT_RETURN_IF_ERROR(CheckOutputName({"--write-plan", "a plan", kPlanEndings}, flags.write_plan));
  Outputs outputs;
  if (!flags.output.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--output", outputs.model, OutputFile::Open(flags.output));
  }
  if (!flags.write_plan.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--write-plan", outputs.plan, OutputFile::Open(flags.write_plan));
  }
  return outputs;
}

/// Decides and applies; the plan is written in between.
Status QuantizeAsAsked(const ConvertFlags& flags, const QuantizationOptions& options, const std::vector<std::string>& kept_float,
                       OutputFile* plan_output, Graph& graph, Report& report) {
  if (options.scheme == Scheme::kFloat32) {
    if (plan_output != nullptr)
      return InvalidArgument("--write-plan: a model of real numbers has no plan, expected one of --type uint8, int8 or int8-per-tensor");
    return ChooseQuantization(graph, options, report.warnings);
  }
  QAT_ASSIGN_OR_RETURN(const QuantizationPlan plan, PlanQuantization(graph, options, report.warnings));
  if (plan_output != nullptr) {
    const std::string text = PlanText(plan, graph, kept_float);
    QAT_RETURN_IF_ERROR(plan_output->Commit(Bytes(text.begin(), text.end())));
    report.outputs["plan"] = flags.write_plan;
  }
  ApplyPlan(plan, graph, report.warnings);
  return {};
}

Status RunTool(Tool& tool, ConvertFlags& flags, Report& report) {
  if (flags.graph.empty()) return InvalidArgument("expected a frozen graph (.qgraph) to convert");
  QAT_ASSIGN_OR_RETURN(const std::optional<PlanChoices> plan, ReadPlanAsAsked(flags));
  QAT_ASSIGN_OR_RETURN(Outputs outputs, OpenOutputs(flags));
  QAT_ASSIGN_OR_RETURN(ReadNetworkResult network, ReadGraphOrModel(flags));
  Graph& graph = network.graph;
  QAT_ASSIGN_OR_RETURN(const ModelType type, ParseType(flags, graph, plan));
  QAT_ASSIGN_OR_RETURN(QuantizationOptions options, ParseQuantization(flags, type));
  QAT_RETURN_IF_ERROR(VerifyAsAsked(tool, flags, network, report));
  QAT_ASSIGN_OR_RETURN(const std::vector<std::string> kept_float, KeepFloatAsAsked(flags, plan, type.scheme, graph, report));
  QAT_RETURN_IF_ERROR(RepairAsAsked(flags, type.scheme, graph));
  QAT_RETURN_IF_ERROR(CalibrateAsAsked(tool, flags, options.scheme, graph, report));
  if (plan) QAT_RETURN_IF_ERROR_IN(flags.plan, TakeChoices(*plan, graph, options));
  QAT_RETURN_IF_ERROR(AppendAsAsked(flags, graph));
  const Status chosen = QuantizeAsAsked(flags, options, kept_float, outputs.plan ? &*outputs.plan : nullptr, graph, report);
  if (chosen.ok()) StoreWeights(type.weights, graph, report.warnings);
  for (const std::string& warning : report.warnings) LogWarning(warning);
  for (const std::string& note : report.data_notes) LogInfo(StrCat(report.data_name, ": ", note));
  QAT_RETURN_IF_ERROR_IN(flags.graph, Status(chosen));
  QAT_RETURN_IF_ERROR(SetInputAsAsked(flags, graph));
  QAT_RETURN_IF_ERROR_IN(flags.graph, Verify(graph));
  if (flags.print) tool.Print(Print(graph));
  return outputs.model.has_value() ? Publish(tool, flags, *outputs.model, graph, type, report) : Status();
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
  tool.DeclareFiles([&](qat::FileUse& use) {
    use.Read("GRAPH", flags.graph);
    use.Read("--verify", flags.verify.first);
    use.Read("--verify", flags.verify.second);
    use.Read("--plan", flags.plan);
    use.Write("--write-plan", flags.write_plan);
    use.Read("--calibrate", flags.calibrate == "digits" ? "" : flags.calibrate);
    use.Write("--output", flags.output);
  });
  return tool.Main(argc, argv, [&](qat::Report& report) { return qat::RunTool(tool, flags, report); });
}
