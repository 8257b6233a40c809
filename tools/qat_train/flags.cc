#include "flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/file.h"
#include "base/strings.h"
#include "spec/auto_recipe.h"
#include "spec/network_spec.h"
#include "spec/train_config.h"
#include "spec/train_config_fields.h"

namespace qat {
namespace {

// The defaults that help names are those of the recipe that is derived; a preset may have others.
constexpr char kRecipe[] = "Recipe";
constexpr char kFine[] = "Recipe, seldom changed";
constexpr char kChanges[] = "Random changes of training images (default: none)";

struct KeyFlag {
  const char* key;
  const char* type;
  const char* group;
  const char* text;
};

// Every key of TrainConfig but seed and threads, which all tools have, and preset.
constexpr KeyFlag kKeyFlags[] = {
    {"network", "NAME|FILE", kRecipe,
     "from the zoo, a spec file, or a model (.onnx, .tflite) to fine-tune (default auto: one that fits the "
     "data)"},
    {"width", "X", kRecipe,
     "factor for the filters of a network that has this parameter (default: as its spec says)"},
    {"resolution", "N", kRecipe, "height and width of the network's input (default: as its spec says)"},
    {"classes", "N", kRecipe,
     "number of outputs; of a model to fine-tune, with a last layer that is learned afresh (default: the "
     "classes of the "
     "data; of a model, its own)"},
    {"data", "NAME|DIR", kRecipe, "digits, or files: IDX, CIFAR, NumPy, CSV, pictures (default digits)"},
    {"task", "NAME", kRecipe,
     "what the output means: classes, yes-no, multi-label, numbers or reconstruction; of outputs "
     "OUTPUT=NAME,... (default auto: by labels and network)"},
    {"ignore-label", "N", kRecipe,
     "label of pixels that are neither learned nor counted (default auto: 255 where it can be no class)"},
    {"layout", "NAME", kRecipe,
     "what the axes of arrays are: pictures, series or features (default auto: by network, rank and type)"},
    {"fit", "NAME", kRecipe,
     "pictures of another size: crop what is too much, pad with zeros, or stretch (default crop)"},
    {"label", "COLUMN,...", kRecipe,
     "column of a table that holds the answers, or several; of outputs OUTPUT=COLUMN,... (default: label, "
     "class, target or y; those called as the outputs)"},
    {"leave-out", "COLUMN,...", kRecipe,
     "columns of a table that are neither features nor answers: row numbers, names, dates (default: none)"},
    {"data-cache", "MIB", kRecipe, "decoded pictures stay in memory if all of them fit (default 1024)"},
    {"mean", "X,...", kRecipe,
     "of the values: one for all channels, one per channel, none or dataset; of inputs NAME=X,... (default: "
     "of the data; of bytes rounded, one for all)"},
    {"std", "X,...", kRecipe,
     "the same: real = (value - mean) / std (default: of the data; of bytes rounded, one for all)"},
    {"scheme", "SCHEME", kRecipe, "uint8, int8, int8-per-tensor, w4a8 or float32 (default uint8)"},
    {"steps", "N", kRecipe,
     "number of training steps (default: by the number of examples and the cost of a step)"},
    {"epochs", "X", kRecipe, "the same in passes over the training data (default: as --steps)"},
    {"budget", "TIME", kRecipe,
     "train at most this long, as 90s, 10m or 2h; the schedule is fitted to the steps that it allows "
     "(default: no limit)"},
    {"patience", "N", kRecipe,
     "stop after N evaluations in a row without progress; 0: train to the last step (default 0)"},
    {"batch-size", "N", kRecipe, "examples per step (default: 16 to 128, by the number of examples)"},
    {"optimizer", "NAME", kRecipe, "adam or sgd (default adam)"},
    {"learning-rate", "X", kRecipe,
     "peak learning rate (default: by the size of the network; a third with --init)"},
    {"schedule", "NAME", kRecipe,
     "schedule of the learning rate: constant, cosine, step or one-cycle (default cosine)"},
    {"quant-delay", "STEPS", kRecipe, "steps before fake quantization starts (default: 0.6 of the run)"},
    {"bn-freeze", "STEPS", kRecipe,
     "steps before batch norms use their moving averages (default: 0.8 of the run; w4a8: all)"},
    {"ema-decay", "X", kRecipe,
     "decay of the moving averages of activation ranges (default: they cover a fortieth of the run)"},
    {"holdout", "N", kRecipe,
     "training examples kept to choose the best checkpoint on (default auto: a tenth); 0: use the test set"},
    {"log-every", "STEPS", "Output", "log training loss and accuracy (default: 100, less in a short run)"},
    {"eval-every", "STEPS", "Output",
     "measure accuracy on the holdout (default: 20 times per run; 0: after every epoch)"},
    {"checkpoint-every", "STEPS", "Output", "write a checkpoint (default 0: as --eval-every)"},
    {"milestones", "X,...", kFine,
     "of schedule step: parts of the run after which the learning rate falls (default 0.5,0.75)"},
    {"milestone-factor", "X", kFine,
     "of schedule step: what it is multiplied by at each of them (default 0.1)"},
    {"warmup-steps", "STEPS", kFine,
     "steps in which the learning rate rises from 0, of one-cycle from a 25th (default: 0.05 of the run; "
     "one-cycle: 0.3)"},
    {"momentum", "X", kFine, "of sgd (default 0.9)"},
    {"nesterov", "true|false", kFine, "of sgd: Nesterov's momentum (default false)"},
    {"clip-norm", "X", kFine,
     "scale the gradients of a step down to this norm where theirs is larger; 0: never (default 0)"},
    {"weight-decay", "X", kFine,
     "decay of filters; decoupled from the gradient with adam (default 0.05, 0.02 with batch norm, more in "
     "short runs; sgd: 0.0005)"},
    {"label-smoothing", "X", kFine, "part of each label that is spread over all classes (default 0)"},
    {"teacher", "RUN|FILE", kRecipe,
     "distillation: learn from a trained network of the same classes, beside the labels (default: none)"},
    {"teacher-weight", "X", kFine, "part of the loss that is the divergence from the teacher (default 0.9)"},
    {"teacher-temperature", "X", kFine, "that the logits of both are divided by there (default 4)"},
    {"freeze-layers", "REGEX", kFine,
     "layers of a network that is fine-tuned that stay as they are, by their names (default: none)"},
    {"class-weights", "X,...", kRecipe,
     "weight of each class in the loss: balanced, or one number per class (default: none)"},
    {"output-weights", "NAME=X,...", kRecipe,
     "of a network with several outputs: weight of each one's loss (default: 1 each)"},
    {"scale-to-targets", "true|false", kFine,
     "real numbers: normalize them in training and restore them after the model (default true)"},
    {"warmup-fraction", "X", kFine, "--warmup-steps as a part of all steps (default 0.05; one-cycle: 0.3)"},
    {"quant-delay-fraction", "X", kFine, "--quant-delay as a part of all steps (default 0.6)"},
    {"bn-freeze-fraction", "X", kFine, "--bn-freeze as a part of all steps (default 0.8; w4a8: 1)"},
    {"bn-convolutions", "N", kFine,
     "convolutions per step of a layer whose batch norm still learns: 1, or 2 as TensorFlow's folding "
     "(default: 1, or 2 where a channel is coarse)"},
    {"filter-ranges", "NAME", kFine,
     "ranges of filters: observed, those of their values, or learned (LSQ), which may clip, for the few "
     "steps of w4a8 (default observed)"},
    {"activation-ranges", "NAME", kFine,
     "ranges of activations: observed, averages of what values reach, or learned (LSQ) (default observed)"},
    {"eval-every-fraction", "X", kFine, "--eval-every as a part of all steps (default 0.05)"},
    {"checkpoint-every-fraction", "X", kFine,
     "--checkpoint-every as a part of all steps (default: not used)"},
    {"freeze-ranges-fraction", "X", kFine,
     "part of all steps after which activation and learned ranges stop moving (default 1)"},
    {"weight-average-decay", "X", kFine,
     "decay of the moving average of weights that is kept instead of the last ones; 0: off (default: it "
     "covers a "
     "sixtieth of the run)"},
    {"flip", "true|false", kChanges, "mirror every other image, left to right (default false)"},
    {"shift-pixels", "N", kChanges,
     "shift by up to N pixels, zeros coming in: a random crop of the padded image (default 0)"},
    {"cutout", "N", kChanges, "a random square of N pixels becomes 0 (default 0)"},
    {"rotate-degrees", "X", kChanges, "rotate by up to X degrees (default 0)"},
    {"scale-percent", "X", kChanges, "zoom by up to X percent (default 0)"},
    {"shift-steps", "N", kChanges,
     "of series: shift in time by up to N steps, the value at the edge coming in (default 0)"},
    {"gain-percent", "X", kChanges,
     "of real numbers: multiply by 1 plus or minus up to X percent (default 0)"},
    {"noise", "X", kChanges, "of real numbers: add noise of X deviations of each channel (default 0)"},
    {"mixup", "X", kChanges,
     "of classes, yes or no and several labels: mix examples and their losses in pairs, by parts from "
     "Beta(X, X) (default "
     "0)"},
};

}  // namespace

void AddFlags(Tool& tool, TrainFlags& flags) {
  CLI::App& app = tool.app();
  app.add_option("-o,--output", flags.run, "the run directory: checkpoints, metrics, events, config")
      ->type_name("RUN")
      ->group("Output");
  app.add_flag("--resume", flags.resume, "continue exactly where RUN stopped, with its own recipe")
      ->group("Output");
  app.add_flag("--resume-if-exists", flags.resume_if_exists,
               "the same, or start where there is no checkpoint")
      ->group("Output");
  app.add_option("--preset", flags.preset,
                 StrCat("start from this recipe: ", Join(PresetNames()), " (default ", kAutoPreset,
                        ": derived from data and network); other flags change it"))
      ->type_name("NAME")
      ->group(kRecipe);
  app.add_option("--init", flags.init, "fine-tune: start from a checkpoint or weights (.safetensors, .npz)")
      ->type_name("RUN|FILE")
      ->group(kRecipe);
  app.add_option("--init-map", flags.init_map,
                 "which weights are which: lines 'our layer = their module' (default: by name, then order)")
      ->type_name("FILE")
      ->group(kRecipe);
  app.add_option("--init-layout", flags.init_layout,
                 "whose weights they are: auto, pytorch, keras or tflite (default auto: by their names)")
      ->type_name("NAME")
      ->group(kRecipe);
  app.add_option("--init-flatten", flags.init_flatten,
                 "order in which PyTorch's network flattens a map: chw, or hwc where it is channels-last "
                 "(default chw)")
      ->type_name("ORDER")
      ->group(kRecipe);
  app.add_option("--input-shape", flags.input_shapes,
                 "with an .onnx as --network: sizes of an input that leaves some open, as NAME=1,3,96,96")
      ->type_name("SIZES")
      ->group(kRecipe);
  app.add_flag("--reinitialize", flags.reinitialize,
               "with a model as --network: leave its weights, train from the start")
      ->group(kRecipe);
  app.add_flag("--no-training", flags.no_training,
               "take no step: a checkpoint of what --init or --network FILE.tflite brings, scheme float32, "
               "to freeze and to calibrate")
      ->group(kRecipe);
  app.add_option("--select", flags.select,
                 "which checkpoint of --init: best, last or a step "
                 "(default: the last, unless the best is better beyond chance)")
      ->type_name("WHICH")
      ->group(kRecipe);
  for (const KeyFlag& flag : kKeyFlags) {
    app.add_option(StrCat("--", flag.key), flags.keys[flag.key], flag.text)
        ->type_name(flag.type)
        ->group(flag.group);
  }
  std::map<std::string, std::vector<std::string>>& choices = tool.command().choices;
  for (const TrainConfigField& field : TrainConfigFields()) {
    std::string flag = field.name;
    std::replace(flag.begin(), flag.end(), '_', '-');
    if (!field.choices.empty()) choices[StrCat("--", flag)] = field.choices;
  }
  choices["--preset"] = PresetNames();
  choices["--network"] = ZooNames();
  choices["--data"] = {"digits"};
  choices["--init-layout"] = {"auto", "pytorch", "keras", "tflite"};
  choices["--init-flatten"] = {"chw", "hwc"};
  choices["--select"] = {"best", "last"};
  tool.AddThreads(tool.command(), kRecipe, "worker threads; 0: all cores");
  tool.AddSeed(tool.command(), kRecipe, "random seed");
  tool.SetUsual({"--output", "--data", "--network", "--preset", "--scheme", "--steps", "--learning-rate",
                 "--holdout", "--init", "--resume", "--resume-if-exists", "--json"});
  app.add_flag("--strict", flags.strict, "stop at a picture that cannot be read instead of leaving it out")
      ->group(kRecipe);
  app.add_flag("--print-init", flags.print_init, "print which weights fill which layers and stop")
      ->group("Output");
  app.add_flag("--print-network", flags.print_network, "print the layers and stop")->group("Output");
  app.add_flag("--print-spec", flags.print_spec,
               "print the network as a spec (TOML), which --network takes, and stop")
      ->group("Output");
}

void DeclareFiles(const TrainFlags& flags, FileUse& use) {
  const std::string& data = flags.keys.at("data");
  const std::string& network = flags.keys.at("network");
  if (data != "digits") use.Read("--data", data);
  if (FileExists(network)) use.Read("--network", network);
  use.ReadRun("--init", flags.init);
  use.ReadRun("--teacher", flags.keys.at("teacher"));
  use.Read("--init-map", flags.init_map);
  const bool resumed =
      flags.resume || (flags.resume_if_exists && IsDirectory(JoinPath(flags.run, "checkpoints")));
  use.WriteRun("--output", flags.run, resumed);
}

}  // namespace qat
