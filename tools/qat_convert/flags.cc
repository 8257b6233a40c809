#include "flags.h"

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "convert/model_type.h"
#include "micro/micro_export.h"

namespace qat {

void AddFlags(Tool& tool, ConvertFlags& flags) {
  CLI::App& app = tool.app();
  const auto add = [&app](const char* names, std::string& value, const char* type, const char* text) {
    return app.add_option(names, value, text)->type_name(type);
  };
  add("graph", flags.graph, "FILE", "a frozen graph (.qgraph), or a network of others (.onnx, .tflite)");
  add("-o,--output", flags.output, "FILE",
      "the model (.tflite), or C source (.cc, .c, .h); '-': to standard output");
  add("--type", flags.type, "TYPE",
      "uint8, int8, int8-per-tensor, int16x8 or w4a8: integers; float32; float16: weights stored as float16; "
      "dynamic, "
      "dynamic4: filters of 8 or 4 bits, the rest float32 (default: what the network was trained for; "
      "docs/precisions.md)");
  add("--input-type", flags.input_type, "float32|uint8|int8|int16",
      "type of the input, or of each as NAME=TYPE (default: float32 where the network takes real numbers, "
      "else as --type)");
  add("--output-type", flags.output_type, "float32|uint8|int8|int16",
      "type of the output, or of each as NAME=TYPE (default: as --type)");
  add("--append", flags.append, "none|softmax|argmax|sigmoid",
      "operator to add after the last layer, or after each output as NAME=OPERATOR; sigmoid for yes-no and "
      "several labels");
  add("--argmax-type", flags.argmax_type, "int32|int64", "type of the answer of --append argmax");
  add("--input-names", flags.input_names, "NAMES", "names of the inputs, separated by commas");
  add("--output-names", flags.output_names, "NAMES", "names of the outputs, separated by commas");
  app.add_flag("--print", flags.print, "print the graph as text; without -o only that");
  app.add_flag("--list-passes", flags.list_passes,
               "print the steps of the conversion, in their order, and stop");
  app.add_option("--skip-pass", flags.skipped_passes, "a step to leave out, as --list-passes names it")
      ->type_name("NAME");
  add("--keep-float", flags.keep_float, "REGEX",
      "layers of an integer model to compute on real numbers: whole names, as 'fc[12]|conv1'");
  add("--int16", flags.int16, "REGEX",
      "layers of a model of int8 to compute with 16-bit activations: whole names, as 'fc[12]|conv1'");
  add("--fully-connected-scales", flags.fully_connected_scales, "channel|tensor",
      "filters of fully connected layers of int8: one scale per channel, or one for all, for targets before "
      "2024");
  add("--target", flags.target, "tflite|xnnpack|tflite-micro|ethos-u",
      "where the model is to run: refused where an operator, a type or a shape does not run there");
  add("--emit-micro", flags.emit_micro, "DIR",
      "C sources for TensorFlow Lite for Microcontrollers: model, operators, arena, input contract, golden "
      "vectors and a main.cc that runs them; -o is not needed");
  add("--twins", flags.twins, "FILE",
      "the same network of uint8 beside the one of int8 that -o names: every byte differs by 128, by "
      "TFLite's reference kernels; "
      "both have one scale per filter (docs/precisions.md)");
  add("--input-layout", flags.input_layout, "nhwc|nchw",
      "of an .onnx: nchw: inputs and outputs that have channels keep them first, as the source has them, at "
      "the price of "
      "transposes");
  app.option_defaults()->group("Instead of what training recorded");
  add("--plan", flags.plan, "FILE",
      "ranges, types of filters and layers kept in float from a plan (TOML), as --write-plan writes it");
  add("--write-plan", flags.write_plan, "FILE",
      "what every tensor is quantized to and why, to read, compare and edit; without -o only that");
  add("--repair", flags.repair, "none|auto|LIST",
      "with --calibrate: equalize, adaround, bias, separated by commas, or auto: those of them that lower "
      "the error on held-out "
      "examples (docs/precisions.md)");
  add("--observer", flags.observer, "minmax|moving-average|percentile|mse|kl|auto",
      "how --calibrate finds ranges, or of some activations, and of inputs of real numbers, as "
      "NAME=OBSERVER; auto: "
      "what is better than minmax by more than chance on examples held out (default minmax)");
  add("--calibrate", flags.calibrate, "DATA",
      "'digits' or a path: activation ranges from examples of its training split");
  app.add_option("--calibration-limit", flags.calibration_limit,
                 "a sample of N of those images, the same every time (default 500; 0: all)")
      ->type_name("N");
  add("--mean", flags.picture_mean, "NUMBERS",
      "of an .onnx or .tflite: what a byte means to its input, real = (byte - MEAN) / STD; one number, or "
      "one per channel; of several "
      "inputs NAME=…");
  add("--std", flags.picture_std, "NUMBERS", "the STD of --mean");
  add("--fit", flags.fit, "crop|pad|stretch",
      "of an .onnx or .tflite: how pictures of another size come to fit (default crop)");
  app.add_option("--input-shape", flags.input_shapes,
                 "of an .onnx: sizes of an input that leaves some open, in its own order, as 1,3,96,96 or "
                 "NAME=1,3,96,96")
      ->type_name("SIZES");
  add("--signature", flags.signature, "KEY",
      "of a .tflite with several signatures: the one to convert (default: that of its first subgraph)");
  app.add_option("--verify", flags.verify,
                 "input and output of the framework that the network comes from, as .npy or .npz: refused "
                 "where the network here "
                 "gives another output (docs/import.md)")
      ->type_name("X Y");
  app.add_option("--verify-tolerance", flags.verify_tolerance,
                 "largest difference for --verify, as a part of the largest value (default 1e-4)")
      ->type_name("NUMBER");
  add("--input-stats", flags.input_stats, "MEAN,STD",
      "meaning of the quantized input: real = (byte - MEAN) / STD");
  add("--default-range", flags.default_range, "MIN,MAX", "range of activations that have none, for trials");
  app.option_defaults()->group("Names of TensorFlow's classic converters, understood too");
  add("--inference-type", flags.type, "TYPE", "as --type, QUANTIZED_UINT8 and FLOAT included");
  add("--inference-input-type", flags.input_type, "TYPE", "as --input-type");
  add("--inference-output-type", flags.output_type, "TYPE", "as --output-type");
  add("--input-arrays", flags.input_names, "NAMES", "as --input-names");
  add("--output-arrays", flags.output_names, "NAMES", "as --output-names");
  add("--quantized-input-stats", flags.input_stats, "MEAN,STD", "as --input-stats");
  add("--mean-value,--mean-values", flags.mean, "MEAN", "the MEAN of --input-stats");
  add("--std-dev-value,--std-dev-values", flags.std, "STD", "the STD of --input-stats");
  add("--default-ranges-stats", flags.default_range, "MIN,MAX", "as --default-range");
  add("--default-ranges-min", flags.range_min, "MIN", "the MIN of --default-range");
  add("--default-ranges-max", flags.range_max, "MAX", "the MAX of --default-range");
  app.option_defaults()->group("Flags");
  tool.AddThreads(tool.command(), "Instead of what training recorded",
                  "threads that read the images of --calibrate; 0: all cores");
  std::map<std::string, std::vector<std::string>>& choices = tool.command().choices;
  choices["--type"] = ModelTypeNames();
  choices["--repair"] = {"none", "auto", "equalize", "adaround", "bias", "equalize,adaround,bias"};
  choices["--calibrate"] = {"digits"};
  tool.SetUsual({"graph", "--output", "--type", "--input-type", "--append", "--calibrate", "--input-stats",
                 "--input-names", "--output-names", "--print", "--json"});
}

void DeclareFiles(const ConvertFlags& flags, FileUse& use) {
  use.Read("GRAPH", flags.graph);
  use.Read("--verify", flags.verify.first);
  use.Read("--verify", flags.verify.second);
  use.Read("--plan", flags.plan);
  use.Write("--write-plan", flags.write_plan);
  use.Read("--calibrate", flags.calibrate == "digits" ? "" : flags.calibrate);
  use.Write("--output", flags.output);
  use.Write("--twins", flags.twins);
  if (flags.emit_micro.empty()) return;
  for (const char* name : kMicroFileNames) use.Write("--emit-micro", JoinPath(flags.emit_micro, name));
}

}  // namespace qat
